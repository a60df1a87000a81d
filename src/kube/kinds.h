// What a kind is called in an API server's paths. A table of those that sluice deals with: asking
// the server costs three requests at every start and tells nothing that is not fixed since years.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::kube {

struct Kind {
  std::string_view group;    // "" for core
  std::string_view version;  // that we list and watch
  std::string_view kind;
  std::string_view plural;  // "deployments"
  bool namespaced = true;
};

// nullptr: not in the table. Fixed addresses.
const Kind* find_kind(std::string_view group, std::string_view kind) noexcept;
const std::vector<Kind>& all_kinds();

std::string api_version_of(const Kind& kind);  // "apps/v1", "v1"
// "/apis/apps/v1/namespaces/default/deployments/iris"; without name: the collection; without
// namespace: of all namespaces. `api_version` "": the kind's own.
std::string path_of(const Kind& kind, std::string_view api_version, std::string_view namespace_,
                    std::string_view name);

}  // namespace sluice::kube
