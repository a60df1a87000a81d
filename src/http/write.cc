#include "http/write.h"

#include <array>
#include <bit>

namespace sluice::http {
namespace {

struct Reason {
  std::uint16_t status;
  std::string_view text;
};
// RFC 9110 section 15 and the IANA registry of status codes.
constexpr Reason kReasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Payload Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Entity"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {510, "Not Extended"},
    {511, "Network Authentication Required"},
};

constexpr std::array<std::string_view, 600> kReasonOf = [] {
  std::array<std::string_view, 600> table{};
  for (const Reason& reason : kReasons) table[reason.status] = reason.text;
  return table;
}();

void two_digits(char* out, unsigned value) noexcept {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::string_view reason_of(std::uint16_t status) noexcept {
  return status < kReasonOf.size() ? kReasonOf[status] : std::string_view();
}

void Writer::field(std::string_view name, std::uint64_t number) noexcept {
  char digits[kDecimalBytesMax];
  field(name, std::string_view(digits, write_decimal(digits, number)));
}

void Writer::request_line(std::string_view method, std::string_view target) noexcept {
  if (static_cast<std::size_t>(end_ - at_) < method.size() + target.size() + 12) {
    overflowed_ = true;
    return;
  }
  text(method);
  *at_++ = ' ';
  text(target);
  text(" HTTP/1.1\r\n");
}

void Writer::status_line(std::uint16_t status, std::string_view reason) noexcept {
  if (reason.empty()) reason = reason_of(status);
  if (static_cast<std::size_t>(end_ - at_) < reason.size() + 15) {
    overflowed_ = true;
    return;
  }
  text("HTTP/1.1 ");
  *at_++ = static_cast<char>('0' + status / 100 % 10);
  two_digits(at_, status % 100U);
  at_ += 2;
  *at_++ = ' ';
  text(reason);
  text("\r\n");
}

std::size_t write_decimal(char* out, std::uint64_t number) noexcept {
  char digits[kDecimalBytesMax];
  std::size_t at = kDecimalBytesMax;
  do {
    digits[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  std::memcpy(out, digits + at, kDecimalBytesMax - at);
  return kDecimalBytesMax - at;
}

std::size_t write_chunk_head(char* out, std::uint64_t size) noexcept {
  constexpr char kHex[] = "0123456789abcdef";
  const unsigned digits =
      size == 0 ? 1U : (67U - static_cast<unsigned>(std::countl_zero(size))) / 4U;
  for (unsigned i = digits; i-- > 0; size >>= 4U) out[i] = kHex[size & 15U];
  out[digits] = '\r';
  out[digits + 1] = '\n';
  return digits + 2;
}

std::string_view DateCache::at(std::int64_t seconds) noexcept {
  if (seconds != seconds_) {
    seconds_ = seconds;
    constexpr char kDays[] = "ThuFriSatSunMonTueWed";  // 1970-01-01 was a Thursday
    constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const std::int64_t days = seconds / 86'400;
    const auto of_day = static_cast<unsigned>(seconds % 86'400);
    // Days to civil date, after Howard Hinnant's chrono-Compatible Low-Level Date Algorithms.
    const std::int64_t shifted = days + 719'468;
    const std::int64_t era = shifted / 146'097;
    const auto day_of_era = static_cast<unsigned>(shifted - era * 146'097);
    const unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const unsigned day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned month_from_march = (5 * day_of_year + 2) / 153;
    const unsigned day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    const unsigned month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    const auto year = static_cast<unsigned>(year_of_era + era * 400 + (month <= 2 ? 1 : 0));
    std::memcpy(text_, kDays + days % 7 * 3, 3);
    std::memcpy(text_ + 3, ", ", 2);
    two_digits(text_ + 5, day);
    text_[7] = ' ';
    std::memcpy(text_ + 8, kMonths + (month - 1) * 3, 3);
    text_[11] = ' ';
    two_digits(text_ + 12, year / 100 % 100);
    two_digits(text_ + 14, year % 100);
    text_[16] = ' ';
    two_digits(text_ + 17, of_day / 3600);
    text_[19] = ':';
    two_digits(text_ + 20, of_day / 60 % 60);
    text_[22] = ':';
    two_digits(text_ + 23, of_day % 60);
    std::memcpy(text_ + 25, " GMT", 4);
  }
  return {text_, sizeof text_};
}

}  // namespace sluice::http
