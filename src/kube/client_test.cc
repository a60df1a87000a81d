#include "kube/client.h"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "base/clock.h"
#include "kube/connection.h"
#include "kube/fake_server.h"
#include "kube/pool.h"
#include "resource/read.h"

namespace sluice::kube {
namespace {

using resource::List;
using resource::Map;
using resource::Object;
using resource::Value;
using Request = FakeServer::Request;
using Reply = FakeServer::Reply;

constexpr char kCollection[] = "/api/v1/namespaces/ns/configmaps";

const Kind& config_maps() { return *find_kind("", "ConfigMap"); }

Value config_map(const std::string& name, const std::string& value = "x") {
  return Map{{"apiVersion", "v1"},
             {"kind", "ConfigMap"},
             {"metadata", Map{{"namespace", "ns"}, {"name", name}}},
             {"data", Map{{"key", value}}}};
}

Object object_of(Value root) { return *resource::make_object(std::move(root)); }

// An answer for the first `times` requests that fit.
FakeServer::Intercept first(int times, Reply reply) {
  return [times, reply](const Request&) mutable -> std::optional<Reply> {
    return times-- > 0 ? std::optional(reply) : std::nullopt;
  };
}

TEST(ClientTest, ListsInPagesAndBeginsAgainWhenTheyExpire) {
  FakeServer server;
  for (int i = 0; i < 25; ++i)
    server.put(std::string(kCollection) + "/m" + std::to_string(i), config_map("m"));
  ClientOptions options;
  options.page_size = 10;
  const auto client = server.client(options);
  auto listed = client->list(config_maps(), {"ns", "", ""});
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->items.size(), 25U);
  EXPECT_EQ(listed->items[0].at("apiVersion").text(), "v1");
  EXPECT_EQ(listed->items[0].at("kind").text(), "ConfigMap");
  EXPECT_EQ(listed->resource_version, std::to_string(server.version()));

  server.intercept([n = 0](const Request& request) mutable -> std::optional<Reply> {
    if (request.parameter("continue").empty() || n++ > 0) return std::nullopt;
    return Reply{410, Map{{"kind", "Status"}, {"message", "expired"}}};
  });
  listed = client->list(config_maps(), {"", "", ""});
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->items.size(), 25U);  // none twice

  // Expires for ever: at last in one piece.
  server.intercept([](const Request& request) -> std::optional<Reply> {
    if (request.parameter("continue").empty()) return std::nullopt;
    return Reply{410, Map{{"kind", "Status"}}};
  });
  listed = client->list(config_maps(), {"", "", ""});
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->items.size(), 25U);

  server.intercept(first(1, {404, Map{}}));
  listed = client->list(config_maps(), {"", "", ""});
  ASSERT_TRUE(listed);
  EXPECT_FALSE(listed->served);
}

TEST(ClientTest, OneConnectionServesManyCalls) {
  FakeServer server;
  const auto client = server.client();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(client->get(config_maps(), "ns", "a"));
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(client->counts().calls_total(), 20U);
  EXPECT_EQ(client->counts().calls.at({"get", "ConfigMap"}), 20U);
}

TEST(ClientTest, TriesAgainAfterRetryAfterAndFailures) {
  FakeServer server;
  const auto client = server.client();
  server.put(std::string(kCollection) + "/a", config_map("a"));
  server.intercept(first(1, {429, Map{{"message", "slow down"}}, "Retry-After: 1\r\n"}));
  std::int64_t begin = monotonic_ns();
  auto got = client->get(config_maps(), "ns", "a");
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->has_value());
  EXPECT_GE(monotonic_ns() - begin, 990'000'000);

  server.intercept(first(2, {503, Map{}}));
  ASSERT_TRUE(client->get(config_maps(), "ns", "a"));
  server.intercept(first(2, {200, Map{}, "", true}));  // closes without an answer
  ASSERT_TRUE(client->get(config_maps(), "ns", "a"));
  EXPECT_EQ(client->counts().retries, 5U);

  // Not for ever.
  ClientOptions options;
  options.attempts_max = 2;
  server.intercept(first(100, {500, Map{{"message", "webhook is down"}}}));
  const auto impatient = server.client(options);
  got = impatient->get(config_maps(), "ns", "a");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().what, "the API server answered 500: webhook is down");
  EXPECT_EQ(got.error().where, "get ConfigMap ns/a");
  EXPECT_EQ(got.error().retry, Retry::kSafe);
  EXPECT_EQ(impatient->counts().calls_total(), 2U);
}

TEST(ClientTest, DeadlinesHoldAndStopEndsWhatWaits) {
  FakeServer server;
  server.intercept(first(100, {200, Map{}, "", false, 700}));
  ClientOptions options;
  options.deadline = Milliseconds(150);
  std::int64_t begin = monotonic_ns();
  const auto got = server.client(options)->get(config_maps(), "ns", "a");
  ASSERT_FALSE(got);
  EXPECT_NE(got.error().what.find("timed out"), std::string::npos) << got.error().what;
  EXPECT_LT(monotonic_ns() - begin, 600'000'000);

  const auto client = server.client();
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    client->stop();
  });
  begin = monotonic_ns();
  EXPECT_FALSE(client->get(config_maps(), "ns", "a"));
  EXPECT_LT(monotonic_ns() - begin, 500'000'000);
  stopper.join();
  EXPECT_FALSE(client->version());
}

TEST(ClientTest, WritesAsTheServerWantsThem) {
  FakeServer server;
  const auto client = server.client();
  Value root = config_map("a");
  root.as_map()->set("status", Map{{"x", 1}});
  resource::Map& metadata = *root.as_map()->find("metadata")->as_map();
  for (const char* key : {"uid", "resourceVersion", "creationTimestamp"}) metadata.set(key, "1");
  metadata.set("managedFields", List{});
  ASSERT_TRUE(client->apply(object_of(root)));
  Request sent = server.requests().back();
  EXPECT_EQ(sent.method, "PATCH");
  EXPECT_EQ(sent.path, std::string(kCollection) + "/a");
  EXPECT_EQ(sent.query, "fieldManager=sluice&force=true");
  EXPECT_NE(sent.head.find("Content-Type: application/apply-patch+yaml\r\n"), std::string::npos);
  EXPECT_EQ(*parse_document(sent.body), config_map("a"));

  ASSERT_TRUE(client->set_status(config_maps(), "v1", "ns", "a", Map{{"state", "Available"}}));
  sent = server.requests().back();
  EXPECT_EQ(sent.path, std::string(kCollection) + "/a/status");
  EXPECT_NE(sent.head.find("application/json-patch+json"), std::string::npos);
  EXPECT_EQ(sent.body, R"([{"op":"add","path":"/status","value":{"state":"Available"}}])");

  ASSERT_TRUE(client->remove(config_maps(), "ns", "a", "no-such"));
  sent = server.requests().back();
  EXPECT_EQ(parse_document(sent.body)->at("propagationPolicy").text(), "Background");
  EXPECT_EQ(parse_document(sent.body)->at("preconditions").at("uid").text(), "no-such");
  EXPECT_FALSE(server.at(std::string(kCollection) + "/a").is_null());

  EXPECT_EQ(client->create(config_map("a"))->outcome, Outcome::kConflict);
  EXPECT_EQ(client->update(config_map("a"))->outcome, Outcome::kConflict);  // no version
  EXPECT_EQ(client->update(config_map("b"))->outcome, Outcome::kNotFound);
  EXPECT_FALSE(client->create(Map{{"apiVersion", "x/v1"}, {"kind", "Unknown"}}));
}

Object with_ports(std::int64_t second) {
  return resource::make_object(
             Map{{"apiVersion", "apps/v1"},
                 {"kind", "Deployment"},
                 {"metadata",
                  Map{{"name", "a"}, {"namespace", "ns"}, {"labels", Map{{"ours", "1"}}}}},
                 {"spec",
                  Map{{"template",
                       Map{{"spec",
                            Map{{"containers",
                                 List{Map{{"name", "engine"},
                                          {"ports", List{Map{{"containerPort", 8000}},
                                                         Map{{"containerPort", second}}}}}}}}}}}}}})
      .value();
}

// Server-side apply refuses a port that is said twice.
TEST(ClientTest, AppliesAPortThatIsSaidTwiceByPatch) {
  FakeServer server;
  const auto client = server.client();
  std::mutex mutex;
  std::vector<Request> asked;
  int conflicts = 1;
  server.intercept([&](const Request& request) -> std::optional<Reply> {
    const std::lock_guard lock(mutex);
    asked.push_back(request);
    if (request.method == "GET" && asked.size() == 1) return Reply{404, Map{{"kind", "Status"}}};
    if (request.method == "PATCH" && conflicts-- > 0) return Reply{409, Map{{"kind", "Status"}}};
    return Reply{
        200, Map{{"kind", "Deployment"},
                 {"metadata", Map{{"resourceVersion", "7"},
                                  {"labels", Map{{"theirs", "1"}, {"seldon.io/shadow", "true"}}}}},
                 {"spec", Map{{"replicas", 3}}}}};
  });
  auto written = client->apply(with_ports(8000));
  ASSERT_TRUE(written) << to_string(written.error());
  ASSERT_EQ(asked.size(), 2U);  // it is not there: made
  EXPECT_EQ(asked[1].method, "POST");
  EXPECT_EQ(asked[1].path, "/apis/apps/v1/namespaces/ns/deployments");

  written = client->apply(with_ports(8000));
  ASSERT_TRUE(written);
  ASSERT_EQ(asked.size(), 6U);  // read and patched, twice: the first time it was another version
  EXPECT_EQ(asked[5].method, "PATCH");
  const auto patch = parse_document(asked[5].body);
  ASSERT_TRUE(patch);
  Map said;
  for (const Value& each : patch->list()) said.set(each.at("path").text(), each.at("value"));
  const Value patched(said);
  EXPECT_EQ(patched.at("/spec").at("replicas").integer(), 3);  // whoever scales it
  EXPECT_EQ(patched.at("/metadata/labels"), Value(Map({{"theirs", "1"}, {"ours", "1"}})));
  EXPECT_EQ(patched.at("/metadata/resourceVersion").text(), "7");

  asked.clear();
  ASSERT_TRUE(client->apply(with_ports(8001)));
  ASSERT_EQ(asked.size(), 1U);  // no port twice
  EXPECT_NE(asked[0].head.find("apply-patch"), std::string::npos);
}

TEST(ClientTest, TakesOverWhatAPredecessorWrote) {
  FakeServer server;
  const auto client = server.client();
  std::vector<Request> asked;
  server.intercept([&](const Request& request) -> std::optional<Reply> {
    asked.push_back(request);
    List fields{Map{{"manager", "sluice"}, {"operation", "Apply"}, {"fieldsV1", Map{}}}};
    if (asked.size() == 1) {
      fields.push_back(Map{{"manager", "manager"},
                           {"operation", "Update"},
                           {"fieldsV1", Map{{"f:metadata", Map{{"f:ownerReferences", Map{}}}}}}});
    }
    return Reply{200, Map{{"kind", "Deployment"},
                          {"metadata",
                           Map{{"resourceVersion", "7"}, {"managedFields", std::move(fields)}}}}};
  });
  const auto written = client->apply(with_ports(8001));
  ASSERT_TRUE(written);
  ASSERT_EQ(asked.size(), 3U);
  EXPECT_NE(asked[1].head.find("json-patch"), std::string::npos);
  EXPECT_NE(asked[1].body.find("f:ownerReferences"), std::string::npos);
  EXPECT_EQ(asked[1].body.find("\"manager\":\"manager\""), std::string::npos);
  EXPECT_EQ(asked[2].body, asked[0].body);
  EXPECT_TRUE(written->object.at("metadata").at("managedFields").is_null());
}

TEST(ClientTest, NamesOfTheSchemaAndPathsAreEncoded) {
  EXPECT_EQ(path_of(*find_kind("apps", "Deployment"), "", "a/b", "c?d"),
            "/apis/apps/v1/namespaces/a%2Fb/deployments/c%3Fd");
  EXPECT_EQ(
      path_of(*find_kind("networking.istio.io", "Gateway"), "networking.istio.io/v1alpha3", "", ""),
      "/apis/networking.istio.io/v1alpha3/gateways");
  EXPECT_EQ(path_of(*find_kind("", "Namespace"), "", "ignored", "x"), "/api/v1/namespaces/x");
}

TEST(ClientTest, SaysWhatIsForbidden) {
  FakeServer server;
  const auto client = server.client();
  server.intercept(
      first(1, {403, Map{{"kind", "Status"},
                         {"message",
                          "configmaps \"a\" is forbidden: User \"u\" cannot create resource "
                          "\"configmaps\" in API group \"\" in the namespace \"ns\""}}}));
  auto refused = client->apply(object_of(config_map("a")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().where, "patch ConfigMap ns/a");
  EXPECT_TRUE(refused.error().what.starts_with(
      "RBAC does not allow it: a rule with apiGroups [\"\"], resources [\"configmaps\"], verbs "
      "[\"create\"] is needed in namespace ns"))
      << refused.error().what;
  server.intercept(first(1, {403, Map{{"message", "namespace is being terminated"}}}));
  refused = client->apply(object_of(config_map("a")));
  EXPECT_EQ(refused.error().what, "namespace ns is being deleted: nothing new can be made in it");
}

TEST(ClientTest, ReadsATokenAgainWhenItIsRefused) {
  FakeServer server;
  const std::string path = testing::TempDir() + "/token";
  std::ofstream(path) << "old\n";
  server.intercept([](const Request& request) -> std::optional<Reply> {
    if (request.head.find("Authorization: Bearer new\r\n") != std::string::npos)
      return std::nullopt;
    return Reply{401, Map{{"message", "Unauthorized"}}};
  });
  Config config = server.config();
  config.token_file = path;
  auto client = Client::make(config);
  ASSERT_TRUE(client);
  auto got = (*client)->get(config_maps(), "ns", "a");
  ASSERT_FALSE(got);
  EXPECT_NE(got.error().what.find("does not accept our credentials (401)"), std::string::npos);
  std::ofstream(path) << "new\n";
  // No more than once every two seconds, whatever the server says.
  std::this_thread::sleep_for(std::chrono::milliseconds(2050));
  EXPECT_TRUE((*client)->get(config_maps(), "ns", "a"));
}

TEST(ClientTest, LimitsItsOwnRate) {
  FakeServer server;
  ClientOptions options;
  options.calls_per_second = 50;
  options.calls_burst = 2;
  const auto client = server.client(options);
  const std::int64_t begin = monotonic_ns();
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(client->version());
  EXPECT_GE(monotonic_ns() - begin, 90'000'000);
  EXPECT_GT(client->counts().throttled_ns, 0U);
}

TEST(ClientTest, WatchesPartialLinesBookmarksAndExpiry) {
  FakeServer server;
  const auto client = server.client();
  const std::string start = std::to_string(server.version());
  server.put(std::string(kCollection) + "/a", config_map("a"));
  server.bookmark(kCollection);
  server.put(std::string(kCollection) + "/a", config_map("a", "y"));
  server.put("/api/v1/namespaces/other/configmaps/a", config_map("a"));
  server.erase(std::string(kCollection) + "/a");
  std::vector<WatchEvent> events;
  Client::WatchOptions options;
  options.selection.namespace_ = "ns";
  options.resource_version = start;
  auto end = client->watch(config_maps(), options, [&](WatchEvent event) {
    events.push_back(std::move(event));
    if (events.size() == 4) server.drop_watches();
  });
  ASSERT_TRUE(end) << to_string(end.error());
  EXPECT_EQ(*end, WatchEnd::kClosed);
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(events[0].type, WatchEvent::Type::kAdded);
  EXPECT_EQ(events[1].type, WatchEvent::Type::kBookmark);
  EXPECT_EQ(events[2].object.at("data").at("key").text(), "y");
  EXPECT_EQ(events[3].type, WatchEvent::Type::kDeleted);

  server.compact();
  end = client->watch(config_maps(), options, [](const WatchEvent&) {});
  ASSERT_TRUE(end);
  EXPECT_EQ(*end, WatchEnd::kExpired);
  server.intercept(first(1, {410, Map{}}));
  EXPECT_EQ(*client->watch(config_maps(), options, [](const WatchEvent&) {}), WatchEnd::kExpired);
  server.intercept(first(1, {403, Map{{"message", "u cannot watch resource"}}}));
  end = client->watch(config_maps(), options, [](const WatchEvent&) {});
  ASSERT_FALSE(end);
  EXPECT_NE(end.error().what.find("verbs [\"watch\"]"), std::string::npos);
}

TEST(ClientTest, GoesThroughAProxy) {
  FakeServer server;
  Config config = server.config();
  config.proxy_url = config.server;
  config.server = "http://api.invalid:6443";  // only the proxy knows where that is
  auto client = Client::make(config);
  ASSERT_TRUE(client);
  ASSERT_TRUE((*client)->get(config_maps(), "ns", "a"));
  ASSERT_EQ(server.requests().size(), 2U);
  EXPECT_TRUE(server.requests()[0].head.starts_with("CONNECT api.invalid:6443 HTTP/1.1\r\n"));
  EXPECT_NE(server.requests()[1].head.find("Host: api.invalid:6443\r\n"), std::string::npos);
}

TEST(ClientTest, SaysThatNobodyIsThere) {
  Config config;
  config.server = "http://127.0.0.1:1";
  ClientOptions options;
  options.attempts_max = 2;
  auto client = Client::make(config, options);
  ASSERT_TRUE(client);
  const auto got = (*client)->version();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().what, "127.0.0.1:1 can't be reached: Connection refused");
}

TEST(EndpointTest, TakesUrlsApart) {
  auto endpoint = parse_endpoint("https://[::1]:6443/k8s/clusters/c-1/", "http://proxy:3128", "");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->host, "::1");
  EXPECT_EQ(endpoint->port, 6443);
  EXPECT_EQ(endpoint->authority, "[::1]:6443");
  EXPECT_EQ(endpoint->base_path, "/k8s/clusters/c-1");
  EXPECT_EQ(endpoint->proxy_host, "proxy");
  EXPECT_EQ(endpoint->proxy_port, 3128);
  EXPECT_EQ(parse_endpoint("https://api.example.com", "", "")->port, 443);
  EXPECT_FALSE(parse_endpoint("https://", "", ""));
  EXPECT_FALSE(parse_endpoint("https://a b", "", ""));
  EXPECT_FALSE(parse_endpoint("https://a:99999", "", ""));
  EXPECT_FALSE(parse_endpoint("https://a/b c", "", ""));
}

}  // namespace
}  // namespace sluice::kube
