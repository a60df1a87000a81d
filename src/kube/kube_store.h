// The Store over a Kubernetes API server. Reads come from caches that watches keep; writes are
// queued, sent by a few threads, and answered into the caches.
//
//   kube::KubeStore store(loop, *client, {});
//   store.on_synced([&] { operator.start(); });
//   store.on_failed([&](const kube::WriteFailure& failure) { ... another pass, later ... });
//   store.start();
//
// Order: applies and removals that concern one owner (the object itself, or what its controller
// reference names) are sent one after the other, as they were asked for; those of different owners
// side by side. When one fails for good, those of the same owner behind it are dropped: a route
// must not be written when what it names could not be. `on_failed` is told, and a later pass asks
// for all again. Statuses and events go when there is time for them; of the statuses that wait for
// one object only the last is sent.
//
// Objects are cached packed (packed.h); find, list and watch make trees of them.
//
// apply, remove and set_status return at once. While an apply has no answer, holds() is false and
// asking for the same again does nothing. When its answer is there, handlers get a Change even if
// nothing differs (before == after): whoever waited makes another pass. When it was the last one
// that the owner waited for, they get one of the owner, too.
//
// Thread: the loop's, for everything here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kube/client.h"
#include "kube/kinds.h"
#include "net/loop.h"
#include "store/store.h"

namespace sluice::kube {

struct KubeStoreOptions {
  std::string namespace_;  // "": all. Otherwise only it is listed and watched.
  // What is cached: all that find, list and watch will ever show. Empty: operator_kinds(), and with
  // them, when all namespaces are looked at, the Namespaces.
  std::vector<const Kind*> kinds;
  unsigned writers_max = 8;  // threads; started when there is something to write
  std::string event_source = "sluice";
};

// SeldonDeployment and all that the operator makes of one, and Gateways (to check names).
std::vector<const Kind*> operator_kinds();

struct WriteFailure {
  resource::ObjectKey key;
  // The key of the owner (the controller reference's, in the same namespace), or `key` itself.
  resource::ObjectKey owner;
  Error error;
};

class KubeStore final : public store::Store {
 public:
  KubeStore(net::Loop& loop, Client& client, KubeStoreOptions options);
  // Stops the client: its threads end within moments.
  ~KubeStore() override;

  void start();
  // Once, on the loop, when every kind was listed (kinds that the server does not know count as
  // empty; they are asked for again from time to time).
  void on_synced(std::function<void()> done);
  void on_failed(std::function<void(const WriteFailure&)> handler);
  bool is_synced() const noexcept;
  // Whether the server knows the kind: false before its first list.
  bool is_served(std::string_view group, std::string_view kind) const;
  std::size_t writes_pending() const noexcept;  // asked for, without an answer
  // Why a kind can't be listed or watched now ("" when all is well), for /readyz and logs.
  std::string trouble() const;
  // How the caches are doing, for metrics.
  std::size_t object_count() const noexcept;

  // Writes an Event (core v1) about an object, behind its owner's other writes, or counts one up
  // (events.h). Failing is logged, nothing else.
  void record_event(const resource::ObjectKey& about, std::string_view type,
                    std::string_view reason, std::string_view message);

  store::ObjectPointer find(const resource::ObjectKey& key) const override;
  std::vector<store::ObjectPointer> list(std::string_view group,
                                         std::string_view kind) const override;
  // True when the object was applied by us exactly so, and every field that we set is in the cache
  // as the server answered then. After a start the fields that the server says our field manager
  // has applied are compared with it, so that nothing is written anew (likeness.h, is_applied).
  bool holds(const resource::Object& object) const override;
  bool is_applying(const resource::ObjectKey& owner) const override;
  bool collects_garbage() const override { return true; }
  Result<void> apply(resource::Object object) override;  // fails (kConfig): unknown kind
  Result<void> remove(const resource::ObjectKey& key) override;
  Result<void> set_status(const resource::ObjectKey& key, resource::Value status) override;
  void watch(Handler handler) override;

 private:
  struct Impl;
  friend struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::kube
