#include "istio/target.h"

#include <gtest/gtest.h>

#include "istio/barrier.h"
#include "resource/read.h"

namespace sluice::istio {
namespace {

store::ObjectPointer object(const std::string& text) {
  auto read = resource::read(text, std::make_shared<const std::string>("test.yaml"));
  EXPECT_EQ(read.objects.size(), 1U) << text;
  return std::make_shared<const resource::Object>(read.objects.at(0));
}

store::ObjectPointer gateway(const std::string& servers) {
  return object(
      "{apiVersion: networking.istio.io/v1beta1, kind: Gateway, metadata: {name: gw, namespace: "
      "edge}, "
      "spec: {selector: {istio: ingressgateway}, servers: [" +
      servers + "]}}");
}

store::ObjectPointer service(const std::string& name, const std::string& selector,
                             const std::string& ports) {
  return object("{apiVersion: v1, kind: Service, metadata: {name: " + name +
                ", namespace: istio-system}, spec: {selector: {" + selector + "}, ports: [" +
                ports + "]}}");
}

const std::string kPods = "istio: ingressgateway, app: ingress";

struct TargetCase {
  const char* name;
  const char* servers;
  const char* host;  // "" when it can't be asked
  int port;
  bool is_tls;
};
class TargetTest : public testing::TestWithParam<TargetCase> {};

TEST_P(TargetTest, ChoosesServerAndHost) {
  const TargetCase& c = GetParam();
  const Target target =
      target_of(gateway(c.servers),
                {service("in", kPods, "{port: 80, name: http2, targetPort: 8080}")}, "sluice");
  EXPECT_EQ(target.host, c.host) << target.why_not;
  EXPECT_EQ(target.port, c.port);
  EXPECT_EQ(target.is_tls, c.is_tls);
  EXPECT_EQ(target.why_not.empty(), *c.host != '\0');
}

INSTANTIATE_TEST_SUITE_P(
    Servers, TargetTest,
    testing::Values(
        TargetCase{"any_host", "{port: {number: 80, protocol: HTTP}, hosts: ['*']}",
                   "probe.sluice.invalid", 80, false},
        TargetCase{"below_a_wildcard",
                   "{port: {number: 80, protocol: HTTP2}, hosts: ['*.example.com']}",
                   "sluice-probe.example.com", 80, false},
        TargetCase{"the_host_itself",
                   "{port: {number: 81, protocol: HTTP}, hosts: [models.example.com]}",
                   "models.example.com", 81, false},
        TargetCase{"plain_before_tls",
                   "{port: {number: 443, protocol: HTTPS}, hosts: ['*'], tls: {mode: SIMPLE, "
                   "credentialName: c}}, "
                   "{port: {number: 80, protocol: HTTP}, hosts: ['*']}",
                   "probe.sluice.invalid", 80, false},
        TargetCase{
            "a_redirect_is_passed_over",
            "{port: {number: 80, protocol: HTTP}, hosts: ['*'], tls: {httpsRedirect: true}}, "
            "{port: {number: 443, protocol: HTTPS}, hosts: ['*'], tls: {mode: SIMPLE, "
            "credentialName: c}}",
            "probe.sluice.invalid", 443, true},
        TargetCase{"certificates_of_clients",
                   "{port: {number: 443, protocol: HTTPS}, hosts: ['*'], tls: {mode: MUTUAL, "
                   "credentialName: c}}",
                   "", 0, false},
        TargetCase{"passed_through",
                   "{port: {number: 443, protocol: TLS}, hosts: ['*'], tls: {mode: PASSTHROUGH}}",
                   "", 0, false},
        TargetCase{"own_namespace_only", "{port: {number: 80, protocol: HTTP}, hosts: ['./*']}", "",
                   0, false},
        TargetCase{
            "another_namespace",
            "{port: {number: 80, protocol: HTTP}, hosts: ['models/*', 'sluice/*.b.example.com']}",
            "sluice-probe.b.example.com", 80, false}),
    [](const auto& tested) { return tested.param.name; });

TEST(Target, TheServiceOfItsPodsSaysWhereTheyListen) {
  const auto gw = gateway("{port: {number: 80, protocol: HTTP}, hosts: ['*']}");
  const auto front = service(
      "in", kPods,
      "{port: 80, name: http2, targetPort: 8080}, {port: 443, name: https, targetPort: 8443}");
  const auto other = service("other", "app: ingress", "{port: 80, name: http, targetPort: 1}");
  const auto without = service("health", kPods, "{port: 15021, name: status}");
  const Target target = target_of(gw, {other, without, front}, "sluice");
  ASSERT_EQ(target.fronts.size(), 1U);
  EXPECT_EQ(target.fronts[0].name, "in");
  const auto slice = resource::read_endpoint_slice(*object(
      "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s, namespace: "
      "istio-system}, addressType: IPv4, "
      "ports: [{name: http2, port: 8080, protocol: TCP}], endpoints: [{addresses: [192.0.2.1]}, "
      "{addresses: [192.0.2.2], conditions: {ready: false}}]}"));
  EXPECT_EQ(peers_in(slice, target.fronts[0], target.port),
            (std::vector<Peer>{{"192.0.2.1", 8080}}));
  const Target direct = target_of(gw, {without}, "sluice");
  ASSERT_EQ(direct.fronts.size(), 1U);
  EXPECT_EQ(peers_in(slice, direct.fronts[0], direct.port), (std::vector<Peer>{{"192.0.2.1", 80}}));
  EXPECT_FALSE(target_of(gw, {other}, "sluice").why_not.empty());
}

TEST(Barrier, AnswersAreReadForWhatTheyProve) {
  Barrier barrier;
  barrier.namespace_ = "sluice";
  barrier.nonce = "n";
  std::uint64_t number = 9;
  EXPECT_EQ(read_answer({200, "sluice n 12", false}, barrier, number), Said::kNumber);
  EXPECT_EQ(number, 12U);
  EXPECT_EQ(read_answer({200, "sluice another 12", false}, barrier, number), Said::kNumber);
  EXPECT_EQ(number, 0U) << "of a process before";
  EXPECT_EQ(read_answer({404, "", false}, barrier, number), Said::kNothing);
  EXPECT_EQ(read_answer({301, "", false}, barrier, number), Said::kOther);
  EXPECT_EQ(read_answer({200, "<html>", false}, barrier, number), Said::kOther);

  EXPECT_FALSE(reached_endpoint({503, "", false})) << "Envoy does not know the cluster";
  EXPECT_FALSE(reached_endpoint({503, "no healthy upstream", false}));
  EXPECT_TRUE(reached_endpoint({503, "no healthy upstream", true})) << "the model's own words";
  EXPECT_TRUE(reached_endpoint({503, "upstream connect error or disconnect", false}));
  EXPECT_TRUE(reached_endpoint({404, "", true}));
}

}  // namespace
}  // namespace sluice::istio
