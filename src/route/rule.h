// What happens to a request that a match accepts. Plain immutable values, made by compile/.
// Source: VirtualService HTTPRoute; names as there.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "route/cluster.h"
#include "route/match.h"

namespace sluice::route {

// A header value, perhaps with Envoy's %COMMANDS%. Parsed when the table is built.
struct HeaderFormat {
  enum class Command : std::uint8_t {
    kText,                          // text as is
    kRequestHeader,                 // %REQ(name)%: text is the name in lower case
    kResponseHeader,                // %RESP(name)%
    kProtocol,                      // %PROTOCOL%: "HTTP/1.1", "HTTP/2"
    kResponseCode,                  // %RESPONSE_CODE%
    kDownstreamAddress,             // %DOWNSTREAM_REMOTE_ADDRESS%: 10.0.0.1:4711
    kDownstreamAddressWithoutPort,  // %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%
    kStartTime,                     // %START_TIME%
    kRouteName,                     // %ROUTE_NAME%
    kUpstreamCluster,               // %UPSTREAM_CLUSTER%
    kHostname,                      // %HOSTNAME%
  };
  struct Piece {
    Command command = Command::kText;
    std::string text;
    std::string alternative;     // %REQ(a?b)%: b
    std::size_t length_max = 0;  // %REQ(a):10%; 0: none
  };
  std::vector<Piece> pieces;  // one kText piece in the common case
  bool is_plain() const noexcept {
    return pieces.size() == 1 && pieces[0].command == Command::kText;
  }
};

// Applied in this order: remove, set, add.
struct HeaderOps {
  std::vector<std::string> remove;                        // names in lower case
  std::vector<std::pair<std::string, HeaderFormat>> set;  // replaces all values
  std::vector<std::pair<std::string, HeaderFormat>> add;  // appends one
  bool empty() const noexcept { return remove.empty() && set.empty() && add.empty(); }
};

struct Destination {
  ClusterId cluster = kNoCluster;  // what it names may be absent from the snapshot: 503, flag NC
  std::uint32_t weight = 0;
  // Of several destinations: applied before the rule's. A lone destination's are part of the
  // rule's.
  HeaderOps request_headers;
  HeaderOps response_headers;
  std::optional<std::string> authority;  // the Host upstream, instead of the rewrite's
  std::string name;  // what it names, as Cluster::name, there or not: for explain and logs
};

struct Mirror {
  ClusterId cluster = kNoCluster;
  std::uint32_t parts_per_million = 1'000'000;
  std::string name;  // as Destination::name
};

struct Rewrite {
  enum class Kind : std::uint8_t { kNone, kPrefix, kFull, kRegex };
  Kind kind = Kind::kNone;
  std::size_t prefix_length = 0;  // kPrefix: bytes at the start of the path that `text` replaces
  std::string text;               // kFull: the whole path; kRegex: the substitution
  std::shared_ptr<const Regex> regex;
  std::optional<std::string> authority;
};

struct RetryPolicy {
  enum On : std::uint32_t {
    k5xx = 1U << 0U,
    kGatewayError = 1U << 1U,  // 502, 503, 504 and the like
    kReset = 1U << 2U,
    kResetBeforeRequest = 1U << 3U,
    kConnectFailure = 1U << 4U,
    kRetriable4xx = 1U << 5U,  // 409 alone
    kRefusedStream = 1U << 6U,
    kEnvoyRatelimited = 1U << 7U,
    kRetriableStatusCodes = 1U << 8U,
    kGrpcCancelled = 1U << 9U,
    kGrpcDeadlineExceeded = 1U << 10U,
    kGrpcInternal = 1U << 11U,
    kGrpcResourceExhausted = 1U << 12U,
    kGrpcUnavailable = 1U << 13U,
  };
  std::uint32_t attempts = 2;  // tries beyond the first
  std::uint32_t on =
      kConnectFailure | kRefusedStream | kGrpcUnavailable | kGrpcCancelled | kRetriableStatusCodes;
  std::vector<std::uint16_t> status_codes;
  Milliseconds per_try_timeout{0};  // 0: none
  Milliseconds backoff_base{25};
  bool avoid_previous_hosts = true;
};

struct Cors {
  std::vector<StringMatch> origins;
  std::string allow_methods;  // joined with ",", ready to send; empty: header absent
  std::string allow_headers;
  std::string expose_headers;
  std::string max_age;  // seconds as text
  bool allow_credentials = false;
  bool forward_unmatched_preflights = true;
};

struct Fault {
  std::uint32_t delay_parts_per_million = 0;
  Milliseconds delay{0};
  std::uint32_t abort_parts_per_million = 0;
  std::uint16_t http_status = 0;  // 0: none
  std::optional<std::uint32_t> grpc_status;
};

struct Forward {
  std::vector<Destination> destinations;  // never empty
  std::uint64_t weight_total =
      0;  // of several destinations; one destination takes all, whatever its weight
  Rewrite rewrite;
  Milliseconds timeout{0};  // 0: none
  RetryPolicy retries;
  std::vector<Mirror> mirrors;
  std::string decorator;  // x-envoy-decorator-operation: "HOST:PORT/PATH*", ready to send
};

struct Redirect {
  std::uint16_t status = 301;
  std::optional<std::string> uri;
  std::optional<std::string> authority;
  std::optional<std::string> scheme;
  std::optional<std::uint32_t> port;
  bool port_from_request = false;  // derivePort FROM_REQUEST_PORT
};

struct DirectResponse {
  std::uint16_t status = 200;
  std::string body;
};

// One match and one action. Immutable; shared by every snapshot in which it holds.
struct Rule {
  std::string name;    // "VirtualService default/iris http[0].match[0]": for explain, logs, metrics
  std::string origin;  // "iris.yaml:12", or "" when made by the program
  Match match;
  std::variant<Forward, Redirect, DirectResponse> action;
  HeaderOps request_headers;
  HeaderOps response_headers;
  std::optional<Cors> cors;
  std::optional<Fault> fault;
};

}  // namespace sluice::route
