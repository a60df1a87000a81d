// The status of a Deployment, as Kubernetes writes it. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "resource/object.h"

namespace sluice::runtime {

struct DeploymentCounts {
  int replicas = 0;  // pods that are not retired
  int updated = 0;   // of them: of the newest template
  int ready = 0;
  int wanted = 0;
};

// `trouble`: what keeps pods from being ready, or ""; `stuck`: no progress within the deadline, or
// it can't be run at all. lastTransitionTime is left out: `before` tells whether anything changed.
resource::Value make_status(const DeploymentCounts& counts, std::int64_t generation,
                            const std::string& trouble, bool stuck);

}  // namespace sluice::runtime
