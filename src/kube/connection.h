// One connection to an API server, HTTP/1.1, perhaps over TLS: one exchange after the other.
// Blocks, each step until a deadline (monotonic nanoseconds). Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/http1.h"
#include "kube/endpoint.h"
#include "kube/stop.h"
#include "net/socket.h"
#include "net/tls.h"

namespace sluice::kube {

class Connection {
 public:
  // `tls` is null for http://.
  static Result<std::unique_ptr<Connection>> open(const Endpoint& endpoint,
                                                  std::shared_ptr<const net::TlsContext> tls,
                                                  const Stop& stop, std::int64_t deadline_ns);

  // Sends a whole request and reads the head of its response, past interim ones.
  Result<void> exchange(std::string_view request, std::int64_t deadline_ns);
  std::uint16_t status() const noexcept { return head_.status; }
  std::string_view field(std::string_view lower_name) const noexcept;  // "" when it is not there

  // Appends the next bytes of the body to `out`; false: it ended.
  Result<bool> read_body(std::string& out, std::int64_t deadline_ns);
  // Another exchange may follow: the body was read to its end, and the server allows it.
  bool is_reusable() const noexcept;
  // The peer has closed, or said something unasked: not to be used any more.
  bool is_stale() const noexcept;
  const net::TlsContext* tls() const noexcept { return tls_.get(); }

 private:
  explicit Connection(const Stop& stop) noexcept : stop_(stop), parser_(head_) {}
  Result<void> connect(const std::string& host, std::uint16_t port, std::int64_t deadline_ns);
  Result<void> handshake(const Endpoint& endpoint, std::int64_t deadline_ns);
  Result<void> open_tunnel(const Endpoint& endpoint, std::int64_t deadline_ns);
  Result<void> write_all(std::string_view bytes, std::int64_t deadline_ns);
  Result<void> read_head(std::int64_t deadline_ns);
  // More bytes into the buffer; 0: the peer closed.
  Result<std::size_t> fill(std::int64_t deadline_ns);
  Result<void> wait(short events, std::int64_t deadline_ns, const char* for_what);

  const Stop& stop_;
  std::shared_ptr<const net::TlsContext> tls_;  // outlives session_
  net::Fd fd_;
  std::unique_ptr<net::TlsSession> session_;

  std::vector<char> buffer_;  // [begin_, end_) has arrived and is not yet consumed
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  http::ResponseHead head_;  // views into buffer_: only until the first read_body
  http::ResponseParser parser_;
  http::BodyDecoder decoder_;
  bool keep_alive_ = false;
  bool until_close_ = false;
  bool body_ended_ = true;
};

}  // namespace sluice::kube
