// Networking resources -> route::Snapshot: Gateway, VirtualService, DestinationRule, ServiceEntry,
// Service, EndpointSlice and Secret, as Istio's ingress gateway understands them
// (docs/explanation/routing.md has the rules, docs/reference/istio-fields.md the fields).
//
// Keeps what it was told and what it made of it, so that a link costs what changed since the last
// one. The outcome depends on the objects alone, not on the order in which they came, with one
// exception: a Secret that went bad or away leaves its last good certificate in use.
//
// Thread: the control thread only. No I/O; the time is not read (settings.now_seconds).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "resource/diagnostic.h"
#include "resource/object.h"
#include "route/snapshot.h"

namespace sluice::compile {

struct LinkSettings {
  std::string gateway_namespace = "istio-system";  // where the gateway's pod would be: its secrets
  std::string root_namespace = "istio-system";     // DestinationRules here hold for all
  // What Gateways select by.
  std::map<std::string, std::string> gateway_labels = {{"istio", "ingressgateway"},
                                                       {"app", "istio-ingressgateway"}};
  std::string cluster_domain = "cluster.local";
  // While the objects hold no Gateway at all: istio-system/seldon-gateway, HTTP on port 80.
  bool provide_gateway = false;
  // For the expiry of certificates in diagnostics; 0: not checked.
  std::int64_t now_seconds = 0;
};

// One line of the listing that `sluice routes` prints.
struct RouteRow {
  std::uint16_t port = 0;
  std::string server;  // TLS: the hosts that SNI picks it by, joined with ','; "" for plain HTTP
  std::string host;
  std::string match;   // "prefix /seldon/a/, header x=1"
  std::string action;  // "iris-main.default.svc.cluster.local:8000/main 75%", "redirect 301"
  std::string rule;    // "VirtualService default/iris http[0].match[0]"
  std::string origin;  // "iris.yaml:12"
};

class Linker {
 public:
  explicit Linker(LinkSettings settings = {});
  ~Linker();
  Linker(const Linker&) = delete;
  Linker& operator=(const Linker&) = delete;

  // New or changed. Kinds that routing does not look at are ignored. REQUIRES: check_object
  // (compile/admission.h) found no error in it: an object with errors should not be put, so that
  // the version before stays in force.
  void put(std::shared_ptr<const resource::Object> object);
  void erase(const resource::ObjectKey& key);  // absent: fine

  // The snapshot of all objects put. The same pointer as before when nothing came of the changes.
  std::shared_ptr<const route::Snapshot> link();

  // What is accepted but has no or another effect than was meant: references to what is not there,
  // pieces that an older object displaces, secrets that do not work, fields not supported yet.
  // Warnings all, by object. Call after link: nothing while changed Gateways wait for it. Costs a
  // walk over everything.
  resource::Diagnostics diagnostics() const;

  // True while the provided gateway is in force (settings.provide_gateway).
  bool uses_provided_gateway() const noexcept;

  // ServiceEntries with resolution DNS: the names to resolve, and what they resolve to (IP
  // addresses; counts at the next link). Names without addresses have no endpoints.
  std::vector<std::string> names_to_resolve() const;
  void set_addresses(std::string_view name, std::vector<std::string> addresses);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

// In order of port, server, host, rule.
std::vector<RouteRow> list_routes(const route::Snapshot& snapshot);

}  // namespace sluice::compile
