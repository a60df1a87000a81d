#include "net/certificate.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "net/tls.h"

namespace sluice::net {
namespace {

constexpr std::int64_t kDay = 86'400;
const std::vector<std::string> kNames = {"hook.ns.svc", "hook.ns"};

TEST(CertificateTest, IsWhatWasAskedFor) {
  const std::int64_t now = wall_seconds();
  const auto authority = make_authority("an authority", {now, now + 10 * kDay});
  ASSERT_TRUE(authority) << to_string(authority.error());
  EXPECT_TRUE(read_certificate(authority->certificate_pem)->is_authority);
  const auto made = make_server_certificate(*authority, kNames, {now - 60, now + kDay});
  ASSERT_TRUE(made) << to_string(made.error());
  const auto facts = read_certificate(made->certificate_pem);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->dns_names, kNames);
  EXPECT_EQ(facts->validity.from_seconds, now - 60);
  EXPECT_EQ(facts->validity.to_seconds, now + kDay);
  EXPECT_FALSE(facts->is_authority);
  EXPECT_TRUE(fits(*made));
  EXPECT_TRUE(is_signed_by(made->certificate_pem, authority->certificate_pem));
  TlsServerOptions options;
  options.certificate_pem = made->certificate_pem;
  options.key_pem = made->key_pem;
  EXPECT_TRUE(TlsContext::make_server(options));
}

TEST(CertificateTest, NeverOutlivesItsAuthority) {
  const auto authority = make_authority("short", {1000, 2000});
  const auto made = make_server_certificate(*authority, kNames, {1000, 9000});
  ASSERT_TRUE(made);
  EXPECT_EQ(read_certificate(made->certificate_pem)->validity.to_seconds, 2000);
}

TEST(CertificateTest, TellsPairsApart) {
  const auto one = make_authority("same name", {1000, 2000});
  const auto other = make_authority("same name", {1000, 2000});
  EXPECT_FALSE(fits({one->certificate_pem, other->key_pem}));
  EXPECT_FALSE(fits({"", ""}));
  EXPECT_FALSE(make_server_certificate({one->certificate_pem, other->key_pem}, kNames, {1, 2}));
  const auto made = make_server_certificate(*one, kNames, {1000, 2000});
  EXPECT_FALSE(is_signed_by(made->certificate_pem, other->certificate_pem));
  EXPECT_FALSE(is_signed_by("no PEM", one->certificate_pem));
}

TEST(CertificateTest, SplitsBundles) {
  const auto one = make_authority("one", {1000, 2000});
  const auto two = make_authority("two", {1000, 2000});
  const auto both = split_certificates("words\n" + one->certificate_pem + two->certificate_pem);
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[1], two->certificate_pem);
  EXPECT_TRUE(split_certificates("").empty());
  EXPECT_FALSE(read_certificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
}

}  // namespace
}  // namespace sluice::net
