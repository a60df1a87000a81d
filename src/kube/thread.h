// Threads, and what they wait for besides Stop. The room's own words for the standard library's,
// because the simulation (tests/sim) links others in the place of thread.cc: threads that take
// turns in an order that a seed picks.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

namespace sluice::kube {

class Thread {
 public:
  Thread() noexcept;  // none
  explicit Thread(std::function<void()> work);
  Thread(Thread&&) noexcept;
  Thread& operator=(Thread&&) noexcept;
  ~Thread();  // REQUIRES: none, or joined

  bool is_joinable() const noexcept { return impl_ != nullptr; }
  void join();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A condition variable.
class Signal {
 public:
  Signal();
  ~Signal();
  // Gives the lock up until `is_true` (asked with the lock held) says so.
  void wait(std::unique_lock<std::mutex>& lock, const std::function<bool()>& is_true);
  void notify_one() noexcept;
  void notify_all() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::kube
