// A set of endpoints that a rule can name, with how to talk to them.
// Source: DestinationRule TrafficPolicy, Service ports, EndpointSlices, ServiceEntries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace sluice::route {

// Dense and stable: the same host, port and subset keep their id from snapshot to snapshot, so that
// a worker's state for it (pools, health, turn) is an array look-up. Ids of clusters that nothing
// names any more are reused, at the earliest in the snapshot after the one that dropped them.
using ClusterId = std::uint32_t;
inline constexpr ClusterId kNoCluster = 0xffffffff;

struct Endpoint {
  std::string ip;  // "127.0.0.1", "::1"; or a path starting with '/': a unix socket
  std::uint16_t port = 0;
  std::uint32_t weight = 1;
  bool operator==(const Endpoint&) const = default;
};

struct LoadBalancer {
  enum class Kind : std::uint8_t { kLeastRequest, kRoundRobin, kRandom, kHash };
  enum class Hash : std::uint8_t { kHeader, kCookie, kSourceIp, kQueryParameter };
  Kind kind = Kind::kLeastRequest;
  Hash hash = Hash::kHeader;
  std::string hash_key;  // header, cookie or parameter name
  std::string cookie_path;
  std::optional<std::int64_t> cookie_ttl_seconds;  // absent: no cookie is set; 0: session cookie
};

struct ConnectionPool {
  std::uint32_t connections_max = 0xffffffff;
  std::uint32_t pending_max =
      0xffffffff;  // requests waiting for a connection; beyond: 503 overflow
  std::uint32_t requests_max = 0xffffffff;        // active requests; beyond: 503 overflow
  std::uint32_t retries_max = 0xffffffff;         // parallel retries
  std::uint32_t requests_per_connection_max = 0;  // 0: no limit
  Milliseconds idle_timeout{3'600'000};
  Milliseconds connect_timeout{10'000};
};

struct OutlierDetection {
  std::uint32_t consecutive_5xx = 5;             // 0: off
  std::uint32_t consecutive_gateway_errors = 0;  // 0: off
  Milliseconds interval{10'000};
  Milliseconds base_ejection{30'000};
  std::uint32_t ejection_percent_max = 10;
  std::uint32_t min_health_percent = 0;
};

// TLS towards the endpoints. PEM texts, read when the snapshot was made.
struct UpstreamTls {
  std::string sni;              // empty: the request's host
  std::string ca_pem;           // empty: the system's roots
  std::string certificate_pem;  // MUTUAL
  std::string key_pem;
  std::vector<std::string> subject_alt_names;
  bool verify = true;
};

enum class UpstreamProtocol : std::uint8_t { kHttp1, kHttp2 };

struct Cluster {
  ClusterId id = kNoCluster;
  std::string name;  // Envoy's form: "outbound|8000|main|iris-main.default.svc.cluster.local"
  std::string host;  // "iris-main.default.svc.cluster.local"
  std::uint16_t port = 0;
  std::string subset;  // "" for all endpoints
  UpstreamProtocol protocol = UpstreamProtocol::kHttp1;
  std::vector<Endpoint> endpoints;  // the ready ones; empty: 503 "no healthy upstream"
  LoadBalancer load_balancer;
  ConnectionPool pool;
  std::optional<OutlierDetection> outlier;
  std::optional<UpstreamTls> tls;
};

}  // namespace sluice::route
