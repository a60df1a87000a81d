#include "compile/topology.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "base/text.h"

namespace sluice::compile {
namespace {

enum class Class { kPlain, kTls, kOther };

bool ends_tls(const resource::GatewayServer& server) {
  return server.tls_mode == "SIMPLE" || server.tls_mode == "MUTUAL" ||
         server.tls_mode == "OPTIONAL_MUTUAL";
}

Class class_of(const resource::GatewayServer& server) {
  const std::string& protocol = server.protocol;
  if (protocol == "HTTP" || protocol == "HTTP2" || protocol == "GRPC" || protocol == "GRPC-WEB") {
    return Class::kPlain;
  }
  if (protocol == "HTTPS" || protocol == "TLS") return Class::kTls;
  return Class::kOther;
}

const char* class_name(Class kind) {
  switch (kind) {
    case Class::kPlain:
      return "plain HTTP";
    case Class::kTls:
      return "TLS";
    case Class::kOther:
      return "TCP";
  }
  return "";
}

std::vector<ServerHost> split_hosts(const resource::Gateway& gateway,
                                    const resource::GatewayServer& server) {
  std::vector<ServerHost> hosts;
  for (const std::string& written : server.hosts) {
    const std::size_t slash = written.find('/');
    ServerHost host{"*", to_lower(written)};
    if (slash != std::string::npos) {
      host.ns = written.substr(0, slash);
      host.name = to_lower(written.substr(slash + 1));
      if (host.ns == ".") host.ns = gateway.object->namespace_;
    }
    hosts.push_back(std::move(host));
  }
  return hosts;
}

struct Port {
  Class kind = Class::kPlain;
  std::size_t table = 0;  // of plain HTTP
  std::size_t listener = 0;
  std::string owner;                // who has it
  std::set<std::string> sni_taken;  // names of TLS servers on it
};

class Planner {
 public:
  void add(const resource::Gateway& gateway, const resource::GatewayServer& server) {
    const Class kind = class_of(server);
    const std::string name = gateway.object->namespace_ + "/" + gateway.object->name;
    const auto [at, is_new] = ports_.try_emplace({server.port, server.bind});
    Port& port = at->second;
    if (is_new) {
      port = {kind, 0, topology_.listeners.size(), name, {}};
      topology_.listeners.push_back({server.port, server.bind, kind == Class::kTls, {}});
      if (kind == Class::kPlain) port.table = topology_.table_count++;
    } else if (port.kind != kind) {
      leave_out(gateway, server, "port-conflict",
                "port " + std::to_string(server.port) + " serves " + class_name(port.kind) +
                    " for the older Gateway " + port.owner + ", so this server gets nothing");
      return;
    }
    PlannedServer planned{&gateway,   &server,
                          name,       split_hosts(gateway, server),
                          port.table, topology_.servers.size()};
    if (kind == Class::kTls && !take_names(planned, port)) return;
    if (kind == Class::kOther || (kind == Class::kTls && !ends_tls(server)) ||
        server.protocol == "TLS") {
      leave_out(gateway, server, "not-yet",
                "protocol " + server.protocol + " with tls mode " +
                    (server.tls_mode.empty() ? "none" : server.tls_mode) +
                    " is not served yet: only HTTP, and HTTPS that ends here");
      return;
    }
    if (kind == Class::kTls) planned.table = topology_.table_count++;
    topology_.listeners[port.listener].servers.push_back(topology_.servers.size());
    topology_.servers.push_back(std::move(planned));
  }

  Topology take() {
    std::erase_if(topology_.listeners, [](const auto& each) { return each.servers.empty(); });
    return std::move(topology_);
  }

 private:
  // Istio tells TLS servers of a port apart by the text of their hosts; one name twice drops the
  // whole younger server.
  bool take_names(const PlannedServer& planned, Port& port) {
    for (const ServerHost& host : planned.hosts) {
      if (!port.sni_taken.contains(host.name)) continue;
      leave_out(*planned.gateway, *planned.server, "host-conflict",
                "an older server on port " + std::to_string(planned.server->port) + " has host " +
                    host.name + " already, so this whole server gets nothing");
      return false;
    }
    for (const ServerHost& host : planned.hosts) port.sni_taken.insert(host.name);
    return true;
  }

  void leave_out(const resource::Gateway& gateway, const resource::GatewayServer& server,
                 std::string code, std::string why) {
    topology_.left_out.push_back({&gateway, &server, std::move(code), std::move(why)});
  }

  Topology topology_;
  std::map<std::pair<std::uint16_t, std::string>, Port> ports_;
};

}  // namespace

bool selects_gateway(const resource::Gateway& gateway, const LinkSettings& settings) {
  return std::all_of(gateway.selector.begin(), gateway.selector.end(), [&](const auto& wanted) {
    const auto label = settings.gateway_labels.find(wanted.first);
    return label != settings.gateway_labels.end() && label->second == wanted.second;
  });
}

Topology plan_topology(std::vector<const resource::Gateway*> gateways,
                       const LinkSettings& settings) {
  std::erase_if(gateways, [&](const auto* each) { return !selects_gateway(*each, settings); });
  std::sort(gateways.begin(), gateways.end(), [](const auto* a, const auto* b) {
    return std::tie(a->created, a->object->name, a->object->namespace_) <
           std::tie(b->created, b->object->name, b->object->namespace_);
  });
  Planner planner;
  for (const resource::Gateway* gateway : gateways) {
    for (const resource::GatewayServer& server : gateway->servers) {
      if (server.port != 0) planner.add(*gateway, server);
    }
  }
  return planner.take();
}

std::string intersect_hosts(std::string_view a, std::string_view b) {
  const auto covers = [](std::string_view wild, std::string_view name) {
    return !wild.empty() && wild[0] == '*' && name.size() >= wild.size() &&
           name.ends_with(wild.substr(1));
  };
  if (a == b || covers(a, b)) return std::string(b);
  if (covers(b, a)) return std::string(a);
  return {};
}

}  // namespace sluice::compile
