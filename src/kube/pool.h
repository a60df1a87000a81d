// Connections that wait for their next exchange, and the rate at which exchanges may begin.
// Thread: any.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "kube/connection.h"

namespace sluice::kube {

class Pool {
 public:
  explicit Pool(std::size_t idle_max) : idle_max_(idle_max) {}

  // The one that was used last, made with this TLS context; null: none is fit.
  std::unique_ptr<Connection> take(const net::TlsContext* tls);
  void put_back(std::unique_ptr<Connection> connection);
  void clear();

 private:
  const std::size_t idle_max_;
  std::mutex mutex_;
  struct Idle {
    std::unique_ptr<Connection> connection;
    std::int64_t since_ns;
  };
  std::vector<Idle> idle_;  // newest last
};

// A token bucket that hands out places in a queue: who comes too early is told how long to wait.
class RateLimit {
 public:
  RateLimit(double per_second, double burst)
      : per_second_(per_second), burst_(burst), tokens_(burst), filled_ns_(monotonic_ns()) {}
  Nanoseconds take();  // how long to wait before the call; zero mostly

 private:
  const double per_second_;
  const double burst_;
  std::mutex mutex_;
  double tokens_;  // below zero: calls that wait
  std::int64_t filled_ns_;
};

}  // namespace sluice::kube
