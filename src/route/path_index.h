// Rules of one virtual host by what their uri asks for: a radix tree over literal paths, another
// one over those that ignore case, and a list of the rest (regular expressions, no uri) in order.
// Persistent: a copy is three pointers; add and remove change this copy alone, at the cost of a
// path of nodes.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "route/table.h"

namespace sluice::route {

using Entry = std::shared_ptr<const PlacedRule>;

// The law's order. Integers first: names are compared on ties alone.
bool comes_before(const RuleOrder& a, const RuleOrder& b) noexcept;

class PathIndex {
 public:
  PathIndex() = default;
  bool empty() const noexcept;
  void add(Entry entry);
  void remove(const PlacedRule& rule);
  // `best` becomes the first rule in order that accepts, if that is before `best`. No allocation.
  void improve(const RequestHead& request, const PlacedRule*& best) const noexcept;
  void collect(std::vector<PlacedRule>& into) const;

  struct Node;

 private:
  std::shared_ptr<const Node> literal_;
  std::shared_ptr<const Node> ignoring_case_;  // labels in lower case
  std::shared_ptr<const std::vector<Entry>> others_;
};

}  // namespace sluice::route
