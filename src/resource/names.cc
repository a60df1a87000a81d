// The small languages inside of fields: names, durations, quantities.
#include <array>

#include "resource/check.h"

namespace sluice::resource {

namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }

std::string_view fault_of_part(std::string_view part) noexcept {
  if (part.empty()) return "a part is empty";
  for (const char c : part) {
    if (!is_digit(c) && !is_lower(c) && c != '-') {
      if (c >= 'A' && c <= 'Z') return "capital letters are not allowed";
      if (c == '_') return "underscores are not allowed; use \"-\"";
      return "only a-z, 0-9 and \"-\" are allowed";
    }
  }
  if (part.front() == '-' || part.back() == '-') return "it begins or ends with \"-\"";
  return {};
}

}  // namespace

std::string_view fault_of_label(std::string_view name) noexcept {
  if (name.empty()) return "it is empty";
  if (name.size() > 63) return "it is longer than 63 characters";
  return fault_of_part(name);
}

std::string_view fault_of_label_1035(std::string_view name) noexcept {
  if (const std::string_view fault = fault_of_label(name); !fault.empty()) return fault;
  return is_lower(name.front()) ? std::string_view() : "it must begin with a letter";
}

std::string_view fault_of_subdomain(std::string_view name) noexcept {
  if (name.empty()) return "it is empty";
  if (name.size() > 253) return "it is longer than 253 characters";
  for (;;) {
    const auto dot = name.find('.');
    if (const std::string_view fault = fault_of_part(name.substr(0, dot)); !fault.empty()) {
      return fault;
    }
    if (dot == std::string_view::npos) return {};
    name.remove_prefix(dot + 1);
  }
}

std::int64_t duration_ns(std::string_view text) noexcept {
  struct Unit {
    std::string_view name;
    double ns;
  };
  // Longer names first: "ms" is no "m".
  constexpr std::array<Unit, 8> kUnits = {{{"ns", 1},
                                           {"us", 1e3},
                                           {"\xC2\xB5s", 1e3},
                                           {"\xCE\xBCs", 1e3},
                                           {"ms", 1e6},
                                           {"s", 1e9},
                                           {"m", 60e9},
                                           {"h", 3600e9}}};
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return 0;
  double total = 0;
  bool any = false;
  while (!text.empty()) {
    double number = 0;
    double scale = 0;  // 0: before the point
    bool digits = false;
    while (!text.empty() && (is_digit(text.front()) || (text.front() == '.' && scale == 0))) {
      if (text.front() == '.') {
        scale = 1;
      } else {
        digits = true;
        number = number * 10 + (text.front() - '0');
        scale *= 10;
      }
      text.remove_prefix(1);
    }
    if (!digits) return -1;
    if (scale > 1) number /= scale;
    const Unit* found = nullptr;
    for (const Unit& unit : kUnits) {
      if (text.starts_with(unit.name) && found == nullptr) found = &unit;
    }
    if (found == nullptr) return -1;
    text.remove_prefix(found->name.size());
    total += number * found->ns;
    any = true;
  }
  return any && total < 9.2e18 ? static_cast<std::int64_t>(total) : -1;
}

bool is_quantity(std::string_view text) noexcept {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  const auto take_number = [&] {
    bool digits = false;
    bool point = false;
    while (!text.empty() && (is_digit(text.front()) || (text.front() == '.' && !point))) {
      point |= text.front() == '.';
      digits |= is_digit(text.front());
      text.remove_prefix(1);
    }
    return digits;
  };
  if (!take_number()) return false;
  if (text.empty()) return true;
  if (text.size() == 1 && std::string_view("numkMGTPE").find(text[0]) != std::string_view::npos) {
    return true;
  }
  if (text.size() == 2 && text[1] == 'i') {
    return std::string_view("KMGTPE").find(text[0]) != std::string_view::npos;
  }
  if (text.front() != 'e' && text.front() != 'E') return false;
  text.remove_prefix(1);
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return take_number() && text.empty();
}

}  // namespace sluice::resource
