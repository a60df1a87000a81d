// The admin port: a few small answers for operators, probes and Prometheus.
//
//   admin::Server server(loop, "127.0.0.1:15000");
//   server.route("GET", "/healthz", [](const admin::Request&) { return admin::Response{.body =
//   "ok\n"}; }); Result<std::string> bound = server.start();   // "127.0.0.1:15000"
//
// Thread: the loop's, handlers too; they must not take long, for the reconcile loop waits.
// With `tls` it speaks TLS, and nothing else. One request per connection. Limits: connections_max
// at once (the oldest goes when another comes), head and body as below, some seconds for all of it.
// Requests that change something are refused when a browser's page sent them (they carry Origin):
// the port is on loopback, and so is every page that the machine's user looks at.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "net/loop.h"
#include "net/tls.h"

namespace sluice::admin {

struct Request {
  std::string_view method;  // HEAD comes as GET
  std::string_view path;    // without query
  std::string_view query;   // raw, without '?'
  std::string_view body;
  // The first value of `name` in the query, or "" (values are taken as they are: no percent
  // decoding).
  std::string_view parameter(std::string_view name) const noexcept;
};

struct Response {
  std::uint16_t status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

using Handler = std::function<Response(const Request&)>;

struct Limits {
  std::size_t connections_max = 32;
  std::size_t head_bytes_max = 16U << 10U;    // 431 beyond
  std::size_t body_bytes_max = 64U << 10U;    // 413 beyond
  Milliseconds exchange_timeout_max{10'000};  // from accept to the last byte written
};

// What a new connection handshakes with; nullptr: it is closed.
using TlsSource = std::function<std::shared_ptr<const net::TlsContext>()>;

class Server {
 public:
  // `address`: "127.0.0.1:15000", "[::1]:0", "0.0.0.0:15000".
  Server(net::Loop& loop, std::string address, Limits limits = {}, TlsSource tls = {});
  ~Server();  // closes everything; not from within a handler

  // REQUIRES: not started; each method and path once.
  void route(std::string_view method, std::string_view path, Handler handler);
  // Binds and begins to answer. Gives the bound address. Fails (kConfig) with what the system said.
  Result<std::string> start();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::admin
