#include "machine.h"

#include <fmt/core.h>
#include <sys/mman.h>

#include "base/assert.h"
#include "kube/stop.h"
#include "kube/thread.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace sluice::sim {

Machine* Machine::current = nullptr;
Fiber* Machine::running = nullptr;
Process* Machine::speaker = nullptr;

namespace {

constexpr std::size_t kStackBytes = 512U << 10U;  // touched in part only

std::vector<void*>& free_stacks() {
  static std::vector<void*> stacks;
  return stacks;
}

void* take_stack() {
  if (!free_stacks().empty()) {
    void* const stack = free_stacks().back();
    free_stacks().pop_back();
    return stack;
  }
  void* const stack = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  SLUICE_ASSERT(stack != MAP_FAILED);
  return stack;
}

// The stack that resume() was called on, for the sanitizer.
[[maybe_unused]] const void* main_bottom = nullptr;
[[maybe_unused]] std::size_t main_size = 0;

}  // namespace

Fiber::Fiber(Process& owner, std::function<void()> work)
    : process(owner), work_(std::move(work)), stack_(take_stack()) {
  getcontext(&own_);
  own_.uc_stack.ss_sp = stack_;
  own_.uc_stack.ss_size = kStackBytes;
  own_.uc_link = nullptr;
  const auto self = reinterpret_cast<std::uintptr_t>(this);
  makecontext(&own_, reinterpret_cast<void (*)()>(&Fiber::enter), 2,
              static_cast<unsigned>(self >> 32U), static_cast<unsigned>(self));
}

Fiber::~Fiber() {
  SLUICE_ASSERT(ended_);
  free_stacks().push_back(stack_);
}

void Fiber::enter(unsigned high, unsigned low) {
  auto* const self = reinterpret_cast<Fiber*>((static_cast<std::uintptr_t>(high) << 32U) | low);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &main_bottom, &main_size);
#endif
  self->work_();
  self->work_ = nullptr;
  self->ended_ = true;
  self->switch_out(true);
}

void Fiber::switch_out([[maybe_unused]] bool ends) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(ends ? nullptr : &fake_stack_, main_bottom, main_size);
#endif
  swapcontext(&own_, &back_);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake_stack_, &main_bottom, &main_size);
#endif
}

void Fiber::resume() {
  if (ended_) return;
  SLUICE_ASSERT(Machine::running == nullptr);
  ++wakes_;
  Process* const before = Machine::speaker;
  Machine::running = this;
  Machine::speaker = &process;
#if defined(__SANITIZE_ADDRESS__)
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(&fake, stack_, kStackBytes);
#endif
  swapcontext(&back_, &own_);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
  Machine::running = nullptr;
  Machine::speaker = before;
}

void Fiber::park(std::int64_t until_ns) {
  SLUICE_ASSERT(Machine::running == this);
  if (until_ns != INT64_MAX) {
    for (const auto& each : process.fibers) {
      if (each.get() == this) process.machine.wake(each, until_ns);
    }
  }
  switch_out(false);
}

Process::~Process() { std::erase(machine.processes, this); }

void Process::run_loop_soon() {
  if (round_is_due_ || is_dead) return;
  round_is_due_ = true;
  machine.at(
      machine.now_ns(),
      [this] {
        round_is_due_ = false;
        Machine::speaker = this;
        loop.run_once(0);
        Machine::speaker = nullptr;
        const std::int64_t due = loop.next_due_ns();
        if (due == INT64_MAX || (due >= timer_due_ns_ && timer_due_ns_ > machine.now_ns())) return;
        timer_due_ns_ = due;
        machine.at(due, [this] { run_loop_soon(); }, this);
      },
      this);
}

void Process::resume() {
  is_paused = false;
  const auto work = std::move(while_paused_);
  while_paused_.clear();
  for (const auto& each : work) machine.at(machine.now_ns(), each, this);
}

void Machine::at(std::int64_t ns, std::function<void()> work, Process* process) {
  if (process != nullptr) {
    work = [process, alive = std::weak_ptr<bool>(process->alive_), inner = std::move(work)] {
      if (alive.expired() || process->is_dead) return;
      process->is_paused ? process->while_paused_.push_back(inner) : inner();
    };
  }
  events_.emplace(
      When{std::max(ns, now_ns_), static_cast<std::uint32_t>(random.next() >> 32U), ++made_},
      std::move(work));
}

void Machine::after(Milliseconds delay, std::function<void()> work, Process* process) {
  // A little apart from each other, as in life.
  at(now_ns_ + Nanoseconds(delay).count() + random.below(1'000'000), std::move(work), process);
}

bool Machine::run_next() {
  if (events_.empty()) return false;
  auto first = events_.extract(events_.begin());
  now_ns_ = first.key().ns;
  first.mapped()();
  return true;
}

void Machine::run_until(std::int64_t ns) {
  while (!events_.empty() && events_.begin()->first.ns <= ns) run_next();
  now_ns_ = std::max(now_ns_, ns);
}

void Machine::wake(const std::shared_ptr<Fiber>& fiber, std::int64_t ns) {
  at(
      ns,
      [fiber, wakes = fiber->wakes_] {
        if (fiber->has_ended() || fiber->wakes_ != wakes) return;
        Process& process = fiber->process;
        fiber->resume();
        process.run_loop_soon();
      },
      &fiber->process);
}

void Machine::wake_all(const void* what) {
  for (Process* process : processes) {
    for (const auto& fiber : process->fibers) {
      if (fiber->waits_for == what && !fiber->has_ended()) wake(fiber, now_ns_);
    }
  }
}

void Machine::say(const std::string& what) {
  if (trace == nullptr) return;
  const std::int64_t us = (now_ns_ - 1'767'225'600'000'000'000) / 1000;
  trace->push_back(fmt::format("{:>6}.{:06} {}{}", us / 1'000'000, us % 1'000'000,
                               speaker == nullptr ? "" : fmt::format("[{}] ", speaker->id), what));
}

}  // namespace sluice::sim

// --- What the product calls.

namespace sluice {

using sim::Fiber;
using sim::Machine;

std::int64_t monotonic_ns() noexcept {
  if (Machine::current == nullptr) return 0;
  // Two processes that start at the same moment must not draw the same lots.
  return Machine::current->now_ns() + (Machine::speaker == nullptr ? 0 : Machine::speaker->id);
}

std::int64_t wall_seconds() noexcept {
  return monotonic_ns() / 1'000'000'000 +
         (Machine::speaker == nullptr ? 0 : Machine::speaker->wall_offset_s);
}

namespace kube {

Stop::Stop() = default;

void Stop::set() noexcept {
  set_ = true;
  if (Machine::current != nullptr) Machine::current->wake_all(this);
}

bool Stop::wait(Milliseconds duration) const noexcept {
  return wait_for(-1, 0, monotonic_ns() + Nanoseconds(duration).count()) == Ready::kTimedOut;
}

Stop::Ready Stop::wait_for(int /*fd*/, short /*events*/, std::int64_t deadline_ns) const noexcept {
  for (;;) {
    if (is_set()) return Ready::kStopped;
    if (monotonic_ns() >= deadline_ns) return Ready::kTimedOut;
    Fiber* const fiber = Machine::running;
    SLUICE_ASSERT(fiber != nullptr);
    fiber->waits_for = this;
    fiber->park(deadline_ns);
    fiber->waits_for = nullptr;
  }
}

struct Thread::Impl {
  std::shared_ptr<Fiber> fiber;
};

Thread::Thread() noexcept = default;
Thread::Thread(std::function<void()> work) : impl_(std::make_unique<Impl>()) {
  sim::Process* const process = Machine::speaker;
  SLUICE_ASSERT(process != nullptr);
  impl_->fiber = std::make_shared<Fiber>(*process, std::move(work));
  process->fibers.push_back(impl_->fiber);
  process->machine.wake(impl_->fiber, process->machine.now_ns());
}
Thread::Thread(Thread&&) noexcept = default;
Thread& Thread::operator=(Thread&&) noexcept = default;
Thread::~Thread() = default;

void Thread::join() {
  // Whoever joins has said that it must end: its waits are over.
  for (int turns = 0; !impl_->fiber->has_ended(); ++turns) {
    SLUICE_ASSERT(turns < 10'000);
    impl_->fiber->resume();
  }
  std::erase(impl_->fiber->process.fibers, impl_->fiber);
  impl_.reset();
}

struct Signal::Impl {};
Signal::Signal() = default;
Signal::~Signal() = default;

void Signal::wait(std::unique_lock<std::mutex>& lock, const std::function<bool()>& is_true) {
  while (!is_true()) {
    lock.unlock();
    Fiber* const fiber = Machine::running;
    SLUICE_ASSERT(fiber != nullptr);  // the loop's thread never waits
    fiber->waits_for = this;
    fiber->park(INT64_MAX);
    fiber->waits_for = nullptr;
    lock.lock();
  }
}
void Signal::notify_one() noexcept { notify_all(); }  // the first to come takes it
void Signal::notify_all() noexcept {
  if (Machine::current != nullptr) Machine::current->wake_all(this);
}

}  // namespace kube
}  // namespace sluice
