// What an unquoted YAML word means. Kubernetes users get the rules of go-yaml v2 (through
// sigs.k8s.io/yaml and then JSON), so these are the rules here: YAML 1.1 words are booleans, 0777
// is octal, timestamps and 12:30:45 stay strings, and 1.0 is the integer 1 (JSON has one number
// type).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "resource/value.h"

namespace sluice::resource {

enum class Surprise : std::uint8_t {
  kNone,
  kBooleanWord,  // on, off, yes, no, y, n: a boolean by YAML 1.1, a string by YAML 1.2
  kOctal,        // 0777: a number to the base 8
  kUnderscore,   // 1_000: the underscore is dropped
  kNotFinite,    // .inf, .nan: JSON, and so Kubernetes, has no such number
};

struct Resolved {
  Value value;
  Surprise surprise = Surprise::kNone;
};

Resolved resolve_plain(std::string_view text);

// Whether `text` written without quotes is read as that very string by go-yaml, by PyYAML
// (YAML 1.1) and by YAML 1.2 readers, as far as its type goes (indicators and blanks are print.cc's
// business).
bool is_string_everywhere(std::string_view text);

// As Go writes a float64 in JSON, with a point or an exponent that every YAML reader takes for a
// float: "0.5", "1.0e+30".
std::string double_to_text(double number);

}  // namespace sluice::resource
