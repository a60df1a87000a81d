#include "net/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <limits>
#include <mutex>

#include "base/assert.h"

namespace sluice::net {

namespace {
constexpr std::size_t kChildren = 4;
constexpr int kEventsPerRound = 256;
}  // namespace

struct Loop::Slot {
  Watch::Callback callback = nullptr;
  void* context = nullptr;
  std::uint32_t generation =
      1;  // goes up with each use, so that an event of an earlier watch is told apart
};

struct Loop::Posted {
  std::mutex mutex;
  std::vector<std::function<void()>> work;
  std::atomic<bool> stop{false};
};

Loop::Loop() : posted_(std::make_unique<Posted>()) {
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  SLUICE_ASSERT(epoll_fd_ >= 0 && wake_fd_ >= 0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = 0;  // slot 0 is the wake-up
  SLUICE_ASSERT(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) == 0);
  slots_.emplace_back();
  now_ns_ = monotonic_ns();
}

Loop::~Loop() {
  while (!heap_.empty()) remove_timer(*heap_.back());
  close(epoll_fd_);
  close(wake_fd_);
}

bool Watch::start(Loop& loop, int fd, std::uint32_t events, Callback callback, void* context) {
  SLUICE_ASSERT(slot_ == 0);
  std::uint32_t index = 0;
  if (loop.free_slots_.empty()) {
    index = static_cast<std::uint32_t>(loop.slots_.size());
    loop.slots_.emplace_back();
  } else {
    index = loop.free_slots_.back();
    loop.free_slots_.pop_back();
  }
  Loop::Slot& slot = loop.slots_[index];
  slot.callback = callback;
  slot.context = context;
  const std::uint64_t id = (std::uint64_t{slot.generation} << 32U) | index;
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  if (epoll_ctl(loop.epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
    slot.callback = nullptr;
    loop.free_slots_.push_back(index);
    return false;
  }
  loop_ = &loop;
  slot_ = id;
  fd_ = fd;
  events_ = events;
  return true;
}

bool Watch::change(std::uint32_t events) {
  if (events == events_) return true;
  epoll_event event{};
  event.events = events;
  event.data.u64 = slot_;
  if (epoll_ctl(loop_->epoll_fd_, EPOLL_CTL_MOD, fd_, &event) != 0) return false;
  events_ = events;
  return true;
}

void Watch::stop() noexcept {
  if (slot_ == 0) return;
  const auto index = static_cast<std::uint32_t>(slot_);
  epoll_ctl(loop_->epoll_fd_, EPOLL_CTL_DEL, fd_,
            nullptr);  // fails when fd was closed before: then it is gone anyway
  Loop::Slot& slot = loop_->slots_[index];
  slot.callback = nullptr;
  ++slot.generation;
  loop_->free_slots_.push_back(index);
  slot_ = 0;
  fd_ = -1;
  events_ = 0;
}

void Timer::arm(Loop& loop, Nanoseconds after) {
  disarm();
  loop_ = &loop;
  due_ns_ = loop.now_ns_ + (after.count() > 0 ? after.count() : 0);
  heap_index_ = loop.heap_.size();
  loop.heap_.push_back(this);
  loop.sift_up(heap_index_);
}

void Timer::disarm() noexcept {
  if (loop_ != nullptr) loop_->remove_timer(*this);
}

void Loop::sift_up(std::size_t index) noexcept {
  Timer* const timer = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / kChildren;
    if (heap_[parent]->due_ns_ <= timer->due_ns_) break;
    heap_[index] = heap_[parent];
    heap_[index]->heap_index_ = index;
    index = parent;
  }
  heap_[index] = timer;
  timer->heap_index_ = index;
}

void Loop::sift_down(std::size_t index) noexcept {
  Timer* const timer = heap_[index];
  for (;;) {
    const std::size_t first = index * kChildren + 1;
    if (first >= heap_.size()) break;
    std::size_t least = first;
    for (std::size_t child = first + 1; child < heap_.size() && child < first + kChildren;
         ++child) {
      if (heap_[child]->due_ns_ < heap_[least]->due_ns_) least = child;
    }
    if (timer->due_ns_ <= heap_[least]->due_ns_) break;
    heap_[index] = heap_[least];
    heap_[index]->heap_index_ = index;
    index = least;
  }
  heap_[index] = timer;
  timer->heap_index_ = index;
}

void Loop::remove_timer(Timer& timer) noexcept {
  const std::size_t index = timer.heap_index_;
  Timer* const last = heap_.back();
  heap_.pop_back();
  timer.loop_ = nullptr;
  if (last == &timer) return;
  heap_[index] = last;
  last->heap_index_ = index;
  sift_down(index);
  sift_up(last->heap_index_);
}

void Loop::fire_timers() {
  // A timer armed by a callback is due after now_ns_ unless it asks for zero: then it waits for the
  // next round.
  std::size_t budget = heap_.size();
  while (budget-- > 0 && !heap_.empty() && heap_.front()->due_ns_ <= now_ns_) {
    Timer& timer = *heap_.front();
    remove_timer(timer);
    timer.callback_(timer.context_);
  }
}

void Loop::run_posted() {
  std::vector<std::function<void()>> work;
  {
    const std::lock_guard lock(posted_->mutex);
    work.swap(posted_->work);
  }
  for (auto& each : work) each();
}

void Loop::post(std::function<void()> work) {
  {
    const std::lock_guard lock(posted_->mutex);
    posted_->work.push_back(std::move(work));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written =
      write(wake_fd_, &one, sizeof one);  // full: a wake-up is pending anyway
}

void Loop::stop() {
  posted_->stop = true;
  post([] {});
}

void Loop::defer(std::function<void()> work) { deferred_.push_back(std::move(work)); }

std::int64_t Loop::next_due_ns() const noexcept {
  return heap_.empty() ? std::numeric_limits<std::int64_t>::max() : heap_.front()->due_ns_;
}

void Loop::run_once(int timeout_ms) {
  int wait_ms = timeout_ms;
  if (!heap_.empty()) {
    const std::int64_t left_ns = heap_.front()->due_ns_ - monotonic_ns();
    const int left_ms =
        left_ns <= 0
            ? 0
            : static_cast<int>(std::min<std::int64_t>((left_ns + 999'999) / 1'000'000, 60'000));
    if (wait_ms < 0 || left_ms < wait_ms) wait_ms = left_ms;
  }
  if (!deferred_.empty()) wait_ms = 0;
  epoll_event events[kEventsPerRound];
  const int count = epoll_wait(epoll_fd_, events, kEventsPerRound, wait_ms);
  now_ns_ = monotonic_ns();
  for (int i = 0; i < count; ++i) {
    const auto index = static_cast<std::uint32_t>(events[i].data.u64);
    const auto generation = static_cast<std::uint32_t>(events[i].data.u64 >> 32U);
    if (index == 0) {
      std::uint64_t drained = 0;
      [[maybe_unused]] const ssize_t got = read(wake_fd_, &drained, sizeof drained);
      run_posted();
      continue;
    }
    const Slot& slot = slots_[index];
    if (slot.callback != nullptr && slot.generation == generation)
      slot.callback(slot.context, events[i].events);
  }
  fire_timers();
  while (!deferred_.empty()) {
    std::vector<std::function<void()>> work;
    work.swap(deferred_);
    for (auto& each : work) each();
  }
}

void Loop::run() {
  while (!posted_->stop) run_once(-1);
}

}  // namespace sluice::net
