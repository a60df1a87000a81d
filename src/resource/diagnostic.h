// What we have to say about a user's document, with its place.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "resource/value.h"

namespace sluice::resource {

enum class Severity : std::uint8_t {
  kError,
  kWarning
};  // an error refuses the object; a warning never does

struct Diagnostic {
  Severity severity = Severity::kError;
  std::string code;  // stable, in docs/reference/errors.md: "unknown-field", "traffic-sum"
  std::string file;  // as given by the user; "-" for standard input; "" when made by the program
  Place place;
  std::string object;  // "SeldonDeployment default/iris", or ""
  std::string field;   // "spec.predictors[1].traffic", or ""
  std::string what;    // one sentence: what is wrong
  std::string hint;    // what to do, or what was probably meant; may be empty
};

using Diagnostics = std::vector<Diagnostic>;

// The same problem told twice (one place, one code) becomes one: the first one's words, the worse
// severity. For those who ask several rooms about one document.
void deduplicate(Diagnostics& diagnostics);
bool has_errors(const Diagnostics& diagnostics);
// "iris.yaml:12:7: error: SeldonDeployment default/iris: spec.predictors[0].trafic: unknown field;
// did you mean "traffic"? [unknown-field]"
std::string to_string(const Diagnostic& diagnostic);

}  // namespace sluice::resource
