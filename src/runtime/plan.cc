#include "runtime/plan.h"

#include <algorithm>

namespace sluice::runtime {

PodPlan plan_pods(int replicas, const std::vector<PodView>& pods) {
  PodPlan plan;
  int current = 0;
  int old = 0;
  int ready = 0;
  for (const PodView& pod : pods) {
    (pod.is_current ? current : old) += 1;
    ready += pod.is_ready ? 1 : 0;
  }
  // Who goes first: old before current; of each, unready before ready; then the newest.
  std::vector<PodView> order = pods;
  std::sort(order.begin(), order.end(), [](const PodView& a, const PodView& b) {
    if (a.is_current != b.is_current) return !a.is_current;
    if (a.is_ready != b.is_ready) return !a.is_ready;
    return a.id > b.id;
  });

  const int surge = (replicas + 3) / 4;
  int old_unready = 0;
  for (const PodView& pod : pods) old_unready += !pod.is_current && !pod.is_ready ? 1 : 0;
  const int room = replicas + surge - (current + old - old_unready);
  plan.starts = std::max(0, std::min(replicas - current, room));

  int surplus = current - replicas;  // current ones too many
  for (const PodView& pod : order) {
    if (!pod.is_current) {
      const bool replaced = current + plan.starts > 0 || replicas == 0;
      if (!pod.is_ready) {
        if (replaced) plan.retires.push_back(pod.id);
      } else if (ready > replicas) {
        --ready;
        plan.retires.push_back(pod.id);
      }
    } else if (surplus > 0) {
      // An unready newcomer that is too many serves nobody; a ready one goes when enough remain.
      if (pod.is_ready && ready <= replicas) continue;
      ready -= pod.is_ready ? 1 : 0;
      --surplus;
      plan.retires.push_back(pod.id);
    }
  }
  return plan;
}

}  // namespace sluice::runtime
