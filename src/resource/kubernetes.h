// Service, EndpointSlice and Secret as routing needs them, read from checked documents.
// Plain values. Fields that are absent or of another type read as their defaults.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "resource/object.h"

namespace sluice::resource {

using Labels = std::vector<std::pair<std::string, std::string>>;

// The map's members whose values are text.
Labels read_labels(const Value& map);
// Every label of `wanted` is in `labels`.
bool has_labels(const Labels& labels, const Labels& wanted) noexcept;
std::vector<std::string> read_texts(const Value& list);

struct ServicePort {
  std::string name;
  std::uint16_t port = 0;
  std::string protocol;           // Service: "TCP" or ""; ServiceEntry: "HTTP", "GRPC", ...
  std::string app_protocol;       // Service only
  std::uint16_t target_port = 0;  // ServiceEntry: 0 when not given
};

struct Service {
  std::string name;
  std::string namespace_;
  std::int64_t created = 0;
  std::vector<ServicePort> ports;
  std::vector<std::string> export_to;  // annotation networking.istio.io/exportTo
  std::string type;                    // "ExternalName" has no endpoints here
};

struct EndpointSlice {
  struct Port {
    std::string name;
    std::uint16_t port = 0;
  };
  struct Endpoint {
    std::vector<std::string> addresses;
    bool ready = true;  // ready and not terminating
  };
  std::string service;  // label kubernetes.io/service-name
  std::vector<Port> ports;
  std::vector<Endpoint> endpoints;
  Labels labels;  // of the slice: stand for the labels of its pods, see routing.md
};

struct Secret {
  std::string type;
  // Decoded: `data` from base64, `stringData` as is (it wins).
  std::vector<std::pair<std::string, std::string>> data;
  const std::string* find(std::string_view key) const noexcept;
};

Service read_service(const Object& object);
EndpointSlice read_endpoint_slice(const Object& object);
Secret read_secret(const Object& object);

// Standard base64, blanks and line ends ignored. nullopt: not base64.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace sluice::resource
