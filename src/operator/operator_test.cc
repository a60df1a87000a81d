// The operator over the embedded store, with a kubelet and a gateway that answer when a seed says
// so.
#include "operator/operator.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "base/random.h"
#include "operator/plan.h"
#include "resource/read.h"
#include "store/memory_store.h"

namespace sluice::operator_ {
namespace {

using resource::Map;
using resource::Object;
using resource::ObjectKey;

struct Predictor {
  std::string name;
  int traffic = 0;
  bool shadow = false;
  bool broken = false;  // its pods never become available
  int revision = 1;
  std::string unit = "clf";
};

Object seldon_deployment(const std::string& name, const std::vector<Predictor>& predictors) {
  std::string text = fmt::format(
      "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata: {{name: {}, "
      "namespace: models}}\n"
      "spec:\n  predictors:\n",
      name);
  for (const Predictor& each : predictors) {
    text += fmt::format(
        "  - name: {}\n    traffic: {}\n    shadow: {}\n    graph: {{name: {}, type: MODEL}}\n"
        "    componentSpecs:\n    - spec:\n        containers:\n"
        "        - {{name: {}, command: [run, \"{}\"], env: [{{name: R, value: \"{}\"}}]}}\n",
        each.name, each.traffic, each.shadow, each.unit, each.unit, each.broken ? "broken" : "well",
        each.revision);
  }
  resource::ReadResult read =
      resource::read(text, std::make_shared<const std::string>("test.yaml"));
  EXPECT_EQ(read.objects.size(), 1U) << text;
  return read.objects.at(0);
}

Object namespace_object(const std::string& controller_id) {
  return resource::read(
             "apiVersion: v1\nkind: Namespace\nmetadata: {name: models, labels: "
             "{seldon.io/controller-id: \"" +
                 controller_id + "\"}}\n",
             nullptr)
      .objects.at(0);
}

class World : public Gate {
 public:
  explicit World(std::uint64_t seed)
      : random(seed),
        op(store, settings(), *this, [this](auto work) { queue.push_back(std::move(work)); }) {
    op.start();
  }
  static compile::Settings settings() {
    compile::Settings made = compile::default_settings();
    made.local = true;
    return made;
  }
  void ask(const Question& /*question*/, std::function<void()> done) override {
    questions.push_back(std::move(done));
  }

  // One thing happens: a pass, an answer of the gateway, or a Deployment that becomes available.
  bool step() {
    std::vector<ObjectKey> waiting;
    for (const auto& deployment : store.list("apps", "Deployment")) {
      const bool broken = is_broken(*deployment);
      const auto generation = deployment->metadata().at("generation").integer();
      if (!broken && deployment->status().at("observedGeneration").integer() != generation)
        waiting.push_back(deployment->key());
    }
    std::vector<int> choices;
    if (!queue.empty()) choices.push_back(0);
    if (!questions.empty()) choices.push_back(1);
    if (!waiting.empty()) choices.push_back(2);
    if (choices.empty()) return false;
    switch (choices[random.below(static_cast<std::uint32_t>(choices.size()))]) {
      case 0: {
        auto work = std::move(queue.front());
        queue.pop_front();
        work();
        break;
      }
      case 1: {
        auto done = std::move(questions.front());
        questions.pop_front();
        done();
        break;
      }
      default: {
        const ObjectKey key = waiting[random.below(static_cast<std::uint32_t>(waiting.size()))];
        const auto object = store.find(key);
        EXPECT_TRUE(store.set_status(
            key, Map{{"replicas", 1},
                     {"availableReplicas", 1},
                     {"updatedReplicas", 1},
                     {"observedGeneration", object->metadata().at("generation")}}));
      }
    }
    check_invariants();
    return true;
  }

  static bool is_broken(const Object& deployment) {
    const auto& command = deployment.spec()
                              .at("template")
                              .at("spec")
                              .at("containers")
                              .at(std::size_t{0})
                              .at("command");
    return command.at(std::size_t{1}).text() == "broken";
  }

  // Whatever a VirtualService names is there: its Service, its DestinationRule, and pods that have
  // been available.
  void check_invariants() {
    for (const auto& route : store.list("networking.istio.io", "VirtualService")) {
      for (const auto& http : route->spec().at("http").list()) {
        for (const auto& destination : http.at("route").list()) {
          const std::string host(destination.at("destination").at("host").text());
          const std::string service = host.substr(0, host.find('.'));
          const auto found = store.find({"", "Service", "models", service});
          ASSERT_NE(found, nullptr) << host;
          const auto port = destination.at("destination").at("port").at("number").integer();
          bool has_port = false;
          for (const auto& each : found->spec().at("ports").list())
            has_port = has_port || each.at("port").integer() == port;
          EXPECT_TRUE(has_port) << host << " has no port " << port;
          EXPECT_NE(store.find({"networking.istio.io", "DestinationRule", "models", service}),
                    nullptr)
              << host;
          bool backed = false;
          for (const auto& deployment : store.list("apps", "Deployment")) {
            const auto& labels = deployment->spec().at("template").at("metadata").at("labels");
            if (labels.at("seldon-app").text() == service &&
                deployment->status().at("availableReplicas").integer() > 0)
              backed = true;
          }
          EXPECT_TRUE(backed) << host << " has no pods";
        }
      }
    }
  }

  void settle() {
    int steps = 0;
    while (step()) ASSERT_LT(++steps, 5000) << "never comes to rest";
  }

  Random random;
  store::MemoryStore store;
  std::deque<std::function<void()>> queue;
  std::deque<std::function<void()>> questions;
  Operator op;
};

std::set<std::string> owned_names(const World& world) {
  std::set<std::string> names;
  for (const auto& object : world.store.all()) {
    if (object->kind != "SeldonDeployment") names.insert(to_string(object->key()));
  }
  return names;
}

TEST(Operator, EndsWithExactlyWhatIsWantedWhateverTheOrderOfEvents) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    World world(seed);
    std::vector<Predictor> predictors{{"main", 100, false, false, 1}};
    for (int edit = 0; edit < 6; ++edit) {
      switch (world.random.below(6)) {
        case 0:
          predictors = {{"main", 100, false, false, 1}};
          break;
        case 1:
          predictors = {{"main", 75, false, false, 1}, {"canary", 25, false, false, 1}};
          break;
        case 2:
          predictors = {{"main", 0, false, false, 1}, {"canary", 100, false, false, 1}};
          break;
        case 3:
          predictors = {{"main", 100, false, false, 1},
                        {"dark", 10, true, world.random.below(2) == 0, 1}};
          break;
        case 4:
          ++predictors[0].revision;
          break;
        default:
          predictors = {{"canary", 100, false, false, 2}};
          break;
      }
      ASSERT_TRUE(world.store.apply(seldon_deployment("iris", predictors)));
      for (auto steps = world.random.below(12); steps > 0 && world.step(); --steps) {
      }
    }
    world.settle();
    ASSERT_EQ(world.op.standings().at(0).state, "Available")
        << world.op.standings().at(0).description;
    // The same end state as a world that never knew anything else.
    World fresh(seed);
    ASSERT_TRUE(fresh.store.apply(seldon_deployment("iris", predictors)));
    fresh.settle();
    EXPECT_EQ(owned_names(world), owned_names(fresh));
    if (HasFailure()) return;
  }
}

TEST(Operator, ABrokenCanaryLeavesTheOldWeights) {
  World world(1);
  ASSERT_TRUE(world.store.apply(seldon_deployment("iris", {{"main", 100, false, false, 1}})));
  world.settle();
  const auto before = world.store.list("networking.istio.io", "VirtualService").at(0);
  ASSERT_TRUE(world.store.apply(
      seldon_deployment("iris", {{"main", 75, false, false, 1}, {"canary", 25, false, true, 1}})));
  world.settle();
  EXPECT_EQ(world.store.list("networking.istio.io", "VirtualService").at(0)->spec(),
            before->spec());
  EXPECT_EQ(world.op.standings().at(0).state, "Creating");
}

TEST(Operator, WhoComesLaterAsksAndSaysNothingAnew) {
  World world(1);
  ASSERT_TRUE(world.store.apply(seldon_deployment("iris", {{"main", 100, false, false, 1}})));
  world.settle();
  int changes = 0;
  std::vector<std::string> said;
  Operator later(
      world.store, World::settings(), world,
      [&](auto work) { world.queue.push_back(std::move(work)); },
      [&](const ObjectKey&, std::string_view, std::string_view, std::string_view message) {
        said.emplace_back(message);
      });
  later.start();
  world.store.watch([&](const store::Change& change) { changes += change.before != nullptr; });
  world.settle();
  EXPECT_EQ(changes, 0);
  EXPECT_TRUE(said.empty());
  // What has changed meanwhile is asked about.
  ASSERT_TRUE(world.store.apply(
      seldon_deployment("iris", {{"main", 75, false, false, 1}, {"canary", 25, false, false, 1}})));
  world.settle();
  EXPECT_EQ(said, (std::vector<std::string>{"SeldonDeployment is Creating",
                                            "SeldonDeployment is Available"}));
}

TEST(Operator, WhatADeploymentOwnedGoesWithIt) {
  World world(1);
  ASSERT_TRUE(world.store.apply(seldon_deployment("iris", {{"main", 100, false, false, 1}})));
  ASSERT_TRUE(world.store.apply(seldon_deployment("other", {{"main", 100, false, false, 1}})));
  world.settle();
  ASSERT_TRUE(
      world.store.remove({"machinelearning.seldon.io", "SeldonDeployment", "models", "iris"}));
  world.settle();
  for (const auto& name : owned_names(world))
    EXPECT_NE(name.find("other"), std::string::npos) << name;
  EXPECT_FALSE(owned_names(world).empty());
}

// A file that is renamed: gone and there again before a pass was made, as another object.
TEST(Operator, TakesOverWhatOneOfTheSameNameLeft) {
  World world(1);
  ASSERT_TRUE(world.store.apply(seldon_deployment("iris", {{"main", 100, false, false, 1}})));
  world.settle();
  const auto before = owned_names(world);
  const ObjectKey key{"machinelearning.seldon.io", "SeldonDeployment", "models", "iris"};
  ASSERT_TRUE(world.store.remove(key));
  ASSERT_TRUE(world.store.apply(seldon_deployment("iris", {{"main", 100, false, false, 1}})));
  world.settle();
  EXPECT_EQ(owned_names(world), before);
  EXPECT_EQ(world.store.find(key)->status().at("state").text(), "Available");
  for (const auto& object : world.store.all()) {
    if (object->kind == "SeldonDeployment") continue;
    EXPECT_TRUE(is_owned_by(*object, *world.store.find(key)));
  }
}

// The canary becomes the only one: its model's port must not move under the routes in force.
TEST(Operator, PromotingTheCanaryKeepsItsPort) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    World world(seed);
    ASSERT_TRUE(world.store.apply(seldon_deployment(
        "iris", {{"main", 75, false, false, 1, "a"}, {"canary", 25, false, false, 1, "b"}})));
    world.settle();
    ASSERT_TRUE(
        world.store.apply(seldon_deployment("iris", {{"canary", 100, false, false, 1, "b"}})));
    world.settle();
    ASSERT_TRUE(world.store.apply(seldon_deployment(
        "iris", {{"next", 10, false, false, 1, "c"}, {"canary", 90, false, false, 1, "b"}})));
    world.settle();
  }
}

TEST(Operator, WhenNothingChangesNoPassIsMade) {
  World world(1);
  ASSERT_TRUE(world.store.apply(seldon_deployment("iris", {{"main", 100, false, false, 1}})));
  world.settle();
  const auto passes = world.op.passes();
  ASSERT_TRUE(world.store.apply(seldon_deployment("iris", {{"main", 100, false, false, 1}})));
  world.settle();
  EXPECT_EQ(world.op.passes(), passes);
}

TEST(Operator, EditingTheGatewayTouchesNoPod) {
  World world(1);
  ASSERT_TRUE(world.store.apply(seldon_deployment("iris", {{"main", 100, false, false, 1}})));
  world.settle();
  const auto before = world.store.list("apps", "Deployment").at(0);
  Object edited = seldon_deployment("iris", {{"main", 100, false, false, 1}});
  edited.root.as_map()->find("spec")->as_map()->set("annotations",
                                                    Map{{"seldon.io/istio-gateway", "own"}});
  ASSERT_TRUE(world.store.apply(edited));
  world.settle();
  EXPECT_EQ(world.store.list("apps", "Deployment").at(0)->metadata().at("generation"),
            before->metadata().at("generation"));
  EXPECT_EQ(world.store.list("networking.istio.io", "VirtualService")
                .at(0)
                ->spec()
                .at("gateways")
                .at(std::size_t{0})
                .text(),
            "own");
}

// --- Several operators on one cluster.

TEST(OperatorTest, ALabelledNamespaceIsAnothersUntilTheLabelGoes) {
  World world(1);
  ASSERT_TRUE(world.store.apply(namespace_object("blue")));
  ASSERT_TRUE(world.store.apply(seldon_deployment("iris", {{"main", 100}})));
  while (world.step()) {
  }
  EXPECT_TRUE(world.store.list("apps", "Deployment").empty());
  EXPECT_EQ(world.op.left_to_others(), 1U);
  ASSERT_TRUE(world.store.apply(namespace_object("")));
  while (world.step()) {
  }
  EXPECT_EQ(world.store.list("apps", "Deployment").size(), 1U);
  EXPECT_EQ(world.op.left_to_others(), 0U);
  // Given to another one: what is there stays as it is, for that one to take.
  ASSERT_TRUE(world.store.apply(namespace_object("blue")));
  ASSERT_TRUE(world.store.apply(seldon_deployment("iris", {{"other", 100}})));
  while (world.step()) {
  }
  ASSERT_EQ(world.store.list("apps", "Deployment").size(), 1U);
  EXPECT_EQ(world.store.list("apps", "Deployment")[0]->name, "iris-main-0-clf");
  EXPECT_EQ(world.op.left_to_others(), 1U);
  ASSERT_TRUE(
      world.store.remove({"machinelearning.seldon.io", "SeldonDeployment", "models", "iris"}));
  while (world.step()) {
  }
  EXPECT_EQ(world.op.left_to_others(), 0U);
}

TEST(OperatorTest, ALabelMustBeTheControllersId) {
  World world(1);
  Object labelled = seldon_deployment("iris", {{"main", 100}});
  labelled.root.as_map()
      ->find("metadata")
      ->as_map()
      ->set("labels", Map{{"seldon.io/controller-id", "blue"}});
  ASSERT_TRUE(world.store.apply(labelled));
  while (world.step()) {
  }
  EXPECT_TRUE(world.store.list("apps", "Deployment").empty());
  EXPECT_EQ(world.op.left_to_others(), 1U);
}

TEST(Operator, GoesOnWhenWhatWasInTheWayIsGone) {
  World world(1);
  resource::ReadResult read = resource::read(
      "apiVersion: v1\nkind: Service\nmetadata: {name: iris-main, namespace: models}\nspec: {}\n",
      nullptr);
  const ObjectKey in_the_way = read.objects.at(0).key();
  ASSERT_TRUE(world.store.apply(read.objects.at(0)));
  ASSERT_TRUE(world.store.apply(seldon_deployment("iris", {{"main", 100}})));
  world.settle();
  ASSERT_EQ(world.op.standings().at(0).state, "Failed");
  ASSERT_TRUE(world.store.remove(in_the_way));
  world.settle();
  EXPECT_EQ(world.op.standings().at(0).state, "Available");
}

TEST(Operator, AFailureThatPassesIsNoState) {
  World world(1);
  const Object deployment = seldon_deployment("iris", {{"main", 100, false, true}});
  ASSERT_TRUE(world.store.apply(deployment));
  world.settle();
  world.op.on_write_failed(deployment.key(), Error{Blame::kUpstream, Retry::kSafe, "busy", ""});
  world.op.request_pass(deployment.key());
  world.settle();
  EXPECT_EQ(world.op.standings().at(0).state, "Creating");
  EXPECT_EQ(world.op.standings().at(0).description, "busy");
  world.op.on_write_failed(deployment.key(), Error{Blame::kConfig, Retry::kNever, "no right", ""});
  world.op.request_pass(deployment.key());
  world.settle();
  EXPECT_EQ(world.op.standings().at(0).state, "Failed");
}

}  // namespace
}  // namespace sluice::operator_
