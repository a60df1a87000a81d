#include "compile/secrets.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <string>

#include "compile/link.h"
#include "resource/read.h"

namespace sluice::compile {
namespace {

struct Pair {
  std::string certificate;
  std::string key;
};

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

// A self-signed certificate, valid from 1970 for the time given.
Pair make_pair(long valid_seconds) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  ASN1_TIME_set(X509_getm_notBefore(certificate), 0);
  ASN1_TIME_set(X509_getm_notAfter(certificate), valid_seconds);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  BIO* certificate_bio = BIO_new(BIO_s_mem());
  BIO* key_bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(certificate_bio, certificate);
  PEM_write_bio_PrivateKey(key_bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return {text_of(certificate_bio), text_of(key_bio)};
}

std::shared_ptr<const resource::Object> secret(const std::string& certificate,
                                               const std::string& key) {
  resource::Object object;
  object.api_version = "v1";
  object.kind = "Secret";
  object.namespace_ = "istio-system";
  object.name = "cert";
  object.root =
      resource::Map{{"metadata", resource::Map{{"name", "cert"}, {"namespace", "istio-system"}}},
                    {"stringData", resource::Map{{"tls.crt", certificate}, {"tls.key", key}}}};
  return std::make_shared<const resource::Object>(std::move(object));
}

void put_gateway(Linker& linker) {
  auto read = resource::read(R"(
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: istio-system}
spec:
  servers:
  - {port: {number: 443, name: s, protocol: HTTPS}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: cert}}
)",
                             nullptr);
  linker.put(std::make_shared<const resource::Object>(std::move(read.objects.at(0))));
}

const route::ServerTls* tls_of(const route::Snapshot& snapshot) {
  return snapshot.listeners.at(0)->tls_servers.at(0)->tls.get();
}

TEST(Certificates, a_port_waits_for_its_secret_and_keeps_the_last_good_one) {
  const Pair first = make_pair(4'000'000'000);
  const Pair second = make_pair(4'000'000'000);
  Linker linker;
  put_gateway(linker);
  EXPECT_TRUE(linker.link()->listeners.empty());
  ASSERT_EQ(linker.diagnostics().size(), 1U);
  EXPECT_EQ(linker.diagnostics()[0].code, "bad-secret");

  linker.put(secret(first.certificate, second.key));  // an answer, though a bad one
  EXPECT_EQ(tls_of(*linker.link()), nullptr);
  EXPECT_NE(linker.diagnostics()[0].what.find("does not fit"), std::string::npos);

  linker.put(secret(first.certificate, first.key));
  const auto good = linker.link();
  ASSERT_NE(tls_of(*good), nullptr);
  EXPECT_EQ(tls_of(*good)->certificate_pem, first.certificate);
  EXPECT_TRUE(linker.diagnostics().empty());

  linker.put(secret(second.certificate, first.key));
  EXPECT_EQ(tls_of(*linker.link()), tls_of(*good));
  linker.erase(secret("", "")->key());
  EXPECT_EQ(tls_of(*linker.link()), tls_of(*good));

  linker.put(secret(second.certificate, second.key));
  EXPECT_EQ(tls_of(*linker.link())->certificate_pem, second.certificate);
}

TEST(Certificates, expiry_is_told) {
  const Pair pair = make_pair(1'000);
  EXPECT_EQ(certificate_warning(pair.certificate, 500), "");
  EXPECT_EQ(certificate_warning(pair.certificate, 2'000), "the certificate in tls.crt has expired");
}

}  // namespace
}  // namespace sluice::compile
