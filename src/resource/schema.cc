#include "resource/schema.h"

#include "resource/schema_seldon.h"
#include "resource/schema_tables.h"

namespace sluice::resource {

namespace {

using namespace tables;

// Istio's CRDs: metadata, spec and status around the generated spec. Status is whatever the writer
// wants.
template <const Schema* spec>
inline constexpr FieldSpec kIstioFields[] = {
    {"apiVersion", &kString}, {"kind", &kString}, {"metadata", &kMetaV1ObjectMeta},
    {"spec", spec},           {"status", &kAny},
};
template <const Schema* spec>
inline constexpr Schema kIstioRoot{.type = Type::kObject, .fields = kIstioFields<spec>};

constexpr std::string_view kV1[] = {"v1"};
constexpr std::string_view kIstioVersions[] = {"v1", "v1beta1", "v1alpha3"};
constexpr std::string_view kSeldonVersions[] = {"v1", "v1alpha2", "v1alpha3"};
constexpr std::string_view kIstioGroup = "networking.istio.io";

constexpr KindSpec kKinds[] = {
    {"machinelearning.seldon.io", "SeldonDeployment", kSeldonVersions, &kSeldonDeployment, true},
    {kIstioGroup, "Gateway", kIstioVersions, &kIstioRoot<&kIstioGatewaySpec>, true},
    {kIstioGroup, "VirtualService", kIstioVersions, &kIstioRoot<&kIstioVirtualServiceSpec>, true},
    {kIstioGroup, "DestinationRule", kIstioVersions, &kIstioRoot<&kIstioDestinationRuleSpec>, true},
    {kIstioGroup, "ServiceEntry", kIstioVersions, &kIstioRoot<&kIstioServiceEntrySpec>, true},
    {"", "Service", kV1, &kCoreV1Service, false, true, NameRule::kLabel1035},
    {"", "Secret", kV1, &kCoreV1Secret},
    {"", "ConfigMap", kV1, &kCoreV1ConfigMap},
    {"", "Namespace", kV1, &kCoreV1Namespace, false, false, NameRule::kLabel},
    {"discovery.k8s.io", "EndpointSlice", kV1, &kDiscoveryV1EndpointSlice},
    {"apps", "Deployment", kV1, &kAppsV1Deployment},
};

}  // namespace

const FieldSpec* Schema::find(std::string_view name) const noexcept {
  for (const FieldSpec& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::span<const KindSpec> kinds() noexcept { return kKinds; }

const KindSpec* find_kind(std::string_view group, std::string_view kind) noexcept {
  for (const KindSpec& spec : kKinds) {
    if (spec.group == group && spec.kind == kind) return &spec;
  }
  return nullptr;
}

}  // namespace sluice::resource
