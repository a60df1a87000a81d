// Whether Istio's gateways use the routes that the API server has: the gateways' proxies are asked
// themselves.
//
// For each Gateway in question there is one VirtualService of our own, the barrier: at a host and
// path that nobody else has, its gateway answers with a number. After routes were written the
// number is raised, and every ready proxy asked until it says the new one. istiod sees
// VirtualServices in the order of their writes and a proxy takes all of its routes at once, so what
// was written before is then in force. A second kind of question puts routes to destinations beside
// it: a proxy that gets through to one knows its Service, its DestinationRule's subset and its
// endpoints. Why this way: docs/adr/0010-seen-by-the-gateway.md.
//
// One number answers all questions that were asked before it was written, so ten thousand changes
// at once cost some tens of writes. Where proxies can't be asked (no Service in front of them, no
// way to them, an answer that is not ours) `settle` passes instead.
//
// Thread: the loop's, for everything here; the asking itself is done on a thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "kube/client.h"
#include "net/loop.h"
#include "store/store.h"

namespace sluice::istio {

struct GatewayProbeOptions {
  std::string namespace_;  // of the barriers: the operator's own
  std::string
      pod_name;  // "": not in a pod. Its Deployment owns the barriers, so that they go with it
  std::string instance;  // tells operators of one namespace apart
  Milliseconds settle{5'000};
  // Most that a proxy is waited for which answers, but not yet as wanted: istiod may be busy, or
  // down.
  Milliseconds patience{120'000};
};

struct Destination {
  std::string host;
  std::string subset;
  std::uint16_t port = 0;
  auto operator<=>(const Destination&) const = default;
};

struct GatewayProbeCounts {
  std::uint64_t seen = 0;      // questions that every proxy answered
  std::uint64_t settled = 0;   // that waited for `settle` instead
  std::uint64_t late = 0;      // given up after `patience`
  std::uint64_t barriers = 0;  // writes of barriers
  std::uint64_t requests = 0;  // to proxies
  double seconds = 0;          // from question to answer, over all
};

class GatewayProbe {
 public:
  // `store` has the Gateways and Services; `client` writes the barriers and lists EndpointSlices.
  // Both outlive this.
  GatewayProbe(net::Loop& loop, kube::Client& client, const store::Store& store,
               GatewayProbeOptions options);
  ~GatewayProbe();  // stops the client; answers nothing any more

  // `gateways`: "namespace/name". Call `done` once, later, on the loop.
  void when_in_force(const std::vector<std::string>& gateways, std::function<void()> done);
  // Every proxy gets through to each destination, or is answered by it whatever it says.
  void when_reachable(const std::vector<std::string>& gateways,
                      std::vector<Destination> destinations, std::function<void()> done);
  GatewayProbeCounts counts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::istio
