#include "kube/writes.h"

#include <algorithm>
#include <utility>

#include "kube/likeness.h"

namespace sluice::kube {

using resource::Object;
using resource::Value;

namespace {

// A status or an event goes before the changes that wait when so many of those went before it.
constexpr unsigned kChangesInTurnMax = 7;

}  // namespace

std::string report_lane(const resource::ObjectKey& about) { return "report " + to_string(about); }

Senders::Senders(Client& client, Words& words, unsigned threads_max,
                 std::function<void(WriteAnswer)> answered)
    : client_(client),
      words_(words),
      threads_max_(std::max(1U, threads_max)),
      answered_(std::move(answered)) {}

Senders::~Senders() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changes_.clear();
    reports_.clear();
    reports_order_.clear();
  }
  changed_.notify_all();
  for (Thread& thread : threads_) thread.join();
}

void Senders::send(Write write) {
  bool needs_thread = false;
  {
    const std::lock_guard lock(mutex_);
    if (write.is_change()) {
      changes_.push_back(std::move(write));
    } else {
      reports_order_.push_back(write.lane);
      std::string lane = write.lane;
      reports_.insert_or_assign(std::move(lane), std::move(write));
    }
    needs_thread = changes_.size() + reports_.size() > idle_;
  }
  changed_.notify_one();
  if (needs_thread && threads_.size() < threads_max_) threads_.emplace_back([this] { run(); });
}

bool Senders::replace(const Write& status) {
  const std::lock_guard lock(mutex_);
  const auto found = reports_.find(status.lane);
  if (found == reports_.end() || found->second.what != Write::What::kStatus ||
      found->second.key != status.key)
    return false;
  found->second = status;
  return true;
}

Write Senders::next() {
  if (!changes_.empty() && (reports_.empty() || changes_in_turn_ < kChangesInTurnMax)) {
    ++changes_in_turn_;
    Write write = std::move(changes_.front());
    changes_.pop_front();
    return write;
  }
  changes_in_turn_ = 0;
  auto report = reports_.extract(reports_order_.front());
  reports_order_.pop_front();
  return std::move(report.mapped());
}

void Senders::run() {
  for (;;) {
    Write write;
    {
      std::unique_lock lock(mutex_);
      ++idle_;
      changed_.wait(lock, [this] { return stopping_ || has_work(); });
      --idle_;
      if (stopping_) return;
      write = next();
    }
    answered_(carry_out(std::move(write)));
  }
}

WriteAnswer Senders::carry_out(Write write) {
  const Kind* kind = find_kind(write.key.group, write.key.kind);
  Object want{write.api_version, write.key.kind, write.key.namespace_,
              write.key.name,    Value(),        nullptr};
  if (!write.document.empty()) want.root = words_.unpack(write.document);
  Result<Written> written;
  switch (write.what) {
    case Write::What::kApply:
      written = client_.apply(want, write.uid);
      break;
    case Write::What::kEvent:
      // Counted up on the one that is there; made again when the server has forgotten it.
      written =
          want.root.at("count").integer() > 1 ? client_.apply(want) : client_.create(want.root);
      break;
    case Write::What::kStatus:
      written = client_.set_status(*kind, write.api_version, write.key.namespace_, write.key.name,
                                   want.root, write.uid);
      break;
    case Write::What::kRemove:
      written = client_.remove(*kind, write.key.namespace_, write.key.name, write.uid);
      break;
  }
  WriteAnswer answer{std::move(write), std::move(written), {}, 0};
  const bool is_known =
      answer.write.what == Write::What::kApply || answer.write.what == Write::What::kStatus;
  if (!answer.written || !is_known || !answer.written->object.is_map()) return answer;
  Value object = std::exchange(answer.written->object, Value());
  // In the version that the watch speaks, or the next event would seem to change it.
  object.as_map()->set("apiVersion", api_version_of(*kind));
  answer.known = known_from(words_, std::move(object), Value(), [&](const Object& have) {
    if (answer.write.what == Write::What::kApply)
      answer.fields_hash = hash_of_same_fields(want, have);
  });
  return answer;
}

// ---

std::deque<Write>* Lanes::find(const std::string& lane) {
  const auto found = lanes_.find(lane);
  return found == lanes_.end() ? nullptr : &found->second;
}

const std::deque<Write>* Lanes::find(const std::string& lane) const {
  const auto found = lanes_.find(lane);
  return found == lanes_.end() ? nullptr : &found->second;
}

void Lanes::add(Write write) {
  std::deque<Write>& lane = lanes_[write.lane];
  if (write.what == Write::What::kStatus && !lane.empty()) {
    if (replace_(write)) {
      lane.front() = std::move(write);
      return;
    }
    for (std::size_t i = 1; i < lane.size(); ++i) {
      if (lane[i].what != Write::What::kStatus || lane[i].key != write.key) continue;
      forget(lane[i]);
      lane.erase(lane.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
  }
  if (write.is_change()) {
    Where& where = changes_[write.key];
    where.lane = write.lane;
    ++where.count;
  }
  ++size_;
  lane.push_back(std::move(write));
  if (lane.size() == 1) send_(lane.front());
}

void Lanes::forget(const Write& write) {
  --size_;
  if (!write.is_change()) return;
  const auto where = changes_.find(write.key);
  if (where != changes_.end() && --where->second.count == 0) changes_.erase(where);
}

void Lanes::answered(const std::string& name) {
  std::deque<Write>* lane = find(name);
  if (lane == nullptr) return;
  forget(lane->front());
  lane->pop_front();
  if (lane->empty()) {
    lanes_.erase(name);
  } else {
    send_(lane->front());
  }
}

std::vector<Write> Lanes::drop(const std::string& name) {
  std::vector<Write> dropped;
  std::deque<Write>* lane = find(name);
  if (lane == nullptr) return dropped;
  std::deque<Write> kept;
  for (std::size_t i = 0; i < lane->size(); ++i) {
    Write& write = (*lane)[i];
    const bool stays = i == 0 || !write.is_change();
    if (!stays) forget(write);
    stays ? kept.push_back(std::move(write)) : dropped.push_back(std::move(write));
  }
  *lane = std::move(kept);
  return dropped;
}

std::string Lanes::lane_of(const resource::ObjectKey& key) const {
  const auto found = changes_.find(key);
  return found == changes_.end() ? std::string() : found->second.lane;
}

const Write* Lanes::last_change(const resource::ObjectKey& key) const {
  const auto where = changes_.find(key);
  const std::deque<Write>* lane = where == changes_.end() ? nullptr : find(where->second.lane);
  if (lane == nullptr) return nullptr;
  const auto found = std::find_if(lane->rbegin(), lane->rend(), [&](const Write& write) {
    return write.key == key && write.is_change();
  });
  return found == lane->rend() ? nullptr : &*found;
}

const Write* Lanes::last_status(const resource::ObjectKey& key) const {
  const std::deque<Write>* lane = find(report_lane(key));
  if (lane == nullptr) return nullptr;
  const auto found = std::find_if(lane->rbegin(), lane->rend(), [&](const Write& write) {
    return write.key == key && write.what == Write::What::kStatus;
  });
  return found == lane->rend() ? nullptr : &*found;
}

bool Lanes::has_applies(const std::string& name) const {
  const std::deque<Write>* lane = find(name);
  return lane != nullptr && std::any_of(lane->begin(), lane->end(), [](const Write& write) {
           return write.what == Write::What::kApply;
         });
}

}  // namespace sluice::kube
