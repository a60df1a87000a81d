#include "executor/unit_pool.h"

#include <cerrno>
#include <system_error>

#include "base/assert.h"
#include "executor/message.h"
#include "net/socket.h"

namespace sluice::executor {

namespace {

constexpr unsigned kInterimHeadsMax = 16;
// Memory that one announced length may claim before its bytes come.
constexpr std::size_t kReserveMax = 8U << 20U;

std::string text_of(int error) { return std::generic_category().message(error); }

}  // namespace

// ---- Connections

UnitConnection::UnitConnection(UnitPool& pool)
    : pool_(pool), timer_(on_timer, this), parser_(head_) {}

bool UnitConnection::connect(std::size_t first, int& error) {
  SLUICE_ASSERT(state_ == State::kClosed);
  for (address_ = first; address_ < pool_.addresses_.size(); ++address_) {
    net::Connecting connecting = net::open_connection(pool_.addresses_[address_]);
    error = connecting.error;
    if (!connecting.fd.is_open() || (error != 0 && error != EINPROGRESS)) continue;
    if (!channel_.open(pool_.loop_, std::move(connecting.fd), nullptr, on_channel, this)) {
      error = errno;
      return false;
    }
    state_ = State::kConnecting;
    timer_.arm(pool_.loop_, UnitPool::kConnectNs);
    return true;
  }
  return false;
}

void UnitConnection::begin(UnitCall& call) {
  state_ = State::kBusy;
  timer_.disarm();
  ++calls_;
  interim_heads_ = 0;
  head_done_ = received_ = false;
  head_.clear();
  parser_.reset(false);
  written_before_ = channel_.bytes_written();
  const iovec pieces[] = {{call.head_.data(), call.head_.size()},
                          {const_cast<char*>(call.body_.data()), call.body_.size()}};
  // A write that fails says nothing of what the unit may still have answered: reading tells.
  channel_.write({pieces, call.body_.empty() ? 1U : 2U});
}

void UnitConnection::on_channel(void* self) {
  auto& connection = *static_cast<UnitConnection*>(self);
  const auto alive = connection.shared_from_this();
  switch (connection.state_) {
    case State::kClosed:
      return;
    case State::kConnecting:
      return connection.on_connecting();
    case State::kIdle:
      // The unit closed it, or sent what nobody asked for: of no more use either way.
      if (!connection.channel_.is_readable()) return;
      std::erase(connection.pool_.idle_, alive);
      return connection.close();
    case State::kBusy:
      if (connection.channel_.is_blocked()) connection.channel_.flush();
      return connection.read_loop();
  }
}

void UnitConnection::on_timer(void* self) {
  auto& connection = *static_cast<UnitConnection*>(self);
  const auto alive = connection.shared_from_this();
  if (connection.state_ == State::kConnecting)
    return connection.fail("connecting took too long", false);
  std::erase(connection.pool_.idle_, alive);
  connection.close();
}

void UnitConnection::on_connecting() {
  int error = net::connect_error(channel_.fd());
  if (error != 0 || channel_.is_broken()) {
    UnitCall* const call = call_;
    close();
    call_ = call;
    if (error == 0) error = ECONNREFUSED;
    int next_error = error;
    if (connect(address_ + 1, next_error)) return;
    return fail(text_of(error), false);
  }
  if (call_->connect_only_) return finish();
  begin(*call_);
  if (channel_.is_readable()) read_loop();
}

void UnitConnection::read_loop() {
  while (state_ == State::kBusy && channel_.is_readable()) {
    if (!in_.make_room()) return fail("the head of its answer is too large", false);
    std::size_t size = in_.room();
    const net::IoStatus status = channel_.read(in_.tail(), size);
    if (status == net::IoStatus::kWait) return;
    if (status != net::IoStatus::kOk) return on_end_of_stream(status == net::IoStatus::kClosed);
    received_ = true;
    in_.add(size);
    if (!take_bytes()) return;
  }
}

bool UnitConnection::take_bytes() {
  if (!head_done_ && !take_head()) return state_ == State::kBusy;
  std::string& body = call_->reply_.body;
  while (!decoder_.is_done() && !in_.empty()) {
    const http::BodyDecoder::Piece piece = decoder_.next(in_.text());
    if (piece.progress == http::Progress::kRefused) {
      fail("its answer's body is no HTTP: " + std::string(to_string(decoder_.refusal())), false);
      return false;
    }
    if (body.size() + piece.data.size() > kBodyBytesMax) {
      fail("its answer is larger than " + std::to_string(kBodyBytesMax) + " bytes", false);
      return false;
    }
    body.append(piece.data);
    in_.drop(piece.consumed);
    if (piece.progress == http::Progress::kDone) break;
  }
  if (!decoder_.is_done()) return true;
  finish();
  return false;
}

// True: the head of the answer is complete.
bool UnitConnection::take_head() {
  for (;;) {
    const http::Progress progress = parser_.parse(in_.bytes());
    if (progress == http::Progress::kMore) return false;
    if (progress == http::Progress::kRefused || head_.is_upgrade) {
      fail("its answer is no HTTP: " + std::string(to_string(parser_.refusal())), false);
      return false;
    }
    in_.drop(parser_.consumed());
    if (!head_.is_interim) break;
    if (++interim_heads_ > kInterimHeadsMax) {
      fail("it sends interim answers without end", false);
      return false;
    }
    parser_.reset(false);
    if (in_.empty()) return false;
  }
  head_done_ = true;
  UnitReply& reply = call_->reply_;
  reply.status = head_.status;
  reply.content_type = head_.fields.value(http::Known::kContentType);
  reply.content_encoding = head_.fields.value(http::Known::kContentEncoding);
  reply.body.clear();
  if (head_.framing == http::Framing::kLength) {
    reply.body.reserve(std::min<std::size_t>(head_.content_length, kReserveMax));
  }
  decoder_.start(head_.framing, head_.content_length);
  call_->head_ns_ = monotonic_ns();
  return true;
}

void UnitConnection::on_end_of_stream(bool clean) {
  if (head_done_ && clean && head_.framing == http::Framing::kUntilClose) return finish();
  if (head_done_) return fail("it closed the connection within its answer", false);
  // The unit closed an idle connection while this request was on its way: its kernel has
  // acknowledged no byte of it, as had any program read one.
  const std::uint64_t written = channel_.bytes_written() - written_before_;
  const int unacknowledged = net::unacknowledged_bytes(channel_.fd());
  const bool unseen = written == 0 || (clean && unacknowledged >= 0 &&
                                       static_cast<std::uint64_t>(unacknowledged) >= written);
  const bool may_retry = calls_ > 1 && !received_ && unseen;
  const int error = channel_.last_error();
  fail(clean || error == 0 ? "it closed the connection without an answer" : text_of(error),
       may_retry);
}

void UnitConnection::finish() {
  const auto alive = shared_from_this();
  UnitCall& call = *call_;
  call_ = nullptr;
  const bool reusable = !call.connect_only_ && head_.keep_alive && in_.empty() &&
                        head_.framing != http::Framing::kUntilClose && !channel_.is_blocked() &&
                        !channel_.peer_closed() && pool_.idle_.size() < UnitPool::kIdleMax;
  if (reusable) {
    state_ = State::kIdle;
    timer_.arm(pool_.loop_, UnitPool::kIdleNs);
    pool_.idle_.push_back(alive);
  } else {
    close();
  }
  call.end({});
}

void UnitConnection::fail(std::string why, bool may_retry) {
  const auto alive = shared_from_this();
  UnitCall& call = *call_;
  close();
  if (may_retry && !call.retried_) {
    call.retried_ = true;
    return call.run(true);
  }
  call.end(std::move(why));
}

void UnitConnection::close() noexcept {
  state_ = State::kClosed;
  call_ = nullptr;
  timer_.disarm();
  channel_.close();
}

// ---- The pool

UnitPool::UnitPool(net::Loop& loop, std::string host, std::uint16_t port)
    : loop_(loop),
      host_(std::move(host)),
      port_(port),
      authority_(host_ + ':' + std::to_string(port)),
      is_name_(!net::Address::parse(host_, port)) {
  if (!is_name_) set_addresses({host_});
}

UnitPool::~UnitPool() {
  for (const auto& connection : idle_) connection->close();
}

void UnitPool::set_addresses(const std::vector<std::string>& ips) {
  addresses_.clear();
  for (const std::string& ip : ips) {
    if (auto address = net::Address::parse(ip, port_); address) addresses_.push_back(*address);
  }
}

// ---- Calls

void UnitCall::start(UnitPool& pool, std::string head, std::string_view body, Nanoseconds timeout,
                     Callback done, void* context) {
  SLUICE_ASSERT(connection_ == nullptr);
  pool_ = &pool;
  head_ = std::move(head);
  body_ = body;
  connect_only_ = false;
  retried_ = false;
  done_ = done;
  context_ = context;
  head_ns_ = 0;
  start_ns_ = monotonic_ns();
  if (timeout.count() > 0) timer_.arm(pool.loop_, timeout);
  run(false);
}

void UnitCall::start_connecting(UnitPool& pool, Nanoseconds timeout, Callback done, void* context) {
  SLUICE_ASSERT(connection_ == nullptr);
  pool_ = &pool;
  connect_only_ = true;
  retried_ = false;
  done_ = done;
  context_ = context;
  head_ns_ = 0;
  if (timeout.count() > 0) timer_.arm(pool.loop_, timeout);
  run(true);
}

void UnitCall::run(bool fresh) {
  if (!fresh && !pool_->idle_.empty()) {
    connection_ = std::move(pool_->idle_.back());
    pool_->idle_.pop_back();
    connection_->call_ = this;
    return connection_->begin(*this);
  }
  if (pool_->addresses_.empty()) return end("lookup " + pool_->host_ + ": no such host");
  connection_ = std::make_shared<UnitConnection>(*pool_);
  int error = 0;
  if (!connection_->connect(0, error)) return end(text_of(error));
  connection_->call_ = this;
}

void UnitCall::end(std::string failure) {
  failure_ = std::move(failure);
  connection_.reset();
  timer_.disarm();
  done_(context_);
}

void UnitCall::cancel() noexcept {
  timer_.disarm();
  if (connection_ == nullptr) return;
  connection_->close();
  connection_.reset();
}

void UnitCall::on_timeout(void* self) {
  auto& call = *static_cast<UnitCall*>(self);
  const auto alive = call.connection_;
  call.cancel();
  call.end("no answer within the time allowed (deadline exceeded)");
}

}  // namespace sluice::executor
