// The command line of `sluice executor`: the flags of the reference, as Go's package `flag` takes
// them: -name value, --name value, -name=value, --name=value; flags without a value for booleans.
// Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "executor/predictor.h"

namespace sluice::executor {

struct Options {
  std::string deployment;  // --sdep
  std::string name_space;  // --namespace
  std::string predictor;
  std::uint16_t http_port = 8080;
  std::uint16_t grpc_port = 5000;
  Protocol protocol = Protocol::kSeldon;
  std::string prometheus_path = "/metrics";
  std::string file;  // "": the environment's ENGINE_PREDICTOR
  Nanoseconds graceful_timeout = std::chrono::seconds(15);
  Nanoseconds shutdown_delay{0};
  bool full_health_checks = false;
  std::string log_level = "info";
  std::string annotations = "/etc/podinfo/annotations";  // ours
  std::string address = "0.0.0.0";                       // ours
  bool help = false;
};

using Environment = std::function<std::optional<std::string>(std::string_view name)>;

// `words` without the program's and the verb's names. Fails (kConfig) for what the reference
// refuses, in its words where it has any, and for what is not served yet: gRPC as the transport,
// the Kafka server, payload logging to Kafka.
Result<Options> parse_flags(const std::vector<std::string>& words, const Environment& environment);

std::string usage();

// Lines key="value" of the pod's annotations (downward API), cut at the first '='. Fails (kConfig)
// when seldon.io/rest-timeout is no number of milliseconds.
struct Annotations {
  Milliseconds rest_timeout{0};  // of each call to a unit; 0: none
};
Result<Annotations> parse_annotations(std::string_view text);

}  // namespace sluice::executor
