// Searching bytes sixteen at a time. x86-64 always has SSE2; elsewhere the tables do it alone.
// Private to this room.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace sluice::http::scan {

// A token's byte (RFC 9110 section 5.6.2) in lower case; 0 for all others.
inline constexpr std::array<char, 256> kTokenLower = [] {
  std::array<char, 256> table{};
  for (const char c :
       {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'}) {
    table[static_cast<unsigned char>(c)] = c;
  }
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = c;
  for (char c = 'a'; c <= 'z'; ++c) {
    table[static_cast<unsigned char>(c)] = c;
    table[static_cast<unsigned char>(c - 'a' + 'A')] = c;
  }
  return table;
}();

inline char token_lower(char c) noexcept { return kTokenLower[static_cast<unsigned char>(c)]; }
inline bool is_token(char c) noexcept { return token_lower(c) != 0; }
// NUL and the like, DEL; a tab is not meant.
inline bool is_control(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}
inline bool is_target(char c) noexcept { return c > 0x20 && c < 0x7f; }

#ifdef __SSE2__
inline __m128i load16(const char* at) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}
// One bit for each byte that is a control character.
inline unsigned controls(__m128i bytes) noexcept {
  const __m128i is_low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  const __m128i bad =
      _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')), is_low),
                   _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
  return static_cast<unsigned>(_mm_movemask_epi8(bad));
}
#endif

// The first control byte in [at, end), or end.
inline char* find_control(char* at, char* end) noexcept {
#ifdef __SSE2__
  for (; end - at >= 16; at += 16) {
    const unsigned mask = controls(load16(at));
    if (mask != 0) return at + std::countr_zero(mask);
  }
#endif
  while (at != end && !is_control(*at)) ++at;
  return at;
}

// The first byte in [at, end) that no target may have (blanks, controls, above 126), or end.
inline char* find_target_end(char* at, char* end) noexcept {
#ifdef __SSE2__
  const __m128i blank = _mm_set1_epi8(0x21);
  const __m128i del = _mm_set1_epi8(0x7f);
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    // Signed: bytes above 127 are negative.
    const __m128i bad = _mm_or_si128(_mm_cmplt_epi8(bytes, blank), _mm_cmpeq_epi8(bytes, del));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(bad));
    if (mask != 0) return at + std::countr_zero(mask);
  }
#endif
  while (at != end && is_target(*at)) ++at;
  return at;
}

#ifdef __SSE2__
// Load at +16-n: n bytes of 0xff, then zeros.
alignas(16) inline constexpr std::array<std::uint8_t, 32> kFirstBytes = [] {
  std::array<std::uint8_t, 32> bytes{};
  for (unsigned i = 0; i < 16; ++i) bytes[i] = 0xff;
  return bytes;
}();
#endif

#ifdef __SSE2__
// The letters, digits and dashes that sixteen bytes begin with.
struct NameStart {
  __m128i kept;     // those in lower case, zeros behind
  __m128i change;   // what to `or` to the sixteen bytes to put those into lower case
  unsigned length;  // 16: all
};
inline NameStart name_start(__m128i bytes) noexcept {
  const __m128i case_bit = _mm_set1_epi8(0x20);
  const __m128i last_letter = _mm_set1_epi8(25);
  const __m128i from_a = _mm_sub_epi8(bytes, _mm_set1_epi8('A'));
  const __m128i is_upper = _mm_cmpeq_epi8(_mm_min_epu8(from_a, last_letter), from_a);
  const __m128i raise = _mm_and_si128(is_upper, case_bit);
  const __m128i lowered = _mm_or_si128(bytes, raise);
  const __m128i from_lower_a = _mm_sub_epi8(lowered, _mm_set1_epi8('a'));
  const __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(from_lower_a, last_letter), from_lower_a);
  const __m128i from_zero = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
  const __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(from_zero, _mm_set1_epi8(9)), from_zero);
  const __m128i is_dash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-'));
  const __m128i good = _mm_or_si128(_mm_or_si128(is_letter, is_digit), is_dash);
  const unsigned others = ~static_cast<unsigned>(_mm_movemask_epi8(good));
  const auto length = static_cast<unsigned>(std::countr_zero(others | 0x10000U));
  const __m128i keep = load16(reinterpret_cast<const char*>(kFirstBytes.data()) + 16 - length);
  return {_mm_and_si128(lowered, keep), _mm_and_si128(raise, keep), length};
}
#endif

// The first byte in [at, end) that is not a token's, or end; what is before it is put into lower
// case.
inline char* lower_token(char* at, char* end) noexcept {
#ifdef __SSE2__
  // By sixteens; a name with rarer bytes in it goes on by the table.
  while (end - at >= 16) {
    const __m128i bytes = load16(at);
    const NameStart name = name_start(bytes);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(at), _mm_or_si128(bytes, name.change));
    at += name.length;
    if (name.length < 16) break;
  }
#endif
  for (; at != end; ++at) {
    const char lower = token_lower(*at);
    if (lower == 0) return at;
    *at = lower;
  }
  return at;
}

}  // namespace sluice::http::scan
