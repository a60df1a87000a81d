// One word to many threads that may be blocked: end. Set once, never cleared.
#pragma once

#include <atomic>

#include "base/clock.h"
#include "net/socket.h"

namespace sluice::kube {

class Stop {
 public:
  Stop();
  void set() noexcept;  // any thread
  bool is_set() const noexcept { return set_.load(std::memory_order_acquire); }
  // False: stopped.
  bool wait(Milliseconds duration) const noexcept;

  enum class Ready : std::uint8_t { kReady, kTimedOut, kStopped };
  // Until `fd` has one of `events` (poll's), `deadline_ns` (monotonic) passes, or the stop.
  Ready wait_for(int fd, short events, std::int64_t deadline_ns) const noexcept;

 private:
  std::atomic<bool> set_{false};
  net::Fd event_;  // readable for ever once set
};

}  // namespace sluice::kube
