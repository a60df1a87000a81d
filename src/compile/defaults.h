// What the manager fills in, in memory, before it works on a SeldonDeployment; the stored object
// keeps what the user wrote.
#pragma once

#include <string_view>

#include "compile/settings.h"
#include "resource/seldon_deployment.h"

namespace sluice::compile {

// SIMPLE_MODEL, SIMPLE_ROUTER, RANDOM_ABTEST, AVERAGE_COMBINER: the orchestrator computes them
// itself.
bool is_builtin(std::string_view implementation) noexcept;
// Any other implementation names a prepackaged server.
bool is_prepackaged(const resource::Unit& unit) noexcept;

// The first unit of that name, root first, depth first; nullptr when there is none.
const resource::Unit* find_unit(const resource::Unit& root, std::string_view name) noexcept;
resource::Unit* find_unit(resource::Unit& root, std::string_view name) noexcept;

struct FoundContainer {
  std::size_t component = 0;
  resource::Map* container = nullptr;  // nullptr: there is none of that name
};
FoundContainer find_container(resource::Predictor& predictor, std::string_view name);

// spec.annotations seldon.io/engine-separate-pod; metadata.annotations too in the default profile.
bool engine_is_separate(const resource::SeldonDeployment& deployment, const Settings& settings);
// predictors[].annotations seldon.io/no-engine. Always so on one machine.
bool runs_without_engine(const resource::Predictor& predictor, const Settings& settings);

// Labels, types, ports, endpoints, containers of prepackaged servers.
void apply_defaults(resource::SeldonDeployment& deployment, const Settings& settings);

}  // namespace sluice::compile
