// What else works on a cluster: the controller of Deployments (pods that take their time, or never
// come up), the garbage collector, Istio's gateway that uses new routes after a while. All as
// changes of the API server's objects, and as what a request would meet.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api_server.h"
#include "machine.h"

namespace sluice::sim {

class Cluster {
 public:
  Cluster(Machine& machine, ApiServer& server) : machine_(machine), server_(server) {}

  int pods_take_ms_max = 15'000;     // until they are available
  int gateway_takes_ms_max = 4'000;  // from a change of a route to its being in force; below the
                                     // operator's settle_ms, or nobody could know
  // Called after anything that a request could notice.
  std::function<void()> on_traffic_change;

  void see(const ApiServer::Change& change);

  // VirtualServices and DestinationRules as the gateway uses them.
  const std::map<ObjectKey, Value>& routes_in_force() const noexcept { return in_force_; }
  // "" when a request to this destination of a VirtualService in force would be answered; else what
  // is missing.
  std::string trouble_with(const Value& destination, const std::string& namespace_) const;

  // The Deployment's pods crash and come back after a while.
  void crash(const ObjectKey& deployment);

 private:
  struct PodSet {  // of one template
    std::string hash;
    Value pod;  // the template
    std::int64_t available = 0;
    std::uint64_t comes_up = 0;  // the start that is under way; 0: none
  };
  struct Pods {
    ObjectKey key;
    std::vector<PodSet> sets;     // the newest last
    std::int64_t generation = 0;  // that the controller has looked at
    std::int64_t replicas = 0;    // as it was then
    bool deadline_exceeded = false;
    std::uint64_t deadline = 0;
  };
  void run_deployment(const ObjectKey& key, const std::string& uid);
  void start_pods(const std::string& uid, std::int64_t replicas);
  void write_status(const ObjectKey& key, const std::string& uid);
  void collect(const ObjectKey& key, const std::string& uid);
  void finish_foreground(const ObjectKey& owner, const std::string& uid);
  void traffic_changed() {
    if (on_traffic_change) on_traffic_change();
  }
  bool has_endpoint(const Value& service, const Value& port, const Value& subset_labels) const;

  Machine& machine_;
  ApiServer& server_;
  std::map<std::string, Pods> pods_;  // by the Deployment's uid
  std::map<ObjectKey, Value> in_force_;
  std::int64_t gateway_due_ns_ = 0;  // routes come into force in the order of their changes
  std::uint64_t starts_ = 0;
};

}  // namespace sluice::sim
