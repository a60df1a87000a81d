#include "operator/status.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

namespace sluice::operator_ {

using resource::List;
using resource::Map;
using resource::Object;
using resource::ObjectKey;
using resource::Value;

namespace {

Map begun(const Observed& observed, std::string_view state, std::string_view description) {
  Map status{{"state", state}};
  if (!description.empty()) status.set("description", description);
  status.set("observedGeneration", observed.deployment->metadata().at("generation"));
  return status;
}

// "stable 90, canary 10": how the traffic is split once the routes are in force; until then what
// the last status says. Not Seldon's field: a table of kubectl shows one value a column, and no
// list.
Value traffic_of(const Object& deployment, bool settled) {
  if (!settled) return deployment.status().at("traffic");
  std::string text;
  const auto& predictors = deployment.spec().at("predictors").list();
  for (const Value& predictor : predictors) {
    if (!text.empty()) text += ", ";
    text += predictor.at("name").text();
    const std::int64_t share = predictor.at("traffic").integer();
    if (predictor.at("shadow").flag()) {
      text += share > 0 ? fmt::format(" (shadow {})", share) : " (shadow)";
    } else {
      text += fmt::format(" {}", predictors.size() == 1 ? 100 : share);
    }
  }
  return text;
}

// The Service of the predictor that the Service's explainer explains; "" when it is none.
std::string_view explained_by(const ObjectKey& service, const compile::Wiring& wiring) {
  for (const compile::WiredPredictor& predictor : wiring.predictors) {
    for (const ObjectKey& key : predictor.explainer_keys) {
      if (key == service) return predictor.service_key.name;
    }
  }
  return {};
}

Map service_entry(const Object& service, const compile::Wiring& wiring) {
  Map entry{{"svcName", service.name}};
  if (const std::string_view explained = explained_by(service.key(), wiring); !explained.empty())
    entry.set("explainerFor", explained);
  for (const Value& port : service.spec().at("ports").list()) {
    const std::string endpoint =
        fmt::format("{}.{}:{}", service.name, service.namespace_, port.at("port").integer());
    if (port.at("name").text() == "http") entry.set("httpEndpoint", endpoint);
    if (port.at("name").text() == "grpc") entry.set("grpcEndpoint", endpoint);
  }
  return entry;
}

void add_children(Map& status, const Observed& observed, const compile::Wiring& wiring) {
  Map deployments;
  Map services;
  bool is_first = true;
  for (const Object& want : wiring.objects) {
    const auto found = observed.objects.find(want.key());
    if (want.kind == "Service" && !(observed.seldon_status && found == observed.objects.end()))
      services.set(want.name, service_entry(want, wiring));
    if (want.kind != "Deployment") continue;
    Map entry;
    if (found != observed.objects.end()) {
      const Value& counts = found->second->status();
      for (const char* name : {"replicas", "availableReplicas"}) {
        if (const std::int64_t count = counts.at(name).integer(); count > 0) entry.set(name, count);
      }
      const std::int64_t replicas = counts.at("replicas").integer();
      if (is_first && (replicas > 0 || !observed.seldon_status)) status.set("replicas", replicas);
    }
    is_first = false;
    if (!(observed.seldon_status && entry.empty())) deployments.set(want.name, std::move(entry));
  }
  // Seldon Core says nothing of what it has not seen.
  if (!(observed.seldon_status && deployments.empty()))
    status.set("deploymentStatus", std::move(deployments));
  if (!(observed.seldon_status && services.empty()))
    status.set("serviceStatus", std::move(services));
  if (!wiring.address_url.empty()) status.set("address", Map{{"url", wiring.address_url}});
}

// --- Seldon Core's conditions: names and reasons exact, its misspelling included.

constexpr std::string_view kNoReason;

Value seldon_condition(std::string_view type, std::string_view status, std::string_view reason,
                       std::string_view message = {}) {
  Map made{{"type", type}, {"status", status}};
  if (!reason.empty()) made.set("reason", reason);
  if (!message.empty()) made.set("message", message);
  return made;
}

// The Available condition of the first Deployment that is not healthy, else of the first one.
Value deployments_ready(const Observed& observed, const compile::Wiring& wiring) {
  const Value* shown = nullptr;
  for (const Object& want : wiring.objects) {
    const auto found = observed.objects.find(want.key());
    if (want.kind != "Deployment" || found == observed.objects.end()) continue;
    const Value* available = condition_of(*found->second, "Available");
    if (available == nullptr) continue;
    const Value& status = found->second->status();
    const bool healthy =
        status.at("readyReplicas").integer() > 0 && status.at("unavailableReplicas").integer() == 0;
    if (shown == nullptr || !healthy) shown = available;
    if (!healthy) break;
  }
  if (shown == nullptr) return {};
  return seldon_condition("DeploymentsReady", shown->at("status").text(),
                          shown->at("reason").text(), shown->at("message").text());
}

struct Scaling {
  std::string_view type, kind, ready, not_ready, none;
};
constexpr Scaling kScalings[] = {{"HpasReady", "HorizontalPodAutoscaler",
                                  "All HPAs resources ready", "HPAs not ready", "No HPAs defined"},
                                 {"KedaReady", "ScaledObject", "All KEDA resources ready",
                                  "KEDA resources not ready", "No KEDA resources defined"},
                                 {"PdbsReady", "PodDisruptionBudget", "All PDBs resources ready",
                                  "PDBs not ready", "No PDBs defined"}};

Value scaling_ready(const Scaling& scaling, const Observed& observed,
                    const compile::Wiring& wiring) {
  bool any = false;
  bool all = true;
  for (const Object& want : wiring.objects) {
    if (want.kind != scaling.kind) continue;
    any = true;
    all = all && observed.objects.contains(want.key());
  }
  if (!any) return seldon_condition(scaling.type, "True", scaling.none);
  return seldon_condition(scaling.type, all ? "True" : "False",
                          all ? scaling.ready : scaling.not_ready);
}

// True when all seven are; else as the one that is not; Unknown while one is missing.
Value ready_of(const std::map<std::string, Value>& conditions) {
  for (const char* type : {"DeploymentsReady", "ServicesReady", "HpasReady", "KedaReady",
                           "PdbsReady", "istioVirtualServicesReady"}) {
    const auto found = conditions.find(type);
    if (found == conditions.end() || found->second.at("status").text() != "False") continue;
    return seldon_condition("Ready", "False", found->second.at("reason").text(),
                            found->second.at("message").text());
  }
  return seldon_condition("Ready", conditions.size() == 7 ? "True" : "Unknown", kNoReason);
}

List seldon_conditions(const Observed& observed, const compile::Wiring& wiring,
                       const Progress& progress) {
  std::map<std::string, Value> made;
  // What is only said when the routes are written stands until then.
  for (const char* type : {"AmbassadorMappingsReady", "istioVirtualServicesReady"}) {
    if (const Value* said = condition_of(*observed.deployment, type)) made[type] = *said;
  }
  if (progress.routes_placed) {
    made["AmbassadorMappingsReady"] = seldon_condition("AmbassadorMappingsReady", "True",
                                                       "No Ambassador Mappaings defined");  // sic
    const bool routed =
        std::any_of(wiring.objects.begin(), wiring.objects.end(),
                    [](const Object& want) { return want.kind == "VirtualService"; });
    made["istioVirtualServicesReady"] =
        seldon_condition("istioVirtualServicesReady", "True",
                         routed ? "All VirtualServices created" : "No VirtualServices defined");
  }
  if (Value deployments = deployments_ready(observed, wiring); !deployments.is_null())
    made["DeploymentsReady"] = std::move(deployments);
  made["ServicesReady"] = seldon_condition(
      "ServicesReady", progress.all_available ? "True" : "False",
      progress.all_available ? "All services created" : "Not all services created");
  for (const Scaling& scaling : kScalings)
    made[std::string(scaling.type)] = scaling_ready(scaling, observed, wiring);
  made["Ready"] = ready_of(made);
  List sorted;
  for (auto& [type, each] : made) sorted.push_back(std::move(each));
  return sorted;
}

// Of all that the Deployments say, whether the first that has stopped is not available either.
bool has_stopped(const Observed& observed, const compile::Wiring& wiring) {
  return std::any_of(wiring.objects.begin(), wiring.objects.end(), [&](const Object& want) {
    const auto found = observed.objects.find(want.key());
    if (want.kind != "Deployment" || found == observed.objects.end()) return false;
    for (const char* type : {"Progressing", "Available"}) {
      const Value* said = condition_of(*found->second, type);
      if (said == nullptr || said->at("status").text() != "False") return false;
    }
    return true;
  });
}

Value seldon_status(const Observed& observed, const compile::Wiring& wiring,
                    const Progress& progress) {
  const bool failed = !progress.failure.empty() && has_stopped(observed, wiring);
  Map status = begun(observed,
                     progress.settled ? "Available"
                     : failed         ? "Failed"
                                      : "Creating",
                     failed ? "Deployment is no longer progressing and not available." : "");
  add_children(status, observed, wiring);
  status.set("conditions", seldon_conditions(observed, wiring, progress));
  return status;
}

}  // namespace

const Value* condition_of(const Object& object, std::string_view type) {
  for (const Value& each : object.status().at("conditions").list()) {
    if (each.at("type").text() == type) return &each;
  }
  return nullptr;
}

Value condition(std::string_view type, bool holds, std::string_view reason, std::string message) {
  Map made{{"type", type}, {"status", holds ? "True" : "False"}, {"reason", reason}};
  if (!message.empty()) made.set("message", message);
  return made;
}

Value status_of(const Observed& observed, const compile::Wiring& wiring, Progress progress) {
  if (observed.seldon_status) return seldon_status(observed, wiring, progress);
  const bool settled = progress.settled;
  const char* state = settled ? "Available" : progress.failure.empty() ? "Creating" : "Failed";
  Map status = begun(observed, state, settled ? "" : progress.failure);
  add_children(status, observed, wiring);
  if (Value traffic = traffic_of(*observed.deployment, settled); !traffic.is_null()) {
    status.set("traffic", std::move(traffic));
  }
  List conditions = std::move(progress.waiting);
  if (progress.all_available)
    conditions.push_back(condition("DeploymentsReady", true, "All routed Deployments available"));
  conditions.push_back(
      condition("istioVirtualServicesReady", settled,
                settled ? "All VirtualServices created" : "Not all VirtualServices created"));
  conditions.push_back(condition(
      "Ready", settled, settled ? "Traffic flows as written" : "See the other conditions"));
  status.set("conditions", std::move(conditions));
  return status;
}

Value refused_status(const Observed& observed, std::string what, bool conflict) {
  if (observed.seldon_status) {  // what was said of the objects still holds
    Value status = observed.deployment->status();
    if (!status.is_map()) status = Map{};
    status.as_map()->set("observedGeneration", observed.deployment->metadata().at("generation"));
    set_failed(status, std::move(what));
    return status;
  }
  Map status = begun(observed, "Failed", what);
  List conditions;
  if (conflict)
    conditions.push_back(condition("NameConflict", true, "Object of another owner", what));
  conditions.push_back(
      condition("Ready", false, conflict ? "NameConflict" : "Refused", std::move(what)));
  status.set("conditions", std::move(conditions));
  return status;
}

void set_failed(Value& status, std::string what) {
  status.as_map()->set("state", "Failed");
  status.as_map()->set("description", std::move(what));
}

}  // namespace sluice::operator_
