// Whether an object is still what we made it: by the fields that we set, not by those that a
// server's defaults or other controllers put beside them.
#pragma once

#include <cstdint>
#include <string_view>

#include "resource/object.h"

namespace sluice::kube {

// Of all that an apply sends: not status, not what the server keeps in metadata, not the version of
// the API. The order of keys does not matter.
std::uint64_t hash_of(const resource::Object& want);
// Of what `have` says in the fields that `want` sets. Lists of one length are compared item by
// item; another length counts as a whole. Equal for two states of `have`: nothing of ours changed.
std::uint64_t hash_of_same_fields(const resource::Object& want, const resource::Object& have);

// `have` is what applying `want` would make of it. `applied`: what the server says our field
// manager has applied (fieldsV1). Says no, wrongly, where the server writes a value otherwise than
// we do
// ("1000m" for 1) or where another put items into a list of ours.
bool is_applied(const resource::Object& want, const resource::Object& have,
                const resource::Value& applied);

std::uint64_t hash_of(const resource::Value& value);
std::uint64_t hash_of_text(std::string_view text) noexcept;
// Of all but status, metadata.resourceVersion and metadata.generation.
std::uint64_t hash_but_status(const resource::Object& object);
// metadata.resourceVersion as a number: versions of one kind are ordered by it (Kubernetes says so
// since 1.35; all servers before store etcd's revisions). 0: none.
std::uint64_t version_of(const resource::Value& object) noexcept;
std::string_view uid_of(const resource::Object& object) noexcept;

}  // namespace sluice::kube
