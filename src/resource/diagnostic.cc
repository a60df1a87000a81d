#include "resource/diagnostic.h"

#include <fmt/core.h>

#include <algorithm>

namespace sluice::resource {

bool has_errors(const Diagnostics& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& d) { return d.severity == Severity::kError; });
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
