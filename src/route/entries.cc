#include "route/entries.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace sluice::route {

bool comes_before(const RuleOrder& a, const RuleOrder& b) noexcept {
  if (a.catch_all != b.catch_all) return b.catch_all;
  if (a.server != b.server) return a.server < b.server;
  if (a.created != b.created) return a.created < b.created;
  if (const int names = a.name.compare(b.name); names != 0) return names < 0;
  if (const int spaces = a.namespace_.compare(b.namespace_); spaces != 0) return spaces < 0;
  return a.index < b.index;
}

void insert_entry(Entries& entries, Entry entry) {
  const auto at = std::upper_bound(
      entries.begin(), entries.end(), entry,
      [](const Entry& a, const Entry& b) { return comes_before(a->order, b->order); });
  entries.insert(at, std::move(entry));
}

bool try_erase_entry(Entries& entries, const RuleOrder& order) {
  const auto at = std::lower_bound(
      entries.begin(), entries.end(), order,
      [](const Entry& a, const RuleOrder& b) { return comes_before(a->order, b); });
  if (at == entries.end() || (*at)->order != order) return false;
  entries.erase(at);
  return true;
}

void erase_entry(Entries& entries, const RuleOrder& order) {
  const bool erased = try_erase_entry(entries, order);
  SLUICE_ASSERT(erased);
}

bool is_before(const PlacedRule& rule, const Best& best) noexcept {
  return best.placed == nullptr || comes_before(rule.order, best.placed->order);
}

void improve_from(const Entries& entries, const RequestHead& request, Best& best) noexcept {
  for (const Entry& entry : entries) {
    if (!is_before(*entry, best)) return;  // nor is any behind it
    if (!entry->rule->match.accepts_but_uri(request)) continue;
    best = {entry.get(), entry->rule.get()};
    return;
  }
}

}  // namespace sluice::route
