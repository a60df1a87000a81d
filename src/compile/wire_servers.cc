// Prepackaged servers, and the init container that fetches a model.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "compile/defaults.h"
#include "compile/json.h"
#include "compile/names.h"
#include "compile/pod.h"
#include "compile/wire_detail.h"

namespace sluice::compile {

using resource::List;
using resource::Map;
using resource::Parameter;
using resource::Unit;
using resource::Value;

namespace {

constexpr std::string_view kTritonProgram = "/opt/tritonserver/bin/tritonserver";
constexpr std::int64_t kTfServingGrpcPort = 2000;
constexpr std::int64_t kTfServingHttpPort = 2001;

std::int64_t http_port(const Unit& unit) { return unit.endpoint->http_port.value_or(0); }
std::int64_t grpc_port(const Unit& unit) { return unit.endpoint->grpc_port.value_or(0); }

bool is_v2(const Wire& wire) {
  return wire.deployment.protocol == "v2" || wire.deployment.protocol == "kfserving";
}

bool without_initializer(const Wire& wire) {
  const auto word = wire.deployment.annotations.find("seldon.io/no-storage-initializer");
  return word != wire.deployment.annotations.end() && equal_ignoring_case(word->second, "true");
}

std::string_view mlserver_implementation(std::string_view server) {
  if (server == "SKLEARN_SERVER") return "mlserver_sklearn.SKLearnModel";
  if (server == "XGBOOST_SERVER") return "mlserver_xgboost.XGBoostModel";
  if (server == "MLFLOW_SERVER") return "mlserver_mlflow.MLflowRuntime";
  if (server == "HUGGINGFACE_SERVER") return "mlserver_huggingface.HuggingFaceRuntime";
  if (server == "TEMPO_SERVER") return "tempo.mlserver.InferenceRuntime";
  return {};
}

// compat leaves exactly grpc and http; the default profile keeps what else is declared, the metrics
// port above all.
void replace_ports(const Wire& wire, const Unit& unit, Map& container) {
  List ports{container_port("grpc", grpc_port(unit)), container_port("http", http_port(unit))};
  if (wire.fixes()) {
    for (const Value& port : list_in(container, "ports")) {
      const std::string_view name = port.at("name").text();
      if (name != "grpc" && name != "http") ports.push_back(port);
    }
  }
  container.set("ports", std::move(ports));
}

// The probe asks `path` by HTTP; its times stay.
void probe_by_http(Map& container, std::string_view key, std::string_view path) {
  Map probe = container.find(key) == nullptr ? Map{} : container.find(key)->map();
  for (const std::string_view handler : {"tcpSocket", "exec", "grpc", "httpGet"})
    probe.erase(handler);
  probe.set("httpGet", Map{{"path", path}, {"port", "http"}, {"scheme", "HTTP"}});
  container.set(key, std::move(probe));
}

// 5.4 gives every container TCP probes; those may be bettered, the user's may not.
bool has_preset_probe(const Map& container, std::string_view key, const Unit& unit) {
  const Value* probe = container.find(key);
  if (probe == nullptr || !probe->at("tcpSocket").is_map()) return false;
  const std::int64_t port = probe->at("tcpSocket").at("port").integer();
  return port == http_port(unit) || port == grpc_port(unit);
}

void wire_mlserver(const Wire& wire, const Unit& unit, Map& container) {
  const std::string image = server_image(wire.settings, *unit.implementation, "kfserving");
  if (image.empty()) {
    if (!wire.fixes() || container.find("image") == nullptr) {
      wire.report.error(unit.origin.field + ".implementation", "server-protocol",
                        fmt::format("{} has no image for the protocol v2", *unit.implementation));
      return;
    }
  } else {
    set_if_empty(container, "image", image);
  }
  Map templated;
  set_env(templated, "MLSERVER_HTTP_PORT", fmt::format("{}", http_port(unit)));
  set_env(templated, "MLSERVER_GRPC_PORT", fmt::format("{}", grpc_port(unit)));
  set_env(templated, "MLSERVER_MODEL_IMPLEMENTATION",
          mlserver_implementation(*unit.implementation));
  set_env(templated, "MLSERVER_MODEL_NAME", unit.name);
  set_env(templated, "MLSERVER_MODEL_VERSION", "v1");
  set_env(templated, "MLSERVER_MODEL_URI", kModelsPath);
  set_env(templated, "TEMPO_RUNTIME_OPTIONS",
          fmt::format(
              "{{\"k8s_options\": {{\"defaultRuntime\": \"tempo.seldon.SeldonKubernetesRuntime\", "
              "\"namespace\": \"{}\"}}}}",
              wire.deployment.namespace_));
  if (*unit.implementation == "HUGGINGFACE_SERVER") {
    set_env(templated, "MLSERVER_PARALLEL_WORKERS", "0");
    set_env(templated, "XDG_CACHE_HOME", "/opt/mlserver");
  }
  List& env = list_in(templated, "env");
  for (const Value& variable : list_in(container, "env")) {
    Map* same = find_named(env, variable.at("name").text());
    if (same == nullptr) {
      env.push_back(variable);
    } else {
      *same = variable.map();
    }
  }
  container.set("env", std::move(env));
  if (!wire.fixes() || has_preset_probe(container, "readinessProbe", unit)) {
    probe_by_http(container, "readinessProbe", "/v2/health/ready");
  }
  if (!wire.fixes() || has_preset_probe(container, "livenessProbe", unit)) {
    probe_by_http(container, "livenessProbe", "/v2/health/live");
  }
  replace_ports(wire, unit, container);
}

void wire_seldon_server(const Unit& unit, Map& container) {
  std::vector<Parameter> parameters = unit.parameters;
  parameters.push_back({"model_uri", std::string(kModelsPath), "STRING"});
  set_env(container, "PREDICTIVE_UNIT_PARAMETERS", parameters_json(parameters));
}

void wire_triton(const Wire& wire, const Unit& unit, Map& container) {
  const std::string image =
      server_image(wire.settings, *unit.implementation, wire.deployment.protocol);
  if (!image.empty()) set_if_empty(container, "image", image);
  const bool reads_itself = without_initializer(wire);
  if (list_in(container, "args").empty()) {
    List arguments{kTritonProgram, fmt::format("--grpc-port={}", grpc_port(unit)),
                   fmt::format("--http-port={}", http_port(unit))};
    if (reads_itself) {
      arguments.emplace_back("--model-repository=" + unit.model_uri);
      for (const Parameter& parameter : unit.parameters) {
        for (const auto& [name, flag] :
             {std::pair{"model_control_mode", "--model-control-mode="},
              std::pair{"load_model", "--load-model="},
              std::pair{"strict_model_config", "--strict-model-config="}}) {
          if (equal_ignoring_case(parameter.name, name))
            arguments.emplace_back(flag + parameter.value);
        }
      }
    } else {
      arguments.emplace_back(fmt::format("--model-repository={}", kModelsPath));
      arguments.emplace_back("--strict-model-config=false");
    }
    container.set("args", std::move(arguments));
  }
  const std::string& secret = unit.env_secret_ref_name.empty() ? wire.settings.default_env_secret
                                                               : unit.env_secret_ref_name;
  if (reads_itself && !secret.empty() && list_in(container, "envFrom").empty()) {
    list_in(container, "envFrom").emplace_back(Map{{"secretRef", Map{{"name", secret}}}});
  }
  replace_ports(wire, unit, container);
  if (!wire.fixes()) return;
  if (has_preset_probe(container, "readinessProbe", unit))
    probe_by_http(container, "readinessProbe", "/v2/health/ready");
  if (has_preset_probe(container, "livenessProbe", unit))
    probe_by_http(container, "livenessProbe", "/v2/health/live");
}

List tensorflow_arguments(const Unit& unit, std::int64_t grpc, std::int64_t http) {
  return {fmt::format("--port={}", grpc), fmt::format("--rest_api_port={}", http),
          fmt::format("--model_name={}", unit.name),
          fmt::format("--model_base_path={}", kModelsPath)};
}

// Answers which container reads the model.
Map* wire_tensorflow(const Wire& wire, const Unit& unit, Draft& draft, Map& container) {
  const std::string served = server_image(wire.settings, *unit.implementation, "tensorflow");
  if (wire.deployment.protocol == "tensorflow") {
    set_if_empty(container, "image", served);
    if (list_in(container, "args").empty()) {
      container.set("args", tensorflow_arguments(unit, grpc_port(unit), http_port(unit)));
    }
    return &container;
  }
  const std::string proxy =
      server_image(wire.settings, *unit.implementation, wire.deployment.protocol);
  const Value* own_image = container.find("image");
  if (!wire.fixes() || own_image == nullptr || own_image->text().empty())
    container.set("image", proxy);
  std::vector<Parameter> parameters = unit.parameters;
  const auto given = [&](std::string_view name) {
    return std::any_of(parameters.begin(), parameters.end(),
                       [&](const Parameter& parameter) { return parameter.name == name; });
  };
  if (!given("rest_endpoint") && !given("grpc_endpoint")) {
    parameters.push_back(
        {"rest_endpoint", fmt::format("http://0.0.0.0:{}", kTfServingHttpPort), "STRING"});
    parameters.push_back(
        {"grpc_endpoint", fmt::format("0.0.0.0:{}", kTfServingGrpcPort), "STRING"});
  }
  parameters.push_back({"model_name", unit.name, "STRING"});
  set_env(container, "PREDICTIVE_UNIT_PARAMETERS", parameters_json(parameters));
  for (Map* present : containers_of(draft)) {
    if (present->find("name")->text() == kTensorflowContainer) return present;
  }
  Map serving{{"name", kTensorflowContainer},
              {"image", served},
              {"args", tensorflow_arguments(unit, kTfServingGrpcPort, kTfServingHttpPort)},
              {"ports", List{container_port("", kTfServingGrpcPort),
                             container_port("", kTfServingHttpPort)}},
              {"imagePullPolicy", "IfNotPresent"},
              {"terminationMessagePath", "/dev/termination-log"},
              {"terminationMessagePolicy", "File"}};
  draft.containers.emplace_back(std::move(serving));
  return draft.containers.back().as_map();
}

void wire_server(Wire& wire, const Unit& unit, Draft& draft, Map& container) {
  if (!unit.service_account_name.empty())
    draft.pod.set("serviceAccountName", unit.service_account_name);
  const std::string& server = *unit.implementation;
  if (wire.local()) return wire_local_server(wire, container, unit);
  if (wire.settings.servers.find(server) == wire.settings.servers.end()) {
    wire.report.error(unit.origin.field + ".implementation", "server-unknown",
                      fmt::format("no server is called {}", server),
                      "an image of one's own does not make a server: leave implementation out");
    return;
  }
  Map* reader = &container;
  bool fetches = true;
  if (server == "TRITON_SERVER") {
    wire_triton(wire, unit, container);
    fetches = !without_initializer(wire);
  } else if (server == "TENSORFLOW_SERVER") {
    reader = wire_tensorflow(wire, unit, draft, container);
  } else if (is_v2(wire)) {
    wire_mlserver(wire, unit, container);
  } else {
    const std::string image = server_image(wire.settings, server, wire.deployment.protocol);
    if (!image.empty()) set_if_empty(container, "image", image);
    wire_seldon_server(unit, container);
  }
  if (!fetches || unit.model_uri.empty() || wire.report.failed()) return;
  add_storage_initializer(wire, draft, *reader,
                          {unit.model_uri, unit.service_account_name, unit.env_secret_ref_name,
                           unit.storage_initializer_image});
}

// pvc://claim/path: the claim is mounted, and the path below it becomes the source.
std::string mount_claim(const Wire& wire, Draft& draft, Map& container, Map& fetcher,
                        std::string_view uri) {
  uri.remove_prefix(std::string_view("pvc://").size());
  const std::string_view claim = uri.substr(0, uri.find('/'));
  const std::string_view path =
      claim.size() < uri.size() ? uri.substr(claim.size() + 1) : std::string_view();
  std::string volume = "kfserving-pvc-source";
  List& volumes = list_in(draft.pod, "volumes");
  // Two claims in one pod need two names; the first keeps the reference's.
  if (const Map* present = find_named(volumes, volume); present != nullptr && wire.fixes()) {
    const Value* source = present->find("persistentVolumeClaim");
    if (source == nullptr || source->at("claimName").text() != claim)
      volume = cut_name(fmt::format("{}-{}", volume, claim));
  }
  if (!wire.fixes() || find_named(volumes, volume) == nullptr) {
    volumes.emplace_back(
        Map{{"name", volume}, {"persistentVolumeClaim", Map{{"claimName", claim}}}});
  }
  mount(fetcher, volume, "/mnt/pvc", true);
  mount(container, volume, "/mnt/pvc", true);
  return fmt::format("/mnt/pvc/{}", path);
}

}  // namespace

void add_storage_initializer(const Wire& wire, Draft& draft, Map& container,
                             const ModelSource& source) {
  const Settings& settings = wire.settings;
  const std::string_view user = container.find("name")->text();
  const std::string volume = cut_name(fmt::format("{}-provision-location", user));
  const std::string name = cut_name(fmt::format("{}-model-initializer", user));
  List& initializers = list_in(draft.pod, "initContainers");
  if (find_named(initializers, name) != nullptr) {  // the user brings one
    mount(container, volume, kModelsPath, true);
    return;
  }
  const std::string_view image =
      source.image.empty() ? std::string_view(settings.storage_initializer_image) : source.image;
  Map fetcher{{"name", name}, {"image", image}};
  std::string uri(source.uri);
  if (uri.starts_with("pvc://")) uri = mount_claim(wire, draft, container, fetcher, source.uri);
  fetcher.set("args", List{Value(std::move(uri)), Value(kModelsPath)});
  fetcher.set("resources",
              Map{{"requests", Map{{"cpu", settings.storage_initializer_cpu_request},
                                   {"memory", settings.storage_initializer_memory_request}}},
                  {"limits", Map{{"cpu", settings.storage_initializer_cpu_limit},
                                 {"memory", settings.storage_initializer_memory_limit}}}});
  fetcher.set("imagePullPolicy", "IfNotPresent");
  fetcher.set("terminationMessagePath", "/dev/termination-log");
  fetcher.set("terminationMessagePolicy", "File");
  mount(fetcher, volume, kModelsPath, false);
  const std::string_view secret =
      source.env_secret.empty() ? std::string_view(settings.default_env_secret) : source.env_secret;
  if (!secret.empty())
    fetcher.set("envFrom", List{Value(Map{{"secretRef", Map{{"name", secret}}}})});
  List& volumes = list_in(draft.pod, "volumes");
  if (find_named(volumes, volume) == nullptr)
    volumes.emplace_back(Map{{"name", volume}, {"emptyDir", Map{}}});
  mount(container, volume, kModelsPath, true);
  initializers.emplace_back(std::move(fetcher));
}

void wire_servers(Wire& wire, PredictorWire& at, Unit& unit) {
  Draft* draft = draft_of(at, unit.name);
  const FoundContainer found = find_container(at.predictor, unit.name);
  if (draft != nullptr && found.container != nullptr) {
    if (is_prepackaged(unit)) {
      wire_server(wire, unit, *draft, *found.container);
    } else if (!unit.model_uri.empty() && !wire.local()) {
      add_storage_initializer(wire, *draft, *found.container,
                              {unit.model_uri, unit.service_account_name, unit.env_secret_ref_name,
                               unit.storage_initializer_image});
    }
  }
  for (Unit& child : unit.children) wire_servers(wire, at, child);
}

}  // namespace sluice::compile
