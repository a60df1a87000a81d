// `sluice serve`: one machine. Files feed the store; the operator wires what is in it, the runtime
// runs it, the linker makes snapshots of it, the gateway serves them. All but the gateway's workers
// is one thread, here.
#include <fmt/core.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <deque>
#include <map>

#include "base/clock.h"
#include "base/log.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/standings.h"
#include "cli/status_server.h"
#include "cli/verbs.h"
#include "compile/admission.h"
#include "compile/link.h"
#include "gateway/gateway.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "operator/operator.h"
#include "runtime/runtime.h"
#include "store/file_source.h"
#include "store/memory_store.h"

namespace sluice::cli {

namespace {

bool is_networking(const resource::ObjectKey& key) {
  return key.group == "networking.istio.io" || key.group == "discovery.k8s.io" ||
         key.kind == "Service" || key.kind == "Secret" || key.kind == "Namespace";
}

compile::LinkSettings link_settings() {
  compile::LinkSettings settings;
  settings.provide_gateway = true;
  settings.now_seconds = wall_seconds();
  return settings;
}

class Machine final : public operator_::Gate {
 public:
  explicit Machine(const ServeOptions& options)
      : options_(options),
        linker_(link_settings()),
        gateway_(loop_, options.gateway),
        runtime_(loop_, store_, runtime::Options{}),
        operator_(store_, options.settings, *this,
                  [this](std::function<void()> work) { loop_.defer(std::move(work)); }),
        files_(loop_, store_, file_options()),
        resolver_(loop_,
                  [this](const std::string& name, const std::vector<std::string>& addresses) {
                    linker_.set_addresses(name, addresses);
                    schedule_link();
                  }) {}

  int run();
  // An endpoint that is in the store is in the next snapshot, and so is the route to it.
  void ask(const operator_::Question& question, std::function<void()> done) override {
    if (!question.destinations.empty()) {
      loop_.defer(std::move(done));
      return;
    }
    waiting_.push_back(std::move(done));
    schedule_link();
  }

 private:
  store::FileSource::Options file_options();
  bool watch_signals();
  void on_signal();
  void drain();
  void schedule_link();
  void link();
  void publish(std::shared_ptr<const route::Snapshot> snapshot);
  void report_ports();
  void report_links();
  bool is_ready() const;
  resource::Value status() const;
  std::string metrics() const;
  Result<void> start_admin();

  const ServeOptions options_;
  net::Loop loop_;
  store::MemoryStore store_;
  compile::Linker linker_;
  gateway::Gateway gateway_;
  runtime::Runtime runtime_;
  operator_::Operator operator_;
  store::FileSource files_;
  net::Resolver resolver_;
  StatusServer admin_;

  int signal_fd_ = -1;
  net::Watch signal_watch_;
  bool draining_ = false;
  int exit_code_ = kExitOk;

  // Link and publish. Each publication has a number; a waiter is told when the one that carries it
  // is adopted.
  bool link_scheduled_ = false;
  std::shared_ptr<const route::Snapshot> published_;
  std::uint64_t publications_ = 0;
  std::uint64_t adopted_ = 0;
  std::vector<std::function<void()>> waiting_;  // for the next link
  std::map<std::uint64_t, std::vector<std::function<void()>>> waiting_for_;
  std::int64_t link_ns_last_ = 0;
  bool said_provided_ = false;
  bool was_ready_ = false;
  std::map<std::string, std::string> ports_said_;

  // What there is to say about each file now.
  std::map<std::string, resource::Diagnostics> file_diagnostics_;
  std::uint64_t rejected_ = 0;
};

store::FileSource::Options Machine::file_options() {
  store::FileSource::Options options;
  options.paths = options_.files;
  options.admit = [this](const resource::Object& object) {
    return compile::admit(object, options_.settings);
  };
  options.report = [this](const std::string& file, const resource::Diagnostics& diagnostics) {
    print_diagnostics(diagnostics);
    if (resource::has_errors(diagnostics)) {
      ++rejected_;
      log::error("a file has errors; the last good state of what it holds keeps serving",
                 {{"file", file}});
    } else if (const auto before = file_diagnostics_.find(file);
               before != file_diagnostics_.end() && resource::has_errors(before->second)) {
      log::info("the file is well again", {{"file", file}});
    }
    if (diagnostics.empty()) {
      file_diagnostics_.erase(file);
    } else {
      file_diagnostics_[file] = diagnostics;
    }
  };
  return options;
}

bool Machine::watch_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  signal_fd_ = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  return signal_fd_ >= 0 &&
         signal_watch_.start(
             loop_, signal_fd_, net::kReadable,
             [](void* self, std::uint32_t) { static_cast<Machine*>(self)->on_signal(); }, this);
}

void Machine::on_signal() {
  signalfd_siginfo info{};
  while (read(signal_fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo == SIGHUP) {
      log::info("SIGHUP: reading everything again");
      files_.rescan();
    } else if (draining_) {
      log::warning("second signal: stopping at once");
      exit_code_ = kExitFailure;
      loop_.stop();
    } else {
      drain();
    }
  }
}

void Machine::drain() {
  draining_ = true;
  log::info("draining: no new connections; requests may end",
            {{"seconds", options_.drain_seconds}});
  gateway_.drain(Milliseconds(options_.drain_seconds * 1000), [this] {
    log::info("gateway drained; stopping the models");
    runtime_.drain([this] {
      log::info("stopped");
      loop_.stop();
    });
  });
}

void Machine::schedule_link() {
  if (link_scheduled_) return;
  link_scheduled_ = true;
  loop_.defer([this] { link(); });
}

void Machine::link() {
  if (operator_.has_work()) {  // what it is about to write belongs into the same snapshot
    loop_.defer([this] { link(); });
    return;
  }
  link_scheduled_ = false;
  const std::int64_t begin = monotonic_ns();
  std::shared_ptr<const route::Snapshot> snapshot = linker_.link();
  link_ns_last_ = monotonic_ns() - begin;
  resolver_.set_names(linker_.names_to_resolve());
  if (snapshot != published_) publish(std::move(snapshot));
  auto& waiters = waiting_for_[publications_];
  std::move(waiting_.begin(), waiting_.end(), std::back_inserter(waiters));
  waiting_.clear();
  if (adopted_ == publications_) {
    loop_.post([this, done = std::move(waiters)] {
      for (const auto& each : done) each();
    });
    waiting_for_.erase(publications_);
  }
}

void Machine::publish(std::shared_ptr<const route::Snapshot> snapshot) {
  published_ = std::move(snapshot);
  const std::uint64_t number = ++publications_;
  gateway_.publish(published_, [this, number] {
    adopted_ = std::max(adopted_, number);
    while (!waiting_for_.empty() && waiting_for_.begin()->first <= adopted_) {
      const auto done = std::move(waiting_for_.begin()->second);
      waiting_for_.erase(waiting_for_.begin());
      for (const auto& each : done) each();
    }
  });
  report_ports();
}

void Machine::report_ports() {
  if (linker_.uses_provided_gateway() && !said_provided_) {
    log::info(
        "the input holds no Gateway: istio-system/seldon-gateway with HTTP on port 80 is provided");
    said_provided_ = true;
  }
  for (const gateway::PortStatus& port : gateway_.ports()) {
    const std::string key = std::to_string(port.gateway_port);
    const std::string now = port.error.empty() ? port.bound : port.error;
    if (ports_said_[key] == now) continue;
    ports_said_[key] = now;
    if (port.error.empty()) {
      log::info("gateway port is open",
                {{"gateway_port", port.gateway_port}, {"bound", port.bound}});
    } else {
      log::error("gateway port can't be opened",
                 {{"gateway_port", port.gateway_port}, {"error", port.error}});
    }
  }
}

bool Machine::is_ready() const {
  if (draining_ || adopted_ == 0) return false;
  const auto standings = operator_.standings();
  return std::none_of(standings.begin(), standings.end(),
                      [](const auto& each) { return each.state == "Creating"; });
}

int Machine::run() {
  if (!watch_signals()) {
    log::error("signals can't be watched");
    return kExitFailure;
  }
  store_.watch([this](const store::Change& change) {
    if (!is_networking(change.key) || change.status_only) return;
    change.after != nullptr ? linker_.put(change.after) : linker_.erase(change.key);
    schedule_link();
  });
  operator_.start();
  runtime_.start();
  if (auto started = files_.start(); !started) {
    log::error("can't start", {{"error", to_string(started.error())}});
    return kExitFailure;
  }
  if (auto started = start_admin(); !started) {
    log::error("can't start", {{"error", to_string(started.error())}});
    return kExitFailure;
  }
  schedule_link();
  loop_.run_once(0);  // reads, wires and links everything
  const auto ports = gateway_.ports();
  if (!ports.empty() && std::all_of(ports.begin(), ports.end(),
                                    [](const auto& port) { return !port.error.empty(); })) {
    log::error(
        "no gateway port could be opened; give other ports with --bind, such as --bind 80=8080");
    return kExitFailure;
  }
  loop_.run();
  return exit_code_;
}

Result<void> Machine::start_admin() {
  StatusServer::Sources sources;
  sources.is_ready = [this] { return is_ready(); };
  sources.status = [this] { return status(); };
  sources.metrics = [this] { return metrics(); };
  sources.snapshot = [this] { return published_; };
  sources.objects = [this] {
    resource::List list;
    for (const auto& object : store_.all()) list.push_back(object->root);
    return resource::Value(std::move(list));
  };
  sources.drain = [this] {
    if (!draining_) drain();
  };
  return admin_.start(loop_, options_.admin, std::move(sources));
}

resource::Value Machine::status() const {
  resource::List ports;
  for (const gateway::PortStatus& port : gateway_.ports()) {
    ports.push_back(resource::Map{{"gatewayPort", std::int64_t{port.gateway_port}},
                                  {"bound", port.bound},
                                  {"error", port.error}});
  }
  resource::List findings;
  for (const auto& [file, diagnostics] : file_diagnostics_) {
    const resource::Value found = to_value(diagnostics);
    findings.insert(findings.end(), found.list().begin(), found.list().end());
  }
  const resource::Value links = to_value(linker_.diagnostics());
  return resource::Map{
      {"ready", is_ready()},
      {"draining", draining_},
      {"snapshot", static_cast<std::int64_t>(published_ == nullptr ? 0 : published_->version)},
      {"deployments", to_value(operator_.standings())},
      {"ports", std::move(ports)},
      {"documents", std::move(findings)},
      {"references", links}};
}

std::string Machine::metrics() const {
  std::string out = gateway_.metrics();
  append_metrics(out, operator_.standings());
  const auto one = [&](std::string_view name, std::string_view type, std::string_view help,
                       double value) { append_metric(out, name, type, help, value); };
  one("sluice_config_rejected_total", "counter",
      "Readings of files in which something was refused.", static_cast<double>(rejected_));
  one("sluice_config_files_with_errors", "gauge", "Files in which something is refused now.",
      static_cast<double>(
          std::count_if(file_diagnostics_.begin(), file_diagnostics_.end(),
                        [](const auto& each) { return resource::has_errors(each.second); })));
  one("sluice_snapshots_published_total", "counter", "Route tables given to the gateway.",
      static_cast<double>(publications_));
  one("sluice_link_seconds", "gauge", "Time that the last route table took to make.",
      static_cast<double>(link_ns_last_) / 1e9);
  one("sluice_operator_passes_total", "counter", "Passes over SeldonDeployments.",
      static_cast<double>(operator_.passes()));
  one("sluice_model_processes", "gauge", "Model processes alive.",
      static_cast<double>(runtime_.process_count()));
  return out;
}

}  // namespace

int serve(const ServeOptions& options) {
  // Before any thread starts: they all inherit it, and only the control thread reads the
  // descriptor.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  Machine machine(options);
  return machine.run();
}

}  // namespace sluice::cli
