// What a worker counts. Each cell is written by its worker alone and read by the control thread:
// relaxed loads and stores, no locked instruction, no shared line between workers.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "gateway/outcome.h"

namespace sluice::gateway {

class Cell {
 public:
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void sub(std::uint64_t n = 1) noexcept { add(~n + 1); }
  void set(std::uint64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Upper bounds of the latency histogram in microseconds; the last bucket is +Inf.
inline constexpr std::uint64_t kLatencyBoundsUs[] = {
    100,    250,     500,     1'000,   2'500,     5'000,     10'000,    25'000,
    50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000};
inline constexpr unsigned kLatencyBuckets =
    sizeof kLatencyBoundsUs / sizeof kLatencyBoundsUs[0] + 1;

struct alignas(64) Metrics {
  Cell requests_by_class[6];  // 1xx to 5xx at 1..5; 0: no answer was sent
  Cell flags[flag::kCount];
  Cell latency[kLatencyBuckets];
  Cell latency_sum_us;
  Cell refused_heads;  // malformed or too large
  Cell downstream_connections;
  Cell downstream_connections_total;
  Cell downstream_requests_active;
  Cell downstream_bytes_in;
  Cell downstream_bytes_out;
  Cell upstream_connections;
  Cell upstream_connections_total;
  Cell upstream_connect_failures;
  Cell upstream_bytes_in;
  Cell upstream_bytes_out;
  Cell retries;
  Cell free_retries;  // nothing of the request had been delivered
  Cell reroutes;      // ... and a newer configuration was asked
  Cell failovers;     // ... and another destination of the rule was tried
  Cell mirrors;
  Cell mirrors_dropped;
  Cell ejections;
  Cell tls_handshakes;
  Cell tls_handshake_failures;
  Cell accept_paused;
  Cell access_log_dropped;
  Cell snapshot_version;
  Cell snapshots_alive;

  void count_latency(std::uint64_t us) noexcept {
    unsigned bucket = 0;
    while (bucket + 1 < kLatencyBuckets && us > kLatencyBoundsUs[bucket]) ++bucket;
    latency[bucket].add();
    latency_sum_us.add(us);
  }
};

// Prometheus text of the sums over `workers`. docs/reference/metrics.md lists the names.
std::string render(const std::vector<const Metrics*>& workers);

}  // namespace sluice::gateway
