// SeldonDeployment (machinelearning.seldon.io v1, v1alpha2, v1alpha3: one schema) as typed values.
// What Kubernetes defines (pod specs, containers, resources, metrics) stays a Value: it is copied
// on, not understood. Reading never fails: it returns what it could read and says what is wrong;
// has_errors() refuses the object.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resource/diagnostic.h"
#include "resource/object.h"
#include "resource/value.h"

namespace sluice::resource {

inline constexpr std::string_view kSeldonGroup = "machinelearning.seldon.io";

// Labels and annotations, sorted by key.
using TextMap = std::map<std::string, std::string, std::less<>>;

// Where in the document a part of the deployment stands: for diagnostics.
struct Origin {
  std::string field;  // "spec.predictors[1].graph"
  Place place;
};

struct Parameter {
  std::string name;
  std::string value;
  std::string type;  // INT, FLOAT, DOUBLE, STRING, BOOL
};

struct UnitEndpoint {
  std::string service_host;
  std::optional<std::int64_t> service_port;
  std::string type;  // "", REST, GRPC
  std::optional<std::int64_t> http_port;
  std::optional<std::int64_t> grpc_port;
};

struct UnitLogger {
  std::string url;
  std::string mode;  // all, request, response
};

// One node of the inference graph.
struct Unit {
  Origin origin;
  std::string name;
  std::vector<Unit> children;
  std::optional<std::string> type;
  std::optional<std::string> implementation;
  std::optional<std::vector<std::string>> methods;
  std::optional<UnitEndpoint> endpoint;
  std::vector<Parameter> parameters;
  std::string model_uri;
  std::string service_account_name;
  std::string env_secret_ref_name;
  std::string storage_initializer_image;
  std::optional<UnitLogger> logger;
};

struct HpaSpec {
  std::optional<std::int64_t> min_replicas;
  std::int64_t max_replicas = 0;
  Value metrics;     // a list in the shape of autoscaling/v2beta1, or null
  Value metrics_v2;  // a list in the shape of autoscaling/v2, or null
};

struct PdbSpec {
  Value min_available;    // integer, text or null
  Value max_unavailable;  // integer, text or null
};

// One Deployment's pods.
struct ComponentSpec {
  Origin origin;
  std::string name;  // metadata.name
  TextMap labels;
  TextMap annotations;
  Value pod = Map{};  // core/v1 PodSpec, a map
  std::optional<HpaSpec> hpa;
  Value keda;  // a map, or null
  std::optional<PdbSpec> pdb;
  std::optional<std::int64_t> replicas;

  const List& containers() const noexcept { return pod.at("containers").list(); }
};

struct Explainer {
  Origin origin;
  std::string type;  // empty: there is no explainer
  std::string model_uri;
  std::string service_account_name;
  Value container = Map{};  // core/v1 Container, a map
  TextMap config;
  std::optional<UnitEndpoint> endpoint;
  std::string env_secret_ref_name;
  std::string storage_initializer_image;
  std::optional<std::int64_t> replicas;
  std::string init_parameters;
};

struct Predictor {
  Origin origin;
  std::string name;
  Unit graph;
  std::vector<ComponentSpec> components;
  std::optional<std::int64_t> replicas;
  TextMap annotations;
  TextMap labels;
  Value engine_resources;  // accepted, without effect
  Value orchestrator_resources;
  List orchestrator_env;
  std::optional<std::int64_t> orchestrator_replicas;
  std::int64_t traffic = 0;  // percent; of a shadow: how much of the live traffic is copied
  std::optional<Explainer> explainer;
  bool shadow = false;
  std::string cert_secret_name;  // ssl.certSecretName
  std::optional<std::int64_t> progress_deadline_seconds;
};

struct SeldonDeployment {
  std::string api_version;
  std::string name;
  std::string namespace_;
  std::string uid;               // metadata.uid, empty outside a cluster
  TextMap metadata_labels;       // metadata.labels
  TextMap metadata_annotations;  // metadata.annotations

  std::string spec_name;
  std::vector<Predictor> predictors;
  std::string oauth_key;
  std::string oauth_secret;
  TextMap annotations;      // spec.annotations
  std::string protocol;     // "" = seldon; tensorflow, kfserving, v2
  std::string transport;    // "" = rest; grpc
  std::string server_type;  // "" = rpc; kafka
  std::optional<std::int64_t> replicas;
};

bool is_seldon_deployment(const Object& object);

// Types and required fields, so that what is returned can be relied on; check() (resource/check.h)
// says more: unknown fields, what is inside of pods. The rules between fields are
// compile/validate.h's. Adds to `diagnostics`.
SeldonDeployment read_seldon_deployment(const Object& object, Diagnostics& diagnostics);

// Nodes of the graph, `unit` included.
std::size_t count_units(const Unit& unit);

}  // namespace sluice::resource
