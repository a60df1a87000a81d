#include "cli/output.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "resource/print.h"

namespace sluice::cli {

namespace {

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool colours() {
  const char* const no_colour = std::getenv("NO_COLOR");
  return isatty(STDERR_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0');
}

}  // namespace

bool parse_format(std::string_view text, Format& format) {
  if (text == "table")
    format = Format::kTable;
  else if (text == "yaml")
    format = Format::kYaml;
  else if (text == "json")
    format = Format::kJson;
  else
    return false;
  return true;
}

bool print(std::string_view text) { return write_all(STDOUT_FILENO, text); }

bool print(const resource::Value& value, Format format) {
  return print(format == Format::kJson
                   ? resource::to_json(value, resource::JsonStyle::kPretty) + "\n"
                   : resource::to_yaml(value));
}

std::string table(const std::vector<std::string>& header,
                  const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const std::string& cell : header) widths.push_back(cell.size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  const auto add = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - row[i].size() + 2, ' ');
    }
    out += '\n';
  };
  add(header);
  for (const auto& row : rows) add(row);
  return out;
}

void print_diagnostics(const resource::Diagnostics& diagnostics) {
  const bool colour = colours();
  std::string out;
  for (const resource::Diagnostic& diagnostic : diagnostics) {
    std::string line = resource::to_string(diagnostic);
    if (colour) {
      const bool error = diagnostic.severity == resource::Severity::kError;
      const std::string_view word = error ? "error:" : "warning:";
      if (const auto at = line.find(word); at != std::string::npos) {
        line.replace(at, word.size(),
                     fmt::format("\x1b[{}m{}\x1b[0m", error ? "1;31" : "1;33", word));
      }
    }
    out += line + "\n";
  }
  write_all(STDERR_FILENO, out);
}

int fail_with(const Error& error) {
  print_diagnostics({resource::Diagnostic{
      resource::Severity::kError, "failed", "", {}, "", "", to_string(error), ""}});
  return kExitFailure;
}

resource::Value to_value(const resource::Diagnostics& diagnostics) {
  resource::List list;
  for (const resource::Diagnostic& each : diagnostics) {
    list.push_back(resource::Map{
        {"severity", each.severity == resource::Severity::kError ? "error" : "warning"},
        {"code", each.code},
        {"file", each.file},
        {"line", static_cast<std::int64_t>(each.place.line)},
        {"column", static_cast<std::int64_t>(each.place.column)},
        {"object", each.object},
        {"field", each.field},
        {"what", each.what},
        {"hint", each.hint},
    });
  }
  return list;
}

}  // namespace sluice::cli
