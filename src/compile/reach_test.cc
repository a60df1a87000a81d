// What a SeldonDeployment can't reach, whatever its author writes:
// docs/explanation/what-authors-can-reach.md.
#include <gtest/gtest.h>

#include "compile/seldon_fixture_test.h"
#include "compile/settings.h"

namespace sluice::compile {
namespace {

using resource::Value;
using testing_::all;
using testing_::deployment;
using testing_::find_code;
using testing_::spec_of;

// Every place that could name another namespace tries to.
constexpr char kGreedy[] = R"(  name: other/thing
  annotations: {seldon.io/istio-host: "a.example.com", seldon.io/headless-svc: "true"}
  predictors:
  - name: main
    traffic: 100
    annotations: {namespace: other}
    labels: {namespace: other}
    svcOrchSpec: {env: [{name: NAMESPACE, value: other}]}
    ssl: {certSecretName: mine}
    explainer: {type: AnchorTabular, modelUri: "s3://a", serviceAccountName: theirs}
    graph:
      name: one
      implementation: SKLEARN_SERVER
      modelUri: "pvc://claim/path"
      envSecretRefName: theirs
      serviceAccountName: theirs
      endpoint: {service_host: svc.other.svc.cluster.local, service_port: 1}
      children: [{name: two, endpoint: {service_host: 10.0.0.1, service_port: 1}}]
    componentSpecs:
    - metadata: {name: a, namespace: other, labels: {seldon-deployment-id: another, app: another}}
      spec: {containers: [{name: two, image: a/b:1}]}
      hpaSpec: {minReplicas: 1, maxReplicas: 2}
      pdbSpec: {minAvailable: 1}
)";

void expect_only_own_namespace(const Value& value, const std::string& path) {
  if (const auto* map = value.as_map()) {
    for (const auto& member : *map) {
      if (member.key == "namespace" && path.find("abels") == std::string::npos &&
          path.find("nnotations") == std::string::npos &&
          path.find("headers") == std::string::npos) {
        EXPECT_EQ(member.value.text(), "ns") << path;
      }
      if (member.key == "host" || member.key == "service_host") {
        const std::string host(member.value.text());
        EXPECT_TRUE(host.ends_with(".ns.svc.cluster.local") || host == "localhost") << path << host;
      }
      expect_only_own_namespace(member.value, path + "." + member.key);
    }
  }
  for (const Value& each : value.list()) expect_only_own_namespace(each, path + "[]");
}

TEST(Reach, ObjectsRoutesAndEndpointsStayInTheNamespace) {
  const Wiring wiring = wire(deployment(kGreedy), default_settings());
  ASSERT_FALSE(resource::has_errors(wiring.diagnostics)) << all(wiring.diagnostics);
  ASSERT_GT(wiring.objects.size(), 8U);
  for (const resource::Object& object : wiring.objects) {
    EXPECT_EQ(object.namespace_, "ns") << to_string(object.key());
    expect_only_own_namespace(object.root, object.kind);
  }
}

// A path is another's if it does not begin with the deployment's own namespace and name.
TEST(Reach, EveryRouteIsUnderTheOwnPath) {
  const Wiring wiring = wire(deployment(kGreedy), default_settings());
  int rules = 0;
  for (const resource::Object& object : wiring.objects) {
    if (object.kind != "VirtualService") continue;
    for (const Value& rule : object.spec().at("http").list()) {
      ++rules;
      ASSERT_FALSE(rule.at("match").list().empty()) << object.name;
      for (const Value& match : rule.at("match").list()) {
        const std::string_view prefix = match.at("uri").at("prefix").text();
        const bool by_path =
            prefix == "/seldon/ns/iris/" || prefix.starts_with("/seldon/ns/iris-explainer/");
        const bool by_headers = match.at("headers").at("seldon").at("exact").text() == "iris" &&
                                match.at("headers").at("namespace").at("exact").text() == "ns";
        EXPECT_TRUE(by_path || by_headers) << object.name;
      }
    }
  }
  EXPECT_GE(rules, 3);
}

TEST(Reach, LabelsThatSelectorsUseAreNotTheAuthors) {
  const Wiring wiring = wire(deployment(kGreedy), default_settings());
  for (const resource::Object& object : wiring.objects) {
    if (object.kind != "Deployment") continue;
    const Value& labels = object.spec().at("template").at("metadata").at("labels");
    EXPECT_EQ(labels.at("seldon-deployment-id").text(), "iris") << object.name;
    EXPECT_NE(labels.at("app").text(), "another") << object.name;
  }
}

std::string refusal(const char* gateway, Settings settings, Profile profile = Profile::kDefault) {
  settings.profile = profile;
  const Wiring wiring =
      wire(deployment(std::string("  annotations: {seldon.io/istio-gateway: \"") + gateway +
                      "\"}\n  predictors:\n  - {name: main, graph: {name: m, type: MODEL}, "
                      "componentSpecs: [{spec: {containers: [{name: m, image: a/b:1}]}}]}\n"),
           settings);
  const auto* found = find_code(wiring, "gateway-not-allowed");
  EXPECT_EQ(found != nullptr, wiring.objects.empty()) << all(wiring.diagnostics);
  return found == nullptr ? "" : found->field + ": " + found->what;
}

TEST(Reach, GatewaysOfOthersCanBeForbidden) {
  Settings open = default_settings();
  EXPECT_EQ(refusal("other/gateway", open), "");
  Settings listed = default_settings();
  listed.istio_allowed_gateways = {"shared/public", "team/*"};
  for (const Profile profile : {Profile::kDefault, Profile::kCompat}) {
    for (const char* fine :
         {"own", "ns/own", "./own", "shared/public", "team/any", "istio-system/seldon-gateway"}) {
      EXPECT_EQ(refusal(fine, listed, profile), "") << fine;
    }
    for (const char* foreign : {"other/gateway", "shared/private", "mesh", "istio-system/other"}) {
      EXPECT_EQ(refusal(foreign, listed, profile),
                std::string("spec.annotations[\"seldon.io/istio-gateway\"]: gateway ") + foreign +
                    " is not one that SeldonDeployments of ns may use");
    }
  }
  EXPECT_NE(refusal("own, other/gateway", listed), "");
}

TEST(Reach, TheListComesFromTheEnvironment) {
  const Lookup environment = [](std::string_view name) {
    return name == "ISTIO_ALLOWED_GATEWAYS" ? std::optional<std::string>(" a/b, c/* ,")
                                            : std::nullopt;
  };
  EXPECT_EQ(settings_from(environment, Profile::kDefault)->istio_allowed_gateways,
            (std::vector<std::string>{"a/b", "c/*"}));
}

}  // namespace
}  // namespace sluice::compile
