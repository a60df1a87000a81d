#include "model/json_matrix.h"

#include <fmt/core.h>

#include <cmath>
#include <limits>

namespace sluice::model {

namespace json = boost::json;

namespace {

// Replaces NaN, Infinity and -Infinity outside of strings by null. False when there was none.
bool replace_not_numbers(std::string& text) {
  bool replaced = false;
  bool in_string = false;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      out += c;
      if (c == '\\' && i + 1 < text.size()) {
        out += text[++i];
      } else if (c == '"') {
        in_string = false;
      }
      continue;
    }
    const std::string_view rest = std::string_view(text).substr(i);
    std::size_t skip = 0;
    for (const std::string_view token : {"NaN", "Infinity", "-Infinity"}) {
      if (rest.starts_with(token)) skip = token.size();
    }
    if (skip > 0) {
      // An infinity is no missing value: let it fail as a number that is too large.
      out += rest.starts_with("NaN") ? "null" : "1e39";
      replaced = true;
      i += skip - 1;
      continue;
    }
    in_string = c == '"';
    out += c;
  }
  text = std::move(out);
  return replaced;
}

json::value parse_once(std::string_view text, json::error_code& failure) {
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  return json::parse(json::string_view(text.data(), text.size()), failure, {}, options);
}

}  // namespace

Result<json::value> parse_json(std::string_view text) {
  json::error_code failure;
  json::value value = parse_once(text, failure);
  if (!failure) return value;
  if (failure == json::error::syntax) {
    std::string repaired(text);
    json::error_code second;
    if (replace_not_numbers(repaired)) value = parse_once(repaired, second);
    if (!second && repaired != text) return value;
  }
  if (failure == json::error::too_deep) {
    return fail(Blame::kClient,
                fmt::format("the JSON document nests more than {} levels", kJsonDepthMax));
  }
  return fail(Blame::kClient,
              text.empty() ? std::string("the body is empty; a JSON document is expected")
                           : fmt::format("the body is not a JSON document: {}", failure.message()));
}

const char* kind_name(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::string:
      return "text";
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "an object";
    default:
      return "a number";
  }
}

Result<float> to_cell(const json::value& value, std::string_view path, std::size_t row,
                      std::size_t column) {
  double number = 0;
  switch (value.kind()) {
    case json::kind::double_:
      number = value.get_double();
      break;
    case json::kind::int64:
      number = static_cast<double>(value.get_int64());
      break;
    case json::kind::uint64:
      number = static_cast<double>(value.get_uint64());
      break;
    case json::kind::bool_:
      number = value.get_bool() ? 1 : 0;
      break;
    case json::kind::null:
      return std::numeric_limits<float>::quiet_NaN();
    default:
      return fail(Blame::kClient,
                  fmt::format("{}: row {}, column {} is {}; a number or null is expected", path,
                              row, column, kind_name(value)));
  }
  const auto cell = static_cast<float>(number);
  if (std::isinf(cell)) {
    return fail(Blame::kClient, fmt::format("{}: row {}, column {} does not fit a 32-bit number",
                                            path, row, column));
  }
  return cell;
}

Result<Matrix> rows_to_matrix(const json::array& rows, std::string_view path) {
  Matrix matrix;
  matrix.rows = rows.size();
  if (rows.empty()) return fail(Blame::kClient, fmt::format("{} has no rows", path));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const json::array* const row = rows[i].if_array();
    if (row == nullptr) {
      return fail(
          Blame::kClient,
          fmt::format("{}: row {} is {}; a list of rows is expected, as in [[1, 2], [3, 4]]", path,
                      i, kind_name(rows[i])));
    }
    if (i == 0) {
      matrix.columns = row->size();
      matrix.values.reserve(rows.size() * row->size());
    } else if (row->size() != matrix.columns) {
      return fail(
          Blame::kClient,
          fmt::format("{}: row {} has {} values, row 0 has {}; all rows must be of one length",
                      path, i, row->size(), matrix.columns));
    }
    for (std::size_t j = 0; j < row->size(); ++j) {
      SLUICE_TRY(const float cell, to_cell((*row)[j], path, i, j));
      matrix.values.push_back(cell);
    }
  }
  return matrix;
}

Result<Matrix> flat_to_matrix(const json::array& values, std::size_t rows, std::size_t columns,
                              std::string_view path) {
  // Division, not multiplication: the shape is the client's and may overflow.
  if (rows == 0 || columns == 0 || values.size() / columns != rows ||
      values.size() % columns != 0) {
    return fail(Blame::kClient, fmt::format("{} has {} values, which is not the shape [{}, {}]",
                                            path, values.size(), rows, columns));
  }
  Matrix matrix;
  matrix.rows = rows;
  matrix.columns = columns;
  matrix.values.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    SLUICE_TRY(const float cell, to_cell(values[i], path, i / columns, i % columns));
    matrix.values.push_back(cell);
  }
  return matrix;
}

Result<std::vector<std::size_t>> to_shape(const json::value* value, std::string_view path) {
  const json::array* const list = value == nullptr ? nullptr : value->if_array();
  if (list == nullptr)
    return fail(Blame::kClient, fmt::format("{} must be a list of whole numbers", path));
  std::vector<std::size_t> shape;
  for (const json::value& each : *list) {
    std::int64_t number = -1;
    if (each.is_int64()) number = each.get_int64();
    // Protobuf's JSON printers may write whole numbers as doubles.
    if (each.is_double() && each.get_double() >= 0 && each.get_double() < 9e15 &&
        std::floor(each.get_double()) == each.get_double()) {
      number = static_cast<std::int64_t>(each.get_double());
    }
    if (number < 0)
      return fail(Blame::kClient, fmt::format("{} must be a list of whole numbers", path));
    shape.push_back(static_cast<std::size_t>(number));
  }
  return shape;
}

}  // namespace sluice::model
