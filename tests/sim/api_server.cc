#include "api_server.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "kube/document.h"
#include "resource/print.h"
#include "resource/read.h"

namespace sluice::sim {

using resource::List;
using resource::Map;
using resource::Member;

namespace {

constexpr const char* kForeground = "foregroundDeletion";

Reply refusal(int code, const char* reason, const std::string& message) {
  return {code, resource::to_json(Value(Map{{"kind", "Status"},
                                            {"apiVersion", "v1"},
                                            {"status", "Failure"},
                                            {"reason", reason},
                                            {"message", message},
                                            {"code", code}}))};
}

Map& map_in(Value& object, std::string_view name) {
  Map& map = *object.as_map();
  Value* found = map.find(name);
  if (found == nullptr || found->as_map() == nullptr) found = &map.set(name, Map());
  return *found->as_map();
}

std::uint64_t number(const std::string& text) { return std::strtoull(text.c_str(), nullptr, 10); }

// What was applied and is applied no longer goes; what is left of a map that is empty then, too.
void prune(Value& live, const Value& before, const Value& now) {
  Map* map = live.as_map();
  if (map == nullptr) return;
  for (const Member& member : before.map()) {
    Value* value = map->find(member.key);
    if (value == nullptr) continue;
    if (member.value.is_map() && value->is_map()) {
      prune(*value, member.value, now.at(member.key));
      if (value->map().empty() && now.at(member.key).is_null()) map->erase(member.key);
    } else if (now.at(member.key).is_null()) {
      map->erase(member.key);
    }
  }
}

void merge(Value& live, const Value& now) {
  if (!live.is_map()) live = Map();
  for (const Member& member : now.map()) {
    Map& map = *live.as_map();
    Value* value = map.find(member.key);
    // A Service's selector is one value (x-kubernetes-map-type: atomic).
    if (value != nullptr && value->is_map() && member.value.is_map() && member.key != "selector") {
      merge(*value, member.value);
    } else {
      map.set(member.key, member.value);
    }
  }
}

// ownerReferences are a list of maps with the key uid.
void merge_owners(Value& live, const Value& before, const Value& now) {
  List kept;
  const auto names = [](const List& owners, const Value& owner) {
    return std::any_of(owners.begin(), owners.end(),
                       [&](const Value& each) { return each.at("uid") == owner.at("uid"); });
  };
  const List& applied = now.at("metadata").at("ownerReferences").list();
  for (const Value& owner : live.at("metadata").at("ownerReferences").list()) {
    if (!names(applied, owner) && !names(before.at("metadata").at("ownerReferences").list(), owner))
      kept.push_back(owner);
  }
  kept.insert(kept.end(), applied.begin(), applied.end());
  if (!kept.empty()) map_in(live, "metadata").set("ownerReferences", std::move(kept));
}

void add_defaults(Value& object, const ObjectKey& key) {
  Map& spec = map_in(object, "spec");
  const auto otherwise = [&](const char* name, Value value) {
    if (spec.find(name) == nullptr) spec.set(name, std::move(value));
  };
  if (key.kind == "Service") {
    otherwise("clusterIP", "10.0.0.1");
    otherwise("sessionAffinity", "None");
    otherwise("type", "ClusterIP");
  } else if (key.kind == "Deployment") {
    otherwise("replicas", 1);
    otherwise("progressDeadlineSeconds", 600);
    otherwise("revisionHistoryLimit", 10);
  }
}

Reply another_uid() {
  return {422, resource::to_json(
                   Value(Map{{"message", "metadata.uid: Invalid value: field is immutable"},
                             {"details", Map{{"causes", List{Map{{"field", "metadata.uid"}}}}}}}))};
}

bool same_but_upkeep(const Value& a, const Value& b) {
  const auto without = [](Value object) {
    for (const char* name : {"resourceVersion", "generation"})
      map_in(object, "metadata").erase(name);
    return object;
  };
  return without(a) == without(b);
}

}  // namespace

Value metadata_with(const Value& object, std::string_view name, Value value) {
  Value made = object;
  map_in(made, "metadata").set(name, std::move(value));
  return made;
}

std::string uid_of(const Value& object) {
  return std::string(object.at("metadata").at("uid").text());
}

bool ApiServer::find_target(const std::string& path, Target& target) const {
  auto parts = split(std::string_view(path).substr(1), '/');
  std::size_t at = parts[0] == "api" ? 2 : 3;
  if (parts.size() < at + 1) return false;
  target.key.group = parts[0] == "api" ? "" : std::string(parts[1]);
  target.api_version = parts[0] == "api" ? std::string(parts[1])
                                         : std::string(parts[1]) + "/" + std::string(parts[2]);
  if (parts[at] == "namespaces" && parts.size() > at + 2) {
    target.key.namespace_ = parts[at + 1];
    at += 2;
  }
  for (const kube::Kind& kind : kube::all_kinds()) {
    if (kind.group == target.key.group && kind.plural == parts[at]) target.kind = &kind;
  }
  if (target.kind == nullptr || kinds_unserved.contains(std::string(target.kind->kind)))
    return false;
  target.key.kind = target.kind->kind;
  if (parts.size() > at + 1) target.key.name = parts[at + 1];
  target.is_status = parts.size() > at + 2 && parts[at + 2] == "status";
  return true;
}

Reply ApiServer::handle(const Request& request) {
  Target target;
  if (!find_target(request.path, target))
    return {404, "{\"message\":\"the server could not find the requested resource\"}"};
  if (request.method == "GET") {
    if (target.key.name.empty()) return list(target, request);
    const Value* found = find(target.key);
    if (found == nullptr) return refusal(404, "NotFound", target.key.name + " not found");
    return {200, resource::to_json(*found)};
  }
  auto body = kube::parse_document(request.body);
  if (!body) return refusal(400, "BadRequest", "no JSON");
  if (request.method == "DELETE") return remove_by_request(target, *body);
  if (request.method == "POST") return create(target, std::move(*body));
  if (request.method == "PUT") return update(target, std::move(*body));
  return target.is_status ? patch_status(target, *body) : apply(target, *body);
}

Reply ApiServer::list(const Target& target, const Request& request) {
  std::vector<std::string> items;
  std::string version = std::to_string(version_);
  const auto token = request.parameters.find("continue");
  if (token != request.parameters.end()) {
    const auto kept = pages_.find(token->second);
    if (kept == pages_.end()) return refusal(410, "Expired", "the continue token has expired");
    items = std::move(kept->second);
    pages_.erase(kept);
    version = token->second.substr(0, token->second.find('-'));
  } else {
    for (const auto& [key, stored] : objects_) {
      if (key.group != target.key.group || key.kind != target.key.kind) continue;
      if (!target.key.namespace_.empty() && key.namespace_ != target.key.namespace_) continue;
      items.push_back(resource::to_json(stored.object));
    }
  }
  const auto limit = request.parameters.find("limit");
  const std::size_t most = limit == request.parameters.end()
                               ? items.size()
                               : static_cast<std::size_t>(number(limit->second));
  std::string next;
  if (items.size() > most) {
    next = fmt::format("{}-{}", version, ++tokens_);
    pages_[next].assign(items.begin() + static_cast<std::ptrdiff_t>(most), items.end());
    items.resize(most);
  }
  std::string body = fmt::format(
      R"({{"kind":"List","metadata":{{"resourceVersion":"{}","continue":"{}"}},"items":[)", version,
      next);
  for (std::size_t i = 0; i < items.size(); ++i) body += (i == 0 ? "" : ",") + items[i];
  return {200, body + "]}"};
}

Reply ApiServer::apply(const Target& target, const Value& body) {
  const auto found = objects_.find(target.key);
  const std::string uid = uid_of(body);
  const std::string_view version = body.at("metadata").at("resourceVersion").text();
  Value live;
  Value before;
  if (found == objects_.end()) {
    if (!uid.empty()) return refusal(409, "Conflict", "uid mismatch: no such object");
    live = Map();
  } else {
    live = found->second.object;
    before = found->second.applied;
    if (!uid.empty() && uid != uid_of(live)) return another_uid();
    if (!version.empty() && version != live.at("metadata").at("resourceVersion").text())
      return refusal(409, "Conflict", "the object has been modified");
    const Value& selector = body.at("spec").at("selector");
    if (target.key.kind == "Deployment" && !(selector == live.at("spec").at("selector")))
      return refusal(422, "Invalid", "spec.selector: field is immutable");
  }
  Value now = body;
  for (const char* name : {"uid", "resourceVersion"}) map_in(now, "metadata").erase(name);
  const Value was = live;
  merge_owners(live, before, now);
  Value rest_before = before;
  Value rest_now = now;
  if (rest_before.is_map()) map_in(rest_before, "metadata").erase("ownerReferences");
  map_in(rest_now, "metadata").erase("ownerReferences");
  prune(live, rest_before, rest_now);
  merge(live, rest_now);
  add_defaults(live, target.key);
  const bool is_new = found == objects_.end();
  if (is_new || !same_but_upkeep(was, live)) {
    store(target.key, std::move(live), std::move(now), true);
  } else {
    found->second.applied = std::move(now);
  }
  return {is_new ? 201 : 200, resource::to_json(objects_.at(target.key).object)};
}

Reply ApiServer::create(const Target& target, Value body) {
  ObjectKey key = target.key;
  key.name = body.at("metadata").at("name").text();
  if (objects_.contains(key)) return refusal(409, "AlreadyExists", key.name + " already exists");
  store(key, std::move(body), {}, true);
  return {201, resource::to_json(objects_.at(key).object)};
}

Reply ApiServer::update(const Target& target, Value body) {
  const auto found = objects_.find(target.key);
  if (found == objects_.end()) return refusal(404, "NotFound", target.key.name + " not found");
  if (body.at("metadata").at("resourceVersion") !=
      found->second.object.at("metadata").at("resourceVersion"))
    return refusal(409, "Conflict", "the object has been modified");
  store(target.key, std::move(body), {}, true);
  return {200, resource::to_json(found->second.object)};
}

Reply ApiServer::remove_by_request(const Target& target, const Value& options) {
  const Value* found = find(target.key);
  if (found == nullptr) return refusal(404, "NotFound", target.key.name + " not found");
  const std::string_view uid = options.at("preconditions").at("uid").text();
  const std::string_view version = options.at("preconditions").at("resourceVersion").text();
  if (!uid.empty() && uid != uid_of(*found)) return refusal(409, "Conflict", "uid mismatch");
  if (!version.empty() && version != found->at("metadata").at("resourceVersion").text())
    return refusal(409, "Conflict", "the object has been modified");
  erase(target.key, true);
  return {200, R"({"kind":"Status","status":"Success"})"};
}

Reply ApiServer::patch_status(const Target& target, const Value& patch) {
  const auto found = objects_.find(target.key);
  if (found == objects_.end()) return refusal(404, "NotFound", target.key.name + " not found");
  Value object = found->second.object;
  for (const Value& step : patch.list()) {
    const std::string_view path = step.at("path").text();
    const Value& value = step.at("value");
    if (step.at("op").text() == "test") {
      const bool holds = path == "/metadata/uid" && object.at("metadata").at("uid") == value;
      if (!holds) return refusal(422, "Invalid", "the test of the patch failed");
    } else {
      object.as_map()->set("status", value);
    }
  }
  if (!(object == found->second.object))
    store(target.key, std::move(object), found->second.applied, true);
  return {200, resource::to_json(found->second.object)};
}

void ApiServer::store(const ObjectKey& key, Value object, Value applied, bool by_operator) {
  const auto found = objects_.find(key);
  const Value before = found == objects_.end() ? Value() : found->second.object;
  Map& metadata = map_in(object, "metadata");
  metadata.set("name", key.name);
  metadata.set("namespace", key.namespace_);
  metadata.set("resourceVersion", std::to_string(++version_));
  if (before.is_null()) {
    metadata.set("uid", fmt::format("uid-{}", ++made_));
    metadata.set("generation", 1);
    metadata.set("creationTimestamp", "2026-01-01T00:00:00Z");
  } else {
    for (const char* name : {"uid", "generation", "creationTimestamp", "deletionTimestamp"}) {
      if (!before.at("metadata").at(name).is_null())
        metadata.set(name, before.at("metadata").at(name));
    }
    if (!(object.at("spec") == before.at("spec")))
      metadata.set("generation", before.at("metadata").at("generation").integer() + 1);
  }
  Stored& stored = objects_[key];
  stored.object = std::move(object);
  stored.applied = std::move(applied);
  tell(before.is_null() ? "ADDED" : "MODIFIED", key, stored.object);
  if (on_change)
    on_change({key, before.is_null() ? nullptr : &before, &stored.object, by_operator});
}

void ApiServer::erase(const ObjectKey& key, bool by_operator) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return;
  const Value before =
      metadata_with(found->second.object, "resourceVersion", std::to_string(++version_));
  objects_.erase(found);
  tell("DELETED", key, before);
  if (on_change) on_change({key, &before, nullptr, by_operator});
}

// --- Watches.

std::shared_ptr<Stream> ApiServer::watch(const Request& request, Process& process, Reply& reply) {
  Target target;
  if (!find_target(request.path, target)) {
    reply = {404, "{\"message\":\"the server could not find the requested resource\"}"};
    return nullptr;
  }
  auto stream = std::make_shared<Stream>();
  stream->kind = target.kind;
  stream->namespace_ = target.key.namespace_;
  stream->process = &process;
  const std::uint64_t from = number(request.parameters.at("resourceVersion"));
  if (from < oldest_) {
    const Reply expired = refusal(410, "Expired", "too old resource version");
    if (machine_.chance(0.5)) {  // both are seen
      reply = expired;
      return nullptr;
    }
    offer(*stream, stream, R"({"type":"ERROR","object":)" + expired.body + "}\n");
    return stream;
  }
  for (const Event& event : history_) {
    if (event.version > from && event.key.kind == target.kind->kind &&
        event.key.group == target.kind->group)
      offer(*stream, stream, event.line);
  }
  streams_.push_back(stream);
  const std::uint64_t seconds = number(request.parameters.at("timeoutSeconds"));
  machine_.after(Milliseconds(seconds * 1000), [this, stream] {
    stream->closed = true;
    std::erase(streams_, stream);
    if (stream->reader != nullptr) machine_.wake(stream->reader, machine_.now_ns());
  });
  return stream;
}

void ApiServer::offer(Stream& stream, const std::shared_ptr<Stream>& shared, std::string line) {
  // In order; now and then many at once, after a stall.
  std::int64_t delay_ns =
      machine_.random.below(static_cast<std::uint32_t>(watch_delay_max_ms) * 1000U + 1) * 1000LL;
  if (watch_delay_max_ms > 100 && machine_.chance(0.02)) delay_ns += 8'000'000'000;
  const std::int64_t due = std::max(stream.last_due_ns + 1, machine_.now_ns() + delay_ns);
  stream.last_due_ns = due;
  machine_.at(
      due,
      [this, shared, text = std::move(line)] {
        if (shared->closed || shared->broken) return;
        shared->lines.push_back(text);
        if (machine_.chance(duplicate_events)) shared->lines.push_back(text);
        if (shared->reader != nullptr) machine_.wake(shared->reader, machine_.now_ns());
      },
      stream.process);
}

void ApiServer::tell(const char* type, const ObjectKey& key, const Value& object) {
  std::string line =
      fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, resource::to_json(object));
  for (const auto& stream : streams_) {
    if (stream->kind->kind != key.kind || stream->kind->group != key.group) continue;
    if (!stream->namespace_.empty() && stream->namespace_ != key.namespace_) continue;
    offer(*stream, stream, line);
  }
  history_.push_back(Event{version_, key, std::move(line)});
}

void ApiServer::compact() {
  oldest_ = ++version_;
  history_.clear();
}

void ApiServer::expire_pages() { pages_.clear(); }

void ApiServer::break_watches(Process* process, bool clean) {
  std::vector<std::shared_ptr<Stream>> kept;
  for (auto& stream : streams_) {
    if (process != nullptr && stream->process != process) {
      kept.push_back(stream);
      continue;
    }
    (clean ? stream->closed : stream->broken) = true;
    if (stream->reader != nullptr) machine_.wake(stream->reader, machine_.now_ns());
  }
  streams_ = std::move(kept);
}

void ApiServer::send_bookmarks() {
  for (const auto& stream : streams_) {
    offer(*stream, stream,
          fmt::format(R"({{"type":"BOOKMARK","object":{{"metadata":{{"resourceVersion":"{}"}}}}}})"
                      "\n",
                      version_));
  }
}

// --- Others.

const Value* ApiServer::find(const ObjectKey& key) const {
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : &found->second.object;
}

const std::map<ObjectKey, Value> ApiServer::objects() const {
  std::map<ObjectKey, Value> all;
  for (const auto& [key, stored] : objects_) all[key] = stored.object;
  return all;
}

void ApiServer::put(Value object) {
  auto made = resource::make_object(object);
  if (!made) return;
  const ObjectKey key = made->key();
  const auto found = objects_.find(key);
  Value applied;
  if (found != objects_.end()) {
    const Value& status = found->second.object.at("status");
    if (!status.is_null()) object.as_map()->set("status", status);
    if (object == found->second.object) return;
    applied = found->second.applied;
  }
  store(key, std::move(object), std::move(applied), false);
}

void ApiServer::set_status(const ObjectKey& key, Value status) {
  const auto found = objects_.find(key);
  if (found == objects_.end() || found->second.object.at("status") == status) return;
  Value object = found->second.object;
  object.as_map()->set("status", std::move(status));
  store(key, std::move(object), found->second.applied, false);
}

void ApiServer::remove(const ObjectKey& key, bool foreground) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return;
  if (!foreground) {
    erase(key, false);
    return;
  }
  Value object = metadata_with(found->second.object, "deletionTimestamp", "2026-01-02T00:00:00Z");
  object = metadata_with(object, "finalizers", List{kForeground});
  store(key, std::move(object), found->second.applied, false);
}

}  // namespace sluice::sim
