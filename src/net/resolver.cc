#include "net/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace sluice::net {

std::vector<std::string> resolve_now(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::vector<std::string> addresses;
  if (getaddrinfo(name.c_str(), nullptr, &hints, &found) != 0) return addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    char text[INET6_ADDRSTRLEN] = {};
    const void* address = nullptr;
    if (each->ai_family == AF_INET) {
      address = &reinterpret_cast<const sockaddr_in*>(each->ai_addr)->sin_addr;
    } else if (each->ai_family == AF_INET6) {
      address = &reinterpret_cast<const sockaddr_in6*>(each->ai_addr)->sin6_addr;
    } else {
      continue;
    }
    if (inet_ntop(each->ai_family, address, text, sizeof text) != nullptr)
      addresses.emplace_back(text);
  }
  freeaddrinfo(found);
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

// What the asking thread and the loop's thread both see; lives until the last post has run.
struct Resolver::Shared : std::enable_shared_from_this<Resolver::Shared> {
  Shared(Loop& l, Callback c, Milliseconds r) : loop(l), callback(std::move(c)), refresh(r) {}

  void ask_for_ever() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      const std::vector<std::string> asked = names;
      changed = false;
      for (const std::string& name : asked) {
        lock.unlock();
        std::vector<std::string> addresses = resolve_now(name);
        lock.lock();
        if (stopping) return;
        const auto known = answers.find(name);
        if (known != answers.end() && (addresses.empty() || known->second == addresses)) continue;
        answers[name] = addresses;
        loop.post([self = shared_from_this(), name, addresses = std::move(addresses)] {
          if (self->alive) self->callback(name, addresses);
        });
      }
      if (names.empty()) {
        wake.wait(lock, [this] { return changed || stopping; });
      } else {
        wake.wait_for(lock, refresh, [this] { return changed || stopping; });
      }
    }
  }

  Loop& loop;
  const Callback callback;
  const Milliseconds refresh;
  bool alive = true;  // the loop's thread alone
  std::mutex mutex;   // guards all below
  std::condition_variable wake;
  bool stopping = false;
  bool changed = false;
  std::vector<std::string> names;
  std::map<std::string, std::vector<std::string>> answers;
  std::thread thread;  // started with the first name
};

Resolver::Resolver(Loop& loop, Callback callback, Milliseconds refresh)
    : shared_(std::make_shared<Shared>(loop, std::move(callback), refresh)) {}

Resolver::~Resolver() {
  shared_->alive = false;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
  }
  shared_->wake.notify_all();
  if (shared_->thread.joinable()) shared_->thread.join();
}

void Resolver::set_names(std::vector<std::string> names) {
  {
    const std::lock_guard lock(shared_->mutex);
    if (names == shared_->names) return;
    std::erase_if(shared_->answers, [&](const auto& each) {
      return std::find(names.begin(), names.end(), each.first) == names.end();
    });
    shared_->names = std::move(names);
    shared_->changed = true;
  }
  if (!shared_->thread.joinable()) {
    shared_->thread = std::thread([shared = shared_] { shared->ask_for_ever(); });
  }
  shared_->wake.notify_all();
}

}  // namespace sluice::net
