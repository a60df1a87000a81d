#include "compile/secrets.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string_view>
#include <tuple>
#include <utility>

#include "base/text.h"

namespace sluice::compile {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

std::unique_ptr<BIO, Free> bio_of(const std::string& text) {
  return std::unique_ptr<BIO, Free>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::unique_ptr<X509, Free> first_certificate(const std::string& pem) {
  const auto bio = bio_of(pem);
  return std::unique_ptr<X509, Free>(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

const std::string* first_of(const resource::Secret& secret, std::string_view a,
                            std::string_view b) {
  const std::string* found = secret.find(a);
  return found != nullptr ? found : secret.find(b);
}

int version_of(std::string_view name, int otherwise) {
  if (name == "TLSV1_0") return TLS1_VERSION;
  if (name == "TLSV1_1") return TLS1_1_VERSION;
  if (name == "TLSV1_2") return TLS1_2_VERSION;
  if (name == "TLSV1_3") return TLS1_3_VERSION;
  return otherwise;
}

// Unknown names are left out, as Istio does. Asking OpenSSL one by one tells which it knows.
std::string known_ciphers(const std::vector<std::string>& names) {
  std::string known;
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  for (const std::string& name : names) {
    if (context == nullptr || name.find(':') != std::string::npos ||
        SSL_CTX_set_cipher_list(context, name.c_str()) != 1) {
      continue;
    }
    if (!known.empty()) known += ':';
    known += name;
  }
  SSL_CTX_free(context);
  ERR_clear_error();
  return known;
}

Result<void> check_pair(const std::string& certificate_pem, const std::string& key_pem) {
  const auto certificate = first_certificate(certificate_pem);
  const auto bio = bio_of(key_pem);
  const std::unique_ptr<EVP_PKEY, Free> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  const bool fits = certificate != nullptr && key != nullptr &&
                    X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (certificate == nullptr) return fail(Blame::kConfig, "tls.crt is no certificate in PEM form");
  if (key == nullptr) return fail(Blame::kConfig, "tls.key is no private key in PEM form");
  if (!fits) return fail(Blame::kConfig, "tls.key does not fit the certificate in tls.crt");
  return {};
}

}  // namespace

Result<std::shared_ptr<const route::ServerTls>> make_server_tls(
    const resource::GatewayServer& server, const resource::Secret& secret,
    const resource::Secret* ca) {
  auto made = std::make_shared<route::ServerTls>();
  const std::string* certificate = first_of(secret, "tls.crt", "cert");
  const std::string* key = first_of(secret, "tls.key", "key");
  if (certificate == nullptr || certificate->empty()) {
    return fail(Blame::kConfig, "the secret has no tls.crt");
  }
  if (key == nullptr || key->empty()) return fail(Blame::kConfig, "the secret has no tls.key");
  made->certificate_pem = *certificate;
  made->key_pem = *key;
  for (const resource::Secret* each : {&secret, ca}) {
    if (each == nullptr) continue;
    if (const std::string* text = first_of(*each, "ca.crt", "cacert")) made->ca_pem = *text;
    if (const std::string* text = first_of(*each, "ca.crl", "crl")) made->crl_pem = *text;
  }
  if (server.tls_mode == "MUTUAL") made->client = route::ServerTls::Client::kRequired;
  if (server.tls_mode == "OPTIONAL_MUTUAL") made->client = route::ServerTls::Client::kOptional;
  if (made->client == route::ServerTls::Client::kNone) {
    made->ca_pem.clear();
    made->crl_pem.clear();
  } else if (made->ca_pem.empty()) {
    return fail(Blame::kConfig, "the secret has no ca.crt, which tls mode " + server.tls_mode +
                                    " needs to check clients");
  }
  const resource::Value& tls = *server.tls;
  made->subject_alt_names = resource::read_texts(tls.at("subjectAltNames"));
  made->version_min = version_of(tls.at("minProtocolVersion").text(), made->version_min);
  made->version_max = version_of(tls.at("maxProtocolVersion").text(), made->version_max);
  if (!tls.at("cipherSuites").list().empty()) {
    made->cipher_suites = known_ciphers(resource::read_texts(tls.at("cipherSuites")));
  }
  SLUICE_CHECK(check_pair(made->certificate_pem, made->key_pem));
  return std::shared_ptr<const route::ServerTls>(std::move(made));
}

bool has_pair(const resource::Secret& secret) {
  const std::string* certificate = first_of(secret, "tls.crt", "cert");
  const std::string* key = first_of(secret, "tls.key", "key");
  return certificate != nullptr && !certificate->empty() && key != nullptr && !key->empty();
}

bool is_same(const route::ServerTls& a, const route::ServerTls& b) {
  const auto tie = [](const route::ServerTls& t) {
    return std::tie(t.certificate_pem, t.key_pem, t.ca_pem, t.crl_pem, t.subject_alt_names,
                    t.client, t.version_min, t.version_max, t.cipher_suites);
  };
  return tie(a) == tie(b);
}

std::string certificate_warning(const std::string& certificate_pem, std::int64_t now_seconds) {
  const auto certificate = first_certificate(certificate_pem);
  ERR_clear_error();
  if (certificate == nullptr || now_seconds == 0) return {};
  std::time_t now = static_cast<std::time_t>(now_seconds);
  if (X509_cmp_time(X509_get0_notAfter(certificate.get()), &now) < 0) {
    return "the certificate in tls.crt has expired";
  }
  if (X509_cmp_time(X509_get0_notBefore(certificate.get()), &now) > 0) {
    return "the certificate in tls.crt is not valid yet";
  }
  return {};
}

}  // namespace sluice::compile
