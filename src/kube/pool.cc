#include "kube/pool.h"

#include <algorithm>

namespace sluice::kube {

namespace {

// Below the shortest limit that load balancers in front of API servers have (60 s), so that a
// connection is closed by us and not under a request.
constexpr std::int64_t kIdleNsMax = 50'000'000'000;

}  // namespace

std::unique_ptr<Connection> Pool::take(const net::TlsContext* tls) {
  std::vector<Idle> dropped;  // closed after the lock is given back
  const std::lock_guard lock(mutex_);
  const std::int64_t now = monotonic_ns();
  while (!idle_.empty()) {
    Idle newest = std::move(idle_.back());
    idle_.pop_back();
    if (now - newest.since_ns < kIdleNsMax && newest.connection->tls() == tls &&
        !newest.connection->is_stale()) {
      return std::move(newest.connection);
    }
    dropped.push_back(std::move(newest));
  }
  return nullptr;
}

void Pool::put_back(std::unique_ptr<Connection> connection) {
  if (!connection->is_reusable()) return;
  const std::lock_guard lock(mutex_);
  if (idle_.size() < idle_max_) idle_.push_back(Idle{std::move(connection), monotonic_ns()});
}

void Pool::clear() {
  std::vector<Idle> dropped;
  const std::lock_guard lock(mutex_);
  dropped.swap(idle_);
}

Nanoseconds RateLimit::take() {
  const std::lock_guard lock(mutex_);
  const std::int64_t now = monotonic_ns();
  tokens_ = std::min(burst_, tokens_ + per_second_ * static_cast<double>(now - filled_ns_) / 1e9);
  filled_ns_ = now;
  tokens_ -= 1;
  if (tokens_ >= 0) return Nanoseconds(0);
  return Nanoseconds(static_cast<std::int64_t>(-tokens_ / per_second_ * 1e9));
}

}  // namespace sluice::kube
