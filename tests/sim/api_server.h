// An API server in memory: versions, generations, server-side apply, the status subresource, lists
// in pages, watches with bookmarks, 410, 409. Only what the operator meets; in the words of
// https://kubernetes.io/docs/reference/using-api/. What it leaves out is said in README.md.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kube/kinds.h"
#include "machine.h"
#include "resource/object.h"
#include "resource/value.h"

namespace sluice::sim {

using resource::ObjectKey;
using resource::Value;

struct Request {
  std::string method;
  std::string path;
  std::map<std::string, std::string> parameters;
  std::string body;
};

struct Reply {
  int status = 200;
  std::string body;
  int retry_after_s = 0;
};

// The server's end of a watch. Lines arrive after a while, in order.
struct Stream {
  const kube::Kind* kind = nullptr;
  std::string namespace_;
  std::deque<std::string> lines;  // arrived and not yet read
  bool closed = false;
  bool broken = false;
  std::int64_t last_due_ns = 0;
  Process* process = nullptr;
  std::shared_ptr<Fiber> reader;  // who waits, if anyone
};

class ApiServer {
 public:
  explicit ApiServer(Machine& machine) : machine_(machine) {}

  struct Change {
    ObjectKey key;
    const Value* before = nullptr;  // null: new
    const Value* after = nullptr;   // null: removed
    bool by_operator = false;
  };
  std::function<void(const Change&)> on_change;
  std::set<std::string> kinds_unserved{"ScaledObject"};
  int watch_delay_max_ms = 20;  // from a change to its event, beside stalls
  double duplicate_events = 0;  // how likely an event comes twice

  Reply handle(const Request& request);
  // Null: `reply` says why not.
  std::shared_ptr<Stream> watch(const Request& request, Process& process, Reply& reply);

  // --- As somebody else than the operator.
  const Value* find(const ObjectKey& key) const;
  // Spec, labels, annotations, owners as given; status stays. Creates, or replaces.
  void put(Value object);
  void set_status(const ObjectKey& key, Value status);
  void remove(const ObjectKey& key, bool foreground = false);
  const std::map<ObjectKey, Value> objects() const;
  template <class Function>
  void for_each(std::string_view kind, const Function& each) const {
    for (const auto& [key, stored] : objects_) {
      if (key.kind == kind) each(key, stored.object);
    }
  }

  // --- Troubles.
  void compact();       // watches that want to go on from before now get 410
  void expire_pages();  // so do lists under way
  void break_watches(Process* process, bool clean);
  void send_bookmarks();

 private:
  struct Stored {
    Value object;
    Value applied;  // by the operator's field manager
  };
  struct Event {
    std::uint64_t version;
    ObjectKey key;
    std::string line;
  };
  struct Target {
    const kube::Kind* kind = nullptr;
    ObjectKey key;
    bool is_status = false;
    std::string api_version;
  };
  bool find_target(const std::string& path, Target& target) const;
  Reply list(const Target& target, const Request& request);
  Reply apply(const Target& target, const Value& body);
  Reply create(const Target& target, Value body);
  Reply update(const Target& target, Value body);
  Reply remove_by_request(const Target& target, const Value& options);
  Reply patch_status(const Target& target, const Value& patch);
  void store(const ObjectKey& key, Value object, Value applied, bool by_operator);
  void erase(const ObjectKey& key, bool by_operator);
  void offer(Stream& stream, const std::shared_ptr<Stream>& shared, std::string line);
  void tell(const char* type, const ObjectKey& key, const Value& object);

  Machine& machine_;
  std::map<ObjectKey, Stored> objects_;
  std::vector<Event> history_;
  std::vector<std::shared_ptr<Stream>> streams_;
  std::map<std::string, std::vector<std::string>> pages_;  // by continue token: what is left
  std::string pages_version_;
  std::uint64_t version_ = 1000;
  std::uint64_t oldest_ = 0;
  std::uint64_t made_ = 0;
  std::uint64_t tokens_ = 0;
};

Value metadata_with(const Value& object, std::string_view name, Value value);
std::string uid_of(const Value& object);

}  // namespace sluice::sim
