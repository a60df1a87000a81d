// What Istio's validating webhook would say about one networking object, and what is probably
// not meant: errors refuse the object as a whole (the version before stays in force), warnings
// never do. Pure; looks at this object alone. Types and names of fields are resource/check.h's.
#pragma once

#include "compile/settings.h"
#include "resource/diagnostic.h"
#include "resource/object.h"

namespace sluice::compile {

// Empty for kinds that are not networking's.
resource::Diagnostics check_object(const resource::Object& object);

// What admits one object into a store, of whatever kind: its fields, then what its kind demands;
// of a SeldonDeployment also that it can be wired. `validate`, `serve` and the webhook all ask
// this, so that they can't disagree. Errors refuse the object.
resource::Diagnostics admit(const resource::Object& object, const Settings& settings);

}  // namespace sluice::compile
