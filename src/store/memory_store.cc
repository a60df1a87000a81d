#include "store/memory_store.h"

#include <fmt/core.h>

namespace sluice::store {

namespace {

// What counts for metadata.generation: everything but metadata and status.
bool same_content(const resource::Object& a, const resource::Object& b) {
  resource::Map left = a.root.map();
  resource::Map right = b.root.map();
  for (resource::Map* map : {&left, &right}) {
    map->erase("metadata");
    map->erase("status");
  }
  return left == right;
}

resource::Map& metadata_of(resource::Object& object) {
  resource::Map& root = *object.root.as_map();
  resource::Value* metadata = root.find("metadata");
  if (metadata == nullptr || metadata->as_map() == nullptr) {
    metadata = &root.set("metadata", resource::Value(resource::Map()));
  }
  return *metadata->as_map();
}

}  // namespace

ObjectPointer MemoryStore::find(const resource::ObjectKey& key) const {
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : found->second;
}

std::vector<ObjectPointer> MemoryStore::list(std::string_view group, std::string_view kind) const {
  std::vector<ObjectPointer> result;
  const resource::ObjectKey first{std::string(group), std::string(kind), "", ""};
  for (auto at = objects_.lower_bound(first); at != objects_.end(); ++at) {
    if (at->first.group != group || at->first.kind != kind) break;
    result.push_back(at->second);
  }
  return result;
}

bool MemoryStore::holds(const resource::Object& object) const {
  const ObjectPointer have = find(object.key());
  if (have == nullptr || have->api_version != object.api_version || !same_content(*have, object))
    return false;
  resource::Map left = have->metadata().map();
  resource::Map right = object.metadata().map();
  for (resource::Map* map : {&left, &right}) {
    for (const char* upkeep : {"name", "namespace", "uid", "generation"}) map->erase(upkeep);
  }
  return left == right;
}

std::vector<ObjectPointer> MemoryStore::all() const {
  std::vector<ObjectPointer> result;
  for (const auto& [key, object] : objects_) result.push_back(object);
  return result;
}

Result<void> MemoryStore::apply(resource::Object object) {
  const resource::ObjectKey key = object.key();
  const ObjectPointer before = find(key);
  if (object.root.as_map() == nullptr) object.root = resource::Value(resource::Map());
  // Before metadata is looked up: adding a key may move the others.
  if (before != nullptr && !before->status().is_null())
    object.root.as_map()->set("status", before->status());
  resource::Map& metadata = metadata_of(object);
  metadata.set("name", key.name);
  metadata.set("namespace", key.namespace_);
  std::int64_t generation = 1;
  if (before != nullptr) {
    const std::int64_t old = before->metadata().at("generation").integer(1);
    generation = same_content(*before, object) ? old : old + 1;
    metadata.set("uid", before->metadata().at("uid"));
  } else {
    metadata.set("uid", fmt::format("local-{}", next_uid_++));
  }
  metadata.set("generation", generation);
  if (before != nullptr && *before == object) return {};
  auto after = std::make_shared<const resource::Object>(std::move(object));
  objects_[key] = after;
  deliver(Change{key, before, after, false});
  return {};
}

Result<void> MemoryStore::remove(const resource::ObjectKey& key) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return {};
  ObjectPointer before = std::move(found->second);
  objects_.erase(found);
  deliver(Change{key, std::move(before), nullptr, false});
  return {};
}

Result<void> MemoryStore::set_status(const resource::ObjectKey& key, resource::Value status) {
  const ObjectPointer before = find(key);
  if (before == nullptr || before->status() == status) return {};
  resource::Object object = *before;
  object.root.as_map()->set("status", std::move(status));
  auto after = std::make_shared<const resource::Object>(std::move(object));
  objects_[key] = after;
  deliver(Change{key, before, after, true});
  return {};
}

void MemoryStore::watch(Handler handler) {
  for (const auto& [key, object] : objects_) handler(Change{key, nullptr, object, false});
  handlers_.push_back(std::move(handler));
}

void MemoryStore::deliver(Change change) {
  pending_.push_back(std::move(change));
  if (delivering_) return;
  delivering_ = true;
  while (!pending_.empty()) {
    const Change next = std::move(pending_.front());
    pending_.pop_front();
    // By index: a handler may call watch.
    for (std::size_t i = 0; i < handlers_.size(); ++i) handlers_[i](next);
  }
  delivering_ = false;
}

}  // namespace sluice::store
