// When the webhook's certificates are made anew, and how the change stays unseen: a new authority
// is told to the API server (beside the old one) a while before anything is signed by it, and the
// old one stays until it has run out. What to do follows from the certificates' own dates, so that
// any replica can go on where another one stopped. Pure but for the keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/certificate.h"

namespace sluice::webhook {

// What is in the Secret.
struct Material {
  std::string authorities_pem;    // ca.crt: newest first; what the API server trusts
  std::string authority_key_pem;  // ca.key: the newest's
  net::KeyPair server;            // tls.crt, tls.key
  bool operator==(const Material& other) const {
    return authorities_pem == other.authorities_pem &&
           authority_key_pem == other.authority_key_pem &&
           server.certificate_pem == other.server.certificate_pem &&
           server.key_pem == other.server.key_pem;
  }
};

struct Lifetimes {
  std::int64_t authority_seconds = 365 * 86'400LL;
  std::int64_t authority_left_seconds = 120 * 86'400LL;  // a new one when less is left
  std::int64_t server_seconds = 90 * 86'400LL;
  std::int64_t server_left_seconds = 30 * 86'400LL;
  // From a new authority to the first certificate signed by it: API servers and replicas hear of it
  // within a minute.
  std::int64_t overlap_seconds = 3'600;
  std::int64_t clock_skew_seconds = 300;  // certificates begin that long ago
};

// What the material should be; nothing when it is as it should be. Also from nothing, and from
// what can't be read. Fails (kInternal) when OpenSSL does.
Result<std::optional<Material>> renewed(const Material& have,
                                        const std::vector<std::string>& dns_names,
                                        std::int64_t now_seconds, const Lifetimes& lifetimes = {});

}  // namespace sluice::webhook
