#include "runtime/process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/log.h"

namespace sluice::runtime {

namespace {

constexpr std::size_t kReadsPerEvent = 16;  // of 16 KiB: a child that floods must not hold the loop
constexpr Milliseconds kGroupInterval{20};

const std::string* find_env(const std::vector<std::string>& env, std::string_view prefix) {
  for (const std::string& each : env) {
    if (each.starts_with(prefix)) return &each;
  }
  return nullptr;
}

// Before the fork: looking up a path after it would allocate.
std::string find_program(const ProcessSpec& spec) {
  if (!spec.program.empty()) return spec.program;
  const std::string& name = spec.argv.front();
  if (name.find('/') != std::string::npos) return name;
  const std::string* const path = find_env(spec.env, "PATH=");
  std::string_view folders =
      path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : std::string_view(*path).substr(5);
  while (!folders.empty()) {
    const std::string_view folder = folders.substr(0, folders.find(':'));
    const std::string file = (folder.empty() ? std::string(".") : std::string(folder)) + '/' + name;
    if (access(file.c_str(), X_OK) == 0) return file;
    folders.remove_prefix(std::min(folders.size(), folder.size() + 1));
  }
  return {};
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

struct Launch {
  const char* program;
  char* const* argv;
  char* const* envp;
  const char* working_dir;  // nullptr: ours
  int output;
  int failure;  // write end of the pipe that tells errno
  pid_t parent;
};

// After the fork: other threads may have held any lock, so only async-signal-safe calls
// (signal-safety(7)).
[[noreturn]] void become(const Launch& launch) noexcept {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto give_up = [&](int stage) {
    const int report[2] = {stage, errno};
    [[maybe_unused]] const ssize_t written = write(launch.failure, report, sizeof report);
    _exit(127);
  };
  if (getppid() != launch.parent) _exit(127);  // the parent died before prctl
  sigset_t none;
  sigemptyset(&none);
  struct sigaction plain{};
  plain.sa_handler = SIG_DFL;
  for (int signal = 1; signal < 32; ++signal) sigaction(signal, &plain, nullptr);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = open("/dev/null", O_RDONLY);
  if (null < 0 || dup2(null, 0) < 0 || dup2(launch.output, 1) < 0 || dup2(launch.output, 2) < 0)
    give_up(0);
  // All descriptors of ours are close-on-exec already; this holds for those of libraries, too.
  syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
  if (launch.working_dir != nullptr && chdir(launch.working_dir) != 0) give_up(1);
  execve(launch.program, launch.argv, launch.envp);
  give_up(2);
  _exit(127);
}

}  // namespace

std::string to_string(const ProcessExit& exit) {
  if (exit.signal != 0) {
    const char* const name = sigabbrev_np(exit.signal);
    return fmt::format("was killed by SIG{}",
                       name != nullptr ? name : std::to_string(exit.signal).c_str());
  }
  return fmt::format("exited with status {}", exit.code);
}

Result<std::unique_ptr<Process>> Process::start(net::Loop& loop, const ProcessSpec& spec,
                                                LineHandler on_line, ExitHandler on_exit) {
  const std::string program = find_program(spec);
  if (program.empty()) return fail(Blame::kConfig, "is not found in PATH", spec.argv.front());
  int output[2];
  int failure[2];
  if (pipe2(output, O_CLOEXEC) != 0)
    return fail(Blame::kInternal, fmt::format("no pipe: {}", strerror(errno)));
  net::Fd output_read(output[0]);
  net::Fd output_write(output[1]);
  if (pipe2(failure, O_CLOEXEC) != 0)
    return fail(Blame::kInternal, fmt::format("no pipe: {}", strerror(errno)));
  net::Fd failure_read(failure[0]);
  net::Fd failure_write(failure[1]);

  const std::vector<char*> argv = pointers(spec.argv);
  const std::vector<char*> envp = pointers(spec.env);
  const Launch launch{program.c_str(),
                      argv.data(),
                      envp.data(),
                      spec.working_dir.empty() ? nullptr : spec.working_dir.c_str(),
                      output_write.get(),
                      failure_write.get(),
                      getpid()};
  const pid_t pid = fork();
  if (pid < 0) return fail(Blame::kInternal, fmt::format("no process: {}", strerror(errno)));
  if (pid == 0) become(launch);
  setpgid(pid, pid);  // here too, so that the group exists whoever comes first
  Guard::add(pid);
  std::unique_ptr<Process> process(new Process());
  process->pid_ = pid;
  process->loop_ = &loop;
  output_write.close();
  failure_write.close();
  int report[2] = {0, 0};
  ssize_t got = 0;
  while ((got = read(failure_read.get(), report, sizeof report)) < 0 && errno == EINTR) {
  }
  if (got > 0) {  // the destructor reaps
    const char* const reason = strerror(report[1]);
    return report[0] == 1 ? fail(Blame::kConfig,
                                 fmt::format("the working folder can't be entered: {}", reason),
                                 spec.working_dir)
                          : fail(Blame::kConfig, fmt::format("can't be run: {}", reason), program);
  }
  process->pidfd_ = net::Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process->pidfd_.is_open())
    return fail(Blame::kInternal, fmt::format("no pidfd: {}", strerror(errno)));
  fcntl(output_read.get(), F_SETFL, O_NONBLOCK);
  process->output_ = std::move(output_read);
  process->on_line_ = std::move(on_line);
  process->on_exit_ = std::move(on_exit);
  process->end_watch_.start(loop, process->pidfd_.get(), net::kReadable, &Process::on_end,
                            process.get());
  process->output_watch_.start(loop, process->output_.get(), net::kReadable, &Process::on_output,
                               process.get());
  return process;
}

Process::~Process() {
  if (pid_ < 0) return;
  kill(-pid_, SIGKILL);
  if (!reaped_) {
    kill(pid_, SIGKILL);  // should it not have reached its group yet
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  Guard::remove(pid_);
}

void Process::signal_group(int signal) noexcept {
  killed_ = killed_ || signal == SIGKILL;
  if (pid_ > 0) kill(-pid_, signal);
}

void Process::on_output(void* context, std::uint32_t) {
  static_cast<Process*>(context)->read_output();
}

void Process::read_output() {
  char buffer[16U << 10U];
  for (std::size_t i = 0; i < kReadsPerEvent; ++i) {
    const ssize_t bytes = read(output_.get(), buffer, sizeof buffer);
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (bytes <= 0) {  // it closed its output; it may live on
      flush_line();
      output_watch_.stop();
      output_.close();
      return;
    }
    take({buffer, static_cast<std::size_t>(bytes)});
  }
}

void Process::take(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    const std::size_t room = kLineBytesMax - line_.size();
    line_.append(part.substr(0, room));
    line_cut_ = line_cut_ || part.size() > room;
    if (end == std::string_view::npos) return;
    flush_line();
    bytes.remove_prefix(end + 1);
  }
}

void Process::flush_line() {
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  if (line_cut_) line_ += " [cut]";
  if (!line_.empty() && on_line_) on_line_(line_);
  line_.clear();
  line_cut_ = false;
}

void Process::ask_to_end() noexcept {
  asked_to_end_ = true;
  signal_group(SIGTERM);
}

void Process::on_end(void* context, std::uint32_t) {
  auto& self = *static_cast<Process*>(context);
  siginfo_t info{};
  // Still a zombie here: its number, and so its group's, can't be anyone else's.
  if (waitid(P_PID, static_cast<id_t>(self.pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid == 0)
    return;
  if (!self.asked_to_end_) kill(-self.pid_, SIGKILL);
  waitpid(self.pid_, &self.wait_status_, 0);
  self.reaped_ = true;
  self.end_watch_.stop();
  // The number stays the group's as long as it has a member.
  if (self.asked_to_end_ && kill(-self.pid_, 0) == 0)
    return self.group_timer_.arm(*self.loop_, kGroupInterval);
  self.finish();
}

void Process::on_group_timer(void* context) {
  auto& self = *static_cast<Process*>(context);
  // After SIGKILL only zombies can be left, which are someone else's to reap.
  if (!self.killed_ && kill(-self.pid_, 0) == 0)
    return self.group_timer_.arm(*self.loop_, kGroupInterval);
  self.finish();
}

void Process::finish() {
  Guard::remove(pid_);
  pid_ = -1;
  if (output_.is_open()) read_output();
  flush_line();
  output_watch_.stop();
  ProcessExit exit;
  if (WIFSIGNALED(wait_status_)) {
    exit.signal = WTERMSIG(wait_status_);
  } else {
    exit.code = WEXITSTATUS(wait_status_);
  }
  const ExitHandler on_exit = std::move(on_exit_);
  if (on_exit) on_exit(exit);  // may destroy this
}

}  // namespace sluice::runtime
