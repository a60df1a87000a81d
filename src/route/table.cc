#include "route/table.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "route/hash_trie.h"
#include "route/path_index.h"

namespace sluice::route {
namespace {

std::uint64_t hash_of(std::string_view text) noexcept {
  return std::hash<std::string_view>{}(text);
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  a ^= b + 0x9e3779b97f4a7c15ULL + (a << 12U) + (a >> 4U);
  a *= 0xff51afd7ed558ccdULL;
  return a ^ (a >> 32U);
}

// Rules that want certain headers to have certain values exactly are found by the hash of those
// values. Which headers: one or two of those that the rule wants, always the same ones for the
// same names.
struct HeaderNames {
  std::string first;
  std::string second;  // "": one alone
  auto operator<=>(const HeaderNames&) const = default;
};

// Rules with the same hash. Unequal values may share it; the rules' own matches tell.
struct HeaderGroup {
  HeaderNames names;
  HashTrie<PathIndex> rules;
};

const HeaderMatch* exact_header(const Match& match, std::string_view name) {
  for (const HeaderMatch& each : match.headers) {
    if (each.name == name && each.value.kind == StringMatch::Kind::kExact &&
        !each.value.ignore_case) {
      return &each;
    }
  }
  return nullptr;
}

// A pair that tells deployments apart is better than one that all have: Seldon's own first, then
// by name. No first name: not to be indexed this way.
HeaderNames header_names(const Match& match) {
  if (exact_header(match, "seldon") != nullptr && exact_header(match, "namespace") != nullptr) {
    return {"seldon", "namespace"};
  }
  std::vector<std::string> names;
  for (const HeaderMatch& each : match.headers) {
    if (exact_header(match, each.name) == &each) names.push_back(each.name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  names.resize(2);
  return {names[0], names[1]};
}

std::uint64_t header_hash(const Match& match, const HeaderNames& names) {
  const std::uint64_t first = hash_of(exact_header(match, names.first)->value.text);
  return names.second.empty() ? first
                              : mix(first, hash_of(exact_header(match, names.second)->value.text));
}

void improve_from_group(const HeaderGroup& group, const RequestHead& request, Best& best) noexcept {
  const auto look_up = [&](std::uint64_t hash) {
    if (const PathIndex* found = group.rules.find(hash)) found->improve(request, best);
  };
  // Of several headers of one name each may be the one that matches.
  for (const Field& first : request.fields) {
    if (first.name != group.names.first) continue;
    if (group.names.second.empty()) {
      look_up(hash_of(first.value));
      continue;
    }
    for (const Field& second : request.fields) {
      if (second.name != group.names.second) continue;
      look_up(mix(hash_of(first.value), hash_of(second.value)));
    }
  }
}

}  // namespace

struct VirtualHost::Impl {
  std::string name;
  bool https_redirect = false;
  std::size_t rule_count = 0;
  PathIndex rules;                  // that want no header exactly
  std::vector<HeaderGroup> groups;  // few: one for each set of names

  void add(PlacedRule rule) {
    ++rule_count;
    const HeaderNames names = header_names(rule.rule->match);
    auto entry = std::make_shared<const PlacedRule>(std::move(rule));
    if (names.first.empty()) {
      rules.add(std::move(entry));
      return;
    }
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const HeaderGroup& each) { return each.names == names; });
    if (group == groups.end()) group = groups.insert(groups.end(), HeaderGroup{names, {}});
    const std::uint64_t hash = header_hash(entry->rule->match, names);
    const PathIndex* before = group->rules.find(hash);
    auto made =
        before == nullptr ? std::make_shared<PathIndex>() : std::make_shared<PathIndex>(*before);
    made->add(std::move(entry));
    group->rules.set(hash, std::move(made));
  }

  void remove(const PlacedRule& rule) {
    --rule_count;
    const HeaderNames names = header_names(rule.rule->match);
    if (names.first.empty()) {
      rules.remove(rule);
      return;
    }
    const auto group = std::find_if(groups.begin(), groups.end(),
                                    [&](const HeaderGroup& each) { return each.names == names; });
    const std::uint64_t hash = header_hash(rule.rule->match, names);
    auto made = std::make_shared<PathIndex>(*group->rules.find(hash));
    made->remove(rule);
    group->rules.set(hash, made->empty() ? nullptr : std::move(made));
    if (group->rules.empty()) groups.erase(group);
  }
};

VirtualHost::VirtualHost(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
VirtualHost::VirtualHost(VirtualHost&&) noexcept = default;
VirtualHost::~VirtualHost() = default;
const std::string& VirtualHost::name() const noexcept { return impl_->name; }
bool VirtualHost::https_redirect() const noexcept { return impl_->https_redirect; }

std::vector<PlacedRule> VirtualHost::rules() const {
  std::vector<PlacedRule> all;
  all.reserve(impl_->rule_count);
  impl_->rules.collect(all);
  for (const HeaderGroup& group : impl_->groups) {
    group.rules.for_each([&](const PathIndex& each) { each.collect(all); });
  }
  std::sort(all.begin(), all.end(), [](const PlacedRule& a, const PlacedRule& b) {
    return comes_before(a.order, b.order);
  });
  return all;
}

const Rule* VirtualHost::find(const RequestHead& request) const noexcept {
  Best best;
  impl_->rules.improve(request, best);
  for (const HeaderGroup& group : impl_->groups) improve_from_group(group, request, best);
  return best.rule;
}

// Virtual hosts by hash of the name, or of a wildcard's suffix.
struct RouteTable::Impl {
  using Bucket = std::vector<std::shared_ptr<const VirtualHost>>;
  HashTrie<Bucket> exact;      // by name
  HashTrie<Bucket> wildcards;  // by ".suffix"
  // Lengths of those suffixes, longest first, and how many have each: so many look-ups a miss
  // costs.
  std::vector<std::pair<std::size_t, std::size_t>> suffix_lengths;
  std::shared_ptr<const VirtualHost> any;  // "*"

  // `skipped`: bytes of the hosts' names that are no part of the key.
  static const VirtualHost* find(const HashTrie<Bucket>& hosts, std::string_view key,
                                 std::size_t skipped) noexcept {
    const Bucket* bucket = hosts.find(hash_of(key));
    if (bucket == nullptr) return nullptr;
    for (const auto& host : *bucket) {
      if (std::string_view(host->name()).substr(skipped) == key) return host.get();
    }
    return nullptr;
  }

  // nullptr erases.
  void set(std::string_view name, std::shared_ptr<const VirtualHost> host) {
    if (name == "*") {
      any = std::move(host);
      return;
    }
    const bool is_wild = name.starts_with('*');
    const std::string_view key = is_wild ? name.substr(1) : name;
    HashTrie<Bucket>& hosts = is_wild ? wildcards : exact;
    const Bucket* before = hosts.find(hash_of(key));
    auto made = before == nullptr ? std::make_shared<Bucket>() : std::make_shared<Bucket>(*before);
    const std::size_t erased =
        std::erase_if(*made, [&](const auto& each) { return each->name() == name; });
    const bool is_there = host != nullptr;
    if (is_there) made->push_back(std::move(host));
    hosts.set(hash_of(key), made->empty() ? nullptr : std::move(made));
    if (is_wild) count_length(key.size(), is_there, erased > 0);
  }

  void count_length(std::size_t length, bool is_there, bool was_there) {
    if (is_there == was_there) return;
    auto at = std::find_if(suffix_lengths.begin(), suffix_lengths.end(),
                           [&](const auto& each) { return each.first <= length; });
    if (at == suffix_lengths.end() || at->first != length) {
      at = suffix_lengths.insert(at, {length, 0});
    }
    at->second += is_there ? 1 : std::size_t(-1);
    if (at->second == 0) suffix_lengths.erase(at);
  }

  const VirtualHost* find_exactly(std::string_view name) const noexcept {
    if (name == "*") return any.get();
    return name.starts_with('*') ? find(wildcards, name.substr(1), 1) : find(exact, name, 0);
  }
};

RouteTable::RouteTable(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
RouteTable::~RouteTable() = default;

const VirtualHost* RouteTable::host_for(std::string_view host) const noexcept {
  if (const VirtualHost* found = Impl::find(impl_->exact, host, 0)) return found;
  for (const auto& [length, count] : impl_->suffix_lengths) {
    if (host.size() <= length) continue;
    if (const auto* found = Impl::find(impl_->wildcards, host.substr(host.size() - length), 1)) {
      return found;
    }
  }
  return impl_->any.get();
}

const Rule* RouteTable::find(const RequestHead& request) const noexcept {
  const VirtualHost* host = host_for(request.host);
  return host == nullptr ? nullptr : host->find(request);
}

std::vector<const VirtualHost*> RouteTable::hosts() const {
  std::vector<const VirtualHost*> all;
  for (const auto* hosts : {&impl_->exact, &impl_->wildcards}) {
    hosts->for_each([&](const Impl::Bucket& bucket) {
      for (const auto& host : bucket) all.push_back(host.get());
    });
  }
  if (impl_->any != nullptr) all.push_back(impl_->any.get());
  std::sort(all.begin(), all.end(),
            [](const auto* a, const auto* b) { return a->name() < b->name(); });
  return all;
}

struct RouteTableBuilder::Impl {
  RouteTable::Impl table;
  std::map<std::string, VirtualHost::Impl, std::less<>> changed;  // not yet in `table`

  VirtualHost::Impl& host(std::string_view name) {
    if (const auto found = changed.find(name); found != changed.end()) return found->second;
    const VirtualHost* before = table.find_exactly(name);
    VirtualHost::Impl& made =
        changed.emplace(name, before == nullptr ? VirtualHost::Impl{} : *before->impl_)
            .first->second;
    made.name = name;
    return made;
  }
};

RouteTableBuilder::RouteTableBuilder() : impl_(std::make_unique<Impl>()) {}
RouteTableBuilder::RouteTableBuilder(const RouteTable& before) : RouteTableBuilder() {
  impl_->table = *before.impl_;
}
RouteTableBuilder::~RouteTableBuilder() = default;

void RouteTableBuilder::add(std::string_view host, PlacedRule rule) {
  impl_->host(host).add(std::move(rule));
}

void RouteTableBuilder::remove(std::string_view host, const PlacedRule& rule) {
  impl_->host(host).remove(rule);
}

void RouteTableBuilder::set_https_redirect(std::string_view host, bool on) {
  impl_->host(host).https_redirect = on;
}

std::shared_ptr<const RouteTable> RouteTableBuilder::build() {
  for (auto& [name, host] : impl_->changed) {
    if (host.rule_count == 0 && !host.https_redirect) {
      impl_->table.set(name, nullptr);
      continue;
    }
    auto made = std::make_shared<const VirtualHost::Impl>(std::move(host));
    impl_->table.set(name, std::shared_ptr<const VirtualHost>(new VirtualHost(std::move(made))));
  }
  impl_->changed.clear();
  return std::shared_ptr<const RouteTable>(
      new RouteTable(std::make_shared<const RouteTable::Impl>(impl_->table)));
}

}  // namespace sluice::route
