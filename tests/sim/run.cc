// Runs: which troubles, when, and what must be so in the end.
#include <fmt/core.h>

#include <map>

#include "resource/print.h"
#include "world.h"

namespace sluice::sim {

namespace {

std::string difference(const std::map<std::string, std::string>& is,
                       const std::map<std::string, std::string>& should) {
  for (const auto& [key, line] : should) {
    const auto found = is.find(key);
    if (found == is.end()) return key + " is not there";
    if (found->second != line)
      return fmt::format("{} is\n  {}\nnot\n  {}", key, found->second, line);
  }
  for (const auto& [key, line] : is) {
    if (!should.contains(key)) return key + " is there, and nobody wants it";
  }
  return {};
}

// What a world comes to that never knew anything but this, and no trouble.
const std::map<std::string, std::string>& fresh(const std::map<std::string, Predictors>& wanted) {
  static std::map<std::string, std::map<std::string, std::string>> known;
  std::string text;
  for (const auto& [name, predictors] : wanted)
    text += resource::to_json(seldon_deployment(name, predictors));
  const auto found = known.find(text);
  if (found != known.end()) return found->second;
  World world(1);
  world.start_replica();
  for (const auto& [name, predictors] : wanted) world.users.write(name, predictors);
  world.come_to_rest();
  world.judge.check_rest();
  auto lines = essence(world.server);
  for (const std::string& violation : world.judge.violations) lines["without troubles"] = violation;
  return known[text] = std::move(lines);
}

Outcome outcome_of(const World& world) {
  return {world.judge.violations, world.wire.calls, world.wire.writes};
}

// After the troubles: rest, truth, and the state of a world that never had any.
void finish(World& world) {
  world.come_to_rest();
  world.judge.check_rest();
  world.users.repair();
  world.come_to_rest();
  world.judge.check_rest();
}

void compare(Outcome& outcome, const std::map<std::string, std::string>& is,
             const std::map<std::string, Predictors>& wanted) {
  const std::string what = difference(is, fresh(wanted));
  if (!what.empty()) outcome.violations.push_back("at last, " + what);
}

// Each kind of trouble is there or not, and rare or frequent.
void choose_troubles(World& world) {
  Machine& machine = world.machine;
  const auto some = [&](double most) {
    return machine.chance(0.5) ? most * machine.random.below(1000) / 1000.0 : 0.0;
  };
  Troubles& troubles = world.wire.troubles;
  troubles.lost_request = some(0.2);
  troubles.lost_answer = some(0.2);
  troubles.hang = some(0.05);
  troubles.busy = some(0.2);
  troubles.failing = some(0.2);
  troubles.conflict = some(0.1);
  troubles.latency_max_ms = machine.chance(0.3) ? 3'000 : machine.chance(0.5) ? 200 : 5;
  world.server.watch_delay_max_ms = machine.chance(0.3) ? 5'000 : machine.chance(0.5) ? 300 : 5;
  world.server.duplicate_events = some(0.3);
  world.page_size = machine.chance(0.5) ? 2 : 100;
  world.cluster.pods_take_ms_max = machine.chance(0.5) ? 1'000 : 20'000;
  world.leader_elect = machine.chance(0.5);
}

void end_troubles(World& world) {
  world.wire.troubles = Troubles{};
  world.wire.outage_until_ns = 0;
  world.server.watch_delay_max_ms = 5;
  world.server.duplicate_events = 0;
  for (Replica* replica : world.living()) {
    if (replica->process.is_paused) replica->process.resume();
  }
  world.run_for(Milliseconds(60'000));  // replicas that end now start again
  if (world.living().empty()) world.start_replica();
}

// Something happens to a replica, the API server or the network.
void make_trouble(World& world) {
  Machine& machine = world.machine;
  const auto living = world.living();
  Replica* const some =
      living.empty() ? nullptr
                     : living[machine.random.below(static_cast<std::uint32_t>(living.size()))];
  const std::size_t replicas_wanted = world.leader_elect ? 2 : 1;
  switch (machine.random.below(10)) {
    case 0:
    case 1:
      if (some != nullptr) world.kill(*some);
      break;
    case 2:
      if (some != nullptr && !some->process.is_paused) world.terminate(*some);
      break;
    case 3:
      if (some == nullptr || some->process.is_paused) break;
      machine.say(fmt::format("replica {} is paused", some->process.id));
      some->process.is_paused = true;
      machine.after(machine.between(100, 60'000), [&machine, some] {
        if (some->process.is_dead || !some->process.is_paused) return;
        machine.say(fmt::format("replica {} goes on", some->process.id));
        some->process.resume();
      });
      break;
    case 4:
      machine.say("watches break");
      world.server.break_watches(nullptr, machine.chance(0.5));
      break;
    case 5:
      machine.say("old versions are forgotten");
      world.server.compact();
      if (machine.chance(0.5)) world.server.break_watches(nullptr, true);
      break;
    case 6:
      world.server.expire_pages();
      break;
    case 7:
      world.server.send_bookmarks();
      break;
    case 8:
      machine.say("nothing gets through");
      world.wire.outage_until_ns =
          machine.now_ns() + Nanoseconds(machine.between(100, 50'000)).count();
      break;
    default:
      if (some != nullptr) some->process.wall_offset_s += machine.between(-7'200, 7'200).count();
  }
  if (world.living().size() < replicas_wanted && machine.chance(0.7)) world.start_replica();
}

}  // namespace

Outcome run_seed(std::uint64_t seed, std::vector<std::string>* trace) {
  Outcome outcome;
  std::map<std::string, std::string> is;
  std::map<std::string, Predictors> wanted;
  {
    World world(seed, trace);
    Machine& machine = world.machine;
    choose_troubles(world);
    world.start_replica();
    if (world.leader_elect) world.start_replica();
    for (auto acts = 3 + machine.random.below(8); acts > 0; --acts) {
      world.users.do_something();
      for (auto troubles = machine.random.below(3); troubles > 0; --troubles) {
        world.run_for(machine.between(0, machine.chance(0.5) ? 300 : 10'000));
        make_trouble(world);
      }
      world.run_for(machine.chance(0.3)   ? machine.between(0, 500)
                    : machine.chance(0.7) ? machine.between(500, 15'000)
                                          : machine.between(15'000, 90'000));
    }
    end_troubles(world);
    finish(world);
    // What each act and each start may cost at most, troubles and all.
    const std::uint64_t writes_max =
        200 + 60 * (world.users.acts + static_cast<std::uint64_t>(world.starts));
    if (world.wire.writes > writes_max)
      world.judge.accuse(fmt::format("{} writes; {} should do", world.wire.writes, writes_max));
    outcome = outcome_of(world);
    is = essence(world.server);
    wanted = world.users.wanted;
  }
  if (outcome.violations.empty()) compare(outcome, is, wanted);
  return outcome;
}

Outcome run_scenario(Mishap mishap, std::uint64_t at, std::vector<std::string>* trace) {
  Outcome outcome;
  std::map<std::string, std::string> is;
  std::map<std::string, Predictors> wanted;
  {
    World world(at + 1, trace);
    const auto happens = [&] { return world.wire.calls + 1 == at; };
    world.wire.on_call = [&](Process& process, const Request&, const Reply&) {
      if (mishap != Mishap::kKilled || world.wire.calls != at) return;
      world.machine.at(world.machine.now_ns(), [&world, &process] {
        for (const auto& replica : world.replicas) {
          if (&replica->process == &process) world.kill(*replica);
        }
        world.machine.after(Milliseconds(1'000), [&world] { world.start_replica(); });
      });
    };
    world.wire.mishap = [&, mishap](const Request&, Troubles& troubles) {
      if (!happens()) return;
      if (mishap == Mishap::kAnswerLost) troubles.lost_answer = 1;
      if (mishap == Mishap::kConflict) troubles.conflict = 1;
      if (mishap == Mishap::kHangs) troubles.hang = 1;
      if (mishap == Mishap::kWatchesExpire) {
        world.server.compact();
        world.server.break_watches(nullptr, true);
      }
    };
    world.start_replica();
    const Predictor main{"main", 100};
    const Predictor canary{"canary", 0, false, false, 2};
    const auto with = [](Predictor predictor, int traffic) {
      predictor.traffic = traffic;
      return predictor;
    };
    Predictor broken = canary;
    broken.broken = true;
    broken.revision = 3;
    Predictor renamed = canary;
    renamed.container = "net";
    const Predictor dark{"dark", 0, true, false, 4};
    const std::vector<Predictors> life = {{main},
                                          {with(main, 75), with(canary, 25)},
                                          {with(main, 0), with(canary, 100)},
                                          {with(canary, 100)},
                                          {with(canary, 100), dark},
                                          {with(broken, 100), dark},
                                          {with(canary, 100)},
                                          {with(renamed, 100)}};
    for (const Predictors& predictors : life) {
      world.users.write("iris", predictors);
      // Some steps come to rest, some are overtaken by the next.
      world.run_for(Milliseconds(predictors.size() == 2 ? 40'000 : 25'000));
    }
    world.come_to_rest();
    world.judge.check_rest();
    outcome = outcome_of(world);
    is = essence(world.server);
    wanted = world.users.wanted;
    world.users.remove("iris");
    world.come_to_rest();
    world.judge.check_rest();
    if (!essence(world.server).empty()) world.judge.accuse("something is left of what was removed");
    outcome = outcome_of(world);
  }
  if (outcome.violations.empty()) compare(outcome, is, wanted);
  return outcome;
}

}  // namespace sluice::sim
