// The seldon.io/ annotations: where each may stand, what it may hold, and looking them up.
// docs/reference/annotations.md lists them for users.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compile/report.h"
#include "compile/settings.h"
#include "resource/seldon_deployment.h"

namespace sluice::compile {

inline constexpr std::string_view kRouteTimeoutAnnotation = "sluice.seldon.io/route-timeout";

// spec.annotations, else metadata.annotations, else nullptr. In compat presence decides; in the
// default profile an empty value counts as absent.
const std::string* find_annotation(const resource::SeldonDeployment& deployment,
                                   std::string_view key, const Settings& settings) noexcept;
// The path of the one that find_annotation found.
std::string annotation_field(const resource::SeldonDeployment& deployment, std::string_view key,
                             const Settings& settings);

// As Go's strconv.Atoi: an optional sign and decimal digits, nothing else.
std::optional<std::int64_t> parse_integer(std::string_view text) noexcept;
// "10" (seconds), "500ms", "1.5s", "1m30s" in milliseconds; nothing when it is no duration or
// beyond a year.
std::optional<std::int64_t> parse_duration_ms(std::string_view text) noexcept;
// As Istio and protobuf read it: "1s", "0.5s".
std::string duration_text(std::int64_t milliseconds);

// How requests to a deployment are routed, from its annotations.
struct Ingress {
  std::vector<std::string> hosts;
  std::vector<std::string> gateways;
  std::optional<std::int64_t> retry_attempts;  // absent: no retries block
  std::string per_try_timeout;
  std::string route_timeout;  // default profile only; empty: none
};

// Reports values that cannot be read; compat does so where the reference fails on them.
Ingress read_ingress(const resource::SeldonDeployment& deployment, const Settings& settings,
                     Report& report);

// Unknown keys, keys in a place where nothing reads them, values that cannot work. Default profile:
// errors for bad values, warnings for the rest; compat: warnings.
void check_annotations(const resource::SeldonDeployment& deployment, const Settings& settings,
                       Report& report);

// Every annotation with a fixed name that is read, in no order.
std::vector<std::string_view> known_annotations();

// Ingress annotations do not belong on pods: with them there, a new host restarts every model.
bool is_ingress_annotation(std::string_view key) noexcept;

}  // namespace sluice::compile
