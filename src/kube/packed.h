// Documents as one string each: what the caches hold. A tree of a Deployment takes some 25 KB,
// packed it is 2 KB. Places are not kept. Reading back a document costs some microseconds.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "resource/value.h"

namespace sluice::kube {

// The keys of the documents of one cache, each kept once. Thread: any.
// Limits: words_max keys of at most kWordBytesMax bytes; others are packed as they are.
class Words {
 public:
  static constexpr std::size_t kWordBytesMax = 64;
  explicit Words(std::size_t words_max = 4'096) : words_max_(words_max) {}

  std::string pack(const resource::Value& value);
  // REQUIRES: `packed` was made by this very Words.
  resource::Value unpack(std::string_view packed) const;
  std::size_t size() const;

 private:
  struct Packer;
  struct Unpacker;
  const std::size_t words_max_;
  mutable std::shared_mutex mutex_;  // guards what follows
  std::deque<std::string> words_;    // by number; never moved
  struct Hash {
    std::size_t operator()(std::string_view word) const noexcept;
  };
  std::unordered_map<std::string_view, std::uint32_t, Hash> numbers_;
};

}  // namespace sluice::kube
