#include "kube/thread.h"

#include <condition_variable>
#include <thread>

namespace sluice::kube {

struct Thread::Impl {
  std::thread thread;
};

Thread::Thread() noexcept = default;
Thread::Thread(std::function<void()> work)
    : impl_(std::make_unique<Impl>(Impl{std::thread(std::move(work))})) {}
Thread::Thread(Thread&&) noexcept = default;
Thread& Thread::operator=(Thread&&) noexcept = default;
Thread::~Thread() = default;

void Thread::join() {
  impl_->thread.join();
  impl_.reset();
}

struct Signal::Impl {
  std::condition_variable variable;
};

Signal::Signal() : impl_(std::make_unique<Impl>()) {}
Signal::~Signal() = default;

void Signal::wait(std::unique_lock<std::mutex>& lock, const std::function<bool()>& is_true) {
  impl_->variable.wait(lock, is_true);
}
void Signal::notify_one() noexcept { impl_->variable.notify_one(); }
void Signal::notify_all() noexcept { impl_->variable.notify_all(); }

}  // namespace sluice::kube
