#include "route/match.h"

#include <re2/re2.h>

#include <utility>

#include "base/text.h"

namespace sluice::route {
namespace {

// Istio's limit for Envoy's RE2 (re2.max_program_size.error_level).
constexpr int kProgramSizeMax = 32'768;

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) noexcept {
  return text.size() >= prefix.size() && equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

bool has_accepted_field(const RequestHead& request, const HeaderMatch& match) noexcept {
  for (const Field& field : request.fields) {
    if (field.name == match.name && match.value.accepts(field.value)) return true;
  }
  return false;
}

bool is_refused_by(const RequestHead& request, const HeaderMatch& unwanted) noexcept {
  if (request.field(unwanted.name) != nullptr) return has_accepted_field(request, unwanted);
  return unwanted.value.kind != StringMatch::Kind::kPresent && unwanted.value.accepts("");
}

// The raw value of the first parameter of that name; false when there is none.
bool find_parameter(std::string_view query, std::string_view name,
                    std::string_view& value) noexcept {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) != name) continue;
    value = equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    return true;
  }
  return false;
}

}  // namespace

struct Regex::Impl {
  explicit Impl(std::string_view pattern) : re2(piece(pattern), re2::RE2::Quiet) {}
  re2::RE2 re2;
};

Regex::Regex(std::string pattern, std::unique_ptr<const Impl> impl)
    : pattern_(std::move(pattern)), impl_(std::move(impl)) {}

Regex::~Regex() = default;

Result<std::shared_ptr<const Regex>> Regex::make(std::string_view pattern) {
  auto impl = std::make_unique<const Impl>(pattern);
  if (!impl->re2.ok()) {
    return fail(Blame::kConfig,
                "regular expression \"" + std::string(pattern) + "\": " + impl->re2.error());
  }
  if (impl->re2.ProgramSize() > kProgramSizeMax) {
    return fail(Blame::kConfig, "regular expression of program size " +
                                    std::to_string(impl->re2.ProgramSize()) +
                                    "; the greatest allowed is " + std::to_string(kProgramSizeMax));
  }
  return std::shared_ptr<const Regex>(new Regex(std::string(pattern), std::move(impl)));
}

bool Regex::matches(std::string_view text) const noexcept {
  return impl_->re2.Match(piece(text), 0, text.size(), re2::RE2::ANCHOR_BOTH, nullptr, 0);
}

bool Regex::replace_all(std::string& text, std::string_view substitution) const {
  return re2::RE2::GlobalReplace(&text, impl_->re2, piece(substitution)) > 0;
}

bool StringMatch::accepts(std::string_view value) const noexcept {
  switch (kind) {
    case Kind::kExact:
      return ignore_case ? equal_ignoring_case(value, text) : value == text;
    case Kind::kPrefix:
      return ignore_case ? starts_with_ignoring_case(value, text) : value.starts_with(text);
    case Kind::kRegex:
      return regex->matches(value);
    case Kind::kPresent:
      return true;
  }
  return false;
}

bool Match::accepts(const RequestHead& request) const noexcept {
  if (uri && !uri->accepts(request.path)) return false;
  return accepts_but_uri(request);
}

bool Match::accepts_but_uri(const RequestHead& request) const noexcept {
  if (method && !method->accepts(request.method)) return false;
  if (scheme && !scheme->accepts(request.scheme)) return false;
  if (authority && !authority->accepts(request.authority)) return false;
  for (const HeaderMatch& wanted : headers) {
    if (!has_accepted_field(request, wanted)) return false;
  }
  for (const HeaderMatch& unwanted : without_headers) {
    if (is_refused_by(request, unwanted)) return false;
  }
  for (const HeaderMatch& wanted : query_params) {
    std::string_view value;
    if (!find_parameter(request.query, wanted.name, value) || !wanted.value.accepts(value)) {
      return false;
    }
  }
  return true;
}

bool Match::is_catch_all() const noexcept {
  const bool any_path = !uri || (uri->kind == StringMatch::Kind::kPrefix && uri->text == "/") ||
                        (uri->kind == StringMatch::Kind::kRegex && uri->text == ".*");
  return any_path && !method && !scheme && !authority && headers.empty() &&
         without_headers.empty() && query_params.empty();
}

}  // namespace sluice::route
