// Gateway, VirtualService, DestinationRule and ServiceEntry: identity, references and structure,
// read from checked documents. What is only translated, never looked up (matches, header
// operations, policies), stays a view of the document: compile/ reads it where it uses it.
//
// Lifetime: the views live as long as `object`, which each of these holds.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "resource/kubernetes.h"
#include "resource/object.h"

namespace sluice::resource {

using ObjectPointer = std::shared_ptr<const Object>;

struct GatewayServer {
  std::uint16_t port = 0;
  std::string port_name;
  std::string protocol;  // upper case: "HTTP", "HTTPS", "TLS", "TCP", ...
  std::string bind;
  std::vector<std::string> hosts;  // "[namespace/]name", as written
  bool https_redirect = false;
  std::string tls_mode;         // "" without tls; "SIMPLE" when tls names none
  std::string credential_name;  // without "kubernetes://"
  const Value* tls = nullptr;
  const Value* document = nullptr;
};

struct Gateway {
  ObjectPointer object;
  std::int64_t created = 0;
  Labels selector;
  std::vector<GatewayServer> servers;
};

struct VirtualService {
  ObjectPointer object;
  std::int64_t created = 0;
  std::vector<std::string> hosts;     // lower case
  std::vector<std::string> gateways;  // as written
  std::vector<std::string> export_to;
  const List& http() const noexcept { return object->spec().at("http").list(); }
};

struct Subset {
  std::string name;
  Labels labels;
  const Value* policy = nullptr;  // trafficPolicy; nullptr: none
};

struct DestinationRule {
  ObjectPointer object;
  std::int64_t created = 0;
  std::string host;  // as written
  std::vector<std::string> export_to;
  const Value* policy = nullptr;
  std::vector<Subset> subsets;
};

struct ServiceEntry {
  struct Endpoint {
    std::string address;
    std::uint32_t weight = 1;
    Labels labels;
    std::vector<std::pair<std::string, std::uint16_t>> ports;  // by name of the entry's port
  };
  ObjectPointer object;
  std::int64_t created = 0;
  std::vector<std::string> hosts;  // lower case
  std::vector<std::string> export_to;
  std::vector<ServicePort> ports;
  std::string resolution;  // "NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN"
  std::vector<Endpoint> endpoints;
};

Gateway read_gateway(ObjectPointer object);
VirtualService read_virtual_service(ObjectPointer object);
DestinationRule read_destination_rule(ObjectPointer object);
ServiceEntry read_service_entry(ObjectPointer object);

}  // namespace sluice::resource
