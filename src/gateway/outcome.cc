#include "gateway/outcome.h"

#include <cstring>

namespace sluice::gateway {

std::string_view to_string(Phase phase) noexcept {
  static constexpr std::string_view kNames[] = {"received", "routed",   "connecting",
                                                "sent",     "relaying", "done"};
  return kNames[static_cast<unsigned>(phase)];
}

std::string_view flag_name(unsigned bit) noexcept {
  static constexpr std::string_view kNames[flag::kCount] = {
      "NR", "NC", "UH", "UF", "URX", "UT", "UO", "UC", "UPE", "DC", "DPE", "FI", "DI"};
  return kNames[bit];
}

std::string_view write_flags(Flags flags, char (&buffer)[64]) noexcept {
  if (flags == 0) return "-";
  std::size_t size = 0;
  // URX stands in front, as in Envoy's logs ("URX,UF").
  static constexpr unsigned kOrder[flag::kCount] = {4, 0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12};
  for (const unsigned bit : kOrder) {
    if ((flags & (1U << bit)) == 0) continue;
    if (size > 0) buffer[size++] = ',';
    const std::string_view name = flag_name(bit);
    std::memcpy(buffer + size, name.data(), name.size());
    size += name.size();
  }
  return {buffer, size};
}

std::string_view reset_reason(Failure failure) noexcept {
  switch (failure) {
    case Failure::kConnect:
      return "remote connection failure";
    case Failure::kConnectTimeout:
      return "connection timeout";
    case Failure::kTermination:
      return "connection termination";
    case Failure::kProtocol:
      return "protocol error";
    case Failure::kOverflow:
      return "overflow";
    default:
      return "";
  }
}

Flags flags_of(Failure failure) noexcept {
  switch (failure) {
    case Failure::kNoCluster:
      return flag::kNoCluster;
    case Failure::kNoEndpoint:
      return flag::kNoHealthyUpstream;
    case Failure::kConnect:
    case Failure::kConnectTimeout:
      return flag::kUpstreamFailure;
    case Failure::kTermination:
      return flag::kUpstreamTermination;
    case Failure::kProtocol:
      return flag::kUpstreamProtocol;
    case Failure::kOverflow:
      return flag::kUpstreamOverflow;
    case Failure::kTryTimeout:
    case Failure::kTimeout:
      return flag::kUpstreamTimeout;
    case Failure::kNone:
      break;
  }
  return 0;
}

std::uint16_t status_of(Failure failure) noexcept {
  switch (failure) {
    case Failure::kProtocol:
      return 502;
    case Failure::kTryTimeout:
    case Failure::kTimeout:
      return 504;
    default:
      return 503;
  }
}

}  // namespace sluice::gateway
