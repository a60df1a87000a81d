// One pass over one SeldonDeployment: what to write and what to remove, so that no request is lost
// on the way. Pure: same input, same plan.
//
// Make before break, each step derived from what is there and safe to repeat:
//   1. Services and Deployments of the new spec are written.
//   2. When every routed predictor is available: DestinationRules. Shadows and explainers are not
//      waited for; until then the old routes stand.
//   3. When the gateway gets through to what the new routes add: VirtualServices. At first, when
//      there is no route yet that could lose a request, together with 2.
//   4. When the gateway uses the new routes: what the new spec no longer has is removed,
//      Deployments first.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compile/wire.h"
#include "resource/object.h"
#include "store/store.h"

namespace sluice::operator_ {

// Where a route leads.
struct Destination {
  std::string host;
  std::string subset;
  std::uint16_t port = 0;
  auto operator<=>(const Destination&) const = default;
};

// What a gateway is asked. Without destinations: does it use the routing objects as they are in the
// store? With: does it get through to each of these?
struct Question {
  std::vector<std::string> gateways;  // "namespace/name"; sidecars ("mesh") are none
  std::vector<Destination> destinations;
  bool operator==(const Question&) const = default;
};

struct Observed {
  store::ObjectPointer deployment;  // the SeldonDeployment; never null
  // Everything in the store that it owns, or that has the key of something wanted (perhaps
  // another's).
  std::map<resource::ObjectKey, store::ObjectPointer> objects;
  bool seldon_status = false;    // the status in Seldon Core's words: status.h
  bool routes_in_force = false;  // the gateway uses the routing objects as they are in the store
  std::vector<Destination> reachable;  // of the last question about destinations, once answered
  // Whether there is a Gateway "namespace/name"; empty: not looked for.
  std::function<bool(const std::string& gateway)> has_gateway;
  // Whether the store has this object as it is wanted: Store::holds.
  std::function<bool(const resource::Object& want)> holds;
};

struct Plan {
  std::vector<resource::Object> applies;      // in this order
  std::vector<resource::ObjectKey> removals;  // after the applies, in this order
  resource::Value status;                     // of the SeldonDeployment
  std::optional<Question> question;           // another pass when the gateway has answered it
  bool refused = false;                       // nothing is done; the status says why
  resource::ObjectKey blocked_by;  // another's object in the place of ours; no name: none
  bool is_settled = false;         // nothing is left to do but the removals
};

// The condition (True, beside Ready) that names a Gateway that is not there.
inline constexpr std::string_view kGatewayNotFound = "GatewayNotFound";

// `wiring` is compile::wire's answer for the observed deployment.
Plan plan(const Observed& observed, const compile::Wiring& wiring);

// The object's controller is this SeldonDeployment.
bool is_owned_by(const resource::Object& object, const resource::Object& deployment);
// `object` with the SeldonDeployment as its controller.
resource::Object owned_by(resource::Object object, const resource::Object& deployment);

}  // namespace sluice::operator_
