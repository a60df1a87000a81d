// What the manager of SeldonDeployments is configured with: the operator's environment variables
// and the `seldon-config` map, with the values of the reference's chart (1.18.2) where nothing else
// is said and Istio enabled. Plain value; read once, passed to every function of this room.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::compile {

enum class Profile : std::uint8_t {
  kCompat,  // what Seldon Core 1.18.2 makes, defects included
  kDefault  // with the corrections of docs/reference/deviations.md
};

struct ServerImage {
  std::string image;
  std::string version;  // empty: `image` holds it
};

// Key of `predictor_servers` -> protocol ("seldon", "v2", "kfserving", "tensorflow") -> image.
using PredictorServers =
    std::map<std::string, std::map<std::string, ServerImage, std::less<>>, std::less<>>;

struct Settings {
  Profile profile = Profile::kDefault;
  // One machine (`sluice serve`): no orchestrator, the gateway talks to the model; built-in model
  // server; what a single machine cannot apply is reported.
  bool local = false;

  bool istio_enabled = true;                                  // ISTIO_ENABLED
  std::string istio_gateway = "istio-system/seldon-gateway";  // ISTIO_GATEWAY
  // ISTIO_ALLOWED_GATEWAYS, separated by commas: what seldon.io/istio-gateway may name besides
  // istio_gateway and the gateways of its own namespace. "*" for the name: all of a namespace.
  // Empty: whatever it says. In both profiles.
  std::vector<std::string> istio_allowed_gateways;
  std::string istio_tls_mode;  // ISTIO_TLS_MODE, as given
  bool keda_enabled = false;   // KEDA_ENABLED
  std::string controller_id;   // CONTROLLER_ID
  // The API server knows preStop's `sleep` (Kubernetes 1.30): the operator asks it.
  bool sleep_action = true;

  std::int64_t unit_http_port = 9000;     // PREDICTIVE_UNIT_HTTP_SERVICE_PORT
  std::int64_t unit_grpc_port = 9500;     // PREDICTIVE_UNIT_GRPC_SERVICE_PORT
  std::int64_t unit_metrics_port = 6000;  // PREDICTIVE_UNIT_METRICS_SERVICE_PORT
  std::string unit_metrics_port_name = "metrics";
  std::string default_env_secret;  // PREDICTIVE_UNIT_DEFAULT_ENV_SECRET_REF_NAME

  std::string engine_image = "docker.io/seldonio/seldon-core-executor:1.18.2";
  std::string engine_image_pull_policy = "IfNotPresent";
  std::int64_t engine_http_port = 8000;   // EXECUTOR_SERVER_PORT: where the orchestrator listens
  std::int64_t engine_grpc_port = 5001;   // EXECUTOR_SERVER_GRPC_PORT
  std::int64_t service_http_port = 8000;  // ENGINE_SERVER_PORT: the predictor Service's
  std::int64_t service_grpc_port = 5001;  // ENGINE_SERVER_GRPC_PORT
  std::string engine_metrics_port_name = "metrics";
  std::string prometheus_path = "/prometheus";
  std::string engine_user = "8888";  // EXECUTOR_CONTAINER_USER, as given; empty: none
  std::string engine_service_account = "default";
  std::string engine_cpu_request = "500m";
  std::string engine_cpu_limit = "500m";
  std::string engine_memory_request = "512Mi";
  std::string engine_memory_limit = "512Mi";
  std::string logger_endpoint = "http://default-broker";
  std::string logger_queue_size = "10000";
  std::string logger_write_timeout_ms = "2000";
  std::string full_health_checks = "false";

  std::string default_user_id = "8888";  // DEFAULT_USER_ID; not a number: ignored
  std::string cert_mount_path = "/cert/";
  bool deployment_name_as_prefix = false;

  std::string storage_initializer_image = "seldonio/rclone-storage-initializer:1.18.2";
  std::string storage_initializer_cpu_request = "100m";
  std::string storage_initializer_cpu_limit = "1";
  std::string storage_initializer_memory_request = "100Mi";
  std::string storage_initializer_memory_limit = "1Gi";
  std::string explainer_image = "seldonio/alibiexplainer:1.18.2";
  std::string explainer_image_v2 = "seldonio/mlserver:1.3.5-alibi-explain";
  PredictorServers servers;  // the chart's seven, see default_servers()

  bool fixes() const noexcept { return profile == Profile::kDefault; }
};

PredictorServers default_servers();
Settings default_settings(Profile profile = Profile::kDefault);

// The value of an environment variable, or nothing when it is not set. Lets this room stay free of
// getenv.
using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

// default_settings changed by the variables that are set. In the default profile a variable that is
// set but empty counts as not set; in compat it counts as its empty value, as in the reference.
// Fails (Blame::kConfig) in the default profile on a value that cannot be understood; compat falls
// back where the reference does. A TLS mode STRICT is taken as ISTIO_MUTUAL in the default profile;
// `warnings` says so. `config` (see apply_config) counts less than the environment.
Result<Settings> settings_from(const Lookup& environment, Profile profile,
                               std::vector<std::string>* warnings = nullptr,
                               const Lookup& config = {});

// Takes the keys of the ConfigMap `seldon-config` that are there: predictor_servers replaces the
// whole table, storageInitializer and explainer what they name. `credentials` is not read yet.
// Fails (Blame::kConfig), naming the key, on text that is no such JSON.
Result<void> apply_config(const Lookup& config, Settings& settings);

// "image:version" for a server key under a protocol ("" counts as seldon); v2 and kfserving stand
// in for each other. Empty: the key or the protocol is not known.
std::string server_image(const Settings& settings, std::string_view key, std::string_view protocol);

}  // namespace sluice::compile
