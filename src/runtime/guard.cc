#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>

#include "runtime/process.h"

namespace sluice::runtime {

namespace {

constexpr std::size_t kGroupsMax = 8'192;  // more than one machine runs; beyond, the guard forgets
constexpr int kGraceSteps = 40;            // of 50 ms: from SIGTERM to SIGKILL

int guard_pipe = -1;  // our end; the control thread's
pid_t guard_pid = -1;

void tell(pid_t record) noexcept {
  if (guard_pipe < 0) return;
  while (send(guard_pipe, &record, sizeof record, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

// Runs in the guard: a fork of a program with threads, so only async-signal-safe calls, no
// allocation.
[[noreturn]] void watch_over(int pipe_read) noexcept {
  static pid_t groups[kGroupsMax];
  std::size_t count = 0;
  pid_t record = 0;
  for (;;) {
    const ssize_t got = read(pipe_read, &record, sizeof record);
    if (got < 0 && errno == EINTR) continue;
    if (got != sizeof record) break;
    if (record > 0) {
      if (count < kGroupsMax) groups[count++] = record;
      continue;
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (groups[i] == -record) groups[i--] = groups[--count];
    }
  }
  for (std::size_t i = 0; i < count; ++i) kill(-groups[i], SIGTERM);
  for (int step = 0; step < kGraceSteps && count > 0; ++step) {
    const timespec pause{0, 50'000'000};
    nanosleep(&pause, nullptr);
    for (std::size_t i = 0; i < count; ++i) {
      if (kill(-groups[i], 0) != 0) groups[i--] = groups[--count];
    }
  }
  for (std::size_t i = 0; i < count; ++i) kill(-groups[i], SIGKILL);
  _exit(0);
}

}  // namespace

void Guard::start() {
  if (guard_pipe >= 0) return;
  int ends[2];
  // A socket, not a pipe: should the guard be gone, writing must not raise SIGPIPE.
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return;
  const pid_t pid = fork();
  if (pid == 0) {
    setpgid(0, 0);  // Ctrl-C is for the parent alone
    for (int signal = 1; signal < 32; ++signal) std::signal(signal, SIG_IGN);
    prctl(PR_SET_NAME, "sluice-guard");
    // Nothing of the parent's may stay open here, least of all a listening socket.
    const int keep = dup2(ends[0], 3);
    syscall(SYS_close_range, 4U, ~0U, 0U);
    close(0);
    close(1);
    close(2);
    watch_over(keep);
  }
  close(ends[0]);
  if (pid < 0) {
    close(ends[1]);
    return;
  }
  guard_pid = pid;
  guard_pipe = ends[1];
}

void Guard::stop() {
  if (guard_pipe < 0) return;
  close(guard_pipe);
  guard_pipe = -1;
  while (waitpid(guard_pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Guard::add(pid_t group) noexcept { tell(group); }
void Guard::remove(pid_t group) noexcept { tell(-group); }

}  // namespace sluice::runtime
