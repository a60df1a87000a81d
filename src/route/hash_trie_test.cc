#include "route/hash_trie.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "base/random.h"

namespace sluice::route {
namespace {

using Twin = std::map<std::uint64_t, int>;

void expect_equal(const HashTrie<int>& trie, const Twin& twin,
                  const std::vector<std::uint64_t>& hashes) {
  for (const std::uint64_t hash : hashes) {
    const int* found = trie.find(hash);
    const auto wanted = twin.find(hash);
    ASSERT_EQ(found != nullptr, wanted != twin.end()) << hash;
    if (found == nullptr) continue;
    ASSERT_EQ(*found, wanted->second) << hash;
  }
  std::multiset<int> all;
  trie.for_each([&](int each) { all.insert(each); });
  std::multiset<int> wanted;
  for (const auto& [hash, value] : twin) wanted.insert(value);
  ASSERT_EQ(all, wanted);
  ASSERT_EQ(trie.empty(), twin.empty());
}

// Goal: a trie is a map, through changes, at every depth; older copies stay as they were. Method:
// random steps over hashes that agree in their low bits, up to all but the highest; naive twins.
TEST(HashTrieProperty, equals_a_map_through_changes) {
  for (const unsigned agreed : {0U, 5U, 31U, 60U, 63U}) {
    Random random(agreed + 1);
    std::vector<std::uint64_t> hashes;
    for (int i = 0; i < 300; ++i) {
      hashes.push_back(i % 2 == 0 ? random.next() : (random.next() << agreed) | (i & 1));
    }
    HashTrie<int> trie;
    Twin twin;
    std::vector<std::pair<HashTrie<int>, Twin>> kept;
    for (int step = 0; step < 3000; ++step) {
      const std::uint64_t hash = hashes[random.below(300)];
      // Grows at first, shrinks later.
      if (random.below(3000) < static_cast<std::uint32_t>(step)) {
        trie.set(hash, nullptr);
        twin.erase(hash);
      } else {
        trie.set(hash, std::make_shared<const int>(step));
        twin[hash] = step;
      }
      if (step % 100 == 0) kept.emplace_back(trie, twin);
    }
    kept.emplace_back(trie, twin);
    for (const std::uint64_t hash : hashes) trie.set(hash, nullptr);
    EXPECT_TRUE(trie.empty());
    for (const auto& [each, its_twin] : kept) {
      ASSERT_NO_FATAL_FAILURE(expect_equal(each, its_twin, hashes)) << agreed;
    }
  }
}

}  // namespace
}  // namespace sluice::route
