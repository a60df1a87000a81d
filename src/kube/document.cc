#include "kube/document.h"

#include "resource/parse.h"

namespace sluice::kube {

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

void tidy(Value& object, const Kind& kind) {
  Map* map = object.as_map();
  if (map == nullptr) return;
  if (map->find("apiVersion") == nullptr) map->set("apiVersion", api_version_of(kind));
  if (map->find("kind") == nullptr) map->set("kind", kind.kind);
  if (Value* metadata = map->find("metadata"); metadata != nullptr && metadata->as_map() != nullptr)
    metadata->as_map()->erase("managedFields");
}

}  // namespace sluice::kube
