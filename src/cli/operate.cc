// `sluice operator`: the same reconcile loop as `serve`, over a Kubernetes API server. One of
// several replicas leads (a Lease); the others keep their caches warm.
#include <fmt/core.h>
#include <malloc.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <memory>

#include "base/log.h"
#include "base/random.h"
#include "cli/controller.h"
#include "cli/output.h"
#include "cli/standings.h"
#include "cli/status_server.h"
#include "cli/verbs.h"
#include "kube/client.h"
#include "kube/lease.h"
#include "net/loop.h"
#include "resource/print.h"
#include "usage/sender.h"
#include "webhook/webhook.h"

namespace sluice::cli {

namespace {

// After SIGTERM the webhook still answers for so long: API servers hear meanwhile that this pod is
// not to be asked any more.
constexpr int kWebhookLingerMs = 3'000;
// From the start to the first post of usage metrics, if the interval is not shorter.
constexpr Milliseconds kUsageFirst{60'000};

void append_webhook_metrics(std::string& out, const webhook::Counts& counts,
                            const webhook::Keeper::State& state) {
  out +=
      "# HELP sluice_webhook_reviews_total SeldonDeployments that the API server asked "
      "about.\n# TYPE sluice_webhook_reviews_total counter\n";
  for (const auto& [outcome, count] : {std::pair{"accepted", counts.accepted},
                                       {"refused", counts.refused},
                                       {"malformed", counts.malformed}}) {
    out += fmt::format("sluice_webhook_reviews_total{{outcome=\"{}\"}} {}\n", outcome, count);
  }
  append_metric(out, "sluice_webhook_busy_seconds_total", "counter", "Spent on answers.",
                static_cast<double>(counts.busy_ns) / 1e9);
  append_metric(out, "sluice_webhook_certificate_end_timestamp_seconds", "gauge",
                "When the webhook's certificate runs out; 0: there is none.",
                static_cast<double>(state.ends_seconds));
  append_metric(out, "sluice_webhook_certificates_made_total", "counter",
                "Certificates that this replica has made.", static_cast<double>(state.renewals));
  append_metric(out, "sluice_webhook_trouble", "gauge",
                "1 while the webhook's certificates can't be kept.", state.trouble.empty() ? 0 : 1);
}

// A Controller with what makes it a process: signals, the admin port, the webhook, an exit code.
class Process {
 public:
  // `webhook_client`: the webhook's own, for its certificates.
  Process(const OperatorOptions& options, kube::Client& client, kube::Client& lease_client,
          kube::Client& webhook_client)
      : options_(options),
        client_(client),
        controller_(loop_, options, client, lease_client, [this] {
          log::error("the lease is lost; ending, so that nothing is written beside the new leader");
          exit_code_ = kExitFailure;
          loop_.stop();
        }) {
    if (options.webhook == "off") return;
    webhook::Options made;
    made.address = options.webhook;
    made.keeper.folder = options.webhook_certificates;
    made.keeper.namespace_ = options.lease_namespace;
    made.keeper.service = options.webhook_service;
    made.keeper.secret = options.webhook_secret;
    made.keeper.configuration = options.webhook_configuration;
    webhook_ = std::make_unique<webhook::Webhook>(&webhook_client, options.settings, made);
  }

  int run();

 private:
  bool watch_signals();
  void on_signal();
  Result<void> start_servers();
  bool is_ready() const;
  resource::Value status() const;
  std::string metrics() const;
  void send_usage();

  const OperatorOptions options_;
  kube::Client& client_;
  net::Loop loop_;
  Controller controller_;
  std::unique_ptr<webhook::Webhook> webhook_;    // nullptr: off
  std::unique_ptr<usage::Sender> usage_sender_;  // nullptr: nothing is sent
  net::Timer usage_timer_{[](void* self) { static_cast<Process*>(self)->send_usage(); }, this};
  Random random_{static_cast<std::uint64_t>(monotonic_ns())};
  const std::string instance_ = fmt::format("{:016x}", random_.next());
  StatusServer admin_;
  int signal_fd_ = -1;
  net::Watch signal_watch_;
  int exit_code_ = kExitOk;
};

bool Process::watch_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&signals, signal);
  signal_fd_ = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  return signal_fd_ >= 0 &&
         signal_watch_.start(
             loop_, signal_fd_, net::kReadable,
             [](void* self, std::uint32_t) { static_cast<Process*>(self)->on_signal(); }, this);
}

void Process::on_signal() {
  signalfd_siginfo info{};
  while (read(signal_fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info))
    controller_.stop([this] { loop_.stop(); });
}

int Process::run() {
  if (!watch_signals()) {
    log::error("signals can't be watched");
    return kExitFailure;
  }
  if (auto started = start_servers(); !started) {
    log::error("can't start", {{"error", to_string(started.error())}});
    return kExitFailure;
  }
  controller_.start();
  loop_.run();
  client_.stop();
  if (webhook_ != nullptr && exit_code_ == kExitOk) {  // until another signal comes
    pollfd watched{signal_fd_, POLLIN, 0};
    poll(&watched, 1, kWebhookLingerMs);
  }
  return exit_code_;
}

bool Process::is_ready() const {
  // A webhook that can't have its certificate is a trouble of its own: nothing else waits for it.
  return controller_.is_ready() && (webhook_ == nullptr || webhook_->state().has_tried);
}

resource::Value Process::status() const {
  resource::Value status = controller_.status();
  if (webhook_ != nullptr) {
    const webhook::Keeper::State state = webhook_->state();
    status.as_map()->set("webhook", resource::Map{{"trouble", state.trouble},
                                                  {"certificateEndsSeconds", state.ends_seconds}});
  }
  return status;
}

std::string Process::metrics() const {
  std::string out = controller_.metrics();
  if (options_.usage_metrics) usage::append_metrics(out, controller_.usage());
  if (usage_sender_ != nullptr) {
    append_metric(out, "sluice_usage_posts_total", "counter", "Usage metrics sent.",
                  static_cast<double>(usage_sender_->sent()));
    append_metric(out, "sluice_usage_post_failures_total", "counter",
                  "Usage metrics that could not be sent.",
                  static_cast<double>(usage_sender_->failed()));
  }
  if (webhook_ != nullptr) append_webhook_metrics(out, webhook_->counts(), webhook_->state());
  return out;
}

// Somewhere around the interval, so that not all installations send at once.
void Process::send_usage() {
  if (controller_.is_leading()) {
    usage_sender_->send(
        resource::to_json(usage::to_value(controller_.usage(), SLUICE_VERSION, instance_)));
  }
  const auto tenth = static_cast<std::uint32_t>(options_.usage_metrics_interval.count() / 10);
  usage_timer_.arm(loop_, options_.usage_metrics_interval - Milliseconds(tenth) +
                              Milliseconds(random_.below(2 * tenth + 1)));
}

Result<void> Process::start_servers() {
  if (!options_.usage_metrics_url.empty()) {
    auto made = usage::Sender::make(options_.usage_metrics_url);
    if (!made) return tl::unexpected<Error>(within("--usage-metrics-url", std::move(made).error()));
    usage_sender_ = std::move(*made);
    log::info("usage metrics are sent", {{"address", options_.usage_metrics_url}});
    usage_timer_.arm(loop_, std::min(kUsageFirst, options_.usage_metrics_interval));
  }
  if (webhook_ != nullptr) SLUICE_CHECK(webhook_->start());
  StatusServer::Sources sources;
  sources.is_ready = [this] { return is_ready(); };
  sources.status = [this] { return status(); };
  sources.metrics = [this] { return metrics(); };
  return admin_.start(loop_, options_.admin, std::move(sources));
}

// Asked before anything is written: a guess that turns out wrong would restart every model. GKE and
// EKS say "30+".
Result<bool> knows_sleep_action(kube::Client& client) {
  SLUICE_TRY(const resource::Value version, client.version());
  const auto number = [&](std::string_view name) {
    return std::strtol(std::string(version.at(name).text()).c_str(), nullptr, 10);
  };
  return number("major") > 1 || (number("major") == 1 && number("minor") >= 30);
}

}  // namespace

int operate(const OperatorOptions& given) {
  OperatorOptions options = given;
  // Some twenty threads that mostly sleep: an arena of the allocator for each would keep megabytes.
  mallopt(M_ARENA_MAX, 2);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  if (auto fit = kube::check_times(lease_options(options)); !fit) {
    log::error("wrong command line", {{"error", to_string(fit.error())}});
    return kExitUsage;
  }
  if (options.usage_metrics_interval < Milliseconds(1'000) ||
      options.usage_metrics_interval > Milliseconds(31 * 86'400'000LL)) {
    log::error("wrong command line", {{"error", "--usage-metrics-interval is from 1s to 744h"}});
    return kExitUsage;
  }
  auto config = kube::load_config({options.kubeconfig, options.context});
  if (!config) {
    log::error("no API server to talk to", {{"error", to_string(config.error())}});
    return kExitFailure;
  }
  kube::ClientOptions client_options;
  auto client = kube::Client::make(*config, client_options);
  auto lease_client =
      kube::Client::make(*config, kube::lease_client_options(lease_options(options)));
  auto webhook_client = kube::Client::make(*config, client_options);
  for (const auto* each : {&client, &lease_client, &webhook_client}) {
    if (*each) continue;
    log::error("no API server to talk to", {{"error", to_string(each->error())}});
    return kExitFailure;
  }
  if (options.lease_namespace.empty()) options.lease_namespace = (*client)->config().namespace_;
  auto sleeps = knows_sleep_action(**client);
  if (!sleeps) {
    log::error("the API server does not say its version", {{"error", to_string(sleeps.error())}});
    return kExitFailure;
  }
  options.settings.sleep_action = *sleeps;
  return Process(options, **client, **lease_client, **webhook_client).run();
}

}  // namespace sluice::cli
