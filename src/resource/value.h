// A document as a tree of values, each of which knows where it was written.
// Plain value type: copy, move, compare (places do not count in ==). Thread: as any value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sluice::resource {

// Where something was written; 1-based; line 0: made by the program.
struct Place {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

class Value;
struct Member;

using List = std::vector<Value>;

// Keys in the order written; a key occurs once. Look-up is a scan: documents have few keys a level.
class Map {
 public:
  Map();
  Map(std::initializer_list<std::pair<std::string_view, Value>> members);
  Map(const Map&);
  Map(Map&&) noexcept;
  Map& operator=(const Map&);
  Map& operator=(Map&&) noexcept;
  ~Map();

  const Value* find(std::string_view key) const noexcept;  // nullptr when absent
  Value* find(std::string_view key) noexcept;
  const Member* member(std::string_view key) const noexcept;
  // Sets or replaces; a new key goes to the end. Returns the value in the map.
  Value& set(std::string_view key, Value value);
  Value& set(std::string_view key, Value value, Place key_place);
  // Adds at the end without a look. REQUIRES: the key is not there.
  Value& append(std::string key, Value value, Place key_place = {});
  bool erase(std::string_view key);
  void reserve(std::size_t count);

  bool empty() const noexcept;
  std::size_t size() const noexcept;
  const Member* begin() const noexcept;
  const Member* end() const noexcept;
  Member* begin() noexcept;
  Member* end() noexcept;

 private:
  std::vector<Member> members_;
};

// The same keys with equal values, in any order.
bool operator==(const Map& a, const Map& b);

class Value {
 public:
  Value() = default;  // null
  Value(std::nullptr_t) {}
  Value(bool flag) : data_(flag) {}
  Value(int number) : data_(std::int64_t{number}) {}
  Value(std::int64_t number) : data_(number) {}
  Value(double number) : data_(number) {}
  Value(std::string text) : data_(std::move(text)) {}
  Value(std::string_view text) : data_(std::string(text)) {}
  Value(const char* text) : data_(std::string(text)) {}
  Value(List list) : data_(std::move(list)) {}
  Value(Map map) : data_(std::move(map)) {}

  bool is_null() const noexcept { return std::holds_alternative<std::monostate>(data_); }
  bool is_bool() const noexcept { return std::holds_alternative<bool>(data_); }
  bool is_int() const noexcept { return std::holds_alternative<std::int64_t>(data_); }
  bool is_double() const noexcept { return std::holds_alternative<double>(data_); }
  bool is_number() const noexcept { return is_int() || is_double(); }
  bool is_string() const noexcept { return std::holds_alternative<std::string>(data_); }
  bool is_list() const noexcept { return std::holds_alternative<List>(data_); }
  bool is_map() const noexcept { return std::holds_alternative<Map>(data_); }
  const char* type_name()
      const noexcept;  // "null", "boolean", "integer", "number", "string", "list", "map"

  // The value if it is of that type, else nullptr.
  const bool* as_bool() const noexcept { return std::get_if<bool>(&data_); }
  const std::int64_t* as_int() const noexcept { return std::get_if<std::int64_t>(&data_); }
  const double* as_double() const noexcept { return std::get_if<double>(&data_); }
  const std::string* as_string() const noexcept { return std::get_if<std::string>(&data_); }
  const List* as_list() const noexcept { return std::get_if<List>(&data_); }
  const Map* as_map() const noexcept { return std::get_if<Map>(&data_); }
  List* as_list() noexcept { return std::get_if<List>(&data_); }
  Map* as_map() noexcept { return std::get_if<Map>(&data_); }

  // Forgiving readers, for values whose types were checked before (resource/check.h): the default
  // when the value is absent or of another type. `at` walks maps: value.at("spec").at("replicas").
  const Value& at(std::string_view key) const noexcept;  // a static null value when there is none
  const Value& at(std::size_t index) const noexcept;
  std::string_view text(std::string_view otherwise = {}) const noexcept;
  std::int64_t integer(std::int64_t otherwise = 0) const noexcept;
  double number(double otherwise = 0) const noexcept;  // integers too
  bool flag(bool otherwise = false) const noexcept;
  const List& list() const noexcept;  // empty when it is no list
  const Map& map() const noexcept;    // empty when it is no map

  // Where it was written.
  Place place;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> data_;
  friend bool operator==(const Value& a, const Value& b);
};

bool operator==(const Value& a, const Value& b);

struct Member {
  std::string key;
  Value value;
  Place key_place;
};

}  // namespace sluice::resource
