// Objects that another program wrote by update become ours when we apply to them. An API server
// keeps what each program has set (metadata.managedFields); server-side apply takes out only what
// the same program has set before. So what a predecessor wrote, and we don't say, would stay for
// ever: a variable that the user removed, a container. Here its share becomes ours.
// Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
#pragma once

#include <optional>
#include <string_view>

#include "resource/value.h"

namespace sluice::kube {

// What metadata.managedFields should be: the entry that `manager` has by Apply says what those say,
// too, that `predecessor`, or it itself, has by Update, and those are gone. Nothing: there is no
// such entry, or its program did not make the object (its fields lack the owner references): then
// it is a namesake, and keeps what it set.
std::optional<resource::List> taken_over(const resource::List& managed_fields,
                                         std::string_view manager, std::string_view predecessor);

// An entry of managedFields whose fields taken_over gives to `manager`.
bool is_to_take_over(const resource::Value& entry, std::string_view manager,
                     std::string_view predecessor);

}  // namespace sluice::kube
