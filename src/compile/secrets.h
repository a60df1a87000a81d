// Secret -> the certificate of a TLS server. OpenSSL stays in the .cc.
// Source: Istio's Secret keys for gateways: tls.crt, tls.key, ca.crt, or cert, key, cacert.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "resource/istio.h"
#include "route/snapshot.h"

namespace sluice::compile {

// `ca` is the Secret NAME-cacert, or nullptr. Fails when a key is missing, unreadable, or does not
// fit the certificate.
Result<std::shared_ptr<const route::ServerTls>> make_server_tls(
    const resource::GatewayServer& server, const resource::Secret& secret,
    const resource::Secret* ca);

// Whether it has a certificate and a key at all, fitting or not.
bool has_pair(const resource::Secret& secret);

bool is_same(const route::ServerTls& a, const route::ServerTls& b);

// What is odd about a certificate that works: expired, not yet valid. "" when nothing.
std::string certificate_warning(const std::string& certificate_pem, std::int64_t now_seconds);

}  // namespace sluice::compile
