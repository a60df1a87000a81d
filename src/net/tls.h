// TLS behind our own types: OpenSSL's stay in tls.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::net {

struct TlsServerOptions {
  enum class Client : std::uint8_t { kNone, kOptional, kRequired };
  std::string certificate_pem;  // chain, leaf first
  std::string key_pem;
  std::string ca_pem;  // for certificates of clients
  std::string crl_pem;
  std::vector<std::string> subject_alt_names;  // one must be in a client's certificate; empty: any
  Client client = Client::kNone;
  int version_min = 0x0303;
  int version_max = 0x0304;
  std::string cipher_suites;  // for TLS 1.2, OpenSSL's spelling; unknown ones are left out
};

struct TlsClientOptions {
  std::string ca_pem;  // empty: the system's roots
  std::string certificate_pem;
  std::string key_pem;
  std::vector<std::string> subject_alt_names;
  std::string host;  // a name or an address that the certificate must have (RFC 6125); empty: any
  bool verify = true;
};

// What one TLS server (picked by SNI) or one upstream cluster handshakes with. Immutable, any
// thread; made on the control thread. A connection keeps the one that it began with.
class TlsContext {
 public:
  static Result<std::shared_ptr<const TlsContext>> make_server(const TlsServerOptions& options);
  static Result<std::shared_ptr<const TlsContext>> make_client(const TlsClientOptions& options);
  ~TlsContext();

  struct Impl;
  const Impl& impl() const noexcept { return *impl_; }

 private:
  explicit TlsContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Picks the server by the name in the client hello ("" when there is none, lower case). nullptr:
// the connection is closed without an alert.
using TlsChooser = std::shared_ptr<const TlsContext> (*)(void* context,
                                                         std::string_view server_name);

enum class TlsStatus : std::uint8_t { kOk, kWantRead, kWantWrite, kClosed, kFailed };

// One TLS connection on a non-blocking descriptor (which stays the caller's). Thread: one.
class TlsSession {
 public:
  static std::unique_ptr<TlsSession> make_server(int fd, TlsChooser choose, void* context);
  // `server_name` is sent as SNI unless empty or an address. The certificate's chain is checked;
  // its names only against subject_alt_names, as DestinationRules have it.
  static std::unique_ptr<TlsSession> make_client(int fd, const TlsContext& context,
                                                 const std::string& server_name);
  ~TlsSession();

  TlsStatus handshake();
  // Bytes into `size`; 0 bytes are never kOk. `drained`: the socket has been emptied, wait for it.
  TlsStatus read(char* data, std::size_t& size);
  TlsStatus write(const char* data, std::size_t& size);
  bool is_drained() const noexcept;
  void shutdown();  // sends close_notify if that is possible at once

  std::string_view server_name() const noexcept;  // SNI, lower case
  const std::string& error() const noexcept;      // after kFailed: why, for logs
  // The client's certificate as Envoy's x-forwarded-client-cert shows it; "" when there is none.
  const std::string& peer_certificate() const noexcept;

  struct Impl;

 private:
  explicit TlsSession(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::net
