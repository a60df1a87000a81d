#include "resource/diagnostic.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace sluice::resource {

bool has_errors(const Diagnostics& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

void deduplicate(Diagnostics& diagnostics) {
  Diagnostics kept;
  std::map<std::tuple<std::string, std::uint32_t, std::uint32_t, std::string>, std::size_t> seen;
  for (Diagnostic& diagnostic : diagnostics) {
    // Without a place, the field is what tells two problems apart.
    const bool placed = diagnostic.place.line != 0;
    auto key = std::make_tuple(placed ? diagnostic.file : diagnostic.object + diagnostic.field,
                               diagnostic.place.line, diagnostic.place.column, diagnostic.code);
    const auto [first, added] = seen.emplace(std::move(key), kept.size());
    if (added) {
      kept.push_back(std::move(diagnostic));
    } else if (diagnostic.severity == Severity::kError) {
      kept[first->second].severity = Severity::kError;
    }
  }
  diagnostics = std::move(kept);
}

std::string to_string(const Diagnostic& diagnostic) {
  std::string out;
  if (!diagnostic.file.empty()) {
    out += diagnostic.file;
    if (diagnostic.place.line != 0)
      out += fmt::format(":{}:{}", diagnostic.place.line, diagnostic.place.column);
    out += ": ";
  }
  out += diagnostic.severity == Severity::kError ? "error: " : "warning: ";
  if (!diagnostic.object.empty()) out += diagnostic.object + ": ";
  if (!diagnostic.field.empty()) out += diagnostic.field + ": ";
  out += diagnostic.what;
  if (!diagnostic.hint.empty()) out += "; " + diagnostic.hint;
  if (!diagnostic.code.empty()) out += " [" + diagnostic.code + "]";
  return out;
}

}  // namespace sluice::resource
