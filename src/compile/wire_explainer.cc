// A predictor's explainer: Deployment, Service, and its own route.
#include <fmt/format.h>

#include <utility>

#include "compile/json.h"
#include "compile/names.h"
#include "compile/pod.h"
#include "compile/wire_detail.h"

namespace sluice::compile {

using resource::Explainer;
using resource::List;
using resource::Map;
using resource::Value;

namespace {

constexpr std::int64_t kExplainerPort = 9000;

std::string_view mlserver_tag(std::string_view type) {
  if (type == "AnchorTabular") return "anchor_tabular";
  if (type == "AnchorImages") return "anchor_image";
  if (type == "AnchorText") return "anchor_text";
  if (type == "Counterfactuals") return "counterfactuals";
  if (type == "Contrastive") return "contrastive";
  if (type == "KernelShap") return "kernel_shap";
  if (type == "IntegratedGradients") return "integrated_gradients";
  if (type == "ALE") return "ALE";
  if (type == "TreeShap") return "tree_shap";
  return {};
}

Value port_probe(std::int64_t initial_delay, std::int64_t failures) {
  return Map{{"tcpSocket", Map{{"port", "http"}}},
             {"initialDelaySeconds", initial_delay},
             {"timeoutSeconds", 1},
             {"periodSeconds", 5},
             {"successThreshold", 1},
             {"failureThreshold", failures}};
}

std::string with_models_path(std::string text, const std::string& uri) {
  const std::size_t at = uri.empty() ? std::string::npos : text.find(uri);
  if (at != std::string::npos) text.replace(at, uri.size(), kModelsPath);
  return text;
}

List explainer_arguments(const Wire& wire, const Explainer& explainer, std::string_view root,
                         std::string_view endpoint, bool grpc, std::int64_t port) {
  const std::string_view protocol =
      wire.deployment.protocol == "tensorflow" ? "tensorflow" : "seldon";
  List arguments{fmt::format("--model_name={}", root), fmt::format("--predictor_host={}", endpoint),
                 fmt::format("--protocol={}.{}", protocol, grpc ? "grpc" : "http"),
                 fmt::format("--http_port={}", port)};
  if (!explainer.model_uri.empty())
    arguments.emplace_back(fmt::format("--storage_uri={}", kModelsPath));
  arguments.emplace_back(explainer.type);
  if (explainer.type == "AnchorImages") arguments.emplace_back("--tf_data_type=float32");
  for (const auto& [key, value] : explainer.config) {
    arguments.emplace_back(
        fmt::format("--{}={}", key, with_models_path(value, explainer.model_uri)));
  }
  return arguments;
}

void set_mlserver_env(const Wire& wire, const Explainer& explainer, std::string_view root,
                      std::string_view endpoint, std::int64_t port, Map& container) {
  const std::string_view tag = mlserver_tag(explainer.type);
  if (tag.empty()) {
    wire.report.error(explainer.origin.field + ".type", "explainer-type-unknown",
                      fmt::format("explainer type \"{}\" does not exist", explainer.type));
  }
  std::string extra =
      fmt::format("{{\"explainer_type\":{},\"infer_uri\":{}", json_text(tag),
                  json_text(fmt::format("http://{}/v2/models/{}/infer", endpoint, root)));
  if (!explainer.init_parameters.empty())
    extra += ",\"init_parameters\":" + explainer.init_parameters;
  extra += '}';
  Map made;
  set_env(made, "MLSERVER_HTTP_PORT", fmt::format("{}", port));
  set_env(made, "MLSERVER_MODEL_IMPLEMENTATION", "mlserver_alibi_explain.AlibiExplainRuntime");
  set_env(made, "MLSERVER_MODEL_NAME", container.find("name")->text());
  set_env(made, "MLSERVER_MODEL_URI", kModelsPath);
  set_env(made, "MLSERVER_MODEL_EXTRA", extra);
  List env = list_in(made, "env");
  if (wire.fixes()) {  // a user's variables stay, and win
    for (const Value& variable : list_in(container, "env")) {
      Map* same = find_named(env, variable.at("name").text());
      if (same == nullptr) {
        env.push_back(variable);
      } else {
        *same = variable.map();
      }
    }
  }
  container.set("env", std::move(env));
}

std::optional<std::int64_t> explainer_replicas(const Wire& wire, const PredictorWire& at) {
  const auto& own = at.predictor.replicas;
  const auto& outer = wire.deployment.replicas;
  if (own ? *own == 0 : (outer && *outer == 0)) return 0;
  return at.predictor.explainer->replicas;
}

void wire_explainer_routes(Wire& wire, PredictorWire& at, const std::string& name,
                           std::int64_t port) {
  const std::string host = wire.fixes() ? wire.host_of(name) : name;
  Map destination{{"host", host}, {"subset", at.predictor.name}, {"port", Map{{"number", port}}}};
  const std::string prefix = fmt::format("/seldon/{}/{}-explainer/{}/", wire.deployment.namespace_,
                                         wire.deployment.name, at.predictor.name);
  Map rule{{"match", List{Value(Map{{"uri", Map{{"prefix", prefix}}}})}},
           {"rewrite", Map{{"uri", "/"}}}};
  rule.set("route", List{Value(Map{{"destination", std::move(destination)}, {"weight", 100}})});
  if (wire.fixes()) {
    if (Value retries = retries_of(wire); !retries.is_null())
      rule.set("retries", std::move(retries));
  }
  List hosts;
  for (const std::string& word : wire.ingress.hosts) hosts.emplace_back(word);
  List gateways;
  for (const std::string& word : wire.ingress.gateways) gateways.emplace_back(word);
  Map spec{{"hosts", std::move(hosts)},
           {"gateways", std::move(gateways)},
           {"http", List{Value(std::move(rule))}}};
  wire.rules.push_back(destination_rule(wire, at, name, host, wire.fixes()));
  at.wired.explainer_keys.push_back(wire.rules.back().key());
  wire.routes.push_back(make_object(wire, "networking.istio.io/v1alpha3", "VirtualService",
                                    cut_name(name + "-http"), {}, std::move(spec)));
  at.wired.explainer_keys.push_back(wire.routes.back().key());
}

}  // namespace

void wire_explainer(Wire& wire, PredictorWire& at) {
  const Explainer& explainer = *at.predictor.explainer;
  const std::string name = explainer_name(wire.deployment.name, at.predictor.name);
  const bool v2 = wire.deployment.protocol == "v2" || wire.deployment.protocol == "kfserving";
  const bool endpoint_grpc = explainer.endpoint && explainer.endpoint->type == "GRPC";
  const bool grpc = wire.deployment.transport == "grpc" || endpoint_grpc;

  Draft draft = make_draft(wire, at.predictor, nullptr, name);
  draft.labels.insert_or_assign("seldon.io/explainer", "true");
  draft.labels.insert_or_assign("seldon-app", name);
  if (wire.fixes()) draft.selector.insert_or_assign("seldon-app", name);
  draft.replicas = explainer_replicas(wire, at);
  if (!explainer.service_account_name.empty())
    draft.pod.set("serviceAccountName", explainer.service_account_name);

  Map container = explainer.container.map();
  set_if_empty(container, "name", name);
  set_if_empty(container, "imagePullPolicy", "IfNotPresent");
  set_if_empty(container, "image",
               v2 ? wire.settings.explainer_image_v2 : wire.settings.explainer_image);
  std::int64_t service_port = explainer.endpoint ? explainer.endpoint->service_port.value_or(0) : 0;
  if (service_port == 0) service_port = kExplainerPort;
  std::int64_t port = service_port;
  if (const std::int64_t own = port_named(container, "http"); own != 0) {
    port = own;
    if (wire.fixes()) service_port = own;
  } else {
    list_in(container, "ports").push_back(container_port("http", port));
  }
  set_if_empty(container, "livenessProbe", port_probe(60, 5));
  set_if_empty(container, "readinessProbe", port_probe(20, 7));
  add_lifecycle(wire.settings, draft.pod, container);
  const std::string endpoint = fmt::format("{}.{}:{}", at.service, wire.deployment.namespace_,
                                           grpc ? at.grpc_port : at.http_port);
  const std::string& root = at.predictor.graph.name;
  if (v2) {
    set_mlserver_env(wire, explainer, root, endpoint, port, container);
  } else if (!wire.fixes() || list_in(container, "args").empty()) {
    container.set("args", explainer_arguments(wire, explainer, root, endpoint, grpc, port));
  }
  if (!explainer.model_uri.empty()) {
    add_storage_initializer(wire, draft, container,
                            {explainer.model_uri, explainer.service_account_name,
                             explainer.env_secret_ref_name, explainer.storage_initializer_image});
  }
  draft.containers.emplace_back(std::move(container));
  wire.deployments.push_back(finish(wire, std::move(draft)));
  at.wired.explainer_keys.push_back(wire.deployments.back().key());

  const resource::TextMap labels{{"seldon-app", at.service},
                                 {"seldon-deployment-id", wire.id},
                                 {"app.kubernetes.io/managed-by", "seldon-core"},
                                 {"seldon.io/explainer", "true"}};
  wire.services.push_back(make_service(wire, at.predictor, name, labels, {{"seldon-app", name}},
                                       {{"http", service_port, port}}, true));
  at.wired.explainer_keys.push_back(wire.services.back().key());
  if (wire.settings.istio_enabled) wire_explainer_routes(wire, at, name, service_port);
}

}  // namespace sluice::compile
