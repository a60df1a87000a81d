#include "compile/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "compile/annotations.h"
#include "compile/defaults.h"
#include "compile/names.h"

namespace sluice::compile {

using resource::ComponentSpec;
using resource::Predictor;
using resource::SeldonDeployment;
using resource::Unit;
using resource::Value;

namespace {

// The CRD's schema expands graph.children ten levels deep; an API server drops what is below.
constexpr std::size_t kGraphDepthMax = 10;
// "seldon-app-svc-" + container is the name part of a label key: at most 63 bytes.
constexpr std::size_t kUnitContainerNameBytesMax = 48;

std::string known_words(const std::vector<std::string_view>& words) {
  return fmt::format("one of {}", fmt::join(words, ", "));
}

class Validator {
 public:
  Validator(const SeldonDeployment& deployment, const Settings& settings, Report& report)
      : deployment_(deployment), settings_(settings), report_(report) {}

  void run() {
    check_words();
    check_predictors();
    for (const Predictor& predictor : deployment_.predictors) {
      check_unit(predictor, predictor.graph, 1);
    }
    check_endpoint_types();
    check_traffic();
    if (settings_.fixes()) {
      check_names();
      check_numbers();
    }
    check_annotations(deployment_, settings_, report_);
  }

 private:
  // `word` is empty or one of `words`. Without `strict` only the default profile refuses.
  void check_word(const std::string& field, std::string_view word,
                  const std::vector<std::string_view>& words, std::string code,
                  std::string_view what, bool strict) {
    if (word.empty() || std::find(words.begin(), words.end(), word) != words.end()) return;
    const std::string_view meant = nearest(word, words);
    report_.add(
        strict || settings_.fixes() ? resource::Severity::kError : resource::Severity::kWarning,
        field, std::move(code), fmt::format("{} \"{}\" does not exist", what, word),
        meant.empty() ? known_words(words) : fmt::format("did you mean \"{}\"?", meant));
  }

  void check_words() {
    const std::string& protocol = deployment_.protocol;
    if (protocol == "oip" || protocol == "open-inference") {
      report_.error("spec.protocol", "protocol-unknown",
                    fmt::format("protocol \"{}\" does not exist", protocol),
                    "the Open Inference Protocol is called \"v2\" here");
    } else {
      check_word("spec.protocol", protocol, {"seldon", "tensorflow", "kfserving", "v2"},
                 "protocol-unknown", "protocol", true);
    }
    check_word("spec.transport", deployment_.transport, {"rest", "grpc"}, "transport-unknown",
               "transport", true);
    check_word("spec.serverType", deployment_.server_type, {"rpc", "kafka"}, "server-type-unknown",
               "server type", true);
  }

  void check_predictors() {
    const auto& predictors = deployment_.predictors;
    if (predictors.empty()) {
      report_.error("spec.predictors", "predictors-missing", "there are no predictors", "add one");
    }
    if (predictors.size() == 1 && predictors.front().shadow) {
      report_.error("spec.predictors[0].shadow", "shadow-alone",
                    "the only predictor is a shadow: nothing would answer",
                    "add a predictor that is none");
    }
    std::set<std::string_view> names;
    std::set<std::string_view> services;
    for (const Predictor& predictor : predictors) {
      const std::string& field = predictor.origin.field;
      if (!names.insert(predictor.name).second) {
        report_.error(field + ".name", "predictor-name-duplicate",
                      fmt::format("there is another predictor of the name \"{}\"", predictor.name));
      }
      check_service_name(predictor, services);
      check_kafka(predictor);
      check_no_engine(predictor);
    }
  }

  void check_service_name(const Predictor& predictor, std::set<std::string_view>& services) {
    const auto own = predictor.annotations.find("seldon.io/svc-name");
    if (own == predictor.annotations.end() || services.insert(own->second).second) return;
    report_.error(predictor.origin.field + ".annotations[\"seldon.io/svc-name\"]",
                  "service-name-duplicate",
                  fmt::format("another predictor's Service is called \"{}\", too", own->second));
  }

  void check_kafka(const Predictor& predictor) {
    if (deployment_.server_type != "kafka") return;
    std::size_t found =
        0;  // entries are counted, as the reference does: one name three times is enough there
    std::set<std::string_view> different;
    for (const Value& variable : predictor.orchestrator_env) {
      const std::string_view name = variable.at("name").text();
      if (name != "KAFKA_BROKER" && name != "KAFKA_INPUT_TOPIC" && name != "KAFKA_OUTPUT_TOPIC")
        continue;
      ++found;
      different.insert(name);
    }
    if (found >= 3 && (different.size() == 3 || !settings_.fixes())) return;
    report_.error(predictor.origin.field + ".svcOrchSpec.env", "kafka-env-missing",
                  "serverType kafka needs the variables KAFKA_BROKER, KAFKA_INPUT_TOPIC and "
                  "KAFKA_OUTPUT_TOPIC in svcOrchSpec.env");
  }

  void check_no_engine(const Predictor& predictor) {
    const auto word = predictor.annotations.find("seldon.io/no-engine");
    if (word == predictor.annotations.end() || count_units(predictor.graph) == 1) return;
    if (settings_.fixes() && !equal_ignoring_case(word->second, "true")) return;
    report_.error(
        predictor.origin.field + ".annotations[\"seldon.io/no-engine\"]", "no-engine-graph",
        fmt::format("without an orchestrator a graph has one node; this one has {}",
                    count_units(predictor.graph)),
        settings_.fixes() ? "remove the annotation" : "remove the annotation, whatever its value");
  }

  static const Value* container_of(const Predictor& predictor, std::string_view name) {
    for (const ComponentSpec& component : predictor.components) {
      for (const Value& container : component.containers()) {
        if (container.at("name").text() == name) return &container;
      }
    }
    return nullptr;
  }

  void check_unit(const Predictor& predictor, const Unit& unit, std::size_t depth) {
    const std::string& field = unit.origin.field;
    if (depth > kGraphDepthMax && settings_.fixes()) {
      report_.error(field, "graph-too-deep",
                    fmt::format("the graph is deeper than {} levels", kGraphDepthMax),
                    "an API server drops what is below");
      return;
    }
    if (is_prepackaged(unit)) {
      check_server(predictor, unit);
    } else if (!unit.implementation || !is_builtin(*unit.implementation)) {
      check_own_container(predictor, unit);
    }
    if (unit.logger && unit.logger->mode.empty()) {
      report_.error(field + ".logger", "logger-mode-missing", "logger.mode is missing",
                    "all, request or response");
    } else if (unit.logger) {
      check_word(field + ".logger.mode", unit.logger->mode, {"all", "request", "response"},
                 "logger-mode-unknown", "logger mode", false);
    }
    check_unit_words(unit);
    for (const Unit& child : unit.children) check_unit(predictor, child, depth + 1);
  }

  void check_own_container(const Predictor& predictor, const Unit& unit) {
    if (container_of(predictor, unit.name) == nullptr) {
      std::vector<std::string_view> containers;
      for (const ComponentSpec& component : predictor.components) {
        for (const Value& container : component.containers()) {
          containers.push_back(container.at("name").text());
        }
      }
      const std::string_view meant = nearest(unit.name, containers);
      std::string hint = "add one to componentSpecs, or name an implementation";
      if (!containers.empty())
        hint = fmt::format("the containers are: {}", fmt::join(containers, ", "));
      if (!meant.empty()) hint = fmt::format("did you mean \"{}\"?", meant);
      report_.error(unit.origin.field + ".name", "container-missing",
                    fmt::format("no container is called \"{}\"", unit.name), std::move(hint));
    }
    if (unit.type == "UNKNOWN_TYPE" && (!unit.methods || unit.methods->empty())) {
      report_.error(unit.origin.field + ".type", "methods-missing",
                    fmt::format("\"{}\" has no known type and no methods", unit.name),
                    "give it a type such as MODEL, or list its methods");
    }
  }

  void check_server(const Predictor& predictor, const Unit& unit) {
    const std::string& field = unit.origin.field;
    const std::string& server = *unit.implementation;
    if (unit.model_uri.empty() && server != "HUGGINGFACE_SERVER") {
      report_.error(field + ".modelUri", "model-uri-missing",
                    fmt::format("{} needs a modelUri", server),
                    "where the model is stored, for example s3://bucket/folder");
    }
    const bool speaks_no_tensorflow = server == "SKLEARN_SERVER" || server == "XGBOOST_SERVER" ||
                                      server == "MLFLOW_SERVER" || server == "HUGGINGFACE_SERVER";
    if (deployment_.protocol == "tensorflow" && speaks_no_tensorflow) {
      report_.error(field + ".implementation", "server-protocol",
                    fmt::format("{} does not speak the protocol tensorflow", server),
                    "use v2 or seldon");
    }
    const Value* container = container_of(predictor, unit.name);
    const bool has_image = container != nullptr && !container->at("image").text().empty();
    if (has_image) return;
    const bool runs_own_command =
        settings_.local && container != nullptr && !container->at("command").list().empty();
    if (settings_.servers.find(server) == settings_.servers.end() && !runs_own_command) {
      std::vector<std::string_view> servers;
      for (const auto& known : settings_.servers) servers.push_back(known.first);
      std::string_view meant = nearest(server, servers);
      const auto full = settings_.servers.find(server + "_SERVER");
      if (full != settings_.servers.end()) meant = full->first;
      report_.error(field + ".implementation", "server-unknown",
                    fmt::format("no server is called {}", server),
                    meant.empty() ? fmt::format("the servers are: {}", fmt::join(servers, ", "))
                                  : fmt::format("did you mean {}?", meant));
    } else if (settings_.fixes() && !settings_.local &&
               server_image(settings_, server, deployment_.protocol).empty()) {
      report_.error(field + ".implementation", "server-protocol",
                    fmt::format("{} has no image for the protocol {}", server,
                                deployment_.protocol.empty() ? "seldon" : deployment_.protocol),
                    server == "TENSORFLOW_SERVER"
                        ? "use tensorflow or seldon"
                        : "use protocol v2, or give the container an image");
    }
  }

  void check_unit_words(const Unit& unit) {
    const std::string& field = unit.origin.field;
    check_word(field + ".type", unit.type.value_or(""),
               {"UNKNOWN_TYPE", "ROUTER", "COMBINER", "MODEL", "TRANSFORMER", "OUTPUT_TRANSFORMER"},
               "unit-type-unknown", "type", false);
    const std::vector<std::string> methods = unit.methods.value_or(std::vector<std::string>());
    for (std::size_t i = 0; i < methods.size(); ++i) {
      check_word(fmt::format("{}.methods[{}]", field, i), methods[i],
                 {"TRANSFORM_INPUT", "TRANSFORM_OUTPUT", "ROUTE", "AGGREGATE", "SEND_FEEDBACK"},
                 "method-unknown", "method", false);
    }
    for (std::size_t i = 0; i < unit.parameters.size(); ++i) {
      check_word(fmt::format("{}.parameters[{}].type", field, i), unit.parameters[i].type,
                 {"INT", "FLOAT", "DOUBLE", "STRING", "BOOL"}, "parameter-type-unknown",
                 "parameter type", false);
    }
    if (unit.endpoint) {
      check_word(field + ".endpoint.type", unit.endpoint->type, {"REST", "GRPC"},
                 "endpoint-type-unknown", "endpoint type", false);
    }
  }

  static void collect_endpoint_types(const Unit& unit, std::set<std::string>& types) {
    if (unit.endpoint && !unit.endpoint->type.empty()) types.insert(unit.endpoint->type);
    for (const Unit& child : unit.children) collect_endpoint_types(child, types);
  }

  void check_endpoint_types() {
    std::set<std::string> types;
    for (const Predictor& predictor : deployment_.predictors)
      collect_endpoint_types(predictor.graph, types);
    if (types.size() > 1) {
      report_.error("spec.predictors", "endpoint-types-mixed",
                    "the units' endpoint.type must be the same everywhere",
                    "remove them and set spec.transport");
    }
    if (types.size() != 1 || deployment_.transport.empty()) return;
    const std::string& type = *types.begin();
    if ((type == "REST" && deployment_.transport != "rest") ||
        (type == "GRPC" && deployment_.transport != "grpc")) {
      report_.error("spec.transport", "endpoint-type-transport",
                    fmt::format("the transport is {}, but an endpoint.type is {}",
                                deployment_.transport, type),
                    "remove endpoint.type");
    }
  }

  void check_traffic() {
    const auto& predictors = deployment_.predictors;
    std::size_t shadows = 0;
    std::int64_t sum = 0;
    for (const Predictor& predictor : predictors) {
      const std::string field = predictor.origin.field + ".traffic";
      if (!predictor.shadow) sum += predictor.traffic;
      if (predictor.shadow && ++shadows > 1) {
        report_.error(predictor.origin.field + ".shadow", "shadows-several",
                      "there can be one shadow", "Envoy mirrors a request to one place");
      }
      if (predictor.traffic >= 0 && predictor.traffic <= 100) continue;
      if (predictor.shadow) {
        report_.error(
            field, "shadow-traffic",
            fmt::format("a shadow's traffic is a percentage, 0 to 100, not {}", predictor.traffic));
      } else if (settings_.fixes()) {
        report_.error(field, "traffic-range",
                      fmt::format("traffic is a percentage, 0 to 100, not {}", predictor.traffic));
      }
    }
    if (predictors.size() > shadows + 1 && sum != 100) {
      report_.error("spec.predictors", "traffic-sum",
                    fmt::format("traffic of the predictors adds up to {}, not 100", sum),
                    "give each predictor that is no shadow its traffic");
    }
    if (predictors.size() == 1 && sum > 0 && sum < 100) {
      report_.error("spec.predictors[0].traffic", "traffic-single",
                    fmt::format("the only predictor has traffic {}; it gets everything", sum),
                    "100, or leave it out");
    }
  }

  void check_replicas(const std::string& field, const std::optional<std::int64_t>& replicas) {
    if (replicas.value_or(0) >= 0) return;
    report_.error(field, "replicas-negative", fmt::format("replicas cannot be {}", *replicas));
  }

  // What Kubernetes would refuse in the objects that are made of it, when half of the others are
  // there already.
  void check_numbers() {
    check_replicas("spec.replicas", deployment_.replicas);
    for (const Predictor& predictor : deployment_.predictors) {
      check_replicas(predictor.origin.field + ".replicas", predictor.replicas);
      check_replicas(predictor.origin.field + ".svcOrchSpec.replicas",
                     predictor.orchestrator_replicas);
      for (const ComponentSpec& component : predictor.components) check_scaling(component);
    }
  }

  void check_scaling(const ComponentSpec& component) {
    const std::string& field = component.origin.field;
    check_replicas(field + ".replicas", component.replicas);
    if (component.hpa) {
      const std::int64_t least = component.hpa->min_replicas.value_or(1);
      if (component.hpa->max_replicas < 1 || component.hpa->max_replicas < least) {
        report_.error(
            field + ".hpaSpec.maxReplicas", "hpa-bounds",
            fmt::format("maxReplicas is {}: it must be at least 1 and not below minReplicas ({})",
                        component.hpa->max_replicas, least));
      }
    }
    if (component.pdb && !component.pdb->min_available.is_null() &&
        !component.pdb->max_unavailable.is_null()) {
      report_.error(field + ".pdbSpec", "pdb-both",
                    "minAvailable and maxUnavailable exclude each other", "remove one of them");
    }
  }

  void check_name(const std::string& field, std::string_view name, std::string_view what) {
    if (is_dns_label(name)) return;
    report_.error(
        field, "name-invalid",
        fmt::format("\"{}\" cannot be the name of a {}: lower case letters, digits and \"-\", "
                    "at most 63, starting and ending with a letter or digit",
                    name, what));
  }

  void check_names() {
    for (const Predictor& predictor : deployment_.predictors) {
      check_name(predictor.origin.field + ".name", predictor.name, "predictor");
      if (const auto version = predictor.labels.find("version");
          version != predictor.labels.end() && !is_label_value(version->second)) {
        report_.error(predictor.origin.field + ".labels[\"version\"]", "label-invalid",
                      fmt::format("\"{}\" cannot be the value of a label", version->second));
      }
      for (const ComponentSpec& component : predictor.components)
        check_container_names(predictor, component);
      if (predictor.explainer && !predictor.explainer->type.empty()) {
        check_word(predictor.explainer->origin.field + ".type", predictor.explainer->type,
                   {"AnchorTabular", "AnchorImages", "AnchorText", "Counterfactuals", "Contrastive",
                    "KernelShap", "IntegratedGradients", "ALE", "TreeShap"},
                   "explainer-type-unknown", "explainer type", true);
      }
    }
  }

  void check_container_names(const Predictor& predictor, const ComponentSpec& component) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < component.containers().size(); ++i) {
      const std::string_view name = component.containers()[i].at("name").text();
      const std::string field =
          fmt::format("{}.spec.containers[{}].name", component.origin.field, i);
      check_name(field, name, "container");
      if (!names.insert(name).second) {
        report_.error(field, "container-name-duplicate",
                      fmt::format("there is another container of the name \"{}\"", name));
      }
      if (name.size() > kUnitContainerNameBytesMax && name.size() <= kNameBytesMax &&
          find_unit(predictor.graph, name) != nullptr) {
        report_.error(
            field, "name-invalid",
            fmt::format("\"{}\" is longer than {} characters: its label seldon-app-svc-{} would be "
                        "longer than 63",
                        name, kUnitContainerNameBytesMax, name));
      }
    }
  }

  const SeldonDeployment& deployment_;
  const Settings& settings_;
  Report& report_;
};

}  // namespace

void validate(const SeldonDeployment& deployment, const Settings& settings, Report& report) {
  Validator(deployment, settings, report).run();
}

}  // namespace sluice::compile
