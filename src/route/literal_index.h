// Rules of one virtual host by the hash of the literal path that their uri asks for: exact ones,
// and prefixes that end in '/'. Two paths of one hash do not both get in; the caller has another
// place for the later one. What a look-up needs lies together: the slots of the trie that lead to a
// path and the path's own two cache lines, then the rule. Thread: any; immutable but for `add` and
// `remove`, which change this copy alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "route/entries.h"
#include "route/hash_trie.h"

namespace sluice::route {

class LiteralIndex {
 public:
  // Where a rule goes by what its uri asks for.
  struct Place {
    bool is_exact = false;
    std::uint64_t hash = 0;
    std::size_t end = 0;  // slashes - 1, of a prefix
  };
  // nullopt: a prefix that this index is not for.
  static std::optional<Place> place_of(const StringMatch& uri);

  bool empty() const noexcept { return exact_.empty() && prefix_.empty(); }
  bool add(const Place& place, const Entry& entry);         // false: another path has the hash
  bool remove(const Place& place, const PlacedRule& rule);  // false: it is not here
  void improve(const RequestHead& request, Best& best) const noexcept;
  void collect(std::vector<PlacedRule>& into) const;

  struct SamePath;

 private:
  // A look-up probes after each '/' of the path at most, and only after those in whose place a rule
  // ends: that of all of Seldon's, "/seldon/models/iris/", after the fourth alone.
  static constexpr std::size_t kSlashesMax = 32;

  HashTrie<SamePath>& of(const Place& place) { return place.is_exact ? exact_ : prefix_; }

  HashTrie<SamePath> exact_;
  HashTrie<SamePath> prefix_;
  std::uint32_t ends_ = 0;                               // bit i: of a path with i + 1 slashes
  std::array<std::uint32_t, kSlashesMax> end_counts_{};  // how many paths have so many
};

}  // namespace sluice::route
