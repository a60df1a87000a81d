// One machine: what it cannot do is said, not dropped; XGBoost models are served by our own binary.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "compile/defaults.h"
#include "compile/pod.h"
#include "compile/wire_detail.h"

namespace sluice::compile {

using resource::ComponentSpec;
using resource::List;
using resource::Map;
using resource::Predictor;
using resource::Unit;
using resource::Value;

namespace {

constexpr std::string_view kNotApplied = "not-applied-locally";
constexpr std::string_view kNotYet = "not-yet";
constexpr std::string_view kWarning = "not applied on one machine";

// Of a container, what a process has, and what says nothing to one.
constexpr std::array<std::string_view, 14> kContainerFields{"name",
                                                            "image",
                                                            "command",
                                                            "args",
                                                            "env",
                                                            "workingDir",
                                                            "ports",
                                                            "readinessProbe",
                                                            "livenessProbe",
                                                            "startupProbe",
                                                            "lifecycle",
                                                            "imagePullPolicy",
                                                            "terminationMessagePath",
                                                            "terminationMessagePolicy"};
constexpr std::array<std::string_view, 5> kPodFields{"containers", "terminationGracePeriodSeconds",
                                                     "restartPolicy", "dnsPolicy", "schedulerName"};

bool is_empty(const Value& value) {
  return value.is_null() || (value.is_map() && value.map().empty()) ||
         (value.is_list() && value.list().empty());
}

class Local {
 public:
  Local(const resource::SeldonDeployment& deployment, const Settings& settings, Report& report)
      : deployment_(deployment), settings_(settings), report_(report) {}

  void check() {
    if (deployment_.server_type == "kafka") {
      report_.error("spec.serverType", std::string(kNotYet),
                    "Kafka is not read on one machine yet");
    }
    check_annotations_of(deployment_.annotations, "spec.annotations");
    check_annotations_of(deployment_.metadata_annotations, "metadata.annotations");
    for (const Predictor& predictor : deployment_.predictors) check_predictor(predictor);
  }

 private:
  void not_applied(std::string field) {
    report_.warning(std::move(field), std::string(kNotApplied), std::string(kWarning));
  }

  // Those that speak to the orchestrator, to Services, or to Ambassador.
  void check_annotations_of(const resource::TextMap& annotations, const std::string& path) {
    for (const auto& [key, value] : annotations) {
      const bool other =
          key.starts_with("seldon.io/engine-") || key.starts_with("seldon.io/executor-") ||
          key.starts_with("seldon.io/rest-") || key.starts_with("seldon.io/grpc-") ||
          key.starts_with("seldon.io/ambassador-") || key == "seldon.io/headless-svc" ||
          key == "seldon.io/no-storage-initializer";
      if (other) not_applied(fmt::format("{}[\"{}\"]", path, key));
    }
  }

  void check_predictor(const Predictor& predictor) {
    const std::string& field = predictor.origin.field;
    check_annotations_of(predictor.annotations, field + ".annotations");
    const std::size_t units = count_units(predictor.graph);
    if (units > 1) {
      report_.error(
          predictor.graph.origin.field, std::string(kNotYet),
          fmt::format("graphs of more than one node do not run on one machine yet; this one has {}",
                      units),
          "serve each node as a SeldonDeployment of its own");
    } else {
      check_unit(predictor, predictor.graph);
    }
    if (predictor.explainer && !predictor.explainer->type.empty())
      not_applied(field + ".explainer");
    if (!predictor.cert_secret_name.empty()) not_applied(field + ".ssl");
    if (predictor.progress_deadline_seconds) not_applied(field + ".progressDeadlineSeconds");
    if (!is_empty(predictor.orchestrator_resources)) not_applied(field + ".svcOrchSpec.resources");
    if (!predictor.orchestrator_env.empty()) not_applied(field + ".svcOrchSpec.env");
    if (predictor.orchestrator_replicas) not_applied(field + ".svcOrchSpec.replicas");
    for (const ComponentSpec& component : predictor.components) check_component(component);
  }

  void check_unit(const Predictor& predictor, const Unit& unit) {
    const std::string& field = unit.origin.field;
    if (unit.logger) not_applied(field + ".logger");
    if (!unit.service_account_name.empty()) not_applied(field + ".serviceAccountName");
    if (!unit.env_secret_ref_name.empty()) not_applied(field + ".envSecretRefName");
    if (!unit.storage_initializer_image.empty()) not_applied(field + ".storageInitializerImage");
    const bool has_command = runs_command(predictor, unit.name);
    if (is_prepackaged(unit)) {
      if (!has_command && !settings_.servers.contains(*unit.implementation)) {
        // Said already: no such server anywhere.
      } else if (!has_command && *unit.implementation != "XGBOOST_SERVER") {
        report_.error(field + ".implementation", std::string(kNotYet),
                      fmt::format("{} is not built in yet; on one machine XGBOOST_SERVER is",
                                  *unit.implementation),
                      "give the unit a container with a command");
      } else if (!has_command) {
        check_model_uri(unit);
      }
    } else if (unit.implementation && is_builtin(*unit.implementation)) {
      report_.error(field + ".implementation", std::string(kNotYet),
                    fmt::format("{} does not run on one machine yet", *unit.implementation));
    } else if (unit.model_uri.find("://") != std::string::npos &&
               !unit.model_uri.starts_with("file://")) {
      report_.warning(
          field + ".modelUri", std::string(kNotApplied),
          "nothing is downloaded on one machine: the container gets the URI as MLSERVER_MODEL_URI");
    }
  }

  void check_model_uri(const Unit& unit) {
    if (unit.model_uri.find("://") == std::string::npos || unit.model_uri.starts_with("file://"))
      return;
    report_.error(unit.origin.field + ".modelUri", std::string(kNotYet),
                  fmt::format("models are not fetched from {} yet",
                              unit.model_uri.substr(0, unit.model_uri.find("://") + 3)),
                  "use a path, relative to this file or absolute");
  }

  static bool runs_command(const Predictor& predictor, std::string_view name) {
    for (const ComponentSpec& component : predictor.components) {
      for (const Value& container : component.containers()) {
        if (container.at("name").text() == name) return !container.at("command").list().empty();
      }
    }
    return false;
  }

  void check_component(const ComponentSpec& component) {
    const std::string& field = component.origin.field;
    check_annotations_of(component.annotations, field + ".metadata.annotations");
    if (component.hpa) not_applied(field + ".hpaSpec");
    if (!component.keda.is_null()) not_applied(field + ".kedaSpec");
    if (component.pdb) not_applied(field + ".pdbSpec");
    for (const resource::Member& member : component.pod.map()) {
      const bool known =
          std::find(kPodFields.begin(), kPodFields.end(), member.key) != kPodFields.end();
      if (!known && !is_empty(member.value))
        not_applied(fmt::format("{}.spec.{}", field, member.key));
    }
    const List& containers = component.containers();
    for (std::size_t i = 0; i < containers.size(); ++i) {
      const std::string path = fmt::format("{}.spec.containers[{}]", field, i);
      for (const resource::Member& member : containers[i].map()) {
        const bool known = std::find(kContainerFields.begin(), kContainerFields.end(),
                                     member.key) != kContainerFields.end();
        if (!known && !is_empty(member.value)) not_applied(fmt::format("{}.{}", path, member.key));
      }
      const List& env = containers[i].at("env").list();
      for (std::size_t k = 0; k < env.size(); ++k) {
        if (!env[k].at("valueFrom").is_null())
          not_applied(fmt::format("{}.env[{}].valueFrom", path, k));
      }
    }
  }

  const resource::SeldonDeployment& deployment_;
  const Settings& settings_;
  Report& report_;
};

}  // namespace

void check_local(const resource::SeldonDeployment& deployment, const Settings& settings,
                 Report& report) {
  Local(deployment, settings, report).check();
}

void wire_local_server(const Wire& wire, Map& container, const Unit& unit) {
  if (!list_in(container, "command").empty()) return;
  const bool v2 = wire.deployment.protocol == "v2" || wire.deployment.protocol == "kfserving";
  container.erase("image");
  container.erase("args");
  container.set("command",
                List{kSelfCommand, "model", "--implementation", *unit.implementation, "--name",
                     unit.name, "--model-uri", unit.model_uri, "--protocol", v2 ? "v2" : "seldon"});
}

}  // namespace sluice::compile
