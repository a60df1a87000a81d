#include "resource/print.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "resource/scalar.h"

namespace sluice::resource {

namespace {

std::vector<const Member*> members_of(const Map& map, KeyOrder order) {
  std::vector<const Member*> members;
  members.reserve(map.size());
  for (const Member& member : map) members.push_back(&member);
  if (order == KeyOrder::kSorted) {
    std::sort(members.begin(), members.end(),
              [](const Member* a, const Member* b) { return a->key < b->key; });
  }
  return members;
}

// The character at `at` when it is a line break or an invisible mark to some YAML reader though not
// to an editor: NEL, no-break space, LS, PS, byte order mark. Returns its length, 0 for others.
std::size_t invisible(std::string_view text, std::size_t at, std::uint32_t& code) noexcept {
  const std::string_view rest = text.substr(at);
  const auto is = [&](std::string_view bytes, std::uint32_t value) {
    code = value;
    return rest.starts_with(bytes);
  };
  if (is("\xC2\x85", 0x85) || is("\xC2\xA0", 0xA0)) return 2;
  if (is("\xE2\x80\xA8", 0x2028) || is("\xE2\x80\xA9", 0x2029) || is("\xEF\xBB\xBF", 0xFEFF))
    return 3;
  // C1 controls are well-formed UTF-8 but forbidden in YAML text.
  if (rest.size() > 1 && rest[0] == '\xC2' && static_cast<unsigned char>(rest[1]) < 0xA0) {
    code = static_cast<unsigned char>(rest[1]);
    return 2;
  }
  if (rest.starts_with("\xEF\xBF\xBE") || rest.starts_with("\xEF\xBF\xBF")) {
    code = rest[2] == '\xBE' ? 0xFFFE : 0xFFFF;
    return 3;
  }
  return 0;
}

// What decides how a string is written.
struct Shape {
  bool breaks = false;   // holds \n
  bool unusual = false;  // holds what only a double-quoted string can carry
};

Shape shape_of(std::string_view text) noexcept {
  Shape shape;
  std::uint32_t code = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\n') {
      shape.breaks = true;
    } else if (c < 0x20 || c == 0x7F || (c >= 0x80 && invisible(text, i, code) != 0)) {
      shape.unusual = true;  // tabs as well: they are legal, but not to be seen
    }
  }
  return shape;
}

bool has_plain_look(std::string_view text) noexcept {
  constexpr std::string_view kIndicators = "-?:,[]{}#&*!|>'\"%@`";
  const char first = text.front();
  if (kIndicators.find(first) != std::string_view::npos) {
    // "-x", ":x" and "?x" are fine outside of flow style; "- x", "-" and "---" are not.
    const bool may_lead = first == '-' || first == '?' || first == ':';
    if (!may_lead || text.size() < 2 || text[1] == ' ' || text.starts_with("---")) return false;
  }
  if (first == ' ' || text.back() == ' ' || text.back() == ':' || text.starts_with("..."))
    return false;
  return text.find(": ") == std::string_view::npos && text.find(" #") == std::string_view::npos;
}

std::string double_quoted(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    std::uint32_t code = 0;
    if (byte >= 0x80) {
      const std::size_t length = invisible(text, i, code);
      if (length == 0) {
        out += c;
        ++i;
      } else {
        out += code < 0x100 ? fmt::format("\\x{:02X}", code) : fmt::format("\\u{:04X}", code);
        i += length;
      }
      continue;
    }
    ++i;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02X}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string single_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + '\'';
}

// On one line: plain, or quoted as kubectl does ("1" against 'a: b').
std::string one_line(std::string_view text) {
  const Shape shape = shape_of(text);
  if (text.empty() || shape.breaks || shape.unusual) return double_quoted(text);
  if (!is_string_everywhere(text)) return double_quoted(text);
  return has_plain_look(text) ? std::string(text) : single_quoted(text);
}

class YamlPrinter {
 public:
  explicit YamlPrinter(KeyOrder order) : order_(order) {}

  // `indent`: where the value's own lines begin. Written after "key:" or "-", so scalars begin with
  // the blank that separates them.
  void after_key(const Value& value, std::size_t indent) {
    if (const Map* map = value.as_map(); map != nullptr && !map->empty()) {
      out += '\n';
      block(*map, indent + 2, true);
    } else if (const List* list = value.as_list(); list != nullptr && !list->empty()) {
      out += '\n';
      block(*list, indent, true);
    } else {
      out += ' ';
      scalar(value, indent + 2);
    }
  }

  void block(const Map& map, std::size_t indent, bool indent_first) {
    bool indented = indent_first;
    for (const Member* member : members_of(map, order_)) {
      if (indented) out.append(indent, ' ');
      indented = true;
      const std::string key = one_line(member->key);
      // YAML reads a key without "?" only up to 1,024 characters.
      if (key.size() > 1000) out += "? ";
      out += key;
      if (key.size() > 1000) {
        out += '\n';
        out.append(indent, ' ');
      }
      out += ':';
      after_key(member->value, indent);
    }
  }

  void block(const List& list, std::size_t indent, bool indent_first) {
    bool indented = indent_first;
    for (const Value& item : list) {
      if (indented) out.append(indent, ' ');
      indented = true;
      out += '-';
      if (const Map* map = item.as_map(); map != nullptr && !map->empty()) {
        out += ' ';
        block(*map, indent + 2, false);
      } else if (const List* inner = item.as_list(); inner != nullptr && !inner->empty()) {
        out += ' ';
        block(*inner, indent + 2, false);
      } else {
        out += ' ';
        scalar(item, indent + 2);
      }
    }
  }

  void scalar(const Value& value, std::size_t indent) {
    if (const std::string* text = value.as_string()) {
      string(*text, indent);
      return;
    }
    if (value.is_null()) {
      out += "null";
    } else if (value.is_bool()) {
      out += value.flag() ? "true" : "false";
    } else if (value.is_int()) {
      out += std::to_string(value.integer());
    } else if (value.is_double()) {
      out += double_to_text(value.number());
    } else {
      out += value.is_list() ? "[]" : "{}";
    }
    out += '\n';
  }

  std::string out;

 private:
  // Several lines become a literal block when that is exact: no character that needs an escape, and
  // no blank or break in front (the reader would take it for indentation).
  void string(std::string_view text, std::size_t indent) {
    const Shape shape = shape_of(text);
    if (!shape.breaks || shape.unusual || text.front() == ' ' || text.front() == '\n') {
      out += one_line(text);
      out += '\n';
      return;
    }
    out += !text.ends_with('\n') ? "|-\n" : text.ends_with("\n\n") ? "|+\n" : "|\n";
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      if (end > 0) out.append(indent, ' ').append(text.substr(0, end));
      out += '\n';
      text.remove_prefix(std::min(text.size(), end + 1));
    }
  }

  const KeyOrder order_;
};

void print_json(std::string& out, const Value& value, JsonStyle style, KeyOrder order,
                std::size_t indent) {
  const bool pretty = style == JsonStyle::kPretty;
  const auto line = [&](std::size_t depth) {
    if (!pretty) return;
    out += '\n';
    out.append(depth, ' ');
  };
  if (const List* list = value.as_list()) {
    out += '[';
    bool first = true;
    for (const Value& item : *list) {
      if (!std::exchange(first, false)) out += ',';
      line(indent + 2);
      print_json(out, item, style, order, indent + 2);
    }
    if (!list->empty()) line(indent);
    out += ']';
  } else if (const Map* map = value.as_map()) {
    out += '{';
    bool first = true;
    for (const Member* member : members_of(*map, order)) {
      if (!std::exchange(first, false)) out += ',';
      line(indent + 2);
      out += json_quoted(member->key);
      out += pretty ? ": " : ":";
      print_json(out, member->value, style, order, indent + 2);
    }
    if (!map->empty()) line(indent);
    out += '}';
  } else if (const std::string* text = value.as_string()) {
    out += json_quoted(*text);
  } else if (value.is_bool()) {
    out += value.flag() ? "true" : "false";
  } else if (value.is_int()) {
    out += std::to_string(value.integer());
  } else if (value.is_double() && std::isfinite(value.number())) {
    out += double_to_text(value.number());
  } else {
    out += "null";
  }
}

}  // namespace

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    std::uint32_t code = byte;
    const std::size_t length = byte < 0x80 ? 0 : invisible(text, i, code);
    if (length > 0 || byte < 0x20 || byte == 0x7F) {
      out += c == '\n'   ? "\\n"
             : c == '\t' ? "\\t"
             : c == '\r' ? "\\r"
                         : fmt::format("\\u{:04x}", code);
      i += length > 0 ? length - 1 : 0;
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string to_yaml(const Value& value, KeyOrder order) {
  YamlPrinter printer(order);
  if (const Map* map = value.as_map(); map != nullptr && !map->empty()) {
    printer.block(*map, 0, true);
  } else if (const List* list = value.as_list(); list != nullptr && !list->empty()) {
    printer.block(*list, 0, true);
  } else {
    printer.scalar(value, 2);
  }
  return std::move(printer.out);
}

std::string to_yaml(const Object& object, KeyOrder order) { return to_yaml(object.root, order); }

std::string to_yaml(const std::vector<Object>& objects, KeyOrder order) {
  std::string out;
  for (const Object& object : objects) {
    if (!out.empty()) out += "---\n";
    out += to_yaml(object, order);
  }
  return out;
}

std::string to_json(const Value& value, JsonStyle style, KeyOrder order) {
  std::string out;
  print_json(out, value, style, order, 0);
  return out;
}

std::string to_json(const std::vector<Object>& objects, KeyOrder order) {
  List items;
  items.reserve(objects.size());
  for (const Object& object : objects) items.push_back(object.root);
  return to_json(Value(Map{{"apiVersion", Value("v1")},
                           {"kind", Value("List")},
                           {"items", Value(std::move(items))}}),
                 JsonStyle::kPretty, order);
}

}  // namespace sluice::resource
