#include "route/table.h"

#include <algorithm>
#include <map>
#include <utility>

namespace sluice::route {

struct VirtualHost::Impl {
  std::string name;
  bool https_redirect = false;
  std::vector<PlacedRule> rules;  // in order
};

VirtualHost::VirtualHost(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
VirtualHost::VirtualHost(VirtualHost&&) noexcept = default;
VirtualHost::~VirtualHost() = default;
const std::string& VirtualHost::name() const noexcept { return impl_->name; }
bool VirtualHost::https_redirect() const noexcept { return impl_->https_redirect; }
std::vector<PlacedRule> VirtualHost::rules() const { return impl_->rules; }

const Rule* VirtualHost::find(const RequestHead& request) const noexcept {
  for (const PlacedRule& placed : impl_->rules) {
    if (placed.rule->match.accepts(request)) return placed.rule.get();
  }
  return nullptr;
}

struct RouteTable::Impl {
  std::map<std::string, std::shared_ptr<const VirtualHost>, std::less<>> hosts;
};

RouteTable::RouteTable(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
RouteTable::~RouteTable() = default;

const VirtualHost* RouteTable::host_for(std::string_view host) const noexcept {
  const auto& hosts = impl_->hosts;
  if (const auto found = hosts.find(host); found != hosts.end()) return found->second.get();
  const VirtualHost* best = nullptr;
  for (const auto& [name, virtual_host] : hosts) {
    if (name.size() < 2 || name[0] != '*') continue;
    const std::string_view suffix = std::string_view(name).substr(1);
    if (host.size() > suffix.size() && host.ends_with(suffix) &&
        (best == nullptr || best->name().size() < name.size())) {
      best = virtual_host.get();
    }
  }
  if (best != nullptr) return best;
  const auto any = hosts.find("*");
  return any == hosts.end() ? nullptr : any->second.get();
}

const Rule* RouteTable::find(const RequestHead& request) const noexcept {
  const VirtualHost* host = host_for(request.host);
  return host == nullptr ? nullptr : host->find(request);
}

std::vector<const VirtualHost*> RouteTable::hosts() const {
  std::vector<const VirtualHost*> all;
  for (const auto& [name, host] : impl_->hosts) all.push_back(host.get());
  return all;
}

struct RouteTableBuilder::Impl {
  std::map<std::string, VirtualHost::Impl, std::less<>> hosts;
};

RouteTableBuilder::RouteTableBuilder() : impl_(std::make_unique<Impl>()) {}
RouteTableBuilder::~RouteTableBuilder() = default;
RouteTableBuilder::RouteTableBuilder(const RouteTable& before) : RouteTableBuilder() {
  for (const auto& [name, host] : before.impl_->hosts) impl_->hosts.emplace(name, *host->impl_);
}

void RouteTableBuilder::add(std::string_view host, PlacedRule rule) {
  auto& rules = impl_->hosts[std::string(host)].rules;
  const auto at =
      std::upper_bound(rules.begin(), rules.end(), rule,
                       [](const PlacedRule& a, const PlacedRule& b) { return a.order < b.order; });
  rules.insert(at, std::move(rule));
}

void RouteTableBuilder::remove(std::string_view host, const PlacedRule& rule) {
  auto found = impl_->hosts.find(host);
  if (found == impl_->hosts.end()) return;
  std::erase_if(found->second.rules, [&](const PlacedRule& each) { return each.order == rule.order; });
  if (found->second.rules.empty() && !found->second.https_redirect) impl_->hosts.erase(found);
}

void RouteTableBuilder::set_https_redirect(std::string_view host, bool on) {
  auto& found = impl_->hosts[std::string(host)];
  found.https_redirect = on;
  if (found.rules.empty() && !on) impl_->hosts.erase(std::string(host));
}

std::shared_ptr<const RouteTable> RouteTableBuilder::build() {
  auto impl = std::make_shared<RouteTable::Impl>();
  for (auto& [name, host] : impl_->hosts) {
    auto made = std::make_shared<VirtualHost::Impl>(host);
    made->name = name;
    impl->hosts.emplace(name, std::shared_ptr<const VirtualHost>(new VirtualHost(std::move(made))));
  }
  return std::shared_ptr<const RouteTable>(new RouteTable(std::move(impl)));
}

}  // namespace sluice::route
