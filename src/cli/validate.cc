#include <fmt/core.h>

#include <algorithm>

#include "cli/input.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

// Of a cluster only what the namespaces asked about are told; files are told everything.
bool concerns(const Input& input, const resource::Diagnostic& said) {
  return input.in_force.empty() ||
         std::any_of(input.objects.begin(), input.objects.end(), [&](const auto& each) {
           return said.object.find(" " + each->namespace_ + "/") != std::string::npos;
         });
}

}  // namespace

int validate(const ValidateOptions& options) {
  const auto read = read_input(options.source, options.settings, Wants::kBoth);
  if (!read) return fail_with(read.error());
  const Input& input = *read;
  resource::Diagnostics all = input.diagnostics;
  const Linked linked = link_input(input, options.settings);
  for (const resource::Diagnostic& each : linked.diagnostics) {
    if (concerns(input, each)) all.push_back(each);
  }
  resource::deduplicate(all);
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::tie(a.file, a.place.line, a.place.column) <
           std::tie(b.file, b.place.line, b.place.column);
  });
  const auto errors = std::count_if(all.begin(), all.end(), [](const auto& d) {
    return d.severity == resource::Severity::kError;
  });
  const auto warnings = static_cast<std::ptrdiff_t>(all.size()) - errors;
  bool printed = true;
  if (options.format == Format::kTable) {
    print_diagnostics(all);
    printed = print(fmt::format("{} {} accepted, {} {}, {} {}\n", input.objects.size(),
                                input.objects.size() == 1 ? "object" : "objects", errors,
                                errors == 1 ? "error" : "errors", warnings,
                                warnings == 1 ? "warning" : "warnings"));
  } else {
    printed = print(resource::Map{{"accepted", static_cast<std::int64_t>(input.objects.size())},
                                  {"errors", static_cast<std::int64_t>(errors)},
                                  {"warnings", static_cast<std::int64_t>(warnings)},
                                  {"diagnostics", to_value(all)}},
                    options.format);
  }
  if (!printed) return kExitFailure;
  return errors > 0 || (options.strict && warnings > 0) ? kExitFindings : kExitOk;
}

}  // namespace sluice::cli
