// Where a Gateway's proxies can be asked, read from the Gateway and the Services in front of them.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resource/kubernetes.h"
#include "store/store.h"

namespace sluice::istio {

struct Target {
  std::string gateway;  // "namespace/name"
  std::string host;     // for Host and SNI; a VirtualService with this host binds to the server
  std::uint16_t port = 0;
  bool is_tls = false;
  // Services whose endpoints are the proxies. A Service that has the server's port says, under the
  // name of that port, where its pods listen; without one they listen on `port` itself.
  struct Front {
    std::string namespace_;
    std::string name;
    std::optional<std::string> port_name;
  };
  std::vector<Front> fronts;
  std::string why_not;  // not "": it can't be asked, in words
};

// `services`: all there are. `own_namespace`: of the VirtualService that is to bind.
Target target_of(const store::ObjectPointer& gateway,
                 const std::vector<store::ObjectPointer>& services, std::string_view own_namespace);

struct Peer {
  std::string address;
  std::uint16_t port = 0;
  auto operator<=>(const Peer&) const = default;
};
// The ready endpoints of one EndpointSlice of a front.
std::vector<Peer> peers_in(const resource::EndpointSlice& slice, const Target::Front& front,
                           std::uint16_t port);

}  // namespace sluice::istio
