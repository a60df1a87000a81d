#include "kube/takeover.h"

namespace sluice::kube {

using resource::List;
using resource::Map;
using resource::Member;
using resource::Value;

namespace {

bool is_of(const Value& entry, std::string_view manager, std::string_view operation) {
  return entry.at("manager").text() == manager && entry.at("operation").text() == operation &&
         entry.at("subresource").text().empty();
}

// FieldsV1 is a tree of maps, a leaf an empty one.
void add_fields(Value& to, const Value& from) {
  if (from.as_map() == nullptr) return;
  if (to.as_map() == nullptr) to = Map();
  for (const Member& member : from.map()) {
    if (Value* have = to.as_map()->find(member.key); have != nullptr) {
      add_fields(*have, member.value);
    } else {
      to.as_map()->append(member.key, member.value);
    }
  }
}

}  // namespace

bool is_to_take_over(const Value& entry, std::string_view manager, std::string_view predecessor) {
  return (is_of(entry, predecessor, "Update") || is_of(entry, manager, "Update")) &&
         entry.at("fieldsV1").at("f:metadata").at("f:ownerReferences").is_map();
}

std::optional<List> taken_over(const List& managed_fields, std::string_view manager,
                               std::string_view predecessor) {
  Value fields;
  List kept;
  for (const Value& entry : managed_fields) {
    if (is_to_take_over(entry, manager, predecessor)) {
      add_fields(fields, entry.at("fieldsV1"));
    } else {
      kept.push_back(entry);
    }
  }
  if (kept.size() == managed_fields.size()) return std::nullopt;
  for (Value& entry : kept) {
    if (!is_of(entry, manager, "Apply") || entry.as_map() == nullptr) continue;
    if (Value* ours = entry.as_map()->find("fieldsV1"); ours != nullptr) add_fields(*ours, fields);
    return kept;
  }
  return std::nullopt;
}

}  // namespace sluice::kube
