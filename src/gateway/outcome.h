// How a request went: the words that logs, metrics and documentation share.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::gateway {

enum class Phase : std::uint8_t { kReceived, kRouted, kConnecting, kSent, kRelaying, kDone };
std::string_view to_string(Phase phase) noexcept;

// Why a try at an upstream failed.
enum class Failure : std::uint8_t {
  kNone,
  kNoCluster,
  kNoEndpoint,
  kConnect,         // refused, unreachable, TLS failed
  kConnectTimeout,  //
  kTermination,     // closed or reset before the answer was complete
  kProtocol,        // bad HTTP
  kOverflow,        // a limit of the connection pool
  kTryTimeout,      // perTryTimeout
  kTimeout,         // timeout of the route
};

// Envoy's response flags, so that logs can be read with the habits people have. A set: bits.
using Flags = std::uint16_t;
namespace flag {
inline constexpr Flags kNoRoute = 1U << 0U;              // NR
inline constexpr Flags kNoCluster = 1U << 1U;            // NC
inline constexpr Flags kNoHealthyUpstream = 1U << 2U;    // UH
inline constexpr Flags kUpstreamFailure = 1U << 3U;      // UF
inline constexpr Flags kRetriesExceeded = 1U << 4U;      // URX
inline constexpr Flags kUpstreamTimeout = 1U << 5U;      // UT
inline constexpr Flags kUpstreamOverflow = 1U << 6U;     // UO
inline constexpr Flags kUpstreamTermination = 1U << 7U;  // UC
inline constexpr Flags kUpstreamProtocol = 1U << 8U;     // UPE
inline constexpr Flags kDownstreamGone = 1U << 9U;       // DC
inline constexpr Flags kDownstreamProtocol = 1U << 10U;  // DPE
inline constexpr Flags kFaultAborted = 1U << 11U;        // FI
inline constexpr Flags kFaultDelayed = 1U << 12U;        // DI
inline constexpr unsigned kCount = 13;
}  // namespace flag

std::string_view flag_name(unsigned bit) noexcept;  // 0 to kCount - 1: "NR"
// "UF,URX", or "-" when there is none, into `buffer`. Order: as Envoy prints them.
std::string_view write_flags(Flags flags, char (&buffer)[64]) noexcept;

// What Envoy puts behind "reset reason: ".
std::string_view reset_reason(Failure failure) noexcept;
Flags flags_of(Failure failure) noexcept;
std::uint16_t status_of(Failure failure) noexcept;  // 503, 502 or 504

}  // namespace sluice::gateway
