#include "usage/usage.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "resource/seldon_deployment.h"

namespace sluice::usage {

using resource::Map;
using resource::Value;

namespace {

constexpr std::array<std::string_view, 11> kKnownUnits = {
    "SIMPLE_MODEL",   "SIMPLE_ROUTER",      "RANDOM_ABTEST", "AVERAGE_COMBINER",
    "SKLEARN_SERVER", "XGBOOST_SERVER",     "MLFLOW_SERVER", "TENSORFLOW_SERVER",
    "TRITON_SERVER",  "HUGGINGFACE_SERVER", "TEMPO_SERVER"};

std::string unit_word(const resource::Unit& unit) {
  const std::string name = unit.implementation.value_or("");
  if (name.empty() || name == "UNKNOWN_IMPLEMENTATION") return "custom";
  return std::find(kKnownUnits.begin(), kKnownUnits.end(), name) == kKnownUnits.end() ? "other"
                                                                                      : name;
}

std::string protocol_word(const std::string& protocol) {
  if (protocol.empty() || protocol == "seldon") return "seldon";
  if (protocol == "v2" || protocol == "kfserving") return "v2";
  return protocol == "tensorflow" ? protocol : "other";
}

std::string state_word(std::string_view state) {
  return state == "Available" || state == "Failed" ? std::string(state) : "Creating";
}

void add_units(Usage& usage, const resource::Unit& unit) {
  ++usage.units[unit_word(unit)];
  for (const resource::Unit& child : unit.children) add_units(usage, child);
}

Map to_map(const std::map<std::string, std::int64_t>& counts) {
  Map map;
  for (const auto& [name, count] : counts) map.set(name, count);
  return map;
}

void append(std::string& out, std::string_view name, std::string_view help, std::int64_t count) {
  out += fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n{0} {2}\n", name, help, count);
}

void append(std::string& out, std::string_view name, std::string_view help, std::string_view label,
            const std::map<std::string, std::int64_t>& counts) {
  out += fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", name, help);
  for (const auto& [value, count] : counts)
    out += fmt::format("{}{{{}=\"{}\"}} {}\n", name, label, value, count);
}

}  // namespace

void add(Usage& usage, const resource::Object& seldon_deployment) {
  resource::Diagnostics unheard;  // what can be read of it counts
  const resource::SeldonDeployment read =
      resource::read_seldon_deployment(seldon_deployment, unheard);
  ++usage.deployments;
  ++usage.states[state_word(seldon_deployment.status().at("state").text())];
  ++usage.protocols[protocol_word(read.protocol)];
  int with_traffic = 0;
  for (const resource::Predictor& predictor : read.predictors) {
    ++usage.predictors;
    usage.shadows += predictor.shadow ? 1 : 0;
    usage.explainers += predictor.explainer && !predictor.explainer->type.empty() ? 1 : 0;
    with_traffic += !predictor.shadow && predictor.traffic > 0 ? 1 : 0;
    add_units(usage, predictor.graph);
  }
  usage.split += with_traffic > 1 ? 1 : 0;
}

Value to_value(const Usage& usage, const std::string& version, const std::string& instance) {
  return Map{{"schema", "sluice-usage/1"},     {"version", version},
             {"instance", instance},           {"seldonDeployments", usage.deployments},
             {"states", to_map(usage.states)}, {"protocols", to_map(usage.protocols)},
             {"predictors", usage.predictors}, {"shadows", usage.shadows},
             {"explainers", usage.explainers}, {"splitDeployments", usage.split},
             {"units", to_map(usage.units)}};
}

void append_metrics(std::string& out, const Usage& usage) {
  append(out, "sluice_usage_deployments", "SeldonDeployments by protocol.", "protocol",
         usage.protocols);
  append(out, "sluice_usage_predictors", "Predictors, shadows included.", usage.predictors);
  append(out, "sluice_usage_shadows", "Predictors that are shadows.", usage.shadows);
  append(out, "sluice_usage_explainers", "Explainers.", usage.explainers);
  append(out, "sluice_usage_split_deployments",
         "SeldonDeployments with several predictors that have traffic.", usage.split);
  append(out, "sluice_usage_units", "Nodes of graphs by implementation.", "implementation",
         usage.units);
}

}  // namespace sluice::usage
