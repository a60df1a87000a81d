#include "kube/kube_store.h"

#include <fmt/core.h>
#include <malloc.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/log.h"
#include "kube/events.h"
#include "kube/likeness.h"
#include "kube/thread.h"
#include "kube/watcher.h"
#include "kube/writes.h"
#include "resource/read.h"

namespace sluice::kube {

using resource::List;
using resource::Map;
using resource::Object;
using resource::ObjectKey;
using resource::Value;
using store::Change;
using store::ObjectPointer;

namespace {

// What watches may have told before the loop's thread took it: then they wait, and so does the
// server. Some 10 MB.
constexpr std::size_t kInboxMax = 4'000;
// After so many writes, when all have their answer, what they took goes back to the system: a start
// writes everything at once, and then nothing for hours.
constexpr std::uint64_t kWritesUntilTrim = 500;

struct Told {
  enum class What : std::uint8_t { kListed, kEvent, kTrouble, kAnswer };
  What what = What::kEvent;
  std::size_t kind = 0;  // index of the watched kind
  // kListed
  std::vector<ObjectPointer> objects;
  std::uint64_t version = 0;
  bool served = true;
  // kEvent; nullptr: a bookmark
  ObjectPointer object;
  bool removed = false;
  // kTrouble
  std::string why;
  // kAnswer
  std::optional<WriteAnswer> answer;
};

ObjectPointer pointer_to(Value root) {
  auto made = resource::make_object(std::move(root));
  if (!made) return nullptr;
  return std::make_shared<const Object>(std::move(*made));
}

const Value* controller_of(const Object& object) {
  for (const Value& owner : object.metadata().at("ownerReferences").list()) {
    if (owner.at("controller").flag()) return &owner;
  }
  return nullptr;
}

std::string lane_for(const Object& object, const Object* cached) {
  if (const Value* owner = controller_of(object)) return std::string(owner->at("uid").text());
  if (cached != nullptr && !uid_of(*cached).empty()) return std::string(uid_of(*cached));
  return to_string(object.key());
}

ObjectKey owner_key(const ObjectKey& key, const Object* object) {
  const Value* owner = object == nullptr ? nullptr : controller_of(*object);
  if (owner == nullptr) return key;
  const std::string_view version = owner->at("apiVersion").text();
  const std::size_t slash = version.find('/');
  return ObjectKey{slash == std::string_view::npos ? "" : std::string(version.substr(0, slash)),
                   std::string(owner->at("kind").text()), key.namespace_,
                   std::string(owner->at("name").text())};
}

}  // namespace

std::vector<const Kind*> operator_kinds() {
  std::vector<const Kind*> kinds;
  for (const auto& [group, kind] :
       {std::pair{"machinelearning.seldon.io", "SeldonDeployment"}, std::pair{"", "Service"},
        std::pair{"apps", "Deployment"}, std::pair{"autoscaling", "HorizontalPodAutoscaler"},
        std::pair{"policy", "PodDisruptionBudget"}, std::pair{"keda.sh", "ScaledObject"},
        std::pair{"networking.istio.io", "DestinationRule"},
        std::pair{"networking.istio.io", "VirtualService"},
        std::pair{"networking.istio.io", "Gateway"}}) {
    kinds.push_back(find_kind(group, kind));
  }
  return kinds;
}

// Threads put what they are told into `inbox`; the loop's thread takes it out. All else belongs to
// the loop's thread.
struct KubeStore::Impl {
  Impl(KubeStore& s, net::Loop& l, Client& c, KubeStoreOptions o)
      : store(s),
        loop(l),
        client(c),
        options(std::move(o)),
        events(options.event_source),
        lanes([this](Write write) { senders->send(std::move(write)); }) {
    for (const Kind* kind : options.kinds.empty() ? operator_kinds() : options.kinds)
      watched.emplace_back().kind = kind;
    // Their labels say that another operator cares for them. Who looks at one namespace may not
    // have the right to read it, and need not.
    if (options.kinds.empty() && options.namespace_.empty())
      watched.emplace_back().kind = find_kind("", "Namespace");
  }

  struct Watched {
    const Kind* kind = nullptr;
    bool is_synced = false;
    bool is_served = false;
    std::uint64_t version = 0;  // the watch has told all up to this one
    std::string trouble;
  };
  // What we applied last, and what the server made of it.
  struct Applied {
    std::uint64_t want_hash = 0;
    std::uint64_t fields_hash = 0;
    std::string uid;
  };

  KubeStore& store;
  net::Loop& loop;
  Client& client;
  const KubeStoreOptions options;
  std::vector<Watched> watched;
  bool was_synced = false;
  std::vector<std::function<void()>> synced_handlers;
  std::vector<std::function<void(const WriteFailure&)>> failure_handlers;

  std::map<ObjectKey, Applied> applied;
  std::map<ObjectKey, std::string> removed_uids;  // the server took our removal of this very object
  EventLog events;
  Lanes lanes;
  std::uint64_t writes_since_trim = 0;

  std::vector<Handler> handlers;
  std::deque<Change> changes;  // not yet delivered
  bool delivering = false;

  // Outlives the store: posted to the loop when it is gone, it does nothing.
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  std::mutex mutex;  // guards these four
  Signal has_room;
  std::deque<Told> inbox;
  bool is_posted = false;
  bool is_closed = false;

  std::vector<Thread> watchers;
  std::unique_ptr<Senders> senders;

  // --- Any thread.
  void tell(Told told, bool may_wait);
  void watch_kind(std::size_t index);

  // --- The loop's.
  void take_told();
  void take(Told& told);
  void on_listed(Told& told);
  void on_event(Watched& kind, const Told& told);
  void on_answer(WriteAnswer answer);
  void on_applied(const Write& write, Written written);
  void on_failure(const Write& write, Error error);
  void put(const ObjectPointer& object);
  void erase(const ObjectKey& key);
  void deliver(Change change);
  void announce_sync();
  Watched* watched_kind(std::string_view group, std::string_view kind);
  std::string lane_of(const ObjectKey& key, const Object* object) const;
};

void KubeStore::Impl::tell(Told told, bool may_wait) {
  bool must_post = false;
  {
    std::unique_lock lock(mutex);
    if (may_wait) has_room.wait(lock, [this] { return is_closed || inbox.size() < kInboxMax; });
    if (is_closed) return;
    inbox.push_back(std::move(told));
    must_post = !std::exchange(is_posted, true);
  }
  if (must_post) {
    loop.post([this, still = std::weak_ptr<bool>(alive)] {
      if (!still.expired()) take_told();
    });
  }
}

void KubeStore::Impl::watch_kind(std::size_t index) {
  const Kind& kind = *watched[index].kind;
  WatcherSink sink;
  sink.on_listed = [this, index](Listed listed) {
    Told told;
    told.what = Told::What::kListed;
    told.kind = index;
    told.served = listed.served;
    told.version = version_of(
        Value(Map{{"metadata", Map{{"resourceVersion", std::string(listed.resource_version)}}}}));
    for (Value& item : listed.items) {
      if (ObjectPointer object = pointer_to(std::move(item)); object != nullptr)
        told.objects.push_back(std::move(object));
    }
    tell(std::move(told), true);
  };
  sink.on_event = [this, index](WatchEvent event) {
    Told told;
    told.kind = index;
    told.version = version_of(event.object);
    told.removed = event.type == WatchEvent::Type::kDeleted;
    if (event.type != WatchEvent::Type::kBookmark) {
      told.object = pointer_to(Value(event.object));  // a copy is smaller: see Client::list
      if (told.object == nullptr) return;
    }
    tell(std::move(told), true);
  };
  sink.on_trouble = [this, index](const std::string& why) {
    Told told;
    told.what = Told::What::kTrouble;
    told.kind = index;
    told.why = why;
    tell(std::move(told), true);
  };
  Selection selection;
  if (kind.namespaced) selection.namespace_ = options.namespace_;
  run_watcher(client, kind, selection, WatcherTimes{},
              static_cast<std::uint64_t>(monotonic_ns()) + index, sink);
}

void KubeStore::Impl::take_told() {
  std::deque<Told> taken;
  {
    const std::lock_guard lock(mutex);
    taken.swap(inbox);
    is_posted = false;
  }
  has_room.notify_all();
  const std::weak_ptr<bool> still = alive;
  for (Told& told : taken) {
    take(told);
    if (still.expired()) return;  // a handler destroyed the store
  }
}

void KubeStore::Impl::take(Told& told) {
  switch (told.what) {
    case Told::What::kListed:
      on_listed(told);
      break;
    case Told::What::kEvent:
      on_event(watched[told.kind], told);
      break;
    case Told::What::kTrouble: {
      Watched& kind = watched[told.kind];
      if (told.why.empty()) {
        log::info("the API server answers again", {{"kind", kind.kind->kind}});
      } else if (told.why != kind.trouble) {
        log::warning("the API server can't be watched",
                     {{"kind", kind.kind->kind}, {"error", told.why}});
      }
      kind.trouble = std::move(told.why);
      break;
    }
    case Told::What::kAnswer:
      on_answer(std::move(*told.answer));
      if (++writes_since_trim >= kWritesUntilTrim && lanes.size() == 0) {
        malloc_trim(0);
        writes_since_trim = 0;
      }
      break;
  }
}

void KubeStore::Impl::on_listed(Told& told) {
  Watched& kind = watched[told.kind];
  if (!told.served && (kind.is_served || !kind.is_synced)) {
    log::info("the API server does not know this kind; it counts as empty",
              {{"kind", kind.kind->kind}, {"group", kind.kind->group}});
  }
  kind.is_served = told.served;
  std::set<ObjectKey> there;
  for (const ObjectPointer& object : told.objects) {
    there.insert(object->key());
    put(object);
  }
  std::vector<ObjectKey> gone;
  const ObjectKey first{std::string(kind.kind->group), std::string(kind.kind->kind), "", ""};
  for (auto at = store.objects_.lower_bound(first); at != store.objects_.end(); ++at) {
    if (at->first.group != first.group || at->first.kind != first.kind) break;
    // What is newer than the list came by an answer since.
    if (!there.contains(at->first) &&
        (!told.served || version_of(at->second->root) <= told.version)) {
      gone.push_back(at->first);
    }
  }
  for (const ObjectKey& key : gone) erase(key);
  kind.version = std::max(kind.version, told.version);
  kind.is_synced = true;
  announce_sync();
}

void KubeStore::Impl::on_event(Watched& kind, const Told& told) {
  kind.version = std::max(kind.version, told.version);
  if (told.object == nullptr) return;
  if (!told.removed) {
    put(told.object);
    return;
  }
  // The version of a removal is its own, so it is newer than all that the object ever was; an
  // object of the same name that came after is newer still.
  const ObjectPointer have = store.find(told.object->key());
  if (have != nullptr && version_of(have->root) <= version_of(told.object->root))
    erase(told.object->key());
}

void KubeStore::Impl::put(const ObjectPointer& object) {
  const ObjectKey key = object->key();
  ObjectPointer& slot = store.objects_[key];
  const ObjectPointer before = slot;
  if (before != nullptr) {
    const std::uint64_t version = version_of(object->root);
    if (version != 0 && version <= version_of(before->root)) return;
  }
  slot = object;
  if (const auto removed = removed_uids.find(key);
      removed != removed_uids.end() && removed->second != uid_of(*object)) {
    removed_uids.erase(removed);
  }
  const bool status_only = before != nullptr && same_but_status(*before, *object);
  if (status_only && before->status() == object->status()) return;  // only upkeep differs
  deliver(Change{key, before, object, status_only});
}

void KubeStore::Impl::erase(const ObjectKey& key) {
  const auto found = store.objects_.find(key);
  if (found == store.objects_.end()) return;
  ObjectPointer before = std::move(found->second);
  store.objects_.erase(found);
  applied.erase(key);
  removed_uids.erase(key);
  deliver(Change{key, std::move(before), nullptr, false});
}

void KubeStore::Impl::deliver(Change change) {
  changes.push_back(std::move(change));
  if (delivering) return;
  delivering = true;
  while (!changes.empty()) {
    const Change next = std::move(changes.front());
    changes.pop_front();
    for (std::size_t i = 0; i < handlers.size(); ++i) handlers[i](next);  // may call watch
  }
  delivering = false;
}

void KubeStore::Impl::announce_sync() {
  if (was_synced) return;
  for (const Watched& kind : watched) {
    if (!kind.is_synced) return;
  }
  was_synced = true;
  malloc_trim(0);  // what reading the lists took and gave back goes back to the system
  log::info("all that the API server has is known", {{"objects", store.objects_.size()}});
  const std::vector<std::function<void()>> called = std::move(synced_handlers);
  synced_handlers.clear();
  for (const auto& each : called) each();
}

KubeStore::Impl::Watched* KubeStore::Impl::watched_kind(std::string_view group,
                                                        std::string_view kind) {
  const auto found = std::find_if(watched.begin(), watched.end(), [&](const Watched& each) {
    return each.kind->group == group && each.kind->kind == kind;
  });
  return found == watched.end() ? nullptr : &*found;
}

// --- Writes.

std::string KubeStore::Impl::lane_of(const ObjectKey& key, const Object* object) const {
  if (std::string lane = lanes.lane_of(key); !lane.empty()) return lane;  // behind its own
  const ObjectPointer cached = store.find(key);
  if (object != nullptr) return lane_for(*object, cached.get());
  return cached == nullptr ? to_string(key) : lane_for(*cached, cached.get());
}

void KubeStore::Impl::on_answer(WriteAnswer answer) {
  const Write write = std::move(answer.write);
  Result<Written>& written = answer.written;
  if (client.is_stopped()) return;
  std::optional<Error> error;
  if (!written) {
    error = std::move(written).error();
  } else if (written->outcome != Outcome::kDone) {
    // Gone, or another object of that name: nothing to remove, nothing to write a status to, an
    // Event that an earlier try has made. For an apply it is the namespace or the kind that is not
    // there.
    const bool matters =
        write.what == Write::What::kApply ||
        (write.what == Write::What::kStatus && written->outcome == Outcome::kConflict);
    if (matters)
      error = Error{Blame::kUpstream, Retry::kSafe, written->message, to_string(write.key)};
  }
  std::vector<Write> dropped;
  if (error && write.what != Write::What::kEvent) dropped = lanes.drop(write.lane);
  // Before handlers hear of it: holds() must not say that it still waits.
  if (!error && write.what == Write::What::kApply) {
    const ObjectKey key = write.key;
    lanes.answered(write.lane);
    on_applied(write, std::move(*written));
    return;
  }
  lanes.answered(write.lane);
  if (error) {
    on_failure(write, std::move(*error));
  } else if (write.what == Write::What::kRemove && written->outcome == Outcome::kDone) {
    if (store.find(write.key) != nullptr) removed_uids[write.key] = write.uid;
  } else if (write.what == Write::What::kStatus && written->object.is_map()) {
    if (ObjectPointer object = pointer_to(Value(written->object));
        object != nullptr && store.find(write.key) != nullptr) {
      put(object);
    }
  }
}

void KubeStore::Impl::on_applied(const Write& write, Written written) {
  Watched* kind = watched_kind(write.key.group, write.key.kind);
  if (kind == nullptr || !written.object.is_map()) return;
  // In the version that the watch speaks, or the next event would seem to change it.
  written.object.as_map()->set("apiVersion", api_version_of(*kind->kind));
  const ObjectPointer object = pointer_to(Value(written.object));
  if (object == nullptr) return;
  const ObjectPointer before = store.find(write.key);
  const std::uint64_t version = version_of(object->root);
  if (before == nullptr && version <= kind->version) return;  // removed since: the watch said so
  applied[write.key] = Applied{write.want_hash, hash_of_same_fields(write.object, *object),
                               std::string(uid_of(*object))};
  const bool is_new = before == nullptr || version > version_of(before->root);
  if (is_new && (before == nullptr || !same_but_status(*before, *object) ||
                 !(before->status() == object->status()))) {
    put(object);
    return;
  }
  if (is_new) store.objects_[write.key] = object;  // only upkeep differs
  const ObjectPointer now = store.find(write.key);
  deliver(Change{write.key, now, now, false});
}

void KubeStore::Impl::on_failure(const Write& write, Error error) {
  if (write.what == Write::What::kEvent || failure_handlers.empty()) {
    log::error("the API server did not take a write",
               {{"object", to_string(write.key)}, {"error", to_string(error)}});
  }
  if (write.what == Write::What::kEvent) return;
  const ObjectPointer cached = store.find(write.key);
  const Object* object = write.what == Write::What::kApply ? &write.object : cached.get();
  const WriteFailure failure{write.key, write.lane, owner_key(write.key, object), std::move(error)};
  for (std::size_t i = 0; i < failure_handlers.size(); ++i) failure_handlers[i](failure);
}

// ---

KubeStore::KubeStore(net::Loop& loop, Client& client, KubeStoreOptions options)
    : impl_(std::make_unique<Impl>(*this, loop, client, std::move(options))) {}

KubeStore::~KubeStore() {
  impl_->client.stop();
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->is_closed = true;
  }
  impl_->has_room.notify_all();
  impl_->senders.reset();
  for (Thread& thread : impl_->watchers) thread.join();
  impl_->alive.reset();  // what was posted does nothing
}

void KubeStore::start() {
  Impl& impl = *impl_;
  impl.senders =
      std::make_unique<Senders>(impl.client, impl.options.writers_max, [&impl](WriteAnswer answer) {
        Told told;
        told.what = Told::What::kAnswer;
        told.answer = std::move(answer);
        impl.tell(std::move(told), false);
      });
  for (std::size_t i = 0; i < impl.watched.size(); ++i)
    impl.watchers.emplace_back([&impl, i] { impl.watch_kind(i); });
}

void KubeStore::on_synced(std::function<void()> done) {
  if (impl_->was_synced) {
    impl_->loop.post(std::move(done));
  } else {
    impl_->synced_handlers.push_back(std::move(done));
  }
}

void KubeStore::on_failed(std::function<void(const WriteFailure&)> handler) {
  impl_->failure_handlers.push_back(std::move(handler));
}

bool KubeStore::is_synced() const noexcept { return impl_->was_synced; }

bool KubeStore::is_served(std::string_view group, std::string_view kind) const {
  const Impl::Watched* watched = impl_->watched_kind(group, kind);
  return watched != nullptr && watched->is_served;
}

std::size_t KubeStore::writes_pending() const noexcept { return impl_->lanes.size(); }

std::string KubeStore::trouble() const {
  for (const Impl::Watched& kind : impl_->watched) {
    if (!kind.trouble.empty()) return kind.trouble;
  }
  return {};
}

ObjectPointer KubeStore::find(const ObjectKey& key) const {
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : found->second;
}

std::vector<ObjectPointer> KubeStore::list(std::string_view group, std::string_view kind) const {
  std::vector<ObjectPointer> result;
  const ObjectKey first{std::string(group), std::string(kind), "", ""};
  for (auto at = objects_.lower_bound(first); at != objects_.end(); ++at) {
    if (at->first.group != group || at->first.kind != kind) break;
    result.push_back(at->second);
  }
  return result;
}

bool KubeStore::holds(const Object& object) const {
  const ObjectKey key = object.key();
  const auto applied = impl_->applied.find(key);
  if (applied == impl_->applied.end() || impl_->lanes.last_change(key) != nullptr) return false;
  const ObjectPointer have = find(key);
  return have != nullptr && uid_of(*have) == applied->second.uid &&
         applied->second.want_hash == hash_of(object) &&
         applied->second.fields_hash == hash_of_same_fields(object, *have);
}

Result<void> KubeStore::apply(Object object) {
  Write write;
  write.key = object.key();
  if (find_kind(write.key.group, write.key.kind) == nullptr)
    return fail(Blame::kConfig, "no kind that sluice writes", to_string(write.key));
  write.want_hash = hash_of(object);
  if (const Write* last = impl_->lanes.last_change(write.key);
      last != nullptr && last->what == Write::What::kApply && last->want_hash == write.want_hash) {
    return {};  // asked for already
  }
  write.lane = impl_->lane_of(write.key, &object);
  write.object = std::move(object);
  impl_->lanes.add(std::move(write));
  return {};
}

Result<void> KubeStore::remove(const ObjectKey& key) {
  const ObjectPointer have = find(key);
  const Write* last = impl_->lanes.last_change(key);
  if (have == nullptr && last == nullptr) return {};
  if (last != nullptr && last->what == Write::What::kRemove) return {};
  Write write;
  write.what = Write::What::kRemove;
  write.key = key;
  if (last == nullptr) {
    write.uid = uid_of(*have);
    if (const auto removed = impl_->removed_uids.find(key);
        removed != impl_->removed_uids.end() && removed->second == write.uid) {
      return {};  // the server has taken it; the watch will say when it is gone
    }
  }
  write.lane = impl_->lane_of(key, have.get());
  impl_->lanes.add(std::move(write));
  return {};
}

Result<void> KubeStore::set_status(const ObjectKey& key, Value status) {
  const ObjectPointer have = find(key);
  if (have == nullptr) return {};
  const Write* waiting = impl_->lanes.last(key, Write::What::kStatus);
  if (waiting != nullptr ? waiting->status == status : have->status() == status) return {};
  Write write;
  write.what = Write::What::kStatus;
  write.key = key;
  write.status = std::move(status);
  write.api_version = have->api_version;
  write.lane = impl_->lane_of(key, have.get());
  impl_->lanes.add(std::move(write));
  return {};
}

void KubeStore::record_event(const ObjectKey& about, std::string_view type, std::string_view reason,
                             std::string_view message) {
  const ObjectPointer have = find(about);
  auto event = impl_->events.record(about, have.get(), type, reason, message, wall_seconds());
  if (!event) return;
  Write write;
  write.what = Write::What::kEvent;
  write.object.api_version = "v1";
  write.object.kind = "Event";
  write.object.namespace_ = about.namespace_;
  write.object.name = event->at("metadata").at("name").text();
  write.object.root = std::move(*event);
  write.key = write.object.key();
  write.lane = impl_->lane_of(about, have.get());
  impl_->lanes.add(std::move(write));
}

void KubeStore::watch(Handler handler) {
  // In the order of keys; a handler's own writes are answered later, so nothing moves meanwhile.
  for (const auto& [key, object] : objects_) handler(Change{key, nullptr, object, false});
  impl_->handlers.push_back(std::move(handler));
}

}  // namespace sluice::kube
