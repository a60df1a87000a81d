// Calls to one unit over HTTP/1.1, and the connections that are kept for them.
//
//   call.start(pool, std::move(head), body, timeout, &on_done, this);
//   ... on_done: call.failure().empty() ? use(call.reply()) : tell(call.failure())
//
// Thread: the loop's. Limits: at most kIdleMax idle connections, for kIdleNs each; calls under way
// are as many as there are callers. Nothing is retried, but for a call of which the unit can have
// seen nothing, because it had closed the idle connection before.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "executor/inbox.h"
#include "http/http1.h"
#include "net/address.h"
#include "net/channel.h"
#include "net/loop.h"

namespace sluice::executor {

class UnitCall;
class UnitPool;

struct UnitReply {
  unsigned status = 0;
  std::string content_type;      // "" when there is none
  std::string content_encoding;  // likewise
  std::string body;              // as sent, without framing
};

class UnitConnection : public std::enable_shared_from_this<UnitConnection> {
 public:
  explicit UnitConnection(UnitPool& pool);

 private:
  friend class UnitPool;
  friend class UnitCall;
  enum class State : std::uint8_t { kClosed, kConnecting, kBusy, kIdle };

  // Tries the pool's addresses from `first` on. False: none is left; errno-like in `error`.
  bool connect(std::size_t first, int& error);
  void begin(UnitCall& call);
  void read_loop();
  bool take_bytes();  // false: the call is over
  bool take_head();
  void on_connecting();
  void on_end_of_stream(bool clean);
  void finish();
  void fail(std::string why, bool may_retry);
  void close() noexcept;
  static void on_channel(void* self);
  static void on_timer(void* self);

  UnitPool& pool_;
  UnitCall* call_ = nullptr;
  State state_ = State::kClosed;
  std::size_t address_ = 0;
  net::Channel channel_;
  net::Timer timer_;  // connecting: the limit; idle: when it is closed
  Inbox in_;
  http::ResponseHead head_;
  http::ResponseParser parser_;
  http::BodyDecoder decoder_;
  std::uint64_t written_before_ = 0;
  unsigned calls_ = 0;
  unsigned interim_heads_ = 0;
  bool head_done_ = false;
  bool received_ = false;
};

class UnitPool {
 public:
  static constexpr std::size_t kIdleMax = 256;
  static constexpr Nanoseconds kIdleNs = std::chrono::seconds(90);
  static constexpr Nanoseconds kConnectNs = std::chrono::seconds(30);

  UnitPool(net::Loop& loop, std::string host, std::uint16_t port);
  ~UnitPool();

  const std::string& authority() const noexcept { return authority_; }  // "localhost:9000"
  const std::string& host() const noexcept { return host_; }
  // What the host resolves to, tried in order; an IP address needs no call of this.
  void set_addresses(const std::vector<std::string>& ips);
  bool is_name() const noexcept { return is_name_; }

 private:
  friend class UnitConnection;
  friend class UnitCall;

  net::Loop& loop_;
  const std::string host_;
  const std::uint16_t port_;
  const std::string authority_;
  bool is_name_;
  std::vector<net::Address> addresses_;
  std::vector<std::shared_ptr<UnitConnection>> idle_;  // newest last: the warm ones serve first
};

class UnitCall {
 public:
  using Callback = void (*)(void* context);

  UnitCall() : timer_(on_timeout, this) {}
  ~UnitCall() { cancel(); }
  UnitCall(const UnitCall&) = delete;
  UnitCall& operator=(const UnitCall&) = delete;

  // REQUIRES: not under way. `head` ends with the blank line; `body` must live until the end. Calls
  // back later or at once. timeout 0: none.
  void start(UnitPool& pool, std::string head, std::string_view body, Nanoseconds timeout,
             Callback done, void* context);
  // Only opens a connection of its own, and closes it.
  void start_connecting(UnitPool& pool, Nanoseconds timeout, Callback done, void* context);
  void cancel() noexcept;  // no callback comes any more

  const std::string& failure() const noexcept { return failure_; }  // "" when there is a reply
  UnitReply& reply() noexcept { return reply_; }
  bool has_head() const noexcept { return head_ns_ != 0; }
  // From the start to the reply's head. REQUIRES: has_head().
  std::int64_t took_ns() const noexcept { return head_ns_ - start_ns_; }

 private:
  friend class UnitConnection;
  void run(bool fresh);
  void end(std::string failure);
  static void on_timeout(void* self);

  UnitPool* pool_ = nullptr;
  std::shared_ptr<UnitConnection> connection_;  // while under way
  std::string head_;
  std::string_view body_;
  bool connect_only_ = false;
  bool retried_ = false;
  Callback done_ = nullptr;
  void* context_ = nullptr;
  net::Timer timer_;
  UnitReply reply_;
  std::string failure_;
  std::int64_t start_ns_ = 0;
  std::int64_t head_ns_ = 0;
};

}  // namespace sluice::executor
