// A name and a value, both views: what HTTP calls a header line. Shared by route (matches) and http
// (codec), which do not know each other. Names are lower case by the time that anything above the
// codec sees them.
#pragma once

#include <string_view>

namespace sluice {

struct Field {
  std::string_view name;
  std::string_view value;
};

}  // namespace sluice
