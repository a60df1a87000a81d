#include "compile/settings.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/text.h"

namespace sluice::compile {

namespace {

std::optional<std::int64_t> to_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Reads variables one by one; keeps the first thing that is wrong.
class Reader {
 public:
  Reader(const Lookup& lookup, Profile profile) : lookup_(lookup), profile_(profile) {}

  std::optional<std::string> get(std::string_view name) {
    std::optional<std::string> value = lookup_(name);
    // "Set but empty" crashes the reference or gives it an empty gateway; nobody can mean that.
    if (value && value->empty() && profile_ == Profile::kDefault) return std::nullopt;
    return value;
  }

  void text(std::string_view name, std::string& into) {
    if (auto value = get(name)) into = std::move(*value);
  }

  // Empty is a value here in both profiles: "run as no particular user".
  void text_or_empty(std::string_view name, std::string& into) {
    if (auto value = lookup_(name)) into = std::move(*value);
  }

  void flag(std::string_view name, bool& into) {
    const auto value = get(name);
    if (!value) return;
    into = *value == "true";
    if (!into && *value != "false" && profile_ == Profile::kDefault)
      wrong(name, *value, "true or false");
  }

  bool port(std::string_view name, std::int64_t& into) {
    const auto value = get(name);
    if (!value) return false;
    const auto number = to_integer(*value);
    if (number && *number > 0 && *number < 65536) {
      into = *number;
      return true;
    }
    if (profile_ == Profile::kDefault) wrong(name, *value, "a port, 1 to 65535");
    return false;
  }

  void integer_text(std::string_view name, std::string& into) {
    text(name, into);
    // compat: fails later, with the SeldonDeployment, as in the reference
    if (profile_ == Profile::kDefault && !to_integer(into)) wrong(name, into, "an integer");
  }

  void wrong(std::string_view name, std::string_view value, std::string_view wanted) {
    if (error_.empty()) {
      error_ = fmt::format("environment variable {} is \"{}\"; it must be {}", name, value, wanted);
    }
  }
  const std::string& error() const { return error_; }

 private:
  const Lookup& lookup_;
  Profile profile_;
  std::string error_;
};

void read_engine(Reader& env, Settings& settings) {
  env.text("EXECUTOR_CONTAINER_IMAGE_AND_VERSION", settings.engine_image);
  if (auto related = env.get("RELATED_IMAGE_EXECUTOR"); related && !related->empty()) {
    settings.engine_image = std::move(*related);
  }
  env.text("EXECUTOR_CONTAINER_IMAGE_PULL_POLICY", settings.engine_image_pull_policy);
  const bool listens = env.port("EXECUTOR_SERVER_PORT", settings.engine_http_port);
  const bool listens_grpc = env.port("EXECUTOR_SERVER_GRPC_PORT", settings.engine_grpc_port);
  if (settings.fixes() && listens) settings.service_http_port = settings.engine_http_port;
  if (settings.fixes() && listens_grpc) settings.service_grpc_port = settings.engine_grpc_port;
  env.port("ENGINE_SERVER_PORT", settings.service_http_port);
  env.port("ENGINE_SERVER_GRPC_PORT", settings.service_grpc_port);
  env.text("EXECUTOR_SERVER_METRICS_PORT_NAME", settings.engine_metrics_port_name);
  env.text("EXECUTOR_PROMETHEUS_PATH", settings.prometheus_path);
  env.text_or_empty("EXECUTOR_CONTAINER_USER", settings.engine_user);
  if (settings.fixes() && !settings.engine_user.empty() && !to_integer(settings.engine_user)) {
    env.wrong("EXECUTOR_CONTAINER_USER", settings.engine_user, "a user id");
  }
  env.text("EXECUTOR_CONTAINER_SERVICE_ACCOUNT_NAME", settings.engine_service_account);
  env.text("EXECUTOR_DEFAULT_CPU_REQUEST", settings.engine_cpu_request);
  env.text("EXECUTOR_DEFAULT_CPU_LIMIT", settings.engine_cpu_limit);
  env.text("EXECUTOR_DEFAULT_MEMORY_REQUEST", settings.engine_memory_request);
  env.text("EXECUTOR_DEFAULT_MEMORY_LIMIT", settings.engine_memory_limit);
  env.text("EXECUTOR_REQUEST_LOGGER_DEFAULT_ENDPOINT", settings.logger_endpoint);
  env.integer_text("EXECUTOR_REQUEST_LOGGER_WORK_QUEUE_SIZE", settings.logger_queue_size);
  env.integer_text("EXECUTOR_REQUEST_LOGGER_WRITE_TIMEOUT_MS", settings.logger_write_timeout_ms);
  env.text("EXECUTOR_FULL_HEALTH_CHECKS", settings.full_health_checks);
}

void read_images(Reader& env, Settings& settings) {
  struct Related {
    const char* variable;
    const char* server;
    const char* protocol;
    bool works_in_reference;  // two are stored there under a key that nothing reads
  };
  for (const Related& related :
       {Related{"RELATED_IMAGE_SKLEARNSERVER", "SKLEARN_SERVER", "seldon", true},
        Related{"RELATED_IMAGE_SKLEARNSERVER_V2", "SKLEARN_SERVER", "v2", true},
        Related{"RELATED_IMAGE_XGBOOSTSERVER", "XGBOOST_SERVER", "seldon", true},
        Related{"RELATED_IMAGE_XGBOOSTSERVER_V2", "XGBOOST_SERVER", "v2", true},
        Related{"RELATED_IMAGE_MLFLOWSERVER", "MLFLOW_SERVER", "seldon", true},
        Related{"RELATED_IMAGE_MLFLOWSERVER_V2", "MLFLOW_SERVER", "v2", true},
        Related{"RELATED_IMAGE_TENSORFLOW", "TENSORFLOW_SERVER", "tensorflow", false},
        Related{"RELATED_IMAGE_TFPROXY", "TENSORFLOW_SERVER", "seldon", false}}) {
    auto image = env.get(related.variable);
    if (!image || image->empty() || !(related.works_in_reference || settings.fixes())) continue;
    settings.servers[related.server][related.protocol] = ServerImage{std::move(*image), ""};
  }
  const auto replace = [&](std::string_view variable, std::string& into) {
    if (auto image = env.get(variable); image && !image->empty()) into = std::move(*image);
  };
  replace("RELATED_IMAGE_STORAGE_INITIALIZER", settings.storage_initializer_image);
  replace("RELATED_IMAGE_EXPLAINER", settings.explainer_image);
  replace("RELATED_IMAGE_EXPLAINER_V2", settings.explainer_image_v2);
}

// Istio's ClientTLSSettings.TLSmode. The reference sends any other word as 0, which is DISABLE.
void read_tls_mode(Reader& env, Settings& settings, std::vector<std::string>* warnings) {
  env.text("ISTIO_TLS_MODE", settings.istio_tls_mode);
  std::string& mode = settings.istio_tls_mode;
  if (mode.empty() || mode == "DISABLE" || mode == "SIMPLE" || mode == "MUTUAL" ||
      mode == "ISTIO_MUTUAL") {
    return;
  }
  if (!settings.fixes()) {
    mode = "DISABLE";
  } else if (mode == "STRICT") {
    mode = "ISTIO_MUTUAL";
    if (warnings != nullptr) {
      warnings->push_back(
          "ISTIO_TLS_MODE=STRICT is a mode of a PeerAuthentication, not of a DestinationRule; "
          "taken as ISTIO_MUTUAL");
    }
  } else {
    env.wrong("ISTIO_TLS_MODE", mode, "DISABLE, SIMPLE, MUTUAL or ISTIO_MUTUAL");
  }
}

}  // namespace

PredictorServers default_servers() {
  return {
      {"SKLEARN_SERVER",
       {{"seldon", {"seldonio/sklearnserver", "1.18.2"}},
        {"v2", {"seldonio/mlserver", "1.3.5-sklearn"}}}},
      {"XGBOOST_SERVER",
       {{"seldon", {"seldonio/xgboostserver", "1.18.2"}},
        {"v2", {"seldonio/mlserver", "1.3.5-xgboost"}}}},
      {"MLFLOW_SERVER",
       {{"seldon", {"seldonio/mlflowserver", "1.18.2"}},
        {"v2", {"seldonio/mlserver", "1.3.5-mlflow"}}}},
      {"TENSORFLOW_SERVER",
       {{"seldon", {"seldonio/tfserving-proxy", "1.18.2"}},
        {"tensorflow", {"tensorflow/serving", "2.1.0"}}}},
      {"TRITON_SERVER", {{"v2", {"nvcr.io/nvidia/tritonserver", "21.08-py3"}}}},
      {"HUGGINGFACE_SERVER", {{"v2", {"seldonio/mlserver", "1.3.5-huggingface"}}}},
      {"TEMPO_SERVER", {{"v2", {"seldonio/mlserver", "1.3.5-slim"}}}},
  };
}

Settings default_settings(Profile profile) {
  Settings settings;
  settings.profile = profile;
  settings.servers = default_servers();
  return settings;
}

Result<Settings> settings_from(const Lookup& environment, Profile profile,
                               std::vector<std::string>* warnings, const Lookup& config) {
  Settings settings = default_settings(profile);
  if (config) SLUICE_CHECK(apply_config(config, settings));
  Reader env(environment, profile);
  env.flag("ISTIO_ENABLED", settings.istio_enabled);
  env.text("ISTIO_GATEWAY", settings.istio_gateway);
  std::string allowed_gateways;
  env.text("ISTIO_ALLOWED_GATEWAYS", allowed_gateways);
  for (const std::string_view item : split(allowed_gateways, ',')) {
    if (!trim(item).empty()) settings.istio_allowed_gateways.emplace_back(trim(item));
  }
  read_tls_mode(env, settings, warnings);
  env.flag("KEDA_ENABLED", settings.keda_enabled);
  bool ambassador = false;
  env.flag("AMBASSADOR_ENABLED", ambassador);
  if (ambassador && warnings != nullptr) {
    warnings->push_back("AMBASSADOR_ENABLED=true has no effect: Ambassador's objects are not made");
  }
  env.text("CONTROLLER_ID", settings.controller_id);
  env.port("PREDICTIVE_UNIT_HTTP_SERVICE_PORT", settings.unit_http_port);
  env.port("PREDICTIVE_UNIT_GRPC_SERVICE_PORT", settings.unit_grpc_port);
  env.port("PREDICTIVE_UNIT_METRICS_SERVICE_PORT", settings.unit_metrics_port);
  env.text("PREDICTIVE_UNIT_METRICS_PORT_NAME", settings.unit_metrics_port_name);
  env.text("PREDICTIVE_UNIT_DEFAULT_ENV_SECRET_REF_NAME", settings.default_env_secret);
  env.text_or_empty("DEFAULT_USER_ID", settings.default_user_id);
  env.text("DEFAULT_CERT_MOUNT_PATH_NAME", settings.cert_mount_path);
  std::string prefix;
  env.text("DEPLOYMENT_NAME_AS_PREFIX", prefix);
  settings.deployment_name_as_prefix = prefix == "true";
  read_engine(env, settings);
  read_images(env, settings);
  if (!env.error().empty()) return fail(Blame::kConfig, env.error());
  return settings;
}

std::string server_image(const Settings& settings, std::string_view key,
                         std::string_view protocol) {
  const auto server = settings.servers.find(key);
  if (server == settings.servers.end()) return {};
  if (protocol.empty()) protocol = "seldon";
  auto found = server->second.find(protocol);
  if (found == server->second.end() && protocol == "v2") found = server->second.find("kfserving");
  if (found == server->second.end() && protocol == "kfserving") found = server->second.find("v2");
  if (found == server->second.end()) return {};
  const ServerImage& image = found->second;
  return image.version.empty() ? image.image : image.image + ":" + image.version;
}

}  // namespace sluice::compile
