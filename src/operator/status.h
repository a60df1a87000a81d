// What the status of a SeldonDeployment says. Pure. Two forms: ours, and Seldon Core's word for
// word (Observed::seldon_status), for clients and dashboards that read its conditions; one field is
// more, observedGeneration: without it a reader takes the state of before a change for that of
// after.
#pragma once

#include <string>

#include "operator/plan.h"

namespace sluice::operator_ {

// How far the change has come.
struct Progress {
  bool all_available = false;  // every routed predictor runs as wanted
  bool routes_placed = false;  // and the store has the routes as wanted
  bool settled = false;        // and the gateway uses them
  std::string failure;         // why it will not come further; empty: it may
  resource::List
      waiting;  // conditions that say which Deployments are waited for, and what is missing
};

resource::Value status_of(const Observed& observed, const compile::Wiring& wiring,
                          Progress progress);
// Nothing was done, for that reason. `conflict`: an object of another owner is in the way.
resource::Value refused_status(const Observed& observed, std::string what, bool conflict);
// `status` after a write that the store did not take.
void set_failed(resource::Value& status, std::string what);

resource::Value condition(std::string_view type, bool holds, std::string_view reason,
                          std::string message = {});
// The one of that type, or nullptr.
const resource::Value* condition_of(const resource::Object& object, std::string_view type);

}  // namespace sluice::operator_
