// The operator's parts wired together over one API server: caches, the lease, passes, retries. What
// `sluice operator` runs, without its signals and its admin port: the simulation (tests/sim) runs
// it, too.
// Thread: the loop's.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/verbs.h"
#include "istio/gateway_probe.h"
#include "kube/client.h"
#include "kube/kube_store.h"
#include "kube/lease.h"
#include "net/loop.h"
#include "operator/operator.h"
#include "resource/value.h"
#include "usage/usage.h"

namespace sluice::cli {

// Work that is due at a time, on the loop.
class Later {
 public:
  explicit Later(net::Loop& loop) : loop_(loop) {}
  void run_in(Milliseconds delay, std::function<void()> work);

 private:
  struct Entry {
    Entry(Later& o, std::function<void()> w)
        : owner(o), work(std::move(w)), timer(&Entry::fire, this) {}
    static void fire(void* self);
    Later& owner;
    std::function<void()> work;
    net::Timer timer;
  };
  net::Loop& loop_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

// REQUIRES: options.lease_namespace is not empty.
kube::LeaseOptions lease_options(const OperatorOptions& options);

class Controller final : public operator_::Gate {
 public:
  // `on_lease_lost`: the process must end, so that nothing is written beside the new leader.
  // `lease_client` is the election's own, used with options.leader_elect only.
  Controller(net::Loop& loop, const OperatorOptions& options, kube::Client& client,
             kube::Client& lease_client, std::function<void()> on_lease_lost);

  void start();
  // Sends no more writes, hands the lease over when those under way have their answers, and calls
  // `done`: at once when we don't lead, else within five seconds.
  void stop(std::function<void()> done);

  bool is_leading() const noexcept { return leading_ && !stopping_; }
  usage::Usage usage() const;  // of the SeldonDeployments that we care for
  bool is_ready() const { return store_.is_synced() && store_.trouble().empty(); }
  resource::Value status() const;
  std::string metrics() const;

  void ask(const operator_::Question& question, std::function<void()> done) override;

 private:
  void on_synced();
  void lead();
  void append_probe_metrics(std::string& out) const;
  void release_when_idle(const std::function<void()>& done);
  void on_failed(const kube::WriteFailure& failure);

  const OperatorOptions options_;
  kube::Client& client_;
  const std::function<void()> on_lease_lost_;
  std::atomic<bool> stopping_{false};
  std::unique_ptr<kube::LeaderElection> election_;  // asked by the store's threads
  kube::KubeStore store_;
  operator_::Operator operator_;
  Later later_;
  std::unique_ptr<istio::GatewayProbe> probe_;  // null: switched off
  bool leading_ = false;
  std::map<resource::ObjectKey, Milliseconds> retry_delays_;
  std::uint64_t failures_ = 0;
};

}  // namespace sluice::cli
