// Base64 (RFC 4648 section 4), for certificates in kubeconfig files.
#pragma once

#include <string>
#include <string_view>

namespace sluice::kube {

// Line breaks and blanks are passed over. False: something else that is no base64.
bool from_base64(std::string_view text, std::string& out);
std::string to_base64(std::string_view bytes);

}  // namespace sluice::kube
