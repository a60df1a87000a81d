#include "kube/document.h"

#include "kube/takeover.h"
#include "resource/parse.h"

namespace sluice::kube {

using resource::List;
using resource::Map;
using resource::Value;

Result<Value> parse_document(std::string_view text) {
  const auto broken = [](std::string what) {
    return tl::unexpected<Error>(Error{Blame::kUpstream, Retry::kSafe, std::move(what), {}});
  };
  if (const auto bad = resource::find_bad_character(text, 1)) return broken(bad->what);
  resource::Budget budget;
  resource::Parsed parsed = resource::parse_json(text, 1, budget);
  if (parsed.failure) return broken(parsed.failure->what);
  if (parsed.documents.size() != 1) return broken("there is not one JSON value");
  return std::move(parsed.documents.front().root);
}

namespace {

Value applied_by(Value& managed_fields, std::string_view field_manager,
                 std::string_view predecessor) {
  List* entries = managed_fields.as_list();
  if (entries == nullptr) return {};
  Value applied;
  for (Value& entry : *entries) {
    if (is_to_take_over(entry, field_manager, predecessor)) return {};
    if (entry.at("manager").text() != field_manager || entry.at("operation").text() != "Apply" ||
        !entry.at("subresource").is_null())
      continue;
    if (Value* fields = entry.as_map()->find("fieldsV1")) applied = std::move(*fields);
  }
  return applied;
}

}  // namespace

Value tidy(Value& object, const Kind& kind, std::string_view field_manager,
           std::string_view predecessor) {
  Map* map = object.as_map();
  if (map == nullptr) return {};
  if (map->find("apiVersion") == nullptr) map->set("apiVersion", api_version_of(kind));
  if (map->find("kind") == nullptr) map->set("kind", kind.kind);
  Value* metadata = map->find("metadata");
  Map* fields = metadata == nullptr ? nullptr : metadata->as_map();
  if (fields == nullptr) return {};
  Value* managed = fields->find("managedFields");
  if (managed == nullptr) return {};
  Value applied = applied_by(*managed, field_manager, predecessor);
  fields->erase("managedFields");
  return applied;
}

}  // namespace sluice::kube
