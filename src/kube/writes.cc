#include "kube/writes.h"

#include <algorithm>

namespace sluice::kube {

namespace {

Result<Written> carry_out(Client& client, const Write& write) {
  const Kind* kind = find_kind(write.key.group, write.key.kind);
  switch (write.what) {
    case Write::What::kApply:
      return client.apply(write.object);
    case Write::What::kEvent:
      // Counted up on the one that is there; made again when the server has forgotten it.
      return write.object.root.at("count").integer() > 1 ? client.apply(write.object)
                                                         : client.create(write.object.root);
    case Write::What::kStatus:
      return client.set_status(*kind, write.api_version, write.key.namespace_, write.key.name,
                               write.status);
    case Write::What::kRemove:
      return client.remove(*kind, write.key.namespace_, write.key.name, write.uid);
  }
  return Written{};
}

}  // namespace

Senders::Senders(Client& client, unsigned threads_max, std::function<void(WriteAnswer)> answered)
    : client_(client), threads_max_(std::max(1U, threads_max)), answered_(std::move(answered)) {}

Senders::~Senders() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  for (Thread& thread : threads_) thread.join();
}

void Senders::send(Write write) {
  bool needs_thread = false;
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(write));
    needs_thread = waiting_.size() > idle_;
  }
  changed_.notify_one();
  if (needs_thread && threads_.size() < threads_max_) threads_.emplace_back([this] { run(); });
}

void Senders::run() {
  for (;;) {
    Write write;
    {
      std::unique_lock lock(mutex_);
      ++idle_;
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      --idle_;
      if (stopping_) return;
      write = std::move(waiting_.front());
      waiting_.pop_front();
    }
    Result<Written> written = carry_out(client_, write);
    answered_(WriteAnswer{std::move(write), std::move(written)});
  }
}

void Lanes::add(Write write) {
  std::deque<Write>& lane = lanes_[write.lane];
  if (write.what == Write::What::kStatus) {
    for (std::size_t i = 1; i < lane.size(); ++i) {  // the front is under way
      if (lane[i].what != Write::What::kStatus || lane[i].key != write.key) continue;
      forget(lane[i]);
      lane.erase(lane.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
  }
  Where& where = where_[write.key];
  where.lane = write.lane;
  ++where.count;
  ++size_;
  lane.push_back(std::move(write));
  if (lane.size() == 1) send_(lane.front());
}

void Lanes::forget(const Write& write) {
  --size_;
  const auto where = where_.find(write.key);
  if (where != where_.end() && --where->second.count == 0) where_.erase(where);
}

void Lanes::answered(const std::string& name) {
  const auto found = lanes_.find(name);
  if (found == lanes_.end()) return;
  std::deque<Write>& lane = found->second;
  forget(lane.front());
  lane.pop_front();
  if (lane.empty()) {
    lanes_.erase(found);
  } else {
    send_(lane.front());
  }
}

std::vector<Write> Lanes::drop(const std::string& name) {
  std::vector<Write> dropped;
  const auto found = lanes_.find(name);
  if (found == lanes_.end()) return dropped;
  std::deque<Write>& lane = found->second;
  std::deque<Write> kept;
  for (std::size_t i = 0; i < lane.size(); ++i) {
    const bool stays =
        i == 0 || lane[i].what == Write::What::kStatus || lane[i].what == Write::What::kEvent;
    if (!stays) forget(lane[i]);
    stays ? kept.push_back(std::move(lane[i])) : dropped.push_back(std::move(lane[i]));
  }
  lane = std::move(kept);
  return dropped;
}

std::string Lanes::lane_of(const resource::ObjectKey& key) const {
  const auto found = where_.find(key);
  return found == where_.end() ? std::string() : found->second.lane;
}

const Write* Lanes::last(const resource::ObjectKey& key, Write::What what) const {
  const auto where = where_.find(key);
  if (where == where_.end()) return nullptr;
  const std::deque<Write>& lane = lanes_.at(where->second.lane);
  const auto found = std::find_if(lane.rbegin(), lane.rend(), [&](const Write& write) {
    return write.what == what && write.key == key;
  });
  return found == lane.rend() ? nullptr : &*found;
}

const Write* Lanes::last_change(const resource::ObjectKey& key) const {
  const auto where = where_.find(key);
  if (where == where_.end()) return nullptr;
  const std::deque<Write>& lane = lanes_.at(where->second.lane);
  const auto found = std::find_if(lane.rbegin(), lane.rend(), [&](const Write& write) {
    return write.key == key &&
           (write.what == Write::What::kApply || write.what == Write::What::kRemove);
  });
  return found == lane.rend() ? nullptr : &*found;
}

}  // namespace sluice::kube
