// Structured log lines on standard error: one line each, logfmt or JSON, written by one write(2).
// Any thread. Not for the request path: that has the gateway's access log.
//
//   log::info("endpoints changed", {{"service", key}, {"ready", 3}});
//   level=info time=2026-01-02T03:04:05.678Z msg="endpoints changed" service=default/iris ready=3
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace sluice::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarning, kError };
enum class Format : std::uint8_t { kLogfmt, kJson };

struct Item {
  std::string_view key;
  std::string value;
  bool quoted = true;  // false: a number or a boolean

  Item(std::string_view name, std::string_view text) : key(name), value(text) {}
  Item(std::string_view name, const char* text) : key(name), value(text) {}
  Item(std::string_view name, const std::string& text) : key(name), value(text) {}
  Item(std::string_view name, bool flag)
      : key(name), value(flag ? "true" : "false"), quoted(false) {}
  template <std::integral N>
    requires(!std::same_as<N, bool>)
  Item(std::string_view name, N number) : key(name), value(std::to_string(number)), quoted(false) {}
  Item(std::string_view name, double number)
      : key(name), value(std::to_string(number)), quoted(false) {}
};

void set_level(Level level);
void set_format(Format format);
bool enabled(Level level);
bool parse_level(std::string_view text, Level& level);  // "debug", "info", "warning", "error"

void write(Level level, std::string_view message, std::initializer_list<Item> items = {});
inline void debug(std::string_view message, std::initializer_list<Item> items = {}) {
  if (enabled(Level::kDebug)) write(Level::kDebug, message, items);
}
inline void info(std::string_view message, std::initializer_list<Item> items = {}) {
  if (enabled(Level::kInfo)) write(Level::kInfo, message, items);
}
inline void warning(std::string_view message, std::initializer_list<Item> items = {}) {
  if (enabled(Level::kWarning)) write(Level::kWarning, message, items);
}
inline void error(std::string_view message, std::initializer_list<Item> items = {}) {
  write(Level::kError, message, items);
}

}  // namespace sluice::log
