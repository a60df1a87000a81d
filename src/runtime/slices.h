// Which EndpointSlice a pod has in a Service. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "resource/object.h"
#include "runtime/pod_spec.h"

namespace sluice::runtime {

// Whether the Service's selector picks pods with these labels; a Service without selector picks
// none.
bool selects(const resource::Object& service, const std::map<std::string, std::string>& labels);

// "<service>-<pod>": one slice a pod, so that a pod that ends takes exactly its own away.
std::string slice_name(std::string_view service, std::string_view pod);

// The slice of a ready pod. Nothing when the Service selects it but no port of it is known.
std::optional<resource::Object> make_slice(const resource::Object& service,
                                           const std::string& pod_name,
                                           const std::map<std::string, std::string>& labels,
                                           const PodSpec& pod, const PortMap& ports,
                                           const std::string& address);

}  // namespace sluice::runtime
