// The ingress gateway: listeners, workers, request states, upstream pools.
// Thread: made, published to and drained on the control thread; each worker is a thread of its own
// and shares nothing with the others. Knows only route: it can't tell who made the snapshot.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/loop.h"
#include "route/snapshot.h"

namespace sluice::gateway {

// Where a gateway port is really bound: --bind 80=8080, --bind 443=127.0.0.1:8443.
struct Bind {
  std::uint16_t gateway_port = 0;
  std::string address;  // "" means 0.0.0.0
  std::uint16_t port = 0;
};

enum class AccessLog : std::uint8_t { kOff, kJson, kText };

struct Options {
  unsigned workers = 1;
  std::vector<Bind> binds;  // ports not named here are bound as they are, on bind_address
  std::string bind_address = "0.0.0.0";
  AccessLog access_log = AccessLog::kOff;
  std::string access_log_path = "/dev/stdout";
  Milliseconds downstream_idle_timeout{3'600'000};
  Milliseconds request_head_timeout{
      60'000};  // from the first byte of a head to its end: 408 beyond
  // How long a caller may send nothing of a body, or take nothing of an answer: 408, or cut. Istio
  // sets no limit; five minutes is Envoy's own default. Waiting for a model is not counted.
  Milliseconds caller_stall_timeout{300'000};
  std::uint32_t downstream_connections_max =
      100'000;  // all workers together; beyond: accepting pauses
};

// Sums over all workers, read without stopping them.
struct PortStatus {
  std::uint16_t gateway_port = 0;
  std::string bound;  // "127.0.0.1:8080"
  std::string error;  // why it is not bound, and what to do
};

class Gateway {
 public:
  // `control` is the control thread's loop: callbacks are posted to it.
  Gateway(net::Loop& control, Options options);
  ~Gateway();  // stops the workers at once

  // Binds what is new, closes what is gone, posts the snapshot to each worker; a request keeps the
  // one it began with. `adopted` (may be empty) runs on the control thread when every worker uses
  // this snapshot.
  void publish(std::shared_ptr<const route::Snapshot> snapshot, std::function<void()> adopted = {});

  // Stops accepting, closes idle connections, lets requests end until the deadline, then calls
  // `done`.
  void drain(Milliseconds deadline, std::function<void()> done);

  std::vector<PortStatus> ports() const;
  // Prometheus text: sluice_requests_total{...}, sluice_upstream_connections, ... Any thread may
  // not: control only.
  std::string metrics() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::gateway
