// Names of services -> ports, endpoints and the DestinationRule that holds for them: what a cluster
// is made of. Kubernetes Services ("name.namespace.svc.cluster.local") and the hosts of
// ServiceEntries are one space of names.
//
// Mutable, control thread only. Every change notes the hosts whose clusters it may touch.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "compile/link.h"
#include "resource/istio.h"
#include "route/cluster.h"

namespace sluice::compile {

struct ClusterKey {
  std::string host;  // full, lower case
  std::uint16_t port = 0;
  std::string subset;
  auto operator<=>(const ClusterKey&) const = default;
};

// exportTo of an object in `ns` lets `viewer` see it. Empty: everyone.
bool is_exported(const std::vector<std::string>& export_to, std::string_view ns,
                 std::string_view viewer) noexcept;
// "one" in `ns` is "one.ns.svc.cluster.local"; names with a dot stay. Lower case.
std::string full_host(std::string_view host, std::string_view ns, std::string_view domain);

// Envoy's form: "outbound|8000|main|iris.default.svc.cluster.local".
std::string cluster_name(std::string_view host, std::uint16_t port, std::string_view subset);

class Services {
 public:
  explicit Services(const LinkSettings& settings) : settings_(settings) {}

  // Service, EndpointSlice, ServiceEntry, DestinationRule, Secret; others: nothing happens.
  void put(const resource::ObjectPointer& object);
  void erase(const resource::ObjectKey& key);
  void set_addresses(std::string_view name, std::vector<std::string> addresses);
  std::vector<std::string> names_to_resolve() const;
  bool has_addresses(std::string_view name) const { return addresses_.contains(name); }

  // What changed since the last call of clear_touched. A host may be a wildcard "*.x" or "*".
  const std::unordered_set<std::string>& touched() const noexcept { return touched_; }
  void clear_touched() { touched_.clear(); }

  // 0: no such service to be seen, or it has not exactly one port.
  std::uint16_t only_port(std::string_view host) const;
  // nullptr: no such service, port or subset (503, flag NC). `id` is left to the caller.
  std::shared_ptr<route::Cluster> make_cluster(const ClusterKey& key);

  // Why make_cluster gives nullptr, in the user's words; "" when it does not.
  std::string why_absent(const ClusterKey& key) const;
  const resource::Secret* find_secret(std::string_view ns, std::string_view name) const;
  const std::map<resource::ObjectKey, resource::DestinationRule>& destination_rules() const {
    return rules_;
  }
  const std::map<resource::ObjectKey, resource::ServiceEntry>& entries() const { return entries_; }
  bool has_host(std::string_view host) const { return hosts_.contains(std::string(host)); }
  // Hosts that are visible to the gateway and look like `host`: for "did you mean".
  std::string nearest_host(std::string_view host) const;

 private:
  struct Provider {
    bool is_entry = false;  // Services first
    std::int64_t created = 0;
    std::string name;
    std::string ns;
    resource::ObjectKey key;
    auto operator<=>(const Provider&) const = default;
  };
  struct Found {
    const Provider* provider = nullptr;
    const resource::ServicePort* port = nullptr;
    std::vector<std::string> const* export_to = nullptr;
  };
  // One host's DestinationRules as one: subsets joined, the first policy.
  struct Policy {
    const resource::Value* policy = nullptr;
    std::vector<const resource::Subset*> subsets;
    std::string ns;
  };

  void add_provider(const std::string& host, Provider provider);
  void remove_provider(const std::string& host, const resource::ObjectKey& key);
  const std::vector<resource::ServicePort>& ports_of(const Provider& provider) const;
  bool is_visible(const Provider& provider) const;
  Found find_port(std::string_view host, std::uint16_t port) const;
  Policy find_policy(std::string_view host, std::string_view service_ns) const;
  bool find_policy_in(std::string_view ns, std::string_view host, bool only_private,
                      Policy& found) const;
  void add_endpoints(const Provider& provider, const resource::ServicePort& port,
                     const resource::Labels* labels, route::Cluster& cluster) const;
  void add_entry_endpoints(const resource::ServiceEntry& entry, const resource::ServicePort& port,
                           const resource::Labels* labels, route::Cluster& cluster) const;
  bool set_tls(const resource::Value& tls, const ClusterKey& key, route::Cluster& cluster);

  const LinkSettings& settings_;
  std::unordered_set<std::string> touched_;
  std::unordered_map<std::string, std::vector<Provider>> hosts_;
  std::map<resource::ObjectKey, resource::Service> services_;
  std::map<resource::ObjectKey, resource::ServiceEntry> entries_;
  std::map<resource::ObjectKey, std::string> slice_hosts_;
  // By the host of its Service, then by the slice's name.
  std::unordered_map<std::string, std::map<std::string, resource::EndpointSlice>> slices_;
  std::map<resource::ObjectKey, resource::DestinationRule> rules_;
  // By "namespace/host"; oldest first.
  std::unordered_map<std::string, std::vector<const resource::DestinationRule*>> rules_by_host_;
  std::map<std::string, resource::Secret, std::less<>> secrets_;            // "namespace/name"
  std::unordered_map<std::string, std::set<std::string>> secret_users_;     // -> hosts
  std::map<std::string, std::vector<std::string>, std::less<>> addresses_;  // resolved names
};

}  // namespace sluice::compile
