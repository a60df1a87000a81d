#include "compile/services.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/text.h"

namespace sluice::compile {

using resource::ObjectKey;

bool is_exported(const std::vector<std::string>& export_to, std::string_view ns,
                 std::string_view viewer) noexcept {
  if (export_to.empty()) return true;
  return std::any_of(export_to.begin(), export_to.end(), [&](const std::string& each) {
    return each == "*" || each == viewer || (each == "." && ns == viewer);
  });
}

std::string full_host(std::string_view host, std::string_view ns, std::string_view domain) {
  std::string full = to_lower(host);
  if (full.find('.') == std::string::npos && full != "*") {
    full.append(".").append(ns).append(".svc.").append(domain);
  }
  return full;
}

std::string cluster_name(std::string_view host, std::uint16_t port, std::string_view subset) {
  return "outbound|" + std::to_string(port) + "|" + std::string(subset) + "|" + std::string(host);
}

void Services::add_provider(const std::string& host, Provider provider) {
  auto& providers = hosts_[host];
  providers.insert(std::upper_bound(providers.begin(), providers.end(), provider),
                   std::move(provider));
  touched_.insert(host);
}

void Services::remove_provider(const std::string& host, const ObjectKey& key) {
  const auto found = hosts_.find(host);
  if (found == hosts_.end()) return;
  std::erase_if(found->second, [&](const Provider& each) { return each.key == key; });
  if (found->second.empty()) hosts_.erase(found);
  touched_.insert(host);
}

void Services::put(const resource::ObjectPointer& object) {
  const ObjectKey key = object->key();
  erase(key);
  if (key.kind == "Service" && key.group.empty()) {
    const resource::Service& service =
        services_.emplace(key, resource::read_service(*object)).first->second;
    add_provider(full_host(key.name, key.namespace_, settings_.cluster_domain),
                 {false, service.created, key.name, key.namespace_, key});
  } else if (key.kind == "ServiceEntry") {
    const resource::ServiceEntry& entry =
        entries_.emplace(key, resource::read_service_entry(object)).first->second;
    for (const std::string& host : entry.hosts) {
      add_provider(host, {true, entry.created, key.name, key.namespace_, key});
    }
  } else if (key.kind == "EndpointSlice") {
    resource::EndpointSlice slice = resource::read_endpoint_slice(*object);
    if (slice.service.empty()) return;
    const std::string host = full_host(slice.service, key.namespace_, settings_.cluster_domain);
    slices_[host].insert_or_assign(key.name, std::move(slice));
    slice_hosts_[key] = host;
    touched_.insert(host);
  } else if (key.kind == "DestinationRule") {
    const resource::DestinationRule& rule =
        rules_.emplace(key, resource::read_destination_rule(object)).first->second;
    const std::string host = full_host(rule.host, key.namespace_, settings_.cluster_domain);
    auto& rules = rules_by_host_[key.namespace_ + "/" + host];
    rules.push_back(&rule);
    std::sort(rules.begin(), rules.end(), [](const auto* a, const auto* b) {
      return std::tie(a->created, a->object->name) < std::tie(b->created, b->object->name);
    });
    touched_.insert(host);
  } else if (key.kind == "Secret") {
    const std::string name = key.namespace_ + "/" + key.name;
    secrets_.insert_or_assign(name, resource::read_secret(*object));
    if (const auto users = secret_users_.find(name); users != secret_users_.end()) {
      touched_.insert(users->second.begin(), users->second.end());
    }
  }
}

void Services::erase(const ObjectKey& key) {
  if (const auto service = services_.find(key); service != services_.end()) {
    remove_provider(full_host(key.name, key.namespace_, settings_.cluster_domain), key);
    services_.erase(service);
  } else if (const auto entry = entries_.find(key); entry != entries_.end()) {
    for (const std::string& host : entry->second.hosts) remove_provider(host, key);
    entries_.erase(entry);
  } else if (const auto slice = slice_hosts_.find(key); slice != slice_hosts_.end()) {
    auto& slices = slices_[slice->second];
    slices.erase(key.name);
    touched_.insert(slice->second);
    if (slices.empty()) slices_.erase(slice->second);
    slice_hosts_.erase(slice);
  } else if (const auto rule = rules_.find(key); rule != rules_.end()) {
    const std::string host = full_host(rule->second.host, key.namespace_, settings_.cluster_domain);
    const auto list = rules_by_host_.find(key.namespace_ + "/" + host);
    std::erase(list->second, &rule->second);
    if (list->second.empty()) rules_by_host_.erase(list);
    touched_.insert(host);
    rules_.erase(rule);
  } else if (key.kind == "Secret") {
    const std::string name = key.namespace_ + "/" + key.name;
    if (secrets_.erase(name) == 0) return;
    if (const auto users = secret_users_.find(name); users != secret_users_.end()) {
      touched_.insert(users->second.begin(), users->second.end());
    }
  }
}

void Services::set_addresses(std::string_view name, std::vector<std::string> addresses) {
  auto& known = addresses_[std::string(name)];
  if (known == addresses) return;
  known = std::move(addresses);
  for (const auto& [key, entry] : entries_) {
    if (!entry.resolution.starts_with("DNS")) continue;
    const bool names_it =
        std::any_of(entry.endpoints.begin(), entry.endpoints.end(),
                    [&](const auto& each) { return each.address == name; }) ||
        (entry.endpoints.empty() &&
         std::find(entry.hosts.begin(), entry.hosts.end(), name) != entry.hosts.end());
    if (names_it) touched_.insert(entry.hosts.begin(), entry.hosts.end());
  }
}

std::vector<std::string> Services::names_to_resolve() const {
  std::set<std::string> names;
  for (const auto& [key, entry] : entries_) {
    if (!entry.resolution.starts_with("DNS")) continue;
    for (const auto& each : entry.endpoints) names.insert(each.address);
    if (entry.endpoints.empty()) names.insert(entry.hosts.begin(), entry.hosts.end());
  }
  return {names.begin(), names.end()};
}

const std::vector<resource::ServicePort>& Services::ports_of(const Provider& provider) const {
  return provider.is_entry ? entries_.at(provider.key).ports : services_.at(provider.key).ports;
}

bool Services::is_visible(const Provider& provider) const {
  const auto& export_to = provider.is_entry ? entries_.at(provider.key).export_to
                                            : services_.at(provider.key).export_to;
  return is_exported(export_to, provider.ns, settings_.gateway_namespace);
}

Services::Found Services::find_port(std::string_view host, std::uint16_t port) const {
  const auto found = hosts_.find(std::string(host));
  if (found == hosts_.end()) return {};
  for (const Provider& provider : found->second) {
    if (!is_visible(provider)) continue;
    for (const resource::ServicePort& each : ports_of(provider)) {
      if (each.port == port) return {&provider, &each, nullptr};
    }
  }
  return {};
}

std::uint16_t Services::only_port(std::string_view host) const {
  const auto found = hosts_.find(std::string(host));
  if (found == hosts_.end()) return 0;
  for (const Provider& provider : found->second) {
    if (!is_visible(provider)) continue;
    const auto& ports = ports_of(provider);
    return ports.size() == 1 ? ports[0].port : std::uint16_t{0};
  }
  return 0;
}

// The exact host first, then wildcards, longest first.
bool Services::find_policy_in(std::string_view ns, std::string_view host, bool only_private,
                              Policy& found) const {
  const auto take = [&](std::string_view name) {
    const auto list = rules_by_host_.find(std::string(ns) + "/" + std::string(name));
    if (list == rules_by_host_.end()) return false;
    bool any = false;
    for (const resource::DestinationRule* rule : list->second) {
      const bool is_private = rule->export_to.size() == 1 && rule->export_to[0] == ".";
      if (only_private && !is_private) continue;
      if (!only_private && !is_exported(rule->export_to, ns, settings_.gateway_namespace)) continue;
      any = true;
      if (found.policy == nullptr) found.policy = rule->policy;
      for (const resource::Subset& subset : rule->subsets) {
        const bool is_known =
            std::any_of(found.subsets.begin(), found.subsets.end(),
                        [&](const auto* each) { return each->name == subset.name; });
        if (!is_known) found.subsets.push_back(&subset);
      }
    }
    if (any) found.ns = ns;
    return any;
  };
  if (take(host)) return true;
  for (std::size_t dot = host.find('.'); dot != std::string_view::npos;
       dot = host.find('.', dot + 1)) {
    if (take("*" + std::string(host.substr(dot)))) return true;
  }
  return take("*");
}

Services::Policy Services::find_policy(std::string_view host, std::string_view service_ns) const {
  Policy found;
  const std::string& gateway_ns = settings_.gateway_namespace;
  const bool is_root = gateway_ns == settings_.root_namespace;
  if (find_policy_in(gateway_ns, host, is_root, found)) return found;
  if (find_policy_in(service_ns, host, false, found)) return found;
  find_policy_in(settings_.root_namespace, host, false, found);
  return found;
}

const resource::Secret* Services::find_secret(std::string_view ns, std::string_view name) const {
  const auto found = secrets_.find(std::string(ns) + "/" + std::string(name));
  return found == secrets_.end() ? nullptr : &found->second;
}

std::string Services::nearest_host(std::string_view host) const {
  std::vector<std::string_view> names;
  for (const auto& [name, providers] : hosts_) names.push_back(name);
  std::sort(names.begin(), names.end());
  return std::string(nearest(host, names));
}

std::string Services::why_absent(const ClusterKey& key) const {
  const auto found = hosts_.find(key.host);
  if (found == hosts_.end()) return "there is no Service or ServiceEntry for host " + key.host;
  const bool any_visible = std::any_of(found->second.begin(), found->second.end(),
                                       [&](const Provider& each) { return is_visible(each); });
  if (!any_visible) return "exportTo of " + key.host + " hides it from the gateway";
  const Found port = find_port(key.host, key.port);
  if (port.port == nullptr) {
    return "service " + key.host + " has no port " + std::to_string(key.port);
  }
  if (key.subset.empty()) return {};
  const Policy policy = find_policy(key.host, port.provider->ns);
  const bool has_subset = std::any_of(policy.subsets.begin(), policy.subsets.end(),
                                      [&](const auto* each) { return each->name == key.subset; });
  if (has_subset) return {};
  return "no DestinationRule for host " + key.host + " has a subset " + key.subset;
}

}  // namespace sluice::compile
