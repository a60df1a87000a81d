#include "compile/defaults.h"

#include <algorithm>
#include <map>
#include <string>

#include "base/text.h"
#include "compile/names.h"
#include "compile/pod.h"

namespace sluice::compile {

using resource::List;
using resource::Map;
using resource::Predictor;
using resource::SeldonDeployment;
using resource::Unit;
using resource::Value;

namespace {

struct Ports {
  std::int64_t http = 0;
  std::int64_t grpc = 0;
};

// Hands out port numbers; a container name keeps its number wherever it recurs.
class Numbering {
 public:
  explicit Numbering(const Settings& settings)
      : next_{settings.unit_http_port, settings.unit_grpc_port},
        next_metrics_(settings.unit_metrics_port) {}

  Ports of(const std::string& container) {
    const auto [found, is_new] = assigned_.try_emplace(container, next_);
    if (is_new) {
      ++next_.http;
      ++next_.grpc;
    }
    return found->second;
  }
  std::int64_t next_metrics() { return next_metrics_++; }

  // Each predictor counts for itself: one that comes or goes must not change the numbers, and with
  // them the pods and the Services that routes in force lead to, of those behind it. The
  // reference has one count over all.
  void next_predictor(const Settings& settings) {
    if (settings.fixes() || settings.local) *this = Numbering(settings);
  }

 private:
  Ports next_;
  std::int64_t next_metrics_;
  std::map<std::string, Ports> assigned_;
};

void complete_unit(Unit& unit) {
  if (!unit.type && !unit.methods && !unit.implementation) unit.type = "MODEL";
  if (!unit.implementation) {
    unit.implementation = "UNKNOWN_IMPLEMENTATION";
  } else if (is_prepackaged(unit)) {
    unit.type = "MODEL";
  }
  for (Unit& child : unit.children) complete_unit(child);
}

class Defaulter {
 public:
  Defaulter(SeldonDeployment& deployment, const Settings& settings)
      : deployment_(deployment),
        settings_(settings),
        separate_(engine_is_separate(deployment, settings)),
        numbering_(settings) {}

  void run() {
    for (Predictor& predictor : deployment_.predictors) {
      numbering_.next_predictor(settings_);
      predictor.labels.try_emplace("version", predictor.name);
      complete_unit(predictor.graph);
      for (std::size_t j = 0; j < predictor.components.size(); ++j) {
        complete_component(predictor, j);
      }
      complete_servers(predictor, predictor.graph);
    }
  }

 private:
  void complete_component(Predictor& predictor, std::size_t index) {
    Map* pod = predictor.components[index].pod.as_map();
    if (pod == nullptr || pod->find("containers") == nullptr) return;
    for (Value& container : list_in(*pod, "containers")) {
      if (!container.is_map()) continue;
      const std::string name(container.at("name").text());
      const Ports ports = numbering_.of(name);
      Unit* unit = find_unit(predictor.graph, name);
      if (unit != nullptr) complete(*container.as_map(), *unit, predictor, index, ports);
    }
  }

  void complete(Map& container, Unit& unit, const Predictor& predictor, std::size_t component,
                Ports ports) {
    set_if_empty(container, "imagePullPolicy", "IfNotPresent");
    set_if_empty(container, "terminationMessagePath", "/dev/termination-log");
    set_if_empty(container, "terminationMessagePolicy", "File");
    if (!unit.endpoint) unit.endpoint.emplace();
    if (const std::int64_t own = port_named(container, "http"); own != 0) ports.http = own;
    if (const std::int64_t own = port_named(container, "grpc"); own != 0) ports.grpc = own;
    if (!settings_.local) mount_pod_info(container);
    List& declared = list_in(container, "ports");
    if (find_named(declared, settings_.unit_metrics_port_name) == nullptr) {
      declared.push_back(
          container_port(settings_.unit_metrics_port_name, numbering_.next_metrics()));
    }
    const bool beside_engine = component == 0 && !separate_;
    const std::string service =
        container_service_name(deployment_.name, predictor.name, container.find("name")->text());
    unit.endpoint->service_host =
        beside_engine ? "localhost" : service + "." + deployment_.namespace_ + ".svc.cluster.local";
    const bool grpc = unit.endpoint->type == "GRPC" || deployment_.transport == "grpc";
    unit.endpoint->service_port = grpc ? ports.grpc : ports.http;
    unit.endpoint->http_port = ports.http;
    unit.endpoint->grpc_port = ports.grpc;
  }

  static void mount_pod_info(Map& container) {
    List& mounts = list_in(container, "volumeMounts");
    // "podinfo" is what versions before 1.2 wrote into manifests.
    for (std::size_t i = 0; i < mounts.size(); ++i) {
      if (mounts[i].at("name").text() != "podinfo") continue;
      std::swap(mounts[i], mounts.back());
      mounts.pop_back();
      break;
    }
    mount(container, "seldon-podinfo", "/etc/podinfo", false);
  }

  void complete_servers(Predictor& predictor, Unit& unit) {
    if (is_prepackaged(unit)) complete_server(predictor, unit);
    for (Unit& child : unit.children) complete_servers(predictor, child);
  }

  void complete_server(Predictor& predictor, Unit& unit) {
    FoundContainer found = find_container(predictor, unit.name);
    Map made;
    const bool is_new = found.container == nullptr;
    if (is_new) {
      made.set("name", unit.name);
      found.container = &made;
    }
    complete(*found.container, unit, predictor, found.component, numbering_.of(unit.name));
    if (deployment_.protocol != "tensorflow" && !settings_.local) {
      const std::string image = server_image(settings_, *unit.implementation, deployment_.protocol);
      if (!image.empty()) set_if_empty(*found.container, "image", image);
    }
    if (!is_new) return;
    if (predictor.components.empty()) predictor.components.emplace_back();
    Value& pod = predictor.components.front().pod;
    if (!pod.is_map()) pod = Map{};
    list_in(*pod.as_map(), "containers").emplace_back(std::move(made));
  }

  SeldonDeployment& deployment_;
  const Settings& settings_;
  const bool separate_;
  Numbering numbering_;
};

bool is_true(const std::string* word) {
  return word != nullptr && equal_ignoring_case(*word, "true");
}

const std::string* lookup(const resource::TextMap& texts, std::string_view key) {
  const auto found = texts.find(key);
  return found == texts.end() ? nullptr : &found->second;
}

}  // namespace

bool is_builtin(std::string_view implementation) noexcept {
  return implementation == "SIMPLE_MODEL" || implementation == "SIMPLE_ROUTER" ||
         implementation == "RANDOM_ABTEST" || implementation == "AVERAGE_COMBINER";
}

bool is_prepackaged(const Unit& unit) noexcept {
  return unit.implementation && !unit.implementation->empty() &&
         *unit.implementation != "UNKNOWN_IMPLEMENTATION" && !is_builtin(*unit.implementation);
}

Unit* find_unit(Unit& root, std::string_view name) noexcept {
  if (root.name == name) return &root;
  for (Unit& child : root.children) {
    if (Unit* found = find_unit(child, name); found != nullptr) return found;
  }
  return nullptr;
}

const Unit* find_unit(const Unit& root, std::string_view name) noexcept {
  return find_unit(const_cast<Unit&>(root), name);  // only looks
}

FoundContainer find_container(Predictor& predictor, std::string_view name) {
  for (std::size_t j = 0; j < predictor.components.size(); ++j) {
    Map* pod = predictor.components[j].pod.as_map();
    Value* containers = pod == nullptr ? nullptr : pod->find("containers");
    List* list = containers == nullptr ? nullptr : containers->as_list();
    if (list == nullptr) continue;
    if (Map* found = find_named(*list, name); found != nullptr) return {j, found};
  }
  return {};
}

bool engine_is_separate(const SeldonDeployment& deployment, const Settings& settings) {
  constexpr std::string_view kKey = "seldon.io/engine-separate-pod";
  const std::string* word = lookup(deployment.annotations, kKey);
  if (word == nullptr && settings.fixes()) word = lookup(deployment.metadata_annotations, kKey);
  return is_true(word);
}

bool runs_without_engine(const Predictor& predictor, const Settings& settings) {
  return settings.local || is_true(lookup(predictor.annotations, "seldon.io/no-engine"));
}

void apply_defaults(SeldonDeployment& deployment, const Settings& settings) {
  Defaulter(deployment, settings).run();
}

}  // namespace sluice::compile
