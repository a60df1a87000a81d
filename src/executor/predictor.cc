#include "executor/predictor.h"

#include <algorithm>

#include "base/limits.h"
#include "resource/kubernetes.h"
#include "resource/parse.h"
#include "resource/read.h"

namespace sluice::executor {

namespace {

using resource::Value;

std::uint16_t port_of(const Value& value) noexcept {
  const std::int64_t port = value.integer();
  return port > 0 && port <= 65'535 ? static_cast<std::uint16_t>(port) : 0;
}

// Container images by container name, for the labels of metrics.
void set_image(Unit& unit, const Value& component_specs) {
  for (const Value& component : component_specs.list()) {
    for (const Value& container : component.at("spec").at("containers").list()) {
      if (container.at("name").text() != unit.name) continue;
      const std::string_view image = container.at("image").text();
      const auto colon = image.find(':');
      unit.image = image.substr(0, colon);
      const bool one = colon != std::string_view::npos && image.rfind(':') == colon;
      unit.image_version = one ? image.substr(colon + 1) : "";
      return;
    }
  }
}

// Recursion is bounded: documents nest at most limits::kDocumentNestingMax deep.
Unit make_unit(const Value& value, const Value& component_specs) {
  Unit unit;
  unit.name = value.at("name").text();
  unit.type = value.at("type").text();
  unit.implementation = value.at("implementation").text();
  for (const Value& method : value.at("methods").list()) unit.methods.emplace_back(method.text());
  const Value& endpoint = value.at("endpoint");
  unit.service_host = endpoint.at("service_host").text();
  unit.service_port = port_of(endpoint.at("service_port"));
  unit.http_port = port_of(endpoint.at("httpPort"));
  unit.has_logger = value.at("logger").is_map();
  set_image(unit, component_specs);
  for (const Value& child : value.at("children").list()) {
    unit.children.push_back(make_unit(child, component_specs));
  }
  return unit;
}

Result<Predictor> make_predictor(const Value& value) {
  if (!value.at("graph").is_map()) return fail(Blame::kConfig, "the predictor has no graph");
  Predictor predictor;
  predictor.name = value.at("name").text();
  predictor.version = value.at("annotations").at("version").text();
  predictor.graph = make_unit(value.at("graph"), value.at("componentSpecs"));
  if (predictor.graph.name.empty()) return fail(Blame::kConfig, "the graph's node has no name");
  return predictor;
}

}  // namespace

Result<Protocol> parse_protocol(std::string_view text) {
  if (text.empty() || text == "seldon") return Protocol::kSeldon;
  if (text == "tensorflow") return Protocol::kTensorflow;
  if (text == "v2" || text == "kfserving") return Protocol::kV2;
  return fail(Blame::kConfig, "Protocol must be seldon, tensorflow or v2");
}

bool Unit::has_method(std::string_view method) const noexcept {
  return std::find(methods.begin(), methods.end(), method) != methods.end();
}

Result<Predictor> decode_predictor(std::string_view base64) {
  const auto text = resource::decode_base64(base64);
  if (!text) return fail(Blame::kConfig, "is not base64", "ENGINE_PREDICTOR");
  if (text->size() > limits::kDocumentBytesMax || resource::find_bad_character(*text, 1)) {
    return fail(Blame::kConfig, "is no JSON text", "ENGINE_PREDICTOR");
  }
  resource::Budget budget;
  const resource::Parsed parsed = resource::parse_json(*text, 1, budget);
  if (parsed.failure || parsed.documents.size() != 1) {
    return fail(Blame::kConfig, parsed.failure ? parsed.failure->what : "is not one JSON document",
                "ENGINE_PREDICTOR");
  }
  auto predictor = make_predictor(parsed.documents.front().root);
  if (!predictor) return tl::unexpected<Error>(within("ENGINE_PREDICTOR", predictor.error()));
  return predictor;
}

Result<Predictor> find_predictor(std::string_view text, std::string_view name) {
  const resource::ReadResult read = resource::read(text, nullptr);
  for (const resource::Object& object : read.objects) {
    for (const Value& value : object.root.at("spec").at("predictors").list()) {
      if (value.at("name").text() == name) return make_predictor(value);
    }
  }
  return fail(Blame::kConfig, "Predictor not found " + std::string(name));
}

Result<void> check_served(const Predictor& predictor) {
  const Unit& unit = predictor.graph;
  const std::string where = "predictor " + predictor.name + ": node " + unit.name;
  if (!unit.children.empty()) {
    return fail(Blame::kConfig, "has children, and graphs of more than one node are not served yet",
                where);
  }
  if (unit.has_logger) {
    return fail(Blame::kConfig, "has a logger, and payload logging is not served yet", where);
  }
  if (unit.implementation == "RANDOM_ABTEST") {
    return fail(Blame::kConfig, "is a RANDOM_ABTEST without children", where);
  }
  const bool called = !steps_of(unit).empty() || takes_feedback(unit);
  if (called && (unit.service_host.empty() || unit.http_port == 0)) {
    return fail(Blame::kConfig, "has no endpoint: service_host and httpPort are needed", where);
  }
  return {};
}

std::vector<Step> steps_of(const Unit& unit) {
  std::vector<Step> steps;
  if (unit.type == "TRANSFORMER" || unit.has_method("TRANSFORM_INPUT")) {
    steps.push_back(Step::kTransformInput);
  } else if (unit.type == "MODEL") {
    steps.push_back(Step::kPredict);
  }
  if (unit.type == "OUTPUT_TRANSFORMER" || unit.has_method("TRANSFORM_OUTPUT")) {
    steps.push_back(Step::kTransformOutput);
  }
  return steps;
}

bool takes_feedback(const Unit& unit) noexcept {
  return unit.type == "MODEL" || unit.type == "ROUTER" || unit.has_method("SEND_FEEDBACK");
}

const Unit* find_unit(const Unit& graph, std::string_view name) noexcept {
  if (graph.name == name) return &graph;
  for (const Unit& child : graph.children) {
    if (const Unit* found = find_unit(child, name); found != nullptr) return found;
  }
  return nullptr;
}

std::string unit_path(Protocol protocol, Step step, std::string_view model) {
  const std::string name(model);
  if (step == Step::kTransformInput) return "/transform-input";
  if (step == Step::kTransformOutput) return "/transform-output";
  if (step == Step::kFeedback) return "/send-feedback";
  switch (protocol) {
    case Protocol::kSeldon:
      break;
    case Protocol::kTensorflow:
      if (step == Step::kPredict) return "/v1/models/" + name + ":predict";
      if (step == Step::kStatus) return "/v1/models/" + name;
      return "/v1/models/" + name + "/metadata";
    case Protocol::kV2:
      if (step == Step::kPredict) return "/v2/models/" + name + "/infer";
      if (step == Step::kStatus) return "/v2/models/" + name + "/ready";
      return "/v2/models/" + name;
  }
  if (step == Step::kPredict) return "/predict";
  return step == Step::kStatus ? "/health/status" : "/metadata";
}

}  // namespace sluice::executor
