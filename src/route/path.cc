#include "route/path.h"

#include <array>
#include <cstddef>

namespace sluice::route {
namespace {

enum Class : std::uint8_t {
  kPlain,       // stays as it is
  kDot,         // matters right behind a slash
  kPercent,     // may be decoded
  kBackslash,   // becomes '/'
  kEncode,      // becomes %XX
  kQuery,       // ends the path
  kFragment,    // ends the target
  kUnreadable,  // 400
};

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t c = 0; c < 256; ++c) classes[c] = c <= 0x20 || c >= 0x7f ? kUnreadable : kPlain;
  for (const char c : {'"', '<', '>', '^', '`', '{', '|', '}'}) {
    classes[static_cast<std::uint8_t>(c)] = kEncode;
  }
  classes['.'] = kDot;
  classes['%'] = kPercent;
  classes['\\'] = kBackslash;
  classes['?'] = kQuery;
  classes['#'] = kFragment;
  return classes;
}

constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

std::uint8_t class_of(char c) { return kClasses[static_cast<std::uint8_t>(c)]; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 3986 section 2.3.
bool is_unreserved(int c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// The byte that "%XX" at `at` means, or -1.
int decoded(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size() || text[at] != '%') return -1;
  const int high = hex_digit(text[at + 1]);
  const int low = hex_digit(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// Drops the last segment of `out`, which ends with '/'; stops at the root.
void drop_segment(std::string& out) {
  if (out.size() <= 1) return;
  out.pop_back();
  while (out.back() != '/') out.pop_back();
}

// `out` ends with the segment just finished. Resolves "." and ".."; true: it was one.
void end_segment(std::string& out, std::size_t segment_start, bool slash_follows) {
  const std::string_view segment(out.data() + segment_start, out.size() - segment_start);
  if (segment == ".") {
    out.resize(segment_start);
  } else if (segment == "..") {
    out.resize(segment_start);
    drop_segment(out);
  } else if (slash_follows) {
    out.push_back('/');
  }
}

// The slow way: `path` has something in it that must change. False: "%00".
bool rewrite(std::string_view path, std::string& out) {
  out.assign(1, '/');
  std::size_t segment_start = 1;
  for (std::size_t i = 1; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '/' || c == '\\') {
      end_segment(out, segment_start, true);
      segment_start = out.size();
    } else if (c == '%') {
      const int byte = decoded(path, i);
      if (byte == 0) return false;
      if (byte > 0 && is_unreserved(byte)) {
        out.push_back(static_cast<char>(byte));
        i += 2;
      } else {
        out.push_back(c);
      }
    } else if (class_of(c) == kEncode) {
      constexpr std::string_view kHex = "0123456789ABCDEF";
      const auto byte = static_cast<std::uint8_t>(c);
      out.push_back('%');
      out.push_back(kHex[byte >> 4U]);
      out.push_back(kHex[byte & 15U]);
    } else {
      out.push_back(c);
    }
  }
  end_segment(out, segment_start, false);
  return true;
}

}  // namespace

NormalisedPath normalise(std::string_view target, std::string& buffer) {
  NormalisedPath result;
  if (target.empty() || target[0] != '/') return result;
  bool must_change = false;
  std::size_t end = 0;
  for (; end < target.size(); ++end) {
    const std::uint8_t kind = class_of(target[end]);
    if (kind == kPlain) continue;
    if (kind == kUnreadable) return result;
    if (kind == kQuery || kind == kFragment) break;
    if (kind != kDot || target[end - 1] == '/') must_change = true;  // target[0] is '/', no dot
  }
  result.path = target.substr(0, end);
  if (end < target.size() && target[end] == '?') {
    result.has_query = true;
    result.query = target.substr(end + 1);
  }
  for (std::size_t i = end; i < target.size(); ++i) {
    const std::uint8_t kind = class_of(target[i]);
    if (kind == kUnreadable) return NormalisedPath{};
    if (kind != kFragment) continue;
    if (result.has_query) result.query = target.substr(end + 1, i - end - 1);
    for (const char c : target.substr(i)) {
      if (class_of(c) == kUnreadable) return NormalisedPath{};
    }
    break;
  }
  if (must_change) {
    if (!rewrite(result.path, buffer)) return NormalisedPath{};
    result.path = buffer;
  }
  result.ok = true;
  return result;
}

}  // namespace sluice::route
