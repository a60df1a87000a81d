// Header operations of rules and destinations, with Envoy's %COMMANDS%.
// Source: VirtualService headers; Envoy's "custom request/response headers".
#pragma once

#include <cstdint>
#include <string_view>

#include "gateway/head_edit.h"
#include "route/rule.h"

namespace sluice::gateway {

// What commands can see. Views live as long as the call.
struct FormatContext {
  const HeadEdit* request = nullptr;  // %REQ(x)%: the fields of the request; may be null
  std::string_view method;            // %REQ(:method)%
  std::string_view path;              // %REQ(:path)%, with query
  std::string_view authority;         // %REQ(:authority)%
  std::string_view scheme;
  const HeadEdit* response = nullptr;  // %RESP(x)%; null for requests
  std::uint16_t status = 0;
  std::string_view peer_ip;
  std::uint16_t peer_port = 0;
  std::string_view route_name;
  std::string_view cluster;
  std::int64_t start_seconds = 0;
};

// The text, in the arena or in the format itself. "" also when a command has nothing to say.
std::string_view format(const route::HeaderFormat& format, const FormatContext& context,
                        Arena& arena) noexcept;

// Remove, set, add. A value that comes out empty is not added (Envoy's rule); `host`
// and `:authority` are told apart: the last value set is returned in `authority`, not added.
void apply(const route::HeaderOps& ops, const FormatContext& context, Arena& arena, HeadEdit& edit,
           std::string_view& authority) noexcept;

}  // namespace sluice::gateway
