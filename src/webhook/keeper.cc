#include "webhook/keeper.h"

#include <fmt/core.h>

#include <mutex>
#include <thread>

#include "base/log.h"
#include "compile/json.h"
#include "kube/file.h"
#include "kube/stop.h"
#include "resource/kubernetes.h"
#include "resource/read.h"

namespace sluice::webhook {

using resource::List;
using resource::Map;
using resource::Value;

namespace {

// Another replica may write at the same moment: then what it wrote is looked at.
constexpr int kTriesMax = 4;

std::string decoded(std::string_view base64) {
  return resource::decode_base64(base64).value_or("");
}

Material material_of(const Value& secret) {
  const Value& data = secret.at("data");
  return Material{decoded(data.at("ca.crt").text()),
                  decoded(data.at("ca.key").text()),
                  {decoded(data.at("tls.crt").text()), decoded(data.at("tls.key").text())}};
}

Map data_of(const Material& material) {
  return Map{{"ca.crt", compile::base64(material.authorities_pem)},
             {"ca.key", compile::base64(material.authority_key_pem)},
             {"tls.crt", compile::base64(material.server.certificate_pem)},
             {"tls.key", compile::base64(material.server.key_pem)}};
}

}  // namespace

struct Keeper::Impl {
  kube::Client* client;
  const KeeperOptions options;
  const std::function<std::int64_t()> now_seconds;
  kube::Stop stop;
  std::thread thread;
  net::KeyPair in_use;  // the thread's

  mutable std::mutex mutex;  // guards these two
  std::shared_ptr<const net::TlsContext> tls;
  State state;

  std::vector<std::string> dns_names() const {
    const std::string name = options.service + "." + options.namespace_;
    return {name + ".svc", name};
  }
  Result<void> look();
  Result<void> look_at_files();
  Result<Material> shared_material();
  Result<Value> secret();
  Result<void> tell_api_server(const std::string& authorities_pem);
  Result<void> use(const net::KeyPair& server);
  void once();
  void run();
};

Result<void> Keeper::Impl::use(const net::KeyPair& server) {
  if (server.certificate_pem == in_use.certificate_pem && server.key_pem == in_use.key_pem)
    return {};
  net::TlsServerOptions tls_options;
  tls_options.certificate_pem = server.certificate_pem;
  tls_options.key_pem = server.key_pem;
  SLUICE_TRY(std::shared_ptr<const net::TlsContext> made,
             net::TlsContext::make_server(tls_options));
  SLUICE_TRY(const net::CertificateFacts facts, net::read_certificate(server.certificate_pem));
  in_use = server;
  log::info("the webhook has a certificate",
            {{"days_left", (facts.validity.to_seconds - now_seconds()) / 86'400}});
  const std::lock_guard lock(mutex);
  tls = std::move(made);
  state.ends_seconds = facts.validity.to_seconds;
  return {};
}

Result<void> Keeper::Impl::look_at_files() {
  net::KeyPair pair;
  for (const auto& [name, text] :
       {std::pair{"tls.crt", &pair.certificate_pem}, std::pair{"tls.key", &pair.key_pem}}) {
    if (!kube::read_file(options.folder + "/" + name, *text))
      return fail(Blame::kConfig, "can't be read", options.folder + "/" + name);
  }
  auto used = use(pair);  // while both are being replaced they may not fit: the next look will
  if (!used) return tl::unexpected<Error>(within(options.folder, std::move(used).error()));
  return {};
}

// As it is, or made empty: the chart makes it, so that the right to make Secrets is not needed.
Result<Value> Keeper::Impl::secret() {
  const kube::Kind& kind = *kube::find_kind("", "Secret");
  SLUICE_TRY(std::optional<Value> found, client->get(kind, options.namespace_, options.secret));
  if (found) return std::move(*found);
  auto made = client->create(
      Map{{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"metadata", Map{{"namespace", options.namespace_}, {"name", options.secret}}}});
  if (!made) {
    return tl::unexpected<Error>(
        within(fmt::format("Secret {}/{} is not there (`helm upgrade` makes it)",
                           options.namespace_, options.secret),
               std::move(made).error()));
  }
  if (made->outcome == kube::Outcome::kDone) return std::move(made->object);
  return fail(Blame::kUpstream, made->message, "Secret " + options.secret);
}

Result<Material> Keeper::Impl::shared_material() {
  for (int i = 0; i < kTriesMax; ++i) {
    SLUICE_TRY(Value object, secret());
    Material have = material_of(object);
    SLUICE_TRY(std::optional<Material> want,
               renewed(have, dns_names(), now_seconds(), options.lifetimes));
    if (!want) return have;
    object.as_map()->set("data", data_of(*want));
    SLUICE_TRY(const kube::Written written, client->update(object));
    if (written.outcome != kube::Outcome::kDone) continue;
    const bool is_new_authority = want->authorities_pem != have.authorities_pem;
    const bool is_new_server = want->server.certificate_pem != have.server.certificate_pem;
    log::info("certificates of the webhook are renewed",
              {{"secret", options.namespace_ + "/" + options.secret},
               {"authorities", is_new_authority},
               {"server", is_new_server}});
    const std::lock_guard lock(mutex);
    state.renewals += is_new_server ? 1 : 0;
    return std::move(*want);
  }
  return fail(Blame::kUpstream, "others change it again and again", "Secret " + options.secret);
}

Result<void> Keeper::Impl::tell_api_server(const std::string& authorities_pem) {
  if (options.configuration.empty()) return {};
  const kube::Kind& kind =
      *kube::find_kind("admissionregistration.k8s.io", "ValidatingWebhookConfiguration");
  SLUICE_TRY(const std::optional<Value> found, client->get(kind, "", options.configuration));
  if (!found) {
    return fail(Blame::kConfig, "is not there: nothing is asked of the webhook",
                "ValidatingWebhookConfiguration " + options.configuration);
  }
  const std::string bundle = compile::base64(authorities_pem);
  bool is_known = true;
  List webhooks;
  for (const Value& each : found->at("webhooks").list()) {
    is_known = is_known && each.at("clientConfig").at("caBundle").text() == bundle;
    webhooks.push_back(Map{{"name", each.at("name")}, {"clientConfig", Map{{"caBundle", bundle}}}});
  }
  if (is_known) return {};
  SLUICE_TRY(const resource::Object wanted,
             resource::make_object(Map{{"apiVersion", api_version_of(kind)},
                                       {"kind", "ValidatingWebhookConfiguration"},
                                       {"metadata", Map{{"name", options.configuration}}},
                                       {"webhooks", std::move(webhooks)}}));
  SLUICE_TRY(const kube::Written written, client->apply(wanted));
  if (written.outcome != kube::Outcome::kDone)
    return fail(Blame::kUpstream, written.message, options.configuration);
  log::info("the API server is told of the webhook's authorities",
            {{"configuration", options.configuration}});
  return {};
}

Result<void> Keeper::Impl::look() {
  if (!options.folder.empty()) return look_at_files();
  SLUICE_TRY(const Material material, shared_material());
  // First who is to be believed, then what they sign. Nobody asks while the first can't be said.
  auto told = tell_api_server(material.authorities_pem);
  SLUICE_CHECK(use(material.server));
  return told;
}

void Keeper::Impl::once() {
  auto looked = look();
  std::string trouble = looked ? "" : to_string(looked.error());
  if (stop.is_set() || (client != nullptr && client->is_stopped())) return;
  const std::lock_guard lock(mutex);
  if (trouble != state.trouble) {
    if (trouble.empty()) {
      log::info("the webhook's certificates are well again");
    } else {
      log::error("the webhook's certificates can't be kept", {{"error", trouble}});
    }
  }
  state.trouble = std::move(trouble);
  state.has_tried = true;
}

void Keeper::Impl::run() {
  for (;;) {
    once();
    bool is_well = false;
    {
      const std::lock_guard lock(mutex);
      is_well = state.trouble.empty();
    }
    if (!stop.wait(is_well ? options.period : options.period_after_failure)) return;
  }
}

Keeper::Keeper(kube::Client* client, KeeperOptions options,
               std::function<std::int64_t()> now_seconds)
    : impl_(new Impl{client, std::move(options), std::move(now_seconds), {}, {}, {}, {}, {}, {}}) {}

Keeper::~Keeper() {
  impl_->stop.set();
  if (impl_->client != nullptr) impl_->client->stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

void Keeper::start() {
  impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

void Keeper::look() { impl_->once(); }

std::shared_ptr<const net::TlsContext> Keeper::tls() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->tls;
}

Keeper::State Keeper::state() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->state;
}

}  // namespace sluice::webhook
