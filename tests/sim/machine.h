// The machine that the simulation runs on: time that moves only when nothing is left to do, and
// threads that take turns. Everything that happens is an event at a time; events of the same time
// come in an order that the seed picks. So a seed is a run, each time the same.
//
// machine.cc defines what the product's base/clock.cc, kube/stop.cc and kube/thread.cc define, and
// is linked in their place; wire.cc does so for kube/connection.cc.
#pragma once

#include <ucontext.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "net/loop.h"

namespace sluice::sim {

class Machine;
class Process;

// A thread of a process.
class Fiber {
 public:
  Fiber(Process& process, std::function<void()> work);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  void resume();  // until it parks or ends. Never from within a fiber.
  // From within the fiber: until it is woken, or `until_ns`; may come back early.
  void park(std::int64_t until_ns);
  bool has_ended() const noexcept { return ended_; }

  const void* waits_for = nullptr;  // a Stop or a Signal
  Process& process;

 private:
  friend class Machine;
  static void enter(unsigned high, unsigned low);
  void switch_out(bool ends);
  std::function<void()> work_;
  ucontext_t own_{};
  ucontext_t back_{};
  void* stack_ = nullptr;
  void* fake_stack_ = nullptr;  // the address sanitizer's
  bool ended_ = false;
  std::uint64_t wakes_ = 0;  // how often it was woken: an older wake-up counts for nothing
};

// One replica of the operator, as the operating system sees it.
class Process {
 public:
  Process(Machine& m, int number) : machine(m), id(number) {}
  ~Process();
  Machine& machine;
  const int id;
  bool is_dead = false;            // killed: nothing that it says arrives any more
  bool is_paused = false;          // stopped, as by a debugger or a hypervisor
  std::int64_t wall_offset_s = 0;  // its clock is wrong by this
  net::Loop loop;
  std::vector<std::shared_ptr<Fiber>> fibers;

  void run_loop_soon();  // after something was done for it
  void resume();         // ends a pause

 private:
  friend class Machine;
  bool round_is_due_ = false;
  std::int64_t timer_due_ns_ = INT64_MAX;
  std::vector<std::function<void()>> while_paused_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class Machine {
 public:
  explicit Machine(std::uint64_t seed) : random(seed), seed_(seed) { current = this; }
  ~Machine() { current = nullptr; }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  std::int64_t now_ns() const noexcept { return now_ns_; }
  // `process`: not before its pause is over; not at all when it is gone.
  void at(std::int64_t ns, std::function<void()> work, Process* process = nullptr);
  void after(Milliseconds delay, std::function<void()> work, Process* process = nullptr);
  bool run_next();                  // false: nothing will ever happen
  void run_until(std::int64_t ns);  // and time is `ns` then
  void wake(const std::shared_ptr<Fiber>& fiber, std::int64_t ns);
  void wake_all(const void* what);  // all that wait for it, now

  Milliseconds between(int low_ms, int high_ms) {
    return Milliseconds(
        low_ms + static_cast<int>(random.below(static_cast<std::uint32_t>(high_ms - low_ms + 1))));
  }
  bool chance(double probability) {
    return random.below(1'000'000) < static_cast<std::uint32_t>(probability * 1e6);
  }

  Random random;
  std::vector<std::string>* trace = nullptr;  // what happens, in words; null: not kept
  void say(const std::string& what);

  static Machine* current;
  static Fiber* running;    // null: none
  static Process* speaker;  // whose code runs; null: the world's own
  std::vector<Process*> processes;

 private:
  const std::uint64_t seed_;
  // 2026, so that texts of times look as they do.
  std::int64_t now_ns_ = 1'767'225'600'000'000'000;
  struct When {
    std::int64_t ns;
    std::uint32_t lot;
    std::uint64_t number;
    auto operator<=>(const When&) const = default;
  };
  std::map<When, std::function<void()>> events_;
  std::uint64_t made_ = 0;
};

}  // namespace sluice::sim
