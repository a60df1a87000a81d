// Rules of one virtual host by what their uri asks for: literal paths by hash where that can be
// (exact ones, and prefixes that end in '/'), else in a radix tree; another tree of those that
// ignore case; and a list of the rest (regular expressions, no uri) in order.
// Persistent: a copy is a few pointers; add and remove change this copy alone, at the cost of a
// path of nodes.
#pragma once

#include <memory>
#include <vector>

#include "route/entries.h"
#include "route/literal_index.h"

namespace sluice::route {

class PathIndex {
 public:
  PathIndex() = default;
  bool empty() const noexcept;
  void add(Entry entry);
  void remove(const PlacedRule& rule);
  // `best` becomes the first rule in order that accepts, if that is before `best`. No allocation.
  void improve(const RequestHead& request, Best& best) const noexcept;
  void collect(std::vector<PlacedRule>& into) const;

  struct Node;

 private:
  bool add_hashed(const Entry& entry);         // false: the tree has to take it
  bool remove_hashed(const PlacedRule& rule);  // false: it is in the tree
  void set_others(Entries entries);

  Best first_;  // of others_: mostly the one there is, so that a look-up goes straight to it
  std::shared_ptr<const LiteralIndex> hashed_;
  std::shared_ptr<const Node> literal_;
  std::shared_ptr<const Node> ignoring_case_;  // labels in lower case
  std::shared_ptr<const Entries> others_;
};

}  // namespace sluice::route
