#include "operator/plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

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
Health health_of(const Observed& observed, const ObjectKey& key, bool written_in_this_pass) {
  Health health;
  const auto found = observed.objects.find(key);
  if (found == observed.objects.end() || written_in_this_pass) return health;
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
  // What Kubernetes counts as available may be pods of the version before: at least these are not.
  const std::int64_t updated = status.at("updatedReplicas").integer();
  const std::int64_t older = std::max<std::int64_t>(0, status.at("replicas").integer() - updated);
  health.available =
      seen && updated >= wanted && status.at("availableReplicas").integer() - older >= wanted;
  return health;
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
// Or was by one of the same name that is gone.
bool is_ours(const Observed& observed, const Object& object) {
  if (is_owned_by(object, *observed.deployment)) return true;
  if (!observed.takes_over) return false;
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

void remove_unwanted(const Observed& observed, const compile::Wiring& wiring, Plan& plan) {
  for (const auto& [key, object] : observed.objects) {
    const bool wanted =
        std::any_of(wiring.objects.begin(), wiring.objects.end(),
                    [&, &name = key](const Object& want) { return want.key() == name; });
    if (!wanted && is_ours(observed, *object)) plan.removals.push_back(key);
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
    return plan;
  }

  std::vector<ObjectKey> written;
  for (const Object& each : wiring.objects) {
    if (is_route(each)) continue;
    Object want = owned_by(each, *observed.deployment);
    if (const auto have = observed.objects.find(want.key()); have != observed.objects.end())
      want = spelled_as(std::move(want), *have->second);
    if (observed.holds(want)) continue;
    written.push_back(want.key());
    plan.applies.push_back(std::move(want));
  }
  // What takes longest first; and a Service that finds its pods ready has its endpoints written
  // once.
  std::stable_partition(plan.applies.begin(), plan.applies.end(),
                        [](const Object& each) { return each.kind == "Deployment"; });

  Progress progress;
  progress.all_available = true;
  for (const compile::WiredPredictor& predictor : wiring.predictors) {
    for (const ObjectKey& key : predictor.deployment_keys) {
      const Health health =
          health_of(observed, key, std::find(written.begin(), written.end(), key) != written.end());
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
  progress.settled = progress.routes_placed && observed.routes_in_force;
  if (progress.routes_placed && !progress.settled)
    plan.question = Question{gateways_of(wiring), {}};
  if (progress.settled) remove_unwanted(observed, wiring, plan);

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
