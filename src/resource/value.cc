#include "resource/value.h"

#include <algorithm>

namespace sluice::resource {

namespace {
const Value kNull;
const List kNoList;
const Map kNoMap;
}  // namespace

Map::Map() = default;
Map::Map(const Map&) = default;
Map::Map(Map&&) noexcept = default;
Map& Map::operator=(const Map&) = default;
Map& Map::operator=(Map&&) noexcept = default;
Map::~Map() = default;

Map::Map(std::initializer_list<std::pair<std::string_view, Value>> members) {
  members_.reserve(members.size());
  for (const auto& [key, value] : members) set(key, value);
}

const Member* Map::member(std::string_view key) const noexcept {
  for (const Member& member : members_) {
    if (member.key == key) return &member;
  }
  return nullptr;
}

const Value* Map::find(std::string_view key) const noexcept {
  const Member* found = member(key);
  return found == nullptr ? nullptr : &found->value;
}

Value* Map::find(std::string_view key) noexcept {
  for (Member& member : members_) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

Value& Map::set(std::string_view key, Value value) { return set(key, std::move(value), Place{}); }

Value& Map::set(std::string_view key, Value value, Place key_place) {
  if (Value* found = find(key); found != nullptr) {
    *found = std::move(value);
    return *found;
  }
  members_.push_back(Member{std::string(key), std::move(value), key_place});
  return members_.back().value;
}

Value& Map::append(std::string key, Value value, Place key_place) {
  members_.push_back(Member{std::move(key), std::move(value), key_place});
  return members_.back().value;
}

bool Map::erase(std::string_view key) {
  return std::erase_if(members_, [&](const Member& member) { return member.key == key; }) > 0;
}

void Map::reserve(std::size_t count) { members_.reserve(count); }

bool Map::empty() const noexcept { return members_.empty(); }
std::size_t Map::size() const noexcept { return members_.size(); }
const Member* Map::begin() const noexcept { return members_.data(); }
const Member* Map::end() const noexcept { return members_.data() + members_.size(); }
Member* Map::begin() noexcept { return members_.data(); }
Member* Map::end() noexcept { return members_.data() + members_.size(); }

namespace {

// In the order of keys: for maps too large to look each key up by a scan.
std::vector<const Member*> sorted(const Map& map) {
  std::vector<const Member*> members;
  members.reserve(map.size());
  for (const Member& member : map) members.push_back(&member);
  std::sort(members.begin(), members.end(),
            [](const Member* x, const Member* y) { return x->key < y->key; });
  return members;
}

}  // namespace

bool operator==(const Map& a, const Map& b) {
  constexpr std::size_t kScanMax = 64;
  if (a.size() != b.size()) return false;
  const auto same = [](const Member& x, const Member& y) {
    return x.key == y.key && x.value == y.value;
  };
  // Mostly the order is the same, too.
  const auto [in_a, in_b] =
      std::mismatch(a.begin(), a.end(), b.begin(),
                    [](const Member& x, const Member& y) { return x.key == y.key; });
  if (in_a == a.end()) return std::equal(a.begin(), a.end(), b.begin(), same);
  if (a.size() > kScanMax) {
    const auto left = sorted(a);
    const auto right = sorted(b);
    return std::equal(left.begin(), left.end(), right.begin(),
                      [&](const Member* x, const Member* y) { return same(*x, *y); });
  }
  return std::all_of(a.begin(), a.end(), [&](const Member& member) {
    const Value* other = b.find(member.key);
    return other != nullptr && *other == member.value;
  });
}

bool operator==(const Value& a, const Value& b) { return a.data_ == b.data_; }

const char* Value::type_name() const noexcept {
  switch (data_.index()) {
    case 1:
      return "boolean";
    case 2:
      return "integer";
    case 3:
      return "number";
    case 4:
      return "string";
    case 5:
      return "list";
    case 6:
      return "map";
    default:
      return "null";
  }
}

const Value& Value::at(std::string_view key) const noexcept {
  const Map* map = as_map();
  const Value* found = map == nullptr ? nullptr : map->find(key);
  return found == nullptr ? kNull : *found;
}

const Value& Value::at(std::size_t index) const noexcept {
  const List* list = as_list();
  return list == nullptr || index >= list->size() ? kNull : (*list)[index];
}

std::string_view Value::text(std::string_view otherwise) const noexcept {
  const std::string* found = as_string();
  return found == nullptr ? otherwise : std::string_view(*found);
}

std::int64_t Value::integer(std::int64_t otherwise) const noexcept {
  const std::int64_t* found = as_int();
  return found == nullptr ? otherwise : *found;
}

double Value::number(double otherwise) const noexcept {
  if (const double* found = as_double(); found != nullptr) return *found;
  const std::int64_t* found = as_int();
  return found == nullptr ? otherwise : static_cast<double>(*found);
}

bool Value::flag(bool otherwise) const noexcept {
  const bool* found = as_bool();
  return found == nullptr ? otherwise : *found;
}

const List& Value::list() const noexcept {
  const List* found = as_list();
  return found == nullptr ? kNoList : *found;
}

const Map& Value::map() const noexcept {
  const Map* found = as_map();
  return found == nullptr ? kNoMap : *found;
}

}  // namespace sluice::resource
