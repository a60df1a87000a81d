// The operator as it is, over an API server in memory, with everything going wrong that a seed can
// think of. More seeds: `make simulate`. One alone, with its trace: SLUICE_SEED=N.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "world.h"

namespace sluice::sim {
namespace {

constexpr std::uint64_t kSeeds = 30;
constexpr std::uint64_t kStride = 4;  // every fourth call; `make simulate` takes them all
constexpr std::size_t kTraceLinesMax = 200;

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  const std::size_t from = lines.size() > kTraceLinesMax ? lines.size() - kTraceLinesMax : 0;
  for (std::size_t i = from; i < lines.size(); ++i) text += lines[i] + "\n";
  return text;
}

TEST(Simulation, EverySeedEndsAsAWorldWithoutTroubles) {
  std::uint64_t first = 1;
  std::uint64_t last = kSeeds;
  if (const char* given = std::getenv("SLUICE_SEED"))
    first = last = std::strtoull(given, nullptr, 10);
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const Outcome outcome = run_seed(seed);
    if (outcome.violations.empty()) continue;
    std::vector<std::string> trace;
    run_seed(seed, &trace);
    FAIL() << "SLUICE_SEED=" << seed << ": " << outcome.violations.front() << "\n"
           << text_of(trace);
  }
}

class Scenario : public testing::TestWithParam<Mishap> {};

TEST_P(Scenario, OneMishapAtAnyCallChangesNothingInTheEnd) {
  const std::uint64_t calls = run_scenario(GetParam(), 0).calls;
  ASSERT_GT(calls, 50U);
  for (std::uint64_t at = 0; at <= calls; at += kStride) {
    const Outcome outcome = run_scenario(GetParam(), at);
    if (outcome.violations.empty()) continue;
    std::vector<std::string> trace;
    run_scenario(GetParam(), at, &trace);
    FAIL() << "call " << at << ": " << outcome.violations.front() << "\n" << text_of(trace);
  }
}

INSTANTIATE_TEST_SUITE_P(Mishaps, Scenario,
                         testing::Values(Mishap::kKilled, Mishap::kAnswerLost, Mishap::kConflict,
                                         Mishap::kHangs, Mishap::kWatchesExpire),
                         [](const auto& tested) {
                           switch (tested.param) {
                             case Mishap::kKilled:
                               return "Killed";
                             case Mishap::kAnswerLost:
                               return "AnswerLost";
                             case Mishap::kConflict:
                               return "Conflict";
                             case Mishap::kHangs:
                               return "Hangs";
                             case Mishap::kWatchesExpire:
                               return "WatchesExpire";
                           }
                           return "";
                         });

TEST(Simulation, ASeedIsARun) {
  std::vector<std::string> once;
  std::vector<std::string> again;
  run_seed(7, &once);
  run_seed(7, &again);
  EXPECT_EQ(once, again);
}

}  // namespace
}  // namespace sluice::sim
