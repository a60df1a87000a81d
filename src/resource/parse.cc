#include "resource/parse.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>

namespace sluice::resource {

// Views of the keys would dangle when the map's members move, so the index owns copies. Maps this
// large are ConfigMaps, and rare.
struct KeySet::Index {
  std::unordered_map<std::string, std::size_t> positions;
};

namespace {
constexpr std::size_t kIndexFrom = 32;  // below, a scan is faster than a hash table
}

KeySet::KeySet() = default;
KeySet::KeySet(KeySet&& other) noexcept : index_(std::exchange(other.index_, nullptr)) {}
KeySet& KeySet::operator=(KeySet&& other) noexcept {
  std::swap(index_, other.index_);
  return *this;
}
KeySet::~KeySet() { delete index_; }

const Member* KeySet::find(const Map& map, std::string_view key) {
  if (map.size() < kIndexFrom) return map.member(key);
  if (index_ == nullptr) {
    index_ = new Index;
    std::size_t position = 0;
    for (const Member& member : map) index_->positions.emplace(member.key, position++);
  }
  const auto found = index_->positions.find(std::string(key));
  return found == index_->positions.end() ? nullptr : map.begin() + found->second;
}

void KeySet::added(const Map& map) {
  if (index_ == nullptr) return;
  index_->positions.emplace((map.end() - 1)->key, map.size() - 1);
}

Diagnostic problem(Severity severity, std::string code, Place place, std::string field,
                   std::string what, std::string hint) {
  Diagnostic diagnostic;
  diagnostic.severity = severity;
  diagnostic.code = std::move(code);
  diagnostic.place = place;
  diagnostic.field = std::move(field);
  diagnostic.what = std::move(what);
  diagnostic.hint = std::move(hint);
  return diagnostic;
}

std::string shorten(std::string_view text) {
  constexpr std::size_t kShown = 64;
  if (text.size() <= kShown) return std::string(text);
  std::size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

void report(Document& document, Budget& budget, Diagnostic diagnostic) {
  if (diagnostic.severity == Severity::kError) document.refused = true;
  if (budget.problems == 0) return;
  if (--budget.problems == 0) {
    diagnostic = problem(diagnostic.severity, "too-many-problems", diagnostic.place, {},
                         fmt::format("more than {} problems in this file; the rest is not listed",
                                     limits::kDocumentProblemsMax));
  }
  document.diagnostics.push_back(std::move(diagnostic));
}

Diagnostic duplicate_key(const Member& first, Place place, std::string field) {
  return problem(Severity::kError, "duplicate-key", place, std::move(field),
                 fmt::format("the key \"{}\" is here for the second time; it is already at line {}",
                             shorten(first.key), first.key_place.line),
                 "keep one of the two");
}

namespace {

// Length of the UTF-8 sequence at `at`, 0 when it is none (RFC 3629: no overlong form, no
// surrogate, nothing past U+10FFFF). `code` receives the character.
std::size_t decode(std::string_view text, std::size_t at, char32_t& code) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  std::size_t length = 0;
  if (first >= 0xC2 && first < 0xE0) {
    length = 2;
    code = first & 0x1FU;
  } else if (first >= 0xE0 && first < 0xF0) {
    length = 3;
    code = first & 0x0FU;
  } else if (first >= 0xF0 && first < 0xF5) {
    length = 4;
    code = first & 0x07U;
  } else {
    return 0;
  }
  if (at + length > text.size()) return 0;
  for (std::size_t i = at + 1; i < at + length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  if (length == 3 && (code < 0x800 || (code >= 0xD800 && code < 0xE000))) return 0;
  if (length == 4 && (code < 0x10000 || code > 0x10FFFF)) return 0;
  return length;
}

}  // namespace

std::string repaired_utf8(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size();) {
    char32_t code = 0;
    const bool ascii = static_cast<unsigned char>(bytes[i]) < 0x80;
    const std::size_t length = ascii ? 1 : decode(bytes, i, code);
    text += length == 0 ? std::string_view("\xEF\xBF\xBD") : bytes.substr(i, length);
    i += std::max<std::size_t>(length, 1);
  }
  return text;
}

std::optional<Diagnostic> find_bad_character(std::string_view text, std::uint32_t first_line) {
  Place place{first_line, 1};
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\n') {
      ++place.line;
      place.column = 1;
      ++i;
      continue;
    }
    if (c >= 0x20 && c < 0x7F) {
      ++place.column;
      ++i;
      continue;
    }
    if (c < 0x80) {
      if (c != '\t' && c != '\r') {
        return problem(Severity::kError, "bad-character", place, {},
                       c == 0 ? "a NUL byte" : fmt::format("the control character U+{:04X}", c),
                       c == 0
                           ? "YAML is text; is this a binary file, or UTF-16?"
                           : fmt::format("remove it, or write \"\\x{:02X}\" in double quotes", c));
      }
      ++place.column;
      ++i;
      continue;
    }
    char32_t code = 0;
    const std::size_t length = decode(text, i, code);
    if (length == 0) {
      return problem(Severity::kError, "bad-character", place, {},
                     fmt::format("the byte 0x{:02X} is not UTF-8", c), "save the file as UTF-8");
    }
    if ((code >= 0x80 && code < 0xA0 && code != 0x85) || code == 0xFFFE || code == 0xFFFF) {
      return problem(Severity::kError, "bad-character", place, {},
                     fmt::format("the character U+{:04X}, which YAML does not allow",
                                 static_cast<std::uint32_t>(code)),
                     "remove it");
    }
    ++place.column;
    i += length;
  }
  return std::nullopt;
}

}  // namespace sluice::resource
