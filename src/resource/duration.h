// Durations as Istio's fields have them: "1.5s", "500ms", "1h30m", "0s".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::resource {

// nullopt: not readable. Units ns, us, ms, s, m, h; at most some 290 years; may be negative.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace sluice::resource
