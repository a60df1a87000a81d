#include "base/log.h"

#include <fmt/core.h>
#include <unistd.h>

#include <atomic>
#include <ctime>

namespace sluice::log {

namespace {

std::atomic<Level> current_level{Level::kInfo};
std::atomic<Format> current_format{Format::kLogfmt};

const char* name_of(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      return "error";
  }
  return "error";
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

bool is_plain(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) return false;
  }
  return true;
}

std::string now_text() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     now.tv_nsec / 1000000);
}

}  // namespace

void set_level(Level level) { current_level = level; }
void set_format(Format format) { current_format = format; }
bool enabled(Level level) { return level >= current_level.load(std::memory_order_relaxed); }

bool parse_level(std::string_view text, Level& level) {
  for (const Level candidate : {Level::kDebug, Level::kInfo, Level::kWarning, Level::kError}) {
    if (text == name_of(candidate)) {
      level = candidate;
      return true;
    }
  }
  return false;
}

void write(Level level, std::string_view message, std::initializer_list<Item> items) {
  std::string line;
  line.reserve(256);
  if (current_format.load(std::memory_order_relaxed) == Format::kJson) {
    line += fmt::format(R"({{"level":"{}","time":"{}","msg":)", name_of(level), now_text());
    append_quoted(line, message);
    for (const Item& item : items) {
      line += ',';
      append_quoted(line, item.key);
      line += ':';
      item.quoted ? append_quoted(line, item.value) : static_cast<void>(line += item.value);
    }
    line += "}\n";
  } else {
    line += fmt::format("level={} time={} msg=", name_of(level), now_text());
    append_quoted(line, message);
    for (const Item& item : items) {
      line += ' ';
      line += item.key;
      line += '=';
      is_plain(item.value) ? static_cast<void>(line += item.value)
                           : append_quoted(line, item.value);
    }
    line += '\n';
  }
  // A log line that can't be written is lost: there is nowhere to say so.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace sluice::log
