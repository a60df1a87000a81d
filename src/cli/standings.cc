#include "cli/standings.h"

#include <fmt/core.h>

#include <map>

namespace sluice::cli {

resource::Value to_value(const std::vector<operator_::Standing>& standings) {
  resource::List list;
  for (const operator_::Standing& each : standings) {
    list.push_back(resource::Map{{"namespace", each.key.namespace_},
                                 {"name", each.key.name},
                                 {"state", each.state},
                                 {"description", each.description}});
  }
  return list;
}

void append_metrics(std::string& out, const std::vector<operator_::Standing>& standings) {
  std::map<std::string, int> states{{"Creating", 0}, {"Available", 0}, {"Failed", 0}};
  for (const operator_::Standing& each : standings) ++states[each.state];
  out +=
      "# HELP sluice_seldon_deployments SeldonDeployments by state.\n# TYPE "
      "sluice_seldon_deployments gauge\n";
  for (const auto& [state, count] : states)
    out += fmt::format("sluice_seldon_deployments{{state=\"{}\"}} {}\n", state, count);
}

void append_metric(std::string& out, std::string_view name, std::string_view type,
                   std::string_view help, double value) {
  out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help, type, value);
}

}  // namespace sluice::cli
