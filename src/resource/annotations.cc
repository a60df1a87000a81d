#include "resource/annotations.h"

#include <fmt/core.h>

#include <charconv>
#include <string>
#include <vector>

#include "base/text.h"

namespace sluice::resource {

namespace {

constexpr std::string_view kPrefix = "seldon.io/";
constexpr auto kText = AnnotationValue::kText;
constexpr auto kBooleanWord = AnnotationValue::kBooleanWord;
constexpr auto kInteger = AnnotationValue::kInteger;

// key, value, fatal, then where it counts: metadata, spec, predictor.
// Keys that the engine reads from its pod count in spec and predictor, not in metadata.
constexpr AnnotationSpec kAnnotations[] = {
    {"seldon.io/istio-gateway", kText},
    {"seldon.io/istio-host", kText},
    {"seldon.io/istio-retries", kInteger, true},
    {"seldon.io/istio-retries-timeout", AnnotationValue::kSecondsOrDuration, true},
    {"seldon.io/no-engine", kBooleanWord, false, false, false, true},
    {"seldon.io/engine-separate-pod", kBooleanWord},
    {"seldon.io/headless-svc", kText},
    {"seldon.io/svc-name", kText, false, false, false, true},
    {"seldon.io/no-storage-initializer", kBooleanWord, false, false},
    {"seldon.io/executor-logger-queue-size", kInteger, true},
    {"seldon.io/executor-logger-write-timeout-ms", kInteger, true},
    {"seldon.io/rest-timeout", kInteger, true, true, true, true},
    {"seldon.io/grpc-timeout", kInteger, false, true, true, true},
    {"seldon.io/grpc-max-message-size", kInteger, true, false, true, true},
    {"seldon.io/ambassador-config", kText},
    {"seldon.io/ambassador-service-name", kText},
    {"seldon.io/ambassador-header", kText},
    {"seldon.io/ambassador-regex-header", kText},
    {"seldon.io/ambassador-id", kText},
    {"seldon.io/ambassador-retries", kInteger, true},
    {"seldon.io/ambassador-circuit-breakers-max-connections", kInteger, true},
    {"seldon.io/ambassador-circuit-breakers-max-pending-requests", kInteger, true},
    {"seldon.io/ambassador-circuit-breakers-max-requests", kInteger, true},
    {"seldon.io/ambassador-circuit-breakers-max-retries", kInteger, true},
    {"seldon.io/last-applied", kText, false, true, true, true},
    {"seldon.io/controller-id", kText, false, true, true, true},
};

enum class Where : std::uint8_t { kMetadata, kSpec, kPredictor };

bool is_integer(std::string_view text) noexcept {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// What a value should have been; "" when it is good.
std::string_view wanted(AnnotationValue kind, std::string_view value) {
  switch (kind) {
    case AnnotationValue::kText:
      return {};
    case AnnotationValue::kBooleanWord:
      return equal_ignoring_case(value, "true") || equal_ignoring_case(value, "false")
                 ? std::string_view()
                 : "true or false";
    case AnnotationValue::kInteger:
      return is_integer(value) ? std::string_view() : "a whole number";
    case AnnotationValue::kSecondsOrDuration:
      return is_integer(value) || duration_ns(value) > 0
                 ? std::string_view()
                 : "a whole number of seconds, or a duration such as \"1500ms\"";
  }
  return {};
}

class Checker {
 public:
  Checker(const Object& object, Diagnostics& diagnostics)
      : object_(object), diagnostics_(diagnostics) {}

  void run() {
    const Value& spec = object_.spec();
    check_map(object_.metadata().at("annotations"), "metadata.annotations", Where::kMetadata);
    check_map(spec.at("annotations"), "spec.annotations", Where::kSpec);
    std::size_t index = 0;
    for (const Value& predictor : spec.at("predictors").list()) {
      check_map(predictor.at("annotations"),
                fmt::format("spec.predictors[{}].annotations", index++), Where::kPredictor);
    }
  }

 private:
  void check_map(const Value& map, const std::string& path, Where where) {
    for (const Member& member : map.map()) check_one(member, path + "." + member.key, where);
  }
  void check_one(const Member& member, std::string path, Where where);
  void say(const Member& member, Place place, Severity severity, std::string path, std::string code,
           std::string what, std::string hint) {
    Value at = Value();
    at.place = place.line != 0 ? place : member.value.place;
    diagnostics_.push_back(about(object_, at, std::move(path), severity, std::move(code),
                                 std::move(what), std::move(hint)));
  }
  void unknown(const Member& member, std::string path);
  bool has_retries() const noexcept {
    constexpr std::string_view kRetries = "seldon.io/istio-retries";
    return object_.annotation(kRetries) != nullptr ||
           object_.spec().at("annotations").at(kRetries).is_string();
  }

  const Object& object_;
  Diagnostics& diagnostics_;
};

std::string_view place_name(const AnnotationSpec& spec) noexcept {
  if (spec.in_predictor && !spec.in_spec) return "it counts in spec.predictors[].annotations";
  if (spec.in_predictor) return "it counts in spec.annotations and spec.predictors[].annotations";
  return spec.in_metadata ? "it counts in spec.annotations and metadata.annotations"
                          : "it counts in spec.annotations";
}

void Checker::check_one(const Member& member, std::string path, Where where) {
  const AnnotationSpec* found = nullptr;
  for (const AnnotationSpec& spec : kAnnotations) {
    if (spec.key == member.key) found = &spec;
  }
  if (found == nullptr) {
    unknown(member, std::move(path));
    return;
  }
  const bool counts = where == Where::kMetadata ? found->in_metadata
                      : where == Where::kSpec   ? found->in_spec
                                                : found->in_predictor;
  if (!counts) {
    say(member, member.key_place, Severity::kWarning, std::move(path), "annotation-place",
        "this annotation has no effect here", std::string(place_name(*found)));
    return;
  }
  const std::string* value = member.value.as_string();
  if (value == nullptr) return;  // the schema has something to say about that
  if (value->empty()) return;    // as if it were not there
  const std::string_view good = wanted(found->value, *value);
  if (good.empty()) return;
  // Nobody reads the time of a retry when there are no retries.
  const bool read = found->value != AnnotationValue::kSecondsOrDuration || has_retries();
  const Severity severity = found->fatal && read ? Severity::kError : Severity::kWarning;
  say(member, member.value.place, severity, std::move(path), "bad-annotation",
      fmt::format("\"{}\" is not {}", *value, good), {});
}

void Checker::unknown(const Member& member, std::string path) {
  const std::string_view key = member.key;
  // "seldon.io/engine-log-level" sets a variable of the engine, whatever comes after "engine-".
  if (key.starts_with("seldon.io/engine-")) return;
  std::vector<std::string_view> keys;
  for (const AnnotationSpec& spec : kAnnotations) keys.push_back(spec.key);
  const bool ours = key.starts_with(kPrefix);
  std::string_view near;
  if (ours) {
    near = nearest(key, keys);
  } else {
    // Another prefix is somebody else's, unless it is nearly ours before the very same name.
    const auto slash = key.find('/');
    if (slash == std::string_view::npos) return;
    for (const std::string_view known : keys) {
      const bool same_name = known.substr(kPrefix.size()) == key.substr(slash + 1);
      if (same_name && edit_distance(key.substr(0, slash + 1), kPrefix, 4) < 4) near = known;
    }
    if (near.empty()) return;
  }
  say(member, member.key_place, Severity::kWarning, std::move(path), "unknown-annotation",
      fmt::format("there is no annotation {}", key.substr(0, 128)),
      near.empty() ? std::string() : fmt::format("did you mean \"{}\"?", near));
}

}  // namespace

std::span<const AnnotationSpec> annotations() noexcept { return kAnnotations; }

void check_annotations(const Object& object, Diagnostics& diagnostics) {
  Checker(object, diagnostics).run();
}

}  // namespace sluice::resource
