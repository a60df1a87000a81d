// Fields against the schema: what an API server with the CRDs of Seldon and Istio would refuse is
// an error; what it would silently drop, or what has no effect, is a warning. Rules that look at
// several objects, or at what Seldon's webhook knows (annotations, words such as a unit's type),
// are compile's. Pure, any thread.
#pragma once

#include <string_view>
#include <vector>

#include "resource/diagnostic.h"
#include "resource/object.h"

namespace sluice::resource {

// Whether sluice knows the object's group and kind. The version may still be one that does not
// exist: check() says so.
bool is_known(const Object& object) noexcept;

// Everything to say about the fields of one object, in the order of the document. Nothing for an
// object that is not known.
Diagnostics check(const Object& object);

// What only a set shows: the same object twice (an error at the second if they differ), and, once
// for each kind, that a kind is not known. Does not include check() of each.
Diagnostics check_set(const std::vector<Object>& objects);

// Kubernetes' rules for names. Each returns what is wrong with `name` in a few words, "" when
// nothing is.
std::string_view fault_of_subdomain(std::string_view name) noexcept;  // RFC 1123, up to 253
std::string_view fault_of_label(std::string_view name) noexcept;      // RFC 1123, up to 63
std::string_view fault_of_label_1035(
    std::string_view name) noexcept;  // and it begins with a letter

bool is_quantity(std::string_view text) noexcept;

}  // namespace sluice::resource
