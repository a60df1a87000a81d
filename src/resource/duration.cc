#include "resource/duration.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

namespace sluice::resource {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 7> kUnits = {{
    {"ns", 1.0},
    {"us", 1e3},
    {"\xc2\xb5s", 1e3},  // the micro sign
    {"ms", 1e6},
    {"s", 1e9},
    {"m", 60e9},
    {"h", 3600e9},
}};

// "12.5" at the start of `text`, which is then behind it. False: no number there.
bool take_number(std::string_view& text, double& number) {
  double value = 0;
  double scale = 1;
  bool any = false;
  bool fraction = false;
  while (!text.empty()) {
    const char c = text.front();
    if (c == '.' && !fraction) {
      fraction = true;
    } else if (c >= '0' && c <= '9') {
      any = true;
      value = value * 10 + (c - '0');
      if (fraction) scale *= 10;
    } else {
      break;
    }
    text.remove_prefix(1);
  }
  number = value / scale;
  return any;
}

bool take_unit(std::string_view& text, double& nanoseconds) {
  std::size_t best = kUnits.size();
  for (std::size_t i = 0; i < kUnits.size(); ++i) {
    if (text.starts_with(kUnits[i].first) &&
        (best == kUnits.size() || kUnits[i].first.size() > kUnits[best].first.size())) {
      best = i;
    }
  }
  if (best == kUnits.size()) return false;
  nanoseconds = kUnits[best].second;
  text.remove_prefix(kUnits[best].first.size());
  return true;
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    double number = 0;
    double unit = 0;
    if (!take_number(text, number) || !take_unit(text, unit)) return std::nullopt;
    total += number * unit;
  }
  if (!(total < 9.2e18)) return std::nullopt;
  const auto count = static_cast<std::int64_t>(std::llround(total));
  return std::chrono::nanoseconds(negative ? -count : count);
}

}  // namespace sluice::resource
