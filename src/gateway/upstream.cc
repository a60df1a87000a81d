#include "gateway/upstream.h"

#include <cerrno>

#include "base/assert.h"
#include "gateway/cluster.h"
#include "gateway/worker.h"
#include "net/socket.h"

namespace sluice::gateway {

namespace {
// 100, 102, 103 in front of an answer; a peer that sends more is not serious.
constexpr unsigned kInterimHeadsMax = 16;
// A parser needs a head to write to; connections that nobody uses have none of their own.
http::ResponseHead& unused_head() {
  static thread_local http::ResponseHead head;
  return head;
}
}  // namespace

UpstreamConnection::UpstreamConnection(Worker& worker)
    : worker_(worker),
      in_(worker.buffers()),
      parser_(unused_head()),
      connect_timer_(on_connect_timeout, this) {}

bool UpstreamConnection::connect(EndpointState& endpoint, Exchange& exchange,
                                 std::string_view host) {
  SLUICE_ASSERT(state_ == State::kClosed);
  net::Connecting connecting = net::open_connection(endpoint.address);
  if (!connecting.fd.is_open()) return false;
  if (connecting.error != 0 && connecting.error != EINPROGRESS) return false;
  const ClusterState& cluster = *endpoint.cluster;
  std::unique_ptr<net::TlsSession> tls;
  if (cluster.cluster->tls.has_value()) {
    if (cluster.tls == nullptr) return false;
    tls_context_ = cluster.tls;
    const std::string& sni = cluster.cluster->tls->sni;
    tls = net::TlsSession::make_client(connecting.fd.get(), *tls_context_,
                                       sni.empty() ? std::string(host) : sni);
  }
  if (!channel_.open(worker_.loop(), std::move(connecting.fd), std::move(tls), on_channel, this)) {
    return false;
  }
  endpoint_ = &endpoint;
  exchange_ = &exchange;
  ++epoch_;
  state_ = State::kConnecting;
  requests_ = 0;
  received_ = 0;
  written_before_ = 0;
  paused_ = false;
  ++endpoint.connections;
  ++endpoint.cluster->connections;
  worker_.metrics().upstream_connections.add();
  worker_.metrics().upstream_connections_total.add();
  connect_timer_.arm(worker_.loop(), cluster.cluster->pool.connect_timeout);
  return true;
}

void UpstreamConnection::begin(Exchange& exchange) noexcept {
  exchange_ = &exchange;
  ++epoch_;
  state_ = State::kBusy;
  received_ = 0;
  written_before_ = channel_.bytes_written();
  paused_ = false;
  request_finished_ = false;
  head_done_ = false;
}

void UpstreamConnection::expect_response_to(std::string_view method) noexcept {
  to_head_ = method == "HEAD";
  ++requests_;
  clean_end_ = false;
  head_done_ = false;
  request_finished_ = false;
  interim_heads_ = 0;
  parser_ = http::ResponseParser(exchange_->response);
  parser_.reset(to_head_);
  in_.clear();
}

net::IoStatus UpstreamConnection::write(std::span<const iovec> pieces) {
  return channel_.write(pieces);
}

void UpstreamConnection::on_channel(void* self) {
  auto& connection = *static_cast<UpstreamConnection*>(self);
  switch (connection.state_) {
    case State::kClosed:
      return;
    case State::kConnecting:
      return connection.on_connecting();
    case State::kHandshaking:
      return connection.on_handshaking();
    case State::kIdle:
      // The peer closed it, or sent what nobody asked for: either way it is of no more use.
      if (connection.channel_.is_readable()) {
        connection.worker_.clusters().take_out(connection);
        connection.close_idle();
      }
      return;
    case State::kBusy:
      break;
  }
  if (connection.channel_.is_blocked()) {
    const std::uint32_t epoch = connection.epoch_;
    const net::IoStatus status = connection.channel_.flush();
    // A failed write says nothing of what the peer may still have answered: reading tells.
    if (status == net::IoStatus::kOk) connection.exchange_->on_upstream_writable();
    if (connection.epoch_ != epoch) return;
  }
  connection.read_loop();
}

void UpstreamConnection::on_connecting() {
  const int error = net::connect_error(channel_.fd());
  if (error != 0 || channel_.is_broken()) return fail(Failure::kConnect, true);
  if (channel_.tls() == nullptr) return became_ready();
  state_ = State::kHandshaking;
  on_handshaking();
}

void UpstreamConnection::on_handshaking() {
  switch (channel_.handshake()) {
    case net::IoStatus::kOk:
      return became_ready();
    case net::IoStatus::kWait:
      return;
    default:
      return fail(Failure::kConnect, true);
  }
}

void UpstreamConnection::became_ready() {
  connect_timer_.disarm();
  state_ = State::kBusy;
  written_before_ = channel_.bytes_written();
  worker_.clusters().note_reached(*endpoint_);
  const std::uint32_t epoch = epoch_;
  exchange_->on_connected();
  if (epoch_ == epoch && channel_.is_readable()) read_loop();
}

void UpstreamConnection::on_connect_timeout(void* self) {
  static_cast<UpstreamConnection*>(self)->fail(Failure::kConnectTimeout, true);
}

void UpstreamConnection::resume() {
  if (!paused_) return;
  paused_ = false;
  if (!reading_ && channel_.is_readable()) read_loop();
}

void UpstreamConnection::read_loop() {
  reading_ = true;
  const std::uint32_t epoch = epoch_;
  while (epoch_ == epoch && state_ == State::kBusy && channel_.is_readable() && !paused_) {
    if (!in_.make_room()) {
      fail(Failure::kProtocol, false);
      break;
    }
    const std::size_t room = in_.room();
    std::size_t size = room;
    const net::IoStatus status = channel_.read(in_.tail(), size);
    if (status == net::IoStatus::kWait) break;
    if (status != net::IoStatus::kOk) {
      on_end_of_stream(status == net::IoStatus::kClosed);
      break;
    }
    worker_.metrics().upstream_bytes_in.add(size);
    in_.add(size);
    received_ += size;
    if (!take_bytes()) break;
    if (size == room) in_.grow();  // bulk: the next reads take more at once
  }
  reading_ = false;
}

bool UpstreamConnection::take_bytes() {
  const std::uint32_t epoch = epoch_;
  if (!head_done_ && !take_head()) return epoch_ == epoch;
  if (epoch_ != epoch) return false;
  bool complete_now = false;
  if (!take_body(complete_now)) return false;
  exchange_->on_response_flush(complete_now);
  if (epoch_ != epoch) return false;
  if (complete_now) {
    // Bytes behind the answer that nobody asked for: never give them to the next request. Nor a
    // connection that still has to send a body which was answered early.
    complete(exchange_->response.keep_alive && request_finished_ && in_.empty() &&
             !channel_.peer_closed() && !channel_.is_blocked());
    return false;
  }
  if (in_.empty()) in_.clear();
  return true;
}

// True: the head is complete and was announced.
bool UpstreamConnection::take_head() {
  for (;;) {
    const http::Progress progress = parser_.parse(in_.bytes());
    if (progress == http::Progress::kMore) {
      if (in_.room() == 0 && !in_.grow()) fail(Failure::kProtocol, false);
      return false;
    }
    if (progress == http::Progress::kRefused) {
      fail(Failure::kProtocol, false);
      return false;
    }
    in_.drop(parser_.consumed());
    http::ResponseHead& response = exchange_->response;
    if (response.is_interim) {
      // The gateway answered Expect itself; 103 has nobody who waits for it.
      if (++interim_heads_ > kInterimHeadsMax) {
        fail(Failure::kProtocol, false);
        return false;
      }
      parser_.reset(to_head_);
      if (in_.empty()) {
        in_.clear();
        return false;
      }
      continue;
    }
    if (response.is_upgrade) {  // nobody asked for one
      fail(Failure::kProtocol, false);
      return false;
    }
    head_done_ = true;
    decoder_.start(response.framing, response.content_length);
    exchange_->on_response_head();
    return true;
  }
}

// False: the exchange is over.
bool UpstreamConnection::take_body(bool& complete_now) {
  const std::uint32_t epoch = epoch_;
  while (!decoder_.is_done() && !in_.empty()) {
    const http::BodyDecoder::Piece piece = decoder_.next(in_.text());
    in_.drop(piece.consumed);
    if (piece.progress == http::Progress::kRefused) {
      exchange_->on_response_flush(false);
      if (epoch_ == epoch) fail(Failure::kProtocol, false);
      return false;
    }
    if (!piece.data.empty()) {
      exchange_->on_response_data(piece.data);
      if (epoch_ != epoch) return false;
    }
    if (piece.progress == http::Progress::kDone) break;
  }
  complete_now = decoder_.is_done();
  return true;
}

void UpstreamConnection::on_end_of_stream(bool clean) {
  if (head_done_ && clean && exchange_->response.framing == http::Framing::kUntilClose) {
    const std::uint32_t epoch = epoch_;
    exchange_->on_response_flush(true);
    if (epoch_ == epoch) complete(false);
    return;
  }
  clean_end_ = clean;
  fail(head_done_ ? Failure::kProtocol : Failure::kTermination, undelivered_now(clean));
}

// The peer ended the stream (FIN) and its kernel has acknowledged no byte of this request: had any
// program read one, the FIN would carry the acknowledgement. A reset carries none, so it proves
// nothing. TLS counts other bytes than we do.
bool UpstreamConnection::undelivered_now(bool clean_end) const noexcept {
  if (received_ > 0 || head_done_) return false;
  const std::uint64_t written = channel_.bytes_written() - written_before_;
  if (written == 0) return true;
  if (!clean_end || requests_ < 2 || tls_context_ != nullptr) return false;
  const int unacknowledged = net::unacknowledged_bytes(channel_.fd());
  return unacknowledged >= 0 && static_cast<std::uint64_t>(unacknowledged) >= written;
}

void UpstreamConnection::fail_write() { fail(Failure::kTermination, undelivered_now(false)); }

void UpstreamConnection::complete(bool reusable) {
  Exchange* const exchange = exchange_;
  exchange_ = nullptr;
  ++epoch_;
  worker_.metrics().upstream_bytes_out.add(channel_.bytes_written() - written_before_);
  written_before_ = channel_.bytes_written();
  const std::uint32_t most = endpoint_->cluster->cluster->pool.requests_per_connection_max;
  if (most != 0 && requests_ >= most) reusable = false;
  if (reusable && !endpoint_->is_gone) {
    state_ = State::kIdle;
    in_.release();
    worker_.clusters().put_back(*this);
  } else {
    close();
  }
  exchange->on_response_end();
}

void UpstreamConnection::fail(Failure failure, bool undelivered) {
  Exchange* const exchange = exchange_;
  // A used connection that its peer closed in order: most likely it had been idle for too long. A
  // reset is no sign of that: whoever resets may have read the request (recorded: 503, no retry).
  const bool reused = requests_ > 1 && clean_end_ && received_ == 0;
  if (failure == Failure::kConnect || failure == Failure::kConnectTimeout) {
    worker_.metrics().upstream_connect_failures.add();
    worker_.clusters().note_refused(*endpoint_, worker_.now_ns());
  }
  exchange_ = nullptr;
  close();
  if (exchange != nullptr) exchange->on_upstream_failure(failure, undelivered, reused);
}

void UpstreamConnection::abandon() noexcept {
  exchange_ = nullptr;
  close();
}

void UpstreamConnection::close_idle() noexcept { close(); }

void UpstreamConnection::close() noexcept {
  ++epoch_;
  state_ = State::kClosed;
  connect_timer_.disarm();
  worker_.metrics().upstream_bytes_out.add(channel_.bytes_written() - written_before_);
  channel_.close();
  in_.release();
  tls_context_.reset();
  worker_.metrics().upstream_connections.sub();
  worker_.clusters().forget(*this);
  endpoint_ = nullptr;
  worker_.retire(*this);
}

}  // namespace sluice::gateway
