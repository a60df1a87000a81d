// What an API server answered, and what it means for whoever asked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "kube/kinds.h"
#include "resource/value.h"

namespace sluice::kube {

// What was asked, for messages and RBAC hints.
struct Question {
  std::string_view verb;  // RBAC's: get, list, watch, create, update, patch, delete
  const Kind* kind = nullptr;
  std::string_view subresource;  // "status" or ""
  std::string_view namespace_;
  std::string_view name;
};

struct Answer {
  std::uint16_t status = 0;
  resource::Value body;
  Milliseconds retry_after{0};  // 0: does not say
};

// Whether the same request may be answered otherwise soon: 429 and most of 5xx.
bool is_passing(const Answer& answer) noexcept;
// `answer` is no success: what to do about it. 403 names the rule of RBAC that is missing.
Error error_of(const Question& question, const Answer& answer);
// The server's own words; "" when there are none.
std::string message_of(const Answer& answer);
// "PATCH deployments.apps default/iris"-like place for errors.
std::string place_of(const Question& question);

}  // namespace sluice::kube
