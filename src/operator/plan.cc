#include "operator/plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "operator/bridge.h"
#include "operator/spelling.h"
#include "operator/status.h"

namespace sluice::operator_ {

using resource::List;
using resource::Map;
using resource::Object;
using resource::ObjectKey;
using resource::Value;

namespace {

bool is_route(const Object& object) {
  return object.kind == "VirtualService" || object.kind == "DestinationRule";
}

// It is to be removed, and its pods are stopping.
bool is_going(const Object& object) { return !object.metadata().at("deletionTimestamp").is_null(); }

// Removal: what takes traffic away first, then what ran, then what named it.
int removal_rank(const ObjectKey& key) {
  if (key.kind == "VirtualService") return 0;
  if (key.kind == "Deployment") return 1;
  if (key.kind == "Service") return 3;
  if (key.kind == "DestinationRule") return 4;
  return 2;
}

struct Health {
  bool available = false;
  bool failed = false;  // it has stopped making progress
  std::string message;
};

// Of a Deployment as it is in the store: is it what was wanted, and does it run?
Health health_of(const Observed& observed, const ObjectKey& key, bool is_pending) {
  Health health;
  const auto found = observed.objects.find(key);
  if (found == observed.objects.end() || is_pending) return health;
  const Object& deployment = *found->second;
  const Value& status = deployment.status();
  const std::int64_t wanted = deployment.spec().at("replicas").integer(1);
  const bool seen =
      status.at("observedGeneration").integer() >= deployment.metadata().at("generation").integer();
  if (const Value* progressing = condition_of(deployment, "Progressing");
      progressing != nullptr && progressing->at("status").text() == "False") {
    health.failed = seen;
    health.message = progressing->at("message").text();
  }
  // As `kubectl rollout status` has it: new pods all there, old ones all told to stop. A number
  // that is zero is not in the status; what is available may be pods of the version before.
  const std::int64_t updated = status.at("updatedReplicas").integer();
  health.available = seen && status.at("availableReplicas").integer() >= wanted &&
                     updated >= wanted && status.at("replicas").integer() <= updated;
  return health;
}

// It was Available as it is written now, and its pods still are. What a new replica of the operator
// writes once more, or somebody's edit that is undone, makes it no less so.
bool still_serves(const Observed& observed, const compile::Wiring& wiring) {
  const Object& deployment = *observed.deployment;
  const Value& status = deployment.status();
  if (status.at("state").text() != "Available" ||
      !(status.at("observedGeneration") == deployment.metadata().at("generation")))
    return false;
  for (const compile::WiredPredictor& predictor : wiring.predictors) {
    if (!predictor.routed) continue;
    for (const ObjectKey& key : predictor.deployment_keys) {
      if (!health_of(observed, key, false).available) return false;
    }
  }
  return true;
}

std::string first_error(const compile::Wiring& wiring) {
  for (const resource::Diagnostic& diagnostic : wiring.diagnostics) {
    if (diagnostic.severity == resource::Severity::kError) return to_string(diagnostic);
  }
  return "refused";
}

}  // namespace

bool is_owned_by(const Object& object, const Object& deployment) {
  for (const Value& owner : object.metadata().at("ownerReferences").list()) {
    if (owner.at("controller").flag() && owner.at("uid") == deployment.metadata().at("uid"))
      return true;
  }
  return false;
}

namespace {
// Or was by one of the same name that is gone: what it left is taken over as it runs (its file was
// renamed, or it was replaced by force), before the store's garbage collector comes.
bool is_ours(const Observed& observed, const Object& object) {
  if (is_owned_by(object, *observed.deployment)) return true;
  for (const Value& owner : object.metadata().at("ownerReferences").list()) {
    if (owner.at("controller").flag() && owner.at("kind").text() == "SeldonDeployment" &&
        owner.at("name").text() == observed.deployment->name)
      return true;
  }
  return false;
}
}  // namespace

Object owned_by(Object object, const Object& deployment) {
  object.file = deployment.file;  // where its routes come from, for explain and listings
  object.root.place = deployment.root.place;
  Value* metadata = object.root.as_map()->find("metadata");
  if (metadata == nullptr) metadata = &object.root.as_map()->set("metadata", Map());
  metadata->as_map()->set("ownerReferences",
                          List{Map{{"apiVersion", "machinelearning.seldon.io/v1"},
                                   {"kind", "SeldonDeployment"},
                                   {"name", deployment.name},
                                   {"uid", deployment.metadata().at("uid")},
                                   {"controller", true},
                                   {"blockOwnerDeletion", true}}});
  return object;
}

namespace {

std::vector<std::string> gateways_of(const compile::Wiring& wiring) {
  std::vector<std::string> gateways;
  for (const Object& object : wiring.objects) {
    if (object.kind != "VirtualService") continue;
    for (const Value& each : object.spec().at("gateways").list()) {
      std::string name(each.text());
      if (name == "mesh") continue;
      if (name.find('/') == std::string::npos) name = object.namespace_ + "/" + name;
      if (std::find(gateways.begin(), gateways.end(), name) == gateways.end())
        gateways.push_back(std::move(name));
    }
  }
  return gateways;
}

std::vector<Destination> destinations_of(const Object& virtual_service) {
  std::vector<Destination> found;
  for (const Value& rule : virtual_service.spec().at("http").list()) {
    for (const Value& route : rule.at("route").list()) {
      const Value& to = route.at("destination");
      found.push_back({std::string(to.at("host").text()), std::string(to.at("subset").text()),
                       static_cast<std::uint16_t>(to.at("port").at("number").integer())});
    }
  }
  return found;
}

bool contains(const std::vector<Destination>& all, const Destination& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// A predictor that is scaled to nothing has no endpoint that a gateway could get through to.
bool runs_pods(const Observed& observed, const compile::WiredPredictor& predictor) {
  return std::all_of(predictor.deployment_keys.begin(), predictor.deployment_keys.end(),
                     [&](const ObjectKey& key) {
                       const auto found = observed.objects.find(key);
                       return found != observed.objects.end() &&
                              found->second->status().at("availableReplicas").integer() > 0;
                     });
}

// Where the wanted routes lead and those that are there don't: a request would be lost if the
// gateway had the route before the way. Nothing while there is no route yet.
std::vector<Destination> added_destinations(const Observed& observed,
                                            const compile::Wiring& wiring) {
  std::vector<Destination> added;
  for (const Object& want : wiring.objects) {
    if (want.kind != "VirtualService") continue;
    const auto have = observed.objects.find(want.key());
    if (have == observed.objects.end()) continue;
    const std::vector<Destination> known = destinations_of(*have->second);
    for (Destination& to : destinations_of(want)) {
      const bool is_waited_for = std::any_of(
          wiring.predictors.begin(), wiring.predictors.end(), [&](const auto& predictor) {
            return predictor.routed && to.host.starts_with(predictor.service_key.name + ".") &&
                   runs_pods(observed, predictor);
          });
      if (is_waited_for && !contains(known, to) && !contains(added, to))
        added.push_back(std::move(to));
    }
  }
  return added;
}

// DestinationRules, and VirtualServices when the gateway gets through to what they add. True: all
// are in the store as wanted.
bool place_routes(const Observed& observed, const compile::Wiring& wiring, Plan& plan) {
  const std::vector<Destination> added = added_destinations(observed, wiring);
  const bool is_reachable = std::all_of(added.begin(), added.end(), [&](const Destination& to) {
    return contains(observed.reachable, to);
  });
  bool is_placed = true;
  for (const Object& each : wiring.objects) {
    if (!is_route(each)) continue;
    if (each.kind == "VirtualService" && !is_reachable) {
      if (is_placed) plan.question = Question{gateways_of(wiring), added};
      return false;
    }
    Object want = owned_by(each, *observed.deployment);
    if (observed.holds(want)) continue;
    is_placed = false;
    plan.applies.push_back(std::move(want));
  }
  return is_placed;
}

const Object* stored(const Observed& observed, const ObjectKey& key) {
  const auto found = observed.objects.find(key);
  return found == observed.objects.end() ? nullptr : found->second.get();
}

const Object* wanted(const compile::Wiring& wiring, const ObjectKey& key) {
  const auto found = std::find_if(wiring.objects.begin(), wiring.objects.end(),
                                  [&](const Object& want) { return want.key() == key; });
  return found == wiring.objects.end() ? nullptr : &*found;
}

// The rule of the predictor as it must be before the pods of `want` are there, when the one in the
// store would leave them out.
std::optional<Object> rule_for_both(const Observed& observed, const compile::Wiring& wiring,
                                    const Object& want) {
  const Object* have = stored(observed, want.key());
  if (have == nullptr) return std::nullopt;
  for (const compile::WiredPredictor& predictor : wiring.predictors) {
    const Object* service = wanted(wiring, predictor.service_key);
    const Object* rule = stored(observed, predictor.destination_rule_key);
    if (rule == nullptr || service == nullptr || !selects(*service, want)) continue;
    auto spec = bridge_rule(*rule, *service, *have, want);
    const Object* as_wanted = wanted(wiring, predictor.destination_rule_key);
    if (!spec || as_wanted == nullptr) return std::nullopt;
    Object bridged = *as_wanted;
    bridged.root.as_map()->set("spec", std::move(*spec));
    return bridged;
  }
  return std::nullopt;
}

// All but Services and routes. A Deployment waits for a rule that fits its new pods as well, and
// for its namesake to be gone.
// Gives what is not yet, or no longer, as wanted in the store.
std::vector<ObjectKey> write_workloads(const Observed& observed, const compile::Wiring& wiring,
                                       Plan& plan) {
  std::vector<ObjectKey> pending;
  for (const Object& each : wiring.objects) {
    if (is_route(each) || each.kind == "Service") continue;
    Object want = owned_by(each, *observed.deployment);
    if (const Object* have = stored(observed, want.key()); have != nullptr) {
      if (is_going(*have)) {
        pending.push_back(want.key());
        continue;
      }
      want = spelled_as(std::move(want), *have);
    }
    if (observed.holds(want)) continue;
    pending.push_back(want.key());
    if (want.kind == "Deployment") {
      if (auto rule = rule_for_both(observed, wiring, want)) {
        want = owned_by(std::move(*rule), *observed.deployment);
      }
    }
    plan.applies.push_back(std::move(want));
  }
  return pending;
}

// Those that are there go before their pods change: until the change is over they fit old pods and
// new ones, old routes and new ones. A new one goes behind its pods, the first `workloads` of the
// plan: they take longest, and one that finds them ready has its endpoints written once.
void write_services(const Observed& observed, const compile::Wiring& wiring, bool settled,
                    std::size_t workloads, Plan& plan) {
  std::vector<Object> there;
  std::vector<Object> added;
  for (const Object& each : wiring.objects) {
    if (each.kind != "Service") continue;
    Object want = owned_by(each, *observed.deployment);
    const Object* have = stored(observed, want.key());
    if (have != nullptr && !settled && have->spec().at("ports") != want.spec().at("ports")) {
      Deployments before;
      Deployments after;
      for (const auto& [key, object] : observed.objects) {
        if (key.kind == "Deployment" && selects(*have, *object)) before.push_back(object.get());
      }
      for (const Object& object : wiring.objects) {
        if (object.kind == "Deployment" && selects(want, object)) after.push_back(&object);
      }
      want = bridge_service(*have, std::move(want), before, after);
    }
    if (!observed.holds(want)) (have == nullptr ? added : there).push_back(std::move(want));
  }
  const auto insert = [&](std::size_t at, std::vector<Object>& services) {
    plan.applies.insert(plan.applies.begin() + static_cast<std::ptrdiff_t>(at),
                        std::make_move_iterator(services.begin()),
                        std::make_move_iterator(services.end()));
  };
  insert(workloads, added);
  insert(0, there);
}

// VirtualServices that the new spec no longer has. True: there are some, or were in this pass.
bool remove_unwanted_routes(const Observed& observed, const compile::Wiring& wiring, Plan& plan) {
  for (const auto& [key, object] : observed.objects) {
    if (key.kind == "VirtualService" && wanted(wiring, key) == nullptr &&
        is_ours(observed, *object))
      plan.removals.push_back(key);
  }
  return !plan.removals.empty();
}

void remove_unwanted(const Observed& observed, const compile::Wiring& wiring, Plan& plan) {
  for (const auto& [key, object] : observed.objects) {
    if (wanted(wiring, key) == nullptr && is_ours(observed, *object) && !is_going(*object))
      plan.removals.push_back(key);
  }
  std::stable_sort(
      plan.removals.begin(), plan.removals.end(),
      [](const ObjectKey& a, const ObjectKey& b) { return removal_rank(a) < removal_rank(b); });
}

}  // namespace

Plan plan(const Observed& observed, const compile::Wiring& wiring) {
  Plan plan;
  if (resource::has_errors(wiring.diagnostics)) {
    plan.refused = true;
    plan.status = refused_status(observed, first_error(wiring), false);
    return plan;
  }

  // Another's object is never overwritten.
  for (const Object& want : wiring.objects) {
    const auto found = observed.objects.find(want.key());
    if (found == observed.objects.end() || is_ours(observed, *found->second)) continue;
    plan.refused = true;
    plan.status = refused_status(
        observed,
        fmt::format("{} is there already and belongs to somebody else; rename this deployment, or "
                    "remove it",
                    to_string(want.key())),
        true);
    plan.blocked_by = want.key();
    return plan;
  }

  const std::vector<ObjectKey> pending = write_workloads(observed, wiring, plan);
  const std::size_t workloads = plan.applies.size();

  Progress progress;
  progress.all_available = true;
  const bool stands = still_serves(observed, wiring);
  for (const compile::WiredPredictor& predictor : wiring.predictors) {
    for (const ObjectKey& key : predictor.deployment_keys) {
      const bool is_pending = std::find(pending.begin(), pending.end(), key) != pending.end();
      if (is_pending && predictor.routed) progress.all_available = false;
      const Health health = health_of(observed, key, is_pending && !stands);
      if (health.available) continue;
      const std::string what = health.message.empty()
                                   ? fmt::format("{} is not available yet", to_string(key))
                                   : fmt::format("{}: {}", to_string(key), health.message);
      progress.waiting.push_back(
          condition(predictor.routed ? "DeploymentsReady" : "ShadowsReady", false,
                    health.failed ? "Stopped progressing" : "Not available yet", what));
      if (!predictor.routed) continue;
      progress.all_available = false;
      if (health.failed && progress.failure.empty()) progress.failure = what;
    }
  }

  progress.routes_placed = progress.all_available && place_routes(observed, wiring, plan);
  const bool in_force = progress.routes_placed && observed.routes_in_force;
  if (progress.routes_placed && !in_force) plan.question = Question{gateways_of(wiring), {}};
  // Without its route nobody misses what it led to: until that is so, too, nothing else goes.
  progress.settled = in_force && !remove_unwanted_routes(observed, wiring, plan);
  if (progress.settled) remove_unwanted(observed, wiring, plan);
  write_services(observed, wiring, progress.settled, workloads, plan);

  plan.is_settled = progress.settled;
  if (stands) progress.all_available = progress.routes_placed = progress.settled = true;
  // Istio binds such a route to nothing, without a word.
  for (const std::string& gateway : gateways_of(wiring)) {
    if (!observed.has_gateway || observed.has_gateway(gateway)) continue;
    progress.waiting.push_back(condition(
        kGatewayNotFound, true, "NoSuchGateway",
        fmt::format("Gateway {} is not there, so it brings no requests; make it, or correct "
                    "seldon.io/istio-gateway (a name without a namespace is looked for in {})",
                    gateway, observed.deployment->namespace_)));
  }
  plan.status = status_of(observed, wiring, std::move(progress));
  return plan;
}

}  // namespace sluice::operator_
