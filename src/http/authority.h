// host:port, as in Host, :authority and absolute targets. No allocation. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::http {

struct Authority {
  std::string_view host;   // as sent; an IPv6 address keeps its brackets
  std::uint16_t port = 0;  // 0: none given, or no number from 1 to 65535
};

// False: a byte that no host may have, or brackets that don't fit. "" is valid: an
// empty Host. User names are not (RFC 9110 section 4.2.4).
bool split_authority(std::string_view text, Authority& out) noexcept;

// Copies `text` in lower case; `out` has room for text.size() bytes.
std::string_view lower_into(char* out, std::string_view text) noexcept;

}  // namespace sluice::http
