// Bytes that were read and not used yet, in one piece. Memory is kept between requests up to a
// bound.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "base/limits.h"

namespace sluice::executor {

class Inbox {
 public:
  static constexpr std::size_t kBytes = 16U << 10U;
  // The longest head and some of a body behind it.
  static constexpr std::size_t kBytesMax = limits::kResponseHeadBytesMax + kBytes;
  static_assert(kBytesMax > limits::kRequestHeadBytesMax);

  std::span<char> bytes() noexcept { return {data_.data() + begin_, end_ - begin_}; }
  std::string_view text() const noexcept { return {data_.data() + begin_, end_ - begin_}; }
  bool empty() const noexcept { return begin_ == end_; }
  void drop(std::size_t size) noexcept { begin_ += size; }

  // Room for at least one byte; false: kBytesMax are waiting already. Bytes may move.
  bool make_room() {
    if (empty()) begin_ = end_ = 0;
    if (end_ < data_.size()) return true;
    if (begin_ > 0) {
      std::memmove(data_.data(), data_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
      return true;
    }
    if (data_.size() >= kBytesMax) return false;
    data_.resize(data_.empty() ? kBytes : kBytesMax);
    return true;
  }
  char* tail() noexcept { return data_.data() + end_; }
  std::size_t room() const noexcept { return data_.size() - end_; }
  void add(std::size_t size) noexcept { end_ += size; }

 private:
  std::vector<char> data_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace sluice::executor
