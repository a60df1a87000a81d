#include "gateway/retry.h"

#include <algorithm>

namespace sluice::gateway {

using Policy = route::RetryPolicy;

bool retries_failure(const Policy& policy, Failure failure, bool sent) noexcept {
  std::uint32_t fits = 0;
  switch (failure) {
    case Failure::kConnect:
    case Failure::kConnectTimeout:
      fits = Policy::kConnectFailure | Policy::k5xx | Policy::kGatewayError | Policy::kReset |
             Policy::kResetBeforeRequest;
      break;
    case Failure::kTermination:
    case Failure::kProtocol:
      fits = Policy::k5xx | Policy::kGatewayError | Policy::kReset;
      if (!sent) fits |= Policy::kResetBeforeRequest;
      break;
    case Failure::kTryTimeout:
      fits = Policy::k5xx | Policy::kGatewayError | Policy::kReset;
      break;
    default:
      break;  // overflow, no endpoint, no cluster, the route's own timeout: never
  }
  return (policy.on & fits) != 0;
}

bool retries_answer(const Policy& policy, std::uint16_t status, std::string_view grpc_status,
                    bool is_ratelimited) noexcept {
  // x-envoy-ratelimited keeps an answer from being tried again unless the policy asks for it.
  if (is_ratelimited) return (policy.on & Policy::kEnvoyRatelimited) != 0;
  if ((policy.on & Policy::k5xx) != 0 && status >= 500 && status <= 599) return true;
  if ((policy.on & Policy::kGatewayError) != 0 && status >= 502 && status <= 504) return true;
  if ((policy.on & Policy::kRetriable4xx) != 0 && status == 409) return true;
  if ((policy.on & Policy::kRetriableStatusCodes) != 0 &&
      std::find(policy.status_codes.begin(), policy.status_codes.end(), status) !=
          policy.status_codes.end()) {
    return true;
  }
  if (grpc_status.empty()) return false;
  // google.rpc.Code: 1 cancelled, 4 deadline exceeded, 8 resource exhausted, 13 internal, 14
  // unavailable.
  return (grpc_status == "1" && (policy.on & Policy::kGrpcCancelled) != 0) ||
         (grpc_status == "4" && (policy.on & Policy::kGrpcDeadlineExceeded) != 0) ||
         (grpc_status == "8" && (policy.on & Policy::kGrpcResourceExhausted) != 0) ||
         (grpc_status == "13" && (policy.on & Policy::kGrpcInternal) != 0) ||
         (grpc_status == "14" && (policy.on & Policy::kGrpcUnavailable) != 0);
}

Nanoseconds backoff(const Policy& policy, unsigned nth, Random& random) noexcept {
  const std::int64_t base_us =
      std::max<std::int64_t>(1, std::chrono::microseconds(policy.backoff_base).count());
  const std::int64_t factor = nth >= 4 ? 10 : (std::int64_t{1} << nth) - 1;
  const std::int64_t bound_us = std::min<std::int64_t>(base_us * factor, 0x7fffffff);
  return std::chrono::microseconds(random.below(static_cast<std::uint32_t>(bound_us)));
}

bool is_idempotent(std::string_view method) noexcept {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE" ||
         method == "PUT" || method == "DELETE";
}

}  // namespace sluice::gateway
