#include "judge.h"

#include <fmt/core.h>

#include "resource/print.h"

namespace sluice::sim {

using resource::List;
using resource::Map;
using resource::Member;

namespace {

constexpr const char* kKind = "SeldonDeployment";

// The SeldonDeployment that controls it; "" when none does.
std::string owner_of(const Value& object) {
  for (const Value& owner : object.at("metadata").at("ownerReferences").list()) {
    if (owner.at("kind").text() == kKind && owner.at("controller").flag())
      return std::string(owner.at("name").text());
  }
  return {};
}

std::string incarnation(const Value& object) {
  return fmt::format("{} {}", uid_of(object), object.at("metadata").at("generation").integer());
}

}  // namespace

void Judge::accuse(const std::string& what) {
  if (violations.size() >= 10) return;
  machine_.say("!!! " + what);
  violations.push_back(fmt::format(
      "at {:.3f} s: {}", static_cast<double>(machine_.now_ns() % 1'000'000'000'000) / 1e9, what));
}

void Judge::see(const ApiServer::Change& change) {
  if (machine_.trace != nullptr && change.key.kind != "Lease") {
    machine_.say(fmt::format("{} {}{}",
                             change.after == nullptr ? "gone:" : "now:", to_string(change.key),
                             change.key.kind == kKind && change.after != nullptr
                                 ? " " + resource::to_json(change.after->at("status"))
                                 : ""));
  }
  if (change.by_operator) check_owner(change);
  if (change.key.kind == kKind) check_status(change);
}

void Judge::check_owner(const ApiServer::Change& change) {
  const ObjectKey& key = change.key;
  if (key.kind == "Lease" || key.kind == "Event") return;
  if (key.kind == kKind) {
    if (change.before == nullptr || change.after == nullptr ||
        !(change.before->at("spec") == change.after->at("spec")))
      accuse("the operator changes more of " + to_string(key) + " than its status");
    return;
  }
  if (change.before != nullptr && owner_of(*change.before).empty())
    accuse(to_string(key) + " belongs to somebody else, and the operator writes it");
  if (change.after != nullptr && owner_of(*change.after).empty())
    accuse("the operator leaves " + to_string(key) + " without an owner");
}

void Judge::check_status(const ApiServer::Change& change) {
  const std::string& name = change.key.name;
  if (change.after == nullptr) {
    available_.erase(name);
    return;
  }
  const Value& now = *change.after;
  if (!change.by_operator) return;
  const bool is_available = now.at("status").at("state").text() == "Available";
  const bool is_current =
      now.at("status").at("observedGeneration") == now.at("metadata").at("generation");
  if (is_available && is_current) {
    available_[name] = incarnation(now);
    if (!users_.disturbed.contains(name)) {
      if (!routes_are_as_written(name))
        accuse(name + " is said to be Available, but the gateway's routes are others");
    } else if (routes_are_as_written(name) && missing_behind(name).empty()) {
      users_.disturbed.erase(name);
    }
    return;
  }
  if (!is_available && available_[name] == incarnation(now) && !users_.disturbed.contains(name))
    accuse(fmt::format("{} was Available, nothing has happened to it, and it is said to be {}",
                       name, now.at("status").at("state").text()));
}

// The first route's destinations are the predictors of the spec with their traffic.
bool Judge::routes_are_as_written(const std::string& name) const {
  const Value* deployment = server_.find(seldon_deployment_key(name));
  if (deployment == nullptr) return true;
  std::map<std::string, std::int64_t> wanted;
  const auto& predictors = deployment->at("spec").at("predictors").list();
  int routed = 0;
  for (const Value& predictor : predictors) routed += predictor.at("shadow").flag() ? 0 : 1;
  for (const Value& predictor : predictors) {
    if (predictor.at("shadow").flag()) continue;
    wanted[name + "-" + std::string(predictor.at("name").text())] =
        routed == 1 ? 100 : predictor.at("traffic").integer();
  }
  std::map<std::string, std::int64_t> there;
  for (const auto& [key, route] : cluster_.routes_in_force()) {
    if (key.kind != "VirtualService" || owner_of(route) != name) continue;
    const auto& destinations = route.at("spec").at("http").at(std::size_t{0}).at("route").list();
    for (const Value& each : destinations) {
      const std::string_view host = each.at("destination").at("host").text();
      there[std::string(host.substr(0, host.find('.')))] =
          destinations.size() == 1 ? 100 : each.at("weight").integer();
    }
  }
  return wanted == there;
}

std::string Judge::missing_behind(const std::string& name) const {
  for (const auto& [key, route] : cluster_.routes_in_force()) {
    if (key.kind != "VirtualService" || owner_of(route) != name) continue;
    for (const Value& http : route.at("spec").at("http").list()) {
      for (const Value& each : http.at("route").list()) {
        std::string trouble = cluster_.trouble_with(each.at("destination"), key.namespace_);
        if (!trouble.empty()) return trouble;
      }
    }
  }
  return {};
}

void Judge::check_routes() {
  if (is_checking_) return;
  for (const auto& [key, route] : cluster_.routes_in_force()) {
    if (key.kind != "VirtualService") continue;
    const std::string name = owner_of(route);
    if (name.empty()) continue;
    const bool is_here = server_.find(seldon_deployment_key(name)) != nullptr;
    if (!is_here || users_.disturbed.contains(name)) continue;
    for (const Value& http : route.at("spec").at("http").list()) {
      for (const Value& each : http.at("route").list()) {
        const std::string trouble = cluster_.trouble_with(each.at("destination"), key.namespace_);
        if (!trouble.empty()) accuse(to_string(key) + " is in force: " + trouble);
      }
      // A shadow may be down; what it names must be there.
      const Value& mirror = http.at("mirror");
      if (mirror.is_null()) continue;
      const std::string trouble = cluster_.trouble_with(mirror, key.namespace_);
      if (!trouble.empty() && !trouble.starts_with("no pod"))
        accuse(to_string(key) + " mirrors: " + trouble);
    }
  }
}

void Judge::check_rest() {
  std::set<std::string> uids;
  server_.for_each(kKind, [&](const ObjectKey&, const Value& each) { uids.insert(uid_of(each)); });
  for (const auto& [key, object] : server_.objects()) {
    for (const Value& owner : object.at("metadata").at("ownerReferences").list()) {
      if (!uids.contains(std::string(owner.at("uid").text())))
        accuse(to_string(key) + " is left of a SeldonDeployment that is gone");
    }
  }
  for (const auto& [key, object] : users_.others) {
    const Value* found = server_.find(key);
    if (found == nullptr || !(*found == object)) accuse(to_string(key) + " was somebody else's");
  }
  for (const auto& [name, predictors] : users_.wanted) {
    const Value& deployment = *server_.find(seldon_deployment_key(name));
    const std::string_view state = deployment.at("status").at("state").text();
    if (!(deployment.at("status").at("observedGeneration") ==
          deployment.at("metadata").at("generation")))
      accuse(name + " has the status of an older generation");
    bool is_blocked = false;
    for (const Predictor& each : predictors) {
      is_blocked = is_blocked || (each.broken && !each.shadow);
      for (const auto& [key, object] : users_.others)
        is_blocked = is_blocked || key.name == name + "-" + each.name;
    }
    const char* const right = is_blocked ? "Failed" : "Available";
    if (state != right)
      accuse(fmt::format("{} is {}, not {}: {}", name, state, right,
                         resource::to_json(deployment.at("status"))));
    if (is_blocked) continue;
    if (!routes_are_as_written(name)) accuse(name + ": the gateway's routes are not as written");
    if (const std::string what = missing_behind(name); !what.empty()) accuse(name + ": " + what);
  }
}

std::map<std::string, std::string> essence(const ApiServer& server) {
  std::map<std::string, std::string> lines;
  for (const auto& [key, object] : server.objects()) {
    if (key.kind == "Lease" || key.kind == "Event") continue;
    Value kept = object;
    Map& root = *kept.as_map();
    if (key.kind == kKind) {
      root.find("status")->as_map()->erase("observedGeneration");
    } else {
      root.erase("status");
    }
    Map& metadata = *root.find("metadata")->as_map();
    for (const char* name : {"uid", "resourceVersion", "generation", "creationTimestamp"})
      metadata.erase(name);
    if (Value* owners = metadata.find("ownerReferences"); owners != nullptr) {
      for (Value& owner : *owners->as_list()) owner.as_map()->erase("uid");
    }
    lines[to_string(key)] =
        resource::to_json(kept, resource::JsonStyle::kCompact, resource::KeyOrder::kSorted);
  }
  return lines;
}

}  // namespace sluice::sim
