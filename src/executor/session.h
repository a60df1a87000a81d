// One caller's connection: requests read, handed to an exchange, answered in order.
// Thread: the loop's. Limits: a body of kBodyBytesMax (413), kIdle between requests, kHeadTime for
// a head, kStallTime for any other progress of the caller's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "executor/exchange.h"
#include "executor/inbox.h"
#include "http/http1.h"
#include "http/write.h"
#include "net/channel.h"

namespace sluice::executor {

class Server;

class Session {
 public:
  static constexpr Nanoseconds kIdle = std::chrono::seconds(65);  // as the reference has it
  static constexpr Nanoseconds kHeadTime = std::chrono::seconds(60);
  static constexpr Nanoseconds kStallTime = std::chrono::seconds(300);

  explicit Session(Server& server);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void open(net::Fd fd, std::unique_ptr<net::TlsSession> tls);
  // No further request: ends at once between requests, else after the answer.
  void drain();

 private:
  enum class State : std::uint8_t { kHandshake, kHead, kBody, kExchange, kFlush, kLinger, kClosed };

  void drive();
  bool read_head();  // false: more bytes must come first, or the session went on elsewhere
  bool read_body();
  bool read_length_body();
  bool read_chunked_body();
  bool take_chunks(std::string_view bytes, std::size_t& used);
  void on_head();
  bool has_read(net::IoStatus status);
  void dispatch();
  void on_reply(Reply& reply);
  void refuse(unsigned status, std::string_view text);
  void after_answer();
  void linger();
  void close();
  std::string_view path() const noexcept;
  static void on_channel(void* self);
  static void on_timer(void* self);
  static void on_exchange_done(void* self, Reply& reply);

  Server& server_;
  Engine& engine_;
  State state_ = State::kClosed;
  net::Channel channel_;
  net::Timer timer_;
  Inbox in_;
  http::RequestHead head_;
  http::RequestParser parser_;
  http::BodyDecoder decoder_;
  std::string body_;
  std::string puid_;
  Match match_;
  std::int64_t start_ns_ = 0;
  std::size_t used_ = 0;  // bytes of in_ that are this request's: they stay, head_ has views there
  std::string ahead_;     // of the next request, read with the end of this one's body
  std::size_t lingered_ = 0;
  bool keep_alive_ = true;
  bool draining_ = false;
  bool driving_ = false;
  Exchange exchange_;
  std::string out_;  // the answer's head
};

}  // namespace sluice::executor
