#include "usage/usage.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "kube/document.h"
#include "kube/fake_server.h"
#include "resource/print.h"
#include "resource/read.h"
#include "usage/sender.h"

namespace sluice::usage {
namespace {

using kube::FakeServer;
using resource::Map;
using resource::Value;

constexpr char kDeployments[] = R"(
apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata: {name: secret-name, namespace: secret-space, labels: {team: secret-team}}
spec:
  protocol: kfserving
  predictors:
  - name: secret-predictor
    traffic: 60
    graph:
      name: root
      implementation: RANDOM_ABTEST
      children:
      - {name: one, implementation: SKLEARN_SERVER, modelUri: "gs://secret-bucket"}
      - {name: two, implementation: SECRET_SERVER, modelUri: "gs://secret-bucket"}
  - name: other
    traffic: 40
    graph: {name: a, type: MODEL}
    explainer: {type: AnchorTabular}
  - name: copy
    shadow: true
    graph: {name: a}
status: {state: Available}
---
apiVersion: machinelearning.seldon.io/v1alpha2
kind: SeldonDeployment
metadata: {name: broken}
spec: {protocol: secret-protocol, predictors: 3}
)";

Usage counted() {
  Usage usage;
  for (const resource::Object& object : resource::read(kDeployments, nullptr).objects)
    add(usage, object);
  return usage;
}

TEST(UsageTest, Counts) {
  const Usage usage = counted();
  EXPECT_EQ(usage.deployments, 2);
  EXPECT_EQ(usage.predictors, 3);
  EXPECT_EQ(usage.shadows, 1);
  EXPECT_EQ(usage.explainers, 1);
  EXPECT_EQ(usage.split, 1);
  EXPECT_EQ(usage.states, (std::map<std::string, std::int64_t>{{"Available", 1}, {"Creating", 1}}));
  EXPECT_EQ(usage.protocols, (std::map<std::string, std::int64_t>{{"v2", 1}, {"other", 1}}));
  EXPECT_EQ(usage.units,
            (std::map<std::string, std::int64_t>{
                {"RANDOM_ABTEST", 1}, {"SKLEARN_SERVER", 1}, {"custom", 2}, {"other", 1}}));
}

TEST(UsageTest, NothingOfTheUsersIsInIt) {
  const Usage usage = counted();
  std::string text = resource::to_json(to_value(usage, "1.2.3", "i"));
  append_metrics(text, usage);
  for (const char* word : {"secret", "SECRET", "gs:", "team", "root", "iris"})
    EXPECT_EQ(text.find(word), std::string::npos) << word << "\n" << text;
  EXPECT_NE(text.find(R"("schema":"sluice-usage/1","version":"1.2.3","instance":"i")"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("sluice_usage_units{implementation=\"SKLEARN_SERVER\"} 1\n"),
            std::string::npos);
}

bool until(const std::function<bool()>& done) {
  for (int i = 0; i < 1000 && !done(); ++i) usleep(10'000);
  return done();
}

TEST(SenderTest, PostsToTheAddressAndNowhereElse) {
  FakeServer server;
  server.intercept([](const FakeServer::Request& request) -> std::optional<FakeServer::Reply> {
    return FakeServer::Reply{request.path == "/in/usage" ? 202 : 500, Value()};
  });
  const auto sender = Sender::make(server.config().server + "/in/usage");
  ASSERT_TRUE(sender) << to_string(sender.error());
  (*sender)->send(R"({"a":1})");
  ASSERT_TRUE(until([&] { return (*sender)->sent() == 1; }));
  ASSERT_EQ(server.requests().size(), 1U);
  const FakeServer::Request request = server.requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.body, R"({"a":1})");
  EXPECT_NE(request.head.find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_EQ(request.head.find("Authorization"), std::string::npos);
}

TEST(SenderTest, AFailureIsCountedAndTheNextOneGoes) {
  FakeServer server;
  auto works = std::make_shared<std::atomic<bool>>(false);
  server.intercept([works](const FakeServer::Request&) -> std::optional<FakeServer::Reply> {
    return FakeServer::Reply{*works ? 200 : 302, Value(), "Location: http://127.0.0.1:1/\r\n"};
  });
  const auto sender = Sender::make(server.config().server);
  ASSERT_TRUE(sender);
  (*sender)->send("{}");
  ASSERT_TRUE(until([&] { return (*sender)->failed() == 1; }));
  *works = true;
  ASSERT_TRUE(until([&] {
    (*sender)->send("{}");
    return (*sender)->sent() == 1;
  }));
}

TEST(SenderTest, WhoDoesNotAnswerHoldsNobodyUp) {
  FakeServer server;
  server.intercept([](const FakeServer::Request&) -> std::optional<FakeServer::Reply> {
    return FakeServer::Reply{200, Value(), "", false, 500};
  });
  auto sender = Sender::make(server.config().server, Milliseconds(50));
  ASSERT_TRUE(sender);
  (*sender)->send("{}");
  ASSERT_TRUE(until([&] { return (*sender)->failed() == 1; }));
  auto patient = Sender::make(server.config().server, Milliseconds(600'000));
  (*patient)->send("{}");
  (*patient)->send("{}");  // nothing: one is under way
  patient->reset();        // does not wait for the answer
}

TEST(SenderTest, RefusesWhatIsNoAddress) {
  for (const char* url :
       {"", "example.com", "ftp://example.com", "http://", "http://u:p@example.com",
        "https://example.com/?token=x", "http://example.com:x/"}) {
    EXPECT_FALSE(Sender::make(url)) << url;
  }
}

}  // namespace
}  // namespace sluice::usage
