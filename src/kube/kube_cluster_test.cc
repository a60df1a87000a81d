// Against a real API server: SLUICE_TEST_KUBECONFIG names a kubeconfig with all rights. Makes a
// namespace of its own and removes it; makes the CRD of SeldonDeployments when there is none.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "base/clock.h"
#include "kube/client.h"
#include "kube/kube_store.h"
#include "kube/lease.h"
#include "net/loop.h"
#include "resource/read.h"

namespace sluice::kube {
namespace {

using resource::List;
using resource::Map;
using resource::Object;
using resource::ObjectKey;
using resource::Value;

constexpr char kConfigMaps[] = "ConfigMap";

std::unique_ptr<Client> make_client(ClientOptions options = {}) {
  auto config = load_config({std::getenv("SLUICE_TEST_KUBECONFIG"), ""});
  EXPECT_TRUE(config) << to_string(config.error());
  auto client = Client::make(std::move(*config), std::move(options));
  EXPECT_TRUE(client) << to_string(client.error());
  return std::move(*client);
}

Object object_of(Value root) {
  auto object = resource::make_object(std::move(root));
  EXPECT_TRUE(object);
  return std::move(*object);
}

class KubeClusterTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("SLUICE_TEST_KUBECONFIG") == nullptr)
      GTEST_SKIP() << "SLUICE_TEST_KUBECONFIG is not set: no API server to test with";
    client_ = make_client();
    namespace_ = fmt::format("kube-test-{:x}", monotonic_ns());
    auto made = client_->create(
        Map{{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", Map{{"name", namespace_}}}});
    ASSERT_TRUE(made) << to_string(made.error());
  }
  void TearDown() override {
    if (client_ == nullptr) return;
    make_client()->remove(*find_kind("", "Namespace"), "", namespace_);
  }

  Object config_map(const std::string& name, const std::string& value) const {
    return object_of(Map{{"apiVersion", "v1"},
                         {"kind", "ConfigMap"},
                         {"metadata", Map{{"namespace", namespace_}, {"name", name}}},
                         {"data", Map{{"key", value}}}});
  }
  bool until(const std::function<bool()>& done, int seconds = 20) {
    const std::int64_t deadline = monotonic_ns() + seconds * 1'000'000'000LL;
    while (!done()) {
      if (monotonic_ns() > deadline) return false;
      loop_.run_once(20);
    }
    return true;
  }

  net::Loop loop_;
  std::unique_ptr<Client> client_;
  std::string namespace_;
};

TEST_F(KubeClusterTest, AppliesAndTakesBackItsFields) {
  ASSERT_TRUE(client_->version());
  Object wanted = config_map("a", "1");
  wanted.root.as_map()->find("data")->as_map()->set("other", "x");
  auto applied = client_->apply(wanted);
  ASSERT_TRUE(applied) << to_string(applied.error());
  EXPECT_EQ(applied->object.at("data").at("other").text(), "x");
  EXPECT_TRUE(applied->object.at("metadata").at("managedFields").is_null());

  applied = client_->apply(config_map("a", "2"));
  ASSERT_TRUE(applied);
  EXPECT_EQ(applied->object.at("data"), Value(Map{{"key", "2"}}));
  const std::string version(applied->object.at("metadata").at("resourceVersion").text());
  applied = client_->apply(config_map("a", "2"));  // the same again changes nothing
  EXPECT_EQ(applied->object.at("metadata").at("resourceVersion").text(), version);

  const Kind& kind = *find_kind("", kConfigMaps);
  auto removed = client_->remove(kind, namespace_, "a", "not-its-uid");
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->outcome, Outcome::kConflict);
  removed = client_->remove(kind, namespace_, "a", applied->object.at("metadata").at("uid").text());
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->outcome, Outcome::kDone);
  EXPECT_EQ(client_->remove(kind, namespace_, "a")->outcome, Outcome::kNotFound);
  EXPECT_FALSE(client_->get(kind, namespace_, "a")->has_value());
}

TEST_F(KubeClusterTest, ListsInPages) {
  ClientOptions options;
  options.page_size = 7;
  auto client = make_client(options);
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(client->apply(config_map(fmt::format("m{}", i), "x")));
  const auto listed = client->list(*find_kind("", kConfigMaps), {namespace_, "", ""});
  ASSERT_TRUE(listed);
  EXPECT_GE(listed->items.size(), 30U);
  EXPECT_EQ(listed->items[0].at("kind").text(), "ConfigMap");
}

TEST_F(KubeClusterTest, SaysWhatRbacLacks) {
  Config config = client_->config();
  config.impersonate_user = "nobody-special";
  auto client = Client::make(config);
  ASSERT_TRUE(client);
  const auto refused = (*client)->apply(config_map("a", "1"));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("verbs [\"patch\"] is needed in namespace " + namespace_),
            std::string::npos)
      << refused.error().what;
  const auto listed = (*client)->list(*find_kind("apps", "Deployment"), {});
  ASSERT_FALSE(listed);
  EXPECT_NE(listed.error().what.find("apiGroups [\"apps\"], resources [\"deployments\"], verbs "
                                     "[\"list\"] is needed in a ClusterRole"),
            std::string::npos)
      << listed.error().what;
}

TEST_F(KubeClusterTest, StoreSeesWritesHoldsAndForgets) {
  KubeStoreOptions options;
  options.namespace_ = namespace_;
  options.kinds = {find_kind("", kConfigMaps), find_kind("apps", "Deployment"),
                   find_kind("keda.sh", "ScaledObject")};
  auto others = make_client();
  KubeStore store(loop_, *client_, options);
  std::vector<store::Change> changes;
  store.watch([&](const store::Change& change) { changes.push_back(change); });
  store.start();
  ASSERT_TRUE(until([&] { return store.is_synced(); }));
  EXPECT_TRUE(store.is_served("", kConfigMaps));

  const Object wanted = config_map("a", "1");
  const ObjectKey key = wanted.key();
  EXPECT_FALSE(store.holds(wanted));
  ASSERT_TRUE(store.apply(wanted));
  EXPECT_FALSE(store.holds(wanted));  // no answer yet
  ASSERT_TRUE(store.apply(wanted));   // asked for already
  EXPECT_EQ(store.writes_pending(), 1U);
  ASSERT_TRUE(until([&] { return store.writes_pending() == 0; }));
  EXPECT_TRUE(store.holds(wanted));
  ASSERT_NE(store.find(key), nullptr);

  // Another adds a field of its own: still as we want it. Then changes ours: no more.
  const auto patch = [&](const std::string& name, const std::string& value) {
    auto had = others->get(*find_kind("", kConfigMaps), namespace_, "a");
    Value object = **had;
    object.as_map()->find("data")->as_map()->set(name, value);
    ASSERT_TRUE(others->update(object));
    ASSERT_TRUE(until([&] {
      const auto now = store.find(key);
      return now != nullptr && now->root.at("data").at(name).text() == value;
    }));
  };
  patch("theirs", "x");
  EXPECT_TRUE(store.holds(wanted));
  patch("key", "changed");
  EXPECT_FALSE(store.holds(wanted));
  ASSERT_TRUE(store.apply(wanted));
  ASSERT_TRUE(until([&] { return store.holds(wanted); }));

  ASSERT_TRUE(store.remove(key));
  ASSERT_TRUE(until([&] { return store.find(key) == nullptr; }));
  EXPECT_EQ(changes.back().after, nullptr);
  EXPECT_FALSE(store.holds(wanted));
}

TEST_F(KubeClusterTest, StatusAndItsChangeAlone) {
  KubeStoreOptions options;
  options.namespace_ = namespace_;
  options.kinds = {find_kind("apps", "Deployment")};
  KubeStore store(loop_, *client_, options);
  store.start();
  const Object wanted = object_of(Map{
      {"apiVersion", "apps/v1"},
      {"kind", "Deployment"},
      {"metadata", Map{{"namespace", namespace_}, {"name", "d"}}},
      {"spec",
       Map{{"replicas", 0},
           {"selector", Map{{"matchLabels", Map{{"app", "d"}}}}},
           {"template",
            Map{{"metadata", Map{{"labels", Map{{"app", "d"}}}}},
                {"spec",
                 Map{{"containers",
                      List{Map{{"name", "c"},
                               {"image", "none"},
                               {"resources", Map{{"requests", Map{{"cpu", "1000m"}}}}}}}}}}}}}}});
  ASSERT_TRUE(store.apply(wanted));
  // Defaults, quantities in another spelling, the controller's annotation and status: all the same
  // to us.
  ASSERT_TRUE(until([&] {
    const auto now = store.find(wanted.key());
    return now != nullptr && now->status().at("observedGeneration").integer() > 0 &&
           now->annotation("deployment.kubernetes.io/revision") != nullptr;
  }));
  EXPECT_TRUE(store.holds(wanted));
  const std::uint64_t calls = client_->counts().calls_total();

  bool status_only = false;
  store.watch([&](const store::Change& change) { status_only = change.status_only; });
  Value status = store.find(wanted.key())->status();
  status.as_map()->set("collisionCount", 7);
  ASSERT_TRUE(store.set_status(wanted.key(), status));
  ASSERT_TRUE(until([&] { return store.writes_pending() == 0; }));
  EXPECT_TRUE(status_only);
  EXPECT_GE(client_->counts().calls_total(), calls + 1);
}

TEST_F(KubeClusterTest, FailuresAreToldAndHoldBackTheirLane) {
  KubeStoreOptions options;
  options.namespace_ = namespace_;
  options.kinds = {find_kind("", kConfigMaps)};
  KubeStore store(loop_, *client_, options);
  std::vector<WriteFailure> failures;
  store.on_failed([&](const WriteFailure& failure) { failures.push_back(failure); });
  store.start();
  const auto owned = [&](const std::string& name, Value data) {
    Object object = config_map(name, "x");
    object.root.as_map()->set("data", std::move(data));
    object.root.as_map()
        ->find("metadata")
        ->as_map()
        ->set("ownerReferences", List{Map{{"apiVersion", "v1"},
                                          {"kind", "ConfigMap"},
                                          {"name", "owner"},
                                          {"uid", "no-such-uid"},
                                          {"controller", true}}});
    return object;
  };
  ASSERT_TRUE(store.apply(owned("bad", Map{{"not a key!", "x"}})));
  ASSERT_TRUE(store.apply(owned("behind", Map{{"key", "x"}})));
  ASSERT_TRUE(until([&] { return !failures.empty(); }));
  EXPECT_EQ(failures[0].key.name, "bad");
  EXPECT_EQ(failures[0].owner.name, "owner");
  EXPECT_EQ(store.writes_pending(), 0U);
  EXPECT_FALSE(make_client()->get(*find_kind("", kConfigMaps), namespace_, "behind")->has_value());
}

TEST_F(KubeClusterTest, OneLeaderAndAFastHandOver) {
  const auto options = [&](const char* identity) {
    LeaseOptions made;
    made.namespace_ = namespace_;
    made.name = "lead";
    made.identity = identity;
    made.retry_period = Milliseconds(200);
    return made;
  };
  auto first_client = make_client(lease_client_options());
  auto second_client = make_client(lease_client_options());
  LeaderElection first(loop_, *first_client, options("first"));
  LeaderElection second(loop_, *second_client, options("second"));
  bool first_leads = false;
  bool second_leads = false;
  first.start([&] { first_leads = true; }, [] { FAIL() << "lost"; });
  ASSERT_TRUE(until([&] { return first_leads; }));
  second.start([&] { second_leads = true; }, [] { FAIL() << "lost"; });
  ASSERT_FALSE(until([&] { return second_leads; }, 1));
  bool released = false;
  first.release([&] { released = true; });
  const std::int64_t begin = monotonic_ns();
  ASSERT_TRUE(until([&] { return released && second_leads; }, 5));
  EXPECT_LT(monotonic_ns() - begin, 2'000'000'000);
  EXPECT_FALSE(first.is_leader());
}

// No pass or fail: prints what writing costs. --gtest_also_run_disabled_tests
TEST_F(KubeClusterTest, DISABLED_CostOfThreeThousandObjects) {
  constexpr int kObjects = 3'000;
  for (const unsigned writers : {1U, 4U, 8U, 16U}) {
    auto client = make_client();
    KubeStoreOptions options;
    options.namespace_ = namespace_;
    options.kinds = {find_kind("", kConfigMaps)};
    options.writers_max = writers;
    KubeStore store(loop_, *client, options);
    store.start();
    ASSERT_TRUE(until([&] { return store.is_synced(); }));
    for (int round = 0; round < 2; ++round) {
      timespec cpu{};
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
      const std::int64_t begin = monotonic_ns();
      for (int i = 0; i < kObjects; ++i) {
        Object object = config_map(fmt::format("w{}-{}", writers, i), fmt::format("v{}", round));
        ASSERT_TRUE(store.apply(std::move(object)));
      }
      ASSERT_TRUE(until([&] { return store.writes_pending() == 0; }, 120));
      const std::int64_t end = monotonic_ns();
      timespec after{};
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
      fmt::print("writers {}: {} applies ({}) in {} ms, {} ms of CPU here, throttled {} ms\n",
                 writers, kObjects, round == 0 ? "new" : "changed", (end - begin) / 1'000'000,
                 (after.tv_sec - cpu.tv_sec) * 1000 + (after.tv_nsec - cpu.tv_nsec) / 1'000'000,
                 client->counts().throttled_ns / 1'000'000);
    }
    // One change, from asking to the answer in the cache.
    std::int64_t total = 0;
    for (int i = 0; i < 50; ++i) {
      const Object object = config_map("one", fmt::format("{}-{}", writers, i));
      const std::int64_t begin = monotonic_ns();
      ASSERT_TRUE(store.apply(object));
      ASSERT_TRUE(until([&] { return store.holds(object); }));
      total += monotonic_ns() - begin;
    }
    fmt::print("writers {}: one change {} us on average\n", writers, total / 50 / 1000);
  }
}

}  // namespace
}  // namespace sluice::kube
