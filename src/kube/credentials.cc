#include "kube/credentials.h"

#include <fmt/core.h>

#include <mutex>

#include "base/clock.h"
#include "base/text.h"
#include "http/head.h"
#include "kube/exec.h"
#include "kube/file.h"

namespace sluice::kube {

namespace {

// As client-go: the kubelet renews a token after 80 % of its hour, so a minute is soon enough.
constexpr std::int64_t kFreshNs = 60'000'000'000;
// A plug-in's credential is renewed a little before it runs out.
constexpr std::int64_t kExpirySlackSeconds = 10;
// A server that says 401 to everything must not make us run the plug-in without end.
constexpr std::int64_t kRenewGapNs = 2'000'000'000;

Result<std::string> text_of(const Pem& pem, const char* what) {
  if (pem.file.empty()) return pem.text;
  std::string text;
  if (!read_file(pem.file, text))
    return fail(Blame::kConfig, fmt::format("{} can't be read", what), pem.file);
  return text;
}

}  // namespace

struct Credentials::Impl {
  Config config;
  std::string host;
  bool is_https = false;

  std::mutex mutex;  // guards what follows; held by those who call the functions
  Credential credential;
  std::string tls_inputs;  // what credential.tls was made of
  std::int64_t made_ns = 0;
  std::int64_t expires_seconds = 0;  // the plug-in's; 0: never
  bool is_made = false;
  bool must_renew = false;

  bool is_fresh() const {
    const std::int64_t age = monotonic_ns() - made_ns;
    if (!is_made) return false;
    if (must_renew && age > kRenewGapNs) return false;
    if (config.exec)
      return expires_seconds == 0 || wall_seconds() < expires_seconds - kExpirySlackSeconds;
    return age < kFreshNs;
  }
  Result<void> renew(const Stop& stop);
  Result<void> make_tls(const ExecCredential& given);
};

Credentials::Credentials(Config config, std::string host, bool is_https)
    : impl_(std::make_unique<Impl>()) {
  impl_->config = std::move(config);
  impl_->host = std::move(host);
  impl_->is_https = is_https;
}
Credentials::~Credentials() = default;

Result<void> Credentials::Impl::make_tls(const ExecCredential& given) {
  net::TlsClientOptions options;
  options.verify = !config.skip_verify;
  options.host = host;
  SLUICE_TRY(options.ca_pem, text_of(config.ca, "certificate-authority"));
  SLUICE_TRY(options.certificate_pem, text_of(config.certificate, "client-certificate"));
  SLUICE_TRY(options.key_pem, text_of(config.key, "client-key"));
  if (!given.certificate_pem.empty()) {
    options.certificate_pem = given.certificate_pem;
    options.key_pem = given.key_pem;
  }
  // The same inputs keep the context: connections that are open stay in use.
  std::string inputs = options.ca_pem + '\0' + options.certificate_pem + '\0' + options.key_pem;
  if (credential.tls != nullptr && inputs == tls_inputs) return {};
  SLUICE_TRY(credential.tls, net::TlsContext::make_client(options));
  tls_inputs = std::move(inputs);
  return {};
}

Result<void> Credentials::Impl::renew(const Stop& stop) {
  ExecCredential given;
  std::string token = config.token;
  if (config.exec) {
    SLUICE_TRY(given, run_plugin(*config.exec, config, stop));
    if (!given.token.empty()) token = given.token;
  } else if (!config.token_file.empty()) {
    std::string text;
    if (!read_file(config.token_file, text))
      return fail(Blame::kConfig, "the token can't be read", config.token_file);
    token = trim(text);
  }
  if (!http::is_field_value(token))
    return fail(Blame::kConfig, "the token has a control character in it", config.origin);
  if (is_https) SLUICE_CHECK(make_tls(given));
  credential.authorization = token.empty() ? "" : "Bearer " + token;
  expires_seconds = given.expires_seconds;
  made_ns = monotonic_ns();
  is_made = true;
  must_renew = false;
  return {};
}

Result<Credential> Credentials::current(const Stop& stop) {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->is_fresh()) {
    auto renewed = impl_->renew(stop);
    // A file that is being replaced is missing for a moment: what we have may do.
    if (!renewed && !(impl_->is_made && !impl_->config.exec))
      return tl::unexpected<Error>(std::move(renewed).error());
  }
  return impl_->credential;
}

void Credentials::refused(const Credential& used) {
  const std::lock_guard lock(impl_->mutex);
  if (used.authorization == impl_->credential.authorization && used.tls == impl_->credential.tls)
    impl_->must_renew = true;
}

}  // namespace sluice::kube
