// One thread of the gateway with everything that it needs: loop, listening sockets, connections,
// pools, timers, counters, free lists. Workers share nothing but immutable snapshots.
// Thread: made and destroyed by the control thread; in between everything but `start`, `post_*`
// and `metrics` belongs to its own thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/random.h"
#include "gateway/access_log.h"
#include "gateway/buffer.h"
#include "gateway/cluster.h"
#include "gateway/connection.h"
#include "gateway/gateway.h"
#include "gateway/head_edit.h"
#include "gateway/listener.h"
#include "gateway/metrics.h"
#include "gateway/published.h"
#include "http/write.h"
#include "net/loop.h"

namespace sluice::gateway {

class Mirror;
class Request;

// A snapshot that requests of this worker use. A plain count: no shared reference count is touched
// for a request.
struct SnapshotUse {
  std::shared_ptr<const Published> published;
  std::uint32_t requests = 0;
  const route::Snapshot& snapshot() const noexcept { return *published->snapshot; }
};

// A socket that the control thread bound for a worker.
struct BoundSocket {
  std::uint16_t gateway_port = 0;
  std::string bind;
  net::Fd fd;
};

// Objects that are used again. What is given back rests until the round of the loop is over, so
// that code which is still on the stack may look at it.
template <class T>
class FreeList {
 public:
  template <class... Arguments>
  T& take(Arguments&&... arguments) {
    if (free_.empty()) {
      all_.push_back(std::make_unique<T>(std::forward<Arguments>(arguments)...));
      free_.reserve(all_.capacity());
      resting_.reserve(all_.capacity());
      return *all_.back();
    }
    T& object = *free_.back();
    free_.pop_back();
    return object;
  }
  void give(T& object) { resting_.push_back(&object); }
  void end_round() noexcept {
    for (T* object : resting_) free_.push_back(object);
    resting_.clear();
  }
  const std::vector<std::unique_ptr<T>>& all() const noexcept { return all_; }
  std::size_t in_use() const noexcept { return all_.size() - free_.size() - resting_.size(); }

 private:
  std::vector<std::unique_ptr<T>> all_;
  std::vector<T*> free_;
  std::vector<T*> resting_;
};

class Worker {
 public:
  static constexpr std::size_t kHeadOutBytes = 256U << 10U;
  static constexpr std::size_t kScratchBytes = 64U << 10U;

  Worker(net::Loop& control, const Options& options, unsigned index);
  ~Worker();

  void start();  // the thread
  void stop();   // and joins

  // From the control thread. `adopted` runs on the worker.
  void post_adopt(std::shared_ptr<const Published> published, std::vector<BoundSocket> sockets,
                  std::function<void()> adopted);
  void post_drain(Milliseconds deadline, std::function<void()> drained);
  const Metrics& metrics() const noexcept { return metrics_; }
  LogRing* log_ring() noexcept { return access_log_ ? &access_log_->ring() : nullptr; }

  // --- For what lives on the worker.
  net::Loop& loop() noexcept { return loop_; }
  std::int64_t now_ns() const noexcept { return loop_.now_ns(); }
  std::int64_t wall_seconds() const noexcept {
    return (loop_.now_ns() + wall_offset_ns_) / 1'000'000'000;
  }
  std::string_view date() noexcept { return date_.at(wall_seconds()); }
  BufferPool& buffers() noexcept { return buffers_; }
  Metrics& metrics() noexcept { return metrics_; }
  Random& random() noexcept { return random_; }
  ClusterTable& clusters() noexcept { return clusters_; }
  AccessLogWriter* access_log() noexcept { return access_log_.get(); }

  // Scratch of whoever runs; nobody keeps anything in it across a call.
  Arena& arena() noexcept { return scratch_->arena; }
  HeadEdit& request_edit() noexcept { return scratch_->request_edit; }
  HeadEdit& response_edit() noexcept { return scratch_->response_edit; }
  char* head_out() noexcept { return scratch_->head_out; }
  char* response_out() noexcept { return scratch_->response_out; }
  char* scratch() noexcept { return scratch_->bytes; }

  // A UUID version 4 (RFC 9562) as text, 36 bytes. Not for secrets.
  void write_request_id(char* out) noexcept;

  const route::Snapshot& newest() const noexcept { return current_->snapshot(); }
  SnapshotUse& use_snapshot() noexcept {
    ++current_->requests;
    return *current_;
  }
  void leave_snapshot(SnapshotUse& use) noexcept;

  Request& take_request();
  void give_request(Request& request) noexcept;
  UpstreamConnection& take_upstream() { return upstreams_.take(*this); }
  void retire(UpstreamConnection& connection) { upstreams_.give(connection); }
  Connection& take_connection() { return connections_.take(*this); }
  void retire(Connection& connection) { connections_.give(connection); }
  // nullptr: not sent (no such cluster, no endpoint, too many at work).
  Mirror* start_mirror(const route::Snapshot& snapshot, route::ClusterId cluster,
                       std::string_view method, std::string_view host, std::string_view head,
                       bool chunked);
  void give_back(Mirror& mirror);

  void wait_for(Connection& connection, Connection::Waits what) noexcept;
  bool has_room_for_connection() const noexcept { return connection_count_ < connections_max_; }
  void count_connection(int change) noexcept;
  void pause_accepting();

 private:
  struct Scratch {
    Arena arena;
    HeadEdit request_edit;
    HeadEdit response_edit;
    char head_out[kHeadOutBytes];
    char response_out[kHeadOutBytes];
    char bytes[kScratchBytes];
  };
  struct List {
    Connection* first = nullptr;  // the oldest
    Connection* last = nullptr;
    std::int64_t time_ns = 0;
  };

  void run();
  void end_round() noexcept;
  void adopt(std::shared_ptr<const Published> published, std::vector<BoundSocket>& sockets);
  void drop(SnapshotUse& use) noexcept;
  void drain(Milliseconds deadline, std::function<void()> drained);
  void check_drained();
  void resume_accepting();
  void sweep();
  void close_everything();
  static void on_sweep(void* self);
  static void on_accept_again(void* self);
  static void on_idle_grace(void* self);
  static void on_drain_deadline(void* self);

  net::Loop& control_;
  net::Loop loop_;
  std::thread thread_;
  bool stopping_ = false;
  Metrics metrics_;
  BufferPool buffers_;
  Random random_;
  http::DateCache date_;
  std::int64_t wall_offset_ns_ = 0;
  std::unique_ptr<Scratch> scratch_;
  std::unique_ptr<AccessLogWriter> access_log_;

  std::vector<std::unique_ptr<SnapshotUse>> uses_;
  SnapshotUse* current_ = nullptr;
  std::vector<std::unique_ptr<Listener>> listeners_;

  ClusterTable clusters_;
  FreeList<UpstreamConnection> upstreams_;
  FreeList<Mirror> mirrors_;
  FreeList<Request> requests_;
  FreeList<Connection> connections_;

  List lists_[Connection::kWaitsCount];
  std::uint32_t connection_count_ = 0;
  std::uint32_t connections_max_;
  bool accepting_ = true;
  bool draining_ = false;
  std::function<void()> drained_;
  net::Timer sweep_timer_;
  net::Timer accept_timer_;
  net::Timer idle_timer_;  // while draining: until idle connections are closed
  net::Timer drain_timer_;
  Nanoseconds sweep_interval_;
};

}  // namespace sluice::gateway
