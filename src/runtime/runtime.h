// What the kubelet and the EndpointSlice controller are to a node: runs the pods of the Deployments
// in the store as local processes, and publishes where they listen. Reads Deployments and Services;
// writes EndpointSlices and the status of Deployments. Knows no route and no Seldon rule.
// Thread: the control thread only. docs/explanation/one-machine.md says what of a pod has effect.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "net/loop.h"
#include "store/store.h"

namespace sluice::runtime {

struct Options {
  std::string sluice_path = "/proc/self/exe";  // stands for "@sluice" as first word of a command
  std::string address = "127.0.0.1";           // where pods listen and are probed
  std::uint16_t port_first =
      20'000;  // ports given to pods; below Linux's ephemeral range, so that no
  std::uint16_t port_last = 32'700;  // outgoing connection takes one between choice and use
  Milliseconds drain_delay{
      1'000};  // from "no longer an endpoint" to SIGTERM: requests under way end
  Milliseconds probe_interval_first{100};  // readiness is asked this often until first ready
  Milliseconds restart_delay_first{100};   // doubles with each crash in a row
  Milliseconds restart_delay_max{30'000};
  Milliseconds restart_reset_after{60'000};  // running this long forgets earlier crashes
  // Each line that a container prints (at most 8 KiB of it). Default: a line of our own log.
  std::function<void(std::string_view pod, std::string_view container, std::string_view line)>
      on_line;
};

class Runtime {
 public:
  // Both outlive the runtime; the store may outlive it with its watch left behind.
  Runtime(net::Loop& loop, store::Store& store, Options options);
  // Kills at once what still runs (SIGKILL to each process group) and waits for it.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Starts to watch the store; pods start in the next rounds of the loop.
  void start();
  // Stops all pods: endpoints go first, then SIGTERM after the drain delay, SIGKILL after the grace
  // period. Calls `done` on the loop when the last process is gone. Nothing is started afterwards.
  void drain(std::function<void()> done);

  std::size_t process_count() const noexcept;  // child processes alive now

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sluice::runtime
