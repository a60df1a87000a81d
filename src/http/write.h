// Heads and chunks, written into the caller's memory. No allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice::http {

// Appends to [begin, end). What does not fit is left out whole and remembered.
class Writer {
 public:
  Writer(char* begin, char* end) noexcept : begin_(begin), at_(begin), end_(end) {}

  void text(std::string_view text) noexcept {
    if (static_cast<std::size_t>(end_ - at_) < text.size()) {
      overflowed_ = true;
      return;
    }
    at_ = put(at_, text);
  }
  // "name: value\r\n"
  void field(std::string_view name, std::string_view value) noexcept {
    const std::size_t size = name.size() + value.size() + 4;
    if (static_cast<std::size_t>(end_ - at_) < size) {
      overflowed_ = true;
      return;
    }
    char* at = put(at_, name);
    *at++ = ':';
    *at++ = ' ';
    at = put(at, value);
    *at++ = '\r';
    *at++ = '\n';
    at_ = at;
  }
  void field(std::string_view name, std::uint64_t number) noexcept;
  // "GET /x HTTP/1.1\r\n"
  void request_line(std::string_view method, std::string_view target) noexcept;
  // "HTTP/1.1 200 OK\r\n"; `reason` as given, or the usual one when empty.
  void status_line(std::uint16_t status, std::string_view reason = {}) noexcept;
  void end_of_head() noexcept { text("\r\n"); }

  bool overflowed() const noexcept { return overflowed_; }  // then throw away what was written
  std::size_t size() const noexcept { return static_cast<std::size_t>(at_ - begin_); }
  std::string_view written() const noexcept { return {begin_, size()}; }
  char* position() noexcept { return at_; }

 private:
  static char* put(char* at, std::string_view text) noexcept {
    if (!text.empty()) std::memcpy(at, text.data(), text.size());  // memcpy takes no null pointer
    return at + text.size();
  }

  char* begin_;
  char* at_;
  char* end_;
  bool overflowed_ = false;
};

std::string_view reason_of(std::uint16_t status) noexcept;  // "Not Found"; "" when there is none

// Decimal digits of `number` into `out`; how many.
inline constexpr std::size_t kDecimalBytesMax = 20;
std::size_t write_decimal(char* out, std::uint64_t number) noexcept;

// "1f4\r\n" in front of `size` bytes of data; behind them comes "\r\n". How many bytes.
inline constexpr std::size_t kChunkHeadBytesMax = 18;
std::size_t write_chunk_head(char* out, std::uint64_t size) noexcept;
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7), made again only when the second
// changes. Thread: its owner's.
class DateCache {
 public:
  std::string_view at(std::int64_t seconds_since_1970) noexcept;

 private:
  std::int64_t seconds_ = -1;
  char text_[29];
};

}  // namespace sluice::http
