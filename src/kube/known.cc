#include "kube/known.h"

#include <utility>

#include "kube/likeness.h"
#include "resource/read.h"

namespace sluice::kube {

std::optional<Known> known_from(Words& words, resource::Value root, const resource::Value& applied,
                                const std::function<void(const resource::Object&)>& look) {
  auto object = resource::make_object(std::move(root));
  if (!object) return std::nullopt;
  if (look) look(*object);
  Known known;
  known.key = object->key();
  known.version = version_of(object->root);
  known.uid_hash = hash_of(object->metadata().at("uid"));
  known.status_hash = hash_of(object->status());
  known.rest_hash = hash_but_status(*object);
  known.packed = words.pack(object->root);
  if (applied.is_map()) known.applied = words.pack(applied);
  return known;
}

}  // namespace sluice::kube
