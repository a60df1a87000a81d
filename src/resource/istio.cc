#include "resource/istio.h"

#include <string_view>
#include <utility>

#include "base/text.h"

namespace sluice::resource {
namespace {

std::uint16_t read_port(const Value& value) {
  const std::int64_t number = value.integer();
  return number > 0 && number <= 0xffff ? static_cast<std::uint16_t>(number) : std::uint16_t{0};
}

std::vector<std::string> read_hosts(const Value& list) {
  std::vector<std::string> hosts = read_texts(list);
  for (std::string& host : hosts) host = to_lower(host);
  return hosts;
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

GatewayServer read_server(const Value& value) {
  GatewayServer server;
  server.document = &value;
  server.port = read_port(value.at("port").at("number"));
  server.port_name = value.at("port").at("name").text();
  server.protocol = upper(value.at("port").at("protocol").text());
  server.bind = value.at("bind").text();
  server.hosts = read_texts(value.at("hosts"));
  const Value& tls = value.at("tls");
  if (!tls.is_map()) return server;
  server.tls = &tls;
  server.https_redirect = tls.at("httpsRedirect").flag();
  server.tls_mode = tls.at("mode").text("PASSTHROUGH");
  std::string_view credential = tls.at("credentialName").text();
  if (credential.empty()) credential = tls.at("credentialNames").at(std::size_t{0}).text();
  constexpr std::string_view kScheme = "kubernetes://";
  if (credential.starts_with(kScheme)) credential.remove_prefix(kScheme.size());
  server.credential_name = credential;
  return server;
}

const Value* policy_of(const Value& value) {
  const Value& policy = value.at("trafficPolicy");
  return policy.is_map() ? &policy : nullptr;
}

ServiceEntry::Endpoint read_endpoint(const Value& value) {
  ServiceEntry::Endpoint endpoint;
  endpoint.address = value.at("address").text();
  constexpr std::string_view kUnix = "unix://";
  if (endpoint.address.starts_with(kUnix)) endpoint.address.erase(0, kUnix.size());
  const std::int64_t weight = value.at("weight").integer(1);
  endpoint.weight = weight > 0 ? static_cast<std::uint32_t>(weight) : 1;
  endpoint.labels = read_labels(value.at("labels"));
  for (const Member& member : value.at("ports").map()) {
    endpoint.ports.emplace_back(member.key, read_port(member.value));
  }
  return endpoint;
}

}  // namespace

Gateway read_gateway(ObjectPointer object) {
  Gateway gateway;
  gateway.created = object->created_seconds();
  gateway.selector = read_labels(object->spec().at("selector"));
  for (const Value& each : object->spec().at("servers").list()) {
    gateway.servers.push_back(read_server(each));
  }
  gateway.object = std::move(object);
  return gateway;
}

VirtualService read_virtual_service(ObjectPointer object) {
  VirtualService service;
  service.created = object->created_seconds();
  service.hosts = read_hosts(object->spec().at("hosts"));
  service.gateways = read_texts(object->spec().at("gateways"));
  service.export_to = read_texts(object->spec().at("exportTo"));
  service.object = std::move(object);
  return service;
}

DestinationRule read_destination_rule(ObjectPointer object) {
  DestinationRule rule;
  rule.created = object->created_seconds();
  rule.host = to_lower(object->spec().at("host").text());
  rule.export_to = read_texts(object->spec().at("exportTo"));
  rule.policy = policy_of(object->spec());
  for (const Value& each : object->spec().at("subsets").list()) {
    rule.subsets.push_back(
        {std::string(each.at("name").text()), read_labels(each.at("labels")), policy_of(each)});
  }
  rule.object = std::move(object);
  return rule;
}

ServiceEntry read_service_entry(ObjectPointer object) {
  ServiceEntry entry;
  const Value& spec = object->spec();
  entry.created = object->created_seconds();
  entry.hosts = read_hosts(spec.at("hosts"));
  entry.export_to = read_texts(spec.at("exportTo"));
  entry.resolution = spec.at("resolution").text("NONE");
  for (const Value& each : spec.at("ports").list()) {
    ServicePort port;
    port.name = each.at("name").text();
    port.port = read_port(each.at("number"));
    port.protocol = upper(each.at("protocol").text());
    port.target_port = read_port(each.at("targetPort"));
    entry.ports.push_back(std::move(port));
  }
  for (const Value& each : spec.at("endpoints").list()) {
    entry.endpoints.push_back(read_endpoint(each));
  }
  entry.object = std::move(object);
  return entry;
}

}  // namespace sluice::resource
