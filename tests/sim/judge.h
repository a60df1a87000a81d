// What must hold, all the time and at rest.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "api_server.h"
#include "cluster.h"
#include "machine.h"
#include "users.h"

namespace sluice::sim {

class Judge {
 public:
  Judge(Machine& machine, ApiServer& server, Cluster& cluster, Users& users)
      : machine_(machine), server_(server), cluster_(cluster), users_(users) {}

  std::vector<std::string> violations;  // the first ten

  // After each change of an object.
  void see(const ApiServer::Change& change);
  // After all that a request could notice: whatever a route in force names answers.
  void check_routes();
  // Nothing changes any more: is every status true, and nothing left that nobody owns?
  void check_rest();

  void accuse(const std::string& what);

 private:
  void check_owner(const ApiServer::Change& change);
  void check_status(const ApiServer::Change& change);
  bool routes_are_as_written(const std::string& name) const;
  // "" when every destination of its routes answers.
  std::string missing_behind(const std::string& name) const;

  Machine& machine_;
  ApiServer& server_;
  Cluster& cluster_;
  Users& users_;
  // uid and generation for which each was said to be Available.
  std::map<std::string, std::string> available_;
  bool is_checking_ = false;
};

// All that the operator made and says, without what two runs never have in common: uids, versions,
// times. One line an object.
std::map<std::string, std::string> essence(const ApiServer& server);

}  // namespace sluice::sim
