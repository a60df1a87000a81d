#include "kube/stop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "base/assert.h"

namespace sluice::kube {

Stop::Stop() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { SLUICE_ASSERT(event_.is_open()); }

void Stop::set() noexcept {
  set_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t put = write(event_.get(), &one, sizeof one);
}

bool Stop::wait(Milliseconds duration) const noexcept {
  return wait_for(-1, 0, monotonic_ns() + Nanoseconds(duration).count()) == Ready::kTimedOut;
}

Stop::Ready Stop::wait_for(int fd, short events, std::int64_t deadline_ns) const noexcept {
  pollfd watched[2] = {{event_.get(), POLLIN, 0}, {fd, events, 0}};  // poll skips a negative fd
  for (;;) {
    if (is_set()) return Ready::kStopped;
    const std::int64_t left_ms = (deadline_ns - monotonic_ns() + 999'999) / 1'000'000;
    if (left_ms <= 0) return Ready::kTimedOut;
    poll(watched, 2, static_cast<int>(std::min<std::int64_t>(left_ms, 3'600'000)));
    if (watched[0].revents != 0) return Ready::kStopped;
    if (watched[1].revents != 0) return Ready::kReady;
  }
}

}  // namespace sluice::kube
