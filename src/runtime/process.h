// One child process: started in its own process group, its output read line by line, its end told
// at once. Never left behind: it dies with this object, with its parent (PR_SET_PDEATHSIG), and
// what it started dies with it (its group is killed when it ends). Thread: the loop's, which must
// be the thread that lives as long as the process: the kernel sends PDEATHSIG when the thread that
// forked ends.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/loop.h"
#include "net/socket.h"

namespace sluice::runtime {

inline constexpr std::size_t kLineBytesMax =
    8U << 10U;  // of a child's output; the rest of a longer line is cut

struct ProcessSpec {
  std::vector<std::string>
      argv;                      // the first word is looked up in PATH of `env` unless it has a '/'
  std::vector<std::string> env;  // "NAME=value"; the whole environment
  std::string working_dir;       // empty: ours
  std::string program;           // run this file instead of argv[0]; empty: argv[0]
};

struct ProcessExit {
  int code = 0;    // when it exited by itself
  int signal = 0;  // else what killed it
};
// "exited with status 3", "was killed by SIGKILL"
std::string to_string(const ProcessExit& exit);

class Process {
 public:
  using LineHandler = std::function<void(std::string_view line)>;
  using ExitHandler = std::function<void(const ProcessExit&)>;  // once; may destroy the Process
  // Fails (kConfig) with what the system said when the program can't be run.
  static Result<std::unique_ptr<Process>> start(net::Loop& loop, const ProcessSpec& spec,
                                                LineHandler on_line, ExitHandler on_exit);
  ~Process();  // kills the group at once and reaps
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const noexcept { return pid_; }
  void signal_group(int signal) noexcept;
  // SIGTERM to the group. From now on the end is told when the whole group has ended: a shell dies
  // at once while the server that it started is still answering.
  void ask_to_end() noexcept;

 private:
  Process() = default;
  static void on_output(void* context, std::uint32_t events);
  static void on_end(void* context, std::uint32_t events);
  static void on_group_timer(void* context);
  void finish();
  void read_output();
  void take(std::string_view bytes);
  void flush_line();

  pid_t pid_ = -1;  // and its group's; -1: all over
  bool asked_to_end_ = false;
  bool killed_ = false;
  bool reaped_ = false;  // the first process; others of its group may live
  int wait_status_ = 0;
  net::Loop* loop_ = nullptr;
  net::Timer group_timer_{&Process::on_group_timer,
                          this};  // nothing tells that a group is empty but asking
  net::Fd pidfd_;
  net::Fd output_;
  net::Watch end_watch_;
  net::Watch output_watch_;
  std::string line_;
  bool line_cut_ = false;
  LineHandler on_line_;
  ExitHandler on_exit_;
};

// A process of ours that outlives us just long enough to end what we started: when the pipe to us
// closes (we died, however), it ends all process groups that are still registered. The one defence
// against grandchildren of a killed parent.
class Guard {
 public:
  static void start();  // before the first Process; again: no effect
  static void stop();   // when no Process is left
  static void add(pid_t group) noexcept;
  static void remove(pid_t group) noexcept;
};

}  // namespace sluice::runtime
