#include "base/clock.h"

#include <ctime>

namespace sluice {

std::int64_t monotonic_ns() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::int64_t wall_seconds() noexcept { return std::int64_t{time(nullptr)}; }

}  // namespace sluice
