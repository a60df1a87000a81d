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

// The first control byte in [at, end), or end.
inline char* find_control(char* at, char* end) noexcept {
#ifdef __SSE2__
  const __m128i low = _mm_set1_epi8(0x1f);
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i del = _mm_set1_epi8(0x7f);
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i is_low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, low), bytes);
    const __m128i bad = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), is_low),
                                     _mm_cmpeq_epi8(bytes, del));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(bad));
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

// The first byte in [at, end) that is not a token's, or end; what is before it is put into lower
// case.
inline char* lower_token(char* at, char* end) noexcept {
#ifdef __SSE2__
  // Letters, digits and '-' by sixteens; a name with other bytes in it goes on by the table.
  const __m128i upper_a = _mm_set1_epi8('A');
  const __m128i zero = _mm_set1_epi8('0');
  const __m128i last_letter = _mm_set1_epi8(25);
  const __m128i last_digit = _mm_set1_epi8(9);
  const __m128i dash = _mm_set1_epi8('-');
  const __m128i case_bit = _mm_set1_epi8(0x20);
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i from_a = _mm_sub_epi8(bytes, upper_a);
    const __m128i is_upper = _mm_cmpeq_epi8(_mm_min_epu8(from_a, last_letter), from_a);
    const __m128i lowered = _mm_or_si128(bytes, _mm_and_si128(is_upper, case_bit));
    const __m128i from_lower_a = _mm_sub_epi8(lowered, _mm_set1_epi8('a'));
    const __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(from_lower_a, last_letter), from_lower_a);
    const __m128i from_zero = _mm_sub_epi8(bytes, zero);
    const __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(from_zero, last_digit), from_zero);
    const __m128i good =
        _mm_or_si128(_mm_or_si128(is_letter, is_digit), _mm_cmpeq_epi8(bytes, dash));
    const unsigned mask = ~static_cast<unsigned>(_mm_movemask_epi8(good)) & 0xffffU;
    const unsigned length = mask == 0 ? 16U : static_cast<unsigned>(std::countr_zero(mask));
    const __m128i keep =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(kFirstBytes.data() + 16 - length));
    const __m128i change = _mm_and_si128(_mm_and_si128(is_upper, case_bit), keep);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(at), _mm_or_si128(bytes, change));
    at += length;
    if (length == 16) continue;
    if (!is_token(*at)) return at;
    break;
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
