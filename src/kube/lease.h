// One leader among several replicas, by a Lease (coordination.k8s.io/v1), as client-go does it:
// who holds it renews it every retry period; who can't renew for renew_deadline stops leading; who
// has seen no change of it for `duration` takes it. Clocks of different machines are not compared.
// Thread: a thread of its own; callbacks run on the loop.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "kube/client.h"
#include "net/loop.h"

namespace sluice::kube {

struct LeaseOptions {
  std::string namespace_;
  std::string name;
  std::string identity;  // unique: pod name and a random part; "": made up from the host's name
  Milliseconds duration{15'000};
  Milliseconds renew_deadline{10'000};
  Milliseconds retry_period{2'000};
};

// Whether the times fit each other: retry_period < renew_deadline < duration, with room for a call
// that hangs. Fails (kConfig), naming the flags.
Result<void> check_times(const LeaseOptions& options);

// For the election's own client: a call must end well before the lease does.
ClientOptions lease_client_options(const LeaseOptions& options = {});

class LeaderElection {
 public:
  // `client` is the election's own (lease_client_options): a rate limit that others use up, or a
  // call that takes its time, must not cost the lease.
  LeaderElection(net::Loop& loop, Client& client, LeaseOptions options);
  ~LeaderElection();  // stops trying, and the client; does not release

  // on_lost: whoever leads must stop writing at once (usually: end the process).
  void start(std::function<void()> on_leading, std::function<void()> on_lost);
  // Any thread. False, too, when the time to renew is over and nobody has noticed yet: a process
  // that was stopped for a while must not write first.
  bool is_leader() const noexcept;
  // Gives the lease up so that another takes it within its retry period, then calls `done` on the
  // loop. For SIGTERM. Neither callback of start comes afterwards.
  void release(std::function<void()> done);
  const std::string& identity() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::kube
