// Reading what -f names, as every verb but `serve` does: once, all of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compile/link.h"
#include "compile/settings.h"
#include "resource/object.h"
#include "route/snapshot.h"

namespace sluice::cli {

// What admits one object into the store: its fields, then what its kind demands. Errors refuse it.
resource::Diagnostics admit(const resource::Object& object, const compile::Settings& settings);

struct Input {
  std::vector<std::shared_ptr<const resource::Object>> objects;  // those admitted
  resource::Diagnostics diagnostics;                             // of reading and of admission
};
Input read_input(const std::vector<std::string>& files, const compile::Settings& settings);

// The table that these objects make, with every SeldonDeployment among them wired as `settings`
// say. The endpoints of models that `serve` would start are not known: their clusters are empty.
struct Linked {
  std::unique_ptr<compile::Linker> linker;
  std::shared_ptr<const route::Snapshot> snapshot;
  resource::Diagnostics diagnostics;  // of the links between objects
};
Linked link_input(const Input& input, const compile::Settings& settings);

}  // namespace sluice::cli
