// The gRPC port for as long as gRPC is not served: each call is answered UNIMPLEMENTED with a text,
// so that a caller learns what is missing instead of a refused connection.
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "net/address.h"
#include "net/channel.h"
#include "net/loop.h"
#include "net/socket.h"

namespace sluice::executor {

// One HTTP/2 connection as far as it is needed (RFC 9113): frames are told apart, heads are not
// read. Pure: bytes in, bytes to send out.
class GrpcRefusal {
 public:
  // Appends to `out`. False: no HTTP/2, or over; send what is in `out` and close.
  bool take(std::string_view bytes, std::string& out);

 private:
  bool take_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload, std::string& out);
  std::string in_;
  bool has_preface_ = false;
  std::uint32_t open_head_ = 0;  // stream whose head goes on in CONTINUATION frames
};

class GrpcRefusals {
 public:
  static constexpr std::size_t kConnectionsMax = 1'000;
  static constexpr Nanoseconds kIdle = std::chrono::seconds(60);

  explicit GrpcRefusals(net::Loop& loop) : loop_(loop) {}
  ~GrpcRefusals();
  // Fails (kConfig) when the port can't be bound.
  Result<void> listen(const net::Address& address);
  void close();

 private:
  struct Connection;
  static void on_readable(void* self, std::uint32_t events);
  void accept();
  void retire(Connection& connection);

  net::Loop& loop_;
  net::Fd listener_;
  net::Watch watch_;
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;
};

}  // namespace sluice::executor
