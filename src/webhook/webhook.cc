#include "webhook/webhook.h"

#include <atomic>
#include <thread>

#include "admin/server.h"
#include "base/log.h"
#include "kube/document.h"
#include "net/loop.h"
#include "resource/print.h"
#include "webhook/review.h"

namespace sluice::webhook {

namespace {

admin::Limits server_limits() {
  admin::Limits limits;
  limits.connections_max = kConnectionsMax;
  limits.body_bytes_max = kReviewBytesMax;
  limits.exchange_timeout_max = kExchangeMax;
  return limits;
}

Result<Verdict> verdict_on(std::string_view body, const compile::Settings& settings) {
  SLUICE_TRY(const resource::Value document, kube::parse_document(body));
  return review(document, settings);
}

}  // namespace

struct Webhook::Impl {
  Impl(kube::Client* client, compile::Settings given, Options options)
      : settings(std::move(given)),
        keeper(client, std::move(options.keeper)),
        server(loop, std::move(options.address), server_limits(), [this] { return keeper.tls(); }) {
    server.route("POST", kPath, [this](const admin::Request& request) { return answer(request); });
  }

  admin::Response answer(const admin::Request& request);

  const compile::Settings settings;
  net::Loop loop;
  Keeper keeper;
  admin::Server server;  // the loop's thread, once it runs
  std::thread thread;
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> malformed{0};
  std::atomic<std::uint64_t> busy_ns{0};
};

admin::Response Webhook::Impl::answer(const admin::Request& request) {
  const std::int64_t begin = monotonic_ns();
  const Result<Verdict> verdict = verdict_on(request.body, settings);
  admin::Response response{200, "application/json", ""};
  if (!verdict) {
    malformed.fetch_add(1, std::memory_order_relaxed);
    log::warning("the webhook was asked what it does not understand",
                 {{"error", to_string(verdict.error())}});
    response = {400, "text/plain; charset=utf-8", to_string(verdict.error()) + "\n"};
  } else {
    (verdict->allowed ? accepted : refused).fetch_add(1, std::memory_order_relaxed);
    if (!verdict->allowed)
      log::info("refused", {{"object", verdict->object}, {"error", verdict->message}});
    response.body = resource::to_json(verdict->response);
  }
  busy_ns.fetch_add(static_cast<std::uint64_t>(monotonic_ns() - begin), std::memory_order_relaxed);
  return response;
}

Webhook::Webhook(kube::Client* client, compile::Settings settings, Options options)
    : impl_(std::make_unique<Impl>(client, std::move(settings), std::move(options))) {}

Webhook::~Webhook() {
  impl_->loop.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

Result<std::string> Webhook::start() {
  auto bound = impl_->server.start();
  if (!bound) return tl::unexpected<Error>(within("--webhook", std::move(bound).error()));
  impl_->keeper.start();
  impl_->thread = std::thread([impl = impl_.get()] { impl->loop.run(); });
  log::info("the webhook's port is open", {{"bound", *bound}});
  return bound;
}

Counts Webhook::counts() const noexcept {
  return Counts{impl_->accepted.load(), impl_->refused.load(), impl_->malformed.load(),
                impl_->busy_ns.load()};
}

Keeper::State Webhook::state() const { return impl_->keeper.state(); }

}  // namespace sluice::webhook
