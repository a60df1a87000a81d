#include "operator/bridge.h"

#include <gtest/gtest.h>

#include "resource/print.h"
#include "resource/read.h"

namespace sluice::operator_ {
namespace {

using resource::Object;

Object read(const std::string& text) {
  auto made = resource::read(text, std::make_shared<const std::string>("test.yaml"));
  EXPECT_EQ(made.objects.size(), 1U) << text;
  return made.objects.at(0);
}

Object service(const std::string& ports) {
  return read(
      "{apiVersion: v1, kind: Service, metadata: {name: iris-p, namespace: m}, spec: {selector: "
      "{seldon-app: iris-p}, ports: [" +
      ports + "]}}");
}

Object pods(const std::string& containers, const std::string& version = "v1") {
  return read(
      "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: m}, spec: {template: "
      "{metadata: {labels: {seldon-app: iris-p, version: " +
      version + "}}, spec: {containers: [" + containers + "]}}}}");
}

std::string container(const std::string& name, int http) {
  return "{name: " + name + ", ports: [{name: http, containerPort: " + std::to_string(http) + "}]}";
}

// "name port>target" of each port.
std::string ports_of(const Object& object) {
  std::string text;
  for (const auto& port : object.spec().at("ports").list()) {
    if (!text.empty()) text += ", ";
    text += std::string(port.at("name").text()) + " " + resource::to_json(port.at("port")) + ">" +
            resource::to_json(port.at("targetPort"));
  }
  return text;
}

std::string bridged(const Object& have, const Object& want, const Object& before,
                    const Object& after) {
  const Object once = bridge_service(have, want, {&before}, {&after});
  EXPECT_EQ(bridge_service(once, want, {&before}, {&after}).root, once.root)
      << "not the same again";
  EXPECT_EQ(bridge_service(once, want, {&after}, {&after}).root, once.root)
      << "another when the Deployment is written";
  return ports_of(once);
}

TEST(Bridge, APortThatMovesIsServedUnderBothNumbersByName) {
  EXPECT_EQ(bridged(service("{name: http, port: 9000, targetPort: 9000}"),
                    service("{name: http, port: 8081, targetPort: 8081}"),
                    pods(container("m", 9000)), pods(container("m", 8081))),
            "http 9000>\"http\", http-8081 8081>8081");
}

TEST(Bridge, ATargetThatMovesIsLedToByName) {
  EXPECT_EQ(bridged(service("{name: http, port: 80, targetPort: 9000}"),
                    service("{name: http, port: 80, targetPort: 8081}"), pods(container("m", 9000)),
                    pods(container("m", 8081))),
            "http 80>\"http\"");
}

TEST(Bridge, AbortedItGoesBackWithoutAGap) {
  const Object before = pods(container("m", 9000));
  const Object after = pods(container("m", 8081));
  const Object first = service("{name: http, port: 9000, targetPort: 9000}");
  const Object second = service("{name: http, port: 8081, targetPort: 8081}");
  const Object moving = bridge_service(first, second, {&before}, {&after});
  EXPECT_EQ(ports_of(bridge_service(moving, first, {&after}, {&before})),
            "http 9000>\"http\", http-8081 8081>8081");
}

// The orchestrator and the model beside it have both a port "http", and Kubernetes takes the first.
TEST(Bridge, ANameThatMeansAnotherPortIsNotUsed) {
  EXPECT_EQ(bridged(service("{name: http, port: 8000, targetPort: 8000}"),
                    service("{name: http, port: 9000, targetPort: 9000}"),
                    pods(container("m", 9000) + ", " + container("engine", 8000)),
                    pods(container("m", 9000))),
            "http 8000>8000, http-9000 9000>9000");
}

TEST(Bridge, APortThatStaysAndOneThatComes) {
  const Object same = pods(container("m", 9000));
  EXPECT_EQ(bridged(service("{name: http, port: 9000, targetPort: 9000}"),
                    service("{name: http, port: 9000, targetPort: 9000}, {name: grpc, port: 9500, "
                            "targetPort: 9500}"),
                    same, same),
            "http 9000>9000, grpc 9500>9500");
}

TEST(Bridge, ASubsetKeepsTheLabelsThatOldAndNewPodsHave) {
  const Object rule = read(
      "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: iris-p, "
      "namespace: m}, spec: {host: h, "
      "subsets: [{name: p, labels: {version: v1, seldon-app: iris-p}}, {name: q, labels: {version: "
      "other}}]}}");
  const auto spec =
      bridge_rule(rule, service(""), pods(container("m", 1), "v1"), pods(container("m", 1), "v2"));
  ASSERT_TRUE(spec);
  EXPECT_EQ(resource::to_json(spec->at("subsets").at(0).at("labels")),
            "{\"seldon-app\":\"iris-p\"}");
  EXPECT_EQ(spec->at("subsets").at(1), rule.spec().at("subsets").at(1)) << "never had these pods";
  const Object by_version = read(
      "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: iris-p, "
      "namespace: m}, spec: {host: h, "
      "subsets: [{name: p, labels: {version: v1}}]}}");
  const auto all = bridge_rule(by_version, service(""), pods(container("m", 1), "v1"),
                               pods(container("m", 1), "v2"));
  ASSERT_TRUE(all);
  EXPECT_EQ(resource::to_json(all->at("subsets").at(0).at("labels")), "{\"seldon-app\":\"iris-p\"}")
      << "never none";
  EXPECT_EQ(spec->at("host").text(), "h");
  EXPECT_FALSE(
      bridge_rule(rule, service(""), pods(container("m", 1), "v1"), pods(container("m", 2), "v1")));
}

}  // namespace
}  // namespace sluice::operator_
