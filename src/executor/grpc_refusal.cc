#include "executor/grpc_refusal.h"

#include <cerrno>

namespace sluice::executor {

namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::size_t kFrameHeadBytes = 9;
constexpr std::size_t kFrameBytesMax = 16'384;  // what we allow, for we announce nothing else
enum Type : std::uint8_t { kData, kHeaders, kPriority, kReset, kSettings, kPush, kPing, kGoAway };
constexpr std::uint8_t kContinuation = 9;
constexpr std::uint8_t kAck = 0x1;
constexpr std::uint8_t kEndStream = 0x1;
constexpr std::uint8_t kEndHeaders = 0x4;
constexpr std::uint32_t kNoError = 0;

void add_number(std::string& out, std::uint32_t number, unsigned bytes) {
  for (unsigned i = bytes; i-- > 0;) out += static_cast<char>(number >> (8 * i));
}

void add_frame(std::string& out, std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
               std::string_view payload) {
  add_number(out, static_cast<std::uint32_t>(payload.size()), 3);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  add_number(out, stream, 4);
  out += payload;
}

// A literal field without indexing, name and value as they are (RFC 7541 section 6.2.2). Both are
// below 127 bytes.
void add_field(std::string& block, std::string_view name, std::string_view value) {
  block += '\0';
  block += static_cast<char>(name.size());
  block += name;
  block += static_cast<char>(value.size());
  block += value;
}

void add_refusal(std::string& out, std::uint32_t stream) {
  std::string block = "\x88";  // :status 200, number 8 of the static table
  add_field(block, "content-type", "application/grpc");
  add_field(block, "grpc-status", "12");  // UNIMPLEMENTED
  add_field(block, "grpc-message", "sluice executor does not serve gRPC yet; use REST");
  add_frame(out, kHeaders, kEndStream | kEndHeaders, stream, block);
  std::string code;
  add_number(code, kNoError, 4);  // "send no more of your request": RFC 9113 section 8.1
  add_frame(out, kReset, 0, stream, code);
}

std::uint32_t number_at(std::string_view bytes, std::size_t at, unsigned count) noexcept {
  std::uint32_t number = 0;
  for (unsigned i = 0; i < count; ++i) {
    number = number << 8U | static_cast<unsigned char>(bytes[at + i]);
  }
  return number;
}

}  // namespace

bool GrpcRefusal::take(std::string_view bytes, std::string& out) {
  in_ += bytes;
  std::string_view rest = in_;
  if (!has_preface_) {
    const std::size_t size = std::min(rest.size(), kPreface.size());
    if (rest.substr(0, size) != kPreface.substr(0, size)) return false;
    if (size < kPreface.size()) return true;
    has_preface_ = true;
    rest.remove_prefix(size);
    add_frame(out, kSettings, 0, 0, {});
  }
  bool goes_on = true;
  while (goes_on && rest.size() >= kFrameHeadBytes) {
    const std::size_t size = number_at(rest, 0, 3);
    if (size > kFrameBytesMax) return false;
    if (rest.size() < kFrameHeadBytes + size) break;
    goes_on =
        take_frame(static_cast<std::uint8_t>(rest[3]), static_cast<std::uint8_t>(rest[4]),
                   number_at(rest, 5, 4) & 0x7fffffffU, rest.substr(kFrameHeadBytes, size), out);
    rest.remove_prefix(kFrameHeadBytes + size);
  }
  in_.erase(0, in_.size() - rest.size());
  return goes_on;
}

bool GrpcRefusal::take_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                             std::string_view payload, std::string& out) {
  if (open_head_ != 0 && (type != kContinuation || stream != open_head_)) return false;
  switch (type) {
    case kSettings:
      if ((flags & kAck) == 0) add_frame(out, kSettings, kAck, 0, {});
      return true;
    case kPing:
      if ((flags & kAck) == 0) add_frame(out, kPing, kAck, 0, payload);
      return payload.size() == 8;
    case kHeaders:
    case kContinuation:
      if (stream == 0 || (type == kContinuation && open_head_ == 0)) return false;
      open_head_ = stream;
      if ((flags & kEndHeaders) == 0) return true;
      open_head_ = 0;
      add_refusal(out, stream);
      return true;
    case kGoAway:
      return false;
    default:  // DATA of a call that was refused, window updates, priorities
      return true;
  }
}

// ---- The port

struct GrpcRefusals::Connection {
  explicit Connection(GrpcRefusals& owner) : owner_(owner), timer_(on_timer, this) {}

  static void on_channel(void* self) { static_cast<Connection*>(self)->read(); }
  static void on_timer(void* self) {
    auto& connection = *static_cast<Connection*>(self);
    connection.owner_.retire(connection);
  }

  void read() {
    if (channel_.is_blocked()) channel_.flush();
    char bytes[4'096];
    while (channel_.is_readable() && !channel_.is_blocked()) {
      std::size_t size = sizeof bytes;
      const net::IoStatus status = channel_.read(bytes, size);
      if (status == net::IoStatus::kWait) return;
      if (status != net::IoStatus::kOk) return owner_.retire(*this);
      timer_.arm(owner_.loop_, kIdle);
      std::string out;
      const bool goes_on = refusal_.take({bytes, size}, out);
      if (!out.empty()) {
        const iovec piece{out.data(), out.size()};
        channel_.write({&piece, 1});
      }
      if (!goes_on) return owner_.retire(*this);
    }
  }

  GrpcRefusals& owner_;
  net::Channel channel_;
  net::Timer timer_;
  GrpcRefusal refusal_;
};

GrpcRefusals::~GrpcRefusals() = default;

Result<void> GrpcRefusals::listen(const net::Address& address) {
  SLUICE_TRY(listener_, net::open_listener(address));
  if (!watch_.start(loop_, listener_.get(), net::kReadable, on_readable, this)) {
    return fail(Blame::kInternal, "epoll refuses the listening socket");
  }
  return {};
}

void GrpcRefusals::close() {
  watch_.stop();
  listener_.close();
  connections_.clear();
}

void GrpcRefusals::on_readable(void* self, std::uint32_t) {
  static_cast<GrpcRefusals*>(self)->accept();
}

void GrpcRefusals::accept() {
  net::Accepted accepted = net::accept_next(listener_.get());
  if (!accepted.fd.is_open() || connections_.size() >= kConnectionsMax) return;
  auto connection = std::make_shared<Connection>(*this);
  if (!connection->channel_.open(loop_, std::move(accepted.fd), nullptr, Connection::on_channel,
                                 connection.get())) {
    return;
  }
  connection->timer_.arm(loop_, kIdle);
  connections_.emplace(connection.get(), connection);
}

void GrpcRefusals::retire(Connection& connection) {
  const auto found = connections_.find(&connection);
  if (found == connections_.end()) return;
  const std::shared_ptr<Connection> rest = found->second;
  rest->channel_.close();
  rest->timer_.disarm();
  connections_.erase(found);
  loop_.defer([rest] {});  // its own code is still on the stack
}

}  // namespace sluice::executor
