#include "model/answer.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace sluice::model {

namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

}  // namespace

Result<void> check_columns(const Booster& booster, std::size_t columns,
                           const std::vector<std::string_view>& names) {
  const std::vector<std::string>& expected = booster.feature_names();
  const std::string wanted = expected.empty() ? std::string() : ": " + joined(expected);
  if (columns != booster.feature_count()) {
    return fail(Blame::kClient, fmt::format("a row has {} values; the model takes {}{}", columns,
                                            booster.feature_count(), wanted));
  }
  if (names.empty()) return {};
  if (names.size() != columns) {
    return fail(Blame::kClient,
                fmt::format("{} names are given for {} columns", names.size(), columns));
  }
  // Names that the model has never heard of count for nothing, as in Seldon Core, whose clients
  // send "a", "b", "c" at will. As soon as one is the model's own, all must be, in its order:
  // columns that were swapped are never guessed at.
  const bool meant = std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    return std::find(expected.begin(), expected.end(), name) != expected.end();
  });
  if (!meant) return {};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == expected[i]) continue;
    return fail(
        Blame::kClient,
        fmt::format("column {} is named \"{}\"; the model takes, in this order{}; leave the "
                    "names out to send columns by position",
                    i, names[i].substr(0, 100), wanted));
  }
  return {};
}

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_json_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  char buffer[32];
  const auto [end, failure] = std::to_chars(buffer, buffer + sizeof buffer, number);
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

}  // namespace sluice::model
