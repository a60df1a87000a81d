// The field table of SeldonDeployment; all three versions have the same.
#pragma once

#include "resource/schema.h"

namespace sluice::resource::tables {

extern const Schema kSeldonDeployment;
extern const Schema kSeldonPredictor;
extern const Schema kSeldonUnit;  // a graph node; its children are of the same schema

}  // namespace sluice::resource::tables
