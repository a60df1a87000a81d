// Time, handed to whoever needs it so that tests can turn the hands.
#pragma once

#include <chrono>
#include <cstdint>

namespace sluice {

using Nanoseconds = std::chrono::nanoseconds;
using Milliseconds = std::chrono::milliseconds;

// Nanoseconds of a monotonic clock. The only place that reads it, beside net/loop.
std::int64_t monotonic_ns() noexcept;
// Seconds since 1970.
std::int64_t wall_seconds() noexcept;

}  // namespace sluice
