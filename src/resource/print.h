// Values to text. What is printed and read again is equal: by sluice, go-yaml (kubectl) and PyYAML.
// Two exceptions, both of JSON's making: a float with a whole value comes back as an integer, and
// JSON has no NaN or infinity (printed as null).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "resource/object.h"
#include "resource/value.h"

namespace sluice::resource {

enum class KeyOrder : std::uint8_t {
  kAsWritten,
  kSorted
};  // kSorted: bytewise, as kubectl and Go do
enum class JsonStyle : std::uint8_t { kCompact, kPretty };  // kPretty: two blanks a level

// Block style, lists not indented below their key, as kubectl prints. Ends in a line break.
std::string to_yaml(const Value& value, KeyOrder order = KeyOrder::kAsWritten);
std::string to_yaml(const Object& object, KeyOrder order = KeyOrder::kAsWritten);
// Documents with "---" between them.
std::string to_yaml(const std::vector<Object>& objects, KeyOrder order = KeyOrder::kAsWritten);

// Compact: {"a":1,"b":[true]} without a line break. Pretty ends without one, too.
std::string to_json(const Value& value, JsonStyle style = JsonStyle::kCompact,
                    KeyOrder order = KeyOrder::kAsWritten);
// A v1 List of the objects, pretty.
std::string to_json(const std::vector<Object>& objects, KeyOrder order = KeyOrder::kAsWritten);

// `text` as a JSON string, quotes and all.
std::string json_quoted(std::string_view text);

}  // namespace sluice::resource
