#include "kube/kube_store.h"

#include <fmt/core.h>
#include <malloc.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <tuple>

#include "base/clock.h"
#include "base/log.h"
#include "kube/events.h"
#include "kube/known.h"
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
// server. Some 2 MB.
constexpr std::size_t kInboxMax = 1'000;
// After so many writes, when all have their answer, what they took goes back to the system: a start
// writes everything at once, and then nothing for hours.
constexpr std::uint64_t kWritesUntilTrim = 500;

struct Told {
  enum class What : std::uint8_t { kListed, kEvent, kTrouble, kAnswer };
  What what = What::kEvent;
  std::size_t kind = 0;  // index of the watched kind
  // kListed
  std::vector<Known> objects;
  std::uint64_t version = 0;
  bool served = true;
  // kEvent; nothing: a bookmark
  std::optional<Known> object;
  bool removed = false;
  // kTrouble
  std::string why;
  // kAnswer
  std::optional<WriteAnswer> answer;
};

const Value* controller_of(const Object& object) {
  for (const Value& owner : object.metadata().at("ownerReferences").list()) {
    if (owner.at("controller").flag()) return &owner;
  }
  return nullptr;
}

// What its controller reference names, or itself.
ObjectKey owner_key(const ObjectKey& key, const Object& object) {
  const Value* owner = controller_of(object);
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
        lanes(
            [this](Write write) {
              if (write.what == Write::What::kApply || write.what == Write::What::kStatus) {
                const ObjectPointer there = store.find(write.key);
                write.uid = there == nullptr ? "" : std::string(uid_of(*there));
              }
              senders->send(std::move(write));
            },
            [this](const Write& status) { return senders->replace(status); }) {
    for (const Kind* kind : options.kinds.empty() ? operator_kinds() : options.kinds)
      watched.emplace_back().kind = kind;
    // Their labels say that another operator cares for them. Who looks at one namespace may not
    // have the right to read it, and need not.
    if (options.kinds.empty() && options.namespace_.empty())
      watched.emplace_back().kind = find_kind("", "Namespace");
  }

  // By namespace and name.
  using Name = std::pair<std::string, std::string>;
  // What is there, what we applied last, and what the server made of that.
  struct Entry {
    std::uint64_t version = 0;
    std::uint64_t uid_hash = 0;
    std::uint64_t status_hash = 0;
    std::uint64_t rest_hash = 0;
    std::uint64_t want_hash = 0;    // 0: nothing was applied since we know this object
    std::uint64_t fields_hash = 0;  // of the fields that were applied
    std::uint64_t same_hash = 0;    // rest_hash when the fields were last looked at, and the same
    bool is_removed = false;        // the server took our removal of this very object
    std::string packed;
    std::string applied;  // until want_hash is known: Known::applied
  };
  struct Watched {
    const Kind* kind = nullptr;
    bool is_synced = false;
    bool is_served = false;
    std::uint64_t version = 0;  // the watch has told all up to this one
    std::string trouble;
    std::map<Name, Entry> objects;
  };

  KubeStore& store;
  net::Loop& loop;
  Client& client;
  const KubeStoreOptions options;
  std::vector<Watched> watched;
  bool was_synced = false;
  std::vector<std::function<void()>> synced_handlers;
  std::vector<std::function<void(const WriteFailure&)>> failure_handlers;

  Words words;  // any thread
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
  void on_event(Watched& kind, Told& told);
  void on_answer(WriteAnswer answer);
  void on_applied(const WriteAnswer& answer);
  void on_failure(const Write& write, Error error);
  // Keeps what is newer than what is there. Returns what to deliver; nothing when only upkeep
  // differs.
  std::optional<Change> keep(Watched& kind, Known known);
  void put(Watched& kind, Known known);
  void erase(Watched& kind, const ObjectKey& key);
  void deliver(Change change);
  void announce_sync();
  void wake(const Write& write);
  Watched* watched_kind(std::string_view group, std::string_view kind);
  Entry* find(const ObjectKey& key);
  ObjectPointer object_of(const Entry& entry) const;
  std::string lane_of(const ObjectKey& key, const ObjectKey& owner) const;
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
  std::vector<Known> listed;
  sink.list.begin = [&listed] { listed.clear(); };
  sink.list.item = [this, &listed](Value item, const Value& applied) {
    if (auto known = known_from(words, std::move(item), applied))
      listed.push_back(std::move(*known));
  };
  sink.on_listed = [this, index, &listed](const ListEnd& end) {
    Told told;
    told.what = Told::What::kListed;
    told.kind = index;
    told.served = end.served;
    told.version = version_of(
        Value(Map{{"metadata", Map{{"resourceVersion", std::string(end.resource_version)}}}}));
    if (end.served) told.objects = std::move(listed);
    listed = {};
    tell(std::move(told), true);
  };
  sink.on_event = [this, index](WatchEvent event) {
    Told told;
    told.kind = index;
    told.version = version_of(event.object);
    told.removed = event.type == WatchEvent::Type::kDeleted;
    if (event.type != WatchEvent::Type::kBookmark) {
      told.object = known_from(words, std::move(event.object), event.applied);
      if (!told.object) return;
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
  std::set<Name> there;
  for (Known& known : told.objects) {
    there.emplace(known.key.namespace_, known.key.name);
    put(kind, std::move(known));
  }
  std::vector<ObjectKey> gone;
  for (const auto& [name, entry] : kind.objects) {
    // What is newer than the list came by an answer since.
    if (!there.contains(name) && (!told.served || entry.version <= told.version)) {
      gone.push_back(ObjectKey{std::string(kind.kind->group), std::string(kind.kind->kind),
                               name.first, name.second});
    }
  }
  for (const ObjectKey& key : gone) erase(kind, key);
  kind.version = std::max(kind.version, told.version);
  kind.is_synced = true;
  announce_sync();
}

void KubeStore::Impl::on_event(Watched& kind, Told& told) {
  kind.version = std::max(kind.version, told.version);
  if (!told.object) return;
  if (!told.removed) {
    put(kind, std::move(*told.object));
    return;
  }
  // The version of a removal is its own, so it is newer than all that the object ever was; an
  // object of the same name that came after is newer still.
  const Entry* have = find(told.object->key);
  if (have != nullptr && have->version <= told.object->version) erase(kind, told.object->key);
}

std::optional<Change> KubeStore::Impl::keep(Watched& kind, Known known) {
  Name name(known.key.namespace_, known.key.name);
  const auto found = kind.objects.find(name);
  const bool is_new = found == kind.objects.end();
  Entry& entry = is_new ? kind.objects[std::move(name)] : found->second;
  if (!is_new && known.version != 0 && known.version <= entry.version) return std::nullopt;
  const bool same_rest = !is_new && entry.rest_hash == known.rest_hash;
  const bool is_change = !same_rest || entry.status_hash != known.status_hash;
  Change change{std::move(known.key), nullptr, nullptr, same_rest};
  if (is_change && !is_new) change.before = object_of(entry);
  if (entry.uid_hash != known.uid_hash) entry = Entry{};
  entry.version = known.version;
  entry.uid_hash = known.uid_hash;
  entry.status_hash = known.status_hash;
  entry.rest_hash = known.rest_hash;
  entry.packed = std::move(known.packed);
  entry.applied = entry.want_hash == 0 ? std::move(known.applied) : std::string();
  if (!is_change) return std::nullopt;
  change.after = object_of(entry);
  return change;
}

void KubeStore::Impl::put(Watched& kind, Known known) {
  if (auto change = keep(kind, std::move(known))) deliver(std::move(*change));
}

void KubeStore::Impl::erase(Watched& kind, const ObjectKey& key) {
  const auto found = kind.objects.find(Name(key.namespace_, key.name));
  if (found == kind.objects.end()) return;
  ObjectPointer before = object_of(found->second);
  kind.objects.erase(found);
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
  log::info("all that the API server has is known", {{"objects", store.object_count()}});
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

std::string KubeStore::Impl::lane_of(const ObjectKey& key, const ObjectKey& owner) const {
  std::string lane = lanes.lane_of(key);  // behind its own
  return lane.empty() ? to_string(owner) : lane;
}

KubeStore::Impl::Entry* KubeStore::Impl::find(const ObjectKey& key) {
  Watched* kind = watched_kind(key.group, key.kind);
  if (kind == nullptr) return nullptr;
  const auto found = kind->objects.find(Name(key.namespace_, key.name));
  return found == kind->objects.end() ? nullptr : &found->second;
}

ObjectPointer KubeStore::Impl::object_of(const Entry& entry) const {
  auto made = resource::make_object(words.unpack(entry.packed));
  return made ? std::make_shared<const Object>(std::move(*made)) : nullptr;
}

void KubeStore::Impl::on_answer(WriteAnswer answer) {
  const Write& write = answer.write;
  if (client.is_stopped()) return;
  std::optional<Error> error;
  if (!answer.written) {
    error = answer.written.error();
  } else if (answer.written->outcome != Outcome::kDone) {
    // Gone, or another object of that name: nothing to remove, nothing to write a status to, an
    // Event that an earlier try has made. For an apply it is the namespace or the kind that is not
    // there.
    const bool matters =
        write.what == Write::What::kApply ||
        (write.what == Write::What::kStatus && answer.written->outcome == Outcome::kConflict);
    if (matters)
      error = Error{Blame::kUpstream,
                    answer.written->outcome == Outcome::kConflict ? Retry::kSafe : Retry::kNever,
                    answer.written->message, to_string(write.key)};
  }
  if (error && write.is_change()) lanes.drop(write.lane);
  lanes.answered(write.lane);  // before handlers hear of it: holds() must not say that it waits
  if (error) {
    on_failure(write, std::move(*error));
  } else if (write.what == Write::What::kApply) {
    on_applied(answer);
    wake(write);
  } else if (write.what == Write::What::kRemove && answer.written->outcome == Outcome::kDone) {
    if (Entry* entry = find(write.key);
        entry != nullptr && entry->uid_hash == hash_of(Value(write.uid)))
      entry->is_removed = true;
  } else if (write.what == Write::What::kStatus && answer.known && find(write.key) != nullptr) {
    put(*watched_kind(write.key.group, write.key.kind), std::move(*answer.known));
  }
}

void KubeStore::Impl::on_applied(const WriteAnswer& answer) {
  const ObjectKey& key = answer.write.key;
  Watched* kind = watched_kind(key.group, key.kind);
  if (kind == nullptr || !answer.known) return;
  // Removed since: the watch said so.
  if (find(key) == nullptr && answer.known->version <= kind->version) return;
  std::optional<Change> change = keep(*kind, *answer.known);
  Entry* entry = find(key);
  if (entry->uid_hash == answer.known->uid_hash) {
    entry->want_hash = answer.write.hash;
    entry->fields_hash = answer.fields_hash;
    entry->same_hash = answer.known->rest_hash;
    entry->applied.clear();
  }
  if (change) {
    deliver(std::move(*change));
    return;
  }
  const ObjectPointer now = object_of(*entry);
  deliver(Change{key, now, now, false});
}

// Whoever waited until is_applying says no.
void KubeStore::Impl::wake(const Write& write) {
  if (write.owner == write.key || lanes.has_applies(write.lane)) return;
  if (const ObjectPointer owner = store.find(write.owner); owner != nullptr)
    deliver(Change{write.owner, owner, owner, false});
}

void KubeStore::Impl::on_failure(const Write& write, Error error) {
  if (write.what == Write::What::kEvent || failure_handlers.empty()) {
    log::error("the API server did not take a write",
               {{"object", to_string(write.key)}, {"error", to_string(error)}});
  }
  if (write.what == Write::What::kEvent) return;
  const WriteFailure failure{write.key, write.owner, std::move(error)};
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
  impl.senders = std::make_unique<Senders>(impl.client, impl.words, impl.options.writers_max,
                                           [&impl](WriteAnswer answer) {
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

std::size_t KubeStore::object_count() const noexcept {
  std::size_t count = 0;
  for (const Impl::Watched& kind : impl_->watched) count += kind.objects.size();
  return count;
}

ObjectPointer KubeStore::find(const ObjectKey& key) const {
  const Impl::Entry* entry = impl_->find(key);
  return entry == nullptr ? nullptr : impl_->object_of(*entry);
}

std::vector<ObjectPointer> KubeStore::list(std::string_view group, std::string_view kind) const {
  std::vector<ObjectPointer> result;
  const Impl::Watched* watched = impl_->watched_kind(group, kind);
  if (watched == nullptr) return result;
  for (const auto& [name, entry] : watched->objects) result.push_back(impl_->object_of(entry));
  return result;
}

bool KubeStore::holds(const Object& object) const {
  const ObjectKey key = object.key();
  Impl::Entry* entry = impl_->find(key);
  if (entry == nullptr || impl_->lanes.last_change(key) != nullptr) return false;
  const std::uint64_t want_hash = hash_of(object);
  if (entry->want_hash == want_hash && entry->same_hash == entry->rest_hash) return true;
  if (entry->want_hash == 0 && entry->applied.empty()) return false;
  if (entry->want_hash != 0 && entry->want_hash != want_hash) return false;
  const ObjectPointer have = impl_->object_of(*entry);
  const std::uint64_t fields_hash = hash_of_same_fields(object, *have);
  if (entry->want_hash == 0) {  // applied before we started, perhaps exactly so
    if (!is_applied(object, *have, impl_->words.unpack(entry->applied))) return false;
    entry->want_hash = want_hash;
    entry->fields_hash = fields_hash;
    entry->applied = {};
  }
  if (entry->fields_hash != fields_hash) return false;
  entry->same_hash = entry->rest_hash;
  return true;
}

bool KubeStore::is_applying(const ObjectKey& owner) const {
  return impl_->lanes.has_applies(to_string(owner));
}

Result<void> KubeStore::apply(Object object) {
  Write write;
  write.key = object.key();
  if (find_kind(write.key.group, write.key.kind) == nullptr)
    return fail(Blame::kConfig, "no kind that sluice writes", to_string(write.key));
  write.hash = hash_of(object);
  if (const Write* last = impl_->lanes.last_change(write.key);
      last != nullptr && last->what == Write::What::kApply && last->hash == write.hash) {
    return {};  // asked for already
  }
  write.owner = owner_key(write.key, object);
  write.lane = impl_->lane_of(write.key, write.owner);
  write.api_version = std::move(object.api_version);
  write.document = impl_->words.pack(object.root);
  impl_->lanes.add(std::move(write));
  return {};
}

Result<void> KubeStore::remove(const ObjectKey& key) {
  const Impl::Entry* entry = impl_->find(key);
  const Write* last = impl_->lanes.last_change(key);
  if (entry == nullptr && last == nullptr) return {};
  if (last != nullptr && last->what == Write::What::kRemove) return {};
  if (last == nullptr && entry->is_removed)
    return {};  // the server has taken it; the watch will say when it is gone
  Write write;
  write.what = Write::What::kRemove;
  write.key = key;
  if (entry != nullptr) {
    const ObjectPointer have = impl_->object_of(*entry);
    write.owner = owner_key(key, *have);
    if (last == nullptr) write.uid = uid_of(*have);
  } else {
    write.owner = last->owner;
  }
  write.lane = impl_->lane_of(key, write.owner);
  impl_->lanes.add(std::move(write));
  return {};
}

Result<void> KubeStore::set_status(const ObjectKey& key, Value status) {
  const Impl::Entry* entry = impl_->find(key);
  if (entry == nullptr) return {};
  const std::uint64_t hash = hash_of(status);
  const Write* waiting = impl_->lanes.last_status(key);
  if ((waiting != nullptr ? waiting->hash : entry->status_hash) == hash) return {};
  Write write;
  write.what = Write::What::kStatus;
  write.key = key;
  write.owner = key;
  write.document = impl_->words.pack(status);
  write.hash = hash;
  write.api_version = api_version_of(*impl_->watched_kind(key.group, key.kind)->kind);
  write.lane = report_lane(key);
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
  write.key = ObjectKey{"", "Event", about.namespace_,
                        std::string(event->at("metadata").at("name").text())};
  write.owner = about;
  write.lane = report_lane(about);
  write.api_version = "v1";
  write.document = impl_->words.pack(*event);
  impl_->lanes.add(std::move(write));
}

void KubeStore::watch(Handler handler) {
  // In the order of keys; a handler's own writes are answered later, so nothing moves meanwhile.
  std::vector<const Impl::Watched*> kinds;
  for (const Impl::Watched& kind : impl_->watched) kinds.push_back(&kind);
  std::sort(kinds.begin(), kinds.end(), [](const Impl::Watched* a, const Impl::Watched* b) {
    return std::tie(a->kind->group, a->kind->kind) < std::tie(b->kind->group, b->kind->kind);
  });
  for (const Impl::Watched* kind : kinds) {
    for (const auto& [name, entry] : kind->objects) {
      handler(Change{ObjectKey{std::string(kind->kind->group), std::string(kind->kind->kind),
                               name.first, name.second},
                     nullptr, impl_->object_of(entry), false});
    }
  }
  impl_->handlers.push_back(std::move(handler));
}

}  // namespace sluice::kube
