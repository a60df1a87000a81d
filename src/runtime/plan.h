// Which pods to start and which to retire: pure, same input, same plan.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice::runtime {

struct PodView {
  std::uint64_t id = 0;     // goes up: newer pods have larger ones
  bool is_current = false;  // made from the newest template
  bool is_ready = false;
};

struct PodPlan {
  int starts = 0;
  std::vector<std::uint64_t> retires;
};

// `pods`: those not retired yet. Make before break, with the reference's numbers
// (operator.md 5.3.3: none unavailable, a quarter more, rounded up): an old pod that is ready goes
// only when enough others are; an old one that is not ready serves nobody and goes at once, once a
// new one is there.
PodPlan plan_pods(int replicas, const std::vector<PodView>& pods);

}  // namespace sluice::runtime
