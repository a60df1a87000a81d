#include <fmt/core.h>

#include "cli/input.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "compile/wire.h"
#include "resource/check.h"
#include "resource/print.h"
#include "store/files.h"

namespace sluice::cli {

int render(const RenderOptions& options) {
  const auto read = read_input(options.source, options.settings, Wants::kDeployments);
  if (!read) return fail_with(read.error());
  const Input& input = *read;
  print_diagnostics(input.diagnostics);
  resource::List objects;
  bool any = false;
  for (const auto& object : input.objects) {
    if (object->kind != "SeldonDeployment") continue;
    any = true;
    for (resource::Object& made : compile::wire(*object, options.settings).objects)
      objects.push_back(std::move(made.root));
  }
  if (resource::has_errors(input.diagnostics)) return kExitFindings;
  if (!any) {
    print_diagnostics({resource::Diagnostic{resource::Severity::kError,
                                            "nothing-to-render",
                                            "",
                                            {},
                                            "",
                                            "",
                                            "there is no SeldonDeployment in the input",
                                            "name its file with -f"}});
    return kExitFindings;
  }
  bool printed = true;
  if (options.format == Format::kJson) {
    printed =
        print(resource::Map{{"apiVersion", "v1"}, {"kind", "List"}, {"items", std::move(objects)}},
              Format::kJson);
  } else if (options.format == Format::kYaml) {
    std::string text;
    for (const resource::Value& object : objects) {
      if (!text.empty()) text += "---\n";
      text += resource::to_yaml(object);
    }
    printed = print(text);
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const resource::Value& object : objects) {
      rows.push_back({std::string(object.at("kind").text()),
                      std::string(object.at("metadata").at("namespace").text()),
                      std::string(object.at("metadata").at("name").text())});
    }
    printed = print(table({"KIND", "NAMESPACE", "NAME"}, rows));
  }
  return printed ? kExitOk : kExitFailure;
}

}  // namespace sluice::cli
