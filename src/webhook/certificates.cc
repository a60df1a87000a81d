#include "webhook/certificates.h"

#include <algorithm>

namespace sluice::webhook {

namespace {

using net::CertificateFacts;

// A text that somebody put there must not grow without end.
constexpr std::size_t kAuthoritiesMax = 4;

struct Authority {
  std::string pem;
  CertificateFacts facts;
};

std::vector<Authority> living(const std::string& pem, std::int64_t now_seconds) {
  std::vector<Authority> found;
  for (std::string& each : net::split_certificates(pem)) {
    auto facts = net::read_certificate(each);
    if (!facts || !facts->is_authority || facts->validity.to_seconds <= now_seconds) continue;
    found.push_back({std::move(each), std::move(*facts)});
    if (found.size() == kAuthoritiesMax) break;
  }
  return found;
}

bool has_names(const CertificateFacts& facts, const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    return std::find(facts.dns_names.begin(), facts.dns_names.end(), name) != facts.dns_names.end();
  });
}

// Callers can be served with it at `now_seconds`, and believe it by one of the authorities.
bool is_usable(const net::KeyPair& server, const std::vector<Authority>& authorities,
               const std::vector<std::string>& names, std::int64_t now_seconds) {
  const auto facts = net::read_certificate(server.certificate_pem);
  return facts && facts->validity.to_seconds > now_seconds && has_names(*facts, names) &&
         net::fits(server) &&
         std::any_of(authorities.begin(), authorities.end(), [&](const Authority& each) {
           return net::is_signed_by(server.certificate_pem, each.pem);
         });
}

}  // namespace

Result<std::optional<Material>> renewed(const Material& have,
                                        const std::vector<std::string>& dns_names,
                                        std::int64_t now_seconds, const Lifetimes& lifetimes) {
  Material want = have;
  std::vector<Authority> authorities = living(have.authorities_pem, now_seconds);
  const std::int64_t from = now_seconds - lifetimes.clock_skew_seconds;
  const bool keeps_authority = !authorities.empty() &&
                               authorities.front().facts.validity.to_seconds >=
                                   now_seconds + lifetimes.authority_left_seconds &&
                               net::fits({authorities.front().pem, have.authority_key_pem});
  if (!keeps_authority) {
    SLUICE_TRY(
        net::KeyPair made,
        net::make_authority("sluice webhook", {from, now_seconds + lifetimes.authority_seconds}));
    SLUICE_TRY(CertificateFacts facts, net::read_certificate(made.certificate_pem));
    authorities.insert(authorities.begin(), {std::move(made.certificate_pem), std::move(facts)});
    if (authorities.size() > kAuthoritiesMax) authorities.pop_back();
    want.authority_key_pem = std::move(made.key_pem);
  }
  want.authorities_pem.clear();
  for (const Authority& each : authorities) want.authorities_pem += each.pem;

  const Authority& newest = authorities.front();
  bool must_sign = !is_usable(have.server, authorities, dns_names, now_seconds);
  if (!must_sign) {
    SLUICE_TRY(const CertificateFacts facts, net::read_certificate(have.server.certificate_pem));
    const bool is_due = facts.validity.to_seconds < now_seconds + lifetimes.server_left_seconds;
    const bool is_known = newest.facts.validity.from_seconds + lifetimes.clock_skew_seconds +
                              lifetimes.overlap_seconds <=
                          now_seconds;
    must_sign = is_due && is_known;
  }
  if (must_sign) {
    SLUICE_TRY(want.server,
               net::make_server_certificate({newest.pem, want.authority_key_pem}, dns_names,
                                            {from, now_seconds + lifetimes.server_seconds}));
  }
  if (want == have) return std::optional<Material>();
  return std::optional<Material>(std::move(want));
}

}  // namespace sluice::webhook
