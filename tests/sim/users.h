// Who changes things: people that edit SeldonDeployments, and what belongs to them, at bad moments.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "api_server.h"
#include "cluster.h"
#include "machine.h"

namespace sluice::sim {

inline constexpr const char* kNamespace = "models";

struct Predictor {
  std::string name;
  int traffic = 0;
  bool shadow = false;
  bool broken = false;  // its pods never become available
  int revision = 1;
  int replicas = 1;
  std::string container = "clf";
};
using Predictors = std::vector<Predictor>;

ObjectKey seldon_deployment_key(const std::string& name);
Value seldon_deployment(const std::string& name, const Predictors& predictors);

class Users {
 public:
  Users(Machine& machine, ApiServer& server, Cluster& cluster)
      : machine_(machine), server_(server), cluster_(cluster) {}

  std::map<std::string, Predictors> wanted;  // what is there, by name
  // Those whose requests may fail now for reasons beyond the operator's: somebody removed what
  // serves, or pods crashed. Until they are Available again.
  std::set<std::string> disturbed;
  // Objects that others put where the operator would have put its own.
  std::map<ObjectKey, Value> others;
  std::uint64_t acts = 0;

  void write(const std::string& name, Predictors predictors);
  void remove(const std::string& name, bool foreground = false);
  void do_something();
  void repair();  // what is broken gets well; others take their objects away

 private:
  std::string some_name();
  void edit(const std::string& name);
  void meddle(const std::string& name);  // removes or changes something that it owns
  void get_in_the_way(const std::string& name);
  Machine& machine_;
  ApiServer& server_;
  Cluster& cluster_;
  int revisions_ = 1;
};

}  // namespace sluice::sim
