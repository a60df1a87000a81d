// Deployments and what the manager does to the containers in them.
#include <fmt/format.h>

#include <algorithm>
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
using resource::Predictor;
using resource::TextMap;
using resource::Unit;
using resource::Value;

namespace {

// Kubernetes' words for "what the API server would fill in"; written out so that a later default
// cannot change pods.
void complete_pod(const Wire& wire, Map& pod) {
  const Value* grace = pod.find("terminationGracePeriodSeconds");
  if (grace == nullptr || grace->is_null()) pod.set("terminationGracePeriodSeconds", 20);
  if (wire.local()) return;
  set_if_empty(pod, "restartPolicy", "Always");
  set_if_empty(pod, "dnsPolicy", "ClusterFirst");
  set_if_empty(pod, "schedulerName", "default-scheduler");
  const Value* security = pod.find("securityContext");
  const auto user = parse_integer(wire.settings.default_user_id);
  if ((security == nullptr || security->is_null()) && user) {
    pod.set("securityContext", Map{{"runAsUser", *user}});
  }
  List& volumes = list_in(pod, "volumes");
  if (find_named(volumes, "seldon-podinfo") != nullptr) return;
  Map item{{"path", "annotations"},
           {"fieldRef", Map{{"apiVersion", "v1"}, {"fieldPath", "metadata.annotations"}}}};
  volumes.emplace_back(
      Map{{"name", "seldon-podinfo"},
          {"downwardAPI", Map{{"items", List{Value(std::move(item))}}, {"defaultMode", 420}}}});
}

std::optional<std::int64_t> replicas_of(const Wire& wire, const Predictor& predictor,
                                        const ComponentSpec* component) {
  const bool autoscaled = component != nullptr && (component->hpa || !component->keda.is_null());
  if (autoscaled && !wire.local()) return std::nullopt;
  if (component != nullptr && component->replicas) return component->replicas;
  return predictor.replicas ? predictor.replicas : wire.deployment.replicas;
}

Value tcp_probe(std::int64_t port, std::int64_t initial_delay, std::int64_t period) {
  return Map{{"tcpSocket", Map{{"port", port}}},
             {"initialDelaySeconds", initial_delay},
             {"timeoutSeconds", 1},
             {"periodSeconds", period},
             {"successThreshold", 1},
             {"failureThreshold", 3}};
}

Value ready_probe() {
  return Map{{"httpGet", Map{{"path", "/ready"}, {"port", "http"}}},
             {"initialDelaySeconds", 0},
             {"timeoutSeconds", 1},
             {"periodSeconds", 1},
             {"failureThreshold", 3}};
}

bool uses_grpc(const Wire& wire, const Unit& unit) {
  return wire.deployment.transport == "grpc" || unit.endpoint->type == "GRPC";
}

// Variables in the reference's order. Where the user has set one, ours gives way; in compat it is
// the reference that decides: some are appended a second time, and some drop everything that was
// there.
class Environment {
 public:
  Environment(const Wire& wire, Map& container) : compat_(!wire.fixes()), container_(container) {}

  void keep(std::string_view name, std::string_view value) {
    add_env_once(container_, name, value);
  }
  void dropping(std::string_view name, std::string_view value) {
    if (compat_ && has_env(container_, name)) {
      container_.set("env", List{});
    } else {
      add_env_once(container_, name, value);
    }
  }
  void again(std::string_view name, std::string_view value) {
    if (compat_) {
      list_in(container_, "env").push_back(env_var(name, value));
    } else {
      add_env_once(container_, name, value);
    }
  }

 private:
  bool compat_;
  Map& container_;
};

void add_environment(const Wire& wire, const Predictor& predictor, const Unit& unit,
                     Map& container) {
  const std::string http = fmt::format("{}", unit.endpoint->http_port.value_or(0));
  const std::string grpc = fmt::format("{}", unit.endpoint->grpc_port.value_or(0));
  const std::string metrics =
      fmt::format("{}", port_named(container, wire.settings.unit_metrics_port_name));
  Environment env(wire, container);
  env.keep("PREDICTIVE_UNIT_SERVICE_PORT", uses_grpc(wire, unit) ? grpc : http);
  env.dropping("PREDICTIVE_UNIT_HTTP_SERVICE_PORT", http);
  env.dropping("MLSERVER_HTTP_PORT", http);
  env.dropping("PREDICTIVE_UNIT_GRPC_SERVICE_PORT", grpc);
  env.dropping("MLSERVER_GRPC_PORT", grpc);
  if (!unit.parameters.empty())
    env.dropping("PREDICTIVE_UNIT_PARAMETERS", parameters_json(unit.parameters));
  // On one machine nothing is mounted: the model is where its URI says.
  if (!unit.model_uri.empty()) {
    env.dropping("MLSERVER_MODEL_URI",
                 wire.local() ? std::string_view(unit.model_uri) : kModelsPath);
  }
  env.again("PREDICTIVE_UNIT_ID", unit.name);
  env.again("MLSERVER_MODEL_NAME", unit.name);
  const Value* image = container.find("image");
  env.again("PREDICTIVE_UNIT_IMAGE", image == nullptr ? std::string_view() : image->text());
  env.again("PREDICTOR_ID", predictor.name);
  env.again("PREDICTOR_LABELS", json(predictor.labels));
  env.again("SELDON_DEPLOYMENT_ID", wire.deployment.name);
  env.again("SELDON_EXECUTOR_ENABLED", "true");
  env.again("PREDICTIVE_UNIT_METRICS_SERVICE_PORT", metrics);
  env.again("PREDICTIVE_UNIT_METRICS_ENDPOINT", wire.settings.prometheus_path);
  env.again("MLSERVER_METRICS_PORT", metrics);
  env.again("MLSERVER_METRICS_ENDPOINT", wire.settings.prometheus_path);
}

void complete_container(const Wire& wire, const Predictor& predictor, const Unit& unit,
                        const Map& pod, Map& container) {
  const std::int64_t http = unit.endpoint->http_port.value_or(0);
  const std::int64_t grpc = unit.endpoint->grpc_port.value_or(0);
  List& ports = list_in(container, "ports");
  if (find_named(ports, "http") == nullptr) ports.push_back(container_port("http", http));
  if (find_named(ports, "grpc") == nullptr) ports.push_back(container_port("grpc", grpc));
  const std::int64_t probed = uses_grpc(wire, unit) ? grpc : http;
  if (wire.local()) {
    // Here a start takes milliseconds, and a probe that waits 20 seconds would make everybody wait.
    // Our own model server speaks HTTP only, whatever the transport.
    const Value* command = container.find("command");
    const bool is_ours = is_prepackaged(unit) && (command == nullptr || command->list().empty());
    set_if_empty(container, "readinessProbe", is_ours ? ready_probe() : tcp_probe(probed, 0, 1));
  } else {
    set_if_empty(container, "livenessProbe", tcp_probe(probed, 60, 5));
    set_if_empty(container, "readinessProbe", tcp_probe(probed, 20, 5));
    add_lifecycle(wire.settings, pod, container);
  }
  add_environment(wire, predictor, unit, container);
}

}  // namespace

// A stopping container still gets requests until every proxy has heard of it. The reference's shell
// is not in every image: where it is missing, the container stops at once. Kubernetes refuses a
// sleep that is not shorter than the pod's time to stop.
void add_lifecycle(const Settings& settings, const Map& pod, Map& container) {
  if (!settings.fixes() || !settings.sleep_action) {
    Map command{{"command", List{"/bin/sh", "-c", "/bin/sleep 10"}}};
    set_if_empty(container, "lifecycle", Map{{"preStop", Map{{"exec", std::move(command)}}}});
    return;
  }
  const Value* grace = pod.find("terminationGracePeriodSeconds");
  const std::int64_t seconds =
      std::min<std::int64_t>(10, (grace == nullptr ? 30 : grace->integer(30)) - 1);
  if (seconds < 1) return;
  set_if_empty(container, "lifecycle", Map{{"preStop", Map{{"sleep", Map{{"seconds", seconds}}}}}});
}

void merge_annotations(const Wire& wire, TextMap& into, const TextMap& more) {
  for (const auto& [key, value] : more) {
    if (wire.fixes() && is_ingress_annotation(key)) continue;
    into.insert_or_assign(key, value);
  }
}

Draft make_draft(const Wire& wire, const Predictor& predictor, ComponentSpec* component,
                 std::string name) {
  Draft draft;
  draft.name = std::move(name);
  draft.component = component;
  draft.labels = {{"seldon-deployment-id", wire.id}, {"app", draft.name}, {"fluentd", "true"}};
  merge(draft.labels, predictor.labels);
  merge_annotations(wire, draft.annotations, wire.deployment.annotations);
  merge_annotations(wire, draft.annotations, predictor.annotations);
  if (component != nullptr) {
    merge(draft.labels, component->labels);
    merge_annotations(wire, draft.annotations, component->annotations);
    draft.template_annotations = {{"prometheus.io/path", wire.settings.prometheus_path},
                                  {"prometheus.io/scrape", "true"}};
    draft.pod = component->pod.map();
    draft.pod.erase("containers");
  }
  if (wire.fixes()) {  // a user's label must not make selector and template differ
    draft.labels.insert_or_assign("seldon-deployment-id", wire.id);
    draft.labels.insert_or_assign("app", draft.name);
  }
  if (predictor.shadow) draft.labels.insert_or_assign("seldon.io/shadow", "true");
  draft.labels.insert_or_assign("app.kubernetes.io/managed-by", "seldon-core");
  draft.selector = {{"seldon-deployment-id", wire.id}};
  merge(draft.template_annotations, draft.annotations);
  complete_pod(wire, draft.pod);
  draft.replicas = replicas_of(wire, predictor, component);
  draft.progress_deadline_seconds = predictor.progress_deadline_seconds;
  return draft;
}

void wire_containers(Wire& wire, PredictorWire& at, Draft& draft) {
  for (Map* container : containers_of(draft)) {
    const std::string name(container->find("name")->text());
    if (name == kEngineContainer || name == kTensorflowContainer) continue;
    const Unit* unit = find_unit(at.predictor.graph, name);
    if (unit == nullptr) {
      // The reference takes any container beside the units for an explainer.
      const bool explained = at.predictor.explainer && !at.predictor.explainer->type.empty();
      if (explained && !wire.fixes()) draft.labels.insert_or_assign("seldon.io/explainer", "true");
      continue;
    }
    const std::string service =
        container_service_name(wire.deployment.name, at.predictor.name, name);
    const std::string label = "seldon-app-svc-" + name;
    TextMap labels{{label, service},
                   {"seldon-deployment-id", wire.id},
                   {"seldon-app", at.service},
                   {"app.kubernetes.io/managed-by", "seldon-core"}};
    if (const std::string_view type = type_label(*unit); !type.empty()) {
      labels.insert_or_assign(std::string(type), "true");
      draft.labels.insert_or_assign(std::string(type), "true");
    }
    if (at.predictor.shadow) labels.insert_or_assign("seldon.io/shadow", "true");
    draft.labels.insert_or_assign(label, service);
    draft.selector.insert_or_assign(label, service);
    const std::int64_t http = unit->endpoint->http_port.value_or(0);
    const std::int64_t grpc = unit->endpoint->grpc_port.value_or(0);
    wire.services.push_back(make_service(wire, at.predictor, service, labels, {{label, service}},
                                         {{"http", http, http}, {"grpc", grpc, grpc}}, false));
    complete_container(wire, at.predictor, *unit, draft.pod, *container);
  }
}

Draft* draft_of(PredictorWire& at, std::string_view container) {
  for (Draft& draft : at.drafts) {
    for (const Map* candidate : containers_of(draft)) {
      if (candidate->find("name")->text() == container) return &draft;
    }
  }
  return nullptr;
}

std::vector<Map*> containers_of(Draft& draft) {
  std::vector<Map*> found;
  if (draft.component != nullptr) {
    for (Value& container : list_in(*draft.component->pod.as_map(), "containers")) {
      if (container.is_map()) found.push_back(container.as_map());
    }
  }
  for (Value& container : draft.containers) found.push_back(container.as_map());
  return found;
}

resource::Object finish(const Wire& wire, Draft draft) {
  List containers;
  if (draft.component != nullptr) containers = draft.component->containers();
  for (Value& container : draft.containers) containers.push_back(std::move(container));
  draft.pod.set("containers", std::move(containers));
  if (wire.local() && wire.report.object().file != nullptr) {
    draft.template_annotations.insert_or_assign(std::string(kOriginAnnotation),
                                                *wire.report.object().file);
  }
  Map template_metadata{{"labels", to_value(draft.labels)}};
  if (!draft.template_annotations.empty()) {
    template_metadata.set("annotations", to_value(draft.template_annotations));
  }
  Map spec;
  if (draft.replicas) spec.set("replicas", *draft.replicas);
  spec.set("selector", Map{{"matchLabels", to_value(draft.selector)}});
  spec.set("strategy", Map{{"type", "RollingUpdate"},
                           {"rollingUpdate", Map{{"maxUnavailable", 0}, {"maxSurge", "25%"}}}});
  if (draft.progress_deadline_seconds)
    spec.set("progressDeadlineSeconds", *draft.progress_deadline_seconds);
  spec.set("template",
           Map{{"metadata", std::move(template_metadata)}, {"spec", std::move(draft.pod)}});
  TextMap labels = draft.labels;
  merge(labels, draft.deployment_labels);
  Map metadata{{"labels", to_value(labels)}};
  // The reference always has annotations there: it adds its own seldon.io/last-applied.
  if (!draft.annotations.empty() || !wire.fixes()) {
    metadata.set("annotations", to_value(draft.annotations));
  }
  return make_object(wire, "apps/v1", "Deployment", draft.name, std::move(metadata),
                     std::move(spec));
}

}  // namespace sluice::compile
