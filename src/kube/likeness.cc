#include "kube/likeness.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "kube/document.h"

namespace sluice::kube {

using resource::List;
using resource::Map;
using resource::Member;
using resource::Object;
using resource::Value;

namespace {

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t z = a * 0x9e3779b97f4a7c15ULL ^ std::rotl(b, 29) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31U);
}

std::uint64_t hash_of_value(const Value& value) {
  if (const Map* map = value.as_map()) {
    std::uint64_t sum = 6;
    for (const Member& member : *map)
      sum += mixed(hash_of_text(member.key), hash_of_value(member.value));
    return mixed(sum, map->size());
  }
  if (const List* list = value.as_list()) {
    std::uint64_t hash = 5;
    for (const Value& item : *list) hash = mixed(hash, hash_of_value(item));
    return mixed(hash, list->size());
  }
  if (const std::string* text = value.as_string()) return mixed(4, hash_of_text(*text));
  if (const std::int64_t* number = value.as_int())
    return mixed(3, static_cast<std::uint64_t>(*number));
  if (const double* number = value.as_double())
    return mixed(2, std::bit_cast<std::uint64_t>(*number));
  if (const bool* flag = value.as_bool()) return mixed(1, *flag ? 1 : 0);
  return 0;
}

std::uint64_t hash_of_fields(const Value& want, const Value& have) {
  const Map* wanted = want.as_map();
  if (wanted != nullptr && have.is_map()) {
    std::uint64_t sum = 6;
    for (const Member& member : *wanted)
      sum += mixed(hash_of_text(member.key), hash_of_fields(member.value, have.at(member.key)));
    return sum;
  }
  const List* items = want.as_list();
  if (items != nullptr && have.is_list() && have.list().size() == items->size()) {
    std::uint64_t hash = 5;
    for (std::size_t i = 0; i < items->size(); ++i)
      hash = mixed(hash, hash_of_fields((*items)[i], have.list()[i]));
    return hash;
  }
  return hash_of_value(have);
}

bool is_servers(std::string_view metadata_key) noexcept {
  for (const char* key : {"uid", "resourceVersion", "generation", "creationTimestamp",
                          "managedFields", "selfLink", "deletionTimestamp"}) {
    if (metadata_key == key) return true;
  }
  return false;
}

// `each(key, in want, in have)` for all that an apply sends.
template <class Function>
void for_each_sent(const Object& want, const Object& have, const Function& each) {
  for (const Member& member : want.root.map()) {
    if (member.key == "status" || member.key == "apiVersion" || member.key == "kind") continue;
    const Value& theirs = have.root.at(member.key);
    if (member.key != "metadata") {
      each(member.key, member.value, theirs);
      continue;
    }
    for (const Member& inner : member.value.map()) {
      if (!is_servers(inner.key)) each(inner.key, inner.value, theirs.at(inner.key));
    }
  }
}

// Everything of `want` is in `have`: what is in neither or beside it (defaults) does not count.
bool contains(const Value& want, const Value& have) {
  if (const Map* map = want.as_map(); map != nullptr && have.is_map()) {
    return std::all_of(map->begin(), map->end(), [&](const Member& member) {
      return contains(member.value, have.at(member.key));
    });
  }
  if (const List* list = want.as_list(); list != nullptr && have.is_list()) {
    return std::equal(list->begin(), list->end(), have.list().begin(), have.list().end(), contains);
  }
  return want == have;
}

bool is_managed(const Value& want, const Value& have, const Value& fields);

// Lists of maps with keys: a field "k:{...}" for each item. Others are told as a whole.
bool are_items_managed(const List& want, const List& have, const Map& fields) {
  if (want.size() != have.size()) return false;
  std::size_t items = 0;
  for (const Member& field : fields) {
    if (field.key == ".") continue;
    if (!field.key.starts_with("k:")) return false;
    const auto keys = parse_document(std::string_view(field.key).substr(2));
    if (!keys) return false;
    const auto found = std::find_if(have.begin(), have.end(),
                                    [&](const Value& item) { return contains(*keys, item); });
    if (found == have.end()) return false;
    const Value& item = want[static_cast<std::size_t>(found - have.begin())];
    if (!is_managed(item, *found, field.value)) return false;
    ++items;
  }
  return items == want.size();
}

bool is_member_managed(const Member& member, const Value& have, const Map& fields,
                       std::size_t& count) {
  const Value* field = fields.find("f:" + member.key);
  if (field == nullptr) return false;
  ++count;
  return is_managed(member.value, have.at(member.key), *field);
}

std::size_t fields_in(const Map& fields) {
  return static_cast<std::size_t>(std::count_if(
      fields.begin(), fields.end(), [](const Member& field) { return field.key != "."; }));
}

bool is_managed(const Value& want, const Value& have, const Value& fields) {
  const std::size_t expected = fields_in(fields.map());
  if (expected == 0) return contains(want, have);
  if (const List* list = want.as_list())
    return have.is_list() && are_items_managed(*list, have.list(), fields.map());
  std::size_t count = 0;
  for (const Member& member : want.map()) {
    if (!is_member_managed(member, have, fields.map(), count)) return false;
  }
  return count == expected;
}

bool one_of(std::string_view key, std::initializer_list<std::string_view> keys) noexcept {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

}  // namespace

std::uint64_t hash_of_text(std::string_view text) noexcept {
  std::uint64_t hash = text.size();
  while (text.size() >= sizeof hash) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data(), sizeof bytes);
    hash = mixed(hash, bytes);
    text.remove_prefix(sizeof bytes);
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, text.data(), text.size());
  return mixed(hash, rest);
}

std::uint64_t hash_of(const Object& want) {
  std::uint64_t sum = 0;
  for_each_sent(want, want, [&](std::string_view key, const Value& value, const Value&) {
    sum += mixed(hash_of_text(key), hash_of_value(value));
  });
  return sum;
}

std::uint64_t hash_of_same_fields(const Object& want, const Object& have) {
  std::uint64_t sum = 0;
  for_each_sent(want, have, [&](std::string_view key, const Value& value, const Value& theirs) {
    sum += mixed(hash_of_text(key), hash_of_fields(value, theirs));
  });
  return sum;
}

bool is_applied(const Object& want, const Object& have, const Value& applied) {
  const Value& metadata = applied.at("f:metadata");
  std::size_t top = 0;
  std::size_t in_metadata = 0;
  for (const Member& member : want.root.map()) {
    if (one_of(member.key, {"status", "apiVersion", "kind"})) continue;
    if (member.key != "metadata") {
      if (!is_member_managed(member, have.root, applied.map(), top)) return false;
      continue;
    }
    for (const Member& inner : member.value.map()) {
      if (is_servers(inner.key) || one_of(inner.key, {"name", "namespace"})) continue;
      if (!is_member_managed(inner, have.metadata(), metadata.map(), in_metadata)) return false;
    }
  }
  return in_metadata == fields_in(metadata.map()) &&
         top + (metadata.is_null() ? 0 : 1) == fields_in(applied.map());
}

std::uint64_t hash_of(const Value& value) { return hash_of_value(value); }

std::uint64_t hash_but_status(const Object& object) {
  std::uint64_t sum = 0;
  for (const Member& member : object.root.map()) {
    if (one_of(member.key, {"status", "metadata"})) continue;
    sum += mixed(hash_of_text(member.key), hash_of_value(member.value));
  }
  for (const Member& member : object.metadata().map()) {
    if (one_of(member.key, {"resourceVersion", "generation"})) continue;
    sum += mixed(~hash_of_text(member.key), hash_of_value(member.value));
  }
  return sum;
}

std::uint64_t version_of(const Value& object) noexcept {
  const std::string_view text = object.at("metadata").at("resourceVersion").text();
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string_view uid_of(const Object& object) noexcept {
  return object.metadata().at("uid").text();
}

}  // namespace sluice::kube
