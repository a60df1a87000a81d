// The reconcile loop: watches a Store, makes plans for the SeldonDeployments that a change
// concerns, applies them. Thread: the control thread only. A key in the queue is a name, never an
// event.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "compile/settings.h"
#include "resource/object.h"
#include "store/store.h"

namespace sluice::operator_ {

// How the operator learns that the gateway uses what is in the store.
class Gate {
 public:
  virtual ~Gate() = default;
  // Calls `done` once (later, not from within) when every routing object as it is now is in force.
  virtual void when_in_force(std::function<void()> done) = 0;
};

// Where one SeldonDeployment stands, for listings.
struct Standing {
  resource::ObjectKey key;
  std::string state;  // Creating, Available, Failed
  std::string description;
};

class Operator {
 public:
  // `schedule` runs the given work soon on the control thread, after what is under way: passes are
  // made there, so that ten changes at once are one pass.
  Operator(store::Store& store, compile::Settings settings, Gate& gate,
           std::function<void(std::function<void()>)> schedule);
  void start();  // begins to watch
  std::vector<Standing> standings() const;
  std::uint64_t passes() const noexcept { return passes_; }
  bool has_work() const noexcept { return scheduled_; }  // a pass is due

 private:
  void on_change(const store::Change& change);
  void enqueue(const resource::ObjectKey& deployment);
  void drain_queue();
  void reconcile(const resource::ObjectKey& deployment);
  void remove_orphans(const resource::ObjectKey& deployment);

  store::Store& store_;
  const compile::Settings settings_;
  Gate& gate_;
  const std::function<void(std::function<void()>)> schedule_;
  std::set<resource::ObjectKey> queue_;
  bool scheduled_ = false;
  // Keys of what each SeldonDeployment owns, kept from the watch.
  std::map<resource::ObjectKey, std::set<resource::ObjectKey>> owned_;
  // Passes of routes: the gateway was asked at `asked`, and has answered for everything up to
  // `answered`.
  struct Routes {
    std::uint64_t asked = 0;
    std::uint64_t answered = 0;
    bool in_force = false;
  };
  std::map<resource::ObjectKey, Routes> routes_;
  std::uint64_t passes_ = 0;
};

}  // namespace sluice::operator_
