// What happens to a request, and why: the gateway's own look-up, in words. For a 404 the nearest
// misses, each with its reason.
// Pure. Asks the snapshot's tables as the gateway does; rules are walked one by one only to say
// why none of them accepted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "resource/value.h"
#include "route/snapshot.h"

namespace sluice::compile {

struct ExplainRequest {
  std::string method = "GET";
  std::string scheme = "http";
  std::string authority;                                     // Host as sent
  std::string target = "/";                                  // path and query
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::uint16_t port = 0;                                    // of the Gateway; 0: 80 or 443
  std::optional<std::string> sni;                            // https: absent means the host
};

// What stands behind "--" on the command line: arguments of curl (-X, -H, -d, --url, a URL; what
// has no bearing on routing is passed over), or a request line ("GET /a?b HTTP/1.1", with -H Host).
// Fails when there is no URL, or an option is not known.
Result<ExplainRequest> parse_curl_arguments(const std::vector<std::string>& arguments);

struct Explanation {
  enum class Outcome : std::uint8_t {
    kForward,
    kRedirect,
    kDirectResponse,
    kNotFound,     // 404
    kBadRequest,   // 400: the path
    kNoListener,   // nothing listens: connection refused
    kNoTlsServer,  // the handshake is closed
  };
  struct Destination {
    std::string name;  // "iris.default.svc.cluster.local:8000 subset main"
    std::string cluster;
    double share_percent = 100;
    std::uint32_t weight = 0;
    std::vector<std::string> endpoints;  // "127.0.0.1:9000"
    std::string problem;                 // "no such service or subset: 503"; "" when well
  };
  struct Miss {
    std::string rule;
    std::string origin;
    std::vector<std::string> reasons;
  };

  Outcome outcome = Outcome::kNotFound;
  std::uint16_t status = 0;  // what sluice itself answers; 0: the destination does
  std::uint16_t port = 0;
  bool is_tls = false;
  std::string server;  // TLS: hosts of the server
  std::string virtual_host;
  std::string rule;
  std::string origin;
  std::string match;
  std::string path;  // normalised, with query
  std::string upstream_path;
  std::string upstream_authority;
  std::string location;  // of a redirect
  std::vector<Destination> destinations;
  std::vector<Destination> mirrors;
  std::int64_t timeout_ms = 0;
  std::string retries;
  std::string fault;
  std::vector<Miss> misses;        // nearest first, at most kMissesMax
  std::vector<std::string> notes;  // what else is worth knowing
};

inline constexpr std::size_t kMissesMax = 5;

Explanation explain(const route::Snapshot& snapshot, const ExplainRequest& request);

std::string to_text(const Explanation& explanation);
resource::Value to_value(const Explanation& explanation);

}  // namespace sluice::compile
