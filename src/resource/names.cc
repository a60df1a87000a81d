// The small languages inside of fields: names and quantities. Durations are duration.h's.
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
