// The perfect hash behind find_known(). Private to this room: known.cc and the head reader.
#pragma once

#include <array>
#include <cstring>

#include "http/known.h"

namespace sluice::http::known_table {

inline constexpr std::array<std::string_view, kKnownCount> kNames = {std::string_view(),
#define X(id, text) std::string_view(text),
                                                                     SLUICE_KNOWN_FIELDS(X)
#undef X
};

// A name of at most sixteen bytes, as two numbers (little endian, zeros behind): the form in which
// the head reader has it in a register.
inline constexpr std::size_t kShortMax = 16;
struct Short {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const Short&) const = default;
};

constexpr Short make_short(std::string_view name) noexcept {
  Short packed;
  for (std::size_t i = 0; i < name.size() && i < kShortMax; ++i) {
    const std::uint64_t byte = static_cast<unsigned char>(name[i]);
    (i < 8 ? packed.low : packed.high) |= byte << (8 * (i % 8));
  }
  return packed;
}

constexpr std::uint64_t digest(Short name) noexcept {
  return name.low + name.high * 0x9e37'79b9'7f4a'7c15ULL;
}

// Longer names: the first eight bytes would be "x-envoy-" too often; eight in the middle, the last
// eight and the length tell them apart.
constexpr std::uint64_t eight(const char* at) noexcept {
  std::uint64_t word = 0;
  if (__builtin_is_constant_evaluated()) {
    for (unsigned i = 8; i-- > 0;) word = (word << 8U) | static_cast<unsigned char>(at[i]);
  } else {
    std::memcpy(&word, at, 8);
  }
  return word;
}
constexpr std::uint64_t digest_long(std::string_view name) noexcept {
  return eight(name.data() + 8) + eight(name.data() + name.size() - 8) * 0x9e37'79b9'7f4a'7c15ULL +
         name.size();
}

inline constexpr unsigned kSlotBits = 9;

constexpr unsigned slot_of(std::uint64_t digest, std::uint64_t factor) noexcept {
  return static_cast<unsigned>((digest * factor) >> (64U - kSlotBits));
}

struct Table {
  std::uint64_t factor = 0;
  std::array<Known, 1U << kSlotBits> slots{};
};

// Tries factors until no two names share a slot: at compile time, so a new name can't break it.
constexpr Table make_table() {
  std::array<std::uint64_t, kKnownCount> digests{};
  for (unsigned i = 1; i < kKnownCount; ++i) {
    const std::string_view name = kNames[i];
    digests[i] = name.size() <= kShortMax ? digest(make_short(name)) : digest_long(name);
  }
  std::uint64_t factor = 0x9e37'79b9'7f4a'7c15ULL;
  while (true) {
    Table table{.factor = factor, .slots = {}};
    bool fits = true;
    for (unsigned i = 1; i < kKnownCount && fits; ++i) {
      Known& slot = table.slots[slot_of(digests[i], factor)];
      fits = slot == Known::kOther;
      slot = static_cast<Known>(i);
    }
    if (fits) return table;
    factor = (factor * 0xd134'2543'de82'ef95ULL + 2) | 1U;
  }
}

inline constexpr Table kTable = make_table();

inline constexpr std::array<Short, kKnownCount> kShortNames = [] {
  std::array<Short, kKnownCount> names{};
  for (unsigned i = 1; i < kKnownCount; ++i) {
    if (kNames[i].size() <= kShortMax) names[i] = make_short(kNames[i]);
  }
  return names;
}();

// No name has a NUL in it, so equal numbers mean equal length.
inline Known find_short(Short name) noexcept {
  const Known found = kTable.slots[slot_of(digest(name), kTable.factor)];
  return kShortNames[static_cast<unsigned>(found)] == name ? found : Known::kOther;
}

inline Known find_long(std::string_view name) noexcept {
  const Known found = kTable.slots[slot_of(digest_long(name), kTable.factor)];
  return kNames[static_cast<unsigned>(found)] == name ? found : Known::kOther;
}

}  // namespace sluice::http::known_table
