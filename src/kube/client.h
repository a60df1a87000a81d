// Calls to an API server. Each blocks until it has an answer, fails, or its deadline is over.
// Thread: any; calls from several threads run side by side, each on a connection of its own from a
// pool that keeps them.
//
// What is retried (within the deadline, at most attempts_max times): connections that fail or
// close, 429 and 5xx, after Retry-After or a back-off with jitter. All calls here are safe to
// repeat: what creates is told "already exists" the second time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "kube/kinds.h"
#include "kube/kubeconfig.h"
#include "resource/object.h"
#include "resource/value.h"

namespace sluice::kube {

struct ClientOptions {
  // client-go's 5 (controller-runtime's 20) calls a second make a start with some hundred objects
  // take minutes; API servers guard themselves (priority and fairness: 429, which is honoured).
  double calls_per_second = 400;
  double calls_burst = 800;
  Milliseconds deadline{30'000};  // of one call with its retries
  unsigned attempts_max = 6;
  std::size_t idle_connections_max = 16;
  std::size_t page_size = 100;  // of lists: a page is held as text and as a tree, some 3 MB
  std::string field_manager = "sluice";
  // Whose objects become ours (takeover.h): the name under which Seldon Core's operator writes.
  std::string predecessor = "manager";
};

enum class Outcome : std::uint8_t {
  kDone,
  kNotFound,  // 404
  kConflict,  // 409: another version, another uid, or it exists already
};

struct Written {
  Outcome outcome = Outcome::kDone;
  resource::Value object;  // as the server has it now (kDone; remove may leave it null)
  std::string message;     // of the server when not kDone
};

struct Listed {
  resource::List items;  // apiVersion and kind filled in, managedFields taken out
  std::string resource_version;
  bool served = true;
};

struct Selection {
  std::string namespace_;  // "": all
  std::string label_selector;
  std::string field_selector;
};

struct WatchEvent {
  enum class Type : std::uint8_t { kAdded, kModified, kDeleted, kBookmark };
  Type type = Type::kAdded;
  resource::Value object;
  resource::Value applied;  // what our field manager has applied, as fieldsV1; null: nothing
};

// One object after the other, so that a long list is never held whole.
struct ListSink {
  std::function<void()> begin;  // again, when a page's place in the list has expired (410)
  std::function<void(resource::Value item, resource::Value applied)> item;  // as in WatchEvent
};

struct ListEnd {
  std::string resource_version;
  bool served = true;  // false: the server does not know this kind (its CRD is not there)
};

// How a watch ended that was begun well.
enum class WatchEnd : std::uint8_t {
  kClosed,   // by the server, or the connection broke: go on from the last version seen
  kExpired,  // 410: list again
  kStopped,  // Client::stop
};

// Counts since the client was made.
struct ClientCounts {
  // Answered requests, by RBAC's verb and the kind ("Deployment", "SeldonDeployment/status").
  std::map<std::pair<std::string, std::string>, std::uint64_t> calls;
  std::uint64_t calls_total() const noexcept;
  std::uint64_t retries = 0;
  std::uint64_t throttled_ns = 0;  // waited for our own rate limit
  std::uint64_t connections = 0;   // opened
};

class Client {
 public:
  // Fails (kConfig) when certificates can't be read. Connects to nothing yet.
  static Result<std::unique_ptr<Client>> make(Config config, ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Ends all calls and watches that are under way, in all threads, and refuses new ones. Any
  // thread.
  void stop();
  bool is_stopped() const noexcept;
  // Asked before each request that writes, each try of it: false: it is not sent, and the call
  // fails (kInternal). Called on any thread; set before the first call.
  void guard_writes(std::function<bool()> may_write);
  const Config& config() const noexcept;
  ClientCounts counts() const;

  // {"major": "1", "minor": "34", "gitVersion": ...}: also a cheap check of address and
  // certificates.
  Result<resource::Value> version();

  // Nothing: 404.
  Result<std::optional<resource::Value>> get(const Kind& kind, std::string_view namespace_,
                                             std::string_view name);
  // In pages.
  Result<ListEnd> list(const Kind& kind, const Selection& selection, const ListSink& sink);
  Result<Listed> list(const Kind& kind, const Selection& selection);

  // Server-side apply, forced: what the object says is ours from now on, what we said before and no
  // longer say goes. `object` has no status; server's own metadata in it is left out. The first
  // time on an object that the predecessor made, its share becomes ours: two calls more. A pod
  // template that says a port twice, which server-side apply refuses, is written by a patch of the
  // version that was read (two calls).
  // `uid`: only onto that very object; "": only if there is none. Otherwise kConflict: what
  // somebody else put there since we looked is not overwritten.
  Result<Written> apply(const resource::Object& object, std::optional<std::string_view> uid = {});
  // Puts the whole status in the place of the one that is there (the status subresource). `uid` not
  // "": only of that very object (else kConflict).
  Result<Written> set_status(const Kind& kind, std::string_view api_version,
                             std::string_view namespace_, std::string_view name,
                             const resource::Value& status, std::string_view uid = {});
  // Background propagation. `uid` not "": only that very object.
  Result<Written> remove(const Kind& kind, std::string_view namespace_, std::string_view name,
                         std::string_view uid = {});
  // POST. kConflict: it exists.
  Result<Written> create(const resource::Value& object);
  // PUT. With metadata.resourceVersion: kConflict unless it is still that one.
  Result<Written> update(const resource::Value& object);

  struct WatchOptions {
    Selection selection;
    std::string resource_version;
    int timeout_seconds = 300;  // asked of the server
  };
  // Calls `handle` for each event, on this thread, until the watch ends.
  Result<WatchEnd> watch(const Kind& kind, const WatchOptions& options,
                         const std::function<void(WatchEvent)>& handle);

  // Waits, unless stop() comes first: then false.
  bool wait(Milliseconds duration);

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::kube
