#include "kube/kinds.h"

#include <algorithm>

#include "base/percent.h"

namespace sluice::kube {

const std::vector<Kind>& all_kinds() {
  static const std::vector<Kind> kinds = {
      {"", "v1", "ConfigMap", "configmaps"},
      {"", "v1", "Event", "events"},
      {"", "v1", "Namespace", "namespaces", false},
      {"", "v1", "Pod", "pods"},
      {"", "v1", "Secret", "secrets"},
      {"", "v1", "Service", "services"},
      {"", "v1", "ServiceAccount", "serviceaccounts"},
      {"admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration",
       "mutatingwebhookconfigurations", false},
      {"admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration",
       "validatingwebhookconfigurations", false},
      {"apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions",
       false},
      {"apps", "v1", "Deployment", "deployments"},
      {"apps", "v1", "StatefulSet", "statefulsets"},
      {"autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"},
      {"coordination.k8s.io", "v1", "Lease", "leases"},
      {"discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"},
      {"keda.sh", "v1alpha1", "ScaledObject", "scaledobjects"},
      {"machinelearning.seldon.io", "v1", "SeldonDeployment", "seldondeployments"},
      {"networking.istio.io", "v1beta1", "DestinationRule", "destinationrules"},
      {"networking.istio.io", "v1beta1", "Gateway", "gateways"},
      {"networking.istio.io", "v1beta1", "ServiceEntry", "serviceentries"},
      {"networking.istio.io", "v1beta1", "VirtualService", "virtualservices"},
      {"policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"},
  };
  return kinds;
}

const Kind* find_kind(std::string_view group, std::string_view kind) noexcept {
  const std::vector<Kind>& kinds = all_kinds();
  const auto found = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& each) {
    return each.group == group && each.kind == kind;
  });
  return found == kinds.end() ? nullptr : &*found;
}

std::string api_version_of(const Kind& kind) {
  if (kind.group.empty()) return std::string(kind.version);
  return std::string(kind.group) + "/" + std::string(kind.version);
}

std::string path_of(const Kind& kind, std::string_view api_version, std::string_view namespace_,
                    std::string_view name) {
  std::string path = kind.group.empty() ? "/api/" : "/apis/";
  path += api_version.empty() ? api_version_of(kind) : std::string(api_version);
  if (kind.namespaced && !namespace_.empty()) path += "/namespaces/" + percent_encoded(namespace_);
  path += "/" + std::string(kind.plural);
  if (!name.empty()) path += "/" + percent_encoded(name);
  return path;
}

}  // namespace sluice::kube
