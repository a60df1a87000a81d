// Errors as values, with blame and place.
// Result<T> is what everything returns that can fail for outside reasons. Our own mistakes are
// assertions (base/assert.h); exceptions never cross a room's border.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace sluice {

enum class Blame : std::uint8_t { kClient, kConfig, kUpstream, kInternal };
enum class Retry : std::uint8_t {
  kNever,
  kIfReused,
  kSafe
};  // kIfReused: the peer closed an idle connection

struct Error {
  Blame blame = Blame::kInternal;  // picks 4xx, status condition, 502/503/504, or 500 + alarm
  Retry retry = Retry::kNever;
  std::string
      what;  // one sentence in the user's words: "traffic of predictors adds up to 90, not 100"
  std::string
      where;  // outermost first: "seldondeployment default/income: spec.predictors[1].traffic"
};

template <class T>
using Result = tl::expected<T, Error>;

// Adds an outer place to `where`; never rewrites `what`.
inline Error within(std::string_view place, Error error) {
  error.where = error.where.empty() ? std::string(place) : std::string(place) + ": " + error.where;
  return error;
}

inline tl::unexpected<Error> fail(Blame blame, std::string what, std::string where = {}) {
  return tl::unexpected<Error>(Error{blame, Retry::kNever, std::move(what), std::move(where)});
}

// "where: what", or just "what".
inline std::string to_string(const Error& error) {
  return error.where.empty() ? error.what : error.where + ": " + error.what;
}

}  // namespace sluice

#define SLUICE_CONCAT_(a, b) a##b
#define SLUICE_CONCAT(a, b) SLUICE_CONCAT_(a, b)
// SLUICE_TRY(auto value, expression): declares value, or returns the expression's error.
#define SLUICE_TRY(declaration, expression) \
  SLUICE_TRY_(declaration, expression, SLUICE_CONCAT(sluice_try_, __LINE__))
#define SLUICE_TRY_(declaration, expression, temporary)                                 \
  auto temporary = (expression);                                                        \
  if (!temporary) return tl::unexpected<::sluice::Error>(std::move(temporary).error()); \
  declaration = std::move(*temporary)
// SLUICE_CHECK(expression): returns the error of a Result whose value nobody needs.
#define SLUICE_CHECK(expression)                       \
  if (auto sluice_check = (expression); !sluice_check) \
  return tl::unexpected<::sluice::Error>(std::move(sluice_check).error())
