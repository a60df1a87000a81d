// The reconcile loop: watches a Store, makes plans for the SeldonDeployments that a change
// concerns, applies them. Thread: the control thread only. A key in the queue is a name, never an
// event.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "compile/settings.h"
#include "operator/plan.h"
#include "resource/object.h"
#include "store/store.h"

namespace sluice::operator_ {

// How the operator learns that the gateway uses what is in the store.
class Gate {
 public:
  virtual ~Gate() = default;
  // Calls `done` once (later, not from within) when the answer is yes.
  virtual void ask(const Question& question, std::function<void()> done) = 0;
};

// Where one SeldonDeployment stands, for listings.
struct Standing {
  resource::ObjectKey key;
  std::string state;  // Creating, Available, Failed
  std::string description;
};

// Told when a deployment's state changes: for Events. `type` is Normal or Warning. In the profile
// compat also of each object made, changed or removed, in Seldon Core's words.
using Announce = std::function<void(const resource::ObjectKey& deployment, std::string_view type,
                                    std::string_view reason, std::string_view message)>;

class Operator {
 public:
  // `schedule` runs the given work soon on the control thread, after what is under way: passes are
  // made there, so that ten changes at once are one pass.
  Operator(store::Store& store, compile::Settings settings, Gate& gate,
           std::function<void(std::function<void()>)> schedule, Announce announce = {});
  void start();  // begins to watch
  // A write that a pass asked for has failed for good (stores that answer later). Said in the
  // status until the deployment changes or a pass succeeds: as Failed when it will not go away by
  // itself (error.retry is kNever). The caller asks for another pass when it is time.
  void on_write_failed(const resource::ObjectKey& deployment, const Error& error);
  void request_pass(const resource::ObjectKey& deployment) { enqueue(deployment); }
  std::vector<Standing> standings() const;
  std::uint64_t passes() const noexcept { return passes_; }
  // SeldonDeployments that another operator cares for: by their label, or their namespace's.
  std::size_t left_to_others() const noexcept { return left_to_others_.size(); }
  bool is_left_to_others(const resource::ObjectKey& deployment) const {
    return left_to_others_.contains(deployment);
  }
  bool has_work() const noexcept { return scheduled_; }  // a pass is due

 private:
  void on_change(const store::Change& change);
  void on_gateway(const store::Change& change);
  void announce_gateways(const resource::ObjectKey& deployment, const resource::Value& status);
  void on_namespace(const resource::ObjectKey& key);
  bool leave_to_others(const resource::Object& deployment);
  void enqueue(const resource::ObjectKey& deployment);
  void drain_queue();
  void reconcile(const resource::ObjectKey& deployment);
  void ask(const resource::ObjectKey& deployment, const Question& question);
  void remove_orphans(const resource::ObjectKey& deployment);
  void announce_deed(const resource::ObjectKey& owner, const store::Change& change);
  void announce_state(const resource::ObjectKey& deployment, const resource::Value& status,
                      bool is_error);

  store::Store& store_;
  const compile::Settings settings_;
  Gate& gate_;
  const std::function<void(std::function<void()>)> schedule_;
  std::set<resource::ObjectKey> queue_;
  bool scheduled_ = false;
  bool is_starting_ = false;  // told what was there before us
  // Something changed while the store was still applying what the last pass had asked for.
  std::set<resource::ObjectKey> deferred_;
  // Keys of what each SeldonDeployment owns, kept from the watch.
  std::map<resource::ObjectKey, std::set<resource::ObjectKey>> owned_;
  // What the gateway has said about a deployment's routes, to us or to the operator before us. Each
  // question is asked once after each change of them; an answer to a question from before the last
  // change counts for nothing.
  struct Routes {
    std::uint64_t changes = 0;
    std::optional<Question> asked;
    bool in_force = false;
    std::vector<Destination> reachable;
  };
  std::map<resource::ObjectKey, Routes> routes_;
  struct Failure {
    std::string what;
    bool is_passing = false;  // the same write may well succeed the next time
  };
  std::map<resource::ObjectKey, Failure> failures_;
  // Others' objects, and the deployments that wait until they are gone.
  std::map<resource::ObjectKey, std::set<resource::ObjectKey>> blocked_;
  // What was last said: a store that answers later still shows the state from before.
  std::map<resource::ObjectKey, std::string> states_said_;
  std::set<resource::ObjectKey> left_to_others_;
  // What was asked of the store and is not seen yet: kept for announce_deed only.
  std::set<resource::ObjectKey> asked_;
  std::map<resource::ObjectKey, std::string> gateways_said_;  // what was last said of missing ones
  const Announce announce_;
  std::uint64_t passes_ = 0;
};

}  // namespace sluice::operator_
