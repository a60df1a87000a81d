#include "runtime/monitor.h"

#include <algorithm>

namespace sluice::runtime {

namespace {
constexpr Milliseconds kQuickFor{10'000};  // then once a second until the first success
constexpr Milliseconds kSlowInterval{1'000};
}  // namespace

ProbeMonitor::ProbeMonitor(net::Loop& loop, const ProbeSpec& probe, ProbeTarget target, Use use,
                           Milliseconds quick_interval, Changed changed)
    : loop_(loop),
      probe_(probe),
      target_(std::move(target)),
      quick_interval_(quick_interval),
      changed_(std::move(changed)),
      judge_(probe.success_threshold, probe.failure_threshold, use == Use::kFromTheStart),
      start_ns_(loop.now_ns()),
      has_passed_(use == Use::kFromTheStart),
      timer_([](void* self) { static_cast<ProbeMonitor*>(self)->attempt(); }, this) {
  // initialDelaySeconds of readiness is a guess at how long a start takes; asking costs nothing
  // here, so the answer decides. For liveness it protects a slow start from being killed: it holds.
  timer_.arm(loop_, use == Use::kFromTheStart ? Nanoseconds(probe_.initial_delay) : Nanoseconds(0));
}

Milliseconds ProbeMonitor::asked_for() const noexcept {
  return Milliseconds((loop_.now_ns() - start_ns_) / 1'000'000);
}

Nanoseconds ProbeMonitor::next_delay() const noexcept {
  if (judge_.is_passing()) return probe_.period;
  if (!has_passed_ && asked_for() < kQuickFor) return quick_interval_;
  return std::min(probe_.period, kSlowInterval);
}

void ProbeMonitor::attempt() {
  attempt_ = ProbeAttempt::start(
      loop_, probe_, target_,
      [this](bool success, const std::string& reason) { on_answer(success, reason); });
}

void ProbeMonitor::on_answer(bool success, const std::string& reason) {
  // The attempt is on the stack: it goes when the next one starts, or with this.
  if (!success) reason_ = reason;
  const bool changed = judge_.take(success);
  has_passed_ = has_passed_ || judge_.is_passing();
  timer_.arm(loop_, next_delay());
  if (!changed) return;
  const std::string why = reason;
  changed_(judge_.is_passing(), why);  // may destroy this
}

}  // namespace sluice::runtime
