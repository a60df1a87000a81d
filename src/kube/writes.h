// Writes that are under way: in lanes, each in order, lanes side by side on a few threads.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "kube/client.h"
#include "kube/thread.h"
#include "resource/object.h"

namespace sluice::kube {

struct Write {
  enum class What : std::uint8_t { kApply, kRemove, kStatus, kEvent };
  What what = What::kApply;
  resource::ObjectKey key;
  std::string lane;
  resource::Object object;      // kApply; kEvent: the Event
  std::uint64_t want_hash = 0;  // kApply
  resource::Value status;       // kStatus
  std::string api_version;      // kStatus
  std::string uid;              // kRemove
};

struct WriteAnswer {
  Write write;
  Result<Written> written;
};

// Sends writes. Thread: `send` from one; `answered` is called on the senders' threads.
class Senders {
 public:
  Senders(Client& client, unsigned threads_max, std::function<void(WriteAnswer)> answered);
  ~Senders();  // the client is stopped by then; what was not sent is forgotten
  void send(Write write);

 private:
  void run();
  Client& client_;
  const unsigned threads_max_;
  const std::function<void(WriteAnswer)> answered_;
  std::vector<Thread> threads_;  // the sender's caller only
  std::mutex mutex_;             // guards what follows
  Signal changed_;
  std::deque<Write> waiting_;
  unsigned idle_ = 0;
  bool stopping_ = false;
};

// What was asked for and has no answer yet. Thread: one.
class Lanes {
 public:
  explicit Lanes(std::function<void(Write)> send) : send_(std::move(send)) {}

  // Behind what waits in its lane, or at once. A status that waits for the same object is replaced.
  void add(Write write);
  // The front of the lane has its answer: the next one goes.
  void answered(const std::string& lane);
  // Applies and removals that wait in the lane go unsent; statuses and events stay.
  std::vector<Write> drop(const std::string& lane);

  // The lane in which the object has writes; "" when it has none.
  std::string lane_of(const resource::ObjectKey& key) const;
  // The last one for the object, if any has no answer yet.
  const Write* last(const resource::ObjectKey& key, Write::What what) const;
  // The last of apply and removal.
  const Write* last_change(const resource::ObjectKey& key) const;
  std::size_t size() const noexcept { return size_; }

 private:
  const std::function<void(Write)> send_;
  std::map<std::string, std::deque<Write>> lanes_;  // the front is under way
  struct Where {
    std::string lane;
    unsigned count = 0;
  };
  std::map<resource::ObjectKey, Where> where_;
  std::size_t size_ = 0;
  void forget(const Write& write);
};

}  // namespace sluice::kube
