// Small pure functions on text that the standard library lacks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// Without blanks (space, tab, CR, LF) at both ends.
std::string_view trim(std::string_view text) noexcept;
// "a,b," gives {"a", "b", ""}; "" gives {""}.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string to_lower(std::string_view text);
// ASCII only, as names of HTTP fields and hosts are.
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;
// Insertions, deletions, replacements and swaps of neighbours between two words, capped at `limit`.
unsigned edit_distance(std::string_view a, std::string_view b, unsigned limit);
// The word of `candidates` most like `word`, or "" when none is near enough to be what was meant.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace sluice
