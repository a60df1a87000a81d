// The engine container: `sluice executor`. Reference: docs/reference/executor.md.
#pragma once

#include <string>
#include <vector>

namespace sluice::executor {

// Serves until SIGTERM or SIGINT, then drains and returns 0; 1 when it can't start, or when
// requests did not end in time; 2 for a flag that it does not know. Handles both signals itself,
// process-wide. `words`: the command line behind the verb.
int run(const std::vector<std::string>& words);

}  // namespace sluice::executor
