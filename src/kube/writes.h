// Writes that are under way: in lanes, each in order, lanes side by side on a few threads.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kube/client.h"
#include "kube/known.h"
#include "kube/thread.h"
#include "resource/object.h"

namespace sluice::kube {

struct Write {
  enum class What : std::uint8_t { kApply, kRemove, kStatus, kEvent };
  What what = What::kApply;
  resource::ObjectKey key;
  // Of the object when the write was asked for: it may be gone when the answer comes.
  resource::ObjectKey owner;
  std::string lane;
  std::string api_version;  // kApply, kEvent, kStatus
  std::string document;     // kApply, kEvent: the object; kStatus: the status; packed
  std::uint64_t hash = 0;   // kApply, kStatus: of it
  // kRemove; kApply and kStatus: of the object that was there when it was sent, "": none.
  std::string uid;

  bool is_change() const noexcept { return what == What::kApply || what == What::kRemove; }
};

struct WriteAnswer {
  Write write;
  Result<Written> written;        // without its object
  std::optional<Known> known;     // the object as the server has it now
  std::uint64_t fields_hash = 0;  // kApply: of the fields in it that were applied
};

// Statuses and events have lanes of their own: nothing waits for them.
std::string report_lane(const resource::ObjectKey& about);

// Sends writes: applies and removals first, statuses and events when there is time, but at least
// each eighth. Thread: `send` and `replace` from one; `answered` is called on the senders' threads.
class Senders {
 public:
  Senders(Client& client, Words& words, unsigned threads_max,
          std::function<void(WriteAnswer)> answered);
  ~Senders();  // the client is stopped by then; what was not sent is forgotten
  void send(Write write);
  // Of a status that was not sent yet. False: none waits.
  bool replace(const Write& status);

 private:
  void run();
  WriteAnswer carry_out(Write write);
  Write next();  // REQUIRES: mutex_ is held, something waits
  bool has_work() const noexcept { return !changes_.empty() || !reports_.empty(); }

  Client& client_;
  Words& words_;
  const unsigned threads_max_;
  const std::function<void(WriteAnswer)> answered_;
  std::vector<Thread> threads_;  // the sender's caller only
  std::mutex mutex_;             // guards what follows
  Signal changed_;
  std::deque<Write> changes_;
  std::map<std::string, Write> reports_;  // by lane, of which it is the front
  std::deque<std::string> reports_order_;
  unsigned changes_in_turn_ = 0;
  unsigned idle_ = 0;
  bool stopping_ = false;
};

// What was asked for and has no answer yet. Thread: one.
class Lanes {
 public:
  // `replace`: Senders::replace.
  Lanes(std::function<void(Write)> send, std::function<bool(const Write&)> replace)
      : send_(std::move(send)), replace_(std::move(replace)) {}

  // Behind what waits in its lane, or at once. A status that waits for the same object is replaced.
  void add(Write write);
  // The front of the lane has its answer: the next one goes.
  void answered(const std::string& lane);
  // Applies and removals that wait in the lane go unsent; statuses and events stay.
  std::vector<Write> drop(const std::string& lane);

  // The lane in which the object has applies and removals; "" when it has none.
  std::string lane_of(const resource::ObjectKey& key) const;
  // The last of apply and removal for the object, if any has no answer yet.
  const Write* last_change(const resource::ObjectKey& key) const;
  const Write* last_status(const resource::ObjectKey& key) const;
  bool has_applies(const std::string& lane) const;
  std::size_t size() const noexcept { return size_; }

 private:
  std::deque<Write>* find(const std::string& lane);
  const std::deque<Write>* find(const std::string& lane) const;

  const std::function<void(Write)> send_;
  const std::function<bool(const Write&)> replace_;
  std::map<std::string, std::deque<Write>> lanes_;  // the front was given to `send`
  struct Where {
    std::string lane;
    unsigned count = 0;
  };
  std::map<resource::ObjectKey, Where> changes_;  // of applies and removals
  std::size_t size_ = 0;
  void forget(const Write& write);
};

}  // namespace sluice::kube
