// An event loop on epoll: descriptors, timers, and work posted from other threads.
// Thread: everything but `post` and `stop` belongs to the thread that calls `run`. Nothing here
// allocates in the steady state: watches and timers are members of what they serve.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"

namespace sluice::net {

class Loop;

inline constexpr std::uint32_t kReadable = 1;         // EPOLLIN
inline constexpr std::uint32_t kWritable = 4;         // EPOLLOUT
inline constexpr std::uint32_t kHungUp = 0x18;        // EPOLLERR | EPOLLHUP: reported always
inline constexpr std::uint32_t kPeerClosed = 0x2000;  // EPOLLRDHUP
inline constexpr std::uint32_t kEdge = 1U << 31U;     // EPOLLET

// Interest in one descriptor. Owner: whoever watches; must be unwatched or destroyed before the
// loop. Destroying it removes it from the epoll set; safe inside its own callback and inside
// others'.
class Watch {
 public:
  using Callback = void (*)(void* context, std::uint32_t events);
  Watch() = default;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { stop(); }

  // REQUIRES: not started. `fd` stays the caller's. False (errno set) when epoll refuses.
  bool start(Loop& loop, int fd, std::uint32_t events, Callback callback, void* context);
  bool change(std::uint32_t events);  // another interest for the same descriptor
  void stop() noexcept;
  bool is_started() const noexcept { return slot_ != 0; }
  std::uint32_t events() const noexcept { return events_; }

 private:
  friend class Loop;
  Loop* loop_ = nullptr;
  std::uint64_t slot_ = 0;  // index + generation in the loop's table; 0: not started
  int fd_ = -1;
  std::uint32_t events_ = 0;
};

// Fires once at its time unless disarmed. Arming again moves it. Precision: one millisecond, never
// early.
class Timer {
 public:
  using Callback = void (*)(void* context);
  Timer(Callback callback, void* context) noexcept : callback_(callback), context_(context) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { disarm(); }

  void arm(Loop& loop, Nanoseconds after);
  void disarm() noexcept;
  bool is_armed() const noexcept { return loop_ != nullptr; }

 private:
  friend class Loop;
  Callback callback_;
  void* context_;
  Loop* loop_ = nullptr;  // not null while armed
  std::int64_t due_ns_ = 0;
  std::size_t heap_index_ = 0;
};

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();                             // until stop
  void run_once(int timeout_ms);          // one round: for tests
  void stop();                            // any thread
  void post(std::function<void()> work);  // any thread; runs in order on the loop's thread
  // Runs at the end of the current round (this thread only): for destroying what is still on the
  // stack.
  void defer(std::function<void()> work);
  std::int64_t now_ns() const noexcept {
    return now_ns_;
  }  // monotonic, as of the start of this round
  // When the next timer fires, by that clock; the largest number: none is armed.
  std::int64_t next_due_ns() const noexcept;

 private:
  friend class Watch;
  friend class Timer;
  struct Slot;
  void fire_timers();
  void run_posted();
  void sift_up(std::size_t index) noexcept;
  void sift_down(std::size_t index) noexcept;
  void remove_timer(Timer& timer) noexcept;

  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  bool stopping_ = false;
  std::int64_t now_ns_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<Timer*> heap_;  // by due time, four children each
  std::vector<std::function<void()>> deferred_;
  struct Posted;
  std::unique_ptr<Posted> posted_;  // the only part that other threads touch
};

}  // namespace sluice::net
