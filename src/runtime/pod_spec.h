// A Deployment read into plain values: what the runtime needs of it, and what of it has no effect
// on one machine. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "resource/object.h"

namespace sluice::runtime {

struct PortSpec {
  std::string name;  // may be empty
  int number = 0;    // as declared; the pod gets another one
};

struct ProbeSpec {
  enum class Kind : std::uint8_t { kNone, kTcp, kHttp, kExec };
  Kind kind = Kind::kNone;
  resource::Value port;  // number or name
  std::string path = "/";
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::string> command;
  Milliseconds initial_delay{0};
  Milliseconds period{10'000};
  Milliseconds timeout{1'000};
  int success_threshold = 1;
  int failure_threshold = 3;
};

struct ContainerSpec {
  std::string name;
  std::string image;
  std::vector<std::string> command;  // empty: the image's own, so a container tool is needed
  std::vector<std::string> args;
  std::string working_dir;
  // In the order given; values unexpanded; fieldRefs are resolved by `make_environment`.
  std::vector<std::pair<std::string, resource::Value>> env;
  std::vector<PortSpec> ports;
  ProbeSpec startup;
  ProbeSpec readiness;
  ProbeSpec liveness;
};

struct PodSpec {
  std::string origin_folder;  // relative paths start here; empty: the working folder
  Milliseconds grace{30'000};
  std::vector<ContainerSpec> containers;
  std::vector<std::string> warnings;  // what has no effect here, one sentence each
};

struct DeploymentSpec {
  std::string namespace_;
  std::string name;
  int replicas = 1;
  Milliseconds progress_deadline{600'000};
  std::map<std::string, std::string> labels;  // of the pods
  PodSpec pod;
};

// `origin`: annotation of the pod template with the manifest's file.
inline constexpr std::string_view kOriginAnnotation = "sluice.seldon.io/origin";
// The first word of a command that means our own binary.
inline constexpr std::string_view kSelfCommand = "@sluice";

DeploymentSpec read_deployment(const resource::Object& deployment);

// Whether a running pod of `before` may stay for `after`: replicas, labels and annotations may
// differ.
bool same_pod(const resource::Object& before, const resource::Object& after);

// Declared port number -> the one that the pod was given.
using PortMap = std::map<int, std::uint16_t>;

// Every port number that the pod must be given another number for: containerPorts, and the values
// of the port variables that are set for models (PREDICTIVE_UNIT_HTTP_SERVICE_PORT and the like).
std::vector<int> ports_wanted(const PodSpec& pod);

// "$(NAME)" becomes the variable's value, "$$" a dollar, unknown names stay: as Kubernetes does it.
std::string expand(std::string_view text, const std::map<std::string, std::string>& variables);

// The container's variables: its `env` with ports rewritten, SLUICE_PORT_<declared> for each port
// of the pod.
std::map<std::string, std::string> make_environment(const ContainerSpec& container,
                                                    const PortMap& ports, std::string_view pod_name,
                                                    std::string_view namespace_,
                                                    std::string_view address);

// The number that a probe or a Service's targetPort means in this pod; 0 when a name is not there.
// A number that is not declared is taken as it is: the process may listen there by itself.
std::uint16_t resolve_port(const resource::Value& port, const PodSpec& pod, const PortMap& ports);

}  // namespace sluice::runtime
