// An object of an API server as the caches hold it: packed, with what is asked of it most often.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "kube/packed.h"
#include "resource/object.h"
#include "resource/value.h"

namespace sluice::kube {

struct Known {
  resource::ObjectKey key;
  std::uint64_t version = 0;  // metadata.resourceVersion
  std::uint64_t uid_hash = 0;
  std::uint64_t status_hash = 0;
  std::uint64_t rest_hash = 0;  // hash_but_status
  std::string packed;           // the document
  std::string applied;          // what our field manager has applied (fieldsV1), packed; or ""
};

// Nothing when it is no object. `look`: at the tree, before it goes.
std::optional<Known> known_from(Words& words, resource::Value root, const resource::Value& applied,
                                const std::function<void(const resource::Object&)>& look = {});

}  // namespace sluice::kube
