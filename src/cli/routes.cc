#include <fmt/core.h>

#include "cli/input.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace sluice::cli {

int routes(const RoutesOptions& options) {
  const auto read = read_input(options.source, options.settings, Wants::kRouting);
  if (!read) return fail_with(read.error());
  const Input& input = *read;
  print_diagnostics(input.diagnostics);
  const Linked linked = link_input(input, options.settings);
  print_diagnostics(linked.diagnostics);
  const std::vector<compile::RouteRow> rows = compile::list_routes(*linked.snapshot);
  bool printed = true;
  if (options.format == Format::kTable) {
    std::vector<std::vector<std::string>> cells;
    for (const compile::RouteRow& row : rows) {
      cells.push_back({std::to_string(row.port), row.server.empty() ? "-" : row.server, row.host,
                       row.match, row.action, row.rule, row.origin.empty() ? "-" : row.origin});
    }
    printed = print(table({"PORT", "TLS", "HOST", "MATCH", "ACTION", "RULE", "FROM"}, cells));
  } else {
    resource::List list;
    for (const compile::RouteRow& row : rows) {
      list.push_back(resource::Map{{"port", std::int64_t{row.port}},
                                   {"tls", row.server},
                                   {"host", row.host},
                                   {"match", row.match},
                                   {"action", row.action},
                                   {"rule", row.rule},
                                   {"from", row.origin}});
    }
    printed = print(resource::Value(std::move(list)), options.format);
  }
  if (!printed) return kExitFailure;
  return resource::has_errors(input.diagnostics) ? kExitFindings : kExitOk;
}

}  // namespace sluice::cli
