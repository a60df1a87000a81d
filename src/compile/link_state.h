// What the linker keeps between links. Shared by link.cc, link_diagnostics.cc; nobody else.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "compile/link.h"
#include "compile/rules.h"
#include "compile/secrets.h"
#include "compile/services.h"
#include "compile/topology.h"

namespace sluice::compile {

// Clusters named by rules: dense ids that stay while anything names them.
class ClusterIds {
 public:
  struct Entry {
    route::ClusterId id = route::kNoCluster;
    std::uint32_t references = 0;
  };
  using ByName = std::map<std::pair<std::uint16_t, std::string>, Entry>;  // port, subset

  // Counts one reference. Notes the key as new when nothing named it before.
  route::ClusterId acquire(const ClusterKey& key);
  void release(const ClusterKey& key);
  // A new link begins: what the one before dropped may be given out again.
  void begin_link();
  // Ids that nothing names any more since the last call.
  std::vector<route::ClusterId> take_dropped();
  std::vector<ClusterKey> take_fresh();
  // nullptr: nothing names a cluster of that host.
  const ByName* find(const std::string& host) const;
  const std::unordered_map<std::string, ByName>& hosts() const { return hosts_; }

 private:
  std::unordered_map<std::string, ByName> hosts_;
  route::ClusterId next_ = 0;
  std::vector<route::ClusterId> free_;
  std::vector<route::ClusterId> resting_;  // dropped in this link
  std::vector<ClusterKey> fresh_;
  std::vector<ClusterKey> dropped_;  // reference count came to zero; may have come back
};

// One VirtualService and what the tables have of it.
struct VirtualState {
  struct Placed {
    std::size_t table = 0;
    std::string host;
    bool https_redirect = false;
    std::vector<route::PlacedRule> rules;
  };
  std::optional<resource::VirtualService> service;  // absent: only known as a missing delegate
  std::vector<RuleDraft> drafts;
  std::vector<Placed> placed;
  std::vector<ClusterKey> clusters;      // one reference each
  std::set<std::string> delegates;       // "namespace/name" that its rules name
  std::set<std::string> roots;           // who names this one as a delegate
  std::set<std::string> portless_hosts;  // destinations without port
};

struct TableState {
  std::shared_ptr<const route::RouteTable> table;
  std::unique_ptr<route::RouteTableBuilder> builder;  // not null: changed since the last link
  std::map<std::string, std::uint32_t> redirects;     // host -> how many want it
};

struct TlsState {
  std::shared_ptr<const route::ServerTls> tls;  // the last good one
  std::string problem;                          // why the secret of now is not used
  // Nothing to serve with yet. Istio's gateway does not open a port whose secrets it waits for; a
  // pair that does not fit is an answer, and the port is opened.
  bool is_waiting = false;
};

struct Linker::Impl {
  explicit Impl(LinkSettings given) : settings(std::move(given)), services(settings) {}

  const LinkSettings settings;
  Services services;
  RegexCache regexes;
  ClusterIds ids;
  std::map<resource::ObjectKey, resource::Gateway> gateways;
  std::optional<resource::Gateway> provided;
  std::unordered_map<std::string, VirtualState> virtuals;                 // "namespace/name"
  std::unordered_map<std::string, std::set<std::string>> portless_users;  // host -> virtuals

  Topology topology;
  std::unordered_map<std::string, std::vector<std::size_t>> servers_of;  // gateway -> servers
  std::vector<TableState> tables;
  std::map<std::string, TlsState> certificates;  // "gateway ns/name#server index"
  resource::Labels gateway_labels;

  std::unordered_set<std::string> dirty_virtuals;
  bool gateways_dirty = true;
  bool secrets_dirty = false;
  std::uint64_t version = 0;
  route::ClusterTable clusters;
  std::shared_ptr<const route::Snapshot> snapshot;

  void relink_topology();
  bool relink_virtuals();
  void relink_virtual(const std::string& name);
  void retract(VirtualState& state);
  void place(const std::string& name, VirtualState& state);
  void place_at(const std::string& name, VirtualState& state, const PlannedServer& server,
                std::map<std::pair<std::string, std::uint16_t>, std::vector<CompiledRule>>& done,
                std::set<std::pair<std::size_t, std::string>>& taken);
  RuleTarget target_of(const std::string& name, VirtualState& state, const PlannedServer& server);
  bool relink_clusters();
  bool relink_certificates();
  void set_redirect(std::size_t table, const std::string& host, bool on);
  route::RouteTableBuilder& builder_of(std::size_t table);
  std::vector<std::shared_ptr<const route::Listener>> make_listeners();
  const resource::Secret* credential(const PlannedServer& server, std::string_view suffix) const;
  static std::string certificate_key(const PlannedServer& server);
};

}  // namespace sluice::compile
