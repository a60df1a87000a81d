// The field names that the gateway acts on, as numbers: rewriting a head is a switch, not a row of
// string compares. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::http {

// clang-format off
#define SLUICE_KNOWN_FIELDS(X)                                                  \
  /* message framing and routing */                                             \
  X(kHost, "host")                                                              \
  X(kContentLength, "content-length")                                           \
  X(kTransferEncoding, "transfer-encoding")                                     \
  X(kContentType, "content-type")                                               \
  X(kExpect, "expect")                                                          \
  /* hop by hop: RFC 9110 section 7.6.1 */                                      \
  X(kConnection, "connection")                                                  \
  X(kKeepAlive, "keep-alive")                                                   \
  X(kProxyConnection, "proxy-connection")                                       \
  X(kUpgrade, "upgrade")                                                        \
  X(kTe, "te")                                                                  \
  X(kTrailer, "trailer")                                                        \
  X(kHttp2Settings, "http2-settings")                                           \
  /* what a gateway sets, replaces or reads */                                  \
  X(kForwardedFor, "x-forwarded-for")                                           \
  X(kForwardedProto, "x-forwarded-proto")                                       \
  X(kForwardedClientCert, "x-forwarded-client-cert")                            \
  X(kRequestId, "x-request-id")                                                 \
  X(kCookie, "cookie")                                                          \
  X(kOrigin, "origin")                                                          \
  X(kAccessControlRequestMethod, "access-control-request-method")               \
  X(kUserAgent, "user-agent")                                                   \
  X(kSeldon, "seldon")                                                          \
  X(kNamespace, "namespace")                                                    \
  X(kGrpcTimeout, "grpc-timeout")                                               \
  X(kGrpcStatus, "grpc-status")                                                 \
  /* Envoy's own */                                                             \
  X(kEnvoyInternal, "x-envoy-internal")                                         \
  X(kEnvoyExternalAddress, "x-envoy-external-address")                          \
  X(kEnvoyOriginalPath, "x-envoy-original-path")                                \
  X(kEnvoyOriginalHost, "x-envoy-original-host")                                \
  X(kEnvoyDecoratorOperation, "x-envoy-decorator-operation")                    \
  X(kEnvoyForceTrace, "x-envoy-force-trace")                                    \
  X(kEnvoyDownstreamServiceCluster, "x-envoy-downstream-service-cluster")       \
  X(kEnvoyDownstreamServiceNode, "x-envoy-downstream-service-node")             \
  X(kEnvoyIpTags, "x-envoy-ip-tags")                                            \
  X(kEnvoyRetryOn, "x-envoy-retry-on")                                          \
  X(kEnvoyRetryGrpcOn, "x-envoy-retry-grpc-on")                                 \
  X(kEnvoyMaxRetries, "x-envoy-max-retries")                                    \
  X(kEnvoyUpstreamRqTimeoutMs, "x-envoy-upstream-rq-timeout-ms")                \
  X(kEnvoyUpstreamRqPerTryTimeoutMs, "x-envoy-upstream-rq-per-try-timeout-ms")  \
  X(kEnvoyUpstreamAltStatName, "x-envoy-upstream-alt-stat-name")                \
  X(kEnvoyHedgeOnPerTryTimeout, "x-envoy-hedge-on-per-try-timeout")             \
  X(kEnvoyRetriableStatusCodes, "x-envoy-retriable-status-codes")               \
  X(kEnvoyRetriableHeaderNames, "x-envoy-retriable-header-names")               \
  X(kEnvoyExpectedRqTimeoutMs, "x-envoy-expected-rq-timeout-ms")                \
  X(kEnvoyAttemptCount, "x-envoy-attempt-count")                                \
  X(kEnvoyUpstreamServiceTime, "x-envoy-upstream-service-time")                 \
  X(kEnvoyIsTimeoutRetry, "x-envoy-is-timeout-retry")                           \
  X(kEnvoyPeerMetadata, "x-envoy-peer-metadata")                                \
  X(kEnvoyPeerMetadataId, "x-envoy-peer-metadata-id")                           \
  X(kEnvoyOverloaded, "x-envoy-overloaded")                                     \
  /* responses */                                                               \
  X(kServer, "server")                                                          \
  X(kDate, "date")                                                              \
  X(kLocation, "location")                                                      \
  X(kSetCookie, "set-cookie")                                                   \
  X(kContentEncoding, "content-encoding")                                       \
  X(kAccept, "accept")                                                          \
  X(kAcceptEncoding, "accept-encoding")                                         \
  X(kAuthorization, "authorization")
// clang-format on

enum class Known : std::uint8_t {
  kOther,  // any other name
#define X(id, text) id,
  SLUICE_KNOWN_FIELDS(X)
#undef X
      kCount
};
inline constexpr unsigned kKnownCount = static_cast<unsigned>(Known::kCount);

// `name` in lower case. No allocation.
Known find_known(std::string_view name) noexcept;
std::string_view name_of(Known known) noexcept;  // "" for kOther

}  // namespace sluice::http
