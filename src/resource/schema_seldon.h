// The field table of SeldonDeployment; all three versions have the same.
#pragma once

#include "resource/schema.h"

namespace sluice::resource::tables {

extern const Schema kSeldonDeployment;
extern const Schema kSeldonPredictor;
extern const Schema kSeldonUnit;  // a graph node; its children are of the same schema
// What the operator writes. Not part of kSeldonDeployment: a user's copy of it is nobody's error.
extern const Schema kSeldonStatus;

}  // namespace sluice::resource::tables
