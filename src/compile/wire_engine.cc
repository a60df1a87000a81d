// The orchestrator (executor) container: beside the model, or in a Deployment of its own;
// certificates for it.
#include <fmt/format.h>

#include <utility>

#include "compile/defaults.h"
#include "compile/json.h"
#include "compile/names.h"
#include "compile/pod.h"
#include "compile/wire_detail.h"

namespace sluice::compile {

using resource::ComponentSpec;
using resource::List;
using resource::Map;
using resource::Parameter;
using resource::Predictor;
using resource::Unit;
using resource::Value;

namespace {

void set_text(Map& map, std::string_view key, const std::string& text) {
  if (!text.empty()) map.set(key, text);
}

Value endpoint_value(const resource::UnitEndpoint& endpoint) {
  Map map;
  set_text(map, "service_host", endpoint.service_host);
  if (endpoint.service_port.value_or(0) != 0) map.set("service_port", *endpoint.service_port);
  set_text(map, "type", endpoint.type);
  if (endpoint.http_port.value_or(0) != 0) map.set("httpPort", *endpoint.http_port);
  if (endpoint.grpc_port.value_or(0) != 0) map.set("grpcPort", *endpoint.grpc_port);
  return map;
}

Value unit_value(const Unit& unit) {
  Map map{{"name", unit.name}};
  if (!unit.children.empty()) {
    List children;
    for (const Unit& child : unit.children) children.push_back(unit_value(child));
    map.set("children", std::move(children));
  }
  if (unit.type) map.set("type", *unit.type);
  if (unit.implementation) map.set("implementation", *unit.implementation);
  if (unit.methods) {
    List methods;
    for (const std::string& method : *unit.methods) methods.emplace_back(method);
    map.set("methods", std::move(methods));
  }
  if (unit.endpoint) map.set("endpoint", endpoint_value(*unit.endpoint));
  if (!unit.parameters.empty()) {
    List parameters;
    for (const Parameter& parameter : unit.parameters) {
      parameters.emplace_back(
          Map{{"name", parameter.name}, {"value", parameter.value}, {"type", parameter.type}});
    }
    map.set("parameters", std::move(parameters));
  }
  set_text(map, "modelUri", unit.model_uri);
  set_text(map, "serviceAccountName", unit.service_account_name);
  set_text(map, "envSecretRefName", unit.env_secret_ref_name);
  set_text(map, "storageInitializerImage", unit.storage_initializer_image);
  if (unit.logger) {
    Map logger;
    set_text(logger, "url", unit.logger->url);
    logger.set("mode", unit.logger->mode);
    map.set("logger", std::move(logger));
  }
  return map;
}

// What the orchestrator reads, and nothing else: with the whole predictor in it, an edit of one
// component restarts the pods of another.
Value minimal_predictor(const Predictor& predictor) {
  List components;
  for (const ComponentSpec& component : predictor.components) {
    List containers;
    for (const Value& container : component.containers()) {
      containers.emplace_back(
          Map{{"name", container.at("name")}, {"image", container.at("image")}});
    }
    components.emplace_back(Map{{"spec", Map{{"containers", std::move(containers)}}}});
  }
  Map map{{"name", predictor.name}, {"graph", unit_value(predictor.graph)}};
  map.set("componentSpecs", std::move(components));
  map.set("labels", to_value(predictor.labels));
  if (!predictor.annotations.empty()) map.set("annotations", to_value(predictor.annotations));
  return map;
}

// As Go prints a container: its resources are there, empty or not.
Value pod_value(const Value& pod) {
  Value made = pod;
  Map* map = made.as_map();
  Value* containers = map == nullptr ? nullptr : map->find("containers");
  if (containers == nullptr || !containers->is_list()) return made;
  for (Value& container : *containers->as_list()) {
    if (container.is_map() && container.at("resources").is_null())
      container.as_map()->set("resources", Map{});
  }
  return made;
}

Value component_value(const ComponentSpec& component) {
  Map metadata{{"creationTimestamp", nullptr}};
  set_text(metadata, "name", component.name);
  if (!component.labels.empty()) metadata.set("labels", to_value(component.labels));
  if (!component.annotations.empty()) metadata.set("annotations", to_value(component.annotations));
  Map map{{"metadata", std::move(metadata)}, {"spec", pod_value(component.pod)}};
  if (component.hpa) {
    Map hpa;
    if (component.hpa->min_replicas) hpa.set("minReplicas", *component.hpa->min_replicas);
    hpa.set("maxReplicas", component.hpa->max_replicas);
    if (!component.hpa->metrics.is_null()) hpa.set("metrics", component.hpa->metrics);
    if (!component.hpa->metrics_v2.is_null()) hpa.set("metricsv2", component.hpa->metrics_v2);
    map.set("hpaSpec", std::move(hpa));
  }
  if (!component.keda.is_null()) map.set("kedaSpec", component.keda);
  if (component.pdb) {
    Map pdb;
    if (!component.pdb->min_available.is_null())
      pdb.set("minAvailable", component.pdb->min_available);
    if (!component.pdb->max_unavailable.is_null())
      pdb.set("maxUnavailable", component.pdb->max_unavailable);
    map.set("pdbSpec", std::move(pdb));
  }
  if (component.replicas) map.set("replicas", *component.replicas);
  return map;
}

// The reference hands over the predictor as it stands, less traffic, replicas and explainer.
Value whole_predictor(const Predictor& predictor) {
  Map map{{"name", predictor.name}, {"graph", unit_value(predictor.graph)}};
  if (!predictor.components.empty()) {
    List components;
    for (const ComponentSpec& component : predictor.components)
      components.push_back(component_value(component));
    map.set("componentSpecs", std::move(components));
  }
  map.set("replicas", 0);
  if (!predictor.annotations.empty()) map.set("annotations", to_value(predictor.annotations));
  map.set("engineResources",
          predictor.engine_resources.is_map() ? predictor.engine_resources : Value(Map{}));
  map.set("labels", to_value(predictor.labels));
  Map orchestrator;
  if (!predictor.orchestrator_resources.is_null())
    orchestrator.set("resources", predictor.orchestrator_resources);
  if (!predictor.orchestrator_env.empty()) orchestrator.set("env", predictor.orchestrator_env);
  if (predictor.orchestrator_replicas)
    orchestrator.set("replicas", *predictor.orchestrator_replicas);
  map.set("svcOrchSpec", std::move(orchestrator));
  if (predictor.shadow) map.set("shadow", true);
  if (!predictor.cert_secret_name.empty())
    map.set("ssl", Map{{"certSecretName", predictor.cert_secret_name}});
  if (predictor.progress_deadline_seconds) {
    map.set("progressDeadlineSeconds", *predictor.progress_deadline_seconds);
  }
  return map;
}

Value http_probe(std::string_view path, std::int64_t port, bool https) {
  return Map{{"httpGet", Map{{"path", path}, {"port", port}, {"scheme", https ? "HTTPS" : "HTTP"}}},
             {"initialDelaySeconds", 20},
             {"timeoutSeconds", 60},
             {"periodSeconds", 5},
             {"successThreshold", 1},
             {"failureThreshold", 3}};
}

// A number from an annotation, else from the manager's settings, as text.
std::string logger_number(const Wire& wire, std::string_view annotation,
                          const std::string& preset) {
  const std::string* own = find_annotation(wire.deployment, annotation, wire.settings);
  const std::string& text = own == nullptr ? preset : *own;
  if (const auto number = parse_integer(text)) return fmt::format("{}", *number);
  if (own != nullptr && wire.fixes()) return preset;  // check_annotations has reported it
  wire.report.error(own == nullptr ? std::string("spec")
                                   : annotation_field(wire.deployment, annotation, wire.settings),
                    "annotation-value",
                    fmt::format("\"{}\" is no integer: the orchestrator's logger needs one", text));
  return text;
}

List engine_arguments(const Wire& wire, const Predictor& predictor) {
  const Settings& settings = wire.settings;
  const auto or_else = [](const std::string& text, std::string_view other) {
    return text.empty() ? std::string(other) : text;
  };
  List arguments{
      "--sdep",
      wire.deployment.name,
      "--namespace",
      wire.deployment.namespace_,
      "--predictor",
      predictor.name,
      "--http_port",
      fmt::format("{}", settings.engine_http_port),
      "--grpc_port",
      fmt::format("{}", settings.engine_grpc_port),
      "--protocol",
      or_else(wire.deployment.protocol, "seldon"),
      "--transport",
      or_else(wire.deployment.transport, "rest"),
      "--prometheus_path",
      settings.prometheus_path,
      "--server_type",
      or_else(wire.deployment.server_type, "rpc"),
      "--log_work_buffer_size",
      logger_number(wire, "seldon.io/executor-logger-queue-size", settings.logger_queue_size),
      "--log_write_timeout_ms",
      logger_number(wire, "seldon.io/executor-logger-write-timeout-ms",
                    settings.logger_write_timeout_ms),
      fmt::format("--full_health_checks={}", settings.full_health_checks)};
  // As long as the models beside it sleep before they stop; without it, connections break in every
  // rolling update.
  if (wire.fixes()) {
    arguments.emplace_back("--shutdown_delay");
    arguments.emplace_back("10s");
  }
  return arguments;
}

List engine_environment(const Wire& wire, const Predictor& predictor) {
  const Value told = wire.fixes() ? minimal_predictor(predictor) : whole_predictor(predictor);
  List env{env_var("ENGINE_PREDICTOR", base64(json(told))),
           env_var("REQUEST_LOGGER_DEFAULT_ENDPOINT", wire.settings.logger_endpoint)};
  for (const Value& variable : predictor.orchestrator_env) env.push_back(variable);
  constexpr std::string_view kPrefix = "seldon.io/engine-";
  for (const auto& [key, value] : wire.deployment.annotations) {
    if (!key.starts_with(kPrefix) || key == "seldon.io/engine-separate-pod") continue;
    std::string name;
    for (const char c : std::string_view(key).substr(kPrefix.size())) {
      if (c == '-') {
        name += '_';
      } else {
        name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      }
    }
    if (find_named(Value(predictor.orchestrator_env), name) == nullptr)
      env.push_back(env_var(name, value));
  }
  return env;
}

Map engine_container(const Wire& wire, const Predictor& predictor) {
  const Settings& settings = wire.settings;
  if (settings.engine_image.empty()) {
    wire.report.error("spec", "engine-image-missing", "no image is set for the orchestrator",
                      "set EXECUTOR_CONTAINER_IMAGE_AND_VERSION");
  }
  const bool https = !predictor.cert_secret_name.empty();
  Map container{{"name", kEngineContainer}, {"image", settings.engine_image}};
  container.set("args", engine_arguments(wire, predictor));
  container.set("env", engine_environment(wire, predictor));
  List ports{container_port("http", settings.engine_http_port)};
  // The reference names the HTTP port twice; server-side apply refuses two entries of one number.
  if (!settings.fixes()) {
    ports.push_back(container_port(settings.engine_metrics_port_name, settings.engine_http_port));
  }
  ports.push_back(container_port("grpc", settings.engine_grpc_port));
  container.set("ports", std::move(ports));
  container.set("readinessProbe", http_probe("/ready", settings.engine_http_port, https));
  container.set("livenessProbe", http_probe("/live", settings.engine_http_port, https));
  if (!predictor.orchestrator_resources.is_null()) {
    container.set("resources", predictor.orchestrator_resources);
  } else {
    container.set("resources", Map{{"requests", Map{{"cpu", settings.engine_cpu_request},
                                                    {"memory", settings.engine_memory_request}}},
                                   {"limits", Map{{"cpu", settings.engine_cpu_limit},
                                                  {"memory", settings.engine_memory_limit}}}});
  }
  if (!settings.engine_user.empty()) {
    const auto user = parse_integer(settings.engine_user);
    if (!user) {
      wire.report.error("spec", "engine-user-invalid",
                        fmt::format("EXECUTOR_CONTAINER_USER is \"{}\": it must be a user id",
                                    settings.engine_user));
    }
    container.set("securityContext",
                  Map{{"runAsUser", user.value_or(0)}, {"allowPrivilegeEscalation", false}});
  }
  container.set("imagePullPolicy", settings.engine_image_pull_policy);
  container.set("terminationMessagePath", "/dev/termination-log");
  container.set("terminationMessagePolicy", "File");
  mount(container, "seldon-podinfo", "/etc/podinfo", false);
  return container;
}

// The unit whose pod takes the orchestrator in: the first that it would reach as localhost.
const Unit* first_local_unit(const Unit& unit) {
  if (unit.endpoint && unit.endpoint->service_host == "localhost") return &unit;
  for (const Unit& child : unit.children) {
    if (const Unit* found = first_local_unit(child); found != nullptr) return found;
  }
  return nullptr;
}

void add_certificates(const Wire& wire, const std::string& secret, Draft& draft) {
  constexpr std::string_view kVolume = "seldon-cert-volume";
  List& volumes = list_in(draft.pod, "volumes");
  if (find_named(volumes, kVolume) == nullptr) {
    volumes.emplace_back(Map{{"name", kVolume}, {"secret", Map{{"secretName", secret}}}});
  }
  bool stopped = false;  // the reference stops at the first container that has the variable
  for (Map* container : containers_of(draft)) {
    mount(*container, kVolume, wire.settings.cert_mount_path, true);
    stopped = stopped || (has_env(*container, "SELDON_CERT_MOUNT_PATH") && !wire.fixes());
    if (!stopped) add_env_once(*container, "SELDON_CERT_MOUNT_PATH", wire.settings.cert_mount_path);
  }
}

}  // namespace

Draft make_engine_draft(Wire& wire, const Predictor& predictor, std::string_view service) {
  Draft draft = make_draft(wire, predictor, nullptr,
                           engine_deployment_name(wire.deployment.name, predictor.name));
  const std::string service_name(service);
  // The reference puts the Service's name where every other Deployment has the SeldonDeployment's:
  // it stays in the selector, which cannot change, and is corrected in the labels.
  draft.labels = {
      {"seldon-app", service_name}, {"seldon-deployment-id", service_name}, {"app", draft.name}};
  merge(draft.labels, predictor.labels);
  draft.deployment_labels = {{"seldon-deployment-contains-svcorch", "true"}, {"fluentd", "true"}};
  draft.selector = {{"seldon-app", service_name}, {"seldon-deployment-id", service_name}};
  draft.annotations.clear();
  merge_annotations(wire, draft.annotations, wire.deployment.annotations);
  draft.template_annotations = {{"prometheus.io/path", wire.settings.prometheus_path},
                                {"prometheus.io/scrape", "true"}};
  if (wire.fixes()) {
    draft.deployment_labels.insert_or_assign("seldon-deployment-id", wire.id);
    draft.deployment_labels.insert_or_assign("app.kubernetes.io/managed-by", "seldon-core");
    merge_annotations(wire, draft.annotations, predictor.annotations);
    merge(draft.template_annotations, draft.annotations);
  }
  draft.pod.set("serviceAccountName", wire.settings.engine_service_account);
  draft.progress_deadline_seconds.reset();
  if (predictor.orchestrator_replicas) draft.replicas = predictor.orchestrator_replicas;
  draft.containers.emplace_back(engine_container(wire, predictor));
  return draft;
}

void inject_engine(Wire& wire, PredictorWire& at) {
  const Unit* unit = first_local_unit(at.predictor.graph);
  Draft* draft = unit == nullptr ? nullptr : draft_of(at, unit->name);
  if (draft == nullptr) {
    wire.report.error(at.predictor.origin.field + ".componentSpecs", "engine-place-missing",
                      "there is no pod for the orchestrator: no container of the first "
                      "componentSpec is a unit of the graph",
                      "put a unit's container there, or set seldon.io/engine-separate-pod");
    return;
  }
  for (const Map* container : containers_of(*draft)) {
    if (container->find("name")->text() == kEngineContainer) return;  // the user brings one
  }
  draft->labels.insert_or_assign("seldon-app", at.service);
  draft->selector.insert_or_assign("seldon-app", at.service);
  draft->deployment_labels.insert_or_assign("seldon-deployment-contains-svcorch", "true");
  merge_annotations(wire, draft->annotations, at.predictor.annotations);
  merge_annotations(wire, draft->template_annotations, at.predictor.annotations);
  draft->containers.emplace_back(engine_container(wire, at.predictor));
}

void mount_certificates(Wire& wire, PredictorWire& at, Draft* engine) {
  Draft* root = draft_of(at, at.predictor.graph.name);
  if (root == nullptr && !wire.fixes()) {
    wire.report.error(at.predictor.origin.field + ".ssl", "ssl-root",
                      "ssl needs a root unit with a container", "the reference crashes on this");
    return;
  }
  if (root == nullptr && engine == nullptr) root = draft_of(at, kEngineContainer);
  if (root != nullptr) add_certificates(wire, at.predictor.cert_secret_name, *root);
  if (engine != nullptr) add_certificates(wire, at.predictor.cert_secret_name, *engine);
}

}  // namespace sluice::compile
