#include "net/certificate.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>

namespace sluice::net {

namespace {

template <auto function>
struct Freed {
  template <class T>
  void operator()(T* pointer) const noexcept {
    function(pointer);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;

int no_password(char*, int, int, void*) { return 0; }

Bio memory(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Certificate next_certificate(BIO* text) {
  Certificate made(PEM_read_bio_X509(text, nullptr, no_password, nullptr));
  ERR_clear_error();  // the end of the text is reported as an error
  return made;
}

Certificate certificate_of(std::string_view pem) { return next_certificate(memory(pem).get()); }

Key key_of(std::string_view pem) {
  Key key(PEM_read_bio_PrivateKey(memory(pem).get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  return key;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  const Bio out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate);
  return text_of(out.get());
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<std::int64_t>(timegm(&parts)) : 0;
}

bool add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// 127 random bits: unguessable, and positive.
bool set_serial(X509* certificate) {
  const Number number(BN_new());
  return number != nullptr &&
         BN_rand(number.get(), 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

// Everything but extensions and signature.
bool fill(X509* certificate, EVP_PKEY* key, std::string_view common_name, Validity validity) {
  X509_NAME* const name = X509_get_subject_name(certificate);
  return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
         ASN1_TIME_set(X509_getm_notBefore(certificate), validity.from_seconds) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), validity.to_seconds) != nullptr &&
         X509_set_pubkey(certificate, key) == 1 &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1;
}

Result<KeyPair> failed() {
  ERR_clear_error();
  return fail(Blame::kInternal, "OpenSSL can't make a certificate");
}

Result<KeyPair> finished(X509* certificate, EVP_PKEY* key, EVP_PKEY* signer) {
  if (X509_sign(certificate, signer, EVP_sha256()) == 0) return failed();
  const Bio out(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return failed();
  return KeyPair{pem_of(certificate), text_of(out.get())};
}

}  // namespace

Result<KeyPair> make_authority(std::string_view common_name, Validity validity) {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate made(X509_new());
  const bool good =
      key != nullptr && made != nullptr && fill(made.get(), key.get(), common_name, validity) &&
      X509_set_issuer_name(made.get(), X509_get_subject_name(made.get())) == 1 &&
      add_extension(made.get(), made.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      add_extension(made.get(), made.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
      add_extension(made.get(), made.get(), NID_subject_key_identifier, "hash");
  return good ? finished(made.get(), key.get(), key.get()) : failed();
}

Result<KeyPair> make_server_certificate(const KeyPair& authority,
                                        const std::vector<std::string>& dns_names,
                                        Validity validity) {
  const Certificate issuer = certificate_of(authority.certificate_pem);
  const Key signer = key_of(authority.key_pem);
  if (issuer == nullptr || signer == nullptr ||
      X509_check_private_key(issuer.get(), signer.get()) != 1) {
    ERR_clear_error();
    return fail(Blame::kConfig, "the authority's certificate and key do not fit each other");
  }
  std::string names;
  for (const std::string& name : dns_names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
  validity.to_seconds = std::min(validity.to_seconds, seconds_of(X509_get0_notAfter(issuer.get())));
  const Key key(EVP_EC_gen("P-256"));
  const Certificate made(X509_new());
  const bool good =
      key != nullptr && made != nullptr && !dns_names.empty() &&
      // A common name has 64 characters at most; nobody reads it beside the DNS names.
      fill(made.get(), key.get(), dns_names.front().substr(0, 64), validity) &&
      X509_set_issuer_name(made.get(), X509_get_subject_name(issuer.get())) == 1 &&
      add_extension(made.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(made.get(), issuer.get(), NID_key_usage, "critical,digitalSignature") &&
      add_extension(made.get(), issuer.get(), NID_ext_key_usage, "serverAuth") &&
      add_extension(made.get(), issuer.get(), NID_authority_key_identifier, "keyid") &&
      add_extension(made.get(), issuer.get(), NID_subject_alt_name, names);
  return good ? finished(made.get(), key.get(), signer.get()) : failed();
}

Result<CertificateFacts> read_certificate(std::string_view pem) {
  const Certificate certificate = certificate_of(pem);
  if (certificate == nullptr) return fail(Blame::kConfig, "there is no PEM certificate to read");
  CertificateFacts facts;
  facts.validity = {seconds_of(X509_get0_notBefore(certificate.get())),
                    seconds_of(X509_get0_notAfter(certificate.get()))};
  facts.is_authority = X509_check_ca(certificate.get()) == 1;
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_DNS) continue;
    facts.dns_names.emplace_back(
        reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
        static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  GENERAL_NAMES_free(names);
  return facts;
}

std::vector<std::string> split_certificates(std::string_view pem) {
  std::vector<std::string> each;
  const Bio text = memory(pem);
  while (const Certificate certificate = next_certificate(text.get()))
    each.push_back(pem_of(certificate.get()));
  return each;
}

bool fits(const KeyPair& pair) {
  const Certificate certificate = certificate_of(pair.certificate_pem);
  const Key key = key_of(pair.key_pem);
  const bool fit = certificate != nullptr && key != nullptr &&
                   X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return fit;
}

bool is_signed_by(std::string_view pem, std::string_view authority_pem) {
  const Certificate certificate = certificate_of(pem);
  const Certificate authority = certificate_of(authority_pem);
  if (certificate == nullptr || authority == nullptr) return false;
  const bool is_signed = X509_verify(certificate.get(), X509_get0_pubkey(authority.get())) == 1;
  ERR_clear_error();
  return is_signed;
}

}  // namespace sluice::net
