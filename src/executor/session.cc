#include "executor/session.h"

#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "executor/message.h"
#include "executor/server.h"
#include "net/socket.h"

namespace sluice::executor {

namespace {

// What a caller may still send after its last answer before we stop listening to it.
constexpr std::size_t kLingerBytesMax = 1U << 20U;
constexpr Nanoseconds kLingerTime = std::chrono::seconds(5);
// Memory for a body grows by what has come, not by what was announced.
constexpr std::size_t kBodyStep = 256U << 10U;
// A body's memory that a connection keeps for its next request.
constexpr std::size_t kBodyKept = 64U << 10U;

}  // namespace

Session::Session(Server& server)
    : server_(server),
      engine_(server.engine()),
      timer_(on_timer, this),
      parser_(head_),
      exchange_(server.engine(), on_exchange_done, this) {}

void Session::open(net::Fd fd, std::unique_ptr<net::TlsSession> tls) {
  state_ = tls == nullptr ? State::kHead : State::kHandshake;
  if (!channel_.open(engine_.loop, std::move(fd), std::move(tls), on_channel, this)) {
    return close();
  }
  timer_.arm(engine_.loop, kHeadTime);
}

void Session::drain() {
  draining_ = true;
  const bool is_idle = state_ == State::kHead && in_.empty() && !channel_.is_readable();
  if (is_idle || state_ == State::kHandshake) close();
}

void Session::on_channel(void* self) {
  auto& session = *static_cast<Session*>(self);
  if (session.channel_.is_blocked()) session.channel_.flush();
  // A caller that left wants no answer: its call to the unit ends, too.
  if (session.state_ == State::kExchange && session.channel_.peer_closed()) return session.close();
  session.drive();
}

void Session::on_timer(void* self) { static_cast<Session*>(self)->close(); }

void Session::drive() {
  if (driving_) return;
  driving_ = true;
  for (bool goes_on = true; goes_on;) {
    goes_on = false;
    switch (state_) {
      case State::kHandshake:
        switch (channel_.handshake()) {
          case net::IoStatus::kOk:
            state_ = State::kHead;
            goes_on = true;
            break;
          case net::IoStatus::kWait:
            break;
          default:
            close();
        }
        break;
      case State::kHead:
        goes_on = read_head();
        break;
      case State::kBody:
        goes_on = read_body();
        break;
      case State::kFlush:
        if (channel_.is_blocked() && !channel_.is_broken()) break;
        after_answer();
        goes_on = state_ == State::kHead;
        break;
      case State::kLinger:
        linger();
        break;
      case State::kExchange:
      case State::kClosed:
        break;
    }
  }
  driving_ = false;
}

// Whether bytes came; else the session waits or is closed.
bool Session::has_read(net::IoStatus status) {
  if (status == net::IoStatus::kOk) return true;
  if (status != net::IoStatus::kWait) close();
  return false;
}

bool Session::read_head() {
  if (!in_.empty()) {
    const bool had_begun = parser_.has_begun();
    const http::Progress progress = parser_.parse(in_.bytes());
    if (progress == http::Progress::kRefused) {
      const unsigned status = http::status_of(parser_.refusal());
      refuse(status, std::to_string(status) + ' ' +
                         std::string(http::reason_of(static_cast<std::uint16_t>(status))) + ": " +
                         std::string(to_string(parser_.refusal())) + '\n');
      return true;
    }
    if (progress == http::Progress::kDone) {
      on_head();
      return true;
    }
    if (!had_begun) timer_.arm(engine_.loop, kHeadTime);
  }
  if (!channel_.is_readable()) return false;
  if (!in_.make_room()) {
    refuse(431, "431 Request Header Fields Too Large\n");
    return true;
  }
  std::size_t size = in_.room();
  if (!has_read(channel_.read(in_.tail(), size))) return false;
  in_.add(size);
  return true;
}

std::string_view Session::path() const noexcept {
  return head_.path.substr(0, head_.path.find_first_of("?#"));
}

void Session::on_head() {
  start_ns_ = monotonic_ns();
  used_ = parser_.consumed();
  keep_alive_ = head_.keep_alive && !draining_;
  body_.clear();
  puid_.clear();
  bool has_puid = false;
  for (const Field& field : head_.fields.all()) {
    if (has_puid || field.name != "seldon-puid") continue;
    puid_ = field.value;
    has_puid = !puid_.empty();
  }
  if (!has_puid) puid_ = make_puid(engine_.random);
  match_ =
      find_path(engine_.options.protocol, engine_.options.prometheus_path, path(), head_.method_id);
  if (head_.framing == http::Framing::kLength && head_.content_length > kBodyBytesMax) {
    Reply reply =
        failure_reply("the body is larger than " + std::to_string(kBodyBytesMax) + " bytes", 413);
    keep_alive_ = false;
    return on_reply(reply);
  }
  if (head_.framing == http::Framing::kNone) return dispatch();
  decoder_.start(head_.framing, head_.content_length);
  state_ = State::kBody;
  if (head_.expect_continue && in_.bytes().size() == used_) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    const iovec piece{const_cast<char*>(kContinue.data()), kContinue.size()};
    channel_.write({&piece, 1});
  }
  timer_.arm(engine_.loop, kStallTime);
}

bool Session::read_body() {
  return head_.framing == http::Framing::kLength ? read_length_body() : read_chunked_body();
}

// Straight into body_.
bool Session::read_length_body() {
  const auto length = static_cast<std::size_t>(head_.content_length);
  const std::string_view waiting = in_.text().substr(used_);
  if (body_.empty() && !waiting.empty()) {
    body_.append(waiting.substr(0, length));
    used_ += body_.size();
  }
  while (body_.size() < length) {
    if (!channel_.is_readable()) return false;
    const std::size_t before = body_.size();
    std::size_t size = std::min(length - before, kBodyStep);
    body_.resize(before + size);
    const net::IoStatus status = channel_.read(body_.data() + before, size);
    body_.resize(before + (status == net::IoStatus::kOk ? size : 0));
    if (!has_read(status)) return false;
    timer_.arm(engine_.loop, kStallTime);
  }
  dispatch();
  return true;
}

bool Session::read_chunked_body() {
  std::size_t taken = 0;
  const bool from_inbox = take_chunks(in_.text().substr(used_), taken);
  used_ += taken;
  if (!from_inbox) return true;  // answered
  while (!decoder_.is_done()) {
    if (!channel_.is_readable()) return false;
    std::size_t size = Server::kScratchBytes / 4;  // what is left over must fit into in_ again
    static_assert(Server::kScratchBytes / 4 <= Inbox::kBytes);
    if (!has_read(channel_.read(server_.scratch(), size))) return false;
    timer_.arm(engine_.loop, kStallTime);
    taken = 0;
    if (!take_chunks({server_.scratch(), size}, taken)) return true;
    ahead_.assign(server_.scratch() + taken, size - taken);
  }
  dispatch();
  return true;
}

// False: the body is refused, and that is answered.
bool Session::take_chunks(std::string_view bytes, std::size_t& used) {
  while (!decoder_.is_done() && !bytes.empty()) {
    const http::BodyDecoder::Piece piece = decoder_.next(bytes);
    if (piece.progress == http::Progress::kRefused) {
      refuse(400, "400 Bad Request: " + std::string(to_string(decoder_.refusal())) + '\n');
      return false;
    }
    if (body_.size() + piece.data.size() > kBodyBytesMax) {
      Reply reply =
          failure_reply("the body is larger than " + std::to_string(kBodyBytesMax) + " bytes", 413);
      keep_alive_ = false;
      on_reply(reply);
      return false;
    }
    body_.append(piece.data);
    bytes.remove_prefix(piece.consumed);
    used += piece.consumed;
  }
  return true;
}

void Session::dispatch() {
  timer_.disarm();
  state_ = State::kExchange;
  Reply reply;
  std::string clean;
  if (!path().starts_with('/')) {
    reply = not_found_reply();  // OPTIONS *, CONNECT
  } else if (clean_path(path(), clean)) {
    reply = refusal_reply(301, {});
    reply.location = clean + std::string(head_.path.substr(path().size()));
    match_.service = {};
  } else {
    switch (match_.action) {
      case Action::kNotFound:
        reply = not_found_reply();
        break;
      case Action::kMethodNotAllowed:
        reply = refusal_reply(405, {});
        break;
      case Action::kPreflight:
      case Action::kLive:
        break;
      case Action::kPrometheus:
        reply.body = engine_.metrics.page(monotonic_ns());
        reply.has_content_type = true;
        reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
        break;
      default:
        return exchange_.start(head_, match_, puid_, std::move(body_));
    }
  }
  on_reply(reply);
}

void Session::on_exchange_done(void* self, Reply& reply) {
  auto& session = *static_cast<Session*>(self);
  session.on_reply(reply);
  session.drive();
}

void Session::on_reply(Reply& reply) {
  if (!match_.service.empty()) {
    const std::int64_t now_ns = monotonic_ns();
    engine_.metrics.count_server(match_.service, to_lower(head_.method), reply.status,
                                 now_ns - start_ns_, now_ns);
  }
  keep_alive_ = keep_alive_ && !draining_;
  ReplyFacts facts;
  facts.puid = puid_;
  facts.methods = match_.methods;
  for (const Field& field : head_.fields.all()) {
    if (field.name == "ce-specversion") facts.cloud_event_path = path();
  }
  facts.deployment = engine_.options.deployment;
  facts.name_space = engine_.options.name_space;
  facts.date = server_.date();
  facts.keep_alive = keep_alive_;
  out_.clear();
  write_reply_head(out_, reply, facts, engine_.cors);
  const bool has_body = !reply.body.empty() && head_.method_id != http::Method::kHead;
  const iovec pieces[] = {{out_.data(), out_.size()}, {reply.body.data(), reply.body.size()}};
  channel_.write({pieces, has_body ? 2U : 1U});
  state_ = State::kFlush;
  if (channel_.is_blocked()) timer_.arm(engine_.loop, kStallTime);
}

// What the codec refuses: nothing of the request counts.
void Session::refuse(unsigned status, std::string_view text) {
  match_ = Match();
  keep_alive_ = false;
  Reply reply = refusal_reply(status, text);
  on_reply(reply);
}

void Session::after_answer() {
  if (!keep_alive_ || draining_) {
    state_ = State::kLinger;
    channel_.shutdown_write();
    timer_.arm(engine_.loop, kLingerTime);
    return linger();
  }
  if (channel_.is_broken()) return close();
  in_.drop(used_);
  used_ = 0;
  if (!ahead_.empty()) {  // in_ is empty then: all of it came before
    in_.make_room();
    std::copy(ahead_.begin(), ahead_.end(), in_.tail());
    in_.add(ahead_.size());
    ahead_.clear();
  }
  if (body_.capacity() > kBodyKept) std::string().swap(body_);
  head_.clear();
  parser_.reset();
  state_ = State::kHead;
  timer_.arm(engine_.loop, kIdle);
}

// Closing while the caller still sends would reset the connection and may take the answer away from
// it (RFC 9112 section 9.6): listen for a moment.
void Session::linger() {
  while (channel_.is_readable()) {
    std::size_t size = Server::kScratchBytes;
    const net::IoStatus status = channel_.read(server_.scratch(), size);
    if (status == net::IoStatus::kWait) return;
    lingered_ += size;
    if (status != net::IoStatus::kOk || lingered_ > kLingerBytesMax) return close();
  }
  if (channel_.is_broken()) close();
}

void Session::close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  exchange_.cancel();
  timer_.disarm();
  channel_.close();
  server_.retire(*this);
}

}  // namespace sluice::executor
