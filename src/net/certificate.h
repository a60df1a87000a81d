// Certificates made and looked at: an authority of our own, and servers' certificates signed by it.
// EC keys on P-256; PEM text in and out. Pure but for OpenSSL's random numbers. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::net {

struct KeyPair {
  std::string certificate_pem;
  std::string key_pem;  // PKCS #8, not encrypted
};

// Seconds since 1970, both inclusive.
struct Validity {
  std::int64_t from_seconds = 0;
  std::int64_t to_seconds = 0;
};

// Signs others, and itself. Fails (kInternal) only when OpenSSL does.
Result<KeyPair> make_authority(std::string_view common_name, Validity validity);
// For a TLS server with these DNS names. Never outlives the authority: `validity` is cut to its
// end. Fails (kConfig): the authority can't be read, or its key is another's.
Result<KeyPair> make_server_certificate(const KeyPair& authority,
                                        const std::vector<std::string>& dns_names,
                                        Validity validity);

struct CertificateFacts {
  Validity validity;
  std::vector<std::string> dns_names;
  bool is_authority = false;
};
// The first certificate of the text. Fails (kConfig): there is none.
Result<CertificateFacts> read_certificate(std::string_view pem);
// The certificates of a text, each as PEM of its own, in order.
std::vector<std::string> split_certificates(std::string_view pem);
// Whether the key is the first certificate's. False also when either can't be read.
bool fits(const KeyPair& pair);
// Whether the first certificate of `pem` is signed by that of `authority_pem`.
bool is_signed_by(std::string_view pem, std::string_view authority_pem);

}  // namespace sluice::net
