// A persistent map from 64-bit hashes to buckets: setting one makes a new map that shares all but
// the path to it (at most 13 nodes of at most 32 slots). What keys are, and what to do when two of
// them have one hash, is the bucket's business. The slot that leads to a node tells what is in it,
// so that a look-up touches one slot of each node and nothing else.
// Thread: any; immutable but for `set`, which changes this map and no copy of it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace sluice::route {

template <class Bucket>
class HashTrie {
 public:
  bool empty() const noexcept { return root_.of == nullptr; }

  // nullptr: nothing with that hash. No allocation.
  const Bucket* find(std::uint64_t hash) const noexcept {
    const Slot* node = &root_;
    for (unsigned shift = 0;; shift += kBits) {
      const std::uint32_t bit = bit_of(hash, shift);
      if ((present(*node) & bit) == 0) return nullptr;
      const Slot& slot = slots(*node)[index_of(*node, bit)];
      if ((deeper(*node) & bit) == 0) return slot.word == hash ? bucket(slot) : nullptr;
      node = &slot;
    }
  }

  // nullptr erases.
  void set(std::uint64_t hash, std::shared_ptr<const Bucket> bucket) {
    root_ = bucket == nullptr ? without(root_, hash, 0) : with(root_, hash, std::move(bucket), 0);
  }

  template <class Function>
  void for_each(Function&& function) const {
    visit(root_, function);
  }

 private:
  static constexpr unsigned kBits = 5;
  // A bucket and its hash; or a node, an array of slots in order of the hash's bits at its level,
  // and two sets of those bits: which of them have a slot, and whose slot is a node.
  struct Slot {
    std::uint64_t word = 0;          // the hash; or `deeper` over `present`
    std::shared_ptr<const void> of;  // const Bucket; or const Slot[]
  };

  static std::uint32_t present(const Slot& node) noexcept {
    return static_cast<std::uint32_t>(node.word);
  }
  static std::uint32_t deeper(const Slot& node) noexcept {
    return static_cast<std::uint32_t>(node.word >> 32U);
  }
  static const Slot* slots(const Slot& node) noexcept {
    return static_cast<const Slot*>(node.of.get());
  }
  static const Bucket* bucket(const Slot& slot) noexcept {
    return static_cast<const Bucket*>(slot.of.get());
  }
  static std::uint32_t bit_of(std::uint64_t hash, unsigned shift) noexcept {
    return 1U << (hash >> shift & 31U);
  }
  static std::size_t index_of(const Slot& node, std::uint32_t bit) noexcept {
    return static_cast<std::size_t>(std::popcount(present(node) & (bit - 1)));
  }
  static std::size_t size_of(const Slot& node) noexcept {
    return static_cast<std::size_t>(std::popcount(present(node)));
  }

  // The node with that slot for that bit, in the place of the one that it has.
  static Slot with_slot(const Slot& node, std::uint32_t bit, Slot slot, bool is_node) {
    const bool is_new = (present(node) & bit) == 0;
    const std::size_t size = size_of(node);
    const std::size_t index = index_of(node, bit);
    const auto made = std::make_shared<Slot[]>(size + (is_new ? 1 : 0));
    const Slot* from = slots(node);
    std::copy(from, from + index, made.get());
    std::copy(from + index + (is_new ? 0 : 1), from + size, made.get() + index + 1);
    made[index] = std::move(slot);
    const std::uint32_t deep = is_node ? deeper(node) | bit : deeper(node) & ~bit;
    return node_of(present(node) | bit, deep, made);
  }

  static Slot without_slot(const Slot& node, std::uint32_t bit) {
    const std::size_t size = size_of(node);
    if (size == 1) return {};
    const std::size_t index = index_of(node, bit);
    const auto made = std::make_shared<Slot[]>(size - 1);
    std::copy(slots(node), slots(node) + index, made.get());
    std::copy(slots(node) + index + 1, slots(node) + size, made.get() + index);
    return node_of(present(node) & ~bit, deeper(node) & ~bit, made);
  }

  static Slot node_of(std::uint32_t present, std::uint32_t deeper,
                      const std::shared_ptr<Slot[]>& slots) {
    return {std::uint64_t{deeper} << 32U | present,
            std::shared_ptr<const void>(slots, slots.get())};
  }

  static Slot with(const Slot& node, std::uint64_t hash, std::shared_ptr<const Bucket> bucket,
                   unsigned shift) {
    const std::uint32_t bit = bit_of(hash, shift);
    if ((present(node) & bit) == 0) return with_slot(node, bit, {hash, std::move(bucket)}, false);
    const Slot& slot = slots(node)[index_of(node, bit)];
    if ((deeper(node) & bit) != 0) {
      return with_slot(node, bit, with(slot, hash, std::move(bucket), shift + kBits), true);
    }
    if (slot.word == hash) return with_slot(node, bit, {hash, std::move(bucket)}, false);
    // Two hashes that agree so far: one level deeper.
    const Slot below = with_slot({}, bit_of(slot.word, shift + kBits), slot, false);
    return with_slot(node, bit, with(below, hash, std::move(bucket), shift + kBits), true);
  }

  static Slot without(const Slot& node, std::uint64_t hash, unsigned shift) {
    const std::uint32_t bit = bit_of(hash, shift);
    if ((present(node) & bit) == 0) return node;
    const Slot& slot = slots(node)[index_of(node, bit)];
    if ((deeper(node) & bit) == 0) return slot.word == hash ? without_slot(node, bit) : node;
    Slot below = without(slot, hash, shift + kBits);
    if (below.of == nullptr) return without_slot(node, bit);
    return below.of == slot.of ? node : with_slot(node, bit, std::move(below), true);
  }

  template <class Function>
  static void visit(const Slot& node, Function& function) {
    for (std::size_t i = 0, bits = present(node); bits != 0; ++i, bits &= bits - 1) {
      const Slot& slot = slots(node)[i];
      if ((deeper(node) & bits & -bits) != 0) {
        visit(slot, function);
      } else {
        function(*bucket(slot));
      }
    }
  }

  Slot root_;  // a node
};

}  // namespace sluice::route
