#include "compile/wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "compile/defaults.h"
#include "compile/names.h"
#include "compile/pod.h"
#include "compile/validate.h"
#include "compile/wire_detail.h"

namespace sluice::compile {

using resource::Map;
using resource::Object;
using resource::Predictor;
using resource::TextMap;
using resource::Unit;
using resource::Value;

std::string Wire::host_of(std::string_view service) const {
  return fmt::format("{}.{}.svc.cluster.local", service, deployment.namespace_);
}

Object make_object(const Wire& wire, std::string_view api_version, std::string_view kind,
                   std::string_view name, Map metadata_rest, Map spec) {
  Map metadata{{"name", name}, {"namespace", wire.deployment.namespace_}};
  for (resource::Member& member : metadata_rest) metadata.set(member.key, std::move(member.value));
  // Without a uid there is no owner that an API server would accept: `render` of a file.
  if (!wire.deployment.uid.empty()) {
    Map owner{{"apiVersion", "machinelearning.seldon.io/v1"},
              {"kind", "SeldonDeployment"},
              {"name", wire.deployment.name},
              {"uid", wire.deployment.uid},
              {"controller", true},
              {"blockOwnerDeletion", true}};
    metadata.set("ownerReferences", resource::List{Value(std::move(owner))});
  }
  Object object;
  object.api_version = api_version;
  object.kind = kind;
  object.namespace_ = wire.deployment.namespace_;
  object.name = name;
  object.root = Map{{"apiVersion", api_version}, {"kind", kind}};
  object.root.as_map()->set("metadata", std::move(metadata));
  object.root.as_map()->set("spec", std::move(spec));
  return object;
}

std::string_view type_label(const Unit& unit) noexcept {
  const std::string_view type = unit.type ? std::string_view(*unit.type) : std::string_view();
  if (type == "MODEL") return "seldon.io/model";
  if (type == "ROUTER") return "seldon.io/router";
  if (type == "COMBINER") return "seldon.io/combiner";
  if (type == "TRANSFORMER") return "seldon.io/transformer";
  if (type == "OUTPUT_TRANSFORMER") return "seldon.io/output-transformer";
  return {};
}

Object make_service(const Wire& wire, const Predictor& predictor, std::string_view name,
                    const TextMap& labels, const TextMap& selector, std::vector<ServicePort> ports,
                    bool may_be_headless) {
  Map metadata{{"labels", to_value(labels)}};
  TextMap annotations;
  merge_annotations(wire, annotations, predictor.annotations);
  if (!annotations.empty()) metadata.set("annotations", to_value(annotations));
  resource::List list;
  for (const ServicePort& port : ports) {
    list.emplace_back(Map{{"name", port.name},
                          {"protocol", "TCP"},
                          {"port", port.port},
                          {"targetPort", port.target}});
  }
  Map spec{{"type", "ClusterIP"}, {"sessionAffinity", "None"}};
  const std::string* headless =
      find_annotation(wire.deployment, "seldon.io/headless-svc", wire.settings);
  if (may_be_headless && headless != nullptr && *headless != "false") spec.set("clusterIP", "None");
  spec.set("selector", to_value(selector));
  spec.set("ports", std::move(list));
  return make_object(wire, "v1", "Service", name, std::move(metadata), std::move(spec));
}

namespace {

// The Service that routes name. Without an orchestrator it leads to the model itself.
void wire_predictor_service(Wire& wire, PredictorWire& at) {
  TextMap labels{{"seldon-app", at.service},
                 {"seldon-deployment-id", wire.id},
                 {"app.kubernetes.io/managed-by", "seldon-core"}};
  std::int64_t http_target = at.http_port;
  std::int64_t grpc_target = at.grpc_port;
  if (at.without_engine) {
    if (const std::string_view label = type_label(at.predictor.graph); !label.empty()) {
      labels.insert_or_assign(std::string(label), "true");
    }
    if (at.predictor.shadow) labels.insert_or_assign("seldon.io/shadow", "true");
  } else if (wire.fixes()) {
    http_target = wire.settings.engine_http_port;
    grpc_target = wire.settings.engine_grpc_port;
  }
  wire.services.push_back(make_service(
      wire, at.predictor, at.service, labels, {{"seldon-app", at.service}},
      {{"http", at.http_port, http_target}, {"grpc", at.grpc_port, grpc_target}}, true));
  at.wired.service_key = wire.services.back().key();
}

// The model's pods carry the predictor Service's label themselves.
bool expose_model(Wire& wire, PredictorWire& at) {
  Draft* draft = draft_of(at, at.predictor.graph.name);
  if (draft == nullptr || !at.predictor.graph.endpoint) {
    wire.report.error(
        at.predictor.graph.origin.field, "no-engine-graph",
        fmt::format("without an orchestrator nothing runs \"{}\": it has no container",
                    at.predictor.graph.name),
        "remove the annotation seldon.io/no-engine");
    return false;
  }
  draft->labels.insert_or_assign("seldon-app", at.service);
  draft->selector.insert_or_assign("seldon-app", at.service);
  at.http_port = at.predictor.graph.endpoint->http_port.value_or(0);
  at.grpc_port = at.predictor.graph.endpoint->grpc_port.value_or(0);
  return true;
}

void wire_predictor(Wire& wire, PredictorWire& at) {
  Predictor& predictor = at.predictor;
  std::optional<Draft> engine;
  if (at.separate_engine) engine = make_engine_draft(wire, predictor, at.service);
  for (std::size_t j = 0; j < predictor.components.size(); ++j) {
    resource::ComponentSpec& component = predictor.components[j];
    if (component.containers().empty()) continue;
    at.drafts.push_back(make_draft(wire, predictor, &component,
                                   component_deployment_name(wire.deployment.name, predictor.name,
                                                             j, component, wire.settings)));
    wire_containers(wire, at, at.drafts.back());
  }
  wire_servers(wire, at, predictor.graph);
  if (wire.report.failed()) return;
  if (at.without_engine) {
    if (!expose_model(wire, at)) return;
  } else if (!at.separate_engine) {
    inject_engine(wire, at);
  }
  if (!wire.local() && !at.without_engine && !predictor.cert_secret_name.empty()) {
    mount_certificates(wire, at, engine ? &*engine : nullptr);
  }
  wire_predictor_service(wire, at);
  if (engine) {
    wire.deployments.push_back(finish(wire, std::move(*engine)));
    at.wired.deployment_keys.push_back(wire.deployments.back().key());
  }
  for (Draft& draft : at.drafts) {
    if (!wire.local()) wire_scaling(wire, *draft.component, draft);
    wire.deployments.push_back(finish(wire, std::move(draft)));
    at.wired.deployment_keys.push_back(wire.deployments.back().key());
  }
  if (!wire.local() && predictor.explainer && !predictor.explainer->type.empty())
    wire_explainer(wire, at);
}

std::string address_of(const Wire& wire, const std::vector<PredictorWire>& predictors) {
  if (predictors.empty()) return {};
  const PredictorWire* at = &predictors.front();
  if (wire.fixes()) {
    for (const PredictorWire& candidate : predictors) {
      if (candidate.predictor.shadow) continue;
      at = &candidate;
      break;
    }
  }
  const std::string& protocol = wire.deployment.protocol;
  std::string path = "/api/v1.0/predictions";
  if (protocol == "tensorflow")
    path = fmt::format("/v1/models/{}:predict", at->predictor.graph.name);
  if (protocol == "v2" || protocol == "kfserving")
    path = fmt::format("/v2/models/{}/infer", at->predictor.graph.name);
  return fmt::format("http://{}:{}{}", wire.host_of(at->service), at->http_port, path);
}

// Names are joined with "-", so predictor "a-b" and container "b" of predictor "a" can meet.
void check_collisions(const Wiring& wiring, Report& report) {
  std::unordered_map<resource::ObjectKey, int> seen;
  for (const Object& object : wiring.objects) {
    if (++seen[object.key()] != 2) continue;
    report.error("spec.predictors", "name-conflict",
                 fmt::format("two {}s would be called \"{}\"", object.kind, object.name),
                 "rename a predictor or a container, or set seldon.io/svc-name");
  }
}

void append(std::vector<Object>& into, std::vector<Object>& from) {
  std::move(from.begin(), from.end(), std::back_inserter(into));
}

void wire_all(Wire& wire, Wiring& wiring) {
  wire.predictors.resize(wire.deployment.predictors.size());
  std::vector<PredictorWire> predictors;
  const bool separate = engine_is_separate(wire.deployment, wire.settings);
  for (std::size_t i = 0; i < wire.deployment.predictors.size(); ++i) {
    Predictor& predictor = wire.deployment.predictors[i];
    WiredPredictor& wired = wire.predictors[i];
    wired.name = predictor.name;
    wired.shadow = predictor.shadow;
    wired.routed = !predictor.shadow;
    PredictorWire at{predictor, wired, predictor_service_name(wire.deployment.name, predictor),
                     0,         0,     false,
                     false,     {}};
    at.http_port = wire.settings.service_http_port;
    at.grpc_port = wire.settings.service_grpc_port;
    at.without_engine = runs_without_engine(predictor, wire.settings);
    at.separate_engine = separate && !at.without_engine;
    predictors.push_back(std::move(at));
    wire_predictor(wire, predictors.back());
  }
  if (wire.report.failed()) return;
  if (wire.settings.istio_enabled) wire_routes(wire, predictors);
  wiring.address_url = address_of(wire, predictors);
  append(wiring.objects, wire.services);
  append(wiring.objects, wire.deployments);
  append(wiring.objects, wire.scaling);
  append(wiring.objects, wire.rules);
  append(wiring.objects, wire.routes);
  wiring.predictors = std::move(wire.predictors);
  if (wire.fixes()) check_collisions(wiring, wire.report);
}

}  // namespace

Wiring wire(const Object& seldon_deployment, const Settings& settings) {
  Wiring wiring;
  resource::SeldonDeployment deployment =
      resource::read_seldon_deployment(seldon_deployment, wiring.diagnostics);
  Report report(seldon_deployment, wiring.diagnostics);
  // What could not be read is not judged further: the rules would only repeat it.
  if (report.failed()) return wiring;
  validate(deployment, settings, report);
  if (settings.local) check_local(deployment, settings, report);
  if (report.failed()) return wiring;
  apply_defaults(deployment, settings);
  Wire wire{deployment,
            settings,
            report,
            read_ingress(deployment, settings, report),
            seldon_id(deployment.name),
            {},
            {},
            {},
            {},
            {},
            {}};
  if (!report.failed()) wire_all(wire, wiring);
  if (report.failed()) {
    wiring.objects.clear();
    wiring.predictors.clear();
    wiring.address_url.clear();
  }
  return wiring;
}

}  // namespace sluice::compile
