// The graph's metadata: what its units say of themselves, printed again as Go prints it.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "executor/message.h"
#include "executor/reply.h"
#include "resource/parse.h"

namespace sluice::executor {

namespace {

using resource::Value;

void print_text(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      escaped += '\\';
      escaped += c;
    } else if (c == '\n') {
      escaped += "\\n";
    } else if (c == '\r') {
      escaped += "\\r";
    } else if (c == '\t') {
      escaped += "\\t";
    } else if (byte < 0x20) {
      escaped.append("\\u00").append(1, kHex[byte >> 4U]).append(1, kHex[byte & 15U]);
    } else {
      escaped += c;
    }
  }
  escape_html(escaped);
  out.append("\"").append(escaped).append("\"");
}

// Shortest form; without an exponent from 1e-6 up to 1e21 (encoding/json's rule).
void print_number(std::string& out, double number) {
  char text[400];
  const double size = std::fabs(number);
  const bool is_fixed = size == 0 || (size >= 1e-6 && size < 1e21);
  const auto done =
      std::to_chars(text, text + sizeof text, number,
                    is_fixed ? std::chars_format::fixed : std::chars_format::scientific);
  std::string printed(text, done.ptr);
  const auto exponent = printed.find("e-0");
  if (exponent != std::string::npos) printed.erase(exponent + 2, 1);
  out += printed;
}

// Compact, keys sorted. Recursion is bounded: documents nest limits::kDocumentNestingMax deep.
void print(std::string& out, const Value& value) {
  if (value.is_null()) {
    out += "null";
  } else if (const bool* flag = value.as_bool(); flag != nullptr) {
    out += *flag ? "true" : "false";
  } else if (const std::int64_t* integer = value.as_int(); integer != nullptr) {
    out += std::to_string(*integer);
  } else if (const double* number = value.as_double(); number != nullptr) {
    print_number(out, *number);
  } else if (value.is_string()) {
    print_text(out, value.text());
  } else if (value.is_list()) {
    out += '[';
    for (const Value& each : value.list()) {
      if (&each != value.list().data()) out += ',';
      print(out, each);
    }
    out += ']';
  } else {
    std::vector<const resource::Member*> members;
    for (const resource::Member& member : value.map()) members.push_back(&member);
    std::sort(members.begin(), members.end(),
              [](const auto* a, const auto* b) { return a->key < b->key; });
    out += '{';
    for (const resource::Member* member : members) {
      if (member != members.front()) out += ',';
      print_text(out, member->key);
      out += ':';
      print(out, member->value);
    }
    out += '}';
  }
}

bool is_empty(const Value& value) noexcept {
  return value.is_null() || (value.is_string() && value.text().empty());
}

}  // namespace

Result<std::string> graph_metadata(const Predictor& predictor, const std::string& metadata) {
  const Unit& unit = predictor.graph;
  resource::Budget budget;
  if (resource::find_bad_character(metadata, 1)) {
    return fail(Blame::kUpstream, "its metadata is no JSON text", unit.name);
  }
  const resource::Parsed parsed = resource::parse_json(metadata, 1, budget);
  if (parsed.failure || parsed.documents.size() != 1 || !parsed.documents[0].root.is_map()) {
    return fail(Blame::kUpstream, "its metadata is no JSON object", unit.name);
  }
  const Value& model = parsed.documents[0].root;
  std::string out = "{\"name\":";
  print_text(out, predictor.name);
  out += ",\"models\":{";
  print_text(out, unit.name);
  out += ":{";
  bool is_first = true;
  for (const std::string_view key :
       {"name", "platform", "versions", "inputs", "outputs", "custom"}) {
    const Value& value = model.at(key);
    const bool is_free = key == "inputs" || key == "outputs";
    if (is_empty(value)) continue;
    if (!is_free &&
        ((value.is_list() && value.list().empty()) || (value.is_map() && value.map().empty()))) {
      continue;
    }
    if (!is_first) out += ',';
    is_first = false;
    print_text(out, key);
    out += ':';
    print(out, value);
  }
  out += "}},\"graphinputs\":";
  print(out, model.at("inputs"));
  out += ",\"graphoutputs\":";
  print(out, model.at("outputs"));
  out += '}';
  return out;
}

}  // namespace sluice::executor
