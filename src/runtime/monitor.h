// One probe of one running container: attempts by its timings, and the verdict.
// Thread: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/probe.h"

namespace sluice::runtime {

class ProbeMonitor {
 public:
  enum class Use : std::uint8_t {
    kUntilFirstSuccess,  // readiness, startup: asked early and often until it first succeeds
    kFromTheStart        // liveness: passes until it fails; waits initialDelaySeconds
  };
  using Changed =
      std::function<void(bool passing, const std::string& reason)>;  // may destroy the monitor
  ProbeMonitor(net::Loop& loop, const ProbeSpec& probe, ProbeTarget target, Use use,
               Milliseconds quick_interval, Changed changed);
  ProbeMonitor(const ProbeMonitor&) = delete;
  ProbeMonitor& operator=(const ProbeMonitor&) = delete;

  bool is_passing() const noexcept { return judge_.is_passing(); }
  const std::string& last_reason() const noexcept { return reason_; }  // of the last failure
  Milliseconds asked_for() const noexcept;  // time since the first attempt

 private:
  void attempt();
  void on_answer(bool success, const std::string& reason);
  Nanoseconds next_delay() const noexcept;

  net::Loop& loop_;
  const ProbeSpec& probe_;
  const ProbeTarget target_;
  const Milliseconds quick_interval_;
  const Changed changed_;
  ProbeJudge judge_;
  const std::int64_t start_ns_;
  bool has_passed_;
  std::string reason_;
  net::Timer timer_;
  std::unique_ptr<ProbeAttempt> attempt_;
};

}  // namespace sluice::runtime
