// Percent-encoding (RFC 3986 section 2.1): everything but unreserved characters, in capitals.
#pragma once

#include <string>
#include <string_view>

namespace sluice {

std::string percent_encoded(std::string_view text);

}  // namespace sluice
