// The hashes of a path and of all its beginnings that end in '/', in one pass.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice::route {

// Hashes a path piece by piece, each up to and with its '/', so that one pass over a request's path
// gives the hashes of all its prefixes that end in '/'. Callers choose what is hashed, but gain
// nothing from two paths of one hash: what is found is compared, and is one.
class PathHash {
 public:
  explicit PathHash(std::string_view path) noexcept : path_(path) {}
  std::uint64_t value() const noexcept { return hash_; }
  std::size_t position() const noexcept { return at_; }  // how much of the path is in it
  bool at_end() const noexcept { return at_ == path_.size(); }

  // Takes the next piece. False: it is the last, without '/'.
  bool next() noexcept {
    while (!at_end()) {
      std::uint64_t word = load();
      const std::uint64_t other = word ^ (kOnes * '/');
      // The lowest bit set is in the first byte that is '/'.
      const std::uint64_t slashes = (other - kOnes) & ~other & (kOnes << 7U);
      if (slashes != 0) {
        const auto bits = static_cast<unsigned>(std::countr_zero(slashes)) + 1;  // 8 to 64
        word &= ~std::uint64_t{0} >> (64U - bits);
        at_ += bits / 8;
        hash_ = fold(hash_ ^ word, kOdd);
        return true;
      }
      hash_ = fold(hash_ ^ word, kOdd ^ kOnes);
      at_ += std::min(sizeof word, path_.size() - at_);
    }
    return false;
  }

 private:
  static constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  static constexpr std::uint64_t kOdd = 0xa0761d6478bd642fULL;
  static_assert(std::endian::native == std::endian::little, "the first byte is the lowest");

  static std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
  }

  // Eight bytes, zeros behind the path's end; reads nothing outside it.
  std::uint64_t load() const noexcept {
    std::uint64_t word = 0;
    const std::size_t left = path_.size() - at_;
    if (left >= sizeof word) {
      std::memcpy(&word, path_.data() + at_, sizeof word);
    } else if (path_.size() >= sizeof word) {
      std::memcpy(&word, path_.data() + path_.size() - sizeof word, sizeof word);
      word >>= 8 * (sizeof word - left);
    } else {
      std::memcpy(&word, path_.data() + at_, left);
    }
    return word;
  }

  std::string_view path_;
  std::size_t at_ = 0;
  std::uint64_t hash_ = 0x9e3779b97f4a7c15ULL;
};

}  // namespace sluice::route
