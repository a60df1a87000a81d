#include "http/authority.h"

#include <array>

namespace sluice::http {
namespace {

// RFC 3986 section 3.2.2: unreserved, percent-encoded, sub-delims.
constexpr std::array<bool, 256> kHostBytes = [] {
  std::array<bool, 256> table{};
  for (const char c :
       std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                        "-._~%!$&'()*+,;=")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

bool is_port(std::string_view text, std::uint16_t& port) noexcept {
  if (text.empty()) return true;  // "host:" is allowed (RFC 3986 section 3.2.3)
  if (text.size() > 5) return false;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value == 0 || value > 65535) return false;
  port = static_cast<std::uint16_t>(value);
  return true;
}

bool is_address_byte(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
         c == '.';
}

}  // namespace

bool split_authority(std::string_view text, Authority& out) noexcept {
  out = Authority();
  std::size_t at = 0;
  if (text.starts_with('[')) {
    at = 1;
    while (at != text.size() && is_address_byte(text[at])) ++at;
    if (at < 3 || at == text.size() || text[at] != ']') return false;
    ++at;
  } else {
    while (at != text.size() && kHostBytes[static_cast<unsigned char>(text[at])]) ++at;
  }
  out.host = text.substr(0, at);
  if (at == text.size()) return true;
  if (text[at] != ':' || out.host.empty()) return false;
  const std::string_view port = text.substr(at + 1);
  if (is_port(port, out.port)) return true;
  // No number: the host before it decides alone, as in Envoy. The text goes on as it came.
  for (const char c : port) {
    if (!kHostBytes[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

std::string_view lower_into(char* out, std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    out[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  return {out, text.size()};
}

}  // namespace sluice::http
