// Values of which only the meaning counts. A pod template that says the same in other bytes is
// another template, and starts every pod anew; so what runs keeps its spelling. That is what lets
// an installation of the reference be taken over, and ours be upgraded, without a restart.
#pragma once

#include "resource/object.h"

namespace sluice::operator_ {

// `want` with each ENGINE_PREDICTOR (base64 of JSON) that means the same in `have`, the object as
// it is in the store, written as there. Containers and variables are found by name.
resource::Object spelled_as(resource::Object want, const resource::Object& have);

}  // namespace sluice::operator_
