#include "gateway/worker.h"

#include <pthread.h>

#include <algorithm>
#include <ctime>

#include "base/assert.h"
#include "base/log.h"
#include "gateway/mirror.h"
#include "gateway/request.h"

namespace sluice::gateway {

namespace {

constexpr Nanoseconds kLingerTime = std::chrono::seconds(1);
constexpr Nanoseconds kFlushTime = std::chrono::seconds(60);
// While draining: how long idle connections may begin one request more.
constexpr Nanoseconds kIdleGrace = std::chrono::milliseconds(250);
constexpr Nanoseconds kAcceptPause = std::chrono::milliseconds(50);

std::int64_t wall_offset_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec - monotonic_ns();
}

}  // namespace

Worker::Worker(net::Loop& control, const Options& options, unsigned index)
    : control_(control),
      random_(system_seed() + index),
      wall_offset_ns_(wall_offset_ns()),
      scratch_(std::make_unique<Scratch>()),
      clusters_(*this),
      connections_max_(std::max(1U, options.downstream_connections_max / options.workers)),
      sweep_timer_(on_sweep, this),
      accept_timer_(on_accept_again, this),
      idle_timer_(on_idle_grace, this),
      drain_timer_(on_drain_deadline, this) {
  if (options.access_log != AccessLog::kOff) {
    access_log_ = std::make_unique<AccessLogWriter>(options.access_log == AccessLog::kJson);
  }
  const auto set = [&](Connection::Waits what, Nanoseconds time) {
    lists_[static_cast<unsigned>(what)].time_ns = time.count();
  };
  set(Connection::Waits::kNextRequest, options.downstream_idle_timeout);
  set(Connection::Waits::kHead, options.request_head_timeout);
  set(Connection::Waits::kCaller, options.caller_stall_timeout);
  set(Connection::Waits::kHandshake, options.request_head_timeout);
  set(Connection::Waits::kFlush, kFlushTime);
  set(Connection::Waits::kLinger, kLingerTime);
  const Nanoseconds least = std::min({Nanoseconds(options.downstream_idle_timeout),
                                      Nanoseconds(options.request_head_timeout),
                                      Nanoseconds(options.caller_stall_timeout)});
  sweep_interval_ =
      std::clamp<Nanoseconds>(least / 4, Milliseconds(5), Nanoseconds(std::chrono::seconds(1)));
  auto first = std::make_unique<SnapshotUse>();
  auto nothing = std::make_shared<Published>();
  nothing->snapshot = std::make_shared<route::Snapshot>();
  first->published = nothing;
  current_ = first.get();
  uses_.push_back(std::move(first));
}

Worker::~Worker() { stop(); }

void Worker::start() {
  thread_ = std::thread([this] { run(); });
}

void Worker::run() {
  pthread_setname_np(pthread_self(), "sluice-worker");
  sweep_timer_.arm(loop_, sweep_interval_);
  while (!stopping_) {
    loop_.run_once(-1);
    end_round();
  }
  close_everything();
  end_round();
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] { stopping_ = true; });
  thread_.join();
}

void Worker::close_everything() {
  for (const auto& listener : listeners_) listener->close();
  for (const auto& connection : connections_.all()) connection->close();
  for (const auto& mirror : mirrors_.all()) mirror->cut();
  for (const auto& mirror : mirrors_.all()) mirror->stop();
  clusters_.close_all_idle();
}

void Worker::end_round() noexcept {
  upstreams_.end_round();
  mirrors_.end_round();
  requests_.end_round();
  connections_.end_round();
}

// --- Snapshots.

void Worker::post_adopt(std::shared_ptr<const Published> published,
                        std::vector<BoundSocket> sockets, std::function<void()> adopted) {
  // std::function copies; sockets do not.
  auto shared = std::make_shared<std::vector<BoundSocket>>(std::move(sockets));
  loop_.post([this, published = std::move(published), shared, adopted = std::move(adopted)] {
    adopt(published, *shared);
    if (adopted) adopted();
  });
}

void Worker::adopt(std::shared_ptr<const Published> published, std::vector<BoundSocket>& sockets) {
  auto use = std::make_unique<SnapshotUse>();
  use->published = std::move(published);
  SnapshotUse& before = *current_;
  current_ = use.get();
  uses_.push_back(std::move(use));
  metrics_.snapshot_version.set(newest().version);
  metrics_.snapshots_alive.set(uses_.size());

  for (BoundSocket& socket : sockets) {
    listeners_.push_back(std::make_unique<Listener>(*this, socket.gateway_port,
                                                    std::move(socket.bind), std::move(socket.fd)));
  }
  bool any_gone = false;
  for (const auto& listener : listeners_) {
    const PublishedListener* now =
        current_->published->find(listener->gateway_port(), listener->bind());
    any_gone = any_gone || (now == nullptr && listener->published() != nullptr);
    // A port that went and came back has a new listener; the old one only ends its connections.
    if (now != nullptr && (listener->is_open() || listener->published() != nullptr)) {
      listener->set_published(now);
      if (accepting_ && !draining_) listener->start();
    } else {
      listener->set_published(nullptr);
      listener->close();
    }
  }
  if (any_gone) {
    for (const auto& connection : connections_.all()) connection->end_if_orphaned();
  }
  std::erase_if(listeners_, [](const auto& listener) {
    return !listener->is_open() && listener->connections == 0;
  });
  if (before.requests == 0) drop(before);
}

void Worker::leave_snapshot(SnapshotUse& use) noexcept {
  if (--use.requests == 0 && &use != current_) drop(use);
}

// Back to the control thread: taking a snapshot apart may take a while.
void Worker::drop(SnapshotUse& use) noexcept {
  control_.post([published = std::move(use.published)] {});
  std::erase_if(uses_, [&](const auto& each) { return each.get() == &use; });
  metrics_.snapshots_alive.set(uses_.size());
}

// --- Objects.

Request& Worker::take_request() { return requests_.take(*this); }
void Worker::give_request(Request& request) noexcept { requests_.give(request); }
void Worker::give_back(Mirror& mirror) { mirrors_.give(mirror); }

Mirror* Worker::start_mirror(const route::Snapshot& snapshot, route::ClusterId id,
                             std::string_view method, std::string_view host, std::string_view head,
                             bool chunked) {
  const route::Cluster* cluster = snapshot.clusters.find(id);
  ClusterState* state = cluster == nullptr ? nullptr : clusters_.state_for(*cluster, newest());
  if (state == nullptr || mirrors_.in_use() >= Mirror::kActiveMax) {
    metrics_.mirrors_dropped.add();
    return nullptr;
  }
  Mirror& mirror = mirrors_.take(*this);
  if (mirror.start(*state, method, host, head, chunked)) return &mirror;
  mirrors_.give(mirror);
  metrics_.mirrors_dropped.add();
  return nullptr;
}

void Worker::write_request_id(char* out) noexcept {
  static constexpr char kHex[] = "0123456789abcdef";
  std::uint64_t high = random_.next();
  std::uint64_t low = random_.next();
  high = (high & ~std::uint64_t{0xf000}) | 0x4000U;                    // version 4
  low = (low & ~(std::uint64_t{3} << 62U)) | std::uint64_t{2} << 62U;  // variant
  char digits[32];
  for (int i = 0; i < 16; ++i) {
    digits[i] = kHex[(high >> (60 - 4 * i)) & 15U];
    digits[16 + i] = kHex[(low >> (60 - 4 * i)) & 15U];
  }
  static constexpr int kGroups[] = {8, 4, 4, 4, 12};
  const char* from = digits;
  for (int group = 0; group < 5; ++group) {
    if (group > 0) *out++ = '-';
    std::memcpy(out, from, static_cast<std::size_t>(kGroups[group]));
    out += kGroups[group];
    from += kGroups[group];
  }
}

// --- Connections and their times.

void Worker::wait_for(Connection& connection, Connection::Waits what) noexcept {
  if (connection.waits != Connection::Waits::kNothing) {
    List& list = lists_[static_cast<unsigned>(connection.waits)];
    (connection.list_previous != nullptr ? connection.list_previous->list_next : list.first) =
        connection.list_next;
    (connection.list_next != nullptr ? connection.list_next->list_previous : list.last) =
        connection.list_previous;
  }
  connection.waits = what;
  if (what == Connection::Waits::kNothing) return;
  List& list = lists_[static_cast<unsigned>(what)];
  connection.since_ns = now_ns();
  connection.list_next = nullptr;
  connection.list_previous = list.last;
  (list.last != nullptr ? list.last->list_next : list.first) = &connection;
  list.last = &connection;
}

void Worker::on_sweep(void* self) { static_cast<Worker*>(self)->sweep(); }

void Worker::sweep() {
  wall_offset_ns_ = wall_offset_ns();
  for (List& list : lists_) {
    while (list.first != nullptr && list.first->since_ns + list.time_ns <= now_ns()) {
      list.first->on_deadline();
    }
  }
  clusters_.sweep(newest(), now_ns());
  sweep_timer_.arm(loop_, sweep_interval_);
}

void Worker::count_connection(int change) noexcept {
  connection_count_ += static_cast<std::uint32_t>(change);
  metrics_.downstream_connections.set(connection_count_);
  if (change > 0) return;
  if (!accepting_ && has_room_for_connection() && !accept_timer_.is_armed()) {
    accept_timer_.arm(loop_, Nanoseconds(0));
  }
  if (draining_) check_drained();
}

// No room or no descriptors: what comes waits in the kernel's queue. Tried again soon, and at once
// when a connection ends.
void Worker::pause_accepting() {
  if (!accepting_) return;
  accepting_ = false;
  metrics_.accept_paused.add();
  for (const auto& listener : listeners_) listener->pause();
  accept_timer_.arm(loop_, kAcceptPause);
}

void Worker::on_accept_again(void* self) { static_cast<Worker*>(self)->resume_accepting(); }

void Worker::resume_accepting() {
  if (draining_) return;
  if (!has_room_for_connection()) return accept_timer_.arm(loop_, kAcceptPause);
  accepting_ = true;
  for (const auto& listener : listeners_) {
    if (listener->published() != nullptr) listener->start();
  }
}

// --- Draining.

void Worker::post_drain(Milliseconds deadline, std::function<void()> drained) {
  loop_.post([this, deadline, drained = std::move(drained)] { drain(deadline, drained); });
}

void Worker::drain(Milliseconds deadline, std::function<void()> drained) {
  draining_ = true;
  drained_ = std::move(drained);
  for (const auto& listener : listeners_) listener->close();
  // A caller that has just had an answer may be sending the next request: closing now would lose
  // it.
  for (const auto& connection : connections_.all()) connection->drain(false);
  idle_timer_.arm(loop_, std::min<Nanoseconds>(kIdleGrace, deadline / 2));
  drain_timer_.arm(loop_, deadline);
  check_drained();
}

void Worker::on_idle_grace(void* self) {
  for (const auto& connection : static_cast<Worker*>(self)->connections_.all()) connection->drain();
}

void Worker::on_drain_deadline(void* self) {
  auto& worker = *static_cast<Worker*>(self);
  for (const auto& connection : worker.connections_.all()) connection->close();
  worker.check_drained();
}

void Worker::check_drained() {
  if (connection_count_ > 0 || !drained_) return;
  drain_timer_.disarm();
  std::function<void()> drained;
  drained.swap(drained_);
  drained();
}

}  // namespace sluice::gateway
