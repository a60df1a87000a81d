// Text to trees: the part of reading that knows YAML or JSON and nothing of Kubernetes. Documents
// are read by read.h, which uses this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "resource/diagnostic.h"
#include "resource/value.h"

namespace sluice::resource {

// What one file may still use up. Shared by all of its documents, so that many small bombs are as
// bounded as one large one.
struct Budget {
  std::size_t values = limits::kDocumentValuesMax;
  std::size_t alias_values = limits::kDocumentAliasValuesMax;
  std::size_t documents = limits::kDocumentsMax;
  std::size_t problems = limits::kDocumentProblemsMax;
  unsigned nesting = limits::kDocumentNestingMax;
};

struct Document {
  Value root;
  Diagnostics diagnostics;
  bool refused = false;  // there was an error, perhaps one beyond those that are listed
};

struct Parsed {
  std::vector<Document> documents;
  std::optional<Diagnostic> failure;  // what stopped the parser, if it did not reach the end
  Value rest;                         // what was understood of the document that failed
  bool out_of_budget = false;         // the failure ends the file, not just this piece of it
};

// `text` is a piece of a file that begins at its line `first_line`. It is valid UTF-8 without
// control characters (find_bad_character says so). Neither function throws or recurses without
// bound.
Parsed parse_yaml(std::string_view text, std::uint32_t first_line, Budget& budget);
Parsed parse_json(std::string_view text, std::uint32_t first_line, Budget& budget);

// The first place that no YAML may have: NUL and other control characters, or bytes that are no
// UTF-8. Nothing when all is well.
std::optional<Diagnostic> find_bad_character(std::string_view text, std::uint32_t first_line);

// Adds a member that may be there already: then reports it (code "duplicate-key") and drops the new
// one.
class KeySet {
 public:
  KeySet();
  KeySet(KeySet&&) noexcept;
  KeySet& operator=(KeySet&&) noexcept;
  ~KeySet();
  // The member of `map` with that key; nullptr when it is new. Cost does not grow with the map.
  const Member* find(const Map& map, std::string_view key);
  void added(const Map& map);

 private:
  struct Index;
  Index* index_ = nullptr;  // only for maps with many keys; owned
};

// Bytes that are no UTF-8 replaced by U+FFFD, as Go's JSON writer does.
std::string repaired_utf8(std::string_view bytes);
// Text of a user, cut to a length that fits in a message.
std::string shorten(std::string_view text);
// Adds to the document's diagnostics while the budget lasts.
void report(Document& document, Budget& budget, Diagnostic diagnostic);
Diagnostic problem(Severity severity, std::string code, Place place, std::string field,
                   std::string what, std::string hint = {});
Diagnostic duplicate_key(const Member& first, Place place, std::string field);

}  // namespace sluice::resource
