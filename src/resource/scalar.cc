#include "resource/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace sluice::resource {

namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// go-yaml v2, resolve.go: each word in these three spellings, and no other.
struct Word {
  std::array<std::string_view, 3> spellings;
  bool value;
  bool surprising;
};
constexpr std::array<Word, 8> kBooleanWords = {{
    {{"true", "True", "TRUE"}, true, false},
    {{"false", "False", "FALSE"}, false, false},
    {{"yes", "Yes", "YES"}, true, true},
    {{"no", "No", "NO"}, false, true},
    {{"on", "On", "ON"}, true, true},
    {{"off", "Off", "OFF"}, false, true},
    {{"y", "Y", "y"}, true, true},
    {{"n", "N", "n"}, false, true},
}};

const Word* boolean_word(std::string_view text) noexcept {
  if (text.size() > 5) return nullptr;
  for (const Word& word : kBooleanWords) {
    for (const std::string_view spelling : word.spellings) {
      if (text == spelling) return &word;
    }
  }
  return nullptr;
}

bool is_null_word(std::string_view text) noexcept {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

// ".inf", "-.INF", ".nan"
std::optional<double> special_float(std::string_view text) noexcept {
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return std::nan("");
  const bool negative = !text.empty() && text.front() == '-';
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  if (text == ".inf" || text == ".Inf" || text == ".INF") return negative ? -INFINITY : INFINITY;
  return std::nullopt;
}

// Go's strconv.ParseInt(text, 0, 64): 0x, 0o, 0b and the leading 0 choose the base. A number that
// needs all 64 bits is a float here, since that is what Kubernetes makes of it.
struct Integer {
  std::int64_t value = 0;
  double wide = 0;
  bool is_wide = false;
  bool octal = false;  // by a leading 0
};
std::optional<Integer> parse_integer(std::string_view text) noexcept {
  const bool negative = text.front() == '-';
  if (text.front() == '-' || text.front() == '+') text.remove_prefix(1);
  int base = 10;
  Integer result;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = text[1];
    if (mark == 'x' || mark == 'X') {
      base = 16;
    } else if (mark == 'o' || mark == 'O') {
      base = 8;
    } else if (mark == 'b' || mark == 'B') {
      base = 2;
    } else {
      base = 8;
      result.octal = true;
    }
    text.remove_prefix(result.octal ? 1 : 2);
  }
  if (text.empty() || text.front() == '-' || text.front() == '+') return std::nullopt;
  std::uint64_t magnitude = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  constexpr std::uint64_t kTop = std::uint64_t{1} << 63U;
  if (magnitude < kTop || (negative && magnitude == kTop)) {
    result.value = static_cast<std::int64_t>(negative ? ~magnitude + 1 : magnitude);
    return result;
  }
  if (negative) return std::nullopt;  // ParseUint takes no sign
  result.is_wide = true;
  result.wide = static_cast<double>(magnitude);
  return result;
}

// ^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$
bool is_float_text(std::string_view text) noexcept {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - from;
  };
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
  const std::size_t whole = digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0 && whole == 0) return false;
  } else if (whole == 0) {
    return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

// Nothing when it is too large: go-yaml then keeps the text.
std::optional<double> parse_double(std::string_view text) noexcept {
  if (text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc::result_out_of_range) return value;
  const auto exponent = text.find_first_of("eE");
  const bool tiny = exponent != std::string_view::npos &&
                    text.substr(exponent).find('-') != std::string_view::npos;
  return tiny ? std::optional<double>(0.0) : std::nullopt;
}

// A float with a whole value is an integer after the passage through JSON.
Value number_value(double number) {
  constexpr double kTop = 9223372036854775808.0;  // 2^63
  if (std::isfinite(number) && number == std::floor(number) && number > -kTop && number < kTop) {
    return Value(static_cast<std::int64_t>(number));
  }
  return Value(number);
}

// YAML 1.1 base 60 (12:30:45, 1:30.5) and dates: numbers and dates to PyYAML, strings to go-yaml.
bool is_sexagesimal_or_date(std::string_view text) noexcept {
  if (text.front() == '-' || text.front() == '+') text.remove_prefix(1);
  if (text.empty() || !is_digit(text.front())) return false;
  if (text.find(':') != std::string_view::npos) {
    if (std::all_of(text.begin(), text.end(),
                    [](char c) { return is_digit(c) || c == ':' || c == '_' || c == '.'; })) {
      return true;
    }
  }
  const bool dated = text.size() >= 8 && is_digit(text[1]) && is_digit(text[2]) &&
                     is_digit(text[3]) && text[4] == '-';
  return dated && std::all_of(text.begin(), text.end(), [](char c) {
           return is_digit(c) || c == '-' || c == ':' || c == '.' || c == 'T' || c == 't' ||
                  c == 'Z' || c == ' ' || c == '+';
         });
}

// What any reader might take for a number: digits, signs, points, underscores, one exponent.
bool is_numeric_to_someone(std::string_view text) {
  std::string plain(text);
  std::erase(plain, '_');
  if (plain.empty() || plain == "-" || plain == "+") return false;
  if (is_float_text(plain)) return true;
  if (is_digit(plain.back()) || is_digit(plain.front())) {
    if (parse_integer(plain).has_value()) return true;
  }
  return false;
}

}  // namespace

Resolved resolve_plain(std::string_view text) {
  if (is_null_word(text)) return {Value(), Surprise::kNone};
  const char first = text.front();
  if (is_digit(first) || first == '-' || first == '+' || first == '.') {
    if (const auto special = special_float(text)) return {Value(*special), Surprise::kNotFinite};
    if (is_sexagesimal_or_date(text)) return {Value(text), Surprise::kNone};
    std::string plain(text);
    const bool underscored = std::erase(plain, '_') > 0 && first != '.';
    if (!plain.empty() && first != '.') {
      if (const auto integer = parse_integer(plain)) {
        const Surprise surprise = integer->octal ? Surprise::kOctal
                                  : underscored  ? Surprise::kUnderscore
                                                 : Surprise::kNone;
        return {integer->is_wide ? Value(integer->wide) : Value(integer->value), surprise};
      }
    }
    const std::string_view candidate = first == '.' ? text : std::string_view(plain);
    if (is_float_text(candidate)) {
      if (const auto number = parse_double(candidate)) {
        return {number_value(*number), underscored ? Surprise::kUnderscore : Surprise::kNone};
      }
    }
    return {Value(text), Surprise::kNone};
  }
  if (const Word* word = boolean_word(text)) {
    return {Value(word->value), word->surprising ? Surprise::kBooleanWord : Surprise::kNone};
  }
  return {Value(text), Surprise::kNone};
}

bool is_string_everywhere(std::string_view text) {
  if (is_null_word(text) || boolean_word(text) != nullptr) return false;
  if (text == "=" || text == "<<") return false;  // YAML 1.1 value and merge keys
  const char first = text.front();
  if (!is_digit(first) && first != '-' && first != '+' && first != '.') return true;
  return !special_float(text) && !is_sexagesimal_or_date(text) && !is_numeric_to_someone(text);
}

std::string double_to_text(double number) {
  if (std::isnan(number)) return ".nan";
  if (std::isinf(number)) return number < 0 ? "-.inf" : ".inf";
  std::array<char, 40> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  std::string text(buffer.data(), end);
  const auto exponent = text.find('e');
  if (text.find('.') == std::string::npos) {
    text.insert(exponent == std::string::npos ? text.size() : exponent, ".0");
  }
  return text;
}

}  // namespace sluice::resource
