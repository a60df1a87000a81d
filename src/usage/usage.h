// Counts of what SeldonDeployments use. No name, namespace, label, image, address or parameter of a
// user's is in them: servers that are not sluice's own words count as "other".
// Pure, any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "resource/object.h"
#include "resource/value.h"

namespace sluice::usage {

struct Usage {
  std::int64_t deployments = 0;
  std::map<std::string, std::int64_t> states;     // Creating, Available, Failed
  std::map<std::string, std::int64_t> protocols;  // seldon, tensorflow, v2, other; by deployment
  std::int64_t predictors = 0;
  std::int64_t shadows = 0;
  std::int64_t explainers = 0;
  std::int64_t split = 0;  // deployments with several predictors that have traffic
  std::map<std::string, std::int64_t> units;  // SKLEARN_SERVER, ..., custom, other; nodes of graphs
};

// REQUIRES: the object is a SeldonDeployment.
void add(Usage& usage, const resource::Object& seldon_deployment);

// {"schema": "sluice-usage/1", "version": ..., "instance": ..., "seldonDeployments": ..., ...}.
// `instance` is random, made when the process starts: two documents can be told to be of one.
resource::Value to_value(const Usage& usage, const std::string& version,
                         const std::string& instance);
// Prometheus text.
void append_metrics(std::string& out, const Usage& usage);

}  // namespace sluice::usage
