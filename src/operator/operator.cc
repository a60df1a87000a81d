#include "operator/operator.h"

#include <fmt/core.h>

#include <utility>

#include "base/log.h"
#include "compile/wire.h"
#include "operator/plan.h"
#include "operator/status.h"

namespace sluice::operator_ {

using resource::Object;
using resource::ObjectKey;
using store::ObjectPointer;

namespace {

constexpr std::string_view kGroup = "machinelearning.seldon.io";
constexpr std::string_view kKind = "SeldonDeployment";
constexpr std::string_view kControllerId = "seldon.io/controller-id";

bool is_seldon_deployment(const ObjectKey& key) { return key.group == kGroup && key.kind == kKind; }

// The SeldonDeployment that an object belongs to; an empty name when to none.
ObjectKey owner_of(const Object& object) {
  for (const resource::Value& owner : object.metadata().at("ownerReferences").list()) {
    if (owner.at("controller").flag() && owner.at("kind").text() == kKind) {
      return {std::string(kGroup), std::string(kKind), object.namespace_,
              std::string(owner.at("name").text())};
    }
  }
  return {};
}

// Another has asked the gateway about this very spec, and has said that it is so.
bool is_settled(const Object& deployment) {
  return deployment.status().at("state").text() == "Available" &&
         deployment.status().at("observedGeneration") == deployment.metadata().at("generation");
}

}  // namespace

Operator::Operator(store::Store& store, compile::Settings settings, Gate& gate,
                   std::function<void(std::function<void()>)> schedule, Announce announce)
    : store_(store),
      settings_(std::move(settings)),
      gate_(gate),
      schedule_(std::move(schedule)),
      announce_(std::move(announce)) {}

void Operator::start() {
  is_starting_ = true;
  store_.watch([this](const store::Change& change) { on_change(change); });
  is_starting_ = false;
}

void Operator::on_change(const store::Change& change) {
  if (is_seldon_deployment(change.key)) {
    if (change.before == change.after) {  // what it owns is written
      if (deferred_.erase(change.key) > 0) enqueue(change.key);
      return;
    }
    if (change.status_only) return;
    failures_.erase(change.key);
    enqueue(change.key);
    return;
  }
  if (change.key.kind == "Namespace" && change.key.group.empty()) {
    on_namespace(change.key);
    return;
  }
  if (const auto blocked = blocked_.find(change.key); blocked != blocked_.end()) {
    for (const ObjectKey& deployment : blocked->second) enqueue(deployment);
    blocked_.erase(blocked);
  }
  if (change.key.kind == "Gateway") {
    on_gateway(change);
    return;
  }
  const Object& object = change.after != nullptr ? *change.after : *change.before;
  const ObjectKey owner = owner_of(object);
  if (owner.name.empty()) return;
  change.after != nullptr ? static_cast<void>(owned_[owner].insert(change.key))
                          : static_cast<void>(owned_[owner].erase(change.key));
  // What is only told again (a store that answers later) has changed nothing.
  announce_deed(owner, change);
  const bool is_route = change.key.kind == "VirtualService" || change.key.kind == "DestinationRule";
  // Nor has a route that goes: it is one that nothing needs any more, or it will be written again.
  if (is_route && change.after != nullptr && change.before != change.after && !is_starting_) {
    Routes& routes = routes_[owner];
    routes = Routes{routes.changes + 1, {}, false, {}};
  }
  enqueue(owner);
}

// Routes name Gateways by name: who asked for one that comes or goes is known by looking.
void Operator::on_gateway(const store::Change& change) {
  if (change.before != nullptr && change.after != nullptr) return;
  for (const auto& deployment : store_.list(kGroup, kKind)) enqueue(deployment->key());
}

void Operator::announce_gateways(const ObjectKey& deployment, const resource::Value& status) {
  std::string missing;
  for (const resource::Value& each : status.at("conditions").list()) {
    if (each.at("type").text() == kGatewayNotFound)
      missing += (missing.empty() ? "" : "; ") + std::string(each.at("message").text());
  }
  if (missing.empty()) {
    gateways_said_.erase(deployment);
    return;
  }
  std::string& said = gateways_said_[deployment];
  if (said == missing) return;
  said = missing;
  log::warning("a gateway is not there",
               {{"deployment", deployment.namespace_ + "/" + deployment.name}, {"error", missing}});
  if (announce_) announce_(deployment, "Warning", kGatewayNotFound, missing);
}

// Its label may have come or gone.
void Operator::on_namespace(const ObjectKey& key) {
  for (const auto& deployment : store_.list(kGroup, kKind)) {
    if (deployment->namespace_ == key.name) enqueue(deployment->key());
  }
}

// A Namespace's label, whatever it says, leaves all that is in it to the operator of that namespace
// (which does not see Namespaces, and so is not concerned). A store without Namespaces: no label.
bool Operator::leave_to_others(const Object& deployment) {
  const auto space = store_.find({"", "Namespace", "default", deployment.namespace_});
  const std::string_view of_space = space == nullptr ? "" : space->label(kControllerId);
  const std::string_view own = deployment.label(kControllerId);
  if (of_space.empty() && own == settings_.controller_id) {
    left_to_others_.erase(deployment.key());
    return false;
  }
  if (left_to_others_.insert(deployment.key()).second) {
    log::info("left to another operator",
              {{"deployment", deployment.namespace_ + "/" + deployment.name},
               {"controller_id", of_space.empty() ? own : of_space},
               {"labelled", of_space.empty() ? "SeldonDeployment" : "Namespace"}});
  }
  return true;
}

void Operator::announce_deed(const ObjectKey& owner, const store::Change& change) {
  const auto asked = asked_.find(change.key);
  if (asked == asked_.end() || change.status_only) return;
  // A generation counts changes of the specification: without one, it was another's annotation.
  if (change.before != change.after && change.before != nullptr && change.after != nullptr) {
    const resource::Value& generation = change.after->metadata().at("generation");
    if (!generation.is_null() && generation == change.before->metadata().at("generation")) return;
  }
  asked_.erase(asked);
  if (change.before == change.after) return;  // it was so already
  const bool is_gone = change.after == nullptr;
  const std::string& kind = change.key.kind;
  // The reference is silent about these.
  if (is_gone && (kind == "Service" || kind == "DestinationRule")) return;
  const char* const verb = is_gone ? "Delete" : change.before == nullptr ? "Create" : "Update";
  const std::string_view word = kind == "HorizontalPodAutoscaler" ? "HPA"
                                : kind == "PodDisruptionBudget"   ? "PDB"
                                                                  : std::string_view(kind);
  announce_(owner, "Normal", fmt::format("{}{}", verb, word),
            fmt::format("{}d {} \"{}\"", verb, kind, change.key.name));
}

void Operator::enqueue(const ObjectKey& deployment) {
  queue_.insert(deployment);
  if (scheduled_) return;
  scheduled_ = true;
  schedule_([this] { drain_queue(); });
}

void Operator::drain_queue() {
  scheduled_ = false;
  std::set<ObjectKey> keys;
  keys.swap(queue_);
  for (const ObjectKey& key : keys) reconcile(key);
}

void Operator::remove_orphans(const ObjectKey& deployment) {
  const auto owned = owned_.find(deployment);
  if (owned == owned_.end()) return;
  const std::set<ObjectKey> keys = owned->second;
  // Routes first, so that nothing is sent to what is about to go.
  for (const bool routes : {true, false}) {
    for (const ObjectKey& key : keys) {
      const bool is_route = key.kind == "VirtualService" || key.kind == "DestinationRule";
      if (is_route != routes) continue;
      if (auto removed = store_.remove(key); !removed) {
        log::error("can't remove",
                   {{"object", to_string(key)}, {"error", to_string(removed.error())}});
      }
    }
  }
  owned_.erase(deployment);
  routes_.erase(deployment);
  failures_.erase(deployment);
}

void Operator::reconcile(const ObjectKey& deployment_key) {
  deferred_.erase(deployment_key);
  Observed observed;
  observed.deployment = store_.find(deployment_key);
  if (observed.deployment == nullptr) {
    states_said_.erase(deployment_key);
    left_to_others_.erase(deployment_key);
    gateways_said_.erase(deployment_key);
    if (!store_.collects_garbage()) remove_orphans(deployment_key);
    return;
  }
  if (store_.is_applying(deployment_key)) {
    deferred_.insert(deployment_key);
    return;
  }
  ++passes_;
  const Object& deployment = *observed.deployment;
  if (!deployment.metadata().at("deletionTimestamp").is_null())
    return;  // it is going; so is what it owns
  if (leave_to_others(deployment)) return;

  const compile::Wiring wiring = compile::wire(deployment, settings_);
  for (const ObjectKey& key : owned_[deployment_key]) {
    if (auto object = store_.find(key); object != nullptr)
      observed.objects[key] = std::move(object);
  }
  for (const Object& want : wiring.objects) {
    const ObjectKey key = want.key();
    if (observed.objects.contains(key)) continue;
    if (auto object = store_.find(key); object != nullptr)
      observed.objects[key] = std::move(object);
  }
  const auto [at, is_first] = routes_.try_emplace(deployment_key);
  Routes& routes = at->second;
  if (is_first) routes.in_force = is_settled(deployment);
  observed.routes_in_force = routes.in_force;
  observed.reachable = routes.reachable;
  observed.seldon_status = !settings_.fixes();
  observed.holds = [this](const Object& want) { return store_.holds(want); };
  if (settings_.fixes() && !settings_.local) {  // `serve` provides one, and says what is missing
    observed.has_gateway = [this](const std::string& name) {
      const std::size_t slash = name.find('/');
      return store_.find({"networking.istio.io", "Gateway", name.substr(0, slash),
                          name.substr(slash + 1)}) != nullptr;
    };
  }

  Plan made = plan(observed, wiring);
  if (!made.blocked_by.name.empty()) blocked_[made.blocked_by].insert(deployment_key);
  const bool announces_deeds = announce_ && !settings_.fixes();
  for (Object& object : made.applies) {
    const std::string name = to_string(object.key());
    if (announces_deeds) asked_.insert(object.key());
    if (auto applied = store_.apply(std::move(object)); !applied) {
      log::error("can't apply", {{"object", name}, {"error", to_string(applied.error())}});
    }
  }
  for (const ObjectKey& key : made.removals) {
    if (announces_deeds) asked_.insert(key);
    if (auto removed = store_.remove(key); !removed) {
      log::error("can't remove",
                 {{"object", to_string(key)}, {"error", to_string(removed.error())}});
    }
  }
  if (!made.question && made.applies.empty()) {  // whatever the next question is, it is a new one
    routes.reachable.clear();
    if (routes.asked && !routes.asked->destinations.empty()) routes.asked.reset();
  }
  if (made.question && routes.asked != made.question) ask(deployment_key, *made.question);
  bool is_error = made.refused;
  if (const auto failure = failures_.find(deployment_key); failure != failures_.end()) {
    if (made.is_settled) {
      failures_.erase(failure);
    } else {
      // What passes by itself is said, but is no state: Seldon Core knows no difference.
      if (failure->second.is_passing && settings_.fixes()) {
        made.status.as_map()->set("description", failure->second.what);
      } else {
        set_failed(made.status, failure->second.what);
        is_error = true;
      }
    }
  }
  announce_gateways(deployment_key, made.status);
  announce_state(deployment_key, made.status, is_error);
  if (auto set = store_.set_status(deployment_key, std::move(made.status)); !set) {
    log::error("can't write status",
               {{"object", to_string(deployment_key)}, {"error", to_string(set.error())}});
  }
}

void Operator::ask(const ObjectKey& deployment, const Question& question) {
  Routes& routes = routes_[deployment];
  routes.asked = question;
  gate_.ask(question, [this, deployment, question, changes = routes.changes] {
    const auto found = routes_.find(deployment);
    if (found == routes_.end()) return;
    Routes& answered = found->second;
    if (answered.changes != changes || answered.asked != question) return;
    question.destinations.empty() ? static_cast<void>(answered.in_force = true)
                                  : static_cast<void>(answered.reachable = question.destinations);
    enqueue(deployment);
  });
}

void Operator::announce_state(const ObjectKey& deployment, const resource::Value& status,
                              bool is_error) {
  const ObjectPointer there = store_.find(deployment);
  const auto [said, is_first] = states_said_.try_emplace(
      deployment, there == nullptr ? std::string() : there->status().at("state").text());
  const std::string after(status.at("state").text());
  if (std::exchange(said->second, after) == after) return;
  const std::string name = deployment.namespace_ + "/" + deployment.name;
  const std::string_view description = status.at("description").text();
  const bool has_failed = after == "Failed";
  if (has_failed) {
    log::error("SeldonDeployment is Failed", {{"deployment", name}, {"description", description}});
  } else {
    log::info("SeldonDeployment is " + after, {{"deployment", name}});
  }
  if (!announce_) return;
  if (settings_.fixes() ? has_failed : is_error) {
    announce_(deployment, "Warning", "InternalError", description);
  } else {
    announce_(deployment, "Normal", "Updated",
              settings_.fixes() ? "SeldonDeployment is " + after
                                : fmt::format("Updated SeldonDeployment \"{}\"", deployment.name));
  }
}

void Operator::on_write_failed(const ObjectKey& deployment, const Error& error) {
  failures_[deployment] = Failure{to_string(error), error.retry == Retry::kSafe};
  if (deferred_.erase(deployment) > 0) enqueue(deployment);
}

std::vector<Standing> Operator::standings() const {
  std::vector<Standing> result;
  for (const auto& object : store_.list(kGroup, kKind)) {
    result.push_back(Standing{object->key(),
                              std::string(object->status().at("state").text("Creating")),
                              std::string(object->status().at("description").text())});
  }
  return result;
}

}  // namespace sluice::operator_
