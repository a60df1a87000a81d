// Gateways -> ports, servers and route tables, before any VirtualService is looked at: which
// servers listen, which are joined, which are displaced by older ones.
// Pure. Source: networking.istio.io Gateway; docs/explanation/routing.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compile/link.h"
#include "resource/istio.h"

namespace sluice::compile {

// A server's host: "[namespace/]name".
struct ServerHost {
  std::string ns;    // "*": VirtualServices of any namespace
  std::string name;  // lower case: exact, "*.suffix", "*"
};

struct PlannedServer {
  const resource::Gateway* gateway = nullptr;
  const resource::GatewayServer* server = nullptr;
  std::string gateway_name;  // "namespace/name"
  std::vector<ServerHost> hosts;
  std::size_t table = 0;   // which route table its routes go to
  std::uint64_t rank = 0;  // among all servers: older Gateways first, then as written
};

struct PlannedListener {
  std::uint16_t port = 0;
  std::string bind;
  bool is_tls = false;
  std::vector<std::size_t> servers;  // indices into Topology::servers
};

// A server that does not take effect, and why.
struct LeftOut {
  const resource::Gateway* gateway = nullptr;
  const resource::GatewayServer* server = nullptr;
  std::string code;
  std::string why;
};

struct Topology {
  std::vector<PlannedServer> servers;
  std::vector<PlannedListener> listeners;
  std::size_t table_count = 0;
  std::vector<LeftOut> left_out;
};

// `gateways` in any order.
Topology plan_topology(std::vector<const resource::Gateway*> gateways,
                       const LinkSettings& settings);

// The narrower of two names when one covers the other, else "". "*.a" covers "x.a" and "*.x.a".
std::string intersect_hosts(std::string_view a, std::string_view b);

bool selects_gateway(const resource::Gateway& gateway, const LinkSettings& settings);

}  // namespace sluice::compile
