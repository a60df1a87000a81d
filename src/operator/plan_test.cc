#include "operator/plan.h"

#include <gtest/gtest.h>

#include <set>

namespace sluice::operator_ {
namespace {

using resource::List;
using resource::Map;
using resource::Object;
using resource::Value;

Object object(std::string api_version, std::string kind, std::string name, Map spec) {
  Object made;
  made.api_version = std::move(api_version);
  made.kind = std::move(kind);
  made.namespace_ = "models";
  made.name = std::move(name);
  made.root = Map{{"metadata", Map{{"name", made.name}, {"namespace", made.namespace_}}},
                  {"spec", std::move(spec)}};
  return made;
}

// One deployment "iris" with the predictors given, as wire() would answer.
struct World {
  World() {
    deployment = object("machinelearning.seldon.io/v1", "SeldonDeployment", "iris", {});
    deployment.root.as_map()->find("metadata")->as_map()->set("uid", "u1");
    deployment.root.as_map()->find("metadata")->as_map()->set("generation", 1);
  }

  void add_predictor(const std::string& name, bool shadow = false) {
    wiring.objects.push_back(object("v1", "Service", "iris-" + name, Map{{"port", 9000}}));
    wiring.objects.push_back(
        object("apps/v1", "Deployment", "iris-" + name + "-0", Map{{"replicas", 1}}));
    compile::WiredPredictor predictor;
    predictor.name = name;
    predictor.deployment_keys = {wiring.objects.back().key()};
    predictor.service_key = wiring.objects[wiring.objects.size() - 2].key();
    predictor.routed = !shadow;
    predictor.shadow = shadow;
    wiring.predictors.push_back(predictor);
    rules.push_back(
        object("networking.istio.io/v1", "DestinationRule", "iris-" + name, Map{{"host", name}}));
    wiring.predictors.back().destination_rule_key = rules.back().key();
  }

  bool looks_for_gateways = false;
  std::set<std::string> gateways;

  // The whole wiring: routes stand behind workloads.
  compile::Wiring whole() const {
    compile::Wiring result = wiring;
    result.objects.insert(result.objects.end(), rules.begin(), rules.end());
    result.objects.push_back(object("networking.istio.io/v1", "VirtualService", "iris", route));
    return result;
  }

  Plan step() {
    Observed observed;
    observed.deployment = std::make_shared<const Object>(deployment);
    for (const auto& [key, each] : store)
      observed.objects[key] = std::make_shared<const Object>(each);
    observed.seldon_status = seldon_status;
    observed.routes_in_force = in_force;
    observed.reachable = reachable;
    if (looks_for_gateways)
      observed.has_gateway = [this](const std::string& name) { return gateways.contains(name); };
    observed.holds = [this](const Object& want) {
      const auto found = store.find(want.key());
      return found != store.end() && found->second.spec() == want.spec();
    };
    Plan made = plan(observed, whole());
    for (const Object& each : made.applies) {
      if (each.kind == "VirtualService" || each.kind == "DestinationRule") in_force = false;
      store[each.key()] = each;
    }
    for (const auto& key : made.removals) store.erase(key);
    return made;
  }

  void make_available(const std::string& name) {
    set_status(name, Map{{"replicas", 1}, {"availableReplicas", 1}, {"updatedReplicas", 1}});
  }
  void set_status(const std::string& name, const Map& status) {
    for (auto& [key, each] : store) {
      if (key.kind == "Deployment" && key.name == name) each.root.as_map()->set("status", status);
    }
  }

  std::vector<std::string> names(const std::vector<Object>& objects) {
    std::vector<std::string> result;
    for (const Object& each : objects) result.push_back(each.kind + " " + each.name);
    return result;
  }

  Object deployment;
  compile::Wiring wiring;
  std::vector<Object> rules;
  Map route{{"weights", "main=100"}};
  std::map<resource::ObjectKey, Object> store;
  bool in_force = false;
  bool seldon_status = false;
  std::vector<Destination> reachable;
};

// The spec of a VirtualService that leads to these predictors.
Map routes_to(const std::vector<std::pair<std::string, int>>& weights) {
  List routes;
  for (const auto& [name, weight] : weights) {
    routes.emplace_back(
        Map{{"destination", Map{{"host", "iris-" + name + ".models.svc.cluster.local"},
                                {"subset", name},
                                {"port", Map{{"number", 8000}}}}},
            {"weight", weight}});
  }
  return Map{{"gateways", List{"edge/gw", "mesh", "own"}},
             {"http", List{Value(Map{{"route", std::move(routes)}})}}};
}

// One predictor, settled.
void settle_main(World& world) {
  world.route = routes_to({{"main", 100}});
  world.add_predictor("main");
  world.step();
  world.make_available("iris-main-0");
  world.step();
  world.in_force = true;
  ASSERT_EQ(world.step().status.at("state").text(), "Available");
}

TEST(Plan, RoutesComeWhenThePodsAreAvailableAndNotBefore) {
  World world;
  world.add_predictor("main");
  EXPECT_EQ(world.names(world.step().applies),
            (std::vector<std::string>{"Deployment iris-main-0", "Service iris-main"}));
  const Plan waiting = world.step();
  EXPECT_TRUE(waiting.applies.empty());
  EXPECT_EQ(waiting.status.at("state").text(), "Creating");
  world.make_available("iris-main-0");
  EXPECT_EQ(world.names(world.step().applies),
            (std::vector<std::string>{"DestinationRule iris-main", "VirtualService iris"}));
  EXPECT_EQ(world.step().status.at("state").text(), "Creating")
      << "the gateway has not said that it uses the routes";
  world.in_force = true;
  const Plan settled = world.step();
  EXPECT_EQ(settled.status.at("state").text(), "Available");
  EXPECT_TRUE(settled.applies.empty());
  EXPECT_TRUE(settled.removals.empty());
}

// Goal: pods of the version before don't count. An API server leaves out what is 0.
TEST(Plan, OldPodsAreNotTheNewVersion) {
  World world;
  world.add_predictor("main");
  world.step();
  const auto is_waiting = [&](const Map& status) {
    world.set_status("iris-main-0", status);
    return world.step().applies.empty();
  };
  EXPECT_TRUE(is_waiting(Map{{"replicas", 1}, {"availableReplicas", 1}}));
  EXPECT_TRUE(is_waiting(Map{
      {"replicas", 2}, {"availableReplicas", 1}, {"updatedReplicas", 1}, {"readyReplicas", 1}}));
  EXPECT_TRUE(is_waiting(Map{{"replicas", 2}, {"availableReplicas", 2}, {"updatedReplicas", 1}}))
      << "the old pod has not been told to stop";
  EXPECT_FALSE(is_waiting(Map{{"replicas", 1}, {"availableReplicas", 1}, {"updatedReplicas", 1}}));
}

// The recordings of tests/golden/operator hold the whole form; here: its own parts.
TEST(Plan, TheStatusInSeldonsWords) {
  World world;
  world.seldon_status = true;
  world.add_predictor("main");
  world.step();
  const auto condition = [](const Value& status, std::string_view type) {
    for (const Value& each : status.at("conditions").list()) {
      if (each.at("type").text() == type) return std::string(each.at("status").text());
    }
    return std::string("absent");
  };
  Value status = world.step().status;
  EXPECT_EQ(condition(status, "Ready"), "False");
  EXPECT_EQ(condition(status, "DeploymentsReady"), "absent");
  EXPECT_EQ(condition(status, "istioVirtualServicesReady"), "absent");
  world.set_status("iris-main-0",
                   Map{{"replicas", 1},
                       {"readyReplicas", 1},
                       {"availableReplicas", 1},
                       {"updatedReplicas", 1},
                       {"conditions", List{Value(Map{{"type", "Available"},
                                                     {"status", "True"},
                                                     {"reason", "MinimumReplicasAvailable"}})}}});
  world.step();
  world.in_force = true;
  status = world.step().status;
  EXPECT_EQ(status.at("state").text(), "Available");
  EXPECT_EQ(condition(status, "Ready"), "True");
  EXPECT_EQ(condition(status, "AmbassadorMappingsReady"), "True");
  EXPECT_EQ(status.at("observedGeneration").integer(), 1);
  EXPECT_TRUE(status.at("traffic").is_null());

  world.deployment.root.as_map()->set("status", status);
  world.set_status(
      "iris-main-0",
      Map{{"conditions", List{Value(Map{{"type", "Available"}, {"status", "False"}}),
                              Value(Map{{"type", "Progressing"}, {"status", "False"}})}}});
  status = world.step().status;
  EXPECT_EQ(status.at("state").text(), "Failed");
  EXPECT_EQ(condition(status, "istioVirtualServicesReady"), "True") << "the old routes stand";
}

TEST(Plan, SaysTheTrafficThatIsInForce) {
  World world;
  world.add_predictor("main");
  world.deployment.root.as_map()->set(
      "spec", Map{{"predictors", List{Map{{"name", "main"}, {"traffic", 90}},
                                      Map{{"name", "canary"}, {"traffic", 10}},
                                      Map{{"name", "twin"}, {"shadow", true}}}}});
  world.step();
  EXPECT_TRUE(world.step().status.at("traffic").is_null());
  world.make_available("iris-main-0");
  world.step();
  world.in_force = true;
  const Plan settled = world.step();
  EXPECT_EQ(settled.status.at("traffic").text(), "main 90, canary 10, twin (shadow)");
  world.deployment.root.as_map()->set("status", settled.status);
  world.in_force = false;
  EXPECT_EQ(world.step().status.at("traffic").text(), "main 90, canary 10, twin (shadow)");
}

TEST(Plan, RemovesAPredictorOnlyWhenTheGatewayHasLeftIt) {
  World world;
  world.add_predictor("main");
  world.add_predictor("canary");
  world.step();
  world.make_available("iris-main-0");
  world.make_available("iris-canary-0");
  world.step();
  world.in_force = true;
  ASSERT_EQ(world.step().status.at("state").text(), "Available");

  World without;
  without.add_predictor("canary");
  world.wiring = without.wiring;
  world.rules = without.rules;
  world.route = Map{{"weights", "canary=100"}};
  const Plan switching = world.step();
  EXPECT_EQ(world.names(switching.applies), (std::vector<std::string>{"VirtualService iris"}));
  EXPECT_TRUE(switching.removals.empty());
  EXPECT_TRUE(world.step().removals.empty());
  world.in_force = true;
  const Plan removing = world.step();
  std::vector<std::string> kinds;
  for (const auto& key : removing.removals) kinds.push_back(key.kind + " " + key.name);
  EXPECT_EQ(kinds, (std::vector<std::string>{"Deployment iris-main-0", "Service iris-main",
                                             "DestinationRule iris-main"}));
}

TEST(Plan, ARouteIsWrittenWhenTheGatewayGetsThroughToWhatItAdds) {
  World world;
  settle_main(world);
  world.add_predictor("canary");
  world.route = routes_to({{"main", 90}, {"canary", 10}});
  EXPECT_FALSE(world.step().question);
  world.make_available("iris-canary-0");
  const Plan rules = world.step();
  EXPECT_EQ(world.names(rules.applies), (std::vector<std::string>{"DestinationRule iris-canary"}));
  EXPECT_FALSE(rules.question) << "the rule has no answer of the server yet";
  const Plan asking = world.step();
  EXPECT_TRUE(asking.applies.empty());
  ASSERT_TRUE(asking.question);
  EXPECT_EQ(asking.question->gateways, (std::vector<std::string>{"edge/gw", "models/own"}));
  const Destination canary{"iris-canary.models.svc.cluster.local", "canary", 8000};
  EXPECT_EQ(asking.question->destinations, std::vector<Destination>{canary});
  EXPECT_EQ(asking.status.at("state").text(), "Creating");
  world.reachable = {canary};
  EXPECT_EQ(world.names(world.step().applies), (std::vector<std::string>{"VirtualService iris"}));
  const Plan placed = world.step();
  ASSERT_TRUE(placed.question);
  EXPECT_TRUE(placed.question->destinations.empty()) << "now: is it in force?";
}

TEST(Plan, NoDestinationIsAskedForWhereNoneIsAddedOrNoneCanBeThere) {
  World world;
  settle_main(world);
  world.route = Map{{"other", 1}, {"http", routes_to({{"main", 100}}).find("http")->list()}};
  EXPECT_EQ(world.names(world.step().applies), (std::vector<std::string>{"VirtualService iris"}));
  world.in_force = true;
  world.step();
  world.add_predictor("canary");
  world.wiring.objects.back().root.as_map()->set("spec", Map{{"replicas", 0}});
  world.route = routes_to({{"main", 100}, {"canary", 0}});
  world.step();  // and the server has seen it: none wanted, none there
  EXPECT_EQ(world.names(world.step().applies),
            (std::vector<std::string>{"DestinationRule iris-canary", "VirtualService iris"}));
}

// A model without an orchestrator in front of it, whose container listens on `port`.
void listen_on(World& world, int port, const std::string& version = "v1") {
  const Map selector{{"seldon-app", "iris-main"}};
  for (Object& each : world.wiring.objects) {
    if (each.kind == "Service") {
      const Map http{{"name", "http"}, {"protocol", "TCP"}, {"port", port}, {"targetPort", port}};
      each.root.as_map()->set("spec", Map{{"selector", selector}, {"ports", List{Value(http)}}});
      continue;
    }
    const Map http{{"name", "http"}, {"containerPort", port}};
    const Map container{{"name", "m"}, {"ports", List{Value(http)}}};
    const Map labels{{"seldon-app", "iris-main"}, {"version", version}};
    each.root.as_map()->set(
        "spec", Map{{"replicas", 1},
                    {"template", Map{{"metadata", Map{{"labels", labels}}},
                                     {"spec", Map{{"containers", List{Value(container)}}}}}}});
  }
  const Map destination{{"host", "iris-main.models.svc.cluster.local"},
                        {"subset", "main"},
                        {"port", Map{{"number", port}}}};
  const Map route{{"destination", destination}};
  world.route =
      Map{{"gateways", List{"edge/gw"}}, {"http", List{Value(Map{{"route", List{Value(route)}}})}}};
  for (Object& rule : world.rules) {
    const Map subset{{"name", "main"}, {"labels", Map{{"version", version}}}};
    rule.root.as_map()->set("spec", Map{{"subsets", List{Value(subset)}}});
  }
}

std::size_t port_count(const World& world) {
  for (const auto& [key, each] : world.store) {
    if (key.kind == "Service") return each.spec().at("ports").list().size();
  }
  return 0;
}

TEST(Plan, APortThatMovesIsServedUnderBothNumbersUntilTheRouteIsInForce) {
  World world;
  world.add_predictor("main");
  listen_on(world, 9000);
  world.step();
  world.make_available("iris-main-0");
  world.step();
  world.in_force = true;
  ASSERT_EQ(world.step().status.at("state").text(), "Available");

  listen_on(world, 8081);
  EXPECT_EQ(world.names(world.step().applies),
            (std::vector<std::string>{"Service iris-main", "Deployment iris-main-0"}));
  EXPECT_EQ(port_count(world), 2U);
  EXPECT_TRUE(world.step().applies.empty()) << "waits for the pods";
  world.make_available("iris-main-0");
  const Plan asking = world.step();
  EXPECT_TRUE(asking.applies.empty());
  ASSERT_TRUE(asking.question);
  ASSERT_EQ(asking.question->destinations.size(), 1U);
  EXPECT_EQ(asking.question->destinations[0].port, 8081);
  world.reachable = asking.question->destinations;
  EXPECT_EQ(world.names(world.step().applies), (std::vector<std::string>{"VirtualService iris"}));
  EXPECT_TRUE(world.step().applies.empty());
  EXPECT_EQ(port_count(world), 2U);
  world.in_force = true;
  EXPECT_EQ(world.names(world.step().applies), (std::vector<std::string>{"Service iris-main"}));
  EXPECT_EQ(port_count(world), 1U);
}

TEST(Plan, ASubsetTakesNewPodsInBeforeTheyAreThere) {
  World world;
  world.add_predictor("main");
  listen_on(world, 9000, "v1");
  world.step();
  world.make_available("iris-main-0");
  world.step();
  world.in_force = true;
  world.step();
  listen_on(world, 9000, "v2");
  EXPECT_EQ(world.names(world.step().applies),
            (std::vector<std::string>{"DestinationRule iris-main"}));
  EXPECT_EQ(world.names(world.step().applies),
            (std::vector<std::string>{"Deployment iris-main-0"}));
  EXPECT_TRUE(world.step().applies.empty());
  world.make_available("iris-main-0");
  EXPECT_EQ(world.names(world.step().applies),
            (std::vector<std::string>{"DestinationRule iris-main"}));
}

TEST(Plan, ARouteThatIsNotWantedGoesAndIsSeenToGoBeforeAnythingElse) {
  World world;
  settle_main(world);
  for (const char* kind : {"VirtualService", "Deployment"}) {
    Object stale = owned_by(object("x/v1", kind, "iris-main-explainer", {}), world.deployment);
    world.store[stale.key()] = stale;
  }
  const Plan first = world.step();
  ASSERT_EQ(first.removals.size(), 1U);
  EXPECT_EQ(first.removals[0].kind, "VirtualService");
  EXPECT_EQ(first.status.at("state").text(), "Creating");
  world.in_force = false;  // as the operator has it after a route has changed
  const Plan asking = world.step();
  EXPECT_TRUE(asking.removals.empty());
  EXPECT_TRUE(asking.question);
  world.in_force = true;
  const Plan second = world.step();
  ASSERT_EQ(second.removals.size(), 1U);
  EXPECT_EQ(second.removals[0].kind, "Deployment");
}

TEST(Plan, ADeploymentWhoseNamesakeIsStoppingWaitsForItsEnd) {
  World world;
  settle_main(world);
  for (auto& [key, each] : world.store) {
    if (key.kind == "Deployment")
      each.root.as_map()
          ->find("metadata")
          ->as_map()
          ->set("deletionTimestamp", "2026-01-01T00:00:00Z");
  }
  world.route = routes_to({{"main", 50}});
  EXPECT_TRUE(world.step().applies.empty()) << "its pods are stopping: no route may be written";
  std::erase_if(world.store, [](const auto& each) { return each.first.kind == "Deployment"; });
  EXPECT_EQ(world.names(world.step().applies),
            (std::vector<std::string>{"Deployment iris-main-0"}));
}

TEST(Plan, AShadowThatNeverComesUpHoldsNothingBack) {
  World world;
  world.add_predictor("main");
  world.add_predictor("shadow", true);
  world.step();
  world.make_available("iris-main-0");
  EXPECT_EQ(world.step().applies.size(), 3U);
  world.in_force = true;
  EXPECT_EQ(world.step().status.at("state").text(), "Available");
}

TEST(Plan, AStatusOfAnOlderGenerationIsNotBelieved) {
  World world;
  world.add_predictor("main");
  world.step();
  world.make_available("iris-main-0");
  for (auto& [key, each] : world.store)
    each.root.as_map()->find("metadata")->as_map()->set("generation", 2);
  EXPECT_TRUE(world.step().applies.empty());
}

TEST(Plan, AnObjectOfAnotherOwnerIsNeverTouched) {
  World world;
  world.add_predictor("main");
  const Object foreign = object("v1", "Service", "iris-main", Map{{"port", 1}});
  world.store[foreign.key()] = foreign;
  const Plan made = world.step();
  EXPECT_TRUE(made.applies.empty());
  EXPECT_EQ(made.status.at("state").text(), "Failed");
  EXPECT_NE(made.status.at("description").text().find("Service models/iris-main"),
            std::string_view::npos);
}

TEST(Plan, WhatIsAvailableStaysSoWhileItIsWrittenOnceMore) {
  World world;
  world.add_predictor("main");
  world.step();
  world.make_available("iris-main-0");
  world.step();
  world.in_force = true;
  world.deployment.root.as_map()->set("status", world.step().status);
  // A new replica of the operator: nothing is known to be as wanted, no gateway was asked.
  Observed observed;
  observed.deployment = std::make_shared<const Object>(world.deployment);
  for (const auto& [key, each] : world.store)
    observed.objects[key] = std::make_shared<const Object>(each);
  observed.holds = [](const Object&) { return false; };
  const Plan made = plan(observed, world.whole());
  EXPECT_FALSE(made.applies.empty());
  EXPECT_FALSE(made.is_settled);
  EXPECT_EQ(made.status, world.deployment.status());

  world.deployment.root.as_map()->find("metadata")->as_map()->set("generation", 2);
  observed.deployment = std::make_shared<const Object>(world.deployment);
  EXPECT_EQ(plan(observed, world.whole()).status.at("state").text(), "Creating");
}

TEST(Plan, ARefusedDeploymentLeavesWhatServes) {
  World world;
  world.add_predictor("main");
  world.step();
  Observed observed;
  observed.deployment = std::make_shared<const Object>(world.deployment);
  for (const auto& [key, each] : world.store)
    observed.objects[key] = std::make_shared<const Object>(each);
  observed.holds = [](const Object&) { return false; };
  compile::Wiring refused;
  refused.diagnostics.push_back(
      {resource::Severity::kError, "traffic-sum", "a.yaml", {}, "", "", "adds up to 90", ""});
  const Plan made = plan(observed, refused);
  EXPECT_TRUE(made.applies.empty());
  EXPECT_TRUE(made.removals.empty());
  EXPECT_EQ(made.status.at("state").text(), "Failed");
}

TEST(Plan, ACrashingNewVersionIsSaidAndTheOldRouteStays) {
  World world;
  world.add_predictor("main");
  world.step();
  world.make_available("iris-main-0");
  world.step();
  world.in_force = true;
  world.step();
  world.add_predictor("canary");
  world.route = Map{{"weights", "main=75,canary=25"}};
  world.step();
  for (auto& [key, each] : world.store) {
    if (key.name != "iris-canary-0") continue;
    each.root.as_map()->set(
        "status",
        Map{{"conditions",
             List{Map{{"type", "Progressing"}, {"status", "False"}, {"message", "exit code 1"}}}}});
  }
  const Plan made = world.step();
  EXPECT_TRUE(made.applies.empty());
  EXPECT_EQ(made.status.at("state").text(), "Failed");
  EXPECT_NE(made.status.at("description").text().find("exit code 1"), std::string_view::npos);
}

std::string missing_gateways(const Plan& made) {
  std::string found;
  for (const Value& each : made.status.at("conditions").list()) {
    if (each.at("type").text() == kGatewayNotFound) found += std::string(each.at("message").text());
  }
  return found;
}

TEST(Plan, AGatewayThatIsNotThereIsSaid) {
  World world;
  world.add_predictor("main");
  world.route.set("gateways", List{"mesh", "short", "istio-system/there"});
  EXPECT_EQ(missing_gateways(world.step()), "");  // nobody looks
  world.looks_for_gateways = true;
  world.gateways = {"istio-system/there"};
  const std::string said = missing_gateways(world.step());
  EXPECT_TRUE(said.starts_with("Gateway models/short is not there")) << said;
  EXPECT_EQ(said.find("istio-system"), std::string::npos);
  world.gateways.insert("models/short");
  EXPECT_EQ(missing_gateways(world.step()), "");
}

}  // namespace
}  // namespace sluice::operator_
