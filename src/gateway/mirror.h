// A copy of a request for a shadow: sent once, its answer thrown away. It never delays the live
// request: what it can't send at once waits here, up to a bound, beyond which the copy is dropped.
// Source: VirtualService HTTPRoute mirrors.
// Thread: the worker; recycled by it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/cluster.h"
#include "gateway/upstream.h"
#include "net/loop.h"

namespace sluice::gateway {

class Request;

class Mirror final : public Exchange {
 public:
  // Bytes of one copy that may wait, and copies at work at once in one worker.
  static constexpr std::size_t kWaitingBytesMax = 4U << 20U;
  static constexpr unsigned kActiveMax = 1024;

  explicit Mirror(Worker& worker);

  // False: dropped at once (no such cluster, no endpoint, refused); the object can be given back.
  bool start(ClusterState& state, std::string_view method, std::string_view host,
             std::string_view head, bool chunked);
  void take_body(std::string_view data, bool complete);
  void cut();  // the live request ended before its body did
  void stop() {
    if (!over_) drop();
  }

  bool is_over() const noexcept { return over_; }
  // Which copy this object is now: goes up with each. Whoever feeds a copy compares, since a copy
  // may end (its shadow gone) and the object serve another request before the first one's body
  // does.
  std::uint64_t copy() const noexcept { return copy_; }

  void on_connected() override;
  void on_response_head() override {}
  void on_response_data(std::string_view) override {}
  void on_response_flush(bool) override {}
  void on_response_end() override;
  void on_upstream_failure(Failure failure, bool undelivered, bool reused) override;
  void on_upstream_writable() override { push(); }
  void on_pool_room() override;

 private:
  static void on_timeout(void* self);
  void push();
  void drop();
  void finish();
  bool lease();

  Worker& worker_;
  UpstreamConnection* upstream_ = nullptr;
  ClusterState* state_ = nullptr;
  EndpointState* endpoint_ = nullptr;
  std::string method_;
  std::string host_;
  std::vector<char> waiting_;  // encoded, not yet given to the connection
  net::Timer timer_;
  std::uint64_t copy_ = 0;
  bool chunked_ = false;
  bool connected_ = false;
  bool complete_ = false;
  bool over_ = true;
};

}  // namespace sluice::gateway
