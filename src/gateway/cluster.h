// What one worker knows of one cluster: endpoints with their idle connections and health, counts
// against limits, whose turn it is. An array over route::ClusterId; made anew from the snapshot's
// cluster when that changed, keeping what the two have in common.
// Thread: the worker. No lock, no atomic.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "gateway/upstream.h"
#include "net/address.h"
#include "net/tls.h"
#include "route/cluster.h"
#include "route/snapshot.h"

namespace sluice::gateway {

struct EndpointState {
  route::Endpoint endpoint;
  net::Address address;
  bool address_ok = false;
  ClusterState* cluster = nullptr;
  std::vector<UpstreamConnection*> idle;  // newest last: warm connections are used first
  std::uint32_t connections = 0;          // idle, connecting and busy
  std::uint32_t active = 0;               // requests now
  bool is_gone = false;                   // not in the snapshot any more; dies with its connections

  // Passive exclusion: an endpoint that refused is left alone for a while if there are others.
  std::int64_t avoid_until_ns = 0;
  std::uint32_t refusals = 0;  // in a row
  // Outlier detection (DestinationRule outlierDetection).
  std::int64_t ejected_until_ns = 0;
  std::uint32_t ejections = 0;
  std::uint32_t consecutive_5xx = 0;
  std::uint32_t consecutive_gateway_errors = 0;
  std::int64_t turn = 0;  // smooth weighted round robin
};

// Endpoints that a request has tried; it prefers others.
struct Tried {
  static constexpr unsigned kMax = 8;
  const EndpointState* at[kMax];
  unsigned count = 0;
  void add(const EndpointState* endpoint) noexcept {
    if (count < kMax) at[count++] = endpoint;
  }
  bool has(const EndpointState* endpoint) const noexcept {
    for (unsigned i = 0; i < count; ++i) {
      if (at[i] == endpoint) return true;
    }
    return false;
  }
};

struct ClusterState {
  std::shared_ptr<const route::Cluster> cluster;  // nullptr: never used
  std::vector<std::unique_ptr<EndpointState>> endpoints;
  std::vector<std::unique_ptr<EndpointState>> gone;
  std::shared_ptr<const net::TlsContext> tls;
  bool tls_failed = false;
  bool weighted = false;  // weights differ
  std::uint32_t connections = 0;
  std::uint32_t requests = 0;
  std::uint32_t retries = 0;
  std::uint32_t waiting = 0;
  std::uint32_t next = 0;  // round robin
  std::uint32_t ejected = 0;
  Exchange* wait_first = nullptr;
  Exchange* wait_last = nullptr;
};

// What leads to the connection that a request is to be sent on.
enum class Lease : std::uint8_t { kReady, kConnecting, kWaiting, kOverflow, kNoEndpoint, kRefused };

class ClusterTable {
 public:
  explicit ClusterTable(Worker& worker) : worker_(worker) {}
  ~ClusterTable();

  // The state for `cluster`, brought up to date when `cluster` is of the newest snapshot. nullptr:
  // an older snapshot names a cluster whose number serves another one now.
  ClusterState* state_for(const route::Cluster& cluster, const route::Snapshot& newest);

  // Which endpoint is next. nullptr: none is there, or all are ejected. `hash`: for kHash.
  EndpointState* pick(ClusterState& state, const Tried& tried, std::uint64_t hash,
                      std::int64_t now_ns);
  // Another endpoint than those tried that is not known to be dead.
  bool has_other(const ClusterState& state, const Tried& tried, std::int64_t now_ns) const noexcept;

  // A connection to `endpoint` for `exchange`. `fresh`: not one that was used before.
  Lease lease(ClusterState& state, EndpointState& endpoint, Exchange& exchange, bool fresh,
              std::string_view host, UpstreamConnection*& connection);
  void stop_waiting(Exchange& exchange) noexcept;

  // Of connections, called by them.
  void put_back(UpstreamConnection& connection);
  void forget(UpstreamConnection& connection) noexcept;    // closed: no longer counted
  void take_out(UpstreamConnection& connection) noexcept;  // idle and closed by its peer

  // Results of tries.
  void note_refused(EndpointState& endpoint, std::int64_t now_ns) noexcept;
  void note_reached(EndpointState& endpoint) noexcept {
    endpoint.refusals = 0;
    endpoint.avoid_until_ns = 0;
  }
  void note_answer(EndpointState& endpoint, bool is_5xx, bool is_gateway_error,
                   std::int64_t now_ns) noexcept;

  // Once a second: idle connections past their time; clusters that the snapshot dropped.
  void sweep(const route::Snapshot& newest, std::int64_t now_ns);
  void close_all_idle() noexcept;

 private:
  void refresh(ClusterState& state, std::shared_ptr<const route::Cluster> cluster);
  void retire(ClusterState& state, std::unique_ptr<EndpointState> endpoint);
  void reap(ClusterState& state) noexcept;
  void wake_one(ClusterState& state);
  EndpointState* pick_among(ClusterState& state, const Tried& tried, std::uint64_t hash,
                            std::int64_t now_ns, bool strict);

  Worker& worker_;
  std::vector<std::unique_ptr<ClusterState>> states_;
};

}  // namespace sluice::gateway
