#include "webhook/certificates.h"

#include <gtest/gtest.h>

namespace sluice::webhook {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kStart = 1'800'000'000;
const std::vector<std::string> kNames = {"hook.ns.svc", "hook.ns"};

Material renew(const Material& have, std::int64_t now) {
  auto made = renewed(have, kNames, now);
  EXPECT_TRUE(made) << to_string(made.error());
  return made && *made ? **made : have;
}

bool believes(const Material& trusted, const net::KeyPair& server) {
  for (const std::string& each : net::split_certificates(trusted.authorities_pem)) {
    if (net::is_signed_by(server.certificate_pem, each)) return true;
  }
  return false;
}

TEST(CertificatesTest, MadeFromNothingAndThenLeft) {
  const Material first = renew({}, kStart);
  EXPECT_TRUE(net::fits(first.server));
  EXPECT_TRUE(believes(first, first.server));
  EXPECT_EQ(renew(first, kStart + 1), first);
  EXPECT_EQ(renew(first, kStart + 59 * kDay), first);
}

// Two years, looked at every second day: at each moment the certificate in use is valid, signed by
// what was already trusted two days before, and whoever has not heard of the last change is not cut
// off.
TEST(CertificatesTest, NoDayWithoutTrust) {
  Material now = renew({}, kStart);
  int servers = 0;
  int authorities = 0;
  for (int day = 1; day < 730; day += 2) {
    const std::int64_t time = kStart + day * kDay;
    const Material next = renew(now, time);
    const auto facts = net::read_certificate(next.server.certificate_pem);
    ASSERT_GT(facts->validity.to_seconds, time + 20 * kDay) << day;
    ASSERT_LE(facts->validity.from_seconds, time);
    ASSERT_TRUE(believes(now, next.server)) << day;  // an API server that lags behind
    ASSERT_TRUE(believes(next, now.server)) << day;  // a replica that lags behind
    ASSERT_LE(net::split_certificates(next.authorities_pem).size(), 2U);
    servers += next.server.certificate_pem != now.server.certificate_pem ? 1 : 0;
    authorities += next.authority_key_pem != now.authority_key_pem ? 1 : 0;
    now = next;
  }
  EXPECT_EQ(servers, 11);  // when less than 30 of 90 days are left
  EXPECT_EQ(authorities, 2);
}

TEST(CertificatesTest, ANewAuthoritySignsOnlyWhenItIsKnown) {
  const Lifetimes lifetimes;
  // Both are due at once: an authority with 100 days left, a certificate with 20.
  const auto authority = net::make_authority("old", {kStart - 265 * kDay, kStart + 100 * kDay});
  const auto server =
      net::make_server_certificate(*authority, kNames, {kStart - 70 * kDay, kStart + 20 * kDay});
  const Material have{authority->certificate_pem, authority->key_pem, *server};
  const Material first = renew(have, kStart);
  EXPECT_EQ(first.server.certificate_pem, server->certificate_pem);
  EXPECT_EQ(net::split_certificates(first.authorities_pem).size(), 2U);
  EXPECT_EQ(renew(first, kStart + lifetimes.overlap_seconds - 1), first);
  const Material second = renew(first, kStart + lifetimes.overlap_seconds);
  EXPECT_NE(second.server.certificate_pem, server->certificate_pem);
  EXPECT_TRUE(believes(first, second.server));
  EXPECT_EQ(second.authorities_pem, first.authorities_pem);
  // The old authority goes when it has run out.
  const Material third = renew(second, kStart + 101 * kDay);
  EXPECT_EQ(net::split_certificates(third.authorities_pem).size(), 1U);
}

TEST(CertificatesTest, WhatCantBeUsedIsReplacedAtOnce) {
  const Material good = renew({}, kStart);
  const Material other = renew({}, kStart);
  for (const Material& broken :
       {Material{"", "", {}}, Material{"nonsense", "nonsense", {"nonsense", "nonsense"}},
        Material{good.authorities_pem, other.authority_key_pem, good.server},
        Material{good.authorities_pem, good.authority_key_pem, other.server},
        Material{good.authorities_pem,
                 good.authority_key_pem,
                 {good.server.certificate_pem, other.server.key_pem}}}) {
    const Material mended = renew(broken, kStart + 10);
    EXPECT_TRUE(net::fits(mended.server));
    EXPECT_TRUE(believes(mended, mended.server));
    EXPECT_EQ(renew(mended, kStart + 11), mended);
  }
  // Another Service: other names.
  const auto renamed = renewed(good, {"new.ns.svc"}, kStart + 10);
  ASSERT_TRUE(renamed && *renamed);
  EXPECT_EQ(net::read_certificate((*renamed)->server.certificate_pem)->dns_names,
            std::vector<std::string>{"new.ns.svc"});
  // Long after everything has run out.
  const Material late = renew(good, kStart + 4000 * kDay);
  EXPECT_TRUE(believes(late, late.server));
}

}  // namespace
}  // namespace sluice::webhook
