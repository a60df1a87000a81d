#include "runtime/pod.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/log.h"

extern char** environ;  // NOLINT: POSIX has it so

namespace sluice::runtime {

struct Pod::Container {
  Container(Pod& pod, const ContainerSpec& from)
      : owner(pod),
        spec(from),
        restart_timer(
            [](void* self) {
              auto& container = *static_cast<Container*>(self);
              container.owner.start_container(container);
            },
            this),
        kill_timer(
            [](void* self) {
              auto& container = *static_cast<Container*>(self);
              if (container.process) container.process->signal_group(SIGKILL);
            },
            this) {}

  Pod& owner;
  const ContainerSpec& spec;
  std::unique_ptr<Process> process;  // null: not running
  std::unique_ptr<Process> removal;  // of a container that outlived its killed tool
  std::map<std::string, std::string> variables;
  std::string working_dir;
  std::int64_t started_ns = 0;
  unsigned crashes = 0;  // in a row
  bool started = false;  // startupProbe passed, or there is none
  bool ready = false;
  std::string last_line;
  std::string trouble;
  std::unique_ptr<ProbeMonitor> startup;
  std::unique_ptr<ProbeMonitor> readiness;
  std::unique_ptr<ProbeMonitor> liveness;
  net::Timer restart_timer;
  net::Timer kill_timer;  // armed when a failed probe asked the process to end
};

namespace {

// Ours plus the container's own: a local command needs PATH, HOME and the like.
std::vector<std::string> full_environment(const std::map<std::string, std::string>& variables) {
  std::vector<std::string> env;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view text(*each);
    if (!variables.contains(std::string(text.substr(0, text.find('='))))) env.emplace_back(text);
  }
  for (const auto& [name, value] : variables) env.push_back(name + '=' + value);
  return env;
}

bool is_folder(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// Our own children (`sluice model`) write lines of our log's form: their level and message are
// taken over, not packed a second time.
std::string unpacked(std::string_view line, log::Level& level) {
  constexpr std::string_view kLevel = "level=";
  constexpr std::string_view kMessage = " msg=\"";
  const auto message = line.find(kMessage);
  if (!line.starts_with(kLevel) || message == std::string_view::npos ||
      !log::parse_level(line.substr(kLevel.size(), line.find(' ') - kLevel.size()), level)) {
    return std::string(line);
  }
  std::string text(line.substr(message + kMessage.size()));
  if (const auto quote = text.find("\" "); quote != std::string::npos) {
    text.replace(quote, 1, ":");
  } else if (text.ends_with('"')) {
    text.pop_back();
  }
  return text;
}

std::string tool_container_name(const Pod& pod, const ContainerSpec& container) {
  return fmt::format("sluice-{}-{}-{}-{}", getpid(), pod.namespace_name(), pod.name(),
                     container.name);
}

}  // namespace

Pod::Pod(const Host& host, std::uint64_t id, std::string in_namespace, std::string name,
         PodSpec spec)
    : host_(host),
      id_(id),
      namespace_(std::move(in_namespace)),
      name_(std::move(name)),
      spec_(std::move(spec)),
      timer_([](void* self) { static_cast<Pod*>(self)->on_timer(); }, this) {
  for (const ContainerSpec& container : spec_.containers) {
    containers_.push_back(std::make_unique<Container>(*this, container));
  }
}

Pod::~Pod() {
  containers_.clear();
  for (const auto& [declared, given] : ports_) host_.ports.give_back(given);
}

bool Pod::assign_ports() {
  for (const int declared : ports_wanted(spec_)) {
    std::uint16_t& given = ports_[declared];
    if (given == 0) given = host_.ports.take();
    if (given == 0) return false;
  }
  return true;
}

void Pod::start() {
  if (!assign_ports()) {
    for (const auto& container : containers_) {
      container->trouble = fmt::format("no port is free from {} to {}", host_.options.port_first,
                                       host_.options.port_last);
    }
    host_.changed(*this);
    return;
  }
  for (const auto& container : containers_) start_container(*container);
}

bool Pod::is_ready() const noexcept {
  return phase_ == Phase::kRunning && std::all_of(containers_.begin(), containers_.end(),
                                                  [](const auto& each) { return each->ready; });
}

std::size_t Pod::process_count() const noexcept {
  std::size_t count = 0;
  for (const auto& container : containers_) {
    count += container->process ? 1 : 0;
    count += container->removal ? 1 : 0;
  }
  return count;
}

std::string Pod::trouble() const {
  for (const auto& container : containers_) {
    if (container->ready) continue;
    if (!container->trouble.empty())
      return fmt::format("container {}: {}", container->spec.name, container->trouble);
    if (container->readiness && !container->readiness->last_reason().empty()) {
      return fmt::format("container {}: not ready yet: {}", container->spec.name,
                         container->readiness->last_reason());
    }
  }
  return {};
}

// ---- one container

Result<ProcessSpec> Pod::make_process(const Container& container,
                                      const std::map<std::string, std::string>& variables) {
  ProcessSpec process;
  const ContainerSpec& spec = container.spec;
  if (spec.command.empty()) {
    if (host_.container_tool.empty())
      return fail(Blame::kConfig, "it has no command and no container tool works here");
    process.env = full_environment({});
    process.argv = {host_.container_tool, "run", "--rm", "--name", tool_container_name(*this, spec),
                    "--network",          "host"};
    for (const auto& [name, value] : variables) {
      process.argv.emplace_back("--env");
      process.argv.push_back(name + '=' + value);
    }
    process.argv.push_back(spec.image);
  } else {
    process.env = full_environment(variables);
    for (const std::string& word : spec.command) process.argv.push_back(expand(word, variables));
    if (process.argv.front() == kSelfCommand) {
      process.argv.front() = "sluice";
      process.program = host_.options.sluice_path;
    }
    process.working_dir = container.working_dir;
  }
  for (const std::string& word : spec.args) process.argv.push_back(expand(word, variables));
  return process;
}

void Pod::start_container(Container& container) {
  if (phase_ != Phase::kRunning) return;
  // Should another program have taken a port meanwhile, this container gets another one.
  bool ports_changed = false;
  for (const PortSpec& port : container.spec.ports) {
    std::uint16_t& given = ports_[port.number];
    if (host_.ports.is_free(given)) continue;
    const std::uint16_t fresh = host_.ports.take();
    if (fresh == 0) continue;
    host_.ports.give_back(given);
    given = fresh;
    ports_changed = true;
  }
  container.variables =
      make_environment(container.spec, ports_, name_, namespace_, host_.options.address);
  container.working_dir = spec_.origin_folder;
  if (const std::string& wanted = container.spec.working_dir; !wanted.empty()) {
    container.working_dir = wanted.front() == '/' || spec_.origin_folder.empty()
                                ? wanted
                                : spec_.origin_folder + '/' + wanted;
    if (!is_folder(container.working_dir)) {
      log::warning("workingDir is not a folder here; the manifest's folder is used",
                   {{"pod", namespace_ + '/' + name_},
                    {"container", container.spec.name},
                    {"folder", wanted}});
      container.working_dir = spec_.origin_folder;
    }
  }
  container.started = false;
  container.last_line.clear();
  container.started_ns = host_.loop.now_ns();
  const auto on_line = [this, &container](std::string_view line) {
    log::Level level = log::Level::kInfo;
    container.last_line = unpacked(line, level);
    if (host_.options.on_line)
      return host_.options.on_line(namespace_ + '/' + name_, container.spec.name, line);
    if (!log::enabled(level)) return;
    log::write(level, container.last_line,
               {{"pod", namespace_ + '/' + name_}, {"container", container.spec.name}});
  };
  const auto process = make_process(container, container.variables);
  if (!process) return restart_later(container, to_string(process.error()));
  auto started =
      Process::start(host_.loop, *process, on_line,
                     [this, &container](const ProcessExit& exit) { on_exit(container, exit); });
  if (!started) return restart_later(container, to_string(started.error()));
  container.process = std::move(*started);
  log::info("process started", {{"pod", namespace_ + '/' + name_},
                                {"container", container.spec.name},
                                {"pid", container.process->pid()}});
  watch_probes(container);
  if (ports_changed) host_.changed(*this);
}

void Pod::watch_probes(Container& container) {
  const ProbeSpec& probe = container.spec.startup;
  if (probe.kind == ProbeSpec::Kind::kNone) return on_started(container);
  const ProbeTarget target{host_.options.address, resolve_port(probe.port, spec_, ports_),
                           full_environment(container.variables), container.working_dir};
  container.startup = std::make_unique<ProbeMonitor>(
      host_.loop, probe, target, ProbeMonitor::Use::kUntilFirstSuccess,
      host_.options.probe_interval_first, [this, &container](bool passing, const std::string&) {
        if (passing && !container.started) on_started(container);
      });
  const Milliseconds budget = probe.initial_delay + probe.period * probe.failure_threshold;
  container.kill_timer.arm(host_.loop, budget);
}

void Pod::on_started(Container& container) {
  container.started = true;
  container.kill_timer.disarm();
  watch_liveness(container);
  watch_readiness(container);
}

void Pod::watch_readiness(Container& container) {
  const ProbeSpec& probe = container.spec.readiness;
  if (probe.kind == ProbeSpec::Kind::kNone) {
    container.ready = true;
    container.trouble.clear();
    host_.changed(*this);
    return;
  }
  const ProbeTarget target{host_.options.address, resolve_port(probe.port, spec_, ports_),
                           full_environment(container.variables), container.working_dir};
  container.readiness = std::make_unique<ProbeMonitor>(
      host_.loop, probe, target, ProbeMonitor::Use::kUntilFirstSuccess,
      host_.options.probe_interval_first,
      [this, &container](bool passing, const std::string& reason) {
        container.ready = passing;
        container.trouble = passing ? std::string() : "readinessProbe failed: " + reason;
        if (!passing) {
          log::warning("not ready any more", {{"pod", namespace_ + '/' + name_},
                                              {"container", container.spec.name},
                                              {"reason", reason}});
        }
        host_.changed(*this);
      });
}

void Pod::watch_liveness(Container& container) {
  const ProbeSpec& probe = container.spec.liveness;
  if (probe.kind == ProbeSpec::Kind::kNone) return;
  const ProbeTarget target{host_.options.address, resolve_port(probe.port, spec_, ports_),
                           full_environment(container.variables), container.working_dir};
  container.liveness =
      std::make_unique<ProbeMonitor>(host_.loop, probe, target, ProbeMonitor::Use::kFromTheStart,
                                     host_.options.probe_interval_first,
                                     [this, &container](bool passing, const std::string& reason) {
                                       if (passing || phase_ != Phase::kRunning) return;
                                       log::error("livenessProbe failed: the process is restarted",
                                                  {{"pod", namespace_ + '/' + name_},
                                                   {"container", container.spec.name},
                                                   {"reason", reason}});
                                       container.ready = false;
                                       container.trouble = "livenessProbe failed: " + reason;
                                       kill_container(container);
                                       host_.changed(*this);
                                     });
}

// SIGTERM now, SIGKILL after the grace period; on_exit starts it again.
void Pod::kill_container(Container& container) {
  if (!container.process) return;
  container.process->ask_to_end();
  container.kill_timer.arm(host_.loop, spec_.grace);
}

void Pod::on_exit(Container& container, const ProcessExit& exit) {
  container.process.reset();
  container.kill_timer.disarm();
  container.startup.reset();
  container.readiness.reset();
  container.liveness.reset();
  container.ready = false;
  if (phase_ != Phase::kRunning) return check_gone();
  const Milliseconds ran((host_.loop.now_ns() - container.started_ns) / 1'000'000);
  if (ran >= host_.options.restart_reset_after) container.crashes = 0;
  std::string what = "the process " + to_string(exit);
  // What it said last is the reason, unless somebody killed it.
  if (!container.last_line.empty() && exit.signal != SIGKILL && exit.signal != SIGTERM)
    what += ": " + container.last_line;
  restart_later(container, what);
}

void Pod::restart_later(Container& container, const std::string& what) {
  Milliseconds delay = host_.options.restart_delay_first;
  for (unsigned i = 0; i < container.crashes && delay < host_.options.restart_delay_max; ++i)
    delay *= 2;
  delay = std::min(delay, host_.options.restart_delay_max);
  ++container.crashes;
  container.trouble = what;
  log::error("process ended; it is started again", {{"pod", namespace_ + '/' + name_},
                                                    {"container", container.spec.name},
                                                    {"reason", what},
                                                    {"crashes", container.crashes},
                                                    {"after_ms", delay.count()}});
  container.restart_timer.arm(host_.loop, delay);
  host_.changed(*this);
}

// ---- the end

void Pod::retire() {
  if (phase_ != Phase::kRunning) return;
  phase_ = Phase::kDraining;
  for (const auto& container : containers_) {
    container->restart_timer.disarm();
    container->startup.reset();
    container->readiness.reset();
    container->liveness.reset();
  }
  const bool served = std::any_of(containers_.begin(), containers_.end(),
                                  [](const auto& each) { return each->ready; });
  timer_.arm(host_.loop, served ? host_.options.drain_delay : Milliseconds(0));
}

void Pod::on_timer() {
  if (phase_ == Phase::kDraining) {
    phase_ = Phase::kStopping;
    for (const auto& container : containers_) {
      if (container->process) container->process->ask_to_end();
    }
    timer_.arm(host_.loop, spec_.grace);
    check_gone();
    return;
  }
  log::warning("the grace period is over: killed", {{"pod", namespace_ + '/' + name_}});
  for (const auto& container : containers_) {
    if (container->process) container->process->signal_group(SIGKILL);
    if (!container->process || !container->spec.command.empty()) continue;
    // Killing the tool leaves its container running: remove that, too.
    const ProcessSpec removal{
        {host_.container_tool, "rm", "-f", tool_container_name(*this, container->spec)},
        full_environment({}),
        {},
        {}};
    auto started =
        Process::start(host_.loop, removal, {}, [this, each = container.get()](const ProcessExit&) {
          each->removal.reset();
          check_gone();
        });
    if (started) container->removal = std::move(*started);
  }
}

void Pod::check_gone() {
  if (phase_ != Phase::kStopping && phase_ != Phase::kDraining) return;
  if (process_count() > 0) return;
  timer_.disarm();
  phase_ = Phase::kGone;
  host_.changed(*this);
}

}  // namespace sluice::runtime
