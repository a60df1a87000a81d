// One caller's connection, speaking HTTP/1.1: reads heads and bodies, hands each request to a
// Request, writes its answer. One request at a time; what a caller sends ahead waits in the buffer.
// Thread: the worker that accepted it; recycled by it.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/buffer.h"
#include "gateway/downstream.h"
#include "http/http1.h"
#include "net/address.h"
#include "net/channel.h"

namespace sluice::gateway {

class Listener;
class Request;
class Worker;

class Connection final : public Downstream {
 public:
  explicit Connection(Worker& worker);
  ~Connection() override;

  void open(Listener& listener, net::Fd fd, const net::Address& peer);
  // The next answer says that it is the last. Idle: closed, at once or later (see Worker::drain).
  void drain(bool close_idle = true);
  void end_if_orphaned();  // its port is not in the snapshot any more
  void close();
  // The time that the list it is in allows is over.
  void on_deadline();

  // Place in one of the worker's lists by age.
  enum class Waits : std::uint8_t {
    kNothing,
    kNextRequest,
    kHead,
    kCaller,  // to send more of a body, or to take more of an answer
    kHandshake,
    kFlush,
    kLinger
  };
  static constexpr unsigned kWaitsCount = 7;
  Waits waits = Waits::kNothing;
  std::int64_t since_ns = 0;
  Connection* list_next = nullptr;
  Connection* list_previous = nullptr;

  void send_head(const ResponseStart& start) override;
  void send_data(std::string_view data) override;
  void send_end() override;
  bool flush() override;
  bool is_blocked() const override { return channel_.is_blocked(); }
  void send_continue() override;
  void want_body() override;
  void on_request_done() override;
  void on_request_cut() override;
  const route::RouteTable* routes(const route::Snapshot& snapshot) override;
  std::string_view peer_ip() const override { return peer_ip_; }
  std::uint16_t peer_port() const override { return peer_.port(); }
  std::string_view client_certificate() const override;
  std::uint16_t gateway_port() const override;
  bool is_tls() const override { return is_tls_; }
  bool is_draining() const override;

 private:
  enum class State : std::uint8_t { kClosed, kHandshake, kHead, kExchange, kFlush, kLinger };

  static void on_channel(void* self);
  static std::shared_ptr<const net::TlsContext> choose_server(void* self,
                                                              std::string_view server_name);
  void on_handshake();
  void on_caller_stalled();
  void drive();
  bool read_head();  // false: wait
  void begin_request();
  void take_buffered_body();
  void read_body();
  void keep_for_next(std::string_view bytes);
  void linger();
  void read_and_forget();
  void wait_for(Waits what);
  void add_piece(std::string_view text);

  Worker& worker_;
  Listener* listener_ = nullptr;
  Request* request_ = nullptr;
  net::Channel channel_;
  net::Address peer_;
  char peer_text_[net::Address::kTextMax];
  std::string_view peer_ip_;
  Buffer in_;
  Buffer ahead_;  // read behind the end of a chunked body while that request is still going on
  http::BodyDecoder decoder_;
  State state_ = State::kClosed;
  bool is_tls_ = false;
  bool driving_ = false;
  bool needs_bytes_ = false;  // what is in the buffer was judged already
  bool close_after_ = false;  // this response is the last
  bool draining_ = false;
  bool closing_ = false;  // close() was called: no courtesy
  bool chunked_ = false;  // of the response
  bool no_body_ = false;
  std::size_t lingered_bytes_ = 0;

  // The answer, gathered until flush.
  static constexpr unsigned kPiecesMax = 32;
  iovec pieces_[kPiecesMax];
  unsigned piece_count_ = 0;
  char chunk_heads_[kPiecesMax][20];
};

}  // namespace sluice::gateway
