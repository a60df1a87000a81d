#include "kube/kube_store.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "kube/document.h"
#include "kube/fake_server.h"
#include "kube/lease.h"
#include "kube/likeness.h"
#include "resource/read.h"

namespace sluice::kube {
namespace {

using resource::List;
using resource::Map;
using resource::Object;
using resource::ObjectKey;
using resource::Value;
using Request = FakeServer::Request;
using Reply = FakeServer::Reply;

const std::string kCollection = "/api/v1/namespaces/ns/configmaps";

Value config_map(const std::string& name, const std::string& value = "x",
                 const std::string& owner = "") {
  Map metadata{{"namespace", "ns"}, {"name", name}};
  if (!owner.empty()) {
    metadata.set("ownerReferences", List{Map{{"apiVersion", "machinelearning.seldon.io/v1"},
                                             {"kind", "SeldonDeployment"},
                                             {"name", owner},
                                             {"uid", "uid-of-" + owner},
                                             {"controller", true}}});
  }
  return Map{{"apiVersion", "v1"},
             {"kind", "ConfigMap"},
             {"metadata", metadata},
             {"data", Map{{"key", value}}}};
}

Object object_of(Value root) { return *resource::make_object(std::move(root)); }
ObjectKey key_of(const std::string& name) { return {"", "ConfigMap", "ns", name}; }

class KubeStoreTest : public testing::Test {
 protected:
  void start() {
    client_ = server_.client();
    KubeStoreOptions options;
    options.kinds = {find_kind("", "ConfigMap")};
    store_ = std::make_unique<KubeStore>(loop_, *client_, options);
    store_->watch([this](const store::Change& change) { changes_.push_back(change); });
    store_->on_failed([this](const WriteFailure& failure) { failures_.push_back(failure); });
    store_->on_synced([this] { ++synced_; });
    store_->start();
    ASSERT_TRUE(until([this] { return store_->is_synced(); }));
  }
  bool until(const std::function<bool()>& done, std::int64_t seconds = 5) {
    const std::int64_t deadline = monotonic_ns() + seconds * 1'000'000'000;
    while (!done()) {
      if (monotonic_ns() > deadline) return false;
      loop_.run_once(5);
    }
    return true;
  }
  bool settled() {
    return until([this] { return store_->writes_pending() == 0; });
  }
  int lists() const {
    return server_.count(
        [](const Request& request) { return request.method == "GET" && !request.is_watch(); });
  }
  int watches() const {
    return server_.count([](const Request& r) { return r.is_watch(); });
  }
  std::string value_of(const std::string& name) const {
    const auto object = store_->find(key_of(name));
    return object == nullptr ? "" : std::string(object->root.at("data").at("key").text());
  }
  Request last_write() const {  // a watch may begin at any time
    Request last;
    for (const Request& request : server_.requests()) {
      if (request.method != "GET") last = request;
    }
    return last;
  }
  std::vector<std::string> writes() const {
    std::vector<std::string> names;
    for (const Request& request : server_.requests()) {
      if (request.method != "GET") names.push_back(request.path.substr(kCollection.size() + 1));
    }
    return names;
  }

  FakeServer server_;
  net::Loop loop_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<KubeStore> store_;
  std::vector<store::Change> changes_;
  std::vector<WriteFailure> failures_;
  int synced_ = 0;
};

TEST_F(KubeStoreTest, ShowsWhatIsThereAndFollowsIt) {
  server_.put(kCollection + "/a", config_map("a"));
  start();
  EXPECT_EQ(synced_, 1);
  EXPECT_EQ(value_of("a"), "x");
  ASSERT_EQ(changes_.size(), 1U);
  EXPECT_EQ(changes_[0].before, nullptr);

  server_.put(kCollection + "/a", config_map("a", "y"));
  server_.put(kCollection + "/b", config_map("b"));
  ASSERT_TRUE(until([this] { return value_of("b") == "x"; }));
  EXPECT_EQ(value_of("a"), "y");
  EXPECT_FALSE(changes_[1].status_only);
  EXPECT_EQ(store_->list("", "ConfigMap").size(), 2U);

  Value with_status = config_map("b");
  with_status.as_map()->set("status", Map{{"x", 1}});
  server_.put(kCollection + "/b", with_status);
  ASSERT_TRUE(until([this] { return changes_.size() == 4; }));
  EXPECT_TRUE(changes_[3].status_only);
  server_.put(kCollection + "/b", with_status);  // a new version of the same: no change
  server_.erase(kCollection + "/a");
  ASSERT_TRUE(until([this] { return store_->find(key_of("a")) == nullptr; }));
  ASSERT_EQ(changes_.size(), 5U);
  EXPECT_EQ(changes_[4].after, nullptr);
}

TEST_F(KubeStoreTest, GoesOnFromWhereAWatchBroke) {
  start();
  for (int i = 0; i < 3; ++i) {
    server_.put(kCollection + "/a", config_map("a", std::to_string(i)));
    ASSERT_TRUE(until([&] { return value_of("a") == std::to_string(i); }));
    server_.drop_watches();
    const int before = watches();
    ASSERT_TRUE(until([&] { return watches() > before; }));
  }
  EXPECT_EQ(lists(), 1);
}

TEST_F(KubeStoreTest, ListsAgainWhenItsVersionIsTooOld) {
  server_.put(kCollection + "/a", config_map("a"));
  server_.put(kCollection + "/b", config_map("b"));
  start();
  ASSERT_TRUE(until([this] { return watches() == 1; }));
  server_.drop_watches();
  server_.erase(kCollection + "/a");  // nobody tells of it
  server_.compact();
  ASSERT_TRUE(until([this] { return lists() >= 2; }));
  ASSERT_TRUE(until([this] { return store_->find(key_of("a")) == nullptr; }));
  EXPECT_EQ(value_of("b"), "x");
  EXPECT_EQ(changes_.back().after, nullptr);
  server_.put(kCollection + "/b", config_map("b", "later"));
  EXPECT_TRUE(until([this] { return value_of("b") == "later"; }));
}

TEST_F(KubeStoreTest, ABookmarkSavesAList) {
  start();
  server_.bookmark("/api/v1/configmaps");
  server_.put(kCollection + "/a", config_map("a"));
  ASSERT_TRUE(until([this] { return value_of("a") == "x"; }));
  EXPECT_EQ(lists(), 1);
}

TEST_F(KubeStoreTest, HoldsWhatItAppliedUntilSomebodyTouchesIt) {
  start();
  const Object wanted = object_of(config_map("a"));
  EXPECT_FALSE(store_->holds(wanted));
  ASSERT_TRUE(store_->apply(wanted));
  EXPECT_FALSE(store_->holds(wanted));
  ASSERT_TRUE(store_->apply(wanted));
  EXPECT_EQ(store_->writes_pending(), 1U);
  ASSERT_TRUE(settled());
  EXPECT_TRUE(store_->holds(wanted));
  EXPECT_FALSE(store_->holds(object_of(config_map("a", "other"))));

  Value touched = server_.at(kCollection + "/a");
  touched.as_map()->set("theirs", "x");
  server_.put(kCollection + "/a", touched);
  ASSERT_TRUE(until([this] { return !store_->find(key_of("a"))->root.at("theirs").is_null(); }));
  EXPECT_TRUE(store_->holds(wanted));
  server_.put(kCollection + "/a", config_map("a", "theirs"));
  ASSERT_TRUE(until([this] { return value_of("a") == "theirs"; }));
  EXPECT_FALSE(store_->holds(wanted));

  ASSERT_TRUE(store_->apply(wanted));
  ASSERT_TRUE(settled());
  EXPECT_TRUE(store_->holds(wanted));
  server_.erase(kCollection + "/a");
  ASSERT_TRUE(until([this] { return store_->find(key_of("a")) == nullptr; }));
  EXPECT_FALSE(store_->holds(wanted));
}

// What the server says of it: {"f:data":{"f:key":{}}, ...}, as applied by us.
Value applied_config_map(const std::string& value, const char* fields) {
  Value object = config_map("a", value);
  auto read = parse_document(fields);
  object.as_map()
      ->find("metadata")
      ->as_map()
      ->set(
          "managedFields",
          List{Map{{"manager", "sluice"}, {"operation", "Apply"}, {"fieldsV1", std::move(*read)}}});
  return object;
}

TEST_F(KubeStoreTest, WhatWasAppliedBeforeAStartIsHeld) {
  const Object wanted = object_of(config_map("a"));
  server_.put(kCollection + "/a", applied_config_map("x", R"({"f:data":{"f:key":{}}})"));
  start();
  EXPECT_TRUE(store_->holds(wanted));
  EXPECT_FALSE(store_->holds(object_of(config_map("a", "other"))));
  // Somebody touches it.
  server_.put(kCollection + "/a", applied_config_map("theirs", R"({"f:data":{"f:key":{}}})"));
  ASSERT_TRUE(until([this] { return value_of("a") == "theirs"; }));
  EXPECT_FALSE(store_->holds(wanted));
}

TEST_F(KubeStoreTest, WhatWeAppliedAndNoLongerSayIsNotHeld) {
  server_.put(kCollection + "/a", applied_config_map("x", R"({"f:data":{"f:key":{},"f:old":{}}})"));
  start();
  EXPECT_FALSE(store_->holds(object_of(config_map("a"))));
}

TEST_F(KubeStoreTest, SaysWhenAnOwnersAppliesHaveTheirAnswers) {
  server_.put("/apis/machinelearning.seldon.io/v1/namespaces/ns/seldondeployments/one",
              Map{{"apiVersion", "machinelearning.seldon.io/v1"},
                  {"kind", "SeldonDeployment"},
                  {"metadata", Map{{"namespace", "ns"}, {"name", "one"}, {"uid", "uid-one"}}}});
  client_ = server_.client();
  KubeStoreOptions options;
  options.kinds = {find_kind("", "ConfigMap"),
                   find_kind("machinelearning.seldon.io", "SeldonDeployment")};
  KubeStore store(loop_, *client_, options);
  store.start();
  ASSERT_TRUE(until([&] { return store.is_synced(); }));
  const ObjectKey owner{"machinelearning.seldon.io", "SeldonDeployment", "ns", "one"};
  int told = 0;
  store.watch([&](const store::Change& change) {
    if (change.key == owner && change.before == change.after) {
      ++told;
      EXPECT_FALSE(store.is_applying(owner));
    }
  });
  EXPECT_FALSE(store.is_applying(owner));
  for (const char* name : {"first", "second", "third"})
    ASSERT_TRUE(store.apply(object_of(config_map(name, "x", "one"))));
  EXPECT_TRUE(store.is_applying(owner));
  ASSERT_TRUE(until([&] { return store.writes_pending() == 0; }));
  EXPECT_EQ(told, 1);
}

TEST_F(KubeStoreTest, AnAnswerThatChangesNothingIsTold) {
  server_.put(kCollection + "/a", config_map("a"));
  start();
  ASSERT_TRUE(store_->apply(object_of(config_map("a"))));
  ASSERT_TRUE(settled());
  ASSERT_EQ(changes_.size(), 2U);
  EXPECT_EQ(changes_[1].before, changes_[1].after);
  EXPECT_FALSE(changes_[1].status_only);
  EXPECT_TRUE(store_->holds(object_of(config_map("a"))));
}

TEST_F(KubeStoreTest, WritesOfOneOwnerKeepTheirOrder) {
  start();
  server_.intercept([](const Request& request) -> std::optional<Reply> {
    if (request.path.ends_with("/slow")) return Reply{503, Map{}};
    return std::nullopt;
  });
  ASSERT_TRUE(store_->apply(object_of(config_map("slow", "x", "one"))));
  ASSERT_TRUE(store_->apply(object_of(config_map("second", "x", "one"))));
  ASSERT_TRUE(store_->apply(object_of(config_map("free", "x", "two"))));
  ASSERT_TRUE(until([this] { return value_of("free") == "x"; }));
  EXPECT_EQ(value_of("second"), "");
  server_.intercept(nullptr);
  ASSERT_TRUE(settled());
  EXPECT_EQ(value_of("slow"), "x");
  EXPECT_EQ(value_of("second"), "x");
  EXPECT_EQ(writes().back(), "second");
}

TEST_F(KubeStoreTest, AFailureDropsWhatIsBehindAndIsTold) {
  server_.put(kCollection + "/owner", config_map("owner"));
  start();
  server_.intercept([](const Request& request) -> std::optional<Reply> {
    if (!request.path.ends_with("/bad")) return std::nullopt;
    return Reply{422, Map{{"message", "spec is invalid"}}};
  });
  ASSERT_TRUE(store_->apply(object_of(config_map("bad", "x", "one"))));
  ASSERT_TRUE(store_->apply(object_of(config_map("behind", "x", "one"))));
  ASSERT_TRUE(until([this] { return !failures_.empty(); }));
  ASSERT_TRUE(settled());
  ASSERT_EQ(failures_.size(), 1U);
  EXPECT_EQ(failures_[0].key, key_of("bad"));
  EXPECT_EQ(failures_[0].owner,
            (ObjectKey{"machinelearning.seldon.io", "SeldonDeployment", "ns", "one"}));
  EXPECT_EQ(to_string(failures_[0].error),
            "patch ConfigMap ns/bad: the API server answered 422: spec is invalid");
  EXPECT_EQ(writes(), std::vector<std::string>{"bad"});

  // A status that waits behind a failure is written all the same: it may tell of it.
  server_.intercept([](const Request& request) -> std::optional<Reply> {
    if (request.method != "PATCH" || request.path.ends_with("/status")) return std::nullopt;
    return Reply{422, Map{{"message", "invalid"}}};
  });
  ASSERT_TRUE(store_->apply(object_of(config_map("owner", "y"))));
  ASSERT_TRUE(store_->set_status(key_of("owner"), Map{{"state", "Failed"}}));
  ASSERT_TRUE(settled());
  EXPECT_EQ(server_.at(kCollection + "/owner").at("status").at("state").text(), "Failed");
}

TEST_F(KubeStoreTest, AnObjectThatSomebodyElseMadeMeanwhileIsNotOverwritten) {
  start();
  server_.intercept([this](const Request& request) -> std::optional<Reply> {
    if (request.method != "PATCH") return std::nullopt;
    // As if it came between our look and our write.
    return Reply{request.body.find("\"resourceVersion\":\"1\"") == std::string::npos ? 200 : 409,
                 Map{{"message", "the object has been modified"}}};
  });
  ASSERT_TRUE(store_->apply(object_of(config_map("a", "ours", "one"))));
  ASSERT_TRUE(until([this] { return !failures_.empty(); }));
  EXPECT_EQ(failures_[0].error.retry, Retry::kSafe);  // a later pass sees it
}

TEST_F(KubeStoreTest, AFailureNamesTheOwnerOfAnObjectThatIsGoneByThen) {
  server_.put(kCollection + "/a", config_map("a", "x", "one"));
  start();
  server_.intercept([](const Request& request) -> std::optional<Reply> {
    if (request.method != "DELETE") return std::nullopt;
    return Reply{403, Map{{"message", "no"}}, {}, false, 200};
  });
  ASSERT_TRUE(store_->remove(key_of("a")));
  server_.erase(kCollection + "/a");
  ASSERT_TRUE(until([this] { return store_->find(key_of("a")) == nullptr; }));
  ASSERT_TRUE(until([this] { return !failures_.empty(); }));
  EXPECT_EQ(failures_[0].owner,
            (ObjectKey{"machinelearning.seldon.io", "SeldonDeployment", "ns", "one"}));
}

TEST_F(KubeStoreTest, NothingIsWrittenWhenItMayNot) {
  start();
  client_->guard_writes([] { return false; });
  ASSERT_TRUE(store_->apply(object_of(config_map("a"))));
  ASSERT_TRUE(until([this] { return !failures_.empty(); }));
  EXPECT_TRUE(writes().empty());
}

TEST_F(KubeStoreTest, StatusesThatWaitAreReplaced) {
  server_.put(kCollection + "/a", config_map("a"));
  start();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(store_->set_status(key_of("a"), Map{{"n", i}}));
  ASSERT_TRUE(settled());
  EXPECT_EQ(server_.at(kCollection + "/a").at("status").at("n").integer(), 19);
  EXPECT_LE(writes().size(), 2U);  // the first was perhaps under way
  ASSERT_TRUE(store_->set_status(key_of("a"), Map{{"n", 19}}));
  EXPECT_EQ(store_->writes_pending(), 0U);
  ASSERT_TRUE(store_->set_status(key_of("absent"), Map{{"n", 1}}));
  EXPECT_EQ(store_->writes_pending(), 0U);
}

TEST_F(KubeStoreTest, RemovesThatVeryObjectOnce) {
  server_.put(kCollection + "/a", config_map("a"));
  start();
  ASSERT_TRUE(store_->remove(key_of("absent")));
  EXPECT_EQ(store_->writes_pending(), 0U);
  ASSERT_TRUE(store_->remove(key_of("a")));
  ASSERT_TRUE(store_->remove(key_of("a")));
  EXPECT_EQ(store_->writes_pending(), 1U);
  ASSERT_TRUE(settled());
  const Request request = last_write();
  ASSERT_TRUE(until([this] { return store_->find(key_of("a")) == nullptr; }));
  EXPECT_EQ(writes().size(), 1U);
  EXPECT_TRUE(failures_.empty());
}

TEST_F(KubeStoreTest, AKindThatIsNotServedIsEmpty) {
  server_.intercept([](const Request&) -> std::optional<Reply> { return Reply{404, Map{}}; });
  start();
  EXPECT_FALSE(store_->is_served("", "ConfigMap"));
  EXPECT_TRUE(store_->list("", "ConfigMap").empty());
  ASSERT_TRUE(store_->apply(object_of(config_map("a"))));
  ASSERT_TRUE(until([this] { return !failures_.empty(); }));
}

TEST_F(KubeStoreTest, TellsWhatIsWrongUntilItIsWell) {
  std::atomic<bool> broken{false};
  server_.intercept([&](const Request& request) -> std::optional<Reply> {
    if (!broken || request.is_watch()) return std::nullopt;
    return Reply{403, Map{{"message", "u cannot list resource"}}};
  });
  start();
  EXPECT_EQ(store_->trouble(), "");
  broken = true;
  server_.compact();
  server_.drop_watches();
  ASSERT_TRUE(until([this] { return !store_->trouble().empty(); }));
  EXPECT_NE(store_->trouble().find("RBAC"), std::string::npos);
  broken = false;
  EXPECT_TRUE(until([this] { return store_->trouble().empty(); }));
}

TEST_F(KubeStoreTest, EventsAreMadeBesideTheObject) {
  server_.put(kCollection + "/a", config_map("a"));
  start();
  store_->record_event(key_of("a"), "Normal", "Updated", "all is well");
  ASSERT_TRUE(settled());
  const Request request = last_write();
  EXPECT_EQ(request.path, "/api/v1/namespaces/ns/events");
  const Value event = *parse_document(request.body);
  EXPECT_EQ(event.at("reason").text(), "Updated");
  EXPECT_EQ(event.at("involvedObject").at("uid"), store_->find(key_of("a"))->metadata().at("uid"));
}

TEST_F(KubeStoreTest, TheSameEventAgainIsCountedUp) {
  server_.put(kCollection + "/a", config_map("a"));
  start();
  for (int i = 0; i < 3; ++i) store_->record_event(key_of("a"), "Warning", "Failed", "it fails");
  ASSERT_TRUE(settled());
  std::set<std::string> paths;
  for (const Request& request : server_.requests()) {
    if (request.path.find("/events") != std::string::npos && request.method != "POST")
      paths.insert(request.method + " " + request.path);
  }
  ASSERT_EQ(paths.size(), 1U);
  const std::string path = paths.begin()->substr(6);
  EXPECT_EQ(*paths.begin(), "PATCH " + path);
  EXPECT_EQ(server_.at(path).at("count").integer(), 3);
}

// Only with the right to read Namespaces of the whole cluster.
TEST_F(KubeStoreTest, NamespacesAreWatchedWithTheWholeCluster) {
  for (const char* space : {"", "ns"}) {
    FakeServer server;
    const auto client = server.client();
    KubeStoreOptions options;
    options.namespace_ = space;
    KubeStore store(loop_, *client, options);
    store.start();
    ASSERT_TRUE(until([&] { return store.is_synced(); }));
    const int asked = server.count([](const Request& r) { return r.path == "/api/v1/namespaces"; });
    EXPECT_EQ(asked > 0, options.namespace_.empty());
  }
}

TEST(LikenessTest, LooksAtOurFieldsAlone) {
  const Object want = object_of(config_map("a"));
  Object have = want;
  const std::uint64_t hash = hash_of_same_fields(want, have);
  have.root.as_map()->find("metadata")->as_map()->set("resourceVersion", "7");
  have.root.as_map()->set("status", Map{{"x", 1}});
  have.root.as_map()->find("data")->as_map()->set("theirs", "y");
  EXPECT_EQ(hash_of_same_fields(want, have), hash);
  have.root.as_map()->find("data")->as_map()->set("key", "y");
  EXPECT_NE(hash_of_same_fields(want, have), hash);

  const auto with_list = [](List list) {
    return object_of(Map{{"apiVersion", "v1"},
                         {"kind", "ConfigMap"},
                         {"metadata", Map{{"name", "a"}}},
                         {"list", std::move(list)}});
  };
  const Object wanted = with_list({Map{{"name", "c"}}});
  const auto of = [&](List list) {
    return hash_of_same_fields(wanted, with_list(std::move(list)));
  };
  EXPECT_EQ(of({Map{{"name", "c"}}}), of({Map{{"name", "c"}, {"theirs", 1}}}));
  EXPECT_NE(of({Map{{"name", "c"}}}), of({Map{{"name", "d"}}}));
  EXPECT_NE(of({Map{{"name", "c"}}}), of({Map{{"name", "c"}}, Map{{"name", "d"}}}));
}

Value fields(const char* json) {
  auto read = parse_document(json);
  EXPECT_TRUE(read) << json;
  return read ? std::move(*read) : Value();
}

Object deployment(const char* json) {
  Value root = fields(json);
  root.as_map()->set("apiVersion", "apps/v1");
  root.as_map()->set("kind", "Deployment");
  return object_of(std::move(root));
}

TEST(LikenessTest, WhatTheServerSaysWeAppliedIsCompared) {
  const Object want = deployment(R"({"metadata":{"name":"a","namespace":"ns","labels":{"l":"1"}},
      "spec":{"replicas":1,"containers":[{"name":"main","ports":[{"containerPort":9000}]}]}})");
  const Object have = deployment(R"({"metadata":{"name":"a","namespace":"ns","uid":"u",
      "labels":{"l":"1","theirs":"x"}},"spec":{"replicas":1,"paused":false,"containers":[{"name":
      "main","image":"","ports":[{"containerPort":9000,"protocol":"TCP"}]}]},"status":{"n":1}})");
  const std::string item =
      R"("f:containers":{"k:{\"name\":\"main\"}":{".":{},"f:name":{},"f:ports":{".":{},)"
      R"("k:{\"containerPort\":9000,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}})";
  const auto says = [&](const std::string& spec) {
    return fields((R"({"f:metadata":{"f:labels":{"f:l":{}}},"f:spec":{)" + spec + "}}").c_str());
  };
  EXPECT_TRUE(is_applied(want, have, says("\"f:replicas\":{}," + item)));
  // Something that we no longer say; something that we did not say then.
  EXPECT_FALSE(is_applied(want, have, says("\"f:replicas\":{},\"f:paused\":{}," + item)));
  EXPECT_FALSE(is_applied(want, have, says(item)));
  EXPECT_FALSE(is_applied(want, have,
                          says("\"f:replicas\":{},\"f:containers\":{\"k:{\\\"name\\\":"
                               "\\\"gone\\\"}\":{\"f:name\":{}}}")));
  EXPECT_FALSE(is_applied(want, have, Value()));
  // Another has changed a field of ours.
  Object changed = have;
  changed.root.as_map()->find("spec")->as_map()->set("replicas", 2);
  EXPECT_FALSE(is_applied(want, changed, says("\"f:replicas\":{}," + item)));
}

// --- Leader election.

TEST(LeaseTimes, MustFitEachOther) {
  const auto said = [](int duration, int deadline, int retry) {
    LeaseOptions options;
    options.duration = Milliseconds(duration);
    options.renew_deadline = Milliseconds(deadline);
    options.retry_period = Milliseconds(retry);
    const auto checked = check_times(options);
    return checked ? std::string() : checked.error().what;
  };
  EXPECT_EQ(said(15'000, 10'000, 2'000), "");
  EXPECT_EQ(said(2'000, 1'000, 100), "");
  EXPECT_EQ(said(600'000, 500'000, 60'000), "");
  EXPECT_NE(said(10'000, 10'000, 2'000).find("--lease-duration (10000 ms)"), std::string::npos);
  EXPECT_NE(said(15'000, 2'000, 2'000).find("--renew-deadline (2000 ms)"), std::string::npos);
  EXPECT_NE(said(15'500, 10'000, 2'000).find("whole seconds"), std::string::npos);
  EXPECT_NE(said(15'000, 10'000, 10).find("--retry-period"), std::string::npos);
  EXPECT_NE(said(601'000, 10'000, 2'000), "");
  EXPECT_LT(lease_client_options().deadline, Milliseconds(5'000));
}

class LeaseTest : public testing::Test {
 protected:
  struct Replica {
    Replica(LeaseTest& test, const std::string& identity) {
      ClientOptions client_options = lease_client_options();
      client_options.attempts_max = 1;
      client = test.server_.client(client_options);
      LeaseOptions options;
      options.namespace_ = "ns";
      options.name = "lead";
      options.identity = identity;
      options.duration = Milliseconds(1'000);  // the least that a Lease can say
      options.renew_deadline = Milliseconds(400);
      options.retry_period = Milliseconds(50);
      election = std::make_unique<LeaderElection>(test.loop_, *client, options);
      election->start([this] { ++leads; }, [this] { ++losses; });
    }
    std::unique_ptr<Client> client;
    std::unique_ptr<LeaderElection> election;
    int leads = 0;
    int losses = 0;
  };
  bool until(const std::function<bool()>& done, std::int64_t ms = 4'000) {
    const std::int64_t deadline = monotonic_ns() + ms * 1'000'000;
    while (!done()) {
      if (monotonic_ns() > deadline) return false;
      loop_.run_once(5);
    }
    return true;
  }
  std::string holder() const {
    return std::string(server_.at("/apis/coordination.k8s.io/v1/namespaces/ns/leases/lead")
                           .at("spec")
                           .at("holderIdentity")
                           .text());
  }
  FakeServer server_;
  net::Loop loop_;
};

TEST_F(LeaseTest, OneLeadsAndHandsOver) {
  Replica first(*this, "first");
  ASSERT_TRUE(until([&] { return first.leads == 1; }));
  Replica second(*this, "second");
  EXPECT_FALSE(until([&] { return second.leads > 0; }, 1'500));  // longer than the lease
  bool released = false;
  first.election->release([&] { released = true; });
  ASSERT_TRUE(until([&] { return released; }));
  ASSERT_TRUE(until([&] { return second.leads == 1; }, 1'000));
  EXPECT_EQ(holder(), "second");
  EXPECT_EQ(first.losses, 0);
  EXPECT_EQ(server_.at("/apis/coordination.k8s.io/v1/namespaces/ns/leases/lead")
                .at("spec")
                .at("leaseTransitions")
                .integer(),
            1);
}

TEST_F(LeaseTest, ALeaderThatDiesIsFollowedWhenItsLeaseRunsOut) {
  auto first = std::make_unique<Replica>(*this, "first");
  ASSERT_TRUE(until([&] { return first->leads == 1; }));
  Replica second(*this, "second");
  first.reset();  // without a word
  EXPECT_FALSE(until([&] { return second.leads > 0; }, 500));
  EXPECT_TRUE(until([&] { return second.leads == 1; }));
}

TEST_F(LeaseTest, WhoCannotRenewStopsBeforeOthersStart) {
  Replica first(*this, "first");
  ASSERT_TRUE(until([&] { return first.leads == 1; }));
  server_.intercept([](const Request&) -> std::optional<Reply> { return Reply{500, Map{}}; });
  ASSERT_TRUE(until([&] { return first.losses == 1; }, 1'500));
  EXPECT_FALSE(first.election->is_leader());
}

TEST_F(LeaseTest, ACallThatHangsDoesNotKeepALeader) {
  Replica first(*this, "first");
  ASSERT_TRUE(until([&] { return first.leads == 1; }));
  server_.intercept(
      [](const Request&) -> std::optional<Reply> { return Reply{200, Map{}, "", false, 1'500}; });
  const std::int64_t begin = monotonic_ns();
  ASSERT_TRUE(until([&] { return first.losses == 1; }));
  EXPECT_LT(monotonic_ns() - begin, 1'000'000'000);  // the lease's duration
  EXPECT_FALSE(first.election->is_leader());
}

TEST_F(LeaseTest, WhoSeesAnotherInItsPlaceStops) {
  Replica first(*this, "first");
  ASSERT_TRUE(until([&] { return first.leads == 1; }));
  const std::string path = "/apis/coordination.k8s.io/v1/namespaces/ns/leases/lead";
  Value stolen = server_.at(path);
  stolen.as_map()->find("spec")->as_map()->set("holderIdentity", "thief");
  server_.put(path, stolen);
  ASSERT_TRUE(until([&] { return first.losses == 1; }));
  EXPECT_EQ(holder(), "thief");
}

}  // namespace
}  // namespace sluice::kube
