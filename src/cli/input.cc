#include "cli/input.h"

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "compile/admission.h"
#include "compile/wire.h"
#include "resource/check.h"
#include "store/files.h"

namespace sluice::cli {

using resource::Diagnostics;
using resource::Object;

namespace {

constexpr std::string_view kSecretNamespace = "istio-system";

void append(Diagnostics& to, Diagnostics from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

}  // namespace

Diagnostics admit(const Object& object, const compile::Settings& settings) {
  Diagnostics diagnostics = resource::check(object);
  if (resource::has_errors(diagnostics)) return diagnostics;
  if (object.kind == "SeldonDeployment") {
    append(diagnostics, compile::wire(object, settings).diagnostics);
  } else {
    append(diagnostics, compile::check_object(object));
  }
  return diagnostics;
}

Input read_input(const std::vector<std::string>& files, const compile::Settings& settings) {
  store::Documents documents = store::read_documents(files, kSecretNamespace);
  Input input;
  input.diagnostics = std::move(documents.diagnostics);
  append(input.diagnostics, resource::check_set(documents.objects));
  std::set<std::string> unknown_kinds;
  std::set<resource::ObjectKey> seen;
  for (Object& object : documents.objects) {
    if (!resource::is_known(object)) {
      if (unknown_kinds.insert(object.api_version + "/" + object.kind).second) {
        append(input.diagnostics, resource::check(object));
      }
      continue;
    }
    if (!seen.insert(object.key()).second) continue;  // check_set has said so
    Diagnostics found = admit(object, settings);
    const bool refused = resource::has_errors(found);
    append(input.diagnostics, std::move(found));
    if (!refused) input.objects.push_back(std::make_shared<const Object>(std::move(object)));
  }
  return input;
}

Linked link_input(const Input& input, const compile::Settings& settings) {
  Linked linked;
  compile::LinkSettings link_settings;
  link_settings.provide_gateway = true;
  link_settings.now_seconds = wall_seconds();
  linked.linker = std::make_unique<compile::Linker>(link_settings);
  for (const auto& object : input.objects) {
    if (object->kind != "SeldonDeployment") {
      linked.linker->put(object);
      continue;
    }
    for (Object& made : compile::wire(*object, settings).objects) {
      made.file = object->file;  // explain and routes say where a route comes from
      made.root.place = object->root.place;
      linked.linker->put(std::make_shared<const Object>(std::move(made)));
    }
  }
  linked.snapshot = linked.linker->link();
  linked.diagnostics = linked.linker->diagnostics();
  return linked;
}

}  // namespace sluice::cli
