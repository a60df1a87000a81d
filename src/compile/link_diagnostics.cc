// What the linker has to say about objects that are accepted but do not do what was meant.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/text.h"
#include "compile/admission_report.h"
#include "compile/describe.h"
#include "compile/link_state.h"

namespace sluice::compile {

using resource::Value;

namespace {

class Examiner {
 public:
  explicit Examiner(const Linker::Impl& state) : state_(state) {
    for (const auto& [key, gateway] : state_.gateways) {
      gateway_names_.insert(key.namespace_ + "/" + key.name);
    }
    if (state_.provided) {
      const resource::Object& object = *state_.provided->object;
      gateway_names_.insert(object.namespace_ + "/" + object.name);
    }
  }

  resource::Diagnostics examine() {
    for (const auto& [key, gateway] : state_.gateways) examine_gateway(gateway);
    examine_topology();
    std::map<std::string, const VirtualState*> in_order;
    for (const auto& [name, virtual_state] : state_.virtuals) {
      if (virtual_state.service) in_order.emplace(name, &virtual_state);
    }
    for (const auto& [name, virtual_state] : in_order) examine_virtual(*virtual_state);
    find_double_claims(in_order);
    for (const auto& [key, rule] : state_.services.destination_rules()) {
      examine_destination_rule(rule);
    }
    for (const auto& [key, entry] : state_.services.entries()) examine_entry(entry);
    return std::move(said_);
  }

 private:
  void warn(const resource::Object& object, const Value& value, std::string field, std::string code,
            std::string what, std::string hint = {}) {
    said_.push_back(resource::about(object, value.place.line != 0 ? value : object.root,
                                    std::move(field), resource::Severity::kWarning, std::move(code),
                                    std::move(what), std::move(hint)));
  }

  static std::string server_field(const resource::Gateway& gateway,
                                  const resource::GatewayServer& server) {
    return path("spec", "servers", static_cast<std::size_t>(&server - gateway.servers.data()));
  }

  void examine_gateway(const resource::Gateway& gateway) {
    if (selects_gateway(gateway, state_.settings)) return;
    std::string labels;
    for (const auto& [name, value] : state_.settings.gateway_labels) {
      labels += (labels.empty() ? "" : ", ") + name + ": " + value;
    }
    const resource::Object& object = *gateway.object;
    warn(object, object.spec().at("selector"), "spec.selector", "gateway-not-selected",
         "the selector does not fit this gateway, so nothing of this Gateway takes effect",
         "this gateway has the labels " + labels);
  }

  void examine_topology() {
    for (const LeftOut& each : state_.topology.left_out) {
      warn(*each.gateway->object, *each.server->document, server_field(*each.gateway, *each.server),
           each.code, each.why);
    }
    for (const PlannedListener& listener : state_.topology.listeners) {
      if (!listener.is_tls) continue;
      for (const std::size_t index : listener.servers) {
        examine_certificate(state_.topology.servers[index]);
      }
    }
  }

  void examine_certificate(const PlannedServer& server) {
    const auto found = state_.certificates.find(Linker::Impl::certificate_key(server));
    if (found == state_.certificates.end()) return;
    const TlsState& tls = found->second;
    const Value& name = server.server->tls->at("credentialName");
    const std::string field = server_field(*server.gateway, *server.server) + ".tls.credentialName";
    if (!tls.problem.empty()) {
      warn(*server.gateway->object, name, field, "bad-secret", tls.problem,
           tls.tls == nullptr ? "until then handshakes with this server are closed"
                              : "the certificate before stays in use");
    } else if (tls.tls != nullptr) {
      std::string odd = certificate_warning(tls.tls->certificate_pem, state_.settings.now_seconds);
      if (!odd.empty()) {
        warn(*server.gateway->object, name, field, "bad-certificate",
             "Secret " + server.server->credential_name + ": " + odd);
      }
    }
  }

  void examine_virtual(const VirtualState& virtual_state) {
    const resource::VirtualService& service = *virtual_state.service;
    const resource::Object& object = *service.object;
    examine_destinations(service);
    for (const std::string_view kind : {"tcp", "tls"}) {
      const Value& rules = object.spec().at(kind);
      if (rules.list().empty()) continue;
      warn(object, rules, path("spec", kind), "not-yet",
           std::string(kind) + " rules are not served yet: only http");
    }
    if (service.hosts.empty()) {
      if (virtual_state.roots.empty()) {
        warn(object, object.spec(), "spec", "unused-delegate",
             "no hosts, and no VirtualService delegates to it, so it has no effect");
      }
      return;
    }
    if (!is_exported(service.export_to, object.namespace_, state_.settings.gateway_namespace)) {
      warn(object, object.spec().at("exportTo"), "spec.exportTo", "not-exported",
           "exportTo hides it from the gateway in namespace " + state_.settings.gateway_namespace);
      return;
    }
    examine_delegates(service);
    examine_bindings(virtual_state);
  }

  // What was meant by a Gateway that is not there: most often one of another namespace, written
  // without it.
  std::string gateway_hint(std::string_view name, bool is_bare) const {
    const std::string_view bare = name.substr(name.find('/') + 1);
    for (const std::string& known : gateway_names_) {
      if (std::string_view(known).substr(known.find('/') + 1) != bare) continue;
      return (is_bare ? "a name alone means this object's namespace; write " : "did you mean ") +
             known + (is_bare ? "" : "?");
    }
    const std::vector<std::string_view> names(gateway_names_.begin(), gateway_names_.end());
    const std::string_view like = nearest(name, names);
    if (!like.empty()) return "did you mean " + std::string(like) + "?";
    return names.size() > 4 ? "" : "the Gateways are: " + fmt::format("{}", fmt::join(names, ", "));
  }

  void examine_bindings(const VirtualState& virtual_state) {
    const resource::VirtualService& service = *virtual_state.service;
    const resource::Object& object = *service.object;
    bool any_bound = false;
    std::size_t index = 0;
    for (const Value& written : object.spec().at("gateways").list()) {
      const std::string field = path("spec", "gateways", index++);
      const std::string_view text = written.text();
      if (text == "mesh") continue;
      const std::string name =
          gateway_reference(text, object.namespace_, state_.settings.cluster_domain);
      if (!gateway_names_.contains(name)) {
        warn(object, written, field, "unknown-gateway", "there is no Gateway " + name,
             gateway_hint(name, text.find('/') == std::string_view::npos));
        continue;
      }
      if (text.find('/') == std::string_view::npos && text.find('.') != std::string_view::npos) {
        warn(object, written, field, "old-gateway-name",
             "this way to name a Gateway of another namespace is outdated", "write " + name);
      }
      any_bound = any_bound || state_.servers_of.contains(name);
    }
    if (service.gateways.empty()) {
      warn(object, object.spec(), "spec.gateways", "mesh-only",
           "without gateways it is for the mesh, not for this gateway",
           "name the gateway in spec.gateways");
    } else if (any_bound && virtual_state.placed.empty()) {
      warn(object, object.spec().at("hosts"), "spec.hosts", "not-served",
           "no server of its gateways serves any of its hosts with any of its rules",
           "compare with the hosts and the port of the Gateway's servers");
    }
  }

  void examine_delegates(const resource::VirtualService& service) {
    const resource::Object& object = *service.object;
    std::size_t index = 0;
    for (const Value& rule : service.http()) {
      const std::string field = path("spec", "http", index++) + ".delegate";
      const Value& delegate = rule.at("delegate");
      if (!delegate.is_map()) continue;
      const std::string name = std::string(delegate.at("namespace").text(object.namespace_)) + "/" +
                               std::string(delegate.at("name").text());
      const auto found = state_.virtuals.find(name);
      if (found == state_.virtuals.end() || !found->second.service) {
        warn(object, delegate, field, "unknown-delegate", "there is no VirtualService " + name);
      } else if (!found->second.service->hosts.empty()) {
        warn(object, delegate, field, "bad-delegate",
             "VirtualService " + name + " has hosts of its own, so it is no delegate");
      }
    }
  }

  void examine_destination(const resource::Object& object, const Value& destination,
                           const std::string& field) {
    const std::string host =
        full_host(destination.at("host").text(), object.namespace_, state_.settings.cluster_domain);
    if (host.empty()) return;
    const std::int64_t number = destination.at("port").at("number").integer();
    auto port = static_cast<std::uint16_t>(number > 0 && number <= 0xffff ? number : 0);
    if (port == 0) port = state_.services.only_port(host);
    const std::string subset(destination.at("subset").text());
    if (port == 0 && state_.services.has_host(host)) {
      warn(object, destination, field, "no-port",
           host + " has more than one port, so that of the gateway's listener is taken",
           "name the port");
      return;
    }
    const std::string why = state_.services.why_absent({host, port, subset});
    if (why.empty()) return;
    std::string hint;
    if (!state_.services.has_host(host)) {
      const std::string like = state_.services.nearest_host(host);
      if (!like.empty()) hint = "did you mean " + like + "?";
    }
    warn(object, destination, field, "unknown-destination", why + ", so its share is answered 503",
         hint);
  }

  void examine_destinations(const resource::VirtualService& service) {
    const resource::Object& object = *service.object;
    std::size_t index = 0;
    for (const Value& rule : service.http()) {
      const std::string where = path("spec", "http", index++);
      std::size_t at = 0;
      for (const Value& each : rule.at("route").list()) {
        examine_destination(object, each.at("destination"),
                            path(where, "route", at++) + ".destination");
      }
      if (rule.at("mirror").is_map()) {
        examine_destination(object, rule.at("mirror"), where + ".mirror");
      }
      at = 0;
      for (const Value& each : rule.at("mirrors").list()) {
        examine_destination(object, each.at("destination"),
                            path(where, "mirrors", at++) + ".destination");
      }
    }
  }

  // Two VirtualServices that want the same requests of one host: the first in order has them all.
  void find_double_claims(const std::map<std::string, const VirtualState*>& in_order) {
    struct Claim {
      const route::PlacedRule* rule;
      const VirtualState* owner;
    };
    std::map<std::string, Claim> claims;
    std::set<std::pair<const VirtualState*, const VirtualState*>> told;
    for (const auto& [name, virtual_state] : in_order) {
      for (const VirtualState::Placed& placed : virtual_state->placed) {
        for (const route::PlacedRule& rule : placed.rules) {
          std::string key = std::to_string(placed.table) + " " + placed.host + " ";
          key += rule.order.catch_all ? "everything" : describe(rule.rule->match);
          const auto [at, is_new] = claims.try_emplace(std::move(key), Claim{&rule, virtual_state});
          if (is_new || at->second.owner == virtual_state) continue;
          Claim winner = at->second;
          Claim loser{&rule, virtual_state};
          if (rule.order < winner.rule->order) std::swap(winner, loser);
          at->second = winner;
          if (!told.insert({winner.owner, loser.owner}).second) continue;
          const resource::Object& object = *loser.owner->service->object;
          warn(object, object.spec(), "spec.http", "claimed-twice",
               "host " + placed.host + ", " + describe(rule.rule->match) + ": " +
                   winner.rule->rule->name +
                   " is older or comes first by name, and takes the requests that " +
                   loser.rule->rule->name + " wants");
        }
      }
    }
  }

  void examine_destination_rule(const resource::DestinationRule& rule) {
    const resource::Object& object = *rule.object;
    const std::string host =
        full_host(rule.host, object.namespace_, state_.settings.cluster_domain);
    if (!host.starts_with('*') && !state_.services.has_host(host)) {
      const std::string like = state_.services.nearest_host(host);
      warn(object, object.spec().at("host"), "spec.host", "unknown-host",
           "there is no Service or ServiceEntry for host " + host,
           like.empty() ? "" : "did you mean " + like + "?");
    }
    if (rule.policy != nullptr) examine_policy(object, *rule.policy, "spec.trafficPolicy");
    std::size_t index = 0;
    for (const resource::Subset& subset : rule.subsets) {
      const std::string where = path("spec", "subsets", index++);
      if (subset.policy != nullptr)
        examine_policy(object, *subset.policy, where + ".trafficPolicy");
    }
  }

  void examine_policy(const resource::Object& object, const Value& policy,
                      const std::string& where) {
    const Value& tls = policy.at("tls");
    const std::string_view mode = tls.at("mode").text();
    if (mode == "ISTIO_MUTUAL") {
      warn(object, tls.at("mode"), where + ".tls.mode", "not-yet",
           "ISTIO_MUTUAL needs the workload certificates of a mesh, which there are none of here: "
           "connections to this host are plain text");
    }
    for (const std::string_view field : {"clientCertificate", "privateKey", "caCertificates"}) {
      const Value& value = tls.at(field);
      if (value.text().empty() || value.text() == "system") continue;
      warn(object, value, where + ".tls." + std::string(field), "not-yet",
           "certificates from files are not supported yet",
           "put them into a Secret and name it in credentialName");
    }
    const std::string_view credential = tls.at("credentialName").text();
    const std::string& ns = state_.settings.gateway_namespace;
    if (!credential.empty() && state_.services.find_secret(ns, credential) == nullptr &&
        state_.services.find_secret(ns, std::string(credential) + "-cacert") == nullptr) {
      warn(object, tls.at("credentialName"), where + ".tls.credentialName", "unknown-secret",
           "there is no Secret " + std::string(credential) + " in namespace " + ns +
               ", so this host has no endpoints");
    }
  }

  void examine_entry(const resource::ServiceEntry& entry) {
    const resource::Object& object = *entry.object;
    if (entry.resolution == "NONE") {
      warn(object, object.spec(), "spec.resolution", "no-endpoints",
           "with resolution NONE a gateway has no address to send to",
           "use STATIC with endpoints, or DNS");
    }
    if (entry.resolution.starts_with("DNS")) examine_names(entry);
    if (object.spec().at("workloadSelector").is_map()) {
      warn(object, object.spec().at("workloadSelector"), "spec.workloadSelector", "not-yet",
           "workloadSelector is not supported yet", "list the endpoints");
    }
  }

  void examine_names(const resource::ServiceEntry& entry) {
    std::vector<std::string> names;
    for (const auto& each : entry.endpoints) names.push_back(each.address);
    if (names.empty()) names = entry.hosts;
    for (const std::string& name : names) {
      if (is_ip_address(name) || state_.services.has_addresses(name)) continue;
      warn(*entry.object, entry.object->spec().at("resolution"), "spec.resolution",
           "unresolved-name", "the addresses of " + name + " are not known, so it has no endpoint",
           "list IP addresses with resolution: STATIC");
    }
  }

  const Linker::Impl& state_;
  resource::Diagnostics said_;
  std::set<std::string> gateway_names_;
};

}  // namespace

resource::Diagnostics Linker::diagnostics() const {
  // Between a change of Gateways and the next link the plan names Gateways of before.
  if (impl_->gateways_dirty) return {};
  return Examiner(*impl_).examine();
}

}  // namespace sluice::compile
