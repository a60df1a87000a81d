// Names of the objects that a SeldonDeployment becomes. Tools look them up: they are the
// reference's, byte for byte.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "compile/settings.h"
#include "resource/seldon_deployment.h"

namespace sluice::compile {

inline constexpr std::size_t kNameBytesMax =
    63;  // a DNS label (RFC 1123), and a Kubernetes label value

std::string md5_hex(std::string_view text);  // 32 lower case hex digits

// `name` when it fits, else "seldon-" and its MD5.
std::string fitting(const std::string& name);

// Label seldon-deployment-id, and the VirtualService's name.
std::string seldon_id(std::string_view deployment);
// Service of a predictor; annotation seldon.io/svc-name wins, as it is.
std::string predictor_service_name(std::string_view deployment,
                                   const resource::Predictor& predictor);
std::string container_service_name(std::string_view deployment, std::string_view predictor,
                                   std::string_view container);
std::string explainer_name(std::string_view deployment, std::string_view predictor);
std::string engine_deployment_name(std::string_view deployment, std::string_view predictor);
// REQUIRES: the component was defaulted (its containers are complete).
std::string component_deployment_name(std::string_view deployment, std::string_view predictor,
                                      std::size_t index, const resource::ComponentSpec& component,
                                      const Settings& settings);
// RFC 1123 label: lower case letters, digits and "-", at most 63, no "-" at the ends.
bool is_dns_label(std::string_view text) noexcept;
// A Kubernetes label value: empty, or at most 63 of letters, digits, "-", "_", ".", alphanumeric at
// the ends.
bool is_label_value(std::string_view text) noexcept;
// Cut to 63 bytes; one trailing "-" goes then.
std::string cut_name(std::string name);

}  // namespace sluice::compile
