// `make simulate`: many seeds, and an operator that is killed after every call.
//
//   simulate [--seeds N] [--first N] [--jobs N]
//   SLUICE_SEED=N simulate                          that one, with its trace
//   SLUICE_SCENARIO=killed:17 simulate              the scenario's 17th call, with its trace
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "world.h"

namespace {

using sluice::sim::Mishap;
using sluice::sim::Outcome;

const std::map<std::string, Mishap> kMishaps = {{"killed", Mishap::kKilled},
                                                {"answer-lost", Mishap::kAnswerLost},
                                                {"conflict", Mishap::kConflict},
                                                {"hangs", Mishap::kHangs},
                                                {"watches-expire", Mishap::kWatchesExpire}};
constexpr std::uint64_t kTraceLinesMax = 400;

void say(const std::string& name, const Outcome& outcome, const std::vector<std::string>& trace,
         bool whole) {
  const std::size_t skipped =
      whole || trace.size() < kTraceLinesMax ? 0 : trace.size() - kTraceLinesMax;
  for (std::size_t i = skipped; i < trace.size(); ++i) fmt::print("{}\n", trace[i]);
  for (const std::string& violation : outcome.violations) fmt::print("{}: {}\n", name, violation);
  fmt::print("{}: {}, {} calls, {} writes\n", name,
             outcome.violations.empty() ? "passed" : "FAILED", outcome.calls, outcome.writes);
}

int replay(const std::string& name, const std::function<Outcome(std::vector<std::string>*)>& run) {
  std::vector<std::string> trace;
  const Outcome outcome = run(&trace);
  say(name, outcome, trace, true);
  return outcome.violations.empty() ? 0 : 1;
}

// The share of one process: each jobs-th. How many failed.
std::uint64_t run_share(std::uint64_t first, std::uint64_t seeds, std::uint64_t jobs,
                        std::uint64_t share) {
  std::uint64_t failed = 0;
  for (std::uint64_t seed = first + share; seed < first + seeds; seed += jobs) {
    const Outcome outcome = sluice::sim::run_seed(seed);
    if (outcome.violations.empty()) continue;
    ++failed;
    fmt::print("SLUICE_SEED={}: {}\n", seed, outcome.violations.front());
    std::fflush(stdout);
  }
  return failed;
}

// One mishap at each call in turn, until the scenario has no such call. How many failed.
std::uint64_t run_scenarios(const std::string& name, Mishap mishap, std::uint64_t& runs) {
  std::uint64_t failed = 0;
  const std::uint64_t calls = sluice::sim::run_scenario(mishap, 0).calls;
  for (std::uint64_t at = 0; at <= calls; ++at, ++runs) {
    const Outcome outcome = sluice::sim::run_scenario(mishap, at);
    if (outcome.violations.empty()) continue;
    ++failed;
    fmt::print("SLUICE_SCENARIO={}:{}: {}\n", name, at, outcome.violations.front());
  }
  return failed;
}

std::uint64_t number_after(int argc, char** argv, const char* name, std::uint64_t otherwise) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], name) == 0) return std::strtoull(argv[i + 1], nullptr, 10);
  }
  return otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  if (const char* seed = std::getenv("SLUICE_SEED")) {
    return replay(fmt::format("seed {}", seed), [seed](std::vector<std::string>* trace) {
      return sluice::sim::run_seed(std::strtoull(seed, nullptr, 10), trace);
    });
  }
  if (const char* scenario = std::getenv("SLUICE_SCENARIO")) {
    const std::string text = scenario;
    const std::size_t colon = text.find(':');
    const auto found = kMishaps.find(text.substr(0, colon));
    if (found == kMishaps.end() || colon == std::string::npos) {
      fmt::print("SLUICE_SCENARIO is not like killed:17\n");
      return 2;
    }
    return replay(text, [&](std::vector<std::string>* trace) {
      return sluice::sim::run_scenario(found->second,
                                       std::strtoull(text.c_str() + colon + 1, nullptr, 10), trace);
    });
  }
  const std::uint64_t seeds = number_after(argc, argv, "--seeds", 10'000);
  const std::uint64_t first = number_after(argc, argv, "--first", 1);
  const std::uint64_t jobs = std::max<std::uint64_t>(1, number_after(argc, argv, "--jobs", 2));
  std::uint64_t runs = 0;
  std::uint64_t failed = 0;
  for (const auto& [name, mishap] : kMishaps) {
    std::uint64_t runs_of_it = 0;
    const std::uint64_t failed_of_it = run_scenarios(name, mishap, runs_of_it);
    fmt::print("{} at each call of the scenario: {} passed, {} failed\n", name,
               runs_of_it - failed_of_it, failed_of_it);
    std::fflush(stdout);
    runs += runs_of_it;
    failed += failed_of_it;
  }
  std::vector<pid_t> children;
  std::vector<int> pipes;
  for (std::uint64_t share = 0; share < jobs; ++share) {
    int ends[2];
    if (pipe(ends) != 0) return 2;
    const pid_t child = fork();
    if (child == 0) {
      const std::uint64_t bad = run_share(first, seeds, jobs, share);
      const bool told = write(ends[1], &bad, sizeof bad) == sizeof bad;
      std::fflush(stdout);
      _exit(told ? 0 : 2);
    }
    close(ends[1]);
    children.push_back(child);
    pipes.push_back(ends[0]);
  }
  std::uint64_t failed_seeds = 0;
  for (std::size_t i = 0; i < children.size(); ++i) {
    std::uint64_t bad = 0;
    if (read(pipes[i], &bad, sizeof bad) != sizeof bad) {
      fmt::print("a process died; its seeds count as failed\n");
      bad = (seeds + jobs - 1 - i) / jobs;
    }
    failed_seeds += bad;
    waitpid(children[i], nullptr, 0);
  }
  fmt::print("{} passed, {} failed\n", seeds - failed_seeds, failed_seeds);
  return failed + failed_seeds == 0 ? 0 : 1;
}
