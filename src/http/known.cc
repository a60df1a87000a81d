#include "http/known.h"

#include <array>
#include <cstring>

namespace sluice::http {
namespace {

constexpr std::array<std::string_view, kKnownCount> kNames = {std::string_view(),
#define X(id, text) std::string_view(text),
                                                              SLUICE_KNOWN_FIELDS(X)
#undef X
};

constexpr unsigned kSlotBits = 9;

// Four bytes of a name as a number, alike at compile time and at run time (little endian).
constexpr std::uint32_t four(const char* at) noexcept {
  if (__builtin_is_constant_evaluated()) {
    std::uint32_t word = 0;
    for (unsigned i = 4; i-- > 0;) word = (word << 8U) | static_cast<unsigned char>(at[i]);
    return word;
  }
  std::uint32_t word = 0;
  std::memcpy(&word, at, 4);
  return word;
}

// The first four bytes, the last four, four in the middle and the length tell all names apart.
constexpr std::uint64_t digest(std::string_view name) noexcept {
  if (name.size() < 4) {
    std::uint64_t word = name.size();
    for (const char c : name) word = (word << 8U) | static_cast<unsigned char>(c);
    return word;
  }
  const std::uint64_t ends =
      four(name.data()) | (static_cast<std::uint64_t>(four(name.data() + name.size() - 4)) << 32U);
  return ends + four(name.data() + name.size() / 2 - 2) * 0x9e37'79b9'7f4a'7c15ULL + name.size();
}

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
  for (unsigned i = 1; i < kKnownCount; ++i) digests[i] = digest(kNames[i]);
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
    factor = factor * 0xd134'2543'de82'ef95ULL + 2;
    factor |= 1U;
  }
}

constexpr Table kTable = make_table();

}  // namespace

Known find_known(std::string_view name) noexcept {
  const Known found = kTable.slots[slot_of(digest(name), kTable.factor)];
  const std::string_view expected = kNames[static_cast<unsigned>(found)];
  return expected.size() == name.size() &&
                 std::memcmp(expected.data(), name.data(), name.size()) == 0
             ? found
             : Known::kOther;
}

std::string_view name_of(Known known) noexcept { return kNames[static_cast<unsigned>(known)]; }

}  // namespace sluice::http
