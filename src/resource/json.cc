// JSON (RFC 8259) to values, with places. YAML parsers read most JSON, but not surrogate pairs,
// keys past 1,024 characters or several values one after the other, and their errors speak of YAML.
#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "resource/parse.h"
#include "resource/scalar.h"

namespace sluice::resource {

namespace {

class JsonParser {
 public:
  JsonParser(std::string_view text, std::uint32_t first_line, Budget& budget)
      : text_(text), budget_(budget), place_{first_line, 1} {}

  Parsed run() {
    for (skip_blanks(); at_ < text_.size(); skip_blanks()) {
      if (budget_.documents == 0) {
        limit("too-many-documents", here(), "documents", limits::kDocumentsMax);
        break;
      }
      --budget_.documents;
      document_ = Document{};
      Value root;
      const bool good = value(root, 0);
      if (!good) {
        parsed_.rest = std::move(root);
        break;
      }
      document_.root = std::move(root);
      parsed_.documents.push_back(std::move(document_));
    }
    return std::move(parsed_);
  }

 private:
  bool fail_with(std::string code, Place where, std::string what, std::string hint = {}) {
    parsed_.failure =
        problem(Severity::kError, std::move(code), where, path_, std::move(what), std::move(hint));
    return false;
  }
  bool limit(std::string code, Place where, std::string_view of_what, std::size_t number) {
    parsed_.out_of_budget = true;
    return fail_with(std::move(code), where,
                     fmt::format("more than {} {} in one file", number, of_what), "split the file");
  }

  // The place of the next character. Counts on from the last call, so that a long line costs no
  // more than its length.
  Place here() noexcept {
    for (; counted_ < at_; ++counted_) {
      const auto c = static_cast<unsigned char>(text_[counted_]);
      if (c == '\n') {
        ++place_.line;
        place_.column = 1;
      } else if ((c & 0xC0U) != 0x80) {
        ++place_.column;
      }
    }
    return place_;
  }

  char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_blanks() noexcept {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  static bool is_blank(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
  std::string found() const {
    if (at_ >= text_.size()) return "the end of the file";
    const std::string_view rest = text_.substr(at_, 20);
    return fmt::format("'{}'",
                       rest.substr(0, std::max<std::size_t>(1, rest.find_first_of(" \t\r\n,:]}"))));
  }

  bool value(Value& out, unsigned depth);
  bool object(Value& out, unsigned depth);
  bool member(Map& map, KeySet& keys, unsigned depth);
  bool array(Value& out, unsigned depth);
  bool string(std::string& out);
  bool escape(std::string& out);
  bool hex4(std::uint32_t& code);
  bool word(Value& out);

  const std::string_view text_;
  Budget& budget_;
  std::size_t at_ = 0;
  std::size_t counted_ = 0;
  Place place_;       // of the character at counted_
  std::string path_;  // of the value that is being read
  Parsed parsed_;
  Document document_;
};

bool JsonParser::value(Value& out, unsigned depth) {
  skip_blanks();
  const Place where = here();
  if (budget_.values == 0)
    return limit("too-many-values", where, "values", limits::kDocumentValuesMax);
  --budget_.values;
  bool good = false;
  if (peek() == '{' || peek() == '[') {
    if (depth >= budget_.nesting) {
      parsed_.out_of_budget = true;
      return fail_with(
          "too-deep", where,
          fmt::format("lists and maps nest more than {} deep", limits::kDocumentNestingMax));
    }
    good = peek() == '{' ? object(out, depth + 1) : array(out, depth + 1);
  } else if (peek() == '"') {
    std::string text;
    good = string(text);
    out = Value(std::move(text));
  } else {
    good = word(out);
  }
  out.place = where;
  return good;
}

bool JsonParser::object(Value& out, unsigned depth) {
  const std::uint32_t begun = here().line;
  out = Value(Map{});
  Map& map = *out.as_map();
  KeySet keys;
  ++at_;
  skip_blanks();
  if (peek() == '}') {
    ++at_;
    return true;
  }
  for (;;) {
    if (!member(map, keys, depth)) return false;
    skip_blanks();
    const char next = peek();
    if (next == '}') {
      ++at_;
      return true;
    }
    if (next != ',') {
      return fail_with("json-syntax", here(),
                       fmt::format("{} where a comma or }} was expected", found()),
                       fmt::format("the {{ is at line {}", begun));
    }
    ++at_;
    skip_blanks();
    if (peek() == '}') {
      return fail_with("json-syntax", here(), "a comma before the closing }", "remove the comma");
    }
  }
}

bool JsonParser::member(Map& map, KeySet& keys, unsigned depth) {
  skip_blanks();
  const Place where = here();
  if (peek() != '"') {
    return fail_with("json-syntax", where, fmt::format("{} where a key was expected", found()),
                     "JSON keys stand in double quotes");
  }
  std::string key;
  if (!string(key)) return false;
  skip_blanks();
  if (peek() != ':') {
    return fail_with("json-syntax", here(), fmt::format("{} where a colon was expected", found()));
  }
  ++at_;
  const std::size_t outer = path_.size();
  if (!path_.empty()) path_ += '.';
  path_ += shorten(key);
  const Member* first = keys.find(map, key);
  if (first != nullptr) report(document_, budget_, duplicate_key(*first, where, path_));
  Value member_value;
  const bool good = value(member_value, depth);
  if (first == nullptr) {
    map.append(std::move(key), std::move(member_value), where);
    keys.added(map);
  }
  if (good) path_.resize(outer);
  return good;
}

bool JsonParser::array(Value& out, unsigned depth) {
  const std::uint32_t begun = here().line;
  out = Value(List{});
  List& list = *out.as_list();
  ++at_;
  skip_blanks();
  if (peek() == ']') {
    ++at_;
    return true;
  }
  for (;;) {
    const std::size_t outer = path_.size();
    path_ += fmt::format("[{}]", list.size());
    Value item;
    const bool good = value(item, depth);
    list.push_back(std::move(item));
    if (!good) return false;
    path_.resize(outer);
    skip_blanks();
    const char next = peek();
    if (next == ']') {
      ++at_;
      return true;
    }
    if (next != ',') {
      return fail_with("json-syntax", here(),
                       fmt::format("{} where a comma or ] was expected", found()),
                       fmt::format("the [ is at line {}", begun));
    }
    ++at_;
    skip_blanks();
    if (peek() == ']') {
      return fail_with("json-syntax", here(), "a comma before the closing ]", "remove the comma");
    }
  }
}

bool JsonParser::string(std::string& out) {
  const std::uint32_t begun = here().line;
  ++at_;
  for (;;) {
    const std::size_t from = at_;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' && text_[at_] != '\n')
      ++at_;
    out.append(text_.substr(from, at_ - from));
    if (at_ >= text_.size() || text_[at_] == '\n') {
      return fail_with("json-syntax", here(),
                       fmt::format("the quote opened at line {} is never closed", begun),
                       "a line break inside of text is \\n");
    }
    if (text_[at_++] == '"') return true;
    if (!escape(out)) return false;
  }
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | (code >> 6U));
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | (code >> 12U));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | (code >> 18U));
    put(0x80U | ((code >> 12U) & 0x3FU));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

bool JsonParser::hex4(std::uint32_t& code) {
  code = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const char c = peek();
    std::uint32_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<std::uint32_t>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<std::uint32_t>(c - 'A') + 10;
    } else {
      return fail_with("json-syntax", here(), "\\u needs four hexadecimal digits");
    }
    code = code * 16 + digit;
  }
  return true;
}

bool JsonParser::escape(std::string& out) {
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const char c = peek();
  const auto index = c == '\0' ? std::string_view::npos : kNames.find(c);
  if (index != std::string_view::npos) {
    out.push_back(kMeanings[index]);
    ++at_;
    return true;
  }
  if (c != 'u') return fail_with("json-syntax", here(), "an unknown escape after \"\\\"");
  ++at_;
  std::uint32_t code = 0;
  if (!hex4(code)) return false;
  if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_).starts_with("\\u")) {
    const std::size_t before = at_;
    at_ += 2;
    std::uint32_t low = 0;
    if (!hex4(low)) return false;
    if (low >= 0xDC00 && low < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
    } else {
      at_ = before;
    }
  }
  if (code >= 0xD800 && code < 0xE000) code = 0xFFFD;  // half a pair, as Go reads it
  append_utf8(out, code);
  return true;
}

bool is_json_number(std::string_view text) noexcept {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  if (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') return false;
  // What is left to refuse: a point without digits behind it, hexadecimal and octal marks, words.
  const auto point = text.find('.');
  if (point != std::string_view::npos &&
      (point + 1 == text.size() || text[point + 1] < '0' || text[point + 1] > '9')) {
    return false;
  }
  return text.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
}

bool JsonParser::word(Value& out) {
  const Place where = here();
  const std::size_t from = at_;
  while (at_ < text_.size() && std::strchr(" \t\r\n,:[]{}\"", text_[at_]) == nullptr) ++at_;
  const std::string_view text = text_.substr(from, at_ - from);
  if (text == "true" || text == "false") {
    out = Value(text == "true");
    return true;
  }
  if (text == "null") return true;
  if (is_json_number(text)) {
    Resolved resolved = resolve_plain(text);
    if (resolved.value.is_number() && resolved.surprise == Surprise::kNone) {
      out = std::move(resolved.value);
      return true;
    }
  }
  at_ = from;
  return fail_with("json-syntax", where, fmt::format("{} where a value was expected", found()),
                   text.empty() ? "" : "text stands in double quotes");
}

}  // namespace

Parsed parse_json(std::string_view text, std::uint32_t first_line, Budget& budget) {
  return JsonParser(text, first_line, budget).run();
}

}  // namespace sluice::resource
