// The inference graph that an executor serves: read from what the operator hands over, and what
// each node makes of a request. Plain values, pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::executor {

enum class Protocol : std::uint8_t { kSeldon, kTensorflow, kV2 };
// "seldon", "tensorflow", "v2", "kfserving"; "" is seldon. Fails (kConfig) in the reference's
// words.
Result<Protocol> parse_protocol(std::string_view text);

// What a unit can be asked for.
enum class Step : std::uint8_t {
  kPredict,
  kTransformInput,
  kTransformOutput,
  kFeedback,
  kStatus,
  kMetadata
};

struct Unit {
  std::string name;
  std::string type;            // MODEL, TRANSFORMER, ...; "" when absent
  std::string implementation;  // "" when absent
  std::vector<std::string> methods;
  std::string service_host;
  std::uint16_t service_port = 0;  // what readiness asks; 0: not asked
  std::uint16_t http_port = 0;
  bool has_logger = false;
  std::string image;          // of the container with the unit's name, up to its ':'
  std::string image_version;  // what follows it, when there is exactly one ':'
  std::vector<Unit> children;

  bool has_method(std::string_view method) const noexcept;
};

struct Predictor {
  std::string name;
  std::string version;  // its annotation `version`: a metric's label
  Unit graph;
};

// ENGINE_PREDICTOR: base64 of one predictor in JSON. Fails (kConfig).
Result<Predictor> decode_predictor(std::string_view base64);
// A SeldonDeployment in YAML or JSON; the predictor of that name. Fails (kConfig).
Result<Predictor> find_predictor(std::string_view text, std::string_view name);

// Fails (kConfig) with what is not served yet: more than one node, payload loggers, built-in
// implementations that draw lots.
Result<void> check_served(const Predictor& predictor);

// The calls that a request for a prediction makes at a node without children, in order; empty: the
// request is the answer. methods win over the type (a MODEL with TRANSFORM_INPUT is not predicted).
std::vector<Step> steps_of(const Unit& unit);
// Whether feedback reaches the unit.
bool takes_feedback(const Unit& unit) noexcept;

// Depth first; nullptr when no node has that name.
const Unit* find_unit(const Unit& graph, std::string_view name) noexcept;

// The path asked at a unit: "/predict", "/v2/models/iris/infer". `model`: the unit's name, or the
// name in the request's path in its stead.
std::string unit_path(Protocol protocol, Step step, std::string_view model);

}  // namespace sluice::executor
