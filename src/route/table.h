// Hosts, and the ordered rules of each: the law of routing, indexed.
//
// Law: exact host, else the longest matching "*.suffix", else "*". Only that one virtual host is
// asked. Within it rules in order, catch-alls last; the first whose match accepts the request is
// used. The index finds exactly what a scan of `rules()` in order would (table_test.cc holds the
// two together on random tables).
//
// Thread: any; immutable. Lookup never allocates and never fails.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "route/match.h"
#include "route/rule.h"

namespace sluice::route {

// Where a rule stands among all of its virtual host. Smaller is tried first.
struct RuleOrder {
  bool catch_all = false;    // behind all that are not
  std::uint64_t server = 0;  // rank of the Gateway server it came through
  std::int64_t created = 0;  // of its VirtualService, seconds since 1970
  std::string name;          // ties by name, then namespace
  std::string namespace_;
  std::uint32_t index = 0;  // within the VirtualService: rules in order, a rule's matches in order
  auto operator<=>(const RuleOrder&) const = default;
};

struct PlacedRule {
  RuleOrder order;
  std::shared_ptr<const Rule> rule;
};

// One host name and its rules.
class VirtualHost {
 public:
  const std::string& name() const noexcept;  // "models.example.com", "*.example.com", "*"
  bool https_redirect() const noexcept;      // 301 to https for whatever comes
  const Rule* find(const RequestHead& request) const noexcept;
  // In order. Costs a walk over everything: for explain, tests and listings.
  std::vector<PlacedRule> rules() const;

  VirtualHost(VirtualHost&&) noexcept;
  ~VirtualHost();

 private:
  friend class RouteTableBuilder;
  struct Impl;
  explicit VirtualHost(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

class RouteTable {
 public:
  // nullptr: no virtual host takes this name (404). `host` in lower case, without port.
  const VirtualHost* host_for(std::string_view host) const noexcept;
  // nullptr: no route. The same as host_for(...)->find(...).
  const Rule* find(const RequestHead& request) const noexcept;
  std::vector<const VirtualHost*> hosts() const;  // for explain and listings

  ~RouteTable();

 private:
  friend class RouteTableBuilder;
  struct Impl;
  explicit RouteTable(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

// Makes the next table from the one before. Control thread. Cost of add and remove: that of the
// rule, whatever the size of the table (persistent structures: hash tries over hosts, literal paths
// and exact header pairs, a radix tree over other prefixes).
class RouteTableBuilder {
 public:
  RouteTableBuilder();  // an empty table
  explicit RouteTableBuilder(const RouteTable& before);
  ~RouteTableBuilder();

  // REQUIRES: no rule of that order is in that host.
  void add(std::string_view host, PlacedRule rule);
  // REQUIRES: this rule was added to that host in that order. The host goes when its last rule and
  // its redirect go.
  void remove(std::string_view host, const PlacedRule& rule);
  void set_https_redirect(std::string_view host, bool on);
  // Keeps a host without rules alive (a Gateway server's host that no VirtualService uses is not
  // kept: 404 either way).
  std::shared_ptr<const RouteTable> build();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::route
