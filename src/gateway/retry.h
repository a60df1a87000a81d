// Which failures and answers a retry policy tries again, and after how long. Pure.
// Source: VirtualService HTTPRetry.retryOn, Envoy's x-envoy-retry-on and x-envoy-retry-grpc-on.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "gateway/outcome.h"
#include "route/rule.h"

namespace sluice::gateway {

// `sent`: something of the request may have reached the endpoint.
bool retries_failure(const route::RetryPolicy& policy, Failure failure, bool sent) noexcept;
// `grpc_status`: of the answer's head, "" when it has none.
bool retries_answer(const route::RetryPolicy& policy, std::uint16_t status,
                    std::string_view grpc_status, bool is_ratelimited) noexcept;
// Of the n-th retry (1, 2, ...): uniform below base * (2^n - 1), at most ten times the base.
Nanoseconds backoff(const route::RetryPolicy& policy, unsigned nth, Random& random) noexcept;

// May be sent twice without harm by itself (RFC 9110 section 9.2.2).
bool is_idempotent(std::string_view method) noexcept;

}  // namespace sluice::gateway
