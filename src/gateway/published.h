// A snapshot as the workers get it: with the TLS contexts that its servers need, made on the
// control thread and shared by all workers. Immutable once posted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/tls.h"
#include "route/snapshot.h"

namespace sluice::gateway {

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>()(text);
  }
};
template <class T>
using StringMap = std::unordered_map<std::string, T, StringHash, std::equal_to<>>;

struct PublishedTlsServer {
  std::shared_ptr<const route::TlsServer> server;
  std::shared_ptr<const net::TlsContext> context;  // nullptr: its secret is missing: closed
};

struct PublishedListener {
  std::shared_ptr<const route::Listener> listener;
  // TLS servers by SNI: exact names, suffixes (".example.com"), and the one that takes anything.
  StringMap<const PublishedTlsServer*> exact;
  StringMap<const PublishedTlsServer*> suffixes;
  const PublishedTlsServer* any = nullptr;
  std::vector<std::shared_ptr<const PublishedTlsServer>> servers;

  // Exact, longest suffix, then any. No allocation.
  const PublishedTlsServer* find(std::string_view server_name) const noexcept;
};

struct Published {
  std::shared_ptr<const route::Snapshot> snapshot;
  std::vector<std::shared_ptr<const PublishedListener>> listeners;

  const PublishedListener* find(std::uint16_t gateway_port, std::string_view bind) const noexcept;
};

// Makes what a snapshot needs from what the one before had: contexts of servers that did not
// change are kept; a certificate that can't be used leaves the last good one of that server in
// place. Control thread.
class Publisher {
 public:
  std::shared_ptr<const Published> make(std::shared_ptr<const route::Snapshot> snapshot);

 private:
  std::shared_ptr<const PublishedTlsServer> make_server(
      const std::shared_ptr<const route::TlsServer>& server, std::uint16_t port);
  std::shared_ptr<const PublishedListener> make_listener(
      const std::shared_ptr<const route::Listener>& listener);

  std::shared_ptr<const Published> last_;
  // The settings are held on to weakly, too: another one may come to stand at the same address.
  struct Context {
    std::weak_ptr<const route::ServerTls> settings;
    std::weak_ptr<const net::TlsContext> context;
  };
  std::unordered_map<const route::ServerTls*, Context> contexts_;
  StringMap<std::shared_ptr<const net::TlsContext>> last_good_;  // by port and server name
};

}  // namespace sluice::gateway
