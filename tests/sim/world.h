// One run: a cluster, people, replicas of the operator (the product's own code), and what goes
// wrong.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api_server.h"
#include "cli/controller.h"
#include "cluster.h"
#include "judge.h"
#include "kube/client.h"
#include "machine.h"
#include "users.h"
#include "wire.h"

namespace sluice::sim {

struct Replica {
  Replica(Machine& machine, int id) : process(machine, id) {}
  Process process;
  std::unique_ptr<kube::Client> client;
  std::unique_ptr<kube::Client> lease_client;
  std::unique_ptr<cli::Controller> controller;
};

class World {
 public:
  explicit World(std::uint64_t seed, std::vector<std::string>* trace = nullptr);
  ~World();

  Machine machine;
  ApiServer server{machine};
  Cluster cluster{machine, server};
  Users users{machine, server, cluster};
  Judge judge{machine, server, cluster, users};
  Wire wire{machine, server};
  bool leader_elect = false;
  std::size_t page_size = 100;

  std::vector<std::unique_ptr<Replica>> replicas;  // those that were killed, too
  int starts = 0;

  void start_replica();
  void kill(Replica& replica);
  void terminate(Replica& replica);  // SIGTERM: hands the lease over, then ends
  std::vector<Replica*> living();
  void run_for(Milliseconds duration);
  // Until the operator has made no call for a long while.
  void come_to_rest();
};

struct Outcome {
  std::vector<std::string> violations;
  std::uint64_t calls = 0;
  std::uint64_t writes = 0;
};

// Random people, random troubles.
Outcome run_seed(std::uint64_t seed, std::vector<std::string>* trace = nullptr);

// A life of one SeldonDeployment, from its creation through a canary, a promotion, a broken version
// and its abort to its removal. Something happens at the `at`-th call of the operator; 0: nothing.
enum class Mishap : std::uint8_t { kKilled, kAnswerLost, kConflict, kHangs, kWatchesExpire };
Outcome run_scenario(Mishap mishap, std::uint64_t at, std::vector<std::string>* trace = nullptr);

}  // namespace sluice::sim
