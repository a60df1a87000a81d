// The embedded store: objects in memory, changes delivered in order to every watcher.
// Thread: the control thread only.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "store/store.h"

namespace sluice::store {

class MemoryStore final : public Store {
 public:
  ObjectPointer find(const resource::ObjectKey& key) const override;
  std::vector<ObjectPointer> list(std::string_view group, std::string_view kind) const override;
  bool holds(const resource::Object& object) const override;
  Result<void> apply(resource::Object object) override;  // never fails
  Result<void> remove(const resource::ObjectKey& key) override;
  Result<void> set_status(const resource::ObjectKey& key, resource::Value status) override;
  void watch(Handler handler) override;
  std::vector<ObjectPointer> all() const;  // for dumps

 private:
  void deliver(Change change);

  std::map<resource::ObjectKey, ObjectPointer> objects_;  // by group, kind, namespace, name
  std::vector<Handler> handlers_;
  std::deque<Change> pending_;  // made while a handler runs
  bool delivering_ = false;
  std::uint64_t next_uid_ = 1;
};

}  // namespace sluice::store
