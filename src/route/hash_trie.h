// A persistent map from 64-bit hashes to buckets: setting one makes a new map that shares all but
// the path to it (at most 13 nodes of at most 32 slots). What keys are, and what to do when two of
// them have one hash, is the bucket's business.
// Thread: any; immutable but for `set`, which changes this map and no copy of it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace sluice::route {

template <class Bucket>
class HashTrie {
 public:
  bool empty() const noexcept { return root_ == nullptr; }

  // nullptr: nothing with that hash. No allocation.
  const Bucket* find(std::uint64_t hash) const noexcept {
    const Node* node = root_.get();
    for (unsigned shift = 0; node != nullptr; shift += kBits) {
      const std::uint32_t bit = bit_of(hash, shift);
      if ((node->present & bit) == 0) return nullptr;
      const Slot& slot = node->slots[index_of(*node, bit)];
      if (slot.node == nullptr) return slot.hash == hash ? slot.bucket.get() : nullptr;
      node = slot.node.get();
    }
    return nullptr;
  }

  // nullptr erases.
  void set(std::uint64_t hash, std::shared_ptr<const Bucket> bucket) {
    root_ = bucket == nullptr ? without(root_, hash, 0) : with(root_, hash, std::move(bucket), 0);
  }

  template <class Function>
  void for_each(Function&& function) const {
    visit(root_.get(), function);
  }

 private:
  static constexpr unsigned kBits = 5;
  struct Node;
  struct Slot {
    std::uint64_t hash = 0;
    std::shared_ptr<const Bucket> bucket;  // one of the two is set
    std::shared_ptr<const Node> node;
  };
  struct Node {
    std::uint32_t present = 0;
    std::vector<Slot> slots;
  };

  static std::uint32_t bit_of(std::uint64_t hash, unsigned shift) noexcept {
    return 1U << (hash >> shift & 31U);
  }
  static std::size_t index_of(const Node& node, std::uint32_t bit) noexcept {
    return static_cast<std::size_t>(std::popcount(node.present & (bit - 1)));
  }

  static std::shared_ptr<const Node> with(const std::shared_ptr<const Node>& node,
                                          std::uint64_t hash, std::shared_ptr<const Bucket> bucket,
                                          unsigned shift) {
    auto made = node == nullptr ? std::make_shared<Node>() : std::make_shared<Node>(*node);
    const std::uint32_t bit = bit_of(hash, shift);
    const std::size_t index = index_of(*made, bit);
    if ((made->present & bit) == 0) {
      made->present |= bit;
      made->slots.insert(made->slots.begin() + static_cast<std::ptrdiff_t>(index),
                         Slot{hash, std::move(bucket), nullptr});
      return made;
    }
    Slot& slot = made->slots[index];
    if (slot.node != nullptr) {
      slot.node = with(slot.node, hash, std::move(bucket), shift + kBits);
    } else if (slot.hash == hash) {
      slot.bucket = std::move(bucket);
    } else {  // two hashes that agree so far: one level deeper
      auto below = with(nullptr, slot.hash, std::move(slot.bucket), shift + kBits);
      slot = Slot{0, nullptr, with(below, hash, std::move(bucket), shift + kBits)};
    }
    return made;
  }

  static std::shared_ptr<const Node> without(const std::shared_ptr<const Node>& node,
                                             std::uint64_t hash, unsigned shift) {
    if (node == nullptr) return node;
    const std::uint32_t bit = bit_of(hash, shift);
    if ((node->present & bit) == 0) return node;
    const std::size_t index = index_of(*node, bit);
    const Slot& slot = node->slots[index];
    std::shared_ptr<const Node> below;
    if (slot.node == nullptr) {
      if (slot.hash != hash) return node;
    } else {
      below = without(slot.node, hash, shift + kBits);
      if (below == slot.node) return node;
    }
    if (below == nullptr && node->slots.size() == 1) return nullptr;
    auto made = std::make_shared<Node>(*node);
    if (below != nullptr) {
      made->slots[index].node = std::move(below);
    } else {
      made->present &= ~bit;
      made->slots.erase(made->slots.begin() + static_cast<std::ptrdiff_t>(index));
    }
    return made;
  }

  template <class Function>
  static void visit(const Node* node, Function& function) {
    if (node == nullptr) return;
    for (const Slot& slot : node->slots) {
      if (slot.node != nullptr) {
        visit(slot.node.get(), function);
      } else {
        function(*slot.bucket);
      }
    }
  }

  std::shared_ptr<const Node> root_;
};

}  // namespace sluice::route
