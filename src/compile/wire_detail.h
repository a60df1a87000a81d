// Inside of wire.h: the deployment being wired, and one Deployment in the making. Only wire*.cc
// include this.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compile/annotations.h"
#include "compile/report.h"
#include "compile/settings.h"
#include "compile/wire.h"
#include "resource/seldon_deployment.h"

namespace sluice::compile {

inline constexpr std::string_view kEngineContainer = "seldon-container-engine";
inline constexpr std::string_view kTensorflowContainer = "tfserving";
inline constexpr std::string_view kModelsPath = "/mnt/models";

// Everything about one SeldonDeployment; `deployment` is defaulted, and its containers are edited
// in place, since the orchestrator of compat is told of them as they end up.
struct Wire {
  resource::SeldonDeployment& deployment;
  const Settings& settings;
  Report& report;
  Ingress ingress;
  std::string id;  // seldon-deployment-id

  std::vector<resource::Object> services;
  std::vector<resource::Object> deployments;
  std::vector<resource::Object> scaling;
  std::vector<resource::Object> rules;
  std::vector<resource::Object> routes;
  std::vector<WiredPredictor> predictors;

  bool fixes() const { return settings.fixes(); }
  bool local() const { return settings.local; }
  std::string host_of(std::string_view service) const;  // <service>.<namespace>.svc.cluster.local
};

struct Draft {
  std::string name;
  resource::ComponentSpec* component =
      nullptr;                          // its containers are the pod's first; nullptr: none of them
  resource::TextMap labels;             // Deployment and pod template
  resource::TextMap deployment_labels;  // Deployment only, on top
  resource::TextMap selector;
  resource::TextMap annotations;
  resource::TextMap template_annotations;
  resource::Map pod;          // the template's spec, without `containers`
  resource::List containers;  // after the component's
  std::optional<std::int64_t> replicas;
  std::optional<std::int64_t> progress_deadline_seconds;
};

// One predictor while its pods are put together.
struct PredictorWire {
  resource::Predictor& predictor;
  WiredPredictor& wired;
  std::string service;         // name of its Service
  std::int64_t http_port = 0;  // of that Service
  std::int64_t grpc_port = 0;
  bool without_engine = false;
  bool separate_engine = false;
  std::vector<Draft>
      drafts;  // one for each component with containers, in order; a separate engine's apart
};

// --- wire.cc ---
resource::Object make_object(const Wire& wire, std::string_view api_version, std::string_view kind,
                             std::string_view name, resource::Map metadata_rest,
                             resource::Map spec);
// Label of a unit's type, such as seldon.io/model; empty when its type has none.
std::string_view type_label(const resource::Unit& unit) noexcept;
struct ServicePort {
  std::string_view name;
  std::int64_t port = 0;
  std::int64_t target = 0;
};
resource::Object make_service(const Wire& wire, const resource::Predictor& predictor,
                              std::string_view name, const resource::TextMap& labels,
                              const resource::TextMap& selector, std::vector<ServicePort> ports,
                              bool may_be_headless);

// --- wire_pods.cc: 5.3, 5.4 ---
Draft make_draft(const Wire& wire, const resource::Predictor& predictor,
                 resource::ComponentSpec* component, std::string name);
// Containers of a component: Services, ports, probes, environment.
void wire_containers(Wire& wire, PredictorWire& at, Draft& draft);
// Copies annotations to where pods see them; the default profile leaves ingress annotations out.
void merge_annotations(const Wire& wire, resource::TextMap& into, const resource::TextMap& more);
resource::Object finish(const Wire& wire, Draft draft);
Draft* draft_of(PredictorWire& at, std::string_view container);
// The containers of the draft, its component's first.
std::vector<resource::Map*> containers_of(Draft& draft);
// Ten seconds before a stop, where the user says nothing else. `pod`: its spec.
void add_lifecycle(const Settings& settings, const resource::Map& pod, resource::Map& container);

// --- wire_engine.cc: 5.5, 5.6, 5.3.6 ---
Draft make_engine_draft(Wire& wire, const resource::Predictor& predictor, std::string_view service);
void inject_engine(Wire& wire, PredictorWire& at);
void mount_certificates(Wire& wire, PredictorWire& at, Draft* engine);

// --- wire_servers.cc: 5.7, 5.8 ---
void wire_servers(Wire& wire, PredictorWire& at, resource::Unit& unit);
struct ModelSource {
  std::string_view uri;
  std::string_view service_account;
  std::string_view env_secret;
  std::string_view image;
};
void add_storage_initializer(const Wire& wire, Draft& draft, resource::Map& container,
                             const ModelSource& source);

// --- wire_local.cc ---
// Says what one machine cannot do. Before defaults.
void check_local(const resource::SeldonDeployment& deployment, const Settings& settings,
                 Report& report);
void wire_local_server(const Wire& wire, resource::Map& container, const resource::Unit& unit);

// --- wire_scaling.cc: 5.3.5 ---
void wire_scaling(Wire& wire, const resource::ComponentSpec& component, const Draft& draft);

// --- wire_istio.cc: 5.11 ---
void wire_routes(Wire& wire, const std::vector<PredictorWire>& predictors);
resource::Map traffic_policy(const Wire& wire);
resource::Value retries_of(const Wire& wire);  // null when there are none
resource::Object destination_rule(const Wire& wire, const PredictorWire& at, std::string_view name,
                                  std::string_view host, bool with_policy);

// --- wire_explainer.cc: 5.12, 5.11.3 ---
void wire_explainer(Wire& wire, PredictorWire& at);

}  // namespace sluice::compile
