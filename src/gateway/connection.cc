#include "gateway/connection.h"

#include "base/assert.h"
#include "gateway/listener.h"
#include "gateway/request.h"
#include "gateway/worker.h"
#include "http/write.h"
#include "net/socket.h"

namespace sluice::gateway {

namespace {
// What a caller may still send after its last answer before we stop listening to it.
constexpr std::size_t kLingerBytesMax = 1U << 20U;
}  // namespace

Connection::Connection(Worker& worker)
    : worker_(worker), in_(worker.buffers()), ahead_(worker.buffers()) {}
Connection::~Connection() = default;

void Connection::open(Listener& listener, net::Fd fd, const net::Address& peer) {
  SLUICE_ASSERT(state_ == State::kClosed);
  listener_ = &listener;
  ++listener.connections;
  peer_ = peer;
  peer_ip_ = peer_.ip(peer_text_);
  is_tls_ = listener.published()->listener->is_tls;
  draining_ = close_after_ = driving_ = needs_bytes_ = closing_ = false;
  piece_count_ = 0;
  worker_.count_connection(+1);
  std::unique_ptr<net::TlsSession> tls;
  if (is_tls_) tls = net::TlsSession::make_server(fd.get(), choose_server, this);
  state_ = is_tls_ ? State::kHandshake : State::kHead;
  wait_for(is_tls_ ? Waits::kHandshake : Waits::kNextRequest);
  if (!channel_.open(worker_.loop(), std::move(fd), std::move(tls), on_channel, this)) close();
}

std::shared_ptr<const net::TlsContext> Connection::choose_server(void* self,
                                                                 std::string_view server_name) {
  const PublishedListener* published = static_cast<Connection*>(self)->listener_->published();
  const PublishedTlsServer* server = published == nullptr ? nullptr : published->find(server_name);
  return server == nullptr ? nullptr : server->context;
}

void Connection::on_channel(void* self) {
  auto& connection = *static_cast<Connection*>(self);
  if (connection.state_ == State::kClosed) return;
  if (connection.state_ == State::kHandshake) return connection.on_handshake();
  if (connection.channel_.is_blocked()) {
    if (connection.channel_.flush() == net::IoStatus::kFailed) {
      if (connection.request_ != nullptr) return connection.request_->on_downstream_gone();
      return connection.close();
    }
    if (connection.channel_.is_blocked()) {
      if (connection.waits == Waits::kCaller) connection.wait_for(Waits::kCaller);  // it took some
    } else if (connection.request_ != nullptr) {
      connection.request_->on_downstream_writable();
      if (connection.state_ == State::kClosed) return;
    } else if (connection.waits == Waits::kCaller) {
      connection.wait_for(Waits::kNextRequest);
    }
  }
  connection.drive();
}

void Connection::on_handshake() {
  switch (channel_.handshake()) {
    case net::IoStatus::kWait:
      return;
    case net::IoStatus::kOk:
      break;
    default:
      worker_.metrics().tls_handshake_failures.add();
      return close();
  }
  worker_.metrics().tls_handshakes.add();
  state_ = State::kHead;
  wait_for(Waits::kNextRequest);
  drive();
}

// Goes on until it must wait for bytes, for room, or for the request.
void Connection::drive() {
  if (driving_) return;
  driving_ = true;
  for (bool more = true; more;) {
    switch (state_) {
      case State::kClosed:
      case State::kHandshake:
        more = false;
        break;
      case State::kHead:
        more = !channel_.is_blocked() && read_head();
        break;
      case State::kExchange:
        if (!request_->is_body_complete() && channel_.is_readable() && request_->wants_body()) {
          read_body();
          more = state_ != State::kExchange || channel_.is_readable();
          break;
        }
        // Envoy's rule: who closes its side while it waits for an answer is gone.
        if (channel_.peer_closed() && request_->is_body_complete()) {
          request_->on_downstream_gone();
          break;
        }
        if (channel_.is_broken()) {
          request_->on_downstream_gone();
          break;
        }
        more = false;
        break;
      case State::kFlush:
        more = !channel_.is_blocked();
        if (more) linger();
        break;
      case State::kLinger:
        read_and_forget();
        more = false;
        break;
    }
  }
  driving_ = false;
}

bool Connection::read_head() {
  if (in_.empty() || needs_bytes_) {
    if (!channel_.is_readable()) {
      if (in_.empty() && request_ == nullptr) in_.release();
      return false;
    }
    if (in_.room() == 0) in_.compact();
    if (!in_.make_room()) return false;
    std::size_t size = in_.room();
    const net::IoStatus status = channel_.read(in_.tail(), size);
    if (status == net::IoStatus::kWait) return false;
    if (status != net::IoStatus::kOk) {
      close();
      return false;
    }
    worker_.metrics().downstream_bytes_in.add(size);
    in_.add(size);
  }
  if (request_ == nullptr) {
    request_ = &worker_.take_request();
    request_->reset(*this);
  }
  const http::Progress progress = request_->parser.parse(in_.bytes());
  needs_bytes_ = progress == http::Progress::kMore;
  if (progress == http::Progress::kMore) {
    if (waits != Waits::kHead && request_->parser.has_begun()) wait_for(Waits::kHead);
    return channel_.is_readable();
  }
  wait_for(Waits::kNothing);
  state_ = State::kExchange;
  if (progress == http::Progress::kRefused) {
    const http::Refusal refusal = request_->parser.refusal();
    const std::uint16_t status = http::status_of(refusal);
    request_->refuse(status, refusal == http::Refusal::kHostMissing ? std::string_view()
                                                                    : http::reason_of(status));
    return true;
  }
  in_.drop(request_->parser.consumed());
  begin_request();
  return true;
}

void Connection::begin_request() {
  const http::RequestHead& head = request_->head;
  decoder_.start(head.framing, head.content_length);
  const bool has_body = head.framing == http::Framing::kChunked ||
                        (head.framing == http::Framing::kLength && head.content_length > 0);
  if (has_body) {
    take_buffered_body();
    if (decoder_.refusal() != http::Refusal::kNone) return request_->refuse(400, "Bad Request");
    if (!decoder_.is_done()) wait_for(Waits::kCaller);
  }
  request_->start(has_body);
}

// What came of the body with the head. Chunks are joined in place, so that a body that is whole
// stays where it is and is sent, and sent again, from there.
void Connection::take_buffered_body() {
  char* const body = in_.bytes().data();
  std::size_t size = 0;
  while (!decoder_.is_done() && !in_.empty()) {
    const http::BodyDecoder::Piece piece = decoder_.next(in_.text());
    if (piece.data.data() != body + size && !piece.data.empty()) {
      std::memmove(body + size, piece.data.data(), piece.data.size());
    }
    size += piece.data.size();
    in_.drop(piece.consumed);
    if (piece.progress == http::Progress::kRefused) return;
  }
  if (size > 0 || decoder_.is_done()) {
    request_->take_body({body, size}, decoder_.is_done(), decoder_.is_done());
  }
}

// More of the body, through the worker's scratch: the head's views pin the connection's own buffer.
void Connection::read_body() {
  char* const scratch = worker_.scratch();
  std::size_t size = Worker::kScratchBytes;
  if (request_->head.framing == http::Framing::kLength) {
    size = static_cast<std::size_t>(std::min<std::uint64_t>(size, decoder_.remaining()));
  }
  const net::IoStatus status = channel_.read(scratch, size);
  if (status == net::IoStatus::kWait) return;
  if (status != net::IoStatus::kOk) return request_->on_downstream_gone();
  worker_.metrics().downstream_bytes_in.add(size);
  wait_for(Waits::kCaller);
  std::string_view bytes(scratch, size);
  while (!bytes.empty() && !decoder_.is_done()) {
    const http::BodyDecoder::Piece piece = decoder_.next(bytes);
    bytes.remove_prefix(piece.consumed);
    if (piece.progress == http::Progress::kRefused)
      return request_->refuse_body(400, "Bad Request");
    const bool done = piece.progress == http::Progress::kDone;
    if (piece.data.empty() && !done) continue;
    // Before the request hears of its end: it may be over, and the next one's turn, by that.
    if (done && !bytes.empty()) keep_for_next(bytes);
    request_->take_body(piece.data, done, false);
    if (state_ != State::kExchange) return;
  }
}

// The caller sends ahead.
void Connection::keep_for_next(std::string_view bytes) {
  ahead_.make_room();
  while (ahead_.room() < bytes.size() && ahead_.grow()) {
  }
  SLUICE_ASSERT(ahead_.room() >= bytes.size());  // at most the worker's scratch
  std::memcpy(ahead_.tail(), bytes.data(), bytes.size());
  ahead_.add(bytes.size());
}

void Connection::want_body() {
  if (!driving_) drive();
}

// --- The answer.

void Connection::add_piece(std::string_view text) {
  if (text.empty()) return;
  pieces_[piece_count_++] = {const_cast<char*>(text.data()), text.size()};
}

void Connection::send_head(const ResponseStart& start) {
  close_after_ = start.close || draining_;
  chunked_ = start.body == BodyKind::kChunked;
  no_body_ = start.body == BodyKind::kNone;
  http::Writer writer(worker_.response_out(), worker_.response_out() + Worker::kHeadOutBytes);
  writer.status_line(start.status, start.reason);
  for (const Field& field : *start.fields) writer.field(field.name, field.value);
  if (start.body == BodyKind::kLength) writer.field("content-length", start.content_length);
  if (chunked_) writer.text("transfer-encoding: chunked\r\n");
  if (close_after_) writer.text("connection: close\r\n");
  writer.end_of_head();
  if (writer.overflowed() || worker_.arena().overflowed()) {
    // The rule's additions made it longer than any head may be: nothing sensible can be said.
    close_after_ = true;
    no_body_ = true;
    static constexpr std::string_view kTooLarge =
        "HTTP/1.1 500 Internal Server Error\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    add_piece(kTooLarge);
    return;
  }
  add_piece(writer.written());
}

void Connection::send_data(std::string_view data) {
  if (no_body_ || data.empty()) return;
  if (piece_count_ + 3 > kPiecesMax) flush();
  if (chunked_) {
    char* const head = chunk_heads_[piece_count_];
    add_piece({head, http::write_chunk_head(head, data.size())});
    add_piece(data);
    add_piece("\r\n");
  } else {
    add_piece(data);
  }
}

void Connection::send_end() {
  if (!chunked_ || no_body_) return;
  if (piece_count_ + 1 > kPiecesMax) flush();
  add_piece(http::kLastChunk);
}

bool Connection::flush() {
  if (piece_count_ == 0) return state_ != State::kClosed && !channel_.is_broken();
  const net::IoStatus status = channel_.write({pieces_, piece_count_});
  std::size_t bytes = 0;
  for (unsigned i = 0; i < piece_count_; ++i) bytes += pieces_[i].iov_len;
  worker_.metrics().downstream_bytes_out.add(bytes);
  piece_count_ = 0;
  if (status == net::IoStatus::kWait && waits == Waits::kNothing) wait_for(Waits::kCaller);
  return status != net::IoStatus::kFailed;
}

void Connection::send_continue() {
  add_piece("HTTP/1.1 100 Continue\r\n\r\n");
  flush();
}

// --- Ends.

void Connection::on_request_done() {
  const bool body_left = !request_->is_body_complete();
  worker_.give_request(*request_);
  request_ = nullptr;
  if (close_after_ || body_left || draining_) {
    state_ = State::kFlush;
    wait_for(Waits::kFlush);
  } else {
    state_ = State::kHead;
    if (!ahead_.empty()) {
      // All of in_ was read before it: nothing of in_ can be left.
      in_.clear();
      in_.make_room();
      while (in_.room() < ahead_.size() && in_.grow()) {
      }
      std::memcpy(in_.tail(), ahead_.text().data(), ahead_.size());
      in_.add(ahead_.size());
      ahead_.release();
    } else if (in_.empty()) {
      in_.clear();
    }
    wait_for(channel_.is_blocked() ? Waits::kCaller : Waits::kNextRequest);
  }
  drive();
}

void Connection::on_request_cut() {
  worker_.give_request(*request_);
  request_ = nullptr;
  // A caller that reads until the end must see that this was not the end it was promised.
  if (!channel_.is_blocked() && !chunked_ && !channel_.peer_closed() && !closing_) {
    channel_.shutdown_write();
    linger();
    return;
  }
  if (!channel_.peer_closed()) channel_.shutdown_write();
  close();
}

// The answer is out. Closing while the caller still sends would reset the connection and may take
// the answer away from it (RFC 9112 section 9.6): listen for a moment.
void Connection::linger() {
  channel_.shutdown_write();
  state_ = State::kLinger;
  lingered_bytes_ = 0;
  wait_for(Waits::kLinger);
  read_and_forget();
}

void Connection::read_and_forget() {
  while (channel_.is_readable()) {
    std::size_t size = Worker::kScratchBytes;
    const net::IoStatus status = channel_.read(worker_.scratch(), size);
    if (status == net::IoStatus::kWait) return;
    if (status != net::IoStatus::kOk) return close();
    lingered_bytes_ += size;
    if (lingered_bytes_ > kLingerBytesMax) return close();
  }
  if (channel_.is_broken()) close();
}

// REQUIRES: state_ kExchange. Only what is the caller's turn counts.
void Connection::on_caller_stalled() {
  if (channel_.is_blocked()) return request_->on_downstream_gone();
  if (request_->is_body_complete()) return wait_for(Waits::kNothing);
  if (!request_->wants_body()) return wait_for(Waits::kCaller);  // the model is slow
  wait_for(Waits::kNothing);
  request_->refuse_body(408, "Request Timeout");
}

void Connection::on_deadline() {
  if (waits == Waits::kCaller && state_ == State::kExchange) return on_caller_stalled();
  if (waits == Waits::kHead && request_ != nullptr) {
    wait_for(Waits::kNothing);
    state_ = State::kExchange;
    request_->refuse(408, "Request Timeout");
    return;
  }
  close();
}

void Connection::drain(bool close_idle) {
  draining_ = true;
  if (!close_idle) return;
  if (state_ == State::kHandshake ||
      (state_ == State::kHead && request_ == nullptr && in_.empty() && !channel_.is_readable())) {
    close();
  }
}

void Connection::end_if_orphaned() {
  if (state_ != State::kClosed && listener_->published() == nullptr) drain();
}

void Connection::close() {
  if (state_ == State::kClosed) return;
  if (state_ == State::kExchange && request_ != nullptr) {
    closing_ = true;
    return request_->on_downstream_gone();  // comes back by on_request_cut
  }
  state_ = State::kClosed;
  wait_for(Waits::kNothing);
  if (request_ != nullptr) {  // a head that never became complete
    worker_.give_request(*request_);
    request_ = nullptr;
  }
  channel_.close();
  in_.release();
  ahead_.release();
  piece_count_ = 0;
  --listener_->connections;
  worker_.count_connection(-1);
  worker_.retire(*this);
}

void Connection::wait_for(Waits what) { worker_.wait_for(*this, what); }

// --- What the request asks about its caller.

const route::RouteTable* Connection::routes(const route::Snapshot&) {
  const PublishedListener* published = listener_->published();
  if (published == nullptr) return nullptr;
  if (!is_tls_) return published->listener->routes.get();
  const PublishedTlsServer* server = published->find(channel_.tls()->server_name());
  return server == nullptr ? nullptr : server->server->routes.get();
}

std::string_view Connection::client_certificate() const {
  if (!is_tls_) return {};
  return const_cast<net::Channel&>(channel_).tls()->peer_certificate();
}

std::uint16_t Connection::gateway_port() const { return listener_->gateway_port(); }

bool Connection::is_draining() const { return draining_ || listener_->published() == nullptr; }

}  // namespace sluice::gateway
