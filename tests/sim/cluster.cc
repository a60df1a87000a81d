#include "cluster.h"

#include <fmt/core.h>

#include <algorithm>

#include "resource/print.h"

namespace sluice::sim {

using resource::List;
using resource::Map;
using resource::Member;

namespace {

bool is_route(const ObjectKey& key) {
  return key.kind == "VirtualService" || key.kind == "DestinationRule";
}

// "iris-main.models.svc.cluster.local" in namespace "x".
ObjectKey service_of(std::string_view host, const std::string& namespace_) {
  ObjectKey key{"", "Service", namespace_, std::string(host.substr(0, host.find('.')))};
  if (key.name.size() == host.size()) return key;
  host.remove_prefix(key.name.size() + 1);
  key.namespace_ = host.substr(0, host.find('.'));
  return key;
}

bool has_all(const Value& labels, const Value& wanted) {
  for (const Member& member : wanted.map()) {
    if (!(labels.at(member.key) == member.value)) return false;
  }
  return true;
}

bool listens_on(const Value& pod, const Value& target) {
  for (const Value& container : pod.at("spec").at("containers").list()) {
    for (const Value& port : container.at("ports").list()) {
      if (port.at("containerPort") == target || port.at("name") == target) return true;
    }
  }
  return false;
}

bool is_broken(const Value& pod) {
  for (const Value& container : pod.at("spec").at("containers").list()) {
    if (container.at("image").text().starts_with("broken")) return true;
  }
  return false;
}

}  // namespace

void Cluster::see(const ApiServer::Change& change) {
  const ObjectKey& key = change.key;
  if (is_route(key)) {
    const Nanoseconds takes = machine_.between(0, gateway_takes_ms_max);
    gateway_due_ns_ = std::max(gateway_due_ns_, machine_.now_ns() + takes.count());
    machine_.at(gateway_due_ns_++,
                [this, key, object = change.after == nullptr ? Value() : *change.after] {
                  object.is_null() ? void(in_force_.erase(key)) : void(in_force_[key] = object);
                  machine_.say("the gateway uses " + to_string(key));
                  traffic_changed();
                });
  }
  if (key.kind == "Deployment") {
    if (change.after == nullptr) {
      pods_.erase(uid_of(*change.before));
      traffic_changed();
    } else if (change.before == nullptr ||
               !(change.before->at("spec") == change.after->at("spec"))) {
      machine_.after(machine_.between(1, 500),
                     [this, key, uid = uid_of(*change.after)] { run_deployment(key, uid); });
    }
  }
  if (key.kind == "Service") traffic_changed();
  if (change.after == nullptr) {
    const std::string gone = uid_of(*change.before);
    for (const auto& [other, object] : server_.objects()) {
      for (const Value& owner : object.at("metadata").at("ownerReferences").list()) {
        if (owner.at("uid").text() == gone) collect(other, uid_of(object));
      }
    }
  } else if (change.before == nullptr &&
             !change.after->at("metadata").at("ownerReferences").list().empty()) {
    collect(key, uid_of(*change.after));  // of an owner that is gone already, perhaps
  }
  if (change.after != nullptr && !change.after->at("metadata").at("deletionTimestamp").is_null())
    finish_foreground(key, uid_of(*change.after));
}

// --- The garbage collector.

void Cluster::collect(const ObjectKey& key, const std::string& uid) {
  machine_.after(machine_.between(50, 10'000), [this, key, uid] {
    const Value* found = server_.find(key);
    if (found == nullptr || uid_of(*found) != uid) return;
    for (const Value& owner : found->at("metadata").at("ownerReferences").list()) {
      bool lives = false;
      server_.for_each(owner.at("kind").text(), [&](const ObjectKey&, const Value& object) {
        lives = lives || object.at("metadata").at("uid") == owner.at("uid");
      });
      if (lives) return;
    }
    machine_.say("garbage: " + to_string(key));
    server_.remove(key);
  });
}

void Cluster::finish_foreground(const ObjectKey& owner, const std::string& uid) {
  machine_.after(machine_.between(100, 2'000), [this, owner, uid] {
    const Value* found = server_.find(owner);
    if (found == nullptr || uid_of(*found) != uid) return;
    for (const auto& [key, object] : server_.objects()) {
      for (const Value& each : object.at("metadata").at("ownerReferences").list()) {
        if (each.at("uid").text() != uid) continue;
        server_.remove(key);
        finish_foreground(owner, uid);
        return;
      }
    }
    server_.remove(owner);
  });
}

// --- Deployments.

void Cluster::run_deployment(const ObjectKey& key, const std::string& uid) {
  const Value* found = server_.find(key);
  if (found == nullptr || uid_of(*found) != uid) return;
  Pods& pods = pods_[uid];
  pods.key = key;
  pods.generation = found->at("metadata").at("generation").integer();
  const Value& pod = found->at("spec").at("template");
  const std::string hash = resource::to_json(pod);
  const std::int64_t replicas = found->at("spec").at("replicas").integer(1);
  pods.replicas = replicas;
  auto set = std::find_if(pods.sets.begin(), pods.sets.end(),
                          [&](const PodSet& each) { return each.hash == hash; });
  if (set == pods.sets.end()) {
    pods.sets.push_back(PodSet{hash, pod, 0, 0});
    set = std::prev(pods.sets.end());
  }
  std::rotate(set, set + 1, pods.sets.end());
  PodSet& newest = pods.sets.back();
  // Older ones stay while they serve and the newest does not.
  std::erase_if(pods.sets,
                [&](const PodSet& each) { return &each != &newest && each.available == 0; });
  PodSet& current = pods.sets.back();
  pods.deadline_exceeded = false;
  ++pods.deadline;
  if (current.available >= replicas) {
    current.available = replicas;
    current.comes_up = 0;
    pods.sets.erase(pods.sets.begin(), std::prev(pods.sets.end()));
  } else {
    start_pods(uid, replicas);
    machine_.after(
        Milliseconds(found->at("spec").at("progressDeadlineSeconds").integer(600) * 1000),
        [this, key, uid, deadline = pods.deadline] {
          const auto at = pods_.find(uid);
          if (at == pods_.end() || at->second.deadline != deadline) return;
          at->second.deadline_exceeded = true;
          write_status(key, uid);
        });
  }
  write_status(key, uid);
  traffic_changed();
}

void Cluster::start_pods(const std::string& uid, std::int64_t replicas) {
  PodSet& current = pods_.at(uid).sets.back();
  if (is_broken(current.pod)) return;
  current.comes_up = ++starts_;
  machine_.after(machine_.between(100, pods_take_ms_max),
                 [this, uid, replicas, start = current.comes_up] {
                   const auto at = pods_.find(uid);
                   if (at == pods_.end()) return;
                   Pods& pods = at->second;
                   if (pods.sets.back().comes_up != start) return;
                   pods.sets.back().available = replicas;
                   pods.sets.erase(pods.sets.begin(), std::prev(pods.sets.end()));
                   pods.deadline_exceeded = false;
                   ++pods.deadline;
                   write_status(pods.key, uid);
                   traffic_changed();
                 });
}

void Cluster::write_status(const ObjectKey& key, const std::string& uid) {
  const Value* found = server_.find(key);
  if (found == nullptr || uid_of(*found) != uid) return;
  const Pods& pods = pods_.at(uid);
  const std::int64_t replicas = pods.replicas;
  std::int64_t available = 0;
  std::int64_t all = replicas;  // a new pod is there before it is available
  for (const PodSet& set : pods.sets) {
    available += set.available;
    if (&set != &pods.sets.back()) all += set.available;
  }
  Map status{
      {"observedGeneration", pods.generation}, {"replicas", all}, {"updatedReplicas", replicas}};
  if (available > 0) status.set("availableReplicas", available);
  Map progressing{{"type", "Progressing"}, {"status", pods.deadline_exceeded ? "False" : "True"}};
  if (pods.deadline_exceeded) {
    progressing.set("reason", "ProgressDeadlineExceeded");
    progressing.set("message", "has timed out progressing");
  }
  status.set("conditions", List{std::move(progressing)});
  server_.set_status(key, std::move(status));
}

void Cluster::crash(const ObjectKey& deployment) {
  const Value* found = server_.find(deployment);
  if (found == nullptr) return;
  const std::string uid = uid_of(*found);
  const auto at = pods_.find(uid);
  if (at == pods_.end() || at->second.sets.empty()) return;
  machine_.say("pods crash: " + to_string(deployment));
  for (PodSet& set : at->second.sets) set.available = 0;
  at->second.sets.erase(at->second.sets.begin(), std::prev(at->second.sets.end()));
  start_pods(uid, at->second.replicas);
  write_status(deployment, uid);
  traffic_changed();
}

// --- The gateway.

std::string Cluster::trouble_with(const Value& destination, const std::string& namespace_) const {
  const std::string host(destination.at("host").text());
  const Value* service = server_.find(service_of(host, namespace_));
  if (service == nullptr) return "there is no Service " + host;
  const Value* port = nullptr;
  for (const Value& each : service->at("spec").at("ports").list()) {
    if (each.at("port") == destination.at("port").at("number")) port = &each;
  }
  if (port == nullptr)
    return fmt::format("{} has no port {}", host, destination.at("port").at("number").integer());
  Value labels;
  if (const std::string_view subset = destination.at("subset").text(); !subset.empty()) {
    bool is_defined = false;
    for (const auto& [key, rule] : in_force_) {
      if (key.kind != "DestinationRule" || rule.at("spec").at("host").text() != host) continue;
      for (const Value& each : rule.at("spec").at("subsets").list()) {
        if (each.at("name").text() != subset) continue;
        is_defined = true;
        labels = each.at("labels");
      }
    }
    if (!is_defined) return fmt::format("no DestinationRule defines {} of {}", subset, host);
  }
  const Value& target =
      port->at("targetPort").is_null() ? port->at("port") : port->at("targetPort");
  if (!has_endpoint(*service, target, labels)) return "no pod is available behind " + host;
  return {};
}

bool Cluster::has_endpoint(const Value& service, const Value& port,
                           const Value& subset_labels) const {
  for (const auto& [uid, pods] : pods_) {
    if (pods.key.namespace_ != service.at("metadata").at("namespace").text()) continue;
    for (const PodSet& set : pods.sets) {
      const Value& labels = set.pod.at("metadata").at("labels");
      if (set.available > 0 && has_all(labels, service.at("spec").at("selector")) &&
          has_all(labels, subset_labels) && listens_on(set.pod, port))
        return true;
    }
  }
  return false;
}

}  // namespace sluice::sim
