// `sluice operator`: the same reconcile loop as `serve`, over a Kubernetes API server. One of
// several replicas leads (a Lease); the others keep their caches warm.
#include <fmt/core.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>

#include "base/log.h"
#include "cli/output.h"
#include "cli/standings.h"
#include "cli/status_server.h"
#include "cli/verbs.h"
#include "kube/client.h"
#include "kube/kube_store.h"
#include "kube/lease.h"
#include "net/loop.h"
#include "operator/operator.h"

namespace sluice::cli {

namespace {

constexpr Milliseconds kRetryFirst{1'000};
constexpr Milliseconds kRetryMax{300'000};

// Work that is due at a time, on the loop.
class Later {
 public:
  explicit Later(net::Loop& loop) : loop_(loop) {}
  void run_in(Milliseconds delay, std::function<void()> work) {
    auto entry = std::make_unique<Entry>(*this, std::move(work));
    entry->timer.arm(loop_, delay);
    entries_.push_back(std::move(entry));
  }

 private:
  struct Entry {
    Entry(Later& o, std::function<void()> w)
        : owner(o), work(std::move(w)), timer(&Entry::fire, this) {}
    static void fire(void* self) {
      auto* const entry = static_cast<Entry*>(self);
      const std::function<void()> work = std::move(entry->work);
      std::erase_if(entry->owner.entries_,
                    [entry](const auto& each) { return each.get() == entry; });
      work();
    }
    Later& owner;
    std::function<void()> work;
    net::Timer timer;
  };
  net::Loop& loop_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

class Controller final : public operator_::Gate {
 public:
  Controller(const OperatorOptions& options, kube::Client& client, kube::Client& lease_client)
      : options_(options),
        client_(client),
        store_(loop_, client, kube::KubeStoreOptions{options.namespace_, {}, options.writers}),
        operator_(
            store_, options.settings, *this,
            [this](std::function<void()> work) { loop_.defer(std::move(work)); },
            [this](const resource::ObjectKey& about, std::string_view type, std::string_view reason,
                   std::string_view message) {
              store_.record_event(about, type, reason, message);
            }),
        later_(loop_) {
    if (options.leader_elect) {
      kube::LeaseOptions lease;
      lease.namespace_ =
          options.lease_namespace.empty() ? client.config().namespace_ : options.lease_namespace;
      lease.name = options.lease_name;
      election_ = std::make_unique<kube::LeaderElection>(loop_, lease_client, lease);
    }
  }

  int run();
  // No gateway to ask: the time that Istio is given to carry a change to its proxies.
  void when_in_force(std::function<void()> done) override {
    later_.run_in(Milliseconds(options_.settle_ms), std::move(done));
  }

 private:
  bool watch_signals();
  void on_signal();
  void on_synced();
  void lead();
  void on_failed(const kube::WriteFailure& failure);
  resource::Value status() const;
  std::string metrics() const;
  Result<void> start_admin();

  const OperatorOptions options_;
  kube::Client& client_;
  net::Loop loop_;
  kube::KubeStore store_;
  operator_::Operator operator_;
  Later later_;
  std::unique_ptr<kube::LeaderElection> election_;
  StatusServer admin_;
  int signal_fd_ = -1;
  net::Watch signal_watch_;
  bool leading_ = false;
  bool stopping_ = false;
  int exit_code_ = kExitOk;
  std::map<resource::ObjectKey, Milliseconds> retry_delays_;
  std::uint64_t failures_ = 0;
};

bool Controller::watch_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&signals, signal);
  signal_fd_ = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  return signal_fd_ >= 0 &&
         signal_watch_.start(
             loop_, signal_fd_, net::kReadable,
             [](void* self, std::uint32_t) { static_cast<Controller*>(self)->on_signal(); }, this);
}

void Controller::on_signal() {
  signalfd_siginfo info{};
  while (read(signal_fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (stopping_ || election_ == nullptr || !leading_) {
      loop_.stop();
      return;
    }
    stopping_ = true;
    log::info("stopping: handing the lease over");
    election_->release([this] { loop_.stop(); });
    later_.run_in(Milliseconds(5'000),
                  [this] { loop_.stop(); });  // an API server that does not answer
  }
}

void Controller::on_synced() {
  log::info("caches are filled", {{"objects", store_.object_count()}});
  if (election_ == nullptr) {
    lead();
    return;
  }
  log::info("waiting for the lease", {{"identity", election_->identity()}});
  election_->start(
      [this] { lead(); },
      [this] {
        log::error("the lease is lost; ending, so that nothing is written beside the new leader");
        exit_code_ = kExitFailure;
        loop_.stop();
      });
}

void Controller::lead() {
  leading_ = true;
  log::info("leading", {{"namespace",
                         options_.namespace_.empty() ? std::string("all") : options_.namespace_}});
  operator_.start();
}

void Controller::on_failed(const kube::WriteFailure& failure) {
  ++failures_;
  Milliseconds& delay = retry_delays_[failure.owner];
  delay = std::clamp(delay * 2, kRetryFirst, kRetryMax);
  log::error("a write failed; another pass follows",
             {{"object", to_string(failure.key)},
              {"error", to_string(failure.error)},
              {"retry_in_seconds", std::int64_t{delay.count() / 1000}}});
  operator_.on_write_failed(failure.owner, failure.error);
  later_.run_in(delay, [this, owner = failure.owner] { operator_.request_pass(owner); });
}

int Controller::run() {
  if (!watch_signals()) {
    log::error("signals can't be watched");
    return kExitFailure;
  }
  store_.on_synced([this] { on_synced(); });
  store_.on_failed([this](const kube::WriteFailure& failure) { on_failed(failure); });
  // A deployment that has come to rest starts again with the shortest delay.
  store_.watch([this](const store::Change& change) {
    if (change.after != nullptr && change.after->status().at("state").text() == "Available")
      retry_delays_.erase(change.key);
    if (change.after == nullptr) retry_delays_.erase(change.key);
  });
  if (auto started = start_admin(); !started) {
    log::error("can't start", {{"error", to_string(started.error())}});
    return kExitFailure;
  }
  store_.start();
  loop_.run();
  client_.stop();
  return exit_code_;
}

Result<void> Controller::start_admin() {
  StatusServer::Sources sources;
  sources.is_ready = [this] { return store_.is_synced() && store_.trouble().empty(); };
  sources.status = [this] { return status(); };
  sources.metrics = [this] { return metrics(); };
  return admin_.start(loop_, options_.admin, std::move(sources));
}

resource::Value Controller::status() const {
  return resource::Map{{"ready", store_.is_synced() && store_.trouble().empty()},
                       {"leading", leading_},
                       {"trouble", store_.trouble()},
                       {"writesPending", static_cast<std::int64_t>(store_.writes_pending())},
                       {"deployments", to_value(operator_.standings())}};
}

std::string Controller::metrics() const {
  std::string out;
  append_metrics(out, operator_.standings());
  const auto one = [&](std::string_view name, std::string_view type, std::string_view help,
                       double value) { append_metric(out, name, type, help, value); };
  const kube::ClientCounts counts = client_.counts();
  one("sluice_operator_leading", "gauge", "1 while this replica leads.", leading_ ? 1 : 0);
  one("sluice_operator_passes_total", "counter", "Passes over SeldonDeployments.",
      static_cast<double>(operator_.passes()));
  one("sluice_operator_write_failures_total", "counter", "Writes that failed for good.",
      static_cast<double>(failures_));
  one("sluice_operator_writes_pending", "gauge", "Writes without an answer yet.",
      static_cast<double>(store_.writes_pending()));
  one("sluice_operator_cached_objects", "gauge", "Objects in the caches.",
      static_cast<double>(store_.object_count()));
  one("sluice_kube_calls_total", "counter", "Calls that the API server answered.",
      static_cast<double>(counts.calls));
  one("sluice_kube_retries_total", "counter", "Calls made again.",
      static_cast<double>(counts.retries));
  one("sluice_kube_throttled_seconds_total", "counter", "Waited for our own rate limit.",
      static_cast<double>(counts.throttled_ns) / 1e9);
  return out;
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
  Controller controller(options, **client, **lease_client);
  const int code = controller.run();
  (*lease_client)->stop();
  return code;
}

}  // namespace sluice::cli
