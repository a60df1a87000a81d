// Rules of a virtual host in the law's order, and the best of those found so far: what the indexes
// of its rules have in common.
#pragma once

#include <memory>
#include <vector>

#include "route/table.h"

namespace sluice::route {

using Entry = std::shared_ptr<const PlacedRule>;
using Entries = std::vector<Entry>;  // in order

// The law's order. Integers first: names are compared on ties alone.
bool comes_before(const RuleOrder& a, const RuleOrder& b) noexcept;

void insert_entry(Entries& entries, Entry entry);
// False: none of that order is there.
bool try_erase_entry(Entries& entries, const RuleOrder& order);
// REQUIRES: one of that order is there.
void erase_entry(Entries& entries, const RuleOrder& order);

// The first in order of the rules that were found to accept.
struct Best {
  const PlacedRule* placed = nullptr;
  const Rule* rule = nullptr;  // placed->rule, so that nobody has to look there
};

bool is_before(const PlacedRule& rule, const Best& best) noexcept;
// Of rules whose uri accepts: the first that accepts all.
void improve_from(const Entries& entries, const RequestHead& request, Best& best) noexcept;

}  // namespace sluice::route
