// Memory that bytes are read into, from a worker's free lists.
// Thread: the worker. Two sizes: what nearly every message fits into, and what the longest allowed
// head and a run of body fit into. No allocation once the lists are warm.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "base/limits.h"

namespace sluice::gateway {

inline constexpr std::size_t kSmallBufferBytes = 16U << 10U;
inline constexpr std::size_t kLargeBufferBytes = 160U << 10U;
static_assert(kLargeBufferBytes >= limits::kResponseHeadBytesMax + (64U << 10U));
static_assert(kLargeBufferBytes >= limits::kRequestHeadBytesMax + (64U << 10U));

class BufferPool {
 public:
  BufferPool() {
    small_.reserve(kKept);
    large_.reserve(kKept);
  }
  ~BufferPool() {
    for (char* each : small_) std::free(each);
    for (char* each : large_) std::free(each);
  }
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  char* take(std::size_t capacity) {
    auto& list = capacity == kSmallBufferBytes ? small_ : large_;
    if (list.empty()) return static_cast<char*>(std::malloc(capacity));
    char* data = list.back();
    list.pop_back();
    return data;
  }
  void give(char* data, std::size_t capacity) noexcept {
    auto& list = capacity == kSmallBufferBytes ? small_ : large_;
    // Few large ones are kept: they are for bulk, where one malloc does not count.
    if (list.size() < (capacity == kSmallBufferBytes ? kKept : kKept / 16)) {
      list.push_back(data);
    } else {
      std::free(data);
    }
  }

 private:
  static constexpr std::size_t kKept = 1024;
  std::vector<char*> small_;
  std::vector<char*> large_;
};

// [begin, end) holds bytes, [end, capacity) is room.
class Buffer {
 public:
  explicit Buffer(BufferPool& pool) noexcept : pool_(&pool) {}
  ~Buffer() { release(); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  // Makes room of at least one byte. False: it is as large as it may get, and full.
  bool make_room() {
    if (data_ == nullptr) {
      capacity_ = kSmallBufferBytes;
      data_ = pool_->take(capacity_);
      begin_ = end_ = 0;
    }
    if (end_ < capacity_) return true;
    return grow();
  }
  // Bytes move to a large buffer, each keeping its offset. False when it is large already.
  bool grow() {
    if (capacity_ == kLargeBufferBytes) return false;
    char* larger = pool_->take(kLargeBufferBytes);
    std::memcpy(larger, data_, end_);
    pool_->give(data_, capacity_);
    data_ = larger;
    capacity_ = kLargeBufferBytes;
    return true;
  }
  void release() noexcept {
    if (data_ != nullptr) pool_->give(data_, capacity_);
    data_ = nullptr;
    begin_ = end_ = capacity_ = 0;
  }
  // Bytes move to the front: offsets change.
  void compact() noexcept {
    if (begin_ == 0) return;
    std::memmove(data_, data_ + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  void clear() noexcept { begin_ = end_ = 0; }

  char* data() noexcept { return data_; }
  std::size_t begin() const noexcept { return begin_; }
  std::size_t end() const noexcept { return end_; }
  std::size_t size() const noexcept { return end_ - begin_; }
  bool empty() const noexcept { return begin_ == end_; }
  std::size_t room() const noexcept { return capacity_ - end_; }
  char* tail() noexcept { return data_ + end_; }
  void add(std::size_t bytes) noexcept { end_ += bytes; }
  void drop(std::size_t bytes) noexcept { begin_ += bytes; }
  void truncate(std::size_t end) noexcept { end_ = end; }
  std::span<char> bytes() noexcept { return {data_ + begin_, size()}; }
  std::string_view text() const noexcept { return {data_ + begin_, size()}; }

 private:
  BufferPool* pool_;
  char* data_ = nullptr;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace sluice::gateway
