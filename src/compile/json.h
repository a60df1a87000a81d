// JSON as the reference writes it into environment variables: compact, and with <, >, & escaped as
// Go does, because the texts are compared byte for byte when Kubernetes decides whether a pod
// template changed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "resource/seldon_deployment.h"
#include "resource/value.h"

namespace sluice::compile {

std::string json_text(std::string_view text);      // in quotes
std::string json(const resource::Value& value);    // members in the order of the maps
std::string json(const resource::TextMap& texts);  // sorted by key
// [{"name":...,"value":...,"type":...}]: PREDICTIVE_UNIT_PARAMETERS.
std::string parameters_json(const std::vector<resource::Parameter>& parameters);
std::string base64(std::string_view bytes);  // RFC 4648 section 4, padded

}  // namespace sluice::compile
