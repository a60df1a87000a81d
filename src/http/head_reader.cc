#include "http/head_reader.h"

#include "base/text.h"
#include "http/known_table.h"
#include "http/scan.h"

namespace sluice::http {
namespace {

bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

std::string_view trimmed(const char* begin, const char* end) noexcept {
  while (begin != end && is_blank(*begin)) ++begin;
  while (begin != end && is_blank(end[-1])) --end;
  return {begin, static_cast<std::size_t>(end - begin)};
}

// Calls `each` with every non-empty member of a comma-separated list (RFC 9110 section 5.6.1).
template <class Each>
void for_each_member(std::string_view list, Each each) noexcept {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view member = list.substr(0, comma);
    const std::string_view token = trimmed(member.data(), member.data() + member.size());
    if (!token.empty()) each(token);
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

#ifdef __SSE2__
// The line that nearly all are: a name of less than sixteen letters, digits and dashes, a value,
// and all of it there. Anything else, good or bad, is left to the long way: `line_end` is null.
struct Quick {
  char* line_end = nullptr;  // where CRLF is
  unsigned name_size = 0;
  Known known = Known::kOther;
};
inline Quick read_quickly(char* at, char* end) noexcept {
  if (end - at < 34) return {};
  const __m128i bytes = scan::load16(at);
  const scan::NameStart name = scan::name_start(bytes);
  if (name.length == 16 || name.length == 0 || at[name.length] != ':') return {};
  char* value = at + name.length + 1;
  // Loaded before the name is stored: a load that overlaps a fresh store in part has to wait for
  // it.
  const unsigned first_controls = scan::controls(scan::load16(value));
  if (_mm_movemask_epi8(_mm_slli_epi16(name.change, 2)) != 0) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(at), _mm_or_si128(bytes, name.change));
  }
  char* const line_end = first_controls != 0 ? value + std::countr_zero(first_controls)
                                             : scan::find_control(value + 16, end);
  if (end - line_end < 2 || line_end[0] != '\r' || line_end[1] != '\n') return {};
  const auto low = static_cast<std::uint64_t>(_mm_cvtsi128_si64(name.kept));
  const auto high =
      static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(name.kept, name.kept)));
  return {line_end, name.length, known_table::find_short({low, high})};
}
#endif

}  // namespace

Progress HeadReader::read_fields(char* at, unsigned fields_max) noexcept {
  if (cursor.stage_ == Stage::kName) goto name;
  if (cursor.stage_ == Stage::kValue) goto value;
  while (true) {
    if (at == end) return more(at, Stage::kLine);
#ifdef __SSE2__
    if (const Quick quick = read_quickly(at, end); quick.line_end != nullptr) {
      if (fields.count == fields_max) return refuse(Refusal::kTooManyFields);
      fields.add({at, quick.name_size}, trimmed(at + quick.name_size + 1, quick.line_end),
                 quick.known);
      at = quick.line_end + 2;
      continue;
    }
#endif
    cursor.begin_ = offset(at);
    if (scan::token_lower(*at) == 0) {
      if (*at == '\r') {
        if (at + 1 == end) return more(at, Stage::kLine);
        if (at[1] != '\n') return refuse(Refusal::kBareCr);
        cursor.consumed_ = offset(at) + 2;
        cursor.stage_ = Stage::kEnd;
        return Progress::kDone;
      }
      if (*at == '\n') return refuse(Refusal::kBareLf);
      return refuse(is_blank(*at) ? Refusal::kLineFolding : Refusal::kFieldName);
    }
  name:
    at = scan::lower_token(at, end);
    if (at == end) return more(at, Stage::kName);
    if (*at != ':') return refuse(Refusal::kFieldName);
    cursor.name_end_ = offset(at);
    ++at;
  value:
    at = scan::find_control(at, end);
    if (at == end) return more(at, Stage::kValue);
    if (*at != '\r') return refuse(*at == '\n' ? Refusal::kBareLf : Refusal::kFieldValue);
    if (at + 1 == end) return more(at, Stage::kValue);
    if (at[1] != '\n') return refuse(Refusal::kBareCr);
    if (fields.count == fields_max) return refuse(Refusal::kTooManyFields);
    const std::string_view found{begin(), cursor.name_end_ - cursor.begin_};
    fields.add(found, trimmed(base + cursor.name_end_ + 1, at), find_known(found));
    at += 2;
  }
}

bool parse_length(std::string_view text, std::uint64_t& length) noexcept {
  constexpr std::uint64_t kMax = 0x7fff'ffff'ffff'ffffULL;
  if (text.empty()) return false;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (kMax - digit) / 10) return false;
    value = value * 10 + digit;
  }
  length = value;
  return true;
}

ConnectionFacts read_connection(const FieldList& fields) noexcept {
  ConnectionFacts facts;
  const std::uint8_t first = fields.first[static_cast<unsigned>(Known::kConnection)];
  if (first == FieldList::kAbsent) return facts;
  for (unsigned i = first; i < fields.count; ++i) {
    if (fields.known[i] != Known::kConnection) continue;
    for_each_member(fields.at[i].value, [&facts](std::string_view token) {
      if (equal_ignoring_case(token, "keep-alive")) {
        facts.keep_alive = true;
      } else if (equal_ignoring_case(token, "close")) {
        facts.close = true;
      } else if (equal_ignoring_case(token, "upgrade")) {
        facts.upgrade = true;
      } else if (!equal_ignoring_case(token, "te") &&
                 !equal_ignoring_case(token, "http2-settings")) {
        facts.others = true;
      }
    });
  }
  return facts;
}

Refusal read_framing(const FieldList& fields, Framing& framing, std::uint64_t& length) noexcept {
  const std::uint8_t length_at = fields.first[static_cast<unsigned>(Known::kContentLength)];
  const std::uint8_t encoding_at = fields.first[static_cast<unsigned>(Known::kTransferEncoding)];
  framing = Framing::kNone;
  length = 0;
  if (length_at == FieldList::kAbsent && encoding_at == FieldList::kAbsent) return Refusal::kNone;
  if (length_at != FieldList::kAbsent && encoding_at != FieldList::kAbsent) {
    return Refusal::kLengthAndEncoding;
  }
  const Known kind =
      length_at != FieldList::kAbsent ? Known::kContentLength : Known::kTransferEncoding;
  const unsigned at = length_at != FieldList::kAbsent ? length_at : encoding_at;
  for (unsigned i = at + 1; i < fields.count; ++i) {
    if (fields.known[i] != kind) continue;
    return kind == Known::kContentLength ? Refusal::kLengthTwice : Refusal::kTransferEncoding;
  }
  if (kind == Known::kTransferEncoding) {
    if (!equal_ignoring_case(fields.at[at].value, "chunked")) return Refusal::kTransferEncoding;
    framing = Framing::kChunked;
    return Refusal::kNone;
  }
  if (!parse_length(fields.at[at].value, length)) return Refusal::kLengthInvalid;
  framing = Framing::kLength;
  return Refusal::kNone;
}

bool lists(std::string_view list, std::string_view token) noexcept {
  bool found = false;
  for_each_member(
      list, [&](std::string_view member) { found = found || equal_ignoring_case(member, token); });
  return found;
}

bool is_field_name(std::string_view text) noexcept {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!scan::is_token(c)) return false;
  }
  return true;
}

bool is_field_value(std::string_view text) noexcept {
  for (const char c : text) {
    if (scan::is_control(c)) return false;
  }
  return true;
}

bool is_target(std::string_view text) noexcept {
  for (const char c : text) {
    if (!scan::is_target(c)) return false;
  }
  return !text.empty();
}

}  // namespace sluice::http
