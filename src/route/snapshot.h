// Everything that the gateway needs, as one immutable value. Made on the control thread by
// compile/, posted to each worker, given back to the control thread to be destroyed. Snapshots
// share what did not change between them: making one costs what the change costs, not what the
// whole costs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "route/cluster.h"
#include "route/table.h"

namespace sluice::route {

// How a TLS server of a Gateway answers handshakes. Shared while nothing in it changes, so that the
// gateway can keep the OpenSSL context that it made from it (compare the pointer).
struct ServerTls {
  enum class Client : std::uint8_t {
    kNone,
    kOptional,
    kRequired
  };  // SIMPLE, OPTIONAL_MUTUAL, MUTUAL
  std::string certificate_pem;  // chain, leaf first
  std::string key_pem;
  std::string ca_pem;  // for client certificates
  std::string crl_pem;
  std::vector<std::string> subject_alt_names;  // of client certificates; empty: any
  Client client = Client::kNone;
  int version_min = 0x0303;  // TLS 1.2
  int version_max = 0x0304;
  std::string cipher_suites;  // OpenSSL's spelling, for TLS 1.2; empty: default
};

// One TLS server of one Gateway on a port: picked by SNI.
struct TlsServer {
  std::string name;  // port name, for logs
  std::vector<std::string>
      hosts;  // lower case: exact, "*.suffix", or "*" (which also takes no SNI)
  std::shared_ptr<const ServerTls>
      tls;  // nullptr: its secret is missing or unusable; handshakes are closed
  std::shared_ptr<const RouteTable> routes;
};

struct Listener {
  std::uint16_t port =
      0;  // as in the Gateway; where it is bound is the gateway's settings' business (--bind)
  std::string bind;  // the Gateway server's `bind`, or ""
  bool is_tls = false;
  std::shared_ptr<const RouteTable> routes;  // plain HTTP
  std::vector<std::shared_ptr<const TlsServer>> tls_servers;
};

// Clusters by id. Persistent: chunks of 64 shared between snapshots.
class ClusterTable {
 public:
  static constexpr std::size_t kChunk = 64;
  using Chunk =
      std::vector<std::shared_ptr<const Cluster>>;  // kChunk entries, nullptr where there is none
  // nullptr: no such cluster in this snapshot. No allocation.
  const Cluster* find(ClusterId id) const noexcept {
    const std::size_t chunk = id / kChunk;
    return chunk >= chunks_.size() || chunks_[chunk] == nullptr
               ? nullptr
               : (*chunks_[chunk])[id % kChunk].get();
  }
  // The same, kept alive by whoever holds it. REQUIRES: find(id) is not nullptr.
  std::shared_ptr<const Cluster> share(ClusterId id) const {
    return (*chunks_[id / kChunk])[id % kChunk];
  }
  std::size_t capacity() const noexcept { return chunks_.size() * kChunk; }
  // Copies one chunk and the list of chunks. `cluster` may be null: erased.
  void set(ClusterId id, std::shared_ptr<const Cluster> cluster);

 private:
  std::vector<std::shared_ptr<const Chunk>> chunks_;
};

struct Snapshot {
  std::uint64_t version = 0;  // goes up by one with each snapshot
  std::vector<std::shared_ptr<const Listener>> listeners;
  ClusterTable clusters;
};

}  // namespace sluice::route
