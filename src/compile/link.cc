#include "compile/link.h"

#include <algorithm>
#include <utility>

#include "compile/link_state.h"

namespace sluice::compile {

using resource::ObjectKey;

namespace {

std::string full_name(std::string_view ns, std::string_view name) {
  return std::string(ns) + "/" + std::string(name);
}

bool is_istio(const ObjectKey& key) { return key.group == "networking.istio.io"; }

// What `provide_gateway` provides.
resource::Gateway make_provided_gateway(const LinkSettings& settings) {
  using resource::List;
  using resource::Map;
  using resource::Value;
  auto object = std::make_shared<resource::Object>();
  object->api_version = "networking.istio.io/v1";
  object->kind = "Gateway";
  object->namespace_ = settings.gateway_namespace;
  object->name = "seldon-gateway";
  const Map server{
      {"port", Map{{"number", 80}, {"name", "http"}, {"protocol", "HTTP"}}},
      {"hosts", List{"*"}},
  };
  object->root = Map{
      {"apiVersion", object->api_version},
      {"kind", object->kind},
      {"metadata", Map{{"name", object->name}, {"namespace", object->namespace_}}},
      {"spec", Map{{"servers", List{server}}}},
  };
  return resource::read_gateway(std::move(object));
}

}  // namespace

route::ClusterId ClusterIds::acquire(const ClusterKey& key) {
  Entry& entry = hosts_[key.host][{key.port, key.subset}];
  if (entry.references++ == 0 && entry.id == route::kNoCluster) {
    if (free_.empty()) {
      entry.id = next_++;
    } else {
      entry.id = free_.back();
      free_.pop_back();
    }
    fresh_.push_back(key);
  }
  return entry.id;
}

void ClusterIds::release(const ClusterKey& key) {
  Entry& entry = hosts_[key.host][{key.port, key.subset}];
  if (--entry.references == 0) dropped_.push_back(key);
}

void ClusterIds::begin_link() {
  free_.insert(free_.end(), resting_.begin(), resting_.end());
  resting_.clear();
}

std::vector<route::ClusterId> ClusterIds::take_dropped() {
  for (const ClusterKey& key : dropped_) {
    const auto host = hosts_.find(key.host);
    if (host == hosts_.end()) continue;
    const auto entry = host->second.find({key.port, key.subset});
    if (entry == host->second.end() || entry->second.references > 0) continue;
    resting_.push_back(entry->second.id);
    host->second.erase(entry);
    if (host->second.empty()) hosts_.erase(host);
  }
  dropped_.clear();
  return resting_;
}

std::vector<ClusterKey> ClusterIds::take_fresh() { return std::exchange(fresh_, {}); }

const ClusterIds::ByName* ClusterIds::find(const std::string& host) const {
  const auto found = hosts_.find(host);
  return found == hosts_.end() ? nullptr : &found->second;
}

Linker::Linker(LinkSettings settings) : impl_(std::make_unique<Impl>(std::move(settings))) {
  for (const auto& [name, value] : impl_->settings.gateway_labels) {
    impl_->gateway_labels.emplace_back(name, value);
  }
}

Linker::~Linker() = default;

void Linker::put(std::shared_ptr<const resource::Object> object) {
  const ObjectKey key = object->key();
  if (is_istio(key) && key.kind == "Gateway") {
    impl_->gateways.insert_or_assign(key, resource::read_gateway(std::move(object)));
    impl_->gateways_dirty = true;
  } else if (is_istio(key) && key.kind == "VirtualService") {
    const std::string name = full_name(key.namespace_, key.name);
    impl_->virtuals[name].service = resource::read_virtual_service(std::move(object));
    impl_->dirty_virtuals.insert(name);
  } else {
    if (key.kind == "Secret") impl_->secrets_dirty = true;
    impl_->services.put(object);
  }
}

void Linker::erase(const ObjectKey& key) {
  if (is_istio(key) && key.kind == "Gateway") {
    if (impl_->gateways.erase(key) > 0) impl_->gateways_dirty = true;
  } else if (is_istio(key) && key.kind == "VirtualService") {
    const std::string name = full_name(key.namespace_, key.name);
    const auto found = impl_->virtuals.find(name);
    if (found == impl_->virtuals.end()) return;
    found->second.service.reset();
    impl_->dirty_virtuals.insert(name);
  } else {
    if (key.kind == "Secret") impl_->secrets_dirty = true;
    impl_->services.erase(key);
  }
}

bool Linker::uses_provided_gateway() const noexcept {
  return impl_->settings.provide_gateway && impl_->gateways.empty();
}

std::vector<std::string> Linker::names_to_resolve() const {
  return impl_->services.names_to_resolve();
}

void Linker::set_addresses(std::string_view name, std::vector<std::string> addresses) {
  impl_->services.set_addresses(name, std::move(addresses));
}

std::shared_ptr<const route::Snapshot> Linker::link() {
  Impl& state = *impl_;
  state.ids.begin_link();
  bool changed = state.snapshot == nullptr;
  if (state.gateways_dirty) {
    state.relink_topology();
    changed = true;
  }
  changed = state.relink_virtuals() || changed;
  changed = state.relink_clusters() || changed;
  if (state.secrets_dirty || state.gateways_dirty) {
    changed = state.relink_certificates() || changed;
  }
  state.gateways_dirty = false;
  state.secrets_dirty = false;
  if (!changed) return state.snapshot;

  auto made = std::make_shared<route::Snapshot>();
  made->version = ++state.version;
  made->listeners = state.make_listeners();
  made->clusters = state.clusters;
  state.snapshot = std::move(made);
  return state.snapshot;
}

// Gateways changed: tables are made anew and every VirtualService is placed again. Gateways are few
// and change seldom.
void Linker::Impl::relink_topology() {
  for (auto& [name, state] : virtuals) {
    state.placed.clear();
    dirty_virtuals.insert(name);
  }
  std::vector<const resource::Gateway*> all;
  for (const auto& [key, gateway] : gateways) all.push_back(&gateway);
  if (all.empty() && settings.provide_gateway) {
    if (!provided) provided = make_provided_gateway(settings);
    all.push_back(&*provided);
  }
  topology = plan_topology(std::move(all), settings);
  tables.clear();
  tables.resize(topology.table_count);
  servers_of.clear();
  for (std::size_t i = 0; i < tables.size(); ++i) builder_of(i);
  for (std::size_t i = 0; i < topology.servers.size(); ++i) {
    const PlannedServer& server = topology.servers[i];
    servers_of[server.gateway_name].push_back(i);
    if (!server.server->https_redirect) continue;
    for (const ServerHost& host : server.hosts) set_redirect(server.table, host.name, true);
  }
}

route::RouteTableBuilder& Linker::Impl::builder_of(std::size_t table) {
  TableState& state = tables[table];
  if (state.builder == nullptr) {
    state.builder = state.table == nullptr
                        ? std::make_unique<route::RouteTableBuilder>()
                        : std::make_unique<route::RouteTableBuilder>(*state.table);
  }
  return *state.builder;
}

void Linker::Impl::set_redirect(std::size_t table, const std::string& host, bool on) {
  std::uint32_t& count = tables[table].redirects[host];
  count = on ? count + 1 : count - 1;
  if (count == (on ? 1U : 0U)) builder_of(table).set_https_redirect(host, on);
  if (count == 0) tables[table].redirects.erase(host);
}

bool Linker::Impl::relink_virtuals() {
  // A change of a delegate is a change of its roots; a change of a service may change the port of
  // a destination without one.
  std::unordered_set<std::string> dirty = std::exchange(dirty_virtuals, {});
  for (const std::string& name : std::vector<std::string>(dirty.begin(), dirty.end())) {
    if (const auto found = virtuals.find(name); found != virtuals.end()) {
      dirty.insert(found->second.roots.begin(), found->second.roots.end());
    }
  }
  for (const std::string& host : services.touched()) {
    if (const auto users = portless_users.find(host); users != portless_users.end()) {
      dirty.insert(users->second.begin(), users->second.end());
    }
  }
  for (const std::string& name : dirty) relink_virtual(name);
  for (const std::string& name : dirty) {
    const auto found = virtuals.find(name);
    if (found != virtuals.end() && !found->second.service && found->second.roots.empty()) {
      virtuals.erase(found);
    }
  }
  return !dirty.empty();
}

void Linker::Impl::relink_virtual(const std::string& name) {
  VirtualState& state = virtuals[name];
  const std::vector<ClusterKey> old_clusters = std::exchange(state.clusters, {});
  retract(state);
  const std::set<std::string> old_delegates = std::exchange(state.delegates, {});
  for (const std::string& delegate : old_delegates) virtuals[delegate].roots.erase(name);
  for (const std::string& host : std::exchange(state.portless_hosts, {})) {
    const auto users = portless_users.find(host);
    users->second.erase(name);
    if (users->second.empty()) portless_users.erase(users);
  }
  state.drafts.clear();
  if (state.service && !state.service->hosts.empty()) {
    state.drafts = draft_rules(
        *state.service, regexes,
        [&](std::string_view ns, std::string_view delegate) -> const resource::VirtualService* {
          const std::string key = full_name(ns, delegate);
          state.delegates.insert(key);
          VirtualState& other = virtuals[key];  // references stay valid in an unordered_map
          other.roots.insert(name);
          return other.service ? &*other.service : nullptr;
        });
    place(name, state);
  }
  for (const ClusterKey& key : old_clusters) ids.release(key);
  for (const std::string& delegate : old_delegates) {
    const auto found = virtuals.find(delegate);
    if (found != virtuals.end() && delegate != name && found->second.roots.empty() &&
        !found->second.service)
      virtuals.erase(found);
  }
}

void Linker::Impl::retract(VirtualState& state) {
  for (const VirtualState::Placed& placed : state.placed) {
    route::RouteTableBuilder& builder = builder_of(placed.table);
    for (const route::PlacedRule& rule : placed.rules) builder.remove(placed.host, rule);
    if (placed.https_redirect) set_redirect(placed.table, placed.host, false);
  }
  state.placed.clear();
}

void Linker::Impl::place(const std::string& name, VirtualState& state) {
  const resource::VirtualService& service = *state.service;
  const resource::Object& object = *service.object;
  if (!is_exported(service.export_to, object.namespace_, settings.gateway_namespace)) return;
  std::set<std::size_t> bound;  // in order of rank
  for (const std::string& written : service.gateways) {
    const std::string gateway =
        gateway_reference(written, object.namespace_, settings.cluster_domain);
    if (const auto found = servers_of.find(gateway); found != servers_of.end()) {
      bound.insert(found->second.begin(), found->second.end());
    }
  }
  std::map<std::pair<std::string, std::uint16_t>, std::vector<CompiledRule>> done;
  std::set<std::pair<std::size_t, std::string>> taken;
  for (const std::size_t index : bound) {
    place_at(name, state, topology.servers[index], done, taken);
  }
}

RuleTarget Linker::Impl::target_of(const std::string& name, VirtualState& state,
                                   const PlannedServer& server) {
  RuleTarget target;
  target.port = server.server->port;
  target.gateway = server.gateway_name;
  target.gateway_labels = &gateway_labels;
  target.gateway_namespace = settings.gateway_namespace;
  target.cluster = [this, &state, &name, port = target.port](
                       std::string_view ns, std::string_view host, std::uint16_t wanted,
                       std::string_view subset, std::uint16_t& chosen, std::string& full) {
    full = full_host(host, ns, settings.cluster_domain);
    chosen = wanted;
    if (wanted == 0) {
      const std::uint16_t only = services.only_port(full);
      chosen = only != 0 ? only : port;
      state.portless_hosts.insert(full);
      portless_users[full].insert(name);
    }
    ClusterKey key{full, chosen, std::string(subset)};
    const route::ClusterId id = ids.acquire(key);
    state.clusters.push_back(std::move(key));
    return id;
  };
  return target;
}

void Linker::Impl::place_at(
    const std::string& name, VirtualState& state, const PlannedServer& server,
    std::map<std::pair<std::string, std::uint16_t>, std::vector<CompiledRule>>& done,
    std::set<std::pair<std::size_t, std::string>>& taken) {
  const resource::VirtualService& service = *state.service;
  const resource::Object& object = *service.object;
  std::set<std::string> hosts;
  for (const ServerHost& outer : server.hosts) {
    if (outer.ns != "*" && outer.ns != object.namespace_) continue;
    for (const std::string& inner : service.hosts) {
      if (std::string both = intersect_hosts(outer.name, inner); !both.empty()) {
        hosts.insert(std::move(both));
      }
    }
  }
  if (hosts.empty()) return;
  const auto [at, is_new] = done.try_emplace({server.gateway_name, server.server->port});
  if (is_new)
    at->second = compile_rules(service, state.drafts, target_of(name, state, server), regexes);
  if (at->second.empty()) return;
  for (const std::string& host : hosts) {
    // A second server of the same table that gives the same host adds nothing but copies.
    if (!taken.insert({server.table, server.gateway_name + " " + host}).second) continue;
    VirtualState::Placed placed{server.table, host, server.server->https_redirect, {}};
    route::RouteTableBuilder& builder = builder_of(server.table);
    for (const CompiledRule& each : at->second) {
      route::PlacedRule rule;
      rule.order = {each.rule->match.is_catch_all(),
                    server.rank,
                    service.created,
                    object.name,
                    object.namespace_,
                    each.index};
      rule.rule = each.rule;
      builder.add(host, rule);
      placed.rules.push_back(std::move(rule));
    }
    if (placed.https_redirect) set_redirect(server.table, host, true);
    state.placed.push_back(std::move(placed));
  }
}

bool Linker::Impl::relink_clusters() {
  bool changed = false;
  const auto make = [&](const ClusterKey& key, route::ClusterId id) {
    std::shared_ptr<route::Cluster> made = services.make_cluster(key);
    if (made != nullptr) made->id = id;
    if (made == nullptr && clusters.find(id) == nullptr) return;
    clusters.set(id, std::move(made));
    changed = true;
  };
  for (const route::ClusterId id : ids.take_dropped()) {
    if (clusters.find(id) == nullptr) continue;
    clusters.set(id, nullptr);
    changed = true;
  }
  for (const ClusterKey& key : ids.take_fresh()) {
    if (const auto* by_name = ids.find(key.host)) {
      const auto entry = by_name->find({key.port, key.subset});
      if (entry != by_name->end()) make(key, entry->second.id);
    }
  }
  const auto remake_host = [&](const std::string& host, const ClusterIds::ByName& by_name) {
    for (const auto& [name, entry] : by_name) make({host, name.first, name.second}, entry.id);
  };
  for (const std::string& host : services.touched()) {
    if (host[0] == '*') {  // a DestinationRule for many
      for (const auto& [each, by_name] : ids.hosts()) {
        if (!intersect_hosts(host, each).empty()) remake_host(each, by_name);
      }
    } else if (const auto* by_name = ids.find(host)) {
      remake_host(host, *by_name);
    }
  }
  services.clear_touched();
  return changed;
}

std::string Linker::Impl::certificate_key(const PlannedServer& server) {
  const auto index = server.server - server.gateway->servers.data();
  return server.gateway_name + "#" + std::to_string(index);
}

// Istio looks in the namespace of the gateway's pod. On one machine nobody remembers which that
// is, so the Gateway's own namespace counts when there is none.
const resource::Secret* Linker::Impl::credential(const PlannedServer& server,
                                                 std::string_view suffix) const {
  const std::string name = server.server->credential_name + std::string(suffix);
  const resource::Secret* found = services.find_secret(settings.gateway_namespace, name);
  return found != nullptr ? found : services.find_secret(server.gateway->object->namespace_, name);
}

bool Linker::Impl::relink_certificates() {
  bool changed = false;
  std::map<std::string, TlsState> next;
  for (const PlannedListener& listener : topology.listeners) {
    if (!listener.is_tls) continue;
    for (const std::size_t index : listener.servers) {
      const PlannedServer& server = topology.servers[index];
      const std::string key = certificate_key(server);
      TlsState& state = next[key];
      if (const auto before = certificates.find(key); before != certificates.end()) {
        state.tls = before->second.tls;
      }
      const resource::Secret* secret = credential(server, "");
      state.is_waiting = state.tls == nullptr && (secret == nullptr || !has_pair(*secret));
      const auto old = certificates.find(key);
      changed = changed || old == certificates.end() || old->second.is_waiting != state.is_waiting;
      if (secret == nullptr) {
        state.problem = "there is no Secret " + server.server->credential_name + " in namespace " +
                        settings.gateway_namespace;
        continue;
      }
      auto made = make_server_tls(*server.server, *secret, credential(server, "-cacert"));
      if (!made) {
        state.problem = "Secret " + server.server->credential_name + ": " + made.error().what;
      } else if (state.tls == nullptr || !is_same(*state.tls, **made)) {
        state.tls = std::move(*made);
        changed = true;
      }
    }
  }
  certificates = std::move(next);
  return changed;
}

std::vector<std::shared_ptr<const route::Listener>> Linker::Impl::make_listeners() {
  for (TableState& table : tables) {
    if (table.builder != nullptr) table.table = table.builder->build();
    table.builder.reset();
  }
  std::vector<std::shared_ptr<const route::Listener>> listeners;
  for (const PlannedListener& planned : topology.listeners) {
    auto listener = std::make_shared<route::Listener>();
    listener->port = planned.port;
    listener->bind = planned.bind;
    listener->is_tls = planned.is_tls;
    const bool all_wait =
        planned.is_tls &&
        std::all_of(planned.servers.begin(), planned.servers.end(), [&](std::size_t index) {
          return certificates[certificate_key(topology.servers[index])].is_waiting;
        });
    if (all_wait) continue;
    for (const std::size_t index : planned.servers) {
      const PlannedServer& server = topology.servers[index];
      const auto& table = tables[server.table].table;
      if (!planned.is_tls) {
        listener->routes = table;
        break;
      }
      auto tls = std::make_shared<route::TlsServer>();
      tls->name = server.server->port_name;
      for (const ServerHost& host : server.hosts) tls->hosts.push_back(host.name);
      tls->tls = certificates[certificate_key(server)].tls;
      tls->routes = table;
      listener->tls_servers.push_back(std::move(tls));
    }
    listeners.push_back(std::move(listener));
  }
  std::sort(listeners.begin(), listeners.end(), [](const auto& a, const auto& b) {
    return std::tie(a->port, a->bind) < std::tie(b->port, b->bind);
  });
  return listeners;
}

}  // namespace sluice::compile
