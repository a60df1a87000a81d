#include "model/service.h"

#include <fmt/core.h>

#include "base/clock.h"

namespace sluice::model {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string unescaped(std::string_view text, bool plus_is_blank) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
        hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_blank && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

// The wrapper takes a document from `json=` in the query or in a form, too.
bool find_json_field(std::string_view fields, std::string& document) {
  while (!fields.empty()) {
    const std::string_view field = fields.substr(0, fields.find('&'));
    if (field.starts_with("json=")) {
      document = unescaped(field.substr(5), true);
      return true;
    }
    fields.remove_prefix(std::min(fields.size(), field.size() + 1));
  }
  return false;
}

bool is_one_of(std::string_view path, std::initializer_list<std::string_view> paths) {
  for (const std::string_view each : paths) {
    if (each == path) return true;
  }
  return false;
}

}  // namespace

Answer Service::predict(Protocol protocol, std::string_view body, std::string_view puid) {
  const std::int64_t start_ns = monotonic_ns();
  Answer answer =
      protocol == Protocol::kSeldon ? predict_seldon(model_, body) : predict_v2(model_, body, puid);
  metrics_.count(protocol, answer.status, answer.rows, monotonic_ns() - start_ns);
  return answer;
}

Answer Service::answer(const ServiceRequest& request) {
  const std::size_t question = std::min(request.target.find('?'), request.target.size());
  const std::string_view path = request.target.substr(0, question);
  const bool is_get = request.method == "GET" || request.method == "HEAD";
  const bool is_post = request.method == "POST";
  if (path == "/v2" || path.starts_with("/v2/")) return answer_v2(request, path);

  const auto wrong_method = [&](const char* allowed) {
    return seldon_failure(405, "MICROSERVICE_BAD_METHOD",
                          fmt::format("{} takes {}", path, allowed));
  };
  if (is_one_of(path, {"/predict", "/api/v1.0/predictions", "/api/v0.1/predictions"})) {
    if (!is_post && !(path == "/predict" && is_get)) return wrong_method("POST");
    std::string document;
    if (find_json_field(request.target.substr(std::min(question + 1, request.target.size())),
                        document) ||
        (request.body.starts_with("json=") && find_json_field(request.body, document))) {
      return predict(Protocol::kSeldon, document, request.puid);
    }
    return predict(Protocol::kSeldon, request.body, request.puid);
  }
  if (is_one_of(path, {"/health/status", "/api/v1.0/health/status", "/api/v1.0/status"})) {
    return is_get ? seldon_health() : wrong_method("GET");
  }
  if (is_one_of(path, {"/live", "/ready", "/health/ping"}))
    return Answer{200, "pong", "text/html; charset=utf-8"};
  if (is_one_of(path, {"/metadata", "/api/v1.0/metadata"}))
    return is_get ? seldon_metadata(model_) : wrong_method("GET");
  if (is_one_of(path, {"/metrics", "/prometheus"})) {
    return Answer{200, metrics_.page(model_.name), "text/plain; version=0.0.4; charset=utf-8"};
  }
  return seldon_failure(
      404, "MICROSERVICE_NOT_FOUND",
      fmt::format(
          "there is no {}; predictions are at /api/v1.0/predictions and /v2/models/{}/infer",
          path.substr(0, 200), model_.name));
}

// /v2, /v2/health/live, /v2/health/ready, /v2/models/{name}[/versions/{version}][/ready|/infer]
Answer Service::answer_v2(const ServiceRequest& request, std::string_view path) {
  const bool is_get = request.method == "GET" || request.method == "HEAD";
  const bool is_post = request.method == "POST";
  const auto wrong_method = [&](const char* allowed) {
    return v2_failure(405, fmt::format("{} takes {}", path, allowed));
  };
  if (path == "/v2") return is_get ? v2_server_metadata() : wrong_method("GET");
  if (path == "/v2/health/live" || path == "/v2/health/ready")
    return is_get ? Answer{200, "{}"} : wrong_method("GET");
  constexpr std::string_view kModels = "/v2/models/";
  if (!path.starts_with(kModels))
    return v2_failure(404, fmt::format("there is no {}", path.substr(0, 200)));
  std::string_view rest = path.substr(kModels.size());
  const std::string name = unescaped(rest.substr(0, rest.find('/')), false);
  if (name == "infer" && rest == "infer") {  // Seldon's own: the graph without a name
    return is_post ? predict(Protocol::kV2, request.body, request.puid) : wrong_method("POST");
  }
  rest.remove_prefix(std::min(rest.size(), rest.find('/')));
  if (name != model_.name) {
    return v2_failure(404, fmt::format("Model {} not found; this server has {}",
                                       name.substr(0, 200), model_.name));
  }
  constexpr std::string_view kVersions = "/versions/";
  if (rest.starts_with(kVersions)) {
    rest.remove_prefix(kVersions.size());
    const std::string_view version = rest.substr(0, rest.find('/'));
    if (version != model_.version) {
      return v2_failure(404, fmt::format("Model {} with version {} not found; there is {}", name,
                                         version.substr(0, 200), model_.version));
    }
    rest.remove_prefix(version.size());
  }
  if (rest.empty()) return is_get ? v2_model_metadata(model_) : wrong_method("GET");
  if (rest == "/ready") {
    std::string body = R"({"name":)";
    append_json_text(body, model_.name);
    return is_get ? Answer{200, body + R"(,"ready":true})"} : wrong_method("GET");
  }
  if (rest == "/infer")
    return is_post ? predict(Protocol::kV2, request.body, request.puid) : wrong_method("POST");
  return v2_failure(404, fmt::format("there is no {}", path.substr(0, 200)));
}

}  // namespace sluice::model
