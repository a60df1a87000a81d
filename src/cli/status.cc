#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "cli/input.h"
#include "cli/live.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

using resource::Object;
using resource::ObjectKey;
using resource::Value;

struct Part {
  std::string kind;
  std::string name;
  std::string stands;   // "2/2 ready", "1 endpoint"
  std::string problem;  // "" when well
};

struct Report {
  const Object* deployment = nullptr;
  std::string ready = "-";  // "2/2": pods of all its Deployments
  std::vector<Part> parts;
  std::vector<std::string> findings;  // what routing has to say about its objects
};

// All that belongs to SeldonDeployments, by namespace and name of the SeldonDeployment.
using Owned = std::map<std::pair<std::string, std::string>, Objects>;

const Value* controller_of(const Object& object, std::string_view kind) {
  for (const Value& owner : object.metadata().at("ownerReferences").list()) {
    if (owner.at("controller").flag() && owner.at("kind").text() == kind) return &owner;
  }
  return nullptr;
}

void add_owned(Owned& owned, const Objects& objects) {
  for (const auto& object : objects) {
    if (const Value* owner = controller_of(*object, "SeldonDeployment"); owner != nullptr)
      owned[{object->namespace_, std::string(owner->at("name").text())}].push_back(object);
  }
}

// The first thing that a container waits for, or ended with: "classifier: ImagePullBackOff: ...".
std::string trouble_of(const Object& pod) {
  for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
    for (const Value& container : pod.status().at(list).list()) {
      const Value& waiting = container.at("state").at("waiting");
      const Value& ended = container.at("lastState").at("terminated");
      const auto reason = waiting.at("reason").text();
      if (reason.empty() || reason == "ContainerCreating" || reason == "PodInitializing") continue;
      std::string said = fmt::format("{}: {}", container.at("name").text(), reason);
      if (const auto message = waiting.at("message").text(); !message.empty())
        said += fmt::format(": {}", message);
      if (!ended.is_null())
        said += fmt::format(" (last ended with {})", ended.at("exitCode").integer());
      return said;
    }
  }
  for (const Value& condition : pod.status().at("conditions").list()) {
    if (condition.at("type").text() == "PodScheduled" && condition.at("status").text() == "False")
      return std::string(condition.at("message").text());
  }
  return {};
}

bool is_selected(const Object& pod, const Object& deployment) {
  const auto& wanted = deployment.spec().at("selector").at("matchLabels").map();
  return !wanted.empty() &&
         std::all_of(wanted.begin(), wanted.end(), [&](const resource::Member& each) {
           return pod.label(each.key) == each.value.text();
         });
}

Part part_of_deployment(const Object& deployment, const Objects& pods) {
  const std::int64_t wanted = deployment.spec().at("replicas").integer(1);
  const std::int64_t ready = deployment.status().at("readyReplicas").integer();
  Part part{"Deployment", deployment.name, fmt::format("{}/{} ready", ready, wanted), {}};
  // A new version that does not start leaves the old pods ready.
  const bool is_rolling = deployment.status().at("unavailableReplicas").integer() > 0;
  if (ready >= wanted && !is_rolling) return part;
  for (const auto& pod : pods) {
    if (pod->namespace_ != deployment.namespace_ || !is_selected(*pod, deployment)) continue;
    part.problem = trouble_of(*pod);
    if (!part.problem.empty()) {
      part.problem = fmt::format("pod {}: {}", pod->name, part.problem);
      return part;
    }
  }
  for (const Value& condition : deployment.status().at("conditions").list()) {
    const bool is_bad = condition.at("status").text() ==
                        (condition.at("type").text() == "ReplicaFailure" ? "True" : "False");
    if (is_bad) part.problem = condition.at("message").text();
  }
  return part;
}

Part part_of_service(const Object& service, const std::map<ObjectKey, std::int64_t>& endpoints) {
  const auto found = endpoints.find(service.key());
  const std::int64_t count = found == endpoints.end() ? 0 : found->second;
  Part part{"Service",
            service.name,
            fmt::format("{} {}", count, count == 1 ? "endpoint" : "endpoints"),
            {}};
  if (count == 0) part.problem = "no pod behind it is ready: requests to it end with 503";
  return part;
}

std::string text_of_list(const Value& list) {
  std::string text;
  for (const Value& each : list.list()) {
    if (!text.empty()) text += ", ";
    text += each.text();
  }
  return text;
}

Part part_of(const Object& object, const Objects& pods,
             const std::map<ObjectKey, std::int64_t>& endpoints) {
  if (object.kind == "Deployment") return part_of_deployment(object, pods);
  if (object.kind == "Service") return part_of_service(object, endpoints);
  if (object.kind == "VirtualService") {
    return {object.kind,
            object.name,
            fmt::format("hosts {}, gateways {}", text_of_list(object.spec().at("hosts")),
                        text_of_list(object.spec().at("gateways"))),
            {}};
  }
  if (object.kind == "DestinationRule")
    return {object.kind, object.name, fmt::format("host {}", object.spec().at("host").text()), {}};
  return {object.kind, object.name, "there", {}};
}

std::map<ObjectKey, std::int64_t> endpoints_of(const Objects& objects) {
  std::map<ObjectKey, std::int64_t> counts;
  for (const auto& slice : objects) {
    if (slice->kind != "EndpointSlice") continue;
    std::int64_t& count = counts[ObjectKey{
        "", "Service", slice->namespace_, std::string(slice->label("kubernetes.io/service-name"))}];
    for (const Value& endpoint : slice->root.at("endpoints").list())
      count += endpoint.at("conditions").at("ready").flag(true) ? 1 : 0;
  }
  return counts;
}

struct World {
  Owned owned;
  Objects pods;
  std::map<ObjectKey, std::int64_t> endpoints;
  resource::Diagnostics diagnostics;
};

// What is needed to say more than a line about these.
Result<World> read_world(Live& live, const Objects& deployments, bool details) {
  World world;
  std::set<std::string> namespaces;
  for (const auto& each : deployments) namespaces.insert(each->namespace_);
  for (const std::string& namespace_ : namespaces) {
    SLUICE_TRY(const Objects children, live.list("apps", "Deployment", namespace_));
    add_owned(world.owned, children);
  }
  if (!details) return world;
  for (const std::string& namespace_ : namespaces) {
    SLUICE_TRY(const Objects pods, live.list("", "Pod", namespace_, "seldon-deployment-id"));
    world.pods.insert(world.pods.end(), pods.begin(), pods.end());
    for (const auto& [group, kind] :
         {std::pair{"autoscaling", "HorizontalPodAutoscaler"},
          std::pair{"policy", "PodDisruptionBudget"}, std::pair{"keda.sh", "ScaledObject"}}) {
      // Extras: who may not read them is told the rest.
      if (auto extras = live.list(group, kind, namespace_); extras) add_owned(world.owned, *extras);
    }
  }
  Input input;
  SLUICE_TRY(input.in_force, live.routing(world.diagnostics));
  const Linked linked = link_input(input, {});
  world.diagnostics.insert(world.diagnostics.end(), linked.diagnostics.begin(),
                           linked.diagnostics.end());
  add_owned(world.owned, input.in_force);
  world.endpoints = endpoints_of(input.in_force);
  return world;
}

Report report_on(const Object& deployment, const World& world) {
  Report report;
  report.deployment = &deployment;
  const auto found = world.owned.find({deployment.namespace_, deployment.name});
  if (found == world.owned.end()) return report;
  std::int64_t ready = 0;
  std::int64_t wanted = 0;
  for (const auto& object : found->second) {
    if (object->kind == "Deployment") {
      wanted += object->spec().at("replicas").integer(1);
      ready += object->status().at("readyReplicas").integer();
    }
    report.parts.push_back(part_of(*object, world.pods, world.endpoints));
    for (const resource::Diagnostic& said : world.diagnostics) {
      if (said.object == to_string(object->key())) report.findings.push_back(to_string(said));
    }
  }
  report.ready = fmt::format("{}/{}", ready, wanted);
  return report;
}

std::string state_of(const Object& deployment) {
  const Value& status = deployment.status();
  if (status.at("state").text().empty()) return "-";
  // Written for a spec before this one: the operator is not there yet, or not at all.
  const bool is_old =
      status.at("observedGeneration").integer() > 0 &&
      status.at("observedGeneration").integer() < deployment.metadata().at("generation").integer();
  return std::string(status.at("state").text()) + (is_old ? " (of an earlier spec)" : "");
}

std::string describe(const Report& report) {
  const Object& deployment = *report.deployment;
  std::string text =
      fmt::format("{}/{}  {}\n", deployment.namespace_, deployment.name, state_of(deployment));
  if (const auto said = deployment.status().at("description").text(); !said.empty())
    text += fmt::format("  said      {}\n", said);
  if (deployment.status().at("state").text().empty())
    text += "  said      nothing yet: is an operator running for this namespace?\n";
  if (const auto traffic = deployment.status().at("traffic").text(); !traffic.empty())
    text += fmt::format("  traffic   {}\n", traffic);
  std::vector<std::vector<std::string>> rows;
  for (const Part& part : report.parts)
    rows.push_back({"  " + part.kind, part.name, part.stands, part.problem});
  if (!rows.empty()) text += table({"  PART", "NAME", "STANDS", "PROBLEM"}, rows);
  for (const std::string& finding : report.findings) text += "  " + finding + "\n";
  return text;
}

Value to_value(const Report& report) {
  const Object& deployment = *report.deployment;
  resource::List parts;
  for (const Part& part : report.parts) {
    parts.push_back(resource::Map{{"kind", part.kind},
                                  {"name", part.name},
                                  {"stands", part.stands},
                                  {"problem", part.problem}});
  }
  resource::List findings;
  for (const std::string& finding : report.findings) findings.emplace_back(finding);
  return resource::Map{{"namespace", deployment.namespace_},
                       {"name", deployment.name},
                       {"state", deployment.status().at("state")},
                       {"description", deployment.status().at("description")},
                       {"traffic", deployment.status().at("traffic")},
                       {"ready", report.ready},
                       {"generation", deployment.metadata().at("generation")},
                       {"observedGeneration", deployment.status().at("observedGeneration")},
                       {"parts", std::move(parts)},
                       {"findings", std::move(findings)}};
}

}  // namespace

int status(const StatusOptions& options) {
  const auto deployments = options.live->deployments();
  if (!deployments) return fail_with(deployments.error());
  const auto world = read_world(*options.live, *deployments, options.details);
  if (!world) return fail_with(world.error());
  std::vector<Report> reports;
  reports.reserve(deployments->size());
  for (const auto& each : *deployments) reports.push_back(report_on(*each, *world));

  bool printed = true;
  if (options.format != Format::kTable) {
    resource::List list;
    for (const Report& report : reports) list.push_back(to_value(report));
    printed = print(Value(std::move(list)), options.format);
  } else if (reports.empty()) {
    printed = print("no SeldonDeployment; -A looks in all namespaces\n");
  } else if (options.details) {
    std::string text;
    for (const Report& report : reports) text += (text.empty() ? "" : "\n") + describe(report);
    printed = print(text);
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const Report& report : reports) {
      const Object& each = *report.deployment;
      rows.push_back({each.namespace_, each.name, state_of(each), report.ready,
                      std::string(each.status().at("traffic").text("-")),
                      std::string(each.status().at("description").text())});
    }
    printed = print(table({"NAMESPACE", "NAME", "STATE", "READY", "TRAFFIC", "SAID"}, rows));
  }
  if (!printed) return kExitFailure;
  const bool all_well = std::all_of(deployments->begin(), deployments->end(), [](const auto& each) {
    return each->status().at("state").text() == "Available";
  });
  return all_well ? kExitOk : kExitFindings;
}

}  // namespace sluice::cli
