// `sluice operator`: the same reconcile loop as `serve`, over a Kubernetes API server. One of
// several replicas leads (a Lease); the others keep their caches warm.
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <memory>

#include "base/log.h"
#include "cli/controller.h"
#include "cli/output.h"
#include "cli/status_server.h"
#include "cli/verbs.h"
#include "kube/client.h"
#include "kube/lease.h"
#include "net/loop.h"

namespace sluice::cli {

namespace {

// A Controller with what makes it a process: signals, the admin port, an exit code.
class Process {
 public:
  Process(const OperatorOptions& options, kube::Client& client, kube::Client& lease_client)
      : options_(options), controller_(loop_, options, client, lease_client, [this] {
          log::error("the lease is lost; ending, so that nothing is written beside the new leader");
          exit_code_ = kExitFailure;
          loop_.stop();
        }) {}

  int run();

 private:
  bool watch_signals();
  void on_signal();
  Result<void> start_admin();

  const OperatorOptions options_;
  net::Loop loop_;
  Controller controller_;
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
  if (auto started = start_admin(); !started) {
    log::error("can't start", {{"error", to_string(started.error())}});
    return kExitFailure;
  }
  controller_.start();
  loop_.run();
  return exit_code_;
}

Result<void> Process::start_admin() {
  StatusServer::Sources sources;
  sources.is_ready = [this] { return controller_.is_ready(); };
  sources.status = [this] { return controller_.status(); };
  sources.metrics = [this] { return controller_.metrics(); };
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
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  auto config = kube::load_config({options.kubeconfig, options.context});
  if (!config) {
    log::error("no API server to talk to", {{"error", to_string(config.error())}});
    return kExitFailure;
  }
  kube::ClientOptions client_options;
  auto client = kube::Client::make(*config, client_options);
  auto lease_client = kube::Client::make(*config, kube::lease_client_options());
  for (const auto* each : {&client, &lease_client}) {
    if (*each) continue;
    log::error("no API server to talk to", {{"error", to_string(each->error())}});
    return kExitFailure;
  }
  auto sleeps = knows_sleep_action(**client);
  if (!sleeps) {
    log::error("the API server does not say its version", {{"error", to_string(sleeps.error())}});
    return kExitFailure;
  }
  options.settings.sleep_action = *sleeps;
  return Process(options, **client, **lease_client).run();
}

}  // namespace sluice::cli
