#include "kube/packed.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "kube/likeness.h"

namespace sluice::kube {

using resource::List;
using resource::Map;
using resource::Member;
using resource::Value;

namespace {

enum Tag : std::uint8_t { kNull, kFalse, kTrue, kInt, kDouble, kString, kList, kMap };

// A tag and a number in one byte, if the number is small: lengths mostly are.
constexpr unsigned kTagBits = 3;
constexpr std::uint64_t kSmallMax = 31;  // this one means: the number follows

void put_number(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7U) out += static_cast<char>(0x80U | (number & 0x7fU));
  out += static_cast<char>(number);
}

void put_head(std::string& out, Tag tag, std::uint64_t number) {
  const bool is_small = number < kSmallMax;
  const std::uint64_t low = is_small ? number : kSmallMax;
  out += static_cast<char>((low << kTagBits) | tag);
  if (!is_small) put_number(out, number);
}

}  // namespace

std::size_t Words::Hash::operator()(std::string_view word) const noexcept {
  return hash_of_text(word);
}

struct Words::Packer {
  const Words& words;
  std::string out;
  std::vector<std::string> unknown;

  void key(std::string_view key) {
    const auto found = words.numbers_.find(key);
    if (found != words.numbers_.end()) {
      put_number(out, (std::uint64_t{found->second} << 1U) | 1U);
      return;
    }
    if (key.size() <= kWordBytesMax && words.words_.size() + unknown.size() < words.words_max_)
      unknown.emplace_back(key);
    put_number(out, std::uint64_t{key.size()} << 1U);
    out += key;
  }

  void put(const Value& value) {
    if (const Map* map = value.as_map()) {
      put_head(out, kMap, map->size());
      for (const Member& member : *map) {
        key(member.key);
        put(member.value);
      }
    } else if (const List* list = value.as_list()) {
      put_head(out, kList, list->size());
      for (const Value& item : *list) put(item);
    } else if (const std::string* text = value.as_string()) {
      put_head(out, kString, text->size());
      out += *text;
    } else if (const std::int64_t* whole = value.as_int()) {
      const auto bits = static_cast<std::uint64_t>(*whole);
      put_head(out, kInt, (bits << 1U) ^ (*whole < 0 ? ~std::uint64_t{0} : 0));
    } else if (const double* number = value.as_double()) {
      out += static_cast<char>(kDouble);
      char bytes[sizeof *number];
      std::memcpy(bytes, number, sizeof bytes);
      out.append(bytes, sizeof bytes);
    } else if (const bool* flag = value.as_bool()) {
      out += static_cast<char>(*flag ? kTrue : kFalse);
    } else {
      out += static_cast<char>(kNull);
    }
  }
};

struct Words::Unpacker {
  const Words& words;
  std::string_view in;

  std::uint8_t byte() {
    SLUICE_ASSERT(!in.empty());
    const auto first = static_cast<std::uint8_t>(in.front());
    in.remove_prefix(1);
    return first;
  }
  std::uint64_t read_number() {
    std::uint64_t result = 0;
    for (unsigned shift = 0;; shift += 7) {
      const std::uint8_t next = byte();
      result |= std::uint64_t{next & 0x7fU} << shift;
      if (next < 0x80) return result;
    }
  }
  std::string_view bytes(std::uint64_t count) {
    SLUICE_ASSERT(count <= in.size());
    const std::string_view taken = in.substr(0, count);
    in.remove_prefix(count);
    return taken;
  }
  std::string key() {
    const std::uint64_t head = read_number();
    if ((head & 1U) == 0) return std::string(bytes(head >> 1U));
    SLUICE_ASSERT((head >> 1U) < words.words_.size());
    return words.words_[head >> 1U];
  }

  Value value() {
    const std::uint8_t head = byte();
    const auto tag = static_cast<Tag>(head & ((1U << kTagBits) - 1));
    const std::uint64_t small = head >> kTagBits;
    const std::uint64_t count = small == kSmallMax ? read_number() : small;
    switch (tag) {
      case kNull:
        return {};
      case kFalse:
      case kTrue:
        return tag == kTrue;
      case kInt:
        return static_cast<std::int64_t>((count >> 1U) ^ (0 - (count & 1U)));
      case kDouble: {
        double result = 0;
        std::memcpy(&result, bytes(sizeof result).data(), sizeof result);
        return result;
      }
      case kString:
        return std::string(bytes(count));
      case kList: {
        List list;
        list.reserve(count);
        for (std::uint64_t i = 0; i < count; ++i) list.push_back(value());
        return list;
      }
      case kMap: {
        Map map;
        map.reserve(count);
        for (std::uint64_t i = 0; i < count; ++i) {
          std::string name = key();
          map.append(std::move(name), value());
        }
        return map;
      }
    }
    return {};
  }
};

std::string Words::pack(const Value& value) {
  std::shared_lock lock(mutex_);
  Packer packer{*this, {}, {}};
  packer.out.reserve(1'024);
  packer.put(value);
  lock.unlock();
  if (!packer.unknown.empty()) {  // the next document has them as words
    const std::lock_guard guard(mutex_);
    for (std::string& word : packer.unknown) {
      if (words_.size() >= words_max_) break;
      if (numbers_.contains(word)) continue;
      words_.push_back(std::move(word));
      numbers_.emplace(words_.back(), static_cast<std::uint32_t>(words_.size() - 1));
    }
  }
  packer.out.shrink_to_fit();
  return std::move(packer.out);
}

Value Words::unpack(std::string_view packed) const {
  const std::shared_lock lock(mutex_);
  Unpacker unpacker{*this, packed};
  Value value = unpacker.value();
  SLUICE_ASSERT(unpacker.in.empty());
  return value;
}

std::size_t Words::size() const {
  const std::shared_lock lock(mutex_);
  return words_.size();
}

}  // namespace sluice::kube
