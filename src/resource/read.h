// Text to objects: YAML or JSON, any number of documents, `List` kinds taken apart.
// Pure, any thread, never throws; hostile text costs no more than base/limits.h allows.
//
// One bad document does not lose the others of its file: the text is cut at lines that begin with
// "---" (as kubectl does) before a YAML parser sees it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "resource/object.h"

namespace sluice::resource {

struct ReadResult {
  std::vector<Object> objects;  // in the order written; none of them has an error in `diagnostics`
  Diagnostics diagnostics;      // in the order of the text

  // Objects that the text has, but not fit to be used (a duplicate key, a syntax error behind their
  // metadata). Whoever keeps a last good state keeps it for these.
  std::vector<ObjectKey> refused;
  // False when some document is so broken that nobody can say which object it was: then a missing
  // object is no removed object.
  bool complete = true;
};

// `file` as the user gave it ("-" for standard input); may be nullptr.
ReadResult read(std::string_view text, std::shared_ptr<const std::string> file);

// One object from a tree made by the program, or from an API server. Fails (kConfig) when
// apiVersion or kind is missing.
Result<Object> make_object(Value root, std::shared_ptr<const std::string> file = nullptr);

}  // namespace sluice::resource
