#include "compile/json.h"

#include <fmt/format.h>

#include <cstdint>

namespace sluice::compile {

namespace {

void write(const resource::Value& value, std::string& out) {
  if (const bool* flag = value.as_bool()) {
    out += *flag ? "true" : "false";
  } else if (const std::int64_t* integer = value.as_int()) {
    out += fmt::format("{}", *integer);
  } else if (const double* number = value.as_double()) {
    out += fmt::format("{}", *number);
  } else if (const std::string* text = value.as_string()) {
    out += json_text(*text);
  } else if (const resource::List* list = value.as_list()) {
    out += '[';
    for (const resource::Value& item : *list) {
      if (&item != list->data()) out += ',';
      write(item, out);
    }
    out += ']';
  } else if (const resource::Map* map = value.as_map()) {
    out += '{';
    for (const resource::Member& member : *map) {
      if (&member != map->begin()) out += ',';
      out += json_text(member.key) + ":";
      write(member.value, out);
    }
    out += '}';
  } else {
    out += "null";
  }
}

}  // namespace

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text[i];
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte == '\r') {
      out += "\\r";
    } else if (byte == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == '<' || byte == '>' || byte == '&') {
      out += fmt::format("\\u{:04x}", byte);
    } else if (text.substr(i, 3) == "\xe2\x80\xa8" || text.substr(i, 3) == "\xe2\x80\xa9") {
      out += text[i + 2] == '\xa8' ? "\\u2028" : "\\u2029";  // line separators, escaped by Go too
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out + '"';
}

std::string json(const resource::Value& value) {
  std::string out;
  write(value, out);
  return out;
}

std::string json(const resource::TextMap& texts) {
  std::string out = "{";
  for (const auto& [key, value] : texts) {
    if (out.size() > 1) out += ',';
    out += json_text(key) + ":" + json_text(value);
  }
  return out + '}';
}

std::string parameters_json(const std::vector<resource::Parameter>& parameters) {
  std::string out = "[";
  for (const resource::Parameter& parameter : parameters) {
    if (out.size() > 1) out += ',';
    out += fmt::format("{{\"name\":{},\"value\":{},\"type\":{}}}", json_text(parameter.name),
                       json_text(parameter.value), json_text(parameter.type));
  }
  return out + ']';
}

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    const std::size_t count = bytes.size() - i < 3 ? bytes.size() - i : 3;
    for (std::size_t k = 0; k < 3; ++k) {
      word = word << 8U | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= count ? kDigits[word >> (18U - 6U * k) & 0x3fU] : '=';
    }
  }
  return out;
}

}  // namespace sluice::compile
