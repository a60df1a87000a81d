// Services and DestinationRules that fit old and new pods alike, while one takes the other's place
// in a rolling update. Pure.
//
// A Service whose ports change keeps the ports that routes in force name. Where a pod's container
// names its port as the Service does, the Service leads to the name: each pod is then reached where
// it listens, whichever version it is. A subset whose labels the new pods don't have is reduced to
// what all of them have.
#pragma once

#include <optional>
#include <vector>

#include "resource/object.h"

namespace sluice::operator_ {

using Deployments = std::vector<const resource::Object*>;

// `want` as it may be written now: `have` is in the store. `before`, `after`: the Deployments that
// the Service selects, as they are in the store and as they are wanted. Called again with what it
// gave, it gives the same.
resource::Object bridge_service(const resource::Object& have, resource::Object want,
                                const Deployments& before, const Deployments& after);

// What the spec of the DestinationRule `have` must be before pods of `after` are there, which take
// the place of those of `before`; `service` selects both. Nothing: it fits both.
std::optional<resource::Value> bridge_rule(const resource::Object& have,
                                           const resource::Object& service,
                                           const resource::Object& before,
                                           const resource::Object& after);

// The Service's selector fits the Deployment's pods.
bool selects(const resource::Object& service, const resource::Object& deployment);

}  // namespace sluice::operator_
