#include "runtime/status.h"

#include <fmt/core.h>

#include <algorithm>

namespace sluice::runtime {

using resource::List;
using resource::Map;
using resource::Value;

namespace {

Value condition(const char* type, bool holds, const char* reason, const std::string& message) {
  return Value(Map{{"type", Value(type)},
                   {"status", Value(holds ? "True" : "False")},
                   {"reason", Value(reason)},
                   {"message", Value(message)}});
}

}  // namespace

Value make_status(const DeploymentCounts& counts, std::int64_t generation,
                  const std::string& trouble, bool stuck) {
  const int unavailable = std::max(0, counts.wanted - counts.ready);
  Map status;
  if (generation > 0) status.set("observedGeneration", Value(generation));
  status.set("replicas", Value(counts.replicas));
  status.set("updatedReplicas", Value(counts.updated));
  status.set("readyReplicas", Value(counts.ready));
  status.set("availableReplicas", Value(counts.ready));
  status.set("unavailableReplicas", Value(unavailable));

  const bool available = counts.ready >= counts.wanted;
  const bool complete =
      available && counts.updated >= counts.wanted && counts.replicas == counts.wanted;
  const std::string seen = fmt::format("{} of {} pods are ready", counts.ready, counts.wanted);
  const std::string message = trouble.empty() ? seen : seen + "; " + trouble;
  List conditions;
  conditions.push_back(condition(
      "Available", available, available ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
      available ? seen : message));
  if (stuck && !complete) {
    conditions.push_back(condition("Progressing", false, "ProgressDeadlineExceeded", message));
  } else {
    conditions.push_back(condition(
        "Progressing", true, complete ? "NewReplicaSetAvailable" : "ReplicaSetUpdated", message));
  }
  status.set("conditions", Value(std::move(conditions)));
  return Value(std::move(status));
}

}  // namespace sluice::runtime
