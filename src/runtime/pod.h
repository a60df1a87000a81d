// One pod: its containers as processes, kept running; ready when all of them are; retired in order.
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/loop.h"
#include "runtime/monitor.h"
#include "runtime/pod_spec.h"
#include "runtime/ports.h"
#include "runtime/process.h"
#include "runtime/runtime.h"

namespace sluice::runtime {

class Pod {
 public:
  struct Host {
    net::Loop& loop;
    const Options& options;
    PortPool& ports;
    std::string container_tool;  // "podman", "docker", or "": there is none
    std::function<void(Pod&)>
        changed;  // readiness, ports, trouble or end; must not destroy the pod at once
  };

  // REQUIRES: host outlives the pod.
  Pod(const Host& host, std::uint64_t id, std::string in_namespace, std::string name, PodSpec spec);
  ~Pod();  // kills what still runs
  Pod(const Pod&) = delete;
  Pod& operator=(const Pod&) = delete;

  void start();
  // No endpoint any more from now on; SIGTERM after the drain delay, SIGKILL after the grace
  // period.
  void retire();

  std::uint64_t id() const noexcept { return id_; }
  const std::string& namespace_name() const noexcept { return namespace_; }
  const std::string& name() const noexcept { return name_; }
  const PodSpec& spec() const noexcept { return spec_; }
  const PortMap& ports() const noexcept { return ports_; }
  bool is_ready() const noexcept;  // false once retired
  bool is_retired() const noexcept { return phase_ != Phase::kRunning; }
  bool is_gone() const noexcept { return phase_ == Phase::kGone; }
  std::size_t process_count() const noexcept;
  // Why it is not ready, in one sentence; empty when it is or nothing is known.
  std::string trouble() const;

 private:
  enum class Phase : std::uint8_t { kRunning, kDraining, kStopping, kGone };
  struct Container;

  void start_container(Container& container);
  void on_started(Container& container);
  void on_exit(Container& container, const ProcessExit& exit);
  void restart_later(Container& container, const std::string& what);
  void kill_container(Container& container);
  void watch_probes(Container& container);
  void watch_readiness(Container& container);
  void watch_liveness(Container& container);
  bool assign_ports();
  Result<ProcessSpec> make_process(const Container& container,
                                   const std::map<std::string, std::string>& variables);
  void on_timer();
  void check_gone();

  const Host& host_;
  const std::uint64_t id_;
  const std::string namespace_;
  const std::string name_;
  const PodSpec spec_;
  PortMap ports_;
  Phase phase_ = Phase::kRunning;
  net::Timer timer_;  // of draining and stopping
  std::vector<std::unique_ptr<Container>> containers_;
};

}  // namespace sluice::runtime
