// Where resources live: list, watch, apply, remove, status. Knows no Seldon rule.
// Two stores are planned: the embedded one (memory, fed by files) and a Kubernetes API server's
// (kube/). Thread: the control thread only.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "resource/object.h"

namespace sluice::store {

using ObjectPointer = std::shared_ptr<const resource::Object>;

// One object before and after. before == nullptr: new; after == nullptr: removed. `status_only`:
// nothing but the status differs.
struct Change {
  resource::ObjectKey key;
  ObjectPointer before;
  ObjectPointer after;
  bool status_only = false;
};

class Store {
 public:
  virtual ~Store() = default;

  virtual ObjectPointer find(const resource::ObjectKey& key) const = 0;  // nullptr: absent
  virtual std::vector<ObjectPointer> list(std::string_view group,
                                          std::string_view kind) const = 0;  // by namespace, name

  // Whether apply(object) would change nothing. What a store keeps by itself (uid, generation,
  // defaults of an API server, status) does not count. A store that can't know says false: apply is
  // then asked for what is so already.
  virtual bool holds(const resource::Object& object) const = 0;
  // Makes the object be as given, keeping the status that is there. Nothing happens when it is so
  // already.
  virtual Result<void> apply(resource::Object object) = 0;
  virtual Result<void> remove(const resource::ObjectKey& key) = 0;  // absent: fine
  virtual Result<void> set_status(const resource::ObjectKey& key,
                                  resource::Value status) = 0;  // absent: fine

  // Whether the store itself removes what a removed object owned (an API server's garbage
  // collector).
  virtual bool collects_garbage() const { return false; }

  // Applies of what this object owns have no answer yet: a pass now would only ask for the same
  // again. When all have one, handlers get a Change of the owner with before == after.
  virtual bool is_applying(const resource::ObjectKey& /*owner*/) const { return false; }

  // Calls `handler` for what is there (as new), then after every change, in order, each after it is
  // in force. A handler may call apply, remove and set_status: those changes are delivered after
  // this one.
  using Handler = std::function<void(const Change&)>;
  virtual void watch(Handler handler) = 0;  // for the life of the store
};

}  // namespace sluice::store
