// Where an API server is: taken out of a URL.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace sluice::kube {

struct Endpoint {
  std::string host;  // without brackets
  std::uint16_t port = 0;
  bool is_https = false;
  std::string base_path;   // "", or "/k8s/clusters/c-1": in front of every path
  std::string authority;   // for Host
  std::string proxy_host;  // "": none
  std::uint16_t proxy_port = 0;
  std::string server_name;  // SNI; "": host
};
Result<Endpoint> parse_endpoint(const std::string& server, const std::string& proxy_url,
                                const std::string& tls_server_name);

}  // namespace sluice::kube
