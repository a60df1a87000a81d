// The VirtualService by which a gateway says what it uses, and what the proxies' answers mean.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "istio/gateway_probe.h"
#include "istio/target.h"
#include "resource/object.h"

namespace sluice::istio {

struct Barrier {
  std::string namespace_;
  std::string instance;
  std::string nonce;  // of this process: the numbers of another begin anew
  std::uint64_t number = 0;
  // Path's last part and where it leads.
  std::vector<std::pair<std::string, Destination>> routes;
};

// "/.sluice/NAMESPACE/INSTANCE": two operators on one gateway do not answer for each other.
std::string barrier_path(const Barrier& barrier);
resource::Object barrier_object(const Barrier& barrier, const Target& target);

struct Answer {
  std::uint16_t status = 0;
  std::string body;
  bool has_upstream_time = false;  // x-envoy-upstream-service-time: an endpoint answered
};
enum class Said : std::uint8_t {
  kNumber,   // the barrier's answer, `number` is set when it is this process's
  kNothing,  // 404: the gateway has no barrier (yet)
  kOther,    // something that stands in front of routes: a redirect, an authorization
};
Said read_answer(const Answer& answer, const Barrier& barrier, std::uint64_t& number);
// Of a proxy that has the routes already: did the request get to an endpoint, or fail at one?
bool reached_endpoint(const Answer& answer);

}  // namespace sluice::istio
