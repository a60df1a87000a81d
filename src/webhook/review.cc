#include "webhook/review.h"

#include <fmt/core.h>

#include <algorithm>

#include "compile/admission.h"
#include "resource/read.h"
#include "resource/seldon_deployment.h"

namespace sluice::webhook {

using resource::Diagnostic;
using resource::List;
using resource::Map;
using resource::Object;
using resource::Value;

namespace {

constexpr std::string_view kVersion = "admission.k8s.io/v1";
// The API server cuts a warning at 256 bytes when all of them are over 4096.
constexpr std::size_t kWarningBytesMax = 256;
constexpr std::size_t kWarningsMax = 15;
constexpr std::size_t kCausesMax = 50;

std::string words_of(const Diagnostic& diagnostic) {
  return diagnostic.hint.empty() ? diagnostic.what : diagnostic.what + "; " + diagnostic.hint;
}

std::string line_of(const Diagnostic& diagnostic) {
  return diagnostic.field.empty() ? words_of(diagnostic)
                                  : diagnostic.field + ": " + words_of(diagnostic);
}

// A warning is sent as a header: no control characters, and no half of a UTF-8 sequence at its end.
std::string as_warning(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  if (text.size() <= kWarningBytesMax) return text;
  std::size_t end = kWarningBytesMax - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end) + "...";
}

List warnings_of(const std::vector<std::string>& lines) {
  List list;
  for (const std::string& line : lines) {
    if (list.size() == kWarningsMax) {
      list.push_back(fmt::format("and {} more; `sluice validate` shows them all",
                                 lines.size() - kWarningsMax));
      break;
    }
    list.push_back(as_warning(line));
  }
  return list;
}

bool same_but_metadata(const Value& before, const Value& after) {
  return before.at("spec") == after.at("spec") &&
         before.at("metadata").at("annotations") == after.at("metadata").at("annotations");
}

Value refusal(const Object& object, const resource::Diagnostics& errors, std::string& message) {
  List causes;
  for (const Diagnostic& error : errors) {
    message += (message.empty() ? "" : "; ") + line_of(error);
    if (causes.size() < kCausesMax) {
      causes.push_back(Map{{"reason", "FieldValueInvalid"},
                           {"field", error.field.empty() ? "spec" : error.field},
                           {"message", words_of(error)}});
    }
  }
  return Map{{"status", "Failure"},
             {"code", 422},
             {"reason", "Invalid"},
             {"message", fmt::format("{} is invalid: {}", to_string(object.key()), message)},
             {"details", Map{{"name", object.name},
                             {"group", std::string(resource::kSeldonGroup)},
                             {"kind", object.kind},
                             {"causes", std::move(causes)}}}};
}

Verdict verdict_of(const std::string& uid, std::string object, Value status,
                   const std::vector<std::string>& warnings) {
  Verdict verdict;
  verdict.allowed = status.is_null();
  verdict.object = std::move(object);
  Map response{{"uid", uid}, {"allowed", verdict.allowed}};
  if (!verdict.allowed) response.set("status", std::move(status));
  if (!warnings.empty()) response.set("warnings", warnings_of(warnings));
  verdict.response =
      Map{{"apiVersion", kVersion}, {"kind", "AdmissionReview"}, {"response", std::move(response)}};
  return verdict;
}

}  // namespace

Result<Verdict> review(const Value& admission_review, const compile::Settings& settings) {
  const Value& request = admission_review.at("request");
  const std::string uid(request.at("uid").text());
  if (admission_review.at("kind").text() != "AdmissionReview" || uid.empty())
    return fail(Blame::kClient, "no AdmissionReview with a request");
  if (admission_review.at("apiVersion").text() != kVersion) {
    return fail(Blame::kClient, fmt::format("AdmissionReview of version {}: only {} is spoken",
                                            admission_review.at("apiVersion").text(), kVersion));
  }
  Value root = request.at("object");
  if (root.as_map() == nullptr) return verdict_of(uid, "", Value(), {});  // a removal
  if (Value* metadata = root.as_map()->find("metadata");
      metadata != nullptr && metadata->as_map() != nullptr) {
    metadata->as_map()->erase("managedFields");
    // What is made by generateName has no name yet.
    if (metadata->at("name").text().empty() && !metadata->at("generateName").text().empty())
      metadata->as_map()->set("name", std::string(metadata->at("generateName").text()) + "x");
    if (metadata->at("namespace").is_null() && !request.at("namespace").text().empty())
      metadata->as_map()->set("namespace", request.at("namespace"));
  }
  SLUICE_TRY(const Object object, resource::make_object(std::move(root)));
  const std::string name = to_string(object.key());
  const bool is_ours = resource::is_seldon_deployment(object) &&
                       object.label("seldon.io/controller-id") == settings.controller_id;
  if (!is_ours || !object.metadata().at("deletionTimestamp").is_null())
    return verdict_of(uid, name, Value(), {});

  resource::Diagnostics found = compile::admit(object, settings);
  resource::deduplicate(found);
  resource::Diagnostics errors;
  std::vector<std::string> warnings;
  const bool is_unchanged = request.at("operation").text() == "UPDATE" &&
                            same_but_metadata(request.at("oldObject"), object.root);
  for (Diagnostic& each : found) {
    if (each.severity == resource::Severity::kError && !is_unchanged) {
      errors.push_back(std::move(each));
    } else {
      warnings.push_back(line_of(each));
    }
  }
  std::string message;
  Value status;
  if (!errors.empty()) status = refusal(object, errors, message);
  Verdict verdict = verdict_of(uid, name, std::move(status), warnings);
  verdict.message = std::move(message);
  return verdict;
}

}  // namespace sluice::webhook
