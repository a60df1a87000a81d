// Reading what -f names, and as `kubectl sluice` what is in the cluster: once, all of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "compile/link.h"
#include "compile/settings.h"
#include "resource/object.h"
#include "route/snapshot.h"

namespace sluice::cli {

struct Input {
  std::vector<std::shared_ptr<const resource::Object>> objects;  // those admitted
  // What the cluster routes by: in force already, not to be wired. Empty without a cluster. Those
  // that belong to a SeldonDeployment among `objects` give way to what is wired for it.
  std::vector<std::shared_ptr<const resource::Object>> in_force;
  resource::Diagnostics diagnostics;  // of reading and of admission
};

class Live;  // cli/live.h

struct Source {
  std::vector<std::string> files;
  std::shared_ptr<Live> live;  // nullptr: files alone
};
enum class Wants : std::uint8_t {
  kDeployments,  // SeldonDeployments: of the files when there are any, else of the cluster
  kRouting,      // all of the files, over what the cluster routes by
  kBoth
};
// Fails only for the cluster: it can't be reached, or refuses. Files fail by diagnostics.
Result<Input> read_input(const Source& source, const compile::Settings& settings, Wants wants);

// The table that these objects make, with every SeldonDeployment among them wired as `settings`
// say. The endpoints of models that `serve` would start are not known: their clusters are empty.
struct Linked {
  std::unique_ptr<compile::Linker> linker;
  std::shared_ptr<const route::Snapshot> snapshot;
  resource::Diagnostics diagnostics;  // of the links between objects
};
Linked link_input(const Input& input, const compile::Settings& settings);

}  // namespace sluice::cli
