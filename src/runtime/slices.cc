#include "runtime/slices.h"

namespace sluice::runtime {

using resource::List;
using resource::Map;
using resource::Object;
using resource::Value;

bool selects(const Object& service, const std::map<std::string, std::string>& labels) {
  const Map& selector = service.spec().at("selector").map();
  if (selector.empty()) return false;
  for (const resource::Member& want : selector) {
    const auto found = labels.find(want.key);
    if (found == labels.end() || found->second != want.value.text()) return false;
  }
  return true;
}

std::string slice_name(std::string_view service, std::string_view pod) {
  return std::string(service) + '-' + std::string(pod);
}

std::optional<Object> make_slice(const Object& service, const std::string& pod_name,
                                 const std::map<std::string, std::string>& labels,
                                 const PodSpec& pod, const PortMap& ports,
                                 const std::string& address) {
  List slice_ports;
  for (const Value& port : service.spec().at("ports").list()) {
    const Value& target = port.at("targetPort").is_null() ? port.at("port") : port.at("targetPort");
    const std::uint16_t number = resolve_port(target, pod, ports);
    if (number == 0) continue;
    Map entry{{"name", Value(port.at("name").text())},
              {"port", Value(int{number})},
              {"protocol", Value("TCP")}};
    if (!port.at("appProtocol").is_null()) entry.set("appProtocol", port.at("appProtocol"));
    slice_ports.emplace_back(std::move(entry));
  }
  if (slice_ports.empty()) return std::nullopt;

  // The pod's labels stand on the slice as well: subsets of a DestinationRule pick endpoints by
  // them, and there is no Pod object here to look them up in.
  Map slice_labels;
  for (const auto& [key, value] : labels) slice_labels.set(key, Value(value));
  slice_labels.set("kubernetes.io/service-name", Value(service.name));
  slice_labels.set("endpointslice.kubernetes.io/managed-by", Value("sluice-runtime"));

  Object slice;
  slice.api_version = "discovery.k8s.io/v1";
  slice.kind = "EndpointSlice";
  slice.namespace_ = service.namespace_;
  slice.name = slice_name(service.name, pod_name);
  const Map conditions{
      {"ready", Value(true)}, {"serving", Value(true)}, {"terminating", Value(false)}};
  const Map reference{
      {"kind", Value("Pod")}, {"name", Value(pod_name)}, {"namespace", Value(service.namespace_)}};
  const Map endpoint{{"addresses", Value(List{Value(address)})},
                     {"conditions", Value(conditions)},
                     {"targetRef", Value(reference)}};
  slice.root = Value(Map{
      {"apiVersion", Value(slice.api_version)},
      {"kind", Value(slice.kind)},
      {"metadata", Value(Map{{"name", Value(slice.name)},
                             {"namespace", Value(slice.namespace_)},
                             {"labels", Value(std::move(slice_labels))}})},
      {"addressType", Value(address.find(':') == std::string::npos ? "IPv4" : "IPv6")},
      {"endpoints", Value(List{Value(endpoint)})},
      {"ports", Value(std::move(slice_ports))},
  });
  return slice;
}

}  // namespace sluice::runtime
