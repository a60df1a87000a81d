#include "kube/answer.h"

#include <fmt/core.h>

namespace sluice::kube {

bool is_passing(const Answer& answer) noexcept {
  return answer.status == 429 || (answer.status >= 500 && answer.status != 501);
}

std::string message_of(const Answer& answer) {
  return std::string(answer.body.at("message").text());
}

std::string place_of(const Question& question) {
  if (question.kind == nullptr) return std::string(question.verb);
  std::string place = fmt::format("{} {}", question.verb, question.kind->kind);
  if (!question.subresource.empty()) place += fmt::format("/{}", question.subresource);
  if (!question.namespace_.empty() || !question.name.empty())
    place +=
        fmt::format(" {}{}{}", question.namespace_,
                    question.namespace_.empty() || question.name.empty() ? "" : "/", question.name);
  return place;
}

namespace {

// The server checks "patch" first and then "create": its own words say which one is missing
// ("... cannot create resource ...").
std::string verb_in(const std::string& message, std::string_view otherwise) {
  constexpr std::string_view kMark = " cannot ";
  const std::size_t at = message.find(kMark);
  if (at == std::string::npos) return std::string(otherwise);
  const std::string_view rest = std::string_view(message).substr(at + kMark.size());
  return std::string(rest.substr(0, rest.find(' ')));
}

std::string forbidden(const Question& question, const std::string& message) {
  if (message.find("is being terminated") != std::string::npos)
    return fmt::format("namespace {} is being deleted: nothing new can be made in it",
                       question.namespace_);
  if (question.kind == nullptr || message.find(" cannot ") == std::string::npos)
    return "refused: " + message;  // a quota, or an admission plug-in
  const std::string where = question.namespace_.empty()
                                ? std::string("in a ClusterRole (all namespaces)")
                                : fmt::format("in namespace {}", question.namespace_);
  return fmt::format(
      "RBAC does not allow it: a rule with apiGroups [\"{}\"], resources [\"{}{}{}\"], verbs "
      "[\"{}\"] is needed {}; the API server says: {}",
      question.kind->group, question.kind->plural, question.subresource.empty() ? "" : "/",
      question.subresource, verb_in(message, question.verb), where, message);
}

}  // namespace

Error error_of(const Question& question, const Answer& answer) {
  const std::string message = message_of(answer);
  Error error;
  error.where = place_of(question);
  error.blame = answer.status >= 500 || answer.status == 429 || answer.status == 409
                    ? Blame::kUpstream
                    : Blame::kConfig;
  error.retry = error.blame == Blame::kUpstream ? Retry::kSafe : Retry::kNever;
  switch (answer.status) {
    case 401:
      error.what =
          "the API server does not accept our credentials (401); is the token or certificate of "
          "this cluster, and has it not run out?";
      break;
    case 403:
      error.what = forbidden(question, message);
      break;
    case 404:
      error.what = message.empty() ? "the API server does not know it (404)" : message;
      break;
    case 429:
      error.what = "the API server asks us to slow down (429), still after retries";
      break;
    default:
      error.what = fmt::format("the API server answered {}: {}", answer.status,
                               message.empty() ? "no reason given" : message);
  }
  return error;
}

}  // namespace sluice::kube
