// One draft and one match -> one route::Rule. See compile/rules.h.
#pragma once

#include <memory>
#include <string>

#include "compile/rules.h"
#include "resource/value.h"
#include "route/rule.h"

namespace sluice::compile {

std::shared_ptr<const route::Rule> make_rule(const resource::VirtualService& service,
                                             const RuleDraft& draft, const route::Match& match,
                                             const std::string& name_suffix,
                                             const RuleTarget& target, RegexCache& regexes);

// {exact|prefix|regex: text}; none of them: present. `is_unusable` is set when a regular
// expression does not compile.
route::StringMatch translate_string_match(const resource::Value& value, RegexCache& regexes,
                                          bool& is_unusable);

// The bits of one word of retryOn; 0: unknown. "503" is a status code: see is_status_code.
std::uint32_t retry_word(std::string_view word);
bool is_status_code(std::string_view word);  // a whole number from 100 to 599

// grpcStatus of a fault: "UNAVAILABLE" or "14".
std::optional<std::uint32_t> grpc_status(std::string_view text);

}  // namespace sluice::compile
