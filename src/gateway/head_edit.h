// A head while it is being changed: views of the fields that came, and of those that the gateway
// and the rule add. Written out in one pass when it is finished; nothing is copied before.
// Thread: a worker's scratch; lives from the first edit to the write, no longer.
#pragma once

#include <cstring>
#include <string_view>

#include "base/field.h"

namespace sluice::gateway {

// Text that edits make (joined values, formatted values, rewritten paths) until the head is
// written. Too much of it is cut: `overflowed`, and the head must not be sent.
class Arena {
 public:
  void reset() noexcept {
    size_ = 0;
    overflowed_ = false;
  }
  // Room for `bytes`, or nullptr. What is used is then taken by `keep`.
  char* room(std::size_t bytes) noexcept {
    if (sizeof data_ - size_ < bytes) {
      overflowed_ = true;
      return nullptr;
    }
    return data_ + size_;
  }
  std::string_view keep(std::size_t bytes) noexcept {
    const std::string_view text(data_ + size_, bytes);
    size_ += bytes;
    return text;
  }
  std::string_view copy(std::string_view text) noexcept {
    char* at = room(text.size());
    if (at == nullptr) return {};
    std::memcpy(at, text.data(), text.size());
    return keep(text.size());
  }
  // For values made of pieces: begin, then append, then take.
  void begin() noexcept { begun_ = size_; }
  void append(std::string_view text) noexcept { copy(text); }
  std::string_view take() noexcept { return {data_ + begun_, size_ - begun_}; }
  bool overflowed() const noexcept { return overflowed_; }

 private:
  char data_[384U << 10U];  // three times the longest head: path, original path, a long value
  std::size_t size_ = 0;
  std::size_t begun_ = 0;
  bool overflowed_ = false;
};

class HeadEdit {
 public:
  static constexpr unsigned kFieldsMax = 400;  // 100 that came, the gateway's, and a rule's

  void clear() noexcept { count_ = 0; }
  void add(std::string_view name, std::string_view value) noexcept {
    if (count_ < kFieldsMax) at_[count_++] = Field{name, value};
  }
  // `name` in lower case, here and below.
  void remove(std::string_view name) noexcept {
    unsigned kept = 0;
    for (unsigned i = 0; i < count_; ++i) {
      if (at_[i].name == name) continue;
      at_[kept++] = at_[i];
    }
    count_ = kept;
  }
  void set(std::string_view name, std::string_view value) noexcept {
    remove(name);
    add(name, value);
  }
  const Field* find(std::string_view name) const noexcept {
    for (unsigned i = 0; i < count_; ++i) {
      if (at_[i].name == name) return &at_[i];
    }
    return nullptr;
  }
  const Field* begin() const noexcept { return at_; }
  const Field* end() const noexcept { return at_ + count_; }
  unsigned count() const noexcept { return count_; }

 private:
  Field at_[kFieldsMax];
  unsigned count_ = 0;
};

}  // namespace sluice::gateway
