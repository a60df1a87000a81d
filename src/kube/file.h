// A whole small file: certificates, tokens, kubeconfigs.
#pragma once

#include <string>

namespace sluice::kube {

inline constexpr std::size_t kSmallFileBytesMax = 4U << 20U;  // kubeconfigs of many clusters

// False: not there, not readable, or too large.
bool read_file(const std::string& path, std::string& text);

}  // namespace sluice::kube
