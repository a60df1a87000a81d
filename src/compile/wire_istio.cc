// The VirtualService of a SeldonDeployment and a DestinationRule for each predictor
// (networking.istio.io).
#include <fmt/format.h>

#include <utility>

#include "compile/names.h"
#include "compile/pod.h"
#include "compile/wire_detail.h"

namespace sluice::compile {

using resource::List;
using resource::Map;
using resource::Object;
using resource::Value;

namespace {

constexpr std::string_view kIstioVersion = "networking.istio.io/v1alpha3";
// The whole path must match: the services of TensorFlow Serving, of the Seldon protocol and of Open
// Inference.
constexpr std::string_view kGrpcPaths = ".*tensorflow.*|.*seldon.protos.*|.*inference.*";

Map destination(const Wire& wire, const PredictorWire& at, std::int64_t port) {
  return Map{{"host", wire.host_of(at.service)},
             {"subset", at.predictor.name},
             {"port", Map{{"number", port}}}};
}

// One of the two rules: its routes in the predictors' order, the shadow as a mirror.
void add_destinations(const Wire& wire, const std::vector<PredictorWire>& predictors, bool grpc,
                      Map& rule) {
  List routes;
  for (const PredictorWire& at : predictors) {
    if (at.predictor.shadow) continue;
    Map route{{"destination", destination(wire, at, grpc ? at.grpc_port : at.http_port)}};
    if (at.predictor.traffic != 0) route.set("weight", at.predictor.traffic);
    routes.emplace_back(std::move(route));
  }
  rule.set("route", std::move(routes));
  for (const PredictorWire& at : predictors) {
    if (!at.predictor.shadow) continue;
    rule.set("mirror", destination(wire, at, grpc ? at.grpc_port : at.http_port));
    // 0 and absent both mean everything: Istio's default is 100 %.
    if (at.predictor.traffic > 0)
      rule.set("mirrorPercentage", Map{{"value", at.predictor.traffic}});
  }
  if (Value retries = retries_of(wire); !retries.is_null()) rule.set("retries", std::move(retries));
  if (!wire.ingress.route_timeout.empty()) rule.set("timeout", wire.ingress.route_timeout);
}

List texts(const std::vector<std::string>& words) {
  List list;
  for (const std::string& word : words) list.emplace_back(word);
  return list;
}

// What an annotation said stands where the annotation does: whoever finds fault with it names that
// line.
List placed(const Wire& wire, std::string_view annotation, List list) {
  for (const std::string_view part : {"spec", "metadata"}) {
    const Value& written = wire.report.object().root.at(part).at("annotations").at(annotation);
    if (written.place.line == 0) continue;
    for (Value& each : list) each.place = written.place;
    break;
  }
  return list;
}

// The label `version` of the pods behind the Service. A componentSpec's own label overrides the
// predictor's on its pods; the reference looks at the predictor's alone, and then the subset is
// empty.
std::string version_of(const Wire& wire, const PredictorWire& at) {
  std::string version = at.predictor.labels.find("version")->second;
  if (!wire.fixes() || at.separate_engine) return version;
  for (const resource::ComponentSpec& component : at.predictor.components) {
    const auto own = component.labels.find("version");
    if (own == component.labels.end()) continue;
    for (const resource::ObjectKey& key : at.wired.deployment_keys) {
      for (const Object& deployment : wire.deployments) {
        const Value& labels = deployment.spec().at("template").at("metadata").at("labels");
        if (deployment.key() == key && labels.at("seldon-app").text() == at.service) {
          return std::string(labels.at("version").text());
        }
      }
    }
  }
  return version;
}

}  // namespace

Value retries_of(const Wire& wire) {
  if (!wire.ingress.retry_attempts) return nullptr;
  Map retries{{"attempts", *wire.ingress.retry_attempts}};
  if (*wire.ingress.retry_attempts > 0) {
    retries.set("perTryTimeout", wire.ingress.per_try_timeout);
    retries.set("retryOn", "gateway-error,connect-failure,refused-stream");
  }
  return retries;
}

Map traffic_policy(const Wire& wire) {
  Map policy;
  if (wire.settings.istio_tls_mode.empty() || wire.fixes()) {
    policy.set("connectionPool", Map{{"http", Map{{"idleTimeout", "60s"}}}});
  }
  if (const std::string& mode = wire.settings.istio_tls_mode; !mode.empty()) {
    Map tls;
    // DISABLE is the zero of an enumeration: the reference's object reads back without it.
    if (mode != "DISABLE" || wire.fixes()) tls.set("mode", mode);
    policy.set("tls", std::move(tls));
  }
  return policy;
}

Object destination_rule(const Wire& wire, const PredictorWire& at, std::string_view name,
                        std::string_view host, bool with_policy) {
  const std::string version =
      name == at.service ? version_of(wire, at) : at.predictor.labels.find("version")->second;
  Map subset{{"name", at.predictor.name}, {"labels", Map{{"version", version}}}};
  Map spec{{"host", host}, {"subsets", List{Value(std::move(subset))}}};
  if (with_policy) spec.set("trafficPolicy", traffic_policy(wire));
  return make_object(wire, kIstioVersion, "DestinationRule", name, {}, std::move(spec));
}

void wire_routes(Wire& wire, const std::vector<PredictorWire>& predictors) {
  Map http{{"match", List{Value(Map{{"uri", Map{{"prefix", fmt::format("/seldon/{}/{}/",
                                                                       wire.deployment.namespace_,
                                                                       wire.deployment.name)}}}})}},
           {"rewrite", Map{{"uri", "/"}}}};
  add_destinations(wire, predictors, false, http);
  Map headers{{"seldon", Map{{"exact", wire.deployment.name}}},
              {"namespace", Map{{"exact", wire.deployment.namespace_}}}};
  Map grpc{{"match", List{Value(Map{{"uri", Map{{"regex", kGrpcPaths}}},
                                    {"headers", std::move(headers)}})}}};
  add_destinations(wire, predictors, true, grpc);
  Map spec{{"hosts", texts(wire.ingress.hosts)},
           {"gateways", placed(wire, "seldon.io/istio-gateway", texts(wire.ingress.gateways))},
           {"http", List{Value(std::move(http)), Value(std::move(grpc))}}};
  wire.routes.push_back(
      make_object(wire, kIstioVersion, "VirtualService", wire.id, {}, std::move(spec)));
  for (const PredictorWire& at : predictors) {
    wire.rules.push_back(destination_rule(wire, at, at.service, wire.host_of(at.service), true));
    at.wired.destination_rule_key = wire.rules.back().key();
  }
}

}  // namespace sluice::compile
