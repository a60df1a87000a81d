// Asks one container, again and again, whether it is well: by a connection, an HTTP request or a
// command. Thread: the loop's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "net/loop.h"
#include "runtime/pod_spec.h"
#include "runtime/process.h"

namespace sluice::runtime {

// Counts answers in a row: pure.
class ProbeJudge {
 public:
  ProbeJudge(int success_threshold, int failure_threshold, bool passing)
      : success_threshold_(success_threshold),
        failure_threshold_(failure_threshold),
        passing_(passing) {}
  // True when the verdict changed.
  bool take(bool success) noexcept {
    streak_ = success == last_ ? streak_ + 1 : 1;
    last_ = success;
    if (success == passing_ || streak_ < (success ? success_threshold_ : failure_threshold_))
      return false;
    passing_ = success;
    return true;
  }
  bool is_passing() const noexcept { return passing_; }

 private:
  const int success_threshold_;
  const int failure_threshold_;
  bool passing_;
  bool last_ = false;
  int streak_ = 0;
};

// What one attempt needs beside the probe itself.
struct ProbeTarget {
  std::string address;
  std::uint16_t port = 0;
  std::vector<std::string> env;  // for commands
  std::string working_dir;
};

// One attempt: tells once, on the loop, never from inside `start`. Destroying it gives the attempt
// up.
class ProbeAttempt {
 public:
  // `reason`: why it failed; empty on success.
  using Done = std::function<void(bool success, const std::string& reason)>;
  static std::unique_ptr<ProbeAttempt> start(net::Loop& loop, const ProbeSpec& probe,
                                             const ProbeTarget& target, Done done);
  ~ProbeAttempt();
  ProbeAttempt(const ProbeAttempt&) = delete;
  ProbeAttempt& operator=(const ProbeAttempt&) = delete;

 private:
  ProbeAttempt(net::Loop& loop, Milliseconds timeout, Done done);
  void open(const ProbeSpec& probe, const ProbeTarget& target);
  void run_command(const ProbeSpec& probe, const ProbeTarget& target);
  void on_socket();
  void finish_later(bool success, std::string reason);
  void finish(bool success, const std::string& reason);

  net::Loop& loop_;
  const Milliseconds timeout_;
  Done done_;
  net::Fd fd_;
  net::Watch watch_;
  net::Timer timer_;
  bool connected_ = false;
  std::string request_;  // empty: a connection is enough
  std::string answer_;
  bool later_success_ = false;
  std::string later_reason_ = "timed out";
  std::unique_ptr<Process> command_;
};

}  // namespace sluice::runtime
