// The CustomResourceDefinition of SeldonDeployment, made from the field table that check() reads:
// what one refuses for its type, the other does. Pure, any thread.
#pragma once

#include "resource/value.h"

namespace sluice::resource {

// A structural schema can't refer to itself: nodes below this depth (the graph's top node is 0) are
// taken as they are written, so that compile can refuse them. Seldon's own CRD drops them unseen.
inline constexpr int kGraphDepth = 10;

// The whole document. All versions have one schema; v1 is stored. Says nothing of words (a unit's
// type, a pull policy): newer clusters know more of them, and compile judges Seldon's. Fills in no
// default: what is stored is what was applied.
Value seldon_deployment_crd();

}  // namespace sluice::resource
