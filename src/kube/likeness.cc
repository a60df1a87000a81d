#include "kube/likeness.h"

#include <bit>
#include <charconv>

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

std::uint64_t hash_of_text(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return mixed(hash, text.size());
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

// Equal but for the keys of `ignored`.
template <std::size_t N>
bool same_but(const Map& a, const Map& b, const char* const (&ignored)[N]) {
  const auto counts = [&](const Member& member) {
    for (const char* key : ignored) {
      if (member.key == key) return false;
    }
    return true;
  };
  std::size_t left = 0;
  for (const Member& member : a) {
    if (!counts(member)) continue;
    ++left;
    const Value* other = b.find(member.key);
    if (other == nullptr || !(*other == member.value)) return false;
  }
  std::size_t right = 0;
  for (const Member& member : b) right += counts(member) ? 1 : 0;
  return left == right;
}

}  // namespace

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

bool same_but_status(const Object& a, const Object& b) {
  return same_but(a.root.map(), b.root.map(), {"status", "metadata"}) &&
         same_but(a.metadata().map(), b.metadata().map(), {"resourceVersion", "generation"});
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
