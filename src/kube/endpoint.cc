#include "kube/endpoint.h"

#include <fmt/core.h>

#include "http/authority.h"
#include "http/head.h"

namespace sluice::kube {

namespace {

// "host:port" or "[::1]:port"; `port` stays when there is none.
bool split_host(std::string_view text, std::string& host, std::uint16_t& port) {
  http::Authority authority;
  if (!http::split_authority(text, authority) || authority.host.empty()) return false;
  if (authority.port == 0 && authority.host.size() != text.size()) return false;  // "host:x"
  if (authority.port != 0) port = authority.port;
  host = authority.host;
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return true;
}

}  // namespace

Result<Endpoint> parse_endpoint(const std::string& server, const std::string& proxy_url,
                                const std::string& tls_server_name) {
  Endpoint endpoint;
  std::string_view rest = server;
  endpoint.is_https = rest.starts_with("https://");
  rest.remove_prefix(rest.find("://") + 3);
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos) endpoint.base_path = rest.substr(slash);
  while (endpoint.base_path.ends_with('/')) endpoint.base_path.pop_back();
  endpoint.authority = rest.substr(0, slash);
  endpoint.port = endpoint.is_https ? 443 : 80;
  if (!split_host(endpoint.authority, endpoint.host, endpoint.port))
    return fail(Blame::kConfig, fmt::format("\"{}\" is no URL of a server", server), "server");
  if (!endpoint.base_path.empty() && !http::is_target(endpoint.base_path))
    return fail(Blame::kConfig, fmt::format("\"{}\" is no URL of a server", server), "server");
  endpoint.server_name = tls_server_name.empty() ? endpoint.host : tls_server_name;
  if (!proxy_url.empty()) {
    std::string_view proxy = proxy_url;
    proxy.remove_prefix(proxy.find("://") + 3);
    endpoint.proxy_port = 80;
    if (!split_host(proxy.substr(0, proxy.find('/')), endpoint.proxy_host, endpoint.proxy_port))
      return fail(Blame::kConfig, fmt::format("\"{}\" is no URL of a proxy", proxy_url),
                  "proxy-url");
  }
  return endpoint;
}

}  // namespace sluice::kube
