// The rules between fields of a SeldonDeployment. On the user's object, before defaults.
#pragma once

#include "compile/report.h"
#include "compile/settings.h"
#include "resource/seldon_deployment.h"

namespace sluice::compile {

// The reference's rules in both profiles; the default profile refuses more
// (docs/reference/deviations.md), and in compat says so as warnings where the reference lets
// something pass that cannot work.
void validate(const resource::SeldonDeployment& deployment, const Settings& settings,
              Report& report);

}  // namespace sluice::compile
