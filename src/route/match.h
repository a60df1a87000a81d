// Conditions on a request, and the view of a request that they look at.
// Source: VirtualService HTTPMatchRequest and StringMatch, as Istio's ingress gateway applies them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/field.h"
#include "base/result.h"

namespace sluice::route {

// What routing looks at. The gateway fills it from a parsed request; nothing is owned.
struct RequestHead {
  std::string_view method;
  std::string_view scheme;        // "http" or "https": what the connection is
  std::string_view authority;     // Host or :authority as sent, port and case included
  std::string_view host;          // the same in lower case, without the port
  std::string_view path;          // normalised, without query
  std::string_view query;         // without '?'; empty when none
  std::span<const Field> fields;  // names in lower case
  // The first field of that name, or nullptr.
  const Field* field(std::string_view name) const noexcept {
    for (const Field& each : fields) {
      if (each.name == name) return &each;
    }
    return nullptr;
  }
};

// RE2, whole text, as Envoy's safe_regex. Immutable; any thread.
class Regex {
 public:
  // Fails (kConfig) with RE2's reason.
  static Result<std::shared_ptr<const Regex>> make(std::string_view pattern);
  ~Regex();
  bool matches(std::string_view text) const noexcept;  // the whole text
  // Every non-overlapping match replaced; \1..\9 are groups. False: no match, `text` untouched.
  bool replace_all(std::string& text, std::string_view substitution) const;
  const std::string& pattern() const noexcept { return pattern_; }

 private:
  struct Impl;
  Regex(std::string pattern, std::unique_ptr<const Impl> impl);
  std::string pattern_;
  std::unique_ptr<const Impl> impl_;
};

struct StringMatch {
  enum class Kind : std::uint8_t { kExact, kPrefix, kRegex, kPresent };
  Kind kind = Kind::kExact;
  bool ignore_case = false;                             // exact and prefix only
  std::string text;                                     // of a regex: the pattern
  std::shared_ptr<const Regex> regex;                   // set iff kind is kRegex
  bool accepts(std::string_view value) const noexcept;  // kPresent: always
};

// `name` in lower case. Several headers of one name: enough that one matches.
struct HeaderMatch {
  std::string name;
  StringMatch value;
};

// All conditions must hold. An empty Match accepts everything.
struct Match {
  std::optional<StringMatch> uri;
  std::optional<StringMatch> method;
  std::optional<StringMatch> scheme;
  std::optional<StringMatch> authority;
  std::vector<HeaderMatch> headers;
  std::vector<HeaderMatch> without_headers;  // an absent header counts as "", except for kPresent
  std::vector<HeaderMatch>
      query_params;  // names with regard to case, raw text, the first of a name decides

  bool accepts(const RequestHead& request) const noexcept;  // the law; no allocation
  // The same without a look at `uri`, for those who know already that it accepts.
  bool accepts_but_uri(const RequestHead& request) const noexcept;
  // Prefix "/" or regex ".*" (or no uri) and nothing else: Istio moves these behind all others.
  bool is_catch_all() const noexcept;
};

}  // namespace sluice::route
