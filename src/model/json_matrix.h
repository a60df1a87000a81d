// Reads numbers out of parsed JSON into a matrix. Includes Boost.JSON: for .cc files of this room
// only.
#pragma once

#include <boost/json.hpp>  // tree-check: allow: no other header of this room, nor another room, includes this one
#include <string>
#include <string_view>

#include "model/booster.h"

namespace sluice::model {

inline constexpr std::size_t kJsonDepthMax = 32;  // 400 beyond; a request nests some 6 deep

// One document. Also accepts the tokens NaN, Infinity and -Infinity as Python's json module writes
// them: they become null (missing).
Result<boost::json::value> parse_json(std::string_view text);

// A number; null is NaN (missing), true and false are 1 and 0. `path` is for the error alone.
Result<float> to_cell(const boost::json::value& value, std::string_view path, std::size_t row,
                      std::size_t column);
// [[1, 2], [3, 4]]
Result<Matrix> rows_to_matrix(const boost::json::array& rows, std::string_view path);
// A flat list, row after row.
Result<Matrix> flat_to_matrix(const boost::json::array& values, std::size_t rows,
                              std::size_t columns, std::string_view path);
// A list of whole numbers, none negative.
Result<std::vector<std::size_t>> to_shape(const boost::json::value* value, std::string_view path);

// "a list", "text", …: for errors.
const char* kind_name(const boost::json::value& value);

}  // namespace sluice::model
