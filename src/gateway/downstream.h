// What a request needs of the connection (later: of the HTTP/2 stream) that it came by.
// Thread: the worker.
#pragma once

#include <cstdint>
#include <string_view>

#include "gateway/head_edit.h"
#include "route/snapshot.h"

namespace sluice::gateway {

enum class BodyKind : std::uint8_t {
  kNone,     // no body, and no field that says how long it is
  kLength,   // content-length
  kChunked,  // length unknown
};

struct ResponseStart {
  std::uint16_t status = 200;
  std::string_view reason;  // "": the usual one
  const HeadEdit* fields = nullptr;
  BodyKind body = BodyKind::kNone;
  std::uint64_t content_length = 0;
  bool close = false;  // say so, and end the connection after this response
};

class Downstream {
 public:
  virtual ~Downstream() = default;

  // Gathered until `flush`; views must live until then.
  virtual void send_head(const ResponseStart& start) = 0;
  virtual void send_data(std::string_view data) = 0;
  virtual void send_end() = 0;
  // False: the caller is gone. `is_blocked` then tells whether it is slow; the request hears of
  // room by on_downstream_writable.
  virtual bool flush() = 0;
  virtual bool is_blocked() const = 0;

  virtual void send_continue() = 0;  // 100, at once
  virtual void want_body() = 0;      // the request takes more of its body

  // The response is complete, or there will be none: the request object is given back.
  virtual void on_request_done() = 0;
  // The response can't be completed: what was sent must be recognisable as cut.
  virtual void on_request_cut() = 0;

  // nullptr: this port or this TLS server is not in `snapshot` any more.
  virtual const route::RouteTable* routes(const route::Snapshot& snapshot) = 0;
  virtual std::string_view peer_ip() const = 0;
  virtual std::uint16_t peer_port() const = 0;
  virtual std::string_view client_certificate() const = 0;  // for x-forwarded-client-cert
  virtual std::uint16_t gateway_port() const = 0;
  virtual bool is_tls() const = 0;
  virtual bool is_draining() const = 0;  // answers end their connection
};

}  // namespace sluice::gateway
