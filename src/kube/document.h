// JSON as API servers write it, to trees and objects.
#pragma once

#include <string_view>

#include "base/result.h"
#include "kube/kinds.h"
#include "resource/object.h"
#include "resource/value.h"

namespace sluice::kube {

// One JSON value. Fails (kUpstream): something else.
Result<resource::Value> parse_document(std::string_view text);

// An item of a list has neither apiVersion nor kind: they are filled in. managedFields go: they
// are half of most objects. Returned: what the field manager has applied (fieldsV1); null when that
// is nothing, or when something of the predecessor's is to be taken over (takeover.h).
resource::Value tidy(resource::Value& object, const Kind& kind, std::string_view field_manager,
                     std::string_view predecessor);

}  // namespace sluice::kube
