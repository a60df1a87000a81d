#include "istio/target.h"

#include <fmt/core.h>

#include <algorithm>

#include "resource/istio.h"

namespace sluice::istio {

using resource::GatewayServer;

namespace {

// Nobody's: RFC 2606 reserves the ending.
constexpr std::string_view kOwnHost = "probe.sluice.invalid";

// A host under one of the server's that a VirtualService of `own` may claim; "": there is none.
std::string host_under(const GatewayServer& server, std::string_view gateway_namespace,
                       std::string_view own) {
  for (const std::string& entry : server.hosts) {
    const std::size_t slash = entry.find('/');
    const std::string_view scope =
        slash == std::string::npos ? "*" : std::string_view(entry).substr(0, slash);
    const std::string name = slash == std::string::npos ? entry : entry.substr(slash + 1);
    if (scope == "." ? gateway_namespace != own : scope != "*" && scope != own) continue;
    if (name == "*") return std::string(kOwnHost);
    if (name.starts_with("*.")) return "sluice-probe" + name.substr(1);
    if (!name.empty()) return name;
  }
  return {};
}

enum class Reach : std::uint8_t { kPlain, kTls, kNo };
Reach reach_of(const GatewayServer& server) {
  const bool plain = server.protocol == "HTTP" || server.protocol == "HTTP2" ||
                     server.protocol == "GRPC" || server.protocol == "GRPC-WEB";
  if (plain) return server.https_redirect ? Reach::kNo : Reach::kPlain;
  const bool ends_here = server.tls_mode == "SIMPLE" || server.tls_mode == "OPTIONAL_MUTUAL";
  return server.protocol == "HTTPS" && ends_here ? Reach::kTls : Reach::kNo;
}

// The server that is asked: one without TLS if there is one.
void choose_server(const resource::Gateway& gateway, std::string_view own, Target& target) {
  target.why_not = "no server of it speaks HTTP, or HTTPS without a certificate of the client";
  for (const Reach wanted : {Reach::kPlain, Reach::kTls}) {
    for (const GatewayServer& server : gateway.servers) {
      if (reach_of(server) != wanted || server.port == 0) continue;
      std::string host = host_under(server, gateway.object->namespace_, own);
      if (host.empty()) {
        target.why_not = fmt::format("its hosts admit no VirtualService of namespace {}", own);
        continue;
      }
      target.host = std::move(host);
      target.port = server.port;
      target.is_tls = wanted == Reach::kTls;
      target.why_not.clear();
      return;
    }
  }
}

}  // namespace

Target target_of(const store::ObjectPointer& gateway,
                 const std::vector<store::ObjectPointer>& services,
                 std::string_view own_namespace) {
  Target target;
  target.gateway = gateway->namespace_ + "/" + gateway->name;
  const resource::Gateway read = resource::read_gateway(gateway);
  choose_server(read, own_namespace, target);
  if (!target.why_not.empty()) return target;
  if (read.selector.empty()) {
    target.why_not = "it has no selector";
    return target;
  }
  bool any_port = false;
  for (const auto& service : services) {
    const auto selector = resource::read_labels(service->spec().at("selector"));
    if (!resource::has_labels(selector, read.selector)) continue;
    Target::Front front{service->namespace_, service->name, std::nullopt};
    for (const auto& port : resource::read_service(*service).ports) {
      if (port.port == target.port) front.port_name = port.name;
    }
    any_port = any_port || front.port_name.has_value();
    target.fronts.push_back(std::move(front));
  }
  if (any_port) std::erase_if(target.fronts, [](const auto& front) { return !front.port_name; });
  if (target.fronts.empty()) target.why_not = "no Service selects its pods";
  return target;
}

std::vector<Peer> peers_in(const resource::EndpointSlice& slice, const Target::Front& front,
                           std::uint16_t port) {
  std::vector<Peer> peers;
  if (front.port_name) {
    const auto found = std::find_if(slice.ports.begin(), slice.ports.end(), [&](const auto& each) {
      return each.name == *front.port_name;
    });
    if (found == slice.ports.end()) return peers;
    port = found->port;
  }
  for (const auto& endpoint : slice.endpoints) {
    if (endpoint.ready && !endpoint.addresses.empty())
      peers.push_back({endpoint.addresses.front(), port});
  }
  return peers;
}

}  // namespace sluice::istio
