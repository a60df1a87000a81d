#include "world.h"

#include <fmt/core.h>

#include "base/assert.h"
#include "base/log.h"
#include "compile/settings.h"
#include "resource/print.h"

namespace sluice::sim {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
// Longer than any retry of the operator waits.
constexpr std::int64_t kQuiet = 330 * kSecond;
constexpr std::int64_t kRestMax = 4'000 * kSecond;

}  // namespace

World::World(std::uint64_t seed, std::vector<std::string>* trace) : machine(seed) {
  machine.trace = trace;
  server.on_change = [this](const ApiServer::Change& change) {
    judge.see(change);
    cluster.see(change);
  };
  cluster.on_traffic_change = [this] { judge.check_routes(); };
}

World::~World() {
  for (const auto& replica : replicas) {
    if (!replica->process.is_dead) kill(*replica);
  }
}

void World::start_replica() {
  replicas.push_back(std::make_unique<Replica>(machine, ++starts));
  Replica& replica = *replicas.back();
  machine.processes.push_back(&replica.process);
  machine.say(fmt::format("replica {} starts", starts));
  Machine::speaker = &replica.process;
  kube::Config config;
  config.server = "http://api";
  config.namespace_ = "sluice-system";
  kube::ClientOptions options;
  options.page_size = page_size;
  replica.client = std::move(*kube::Client::make(config, options));
  replica.lease_client = std::move(*kube::Client::make(config, kube::lease_client_options()));
  cli::OperatorOptions operator_options;
  operator_options.settings = compile::default_settings();
  operator_options.leader_elect = leader_elect;
  operator_options.lease_namespace = "sluice-system";
  replica.controller = std::make_unique<cli::Controller>(
      replica.process.loop, operator_options, *replica.client, *replica.lease_client,
      [this, &replica] {
        machine.at(machine.now_ns(), [this, &replica] {
          kill(replica);
          machine.after(Milliseconds(1'000), [this] { start_replica(); });  // as a kubelet does
        });
      });
  replica.controller->start();
  Machine::speaker = nullptr;
  replica.process.run_loop_soon();
}

void World::kill(Replica& replica) {
  if (replica.process.is_dead) return;
  machine.say(fmt::format("replica {} is killed", replica.process.id));
  replica.process.is_dead = true;
  Machine::speaker = &replica.process;
  replica.controller.reset();
  replica.client.reset();
  replica.lease_client.reset();
  Machine::speaker = nullptr;
  SLUICE_ASSERT(replica.process.fibers.empty());
  server.break_watches(&replica.process, false);
  std::erase(machine.processes, &replica.process);
}

void World::terminate(Replica& replica) {
  machine.say(fmt::format("replica {} is asked to end", replica.process.id));
  Machine::speaker = &replica.process;
  replica.controller->stop(
      [this, &replica] { machine.at(machine.now_ns(), [this, &replica] { kill(replica); }); });
  Machine::speaker = nullptr;
  replica.process.run_loop_soon();
}

std::vector<Replica*> World::living() {
  std::vector<Replica*> result;
  for (const auto& each : replicas) {
    if (!each->process.is_dead) result.push_back(each.get());
  }
  return result;
}

void World::run_for(Milliseconds duration) {
  machine.run_until(machine.now_ns() + Nanoseconds(duration).count());
}

void World::come_to_rest() {
  const std::int64_t begin = machine.now_ns();
  wire.last_call_ns = begin;
  while (machine.now_ns() < wire.last_call_ns + kQuiet) {
    machine.run_until(wire.last_call_ns + kQuiet);
    if (machine.now_ns() - begin < kRestMax) continue;
    judge.accuse("the operator never comes to rest");
    return;
  }
}

}  // namespace sluice::sim

// --- base/log.h: lines go into the trace.

namespace sluice::log {

void set_level(Level /*level*/) {}
void set_format(Format /*format*/) {}
bool enabled(Level level) {
  return level > Level::kDebug && sim::Machine::current != nullptr &&
         sim::Machine::current->trace != nullptr;
}
bool parse_level(std::string_view /*text*/, Level& /*level*/) { return false; }
void write(Level level, std::string_view message, std::initializer_list<Item> items) {
  if (!enabled(level)) return;
  std::string line = fmt::format("log: {}", message);
  for (const Item& item : items) line += fmt::format(" {}={}", item.key, item.value);
  sim::Machine::current->say(line);
}

}  // namespace sluice::log
