#include "gateway/cluster.h"

#include <algorithm>

#include "base/assert.h"
#include "base/log.h"
#include "gateway/worker.h"

namespace sluice::gateway {

namespace {
// How long an endpoint that refused is left alone when there are others: doubled with each refusal
// in a row. Short: a model that restarts takes a second or so, and nobody else tells us.
constexpr std::int64_t kAvoidFirstNs = 500'000'000;
constexpr std::int64_t kAvoidMostNs = 8'000'000'000;
constexpr std::int64_t kEjectionMostNs = 300'000'000'000;  // Envoy's max_ejection_time

bool is_ejected(const EndpointState& endpoint, std::int64_t now_ns) noexcept {
  return endpoint.ejected_until_ns > now_ns;
}
bool is_avoided(const EndpointState& endpoint, std::int64_t now_ns) noexcept {
  return endpoint.avoid_until_ns > now_ns;
}

std::uint64_t mix(std::uint64_t x) noexcept {
  x ^= x >> 33U;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33U;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33U);
}

// Rendezvous hashing: each endpoint scores the key, the best score wins, so that an endpoint that
// leaves moves only its own keys. Envoy's ring maps other keys to other hosts; which is not
// specified.
std::uint64_t score(const EndpointState& endpoint, std::uint64_t hash) noexcept {
  std::uint64_t seed = 0xcbf29ce484222325ULL;
  for (const char c : endpoint.endpoint.ip) {
    seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return mix(hash ^ mix(seed ^ endpoint.endpoint.port));
}
}  // namespace

ClusterTable::~ClusterTable() = default;

ClusterState* ClusterTable::state_for(const route::Cluster& cluster,
                                      const route::Snapshot& newest) {
  const route::ClusterId id = cluster.id;
  if (id >= states_.size()) states_.resize(std::max<std::size_t>(id + 1, states_.size() * 2));
  std::unique_ptr<ClusterState>& slot = states_[id];
  if (slot == nullptr) slot = std::make_unique<ClusterState>();
  if (slot->cluster.get() == &cluster) return slot.get();
  const route::Cluster* current = newest.clusters.find(id);
  if (current != nullptr && slot->cluster.get() != current) {
    refresh(*slot, newest.clusters.share(id));
  }
  // An older snapshot's request goes by the newest endpoints of the same cluster.
  if (slot->cluster != nullptr && slot->cluster->name == cluster.name) return slot.get();
  return nullptr;
}

void ClusterTable::refresh(ClusterState& state, std::shared_ptr<const route::Cluster> cluster) {
  const bool same_tls = state.cluster != nullptr && state.cluster->tls.has_value() &&
                        cluster->tls.has_value() &&
                        state.cluster->tls->ca_pem == cluster->tls->ca_pem &&
                        state.cluster->tls->certificate_pem == cluster->tls->certificate_pem &&
                        state.cluster->tls->key_pem == cluster->tls->key_pem &&
                        state.cluster->tls->subject_alt_names == cluster->tls->subject_alt_names &&
                        state.cluster->tls->verify == cluster->tls->verify;
  const bool same_peer = state.cluster != nullptr && state.cluster->name == cluster->name &&
                         state.cluster->tls.has_value() == cluster->tls.has_value() &&
                         (!cluster->tls.has_value() || same_tls);
  std::vector<std::unique_ptr<EndpointState>> before;
  before.swap(state.endpoints);
  for (const route::Endpoint& endpoint : cluster->endpoints) {
    const auto same = [&](const std::unique_ptr<EndpointState>& old) {
      return old != nullptr && old->endpoint.ip == endpoint.ip &&
             old->endpoint.port == endpoint.port;
    };
    // Connections made with other TLS settings must not serve the new ones.
    const auto found = same_peer ? std::find_if(before.begin(), before.end(), same) : before.end();
    if (found != before.end()) {
      (*found)->endpoint = endpoint;
      state.endpoints.push_back(std::move(*found));
      continue;
    }
    auto made = std::make_unique<EndpointState>();
    made->endpoint = endpoint;
    made->cluster = &state;
    if (auto address = net::Address::parse(endpoint.ip, endpoint.port)) {
      made->address = *address;
      made->address_ok = true;
    }
    state.endpoints.push_back(std::move(made));
  }
  state.weighted = std::any_of(
      cluster->endpoints.begin(), cluster->endpoints.end(),
      [&](const route::Endpoint& e) { return e.weight != cluster->endpoints[0].weight; });
  if (!cluster->tls.has_value()) {
    state.tls.reset();
  } else if (!same_tls || state.tls == nullptr) {
    state.tls.reset();
    net::TlsClientOptions options;
    options.ca_pem = cluster->tls->ca_pem;
    options.certificate_pem = cluster->tls->certificate_pem;
    options.key_pem = cluster->tls->key_pem;
    options.subject_alt_names = cluster->tls->subject_alt_names;
    options.verify = cluster->tls->verify;
    if (auto made = net::TlsContext::make_client(options)) {
      state.tls = *made;
    } else {
      log::error("a cluster's TLS settings can't be used",
                 {{"cluster", cluster->name}, {"why", to_string(made.error())}});
    }
  }
  state.cluster = std::move(cluster);
  for (auto& old : before) {
    if (old != nullptr) retire(state, std::move(old));
  }
  reap(state);
  // Requests that waited for a connection to what is gone ask again.
  for (std::uint32_t n = state.waiting; n > 0; --n) wake_one(state);
}

void ClusterTable::retire(ClusterState& state, std::unique_ptr<EndpointState> endpoint) {
  endpoint->is_gone = true;
  EndpointState& gone = *endpoint;
  state.gone.push_back(std::move(endpoint));
  while (!gone.idle.empty()) {
    UpstreamConnection* connection = gone.idle.back();
    gone.idle.pop_back();
    connection->close_idle();
  }
}

void ClusterTable::reap(ClusterState& state) noexcept {
  std::erase_if(state.gone, [](const std::unique_ptr<EndpointState>& endpoint) {
    return endpoint->connections == 0 && endpoint->active == 0;
  });
}

EndpointState* ClusterTable::pick(ClusterState& state, const Tried& tried, std::uint64_t hash,
                                  std::int64_t now_ns) {
  if (state.endpoints.empty()) return nullptr;
  if (state.endpoints.size() == 1) {
    EndpointState& only = *state.endpoints[0];
    return is_ejected(only, now_ns) ? nullptr : &only;
  }
  EndpointState* picked = pick_among(state, tried, hash, now_ns, true);
  if (picked != nullptr) return picked;
  // Only tried or avoided ones are left: any that is not ejected.
  return pick_among(state, Tried{}, hash, now_ns, false);
}

EndpointState* ClusterTable::pick_among(ClusterState& state, const Tried& tried, std::uint64_t hash,
                                        std::int64_t now_ns, bool strict) {
  const auto accepts = [&](const EndpointState& endpoint) {
    return !is_ejected(endpoint, now_ns) &&
           !(strict && (is_avoided(endpoint, now_ns) || tried.has(&endpoint)));
  };
  Random& random = worker_.random();
  const auto size = static_cast<std::uint32_t>(state.endpoints.size());
  const auto kind = state.cluster->load_balancer.kind;
  if (kind == route::LoadBalancer::Kind::kHash && hash != 0) {
    EndpointState* best = nullptr;
    std::uint64_t best_score = 0;
    for (const auto& each : state.endpoints) {
      const std::uint64_t mine = score(*each, hash);
      if (accepts(*each) && (best == nullptr || mine > best_score)) {
        best = each.get();
        best_score = mine;
      }
    }
    return best;
  }
  if (kind == route::LoadBalancer::Kind::kRoundRobin && state.weighted) {
    // Smooth: each gains its weight, the richest goes and pays the total.
    EndpointState* best = nullptr;
    std::int64_t total = 0;
    for (const auto& each : state.endpoints) {
      if (!accepts(*each)) continue;
      each->turn += each->endpoint.weight;
      total += each->endpoint.weight;
      if (best == nullptr || each->turn > best->turn) best = each.get();
    }
    if (best != nullptr) best->turn -= total;
    return best;
  }
  if (kind == route::LoadBalancer::Kind::kRoundRobin) {
    for (std::uint32_t i = 0; i < size; ++i) {
      EndpointState& next = *state.endpoints[state.next++ % size];
      if (accepts(next)) return &next;
    }
    return nullptr;
  }
  // One that is accepted, by weight if weights differ, from a random start.
  const auto draw = [&]() -> EndpointState* {
    if (state.weighted) {
      std::uint64_t total = 0;
      for (const auto& each : state.endpoints) {
        if (accepts(*each)) total += each->endpoint.weight;
      }
      if (total == 0) return nullptr;
      std::uint64_t point = random.next() % total;
      for (const auto& each : state.endpoints) {
        if (!accepts(*each)) continue;
        if (point < each->endpoint.weight) return each.get();
        point -= each->endpoint.weight;
      }
      return nullptr;
    }
    const std::uint32_t start = random.below(size);
    for (std::uint32_t i = 0; i < size; ++i) {
      EndpointState& each = *state.endpoints[(start + i) % size];
      if (accepts(each)) return &each;
    }
    return nullptr;
  };
  EndpointState* const first = draw();
  if (first == nullptr || kind != route::LoadBalancer::Kind::kLeastRequest) return first;
  EndpointState* const second = draw();
  return second != nullptr && second->active < first->active ? second : first;
}

bool ClusterTable::has_other(const ClusterState& state, const Tried& tried,
                             std::int64_t now_ns) const noexcept {
  if (tried.count >= Tried::kMax) return false;
  return std::any_of(state.endpoints.begin(), state.endpoints.end(), [&](const auto& each) {
    return !tried.has(each.get()) && !is_ejected(*each, now_ns);
  });
}

Lease ClusterTable::lease(ClusterState& state, EndpointState& endpoint, Exchange& exchange,
                          bool fresh, std::string_view host, UpstreamConnection*& connection) {
  if (!endpoint.address_ok) return Lease::kRefused;
  while (!fresh && !endpoint.idle.empty()) {
    connection = endpoint.idle.back();
    endpoint.idle.pop_back();
    if (connection->is_usable()) {
      connection->begin(exchange);
      return Lease::kReady;
    }
    connection->close_idle();
  }
  const route::ConnectionPool& limits = state.cluster->pool;
  if (state.connections >= limits.connections_max) {
    // An idle connection to another endpoint gives way.
    UpstreamConnection* idle = nullptr;
    for (const auto& each : state.endpoints) {
      if (!each->idle.empty()) {
        idle = each->idle.back();
        each->idle.pop_back();
        break;
      }
    }
    if (idle != nullptr) {
      idle->close_idle();
    } else if (state.waiting >= limits.pending_max) {
      return Lease::kOverflow;
    } else {
      exchange.waits_for = &state;
      exchange.wait_previous = state.wait_last;
      exchange.wait_next = nullptr;
      (state.wait_last != nullptr ? state.wait_last->wait_next : state.wait_first) = &exchange;
      state.wait_last = &exchange;
      ++state.waiting;
      return Lease::kWaiting;
    }
  }
  connection = &worker_.take_upstream();
  if (!connection->connect(endpoint, exchange, host)) {
    worker_.metrics().upstream_connect_failures.add();
    worker_.retire(*connection);
    connection = nullptr;
    note_refused(endpoint, worker_.now_ns());
    return Lease::kRefused;
  }
  return Lease::kConnecting;
}

void ClusterTable::stop_waiting(Exchange& exchange) noexcept {
  ClusterState* state = exchange.waits_for;
  if (state == nullptr) return;
  (exchange.wait_previous != nullptr ? exchange.wait_previous->wait_next : state->wait_first) =
      exchange.wait_next;
  (exchange.wait_next != nullptr ? exchange.wait_next->wait_previous : state->wait_last) =
      exchange.wait_previous;
  exchange.waits_for = nullptr;
  --state->waiting;
}

void ClusterTable::wake_one(ClusterState& state) {
  Exchange* const first = state.wait_first;
  if (first == nullptr) return;
  stop_waiting(*first);
  first->on_pool_room();
}

void ClusterTable::put_back(UpstreamConnection& connection) {
  EndpointState& endpoint = connection.endpoint();
  connection.idle_since_ns = worker_.now_ns();
  endpoint.idle.push_back(&connection);
  if (endpoint.cluster->wait_first != nullptr) wake_one(*endpoint.cluster);
}

void ClusterTable::take_out(UpstreamConnection& connection) noexcept {
  std::erase(connection.endpoint().idle, &connection);
}

void ClusterTable::forget(UpstreamConnection& connection) noexcept {
  EndpointState& endpoint = connection.endpoint();
  ClusterState& state = *endpoint.cluster;
  --endpoint.connections;
  --state.connections;
  if (state.wait_first != nullptr) wake_one(state);
}

void ClusterTable::note_refused(EndpointState& endpoint, std::int64_t now_ns) noexcept {
  const std::int64_t pause = kAvoidFirstNs << std::min<std::uint32_t>(endpoint.refusals, 4);
  ++endpoint.refusals;
  endpoint.avoid_until_ns = now_ns + std::min(pause, kAvoidMostNs);
}

void ClusterTable::note_answer(EndpointState& endpoint, bool is_5xx, bool is_gateway_error,
                               std::int64_t now_ns) noexcept {
  const ClusterState& state = *endpoint.cluster;
  if (!state.cluster->outlier.has_value()) return;
  const route::OutlierDetection& rule = *state.cluster->outlier;
  endpoint.consecutive_5xx = is_5xx ? endpoint.consecutive_5xx + 1 : 0;
  endpoint.consecutive_gateway_errors =
      is_gateway_error ? endpoint.consecutive_gateway_errors + 1 : 0;
  const bool over =
      (rule.consecutive_5xx != 0 && endpoint.consecutive_5xx >= rule.consecutive_5xx) ||
      (rule.consecutive_gateway_errors != 0 &&
       endpoint.consecutive_gateway_errors >= rule.consecutive_gateway_errors);
  if (!over || is_ejected(endpoint, now_ns) || endpoint.is_gone) return;
  std::size_t ejected = 1;
  for (const auto& each : state.endpoints) ejected += is_ejected(*each, now_ns) ? 1U : 0U;
  // With 10 % and fewer than 10 endpoints nothing is ever ejected, as with Istio.
  if (ejected * 100 > state.endpoints.size() * rule.ejection_percent_max) return;
  ++endpoint.ejections;
  const std::int64_t time =
      Nanoseconds(rule.base_ejection).count() * static_cast<std::int64_t>(endpoint.ejections);
  endpoint.ejected_until_ns = now_ns + std::min(time, kEjectionMostNs);
  endpoint.consecutive_5xx = 0;
  endpoint.consecutive_gateway_errors = 0;
  worker_.metrics().ejections.add();
}

void ClusterTable::sweep(const route::Snapshot& newest, std::int64_t now_ns) {
  // By index: a request that waited may be woken in here and make the table grow.
  for (std::size_t i = 0; i < states_.size(); ++i) {
    ClusterState* const state = states_[i].get();
    if (state == nullptr || state->cluster == nullptr) continue;
    const route::Cluster* current = newest.clusters.find(state->cluster->id);
    const bool dropped = current == nullptr;
    if (!dropped && current != state->cluster.get()) {
      refresh(*state, newest.clusters.share(state->cluster->id));
    }
    const std::int64_t oldest = now_ns - Nanoseconds(state->cluster->pool.idle_timeout).count();
    for (const auto& endpoint : state->endpoints) {
      auto& idle = endpoint->idle;
      while (!idle.empty() && (dropped || idle.front()->idle_since_ns < oldest)) {
        UpstreamConnection* connection = idle.front();
        idle.erase(idle.begin());
        connection->close_idle();
      }
    }
    reap(*state);
  }
}

void ClusterTable::close_all_idle() noexcept {
  for (const auto& state : states_) {
    if (state == nullptr) continue;
    for (const auto& endpoint : state->endpoints) {
      while (!endpoint->idle.empty()) {
        UpstreamConnection* connection = endpoint->idle.back();
        endpoint->idle.pop_back();
        connection->close_idle();
      }
    }
  }
}

}  // namespace sluice::gateway
