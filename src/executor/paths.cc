#include "executor/paths.h"

#include <algorithm>

namespace sluice::executor {

namespace {

constexpr std::string_view kPost = "OPTIONS,POST";
constexpr std::string_view kGet = "GET,OPTIONS";
// Two patterns of the reference match such a path, and it lists the methods of both.
constexpr std::string_view kPostAndGet = "OPTIONS,POST,GET,OPTIONS";

bool take(std::string_view& text, std::string_view prefix) noexcept {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool is_segment(std::string_view text) noexcept {
  return !text.empty() && text.find('/') == std::string_view::npos;
}

// What a path can be: asked by POST, by GET, or both.
struct Candidates {
  Match post;
  Match get;
};

Match predictions(std::string_view model = {}) noexcept {
  return {Action::kPredict, model, kPost, "predictions"};
}
Match feedback() noexcept { return {Action::kFeedback, {}, kPost, "feedback"}; }
Match status(std::string_view model) noexcept { return {Action::kStatus, model, kGet, "status"}; }
Match ready() noexcept { return {Action::kReady, {}, kGet, "status"}; }
Match metadata(std::string_view model) noexcept {
  return {Action::kMetadata, model, kGet, "metadata"};
}

Candidates find_seldon(std::string_view path) noexcept {
  const bool is_v1 = path.starts_with("/api/v1.0/");
  if (!take(path, "/api/v1.0/") && !take(path, "/api/v0.1/")) return {};
  if (path == "predictions") return {predictions(), {}};
  if (path == "feedback") return {feedback(), {}};
  if (take(path, "status/")) return is_segment(path) ? Candidates{{}, status(path)} : Candidates{};
  if (is_v1 && (path == "status" || path == "health/status")) return {{}, ready()};
  if (is_v1 && path == "metadata") {
    return {{}, {Action::kGraphMetadata, {}, kGet, "metadata"}};
  }
  if (take(path, "metadata/") && is_segment(path)) return {{}, metadata(path)};
  return {};
}

Candidates find_tensorflow(std::string_view path) noexcept {
  constexpr std::string_view kVerb = ":predict";
  if (path == "/api/v1.0/feedback") return {feedback(), {}};
  if (path == "/v1/models:predict") return {predictions(), {}};
  if (!take(path, "/v1/models/")) return {};
  if (path == kVerb) return {predictions(), status(path)};
  if (is_segment(path)) {
    if (!path.ends_with(kVerb)) return {{}, status(path)};
    return {predictions(path.substr(0, path.size() - kVerb.size())), status(path)};
  }
  const auto slash = std::min(path.find('/'), path.size());
  const std::string_view model = path.substr(0, slash);
  const std::string_view rest = path.substr(slash);
  if (model.empty()) return {};
  if (rest == "/:predict") return {predictions(model), {}};
  if (rest == "/metadata") return {{}, metadata(model)};
  return {};
}

Candidates find_v2(std::string_view path) noexcept {
  if (path == "/v2/health/ready") return {{}, ready()};
  if (!take(path, "/v2/models/")) return {};
  if (path == "infer") return {predictions(), metadata(path)};
  if (is_segment(path)) return {{}, metadata(path)};
  const auto slash = std::min(path.find('/'), path.size());
  const std::string_view model = path.substr(0, slash);
  const std::string_view rest = path.substr(slash);
  if (model.empty()) return {};
  if (rest == "/infer") return {predictions(model), {}};
  if (rest == "/ready") return {{}, status(model)};
  return {};
}

}  // namespace

Match find_path(Protocol protocol, std::string_view prometheus_path, std::string_view path,
                http::Method method) noexcept {
  if (path == "/ready") return {Action::kReady, {}, {}, {}};
  if (path == "/live") return {Action::kLive, {}, {}, {}};
  if (path == prometheus_path) return {Action::kPrometheus, {}, {}, {}};
  Candidates found = protocol == Protocol::kSeldon       ? find_seldon(path)
                     : protocol == Protocol::kTensorflow ? find_tensorflow(path)
                                                         : find_v2(path);
  const bool has_post = found.post.action != Action::kNotFound;
  const bool has_get = found.get.action != Action::kNotFound;
  if (!has_post && !has_get) return {};
  if (has_post && has_get) found.post.methods = found.get.methods = kPostAndGet;
  const Match& either = has_post ? found.post : found.get;
  if (method == http::Method::kOptions) return {Action::kPreflight, {}, either.methods, {}};
  if (method == http::Method::kPost && has_post) return found.post;
  if (method == http::Method::kGet && has_get) return found.get;
  return {Action::kMethodNotAllowed, {}, {}, {}};
}

bool clean_path(std::string_view path, std::string& clean) {
  std::string out;
  std::size_t at = 0;
  while (at < path.size()) {
    const auto end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    at = end + 1;
    if (segment.empty() || segment == ".") continue;
    if (segment == "..") {
      out.erase(out.empty() ? 0 : out.rfind('/'));
    } else {
      out += '/';
      out += segment;
    }
  }
  if (out.empty() || (path.ends_with('/') && !out.ends_with('/'))) out += '/';
  if (out == path) return false;
  clean = std::move(out);
  return true;
}

}  // namespace sluice::executor
