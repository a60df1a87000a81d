// Not there yet: what `explain` and the listings stand on. Goes with the commit that brings it.
#include "cli/verbs.h"
#include "compile/link.h"

namespace sluice::compile {
resource::Diagnostics Linker::diagnostics() const { return {}; }
std::vector<RouteRow> list_routes(const route::Snapshot&) { return {}; }
}  // namespace sluice::compile

namespace sluice::cli {
int explain(const ExplainOptions&) {
  print_diagnostics({resource::Diagnostic{
      resource::Severity::kError, "not-yet", "", {}, "", "", "explain is not there yet", ""}});
  return kExitFailure;
}
}  // namespace sluice::cli
