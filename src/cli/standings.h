// What `serve` and `operator` both say of the SeldonDeployments, on the admin port.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "operator/operator.h"
#include "resource/value.h"

namespace sluice::cli {

// For /status: namespace, name, state and description of each.
resource::Value to_value(const std::vector<operator_::Standing>& standings);

// Prometheus text: how many are in each state.
void append_metrics(std::string& out, const std::vector<operator_::Standing>& standings);
// Prometheus text: one metric without labels.
void append_metric(std::string& out, std::string_view name, std::string_view type,
                   std::string_view help, double value);

}  // namespace sluice::cli
