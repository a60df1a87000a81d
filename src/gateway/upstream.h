// One connection to an endpoint, and what uses it.
//
// An Exchange is one request's use of a connection: the live request's try, or a mirror's copy. It
// knows nothing of how bytes look; UpstreamConnection knows HTTP/1.1 and nothing of routes. An
// HTTP/2 connection is to offer many Exchanges the same calls.
// Thread: the worker.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "gateway/buffer.h"
#include "gateway/outcome.h"
#include "http/head.h"
#include "http/http1.h"
#include "net/channel.h"

namespace sluice::gateway {

class Worker;
class UpstreamConnection;
struct EndpointState;
struct ClusterState;

class Exchange {
 public:
  virtual ~Exchange() = default;
  // The connection is up: write the request.
  virtual void on_connected() = 0;
  // `response` is filled.
  virtual void on_response_head() = 0;
  // The view lives until on_response_flush returns.
  virtual void on_response_data(std::string_view data) = 0;
  // No more data of this read. `complete`: nor of this response.
  virtual void on_response_flush(bool complete) = 0;
  // The connection has been left (it may serve another request already).
  virtual void on_response_end() = 0;
  // Likewise. `undelivered`: the endpoint can't have seen anything of the request.
  virtual void on_upstream_failure(Failure failure, bool undelivered, bool reused) = 0;
  virtual void on_upstream_writable() = 0;
  // A connection of the pool it waits for may be free: ask again.
  virtual void on_pool_room() = 0;

  http::ResponseHead response;
  // Place among those that wait for a connection of a cluster.
  Exchange* wait_next = nullptr;
  Exchange* wait_previous = nullptr;
  ClusterState* waits_for = nullptr;
};

class UpstreamConnection {
 public:
  explicit UpstreamConnection(Worker& worker);

  // Starts to connect on behalf of `exchange`, which hears of it by on_connected or
  // on_upstream_failure, never before this returns. False: failed at once; the exchange is told
  // nothing.
  bool connect(EndpointState& endpoint, Exchange& exchange, std::string_view host);
  // Takes an idle connection for `exchange`, which may write at once.
  void begin(Exchange& exchange) noexcept;
  // REQUIRES: connected.
  void expect_response_to(std::string_view method) noexcept;
  net::IoStatus write(std::span<const iovec> pieces);
  bool is_blocked() const noexcept { return channel_.is_blocked(); }
  // The whole request was written: after the response the connection may be used again.
  void finish_request() noexcept { request_finished_ = true; }

  void pause() noexcept { paused_ = true; }  // back-pressure: stop reading
  void resume();
  // The exchange loses interest: the connection is closed, nobody is told.
  void abandon() noexcept;
  // A write failed. Tells the exchange by on_upstream_failure.
  void fail_write();
  void close_idle() noexcept;  // REQUIRES: idle and taken out of its pool

  bool is_usable() const noexcept { return !channel_.is_readable() && !channel_.peer_closed(); }
  EndpointState& endpoint() const noexcept { return *endpoint_; }
  std::int64_t idle_since_ns = 0;
  std::size_t pool_index = 0;  // among the endpoint's idle ones

 private:
  enum class State : std::uint8_t { kClosed, kConnecting, kHandshaking, kIdle, kBusy };

  static void on_channel(void* self);
  static void on_connect_timeout(void* self);
  void on_connecting();
  void on_handshaking();
  void became_ready();
  void read_loop();
  // False: the exchange is over or has left; nothing may be touched.
  bool take_bytes();
  bool take_head();
  bool take_body(bool& complete);
  void on_end_of_stream(bool clean);
  void complete(bool reusable);
  void fail(Failure failure, bool undelivered);
  void close() noexcept;
  bool undelivered_now(bool clean_end) const noexcept;

  Worker& worker_;
  EndpointState* endpoint_ = nullptr;
  Exchange* exchange_ = nullptr;
  net::Channel channel_;
  Buffer in_;
  http::ResponseParser parser_;
  http::BodyDecoder decoder_;
  net::Timer connect_timer_;
  std::shared_ptr<const net::TlsContext> tls_context_;
  std::uint64_t written_before_ = 0;  // bytes of earlier requests on this connection
  std::uint64_t received_ = 0;        // bytes since begin
  std::uint32_t epoch_ = 0;           // goes up whenever the exchange changes
  std::uint32_t requests_ = 0;        // begun on this connection
  unsigned interim_heads_ = 0;
  State state_ = State::kClosed;
  bool head_done_ = false;
  bool to_head_ = false;
  bool clean_end_ = false;  // the peer ended the stream by FIN
  bool paused_ = false;
  bool reading_ = false;
  bool request_finished_ = false;
};

}  // namespace sluice::gateway
