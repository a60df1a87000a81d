// Wiring beyond the recorded cases: port numbers, annotations, what the default profile corrects,
// and one machine.
#include "compile/wire.h"

#include <gtest/gtest.h>

#include "compile/json.h"
#include "compile/pod.h"
#include "compile/seldon_fixture_test.h"

namespace sluice::compile {
namespace {

using resource::Map;
using resource::Value;
using testing_::all;
using testing_::deployment;
using testing_::find;
using testing_::find_code;
using testing_::spec_of;

Wiring wired(const std::string& spec, Profile profile = Profile::kDefault,
             const std::string& metadata = "") {
  return wire(deployment(spec, metadata), default_settings(profile));
}

Wiring wired_locally(const std::string& spec) {
  Settings settings = default_settings();
  settings.local = true;
  return wire(deployment(spec), settings);
}

const std::string kOne =
    "  predictors:\n"
    "  - name: p\n"
    "    graph: {name: m, type: MODEL}\n"
    "    componentSpecs: [{spec: {containers: [{name: m, image: i}]}}]\n";

std::string with_annotations(const std::string& annotations) {
  return "  annotations: {" + annotations + "}\n" + kOne;
}

const Value& container(const Wiring& wiring, std::string_view deployment_name,
                       std::string_view name) {
  static const Value nothing;
  for (const Value& found : spec_of(wiring, "Deployment", deployment_name)
                                .at("template")
                                .at("spec")
                                .at("containers")
                                .list()) {
    if (found.at("name").text() == name) return found;
  }
  ADD_FAILURE() << "no container " << name;
  return nothing;
}

std::int64_t port(const Value& container_value, std::string_view name) {
  return port_named(container_value.map(), name);
}

std::string env(const Value& container_value, std::string_view name) {
  const Map* found = find_named(container_value.at("env"), name);
  return found == nullptr || found->find("value") == nullptr
             ? ""
             : std::string(found->find("value")->text());
}

std::size_t count_env(const Value& container_value, std::string_view name) {
  std::size_t count = 0;
  for (const Value& variable : container_value.at("env").list())
    count += variable.at("name").text() == name ? 1 : 0;
  return count;
}

const Value& http_rule(const Wiring& wiring, std::size_t index = 0) {
  return spec_of(wiring, "VirtualService", "iris").at("http").at(index);
}

// --- port numbers ---

TEST(WirePorts, count_up_by_container_name_and_skip_sidecars) {
  const Wiring wiring = wired(
      "  predictors:\n  - name: p\n    graph: {name: a, type: MODEL, children: [{name: b, type: "
      "MODEL}]}\n"
      "    componentSpecs: [{spec: {containers: [{name: a, image: i}, {name: s, image: i}, {name: "
      "b, image: i}]}}]\n");
  const std::string name = "iris-p-0-a-s-b";
  EXPECT_EQ(port(container(wiring, name, "a"), "http"), 9000);
  EXPECT_EQ(port(container(wiring, name, "a"), "grpc"), 9500);
  EXPECT_EQ(port(container(wiring, name, "a"), "metrics"), 6000);
  EXPECT_TRUE(container(wiring, name, "s").at("ports").is_null());
  EXPECT_EQ(port(container(wiring, name, "b"), "http"), 9002);
  EXPECT_EQ(port(container(wiring, name, "b"), "grpc"), 9502);
  EXPECT_EQ(port(container(wiring, name, "b"), "metrics"), 6001);
}

TEST(WirePorts, own_http_port_wins_and_still_uses_up_a_number) {
  const Wiring wiring = wired(
      "  transport: grpc\n  predictors:\n  - name: p\n    graph: {name: a, type: MODEL, children: "
      "[{name: b, type: MODEL}]}\n"
      "    componentSpecs: [{spec: {containers: [{name: a, image: i, ports: [{name: http, "
      "containerPort: 8080}]}, {name: b, image: i}]}}]\n");
  const Value& a = container(wiring, "iris-p-0-a-b", "a");
  EXPECT_EQ(port(a, "http"), 8080);
  EXPECT_EQ(port(a, "grpc"), 9500);
  EXPECT_EQ(env(a, "PREDICTIVE_UNIT_SERVICE_PORT"), "9500");
  EXPECT_EQ(a.at("readinessProbe").at("tcpSocket").at("port").integer(), 9500);
  EXPECT_EQ(port(container(wiring, "iris-p-0-a-b", "b"), "http"), 9001);
  EXPECT_EQ(spec_of(wiring, "Service", "iris-p-a").at("ports").at(0).at("port").integer(), 8080);
}

TEST(WirePorts, removing_a_predictor_renumbers_no_other_but_in_compat) {
  const auto predictor = [](const std::string& name) {
    return "  - name: " + name +
           "\n    annotations: {seldon.io/no-engine: \"true\"}\n    traffic: 50\n" +
           "    graph: {name: m" + name +
           ", type: MODEL}\n    componentSpecs: [{spec: {containers: [{name: m" + name +
           ", image: i}]}}]\n";
  };
  const std::string both = "  predictors:\n" + predictor("a") + predictor("b");
  std::string alone = "  predictors:\n" + predictor("b");
  alone.replace(alone.find("traffic: 50"), 11, "traffic: 100");
  for (const Profile profile : {Profile::kDefault, Profile::kCompat}) {
    const Wiring before = wired(both, profile);
    const Wiring after = wired(alone, profile);
    const bool same = spec_of(before, "Deployment", "iris-b-0-mb") ==
                          spec_of(after, "Deployment", "iris-b-0-mb") &&
                      spec_of(before, "Service", "iris-b") == spec_of(after, "Service", "iris-b");
    EXPECT_EQ(same, profile == Profile::kDefault);
    EXPECT_EQ(port(container(before, "iris-b-0-mb", "mb"), "metrics"),
              profile == Profile::kDefault ? 6000 : 6001);
  }
}

// --- annotations of ingress ---

TEST(WireIngress, retries_with_whole_seconds) {
  const Wiring wiring = wired(
      with_annotations("seldon.io/istio-retries: '3', seldon.io/istio-retries-timeout: '10'"));
  for (const std::size_t rule : {0U, 1U}) {
    const Value& retries = http_rule(wiring, rule).at("retries");
    EXPECT_EQ(retries.at("attempts").integer(), 3);
    EXPECT_EQ(retries.at("perTryTimeout").text(), "10s");
    EXPECT_EQ(retries.at("retryOn").text(), "gateway-error,connect-failure,refused-stream");
  }
}

TEST(WireIngress, retries_timeout_takes_durations) {
  EXPECT_EQ(http_rule(wired(with_annotations(
                          "seldon.io/istio-retries: '3', seldon.io/istio-retries-timeout: 1m1.5s")))
                .at("retries")
                .at("perTryTimeout")
                .text(),
            "61.5s");
}

TEST(WireIngress, timeout_without_retries_makes_no_block_but_a_warning) {
  const Wiring wiring = wired(with_annotations("seldon.io/istio-retries-timeout: '10'"));
  EXPECT_TRUE(http_rule(wiring).at("retries").is_null());
  EXPECT_NE(find_code(wiring, "retries-timeout-alone"), nullptr);
}

TEST(WireIngress, zero_retries_switch_istios_own_off_by_default) {
  const std::string spec = with_annotations("seldon.io/istio-retries: '0'");
  EXPECT_EQ(http_rule(wired(spec)).at("retries"), Value(Map{{"attempts", 0}}));
  EXPECT_TRUE(http_rule(wired(spec, Profile::kCompat)).at("retries").is_null());
}

TEST(WireIngress, hosts_and_gateways) {
  const Wiring several = wired(with_annotations(
      "seldon.io/istio-host: 'a.example.com, b.example.com,', seldon.io/istio-gateway: 'x/y, z'"));
  const Value& spec = spec_of(several, "VirtualService", "iris");
  EXPECT_EQ(spec.at("hosts"), Value(resource::List{"a.example.com", "b.example.com"}));
  EXPECT_EQ(spec.at("gateways"), Value(resource::List{"x/y", "z"}));
  const Wiring none = wired(with_annotations("seldon.io/istio-host: ''"), Profile::kDefault,
                            "  annotations: {seldon.io/istio-host: x}\n");
  EXPECT_EQ(spec_of(none, "VirtualService", "iris").at("hosts"), Value(resource::List{"x"}));
}

TEST(WireIngress, route_timeout_is_our_own) {
  const std::string spec = with_annotations("sluice.seldon.io/route-timeout: 2500ms");
  EXPECT_EQ(http_rule(wired(spec), 0).at("timeout").text(), "2.5s");
  EXPECT_EQ(http_rule(wired(spec), 1).at("timeout").text(), "2.5s");
  EXPECT_TRUE(http_rule(wired(spec, Profile::kCompat)).at("timeout").is_null());
}

TEST(WireIngress, its_annotations_do_not_reach_pods) {
  const Wiring wiring = wired(with_annotations("seldon.io/istio-host: a, mine: b"));
  const Value& deployed = find(wiring, "Deployment", "iris-p-0-m")->root;
  for (const Value* metadata :
       {&deployed.at("metadata"), &deployed.at("spec").at("template").at("metadata")}) {
    EXPECT_TRUE(metadata->at("annotations").at("seldon.io/istio-host").is_null());
    EXPECT_EQ(metadata->at("annotations").at("mine").text(), "b");
  }
}

TEST(WireIngress, tls_mode_keeps_the_connection_pool) {
  Settings settings = default_settings();
  settings.istio_tls_mode = "ISTIO_MUTUAL";
  const Wiring wiring = wire(deployment(kOne), settings);
  const Value& policy = spec_of(wiring, "DestinationRule", "iris-p").at("trafficPolicy");
  EXPECT_EQ(policy.at("tls").at("mode").text(), "ISTIO_MUTUAL");
  EXPECT_EQ(policy.at("connectionPool").at("http").at("idleTimeout").text(), "60s");
}

TEST(WireIngress, subset_follows_the_version_that_pods_carry) {
  const std::string spec =
      "  predictors:\n  - name: p\n    graph: {name: m, type: MODEL}\n"
      "    componentSpecs: [{metadata: {labels: {version: v9}}, spec: {containers: [{name: m, "
      "image: i}]}}]\n";
  EXPECT_EQ(spec_of(wired(spec), "DestinationRule", "iris-p")
                .at("subsets")
                .at(0)
                .at("labels")
                .at("version")
                .text(),
            "v9");
  EXPECT_EQ(spec_of(wired(spec, Profile::kCompat), "DestinationRule", "iris-p")
                .at("subsets")
                .at(0)
                .at("labels")
                .at("version")
                .text(),
            "p");
}

// --- what the default profile corrects in pods ---

TEST(WireFixes, environment_of_the_user_stays_and_wins) {
  const std::string spec =
      "  predictors:\n  - name: p\n    graph: {name: m, type: MODEL}\n    componentSpecs: [{spec: "
      "{containers: [{name: m, image: i,"
      " env: [{name: MINE, value: a}, {name: MLSERVER_HTTP_PORT, value: '1'}, {name: PREDICTOR_ID, "
      "value: x}]}]}}]\n";
  const Value ours = container(wired(spec), "iris-p-0-m", "m");
  EXPECT_EQ(env(ours, "MINE"), "a");
  EXPECT_EQ(env(ours, "MLSERVER_HTTP_PORT"), "1");
  EXPECT_EQ(env(ours, "PREDICTOR_ID"), "x");
  EXPECT_EQ(count_env(ours, "PREDICTOR_ID"), 1U);
  const Value reference = container(wired(spec, Profile::kCompat), "iris-p-0-m", "m");
  EXPECT_EQ(env(reference, "MINE"), "");
  EXPECT_EQ(count_env(reference, "PREDICTIVE_UNIT_SERVICE_PORT"), 0U);
}

TEST(WireFixes, reserved_labels_win) {
  const std::string spec =
      "  predictors:\n  - name: p\n    labels: {app: mine, seldon-deployment-id: mine, team: a}\n  "
      "  graph: {name: m, type: MODEL}\n"
      "    componentSpecs: [{spec: {containers: [{name: m, image: i}]}}]\n";
  const Wiring wiring = wired(spec);
  const Value& made = spec_of(wiring, "Deployment", "iris-p-0-m");
  const Value& labels = made.at("template").at("metadata").at("labels");
  EXPECT_EQ(labels.at("seldon-deployment-id").text(), "iris");
  EXPECT_EQ(labels.at("app").text(), "iris-p-0-m");
  EXPECT_EQ(labels.at("team").text(), "a");
  for (const resource::Member& member : made.at("selector").at("matchLabels").map()) {
    EXPECT_EQ(labels.at(member.key), member.value) << member.key;
  }
}

TEST(WireFixes, orchestrator_is_told_only_what_it_reads_and_drains) {
  const Wiring wiring = wired(kOne);
  const Value& engine = container(wiring, "iris-p-0-m", "seldon-container-engine");
  const std::string told = env(engine, "ENGINE_PREDICTOR");
  EXPECT_EQ(told.find('\n'), std::string::npos);
  EXPECT_LT(told.size(), 600U);
  const resource::List& args = engine.at("args").list();
  ASSERT_GE(args.size(), 2U);
  EXPECT_EQ(args[args.size() - 2].text(), "--shutdown_delay");
  EXPECT_EQ(args.back().text(), "10s");
}

TEST(WireFixes, a_stop_waits_without_a_shell_where_the_server_can) {
  const auto before_stop = [](Profile profile, bool sleep_action) {
    Settings settings = default_settings(profile);
    settings.sleep_action = sleep_action;
    const Wiring wiring = wire(deployment(kOne), settings);
    return container(wiring, "iris-p-0-m", "m").at("lifecycle").at("preStop");
  };
  EXPECT_EQ(before_stop(Profile::kDefault, true).at("sleep").at("seconds").integer(), 10);
  EXPECT_EQ(before_stop(Profile::kDefault, false).at("exec").at("command").list().size(), 3U);
  EXPECT_EQ(before_stop(Profile::kCompat, true).at("exec").at("command").list().size(), 3U);
  for (const auto& [grace, slept] : {std::pair{5, 4}, std::pair{0, 0}, std::pair{60, 10}}) {
    const Wiring hurried = wired(
        "  predictors:\n  - name: p\n    graph: {name: m, type: MODEL}\n    componentSpecs: "
        "[{spec: "
        "{terminationGracePeriodSeconds: " +
        std::to_string(grace) + ", containers: [{name: m, image: i}]}}]\n");
    EXPECT_EQ(container(hurried, "iris-p-0-m", "m")
                  .at("lifecycle")
                  .at("preStop")
                  .at("sleep")
                  .at("seconds")
                  .integer(),
              slept)
        << "Kubernetes wants it shorter than the time to stop";
  }
  const Wiring own = wired(
      "  predictors:\n  - name: p\n    graph: {name: m, type: MODEL}\n    componentSpecs: [{spec: "
      "{containers: "
      "[{name: m, image: i, lifecycle: {preStop: {sleep: {seconds: 3}}}}]}}]\n");
  EXPECT_EQ(container(own, "iris-p-0-m", "m")
                .at("lifecycle")
                .at("preStop")
                .at("sleep")
                .at("seconds")
                .integer(),
            3);
}

TEST(WireFixes, unrelated_edits_leave_the_orchestrator_alone) {
  const auto told = [](const std::string& probe) {
    return env(
        container(
            wired(
                "  predictors:\n  - name: p\n    graph: {name: m, type: MODEL}\n    componentSpecs:"
                " [{spec: {containers: [{name: m, image: i, " +
                probe + "}]}}]\n"),
            "iris-p-0-m", "seldon-container-engine"),
        "ENGINE_PREDICTOR");
  };
  EXPECT_EQ(told("resources: {limits: {cpu: 1}}"), told("resources: {limits: {cpu: 2}}"));
}

TEST(WireFixes, disruption_budgets_select_their_own_pods) {
  const Wiring wiring = wired(
      "  predictors:\n  - name: p\n    graph: {name: m, type: MODEL}\n"
      "    componentSpecs: [{pdbSpec: {minAvailable: 1}, spec: {containers: [{name: m, image: "
      "i}]}}]\n");
  EXPECT_EQ(spec_of(wiring, "PodDisruptionBudget", "iris-p-0-m").at("selector"),
            spec_of(wiring, "Deployment", "iris-p-0-m").at("selector"));
}

TEST(WireFixes, mlserver_keeps_its_metrics_port) {
  const Wiring wiring = wired(
      "  protocol: v2\n  predictors:\n  - {name: p, graph: {name: m, implementation: "
      "SKLEARN_SERVER, modelUri: 's3://a'}}\n");
  EXPECT_EQ(port(container(wiring, "iris-p-0-m", "m"), "metrics"), 6000);
}

TEST(WireFixes, two_claims_in_one_pod_have_two_volumes) {
  const Wiring wiring = wired(
      "  predictors:\n  - name: p\n    graph: {name: a, implementation: SKLEARN_SERVER, modelUri: "
      "'pvc://one/x',"
      " children: [{name: b, implementation: SKLEARN_SERVER, modelUri: 'pvc://two/y'}]}\n");
  std::size_t claims = 0;
  for (const Value& volume : spec_of(wiring, "Deployment", "iris-p-0-a-b")
                                 .at("template")
                                 .at("spec")
                                 .at("volumes")
                                 .list()) {
    const Value& claim = volume.at("persistentVolumeClaim").at("claimName");
    if (claim.is_null()) continue;
    ++claims;
    EXPECT_EQ(volume.at("name").text(),
              claim.text() == "one" ? "kfserving-pvc-source" : "kfserving-pvc-source-two");
  }
  EXPECT_EQ(claims, 2U);
}

TEST(WireFixes, names_that_meet_are_refused) {
  // Container b of predictor a, and predictor a-b: both Services would be iris-a-b.
  const std::string spec =
      "  predictors:\n"
      "  - {name: a, traffic: 50, graph: {name: b, type: MODEL}, componentSpecs: [{spec: "
      "{containers: [{name: b, image: i}]}}]}\n"
      "  - {name: a-b, traffic: 50, graph: {name: c, type: MODEL}, componentSpecs: [{spec: "
      "{containers: [{name: c, image: i}]}}]}\n";
  const Wiring wiring = wired(spec);
  EXPECT_NE(find_code(wiring, "name-conflict"), nullptr);
  EXPECT_TRUE(wiring.objects.empty());
}

TEST(WireFixes, one_port_for_listener_and_service) {
  const auto settings = settings_from(
      [](std::string_view name) {
        return name == "EXECUTOR_SERVER_PORT" ? std::optional<std::string>("8100") : std::nullopt;
      },
      Profile::kDefault);
  ASSERT_TRUE(settings);
  const Wiring wiring = wire(deployment(kOne), *settings);
  EXPECT_EQ(port(container(wiring, "iris-p-0-m", "seldon-container-engine"), "http"), 8100);
  EXPECT_EQ(spec_of(wiring, "Service", "iris-p").at("ports").at(0).at("port").integer(), 8100);
  EXPECT_EQ(http_rule(wiring).at("route").at(0).at("destination").at("port").at("number").integer(),
            8100);
}

TEST(WireFixes, address_is_that_of_the_first_routed_predictor) {
  const std::string spec =
      "  protocol: v2\n  predictors:\n"
      "  - {name: dark, shadow: true, graph: {name: m, type: MODEL}, componentSpecs: [{spec: "
      "{containers: [{name: m, image: i}]}}]}\n"
      "  - {name: live, graph: {name: m, type: MODEL}, componentSpecs: [{spec: {containers: "
      "[{name: m, image: i}]}}]}\n";
  EXPECT_EQ(wired(spec).address_url,
            "http://iris-live.ns.svc.cluster.local:8000/v2/models/m/infer");
  EXPECT_EQ(wired(spec, Profile::kCompat).address_url,
            "http://iris-dark.ns.svc.cluster.local:8000/v2/models/m/infer");
}

// --- the contract of Wiring ---

TEST(Wiring, objects_are_in_safe_order_and_predictors_know_theirs) {
  const std::string spec =
      "  predictors:\n"
      "  - {name: live, traffic: 100, graph: {name: m, type: MODEL}, componentSpecs: [{hpaSpec: "
      "{maxReplicas: 2}, spec: {containers: [{name: m, image: i}]}}]}\n"
      "  - {name: dark, shadow: true, graph: {name: m, type: MODEL}, componentSpecs: [{spec: "
      "{containers: [{name: m, image: i}]}}]}\n";
  const Wiring wiring = wired(spec);
  const std::vector<std::string_view> order{"Service", "Deployment", "HorizontalPodAutoscaler",
                                            "DestinationRule", "VirtualService"};
  std::size_t reached = 0;
  for (const resource::Object& object : wiring.objects) {
    while (reached < order.size() && order[reached] != object.kind) ++reached;
    ASSERT_LT(reached, order.size()) << object.kind;
    EXPECT_EQ(object.namespace_, "ns");
    EXPECT_EQ(object.root.at("metadata").at("name").text(), object.name);
  }
  ASSERT_EQ(wiring.predictors.size(), 2U);
  EXPECT_TRUE(wiring.predictors[0].routed);
  EXPECT_FALSE(wiring.predictors[1].routed);
  EXPECT_TRUE(wiring.predictors[1].shadow);
  for (const WiredPredictor& predictor : wiring.predictors) {
    EXPECT_NE(find(wiring, "Service", predictor.service_key.name), nullptr);
    EXPECT_NE(find(wiring, "DestinationRule", predictor.destination_rule_key.name), nullptr);
    ASSERT_EQ(predictor.deployment_keys.size(), 1U);
    EXPECT_NE(find(wiring, "Deployment", predictor.deployment_keys[0].name), nullptr);
  }
}

TEST(Wiring, owner_is_named_when_there_is_a_uid) {
  EXPECT_TRUE(find(wired(kOne), "Service", "iris-p")->metadata().at("ownerReferences").is_null());
  const Wiring wiring = wired(kOne, Profile::kDefault, "  uid: 12-34\n");
  for (const resource::Object& object : wiring.objects) {
    EXPECT_EQ(object.metadata().at("ownerReferences").at(0).at("uid").text(), "12-34")
        << object.name;
  }
}

// --- one machine ---

TEST(WireLocally, xgboost_is_our_own_binary) {
  const Wiring wiring = wired_locally(
      "  protocol: v2\n  predictors:\n  - {name: p, graph: {name: m, implementation: "
      "XGBOOST_SERVER, modelUri: models/a}}\n");
  EXPECT_TRUE(wiring.diagnostics.empty()) << all(wiring.diagnostics);
  const Value& model = container(wiring, "iris-p-0-m", "m");
  EXPECT_EQ(model.at("command"),
            Value(resource::List{"@sluice", "model", "--implementation", "XGBOOST_SERVER", "--name",
                                 "m", "--model-uri", "models/a", "--protocol", "v2"}));
  EXPECT_TRUE(model.at("image").is_null());
  EXPECT_EQ(model.at("readinessProbe").at("httpGet").at("path").text(), "/ready");
  const Value& pod = spec_of(wiring, "Deployment", "iris-p-0-m").at("template");
  EXPECT_EQ(pod.at("spec").at("containers").list().size(), 1U);
  EXPECT_TRUE(pod.at("spec").at("initContainers").is_null());
  EXPECT_TRUE(pod.at("spec").at("volumes").is_null());
  EXPECT_EQ(pod.at("metadata").at("annotations").at(kOriginAnnotation).text(), "test.yaml");
  EXPECT_EQ(http_rule(wiring).at("route").at(0).at("destination").at("port").at("number").integer(),
            9000);
  EXPECT_EQ(
      http_rule(wiring, 1).at("route").at(0).at("destination").at("port").at("number").integer(),
      9500);
}

TEST(WireLocally, what_is_not_applied_is_said) {
  const Wiring wiring = wired_locally(
      "  predictors:\n  - name: p\n    graph: {name: m, type: MODEL, logger: {mode: all}}\n    "
      "componentSpecs:\n"
      "    - hpaSpec: {maxReplicas: 2}\n      pdbSpec: {minAvailable: 1}\n      replicas: 3\n      "
      "spec: {nodeSelector: {a: b}, serviceAccountName: s,"
      " volumes: [{name: v, emptyDir: {}}],\n        containers: [{name: m, command: [run], "
      "resources: {limits: {cpu: 1}},"
      " volumeMounts: [{name: v, mountPath: /v}], env: [{name: A, valueFrom: {secretKeyRef: {name: "
      "s, key: k}}}]}]}\n");
  EXPECT_FALSE(resource::has_errors(wiring.diagnostics)) << all(wiring.diagnostics);
  std::vector<std::string> fields;
  for (const resource::Diagnostic& diagnostic : wiring.diagnostics) {
    EXPECT_EQ(diagnostic.code, "not-applied-locally");
    fields.push_back(diagnostic.field.substr(std::string("spec.predictors[0].").size()));
  }
  EXPECT_EQ(fields,
            (std::vector<std::string>{
                "graph.logger", "componentSpecs[0].hpaSpec", "componentSpecs[0].pdbSpec",
                "componentSpecs[0].spec.nodeSelector", "componentSpecs[0].spec.serviceAccountName",
                "componentSpecs[0].spec.volumes", "componentSpecs[0].spec.containers[0].resources",
                "componentSpecs[0].spec.containers[0].volumeMounts",
                "componentSpecs[0].spec.containers[0].env[0].valueFrom"}));
  EXPECT_EQ(find(wiring, "HorizontalPodAutoscaler", "iris-p-0-m"), nullptr);
  EXPECT_EQ(spec_of(wiring, "Deployment", "iris-p-0-m").at("replicas").integer(), 3);
}

struct NotYet {
  const char* name;
  const char* graph;
};

TEST(WireLocally, what_cannot_run_yet_is_refused) {
  for (const NotYet& c :
       {NotYet{"graph", "{name: m, type: MODEL, children: [{name: o, type: MODEL}]}"},
        NotYet{"server", "{name: x, implementation: SKLEARN_SERVER, modelUri: a}"},
        NotYet{"builtin", "{name: x, implementation: SIMPLE_MODEL}"},
        NotYet{"remote model", "{name: x, implementation: XGBOOST_SERVER, modelUri: 's3://a'}"}}) {
    const Wiring wiring =
        wired_locally(std::string("  predictors:\n  - {name: p, graph: ") + c.graph +
                      ", componentSpecs: [{spec: {containers: [{name: m, command: [run]}, {name: "
                      "o, command: [run]}]}}]}\n");
    const resource::Diagnostic* found = find_code(wiring, "not-yet");
    ASSERT_NE(found, nullptr) << c.name << "\n" << all(wiring.diagnostics);
    EXPECT_EQ(found->severity, resource::Severity::kError);
    EXPECT_TRUE(wiring.objects.empty());
  }
}

TEST(WireLocally, annotations_of_the_orchestrator_are_not_applied) {
  const Wiring wiring = wired_locally(
      "  annotations: {seldon.io/engine-log-level: DEBUG, seldon.io/rest-timeout: '5', mine: x}\n"
      "  predictors:\n  - {name: p, graph: {name: m, type: MODEL},"
      " componentSpecs: [{spec: {containers: [{name: m, command: [run]}]}}]}\n");
  EXPECT_EQ(wiring.diagnostics.size(), 2U) << all(wiring.diagnostics);
  for (const resource::Diagnostic& diagnostic : wiring.diagnostics) {
    EXPECT_EQ(diagnostic.code, "not-applied-locally");
  }
}

TEST(WireLocally, a_server_with_a_command_of_its_own_runs_that) {
  const Wiring wiring = wired_locally(
      "  predictors:\n  - {name: p, graph: {name: m, implementation: SKLEARN_SERVER, modelUri: a},"
      " componentSpecs: [{spec: {containers: [{name: m, command: [run]}]}}]}\n");
  EXPECT_FALSE(resource::has_errors(wiring.diagnostics)) << all(wiring.diagnostics);
  EXPECT_EQ(container(wiring, "iris-p-0-m", "m").at("command"), Value(resource::List{"run"}));
}

// --- settings ---

TEST(Settings, empty_variables_count_as_unset_by_default) {
  const Lookup empty = [](std::string_view name) {
    return name == "ISTIO_GATEWAY" ? std::optional<std::string>("") : std::nullopt;
  };
  EXPECT_EQ(settings_from(empty, Profile::kDefault)->istio_gateway, "istio-system/seldon-gateway");
  EXPECT_EQ(settings_from(empty, Profile::kCompat)->istio_gateway, "");
}

TEST(Settings, tls_modes) {
  const auto with = [](const char* mode, Profile profile, std::vector<std::string>* warnings) {
    return settings_from(
        [&](std::string_view name) {
          return name == "ISTIO_TLS_MODE" ? std::optional<std::string>(mode) : std::nullopt;
        },
        profile, warnings);
  };
  std::vector<std::string> warnings;
  EXPECT_EQ(with("STRICT", Profile::kDefault, &warnings)->istio_tls_mode, "ISTIO_MUTUAL");
  EXPECT_EQ(warnings.size(), 1U);
  EXPECT_EQ(with("STRICT", Profile::kCompat, nullptr)->istio_tls_mode, "DISABLE");
  EXPECT_FALSE(with("mutual-ish", Profile::kDefault, nullptr));
}

TEST(Settings, ambassador_is_said_not_to_be_there) {
  std::vector<std::string> warnings;
  const Lookup lookup = [](std::string_view name) {
    return name == "AMBASSADOR_ENABLED" ? std::optional<std::string>("true") : std::nullopt;
  };
  EXPECT_TRUE(settings_from(lookup, Profile::kDefault, &warnings));
  EXPECT_EQ(warnings.size(), 1U);
}

TEST(Settings, unreadable_numbers_fail_by_default) {
  const Lookup lookup = [](std::string_view name) {
    return name == "PREDICTIVE_UNIT_HTTP_SERVICE_PORT" ? std::optional<std::string>("many")
                                                       : std::nullopt;
  };
  EXPECT_FALSE(settings_from(lookup, Profile::kDefault));
  EXPECT_EQ(settings_from(lookup, Profile::kCompat)->unit_http_port, 9000);
}

TEST(Settings, images_of_servers) {
  const Settings settings = default_settings();
  EXPECT_EQ(server_image(settings, "SKLEARN_SERVER", ""), "seldonio/sklearnserver:1.18.2");
  EXPECT_EQ(server_image(settings, "SKLEARN_SERVER", "kfserving"),
            "seldonio/mlserver:1.3.5-sklearn");
  EXPECT_EQ(server_image(settings, "TRITON_SERVER", "seldon"), "");
  EXPECT_EQ(server_image(settings, "FOO_SERVER", "v2"), "");
}

// --- JSON as Go writes it ---

TEST(CompileJson, escapes_as_go_does) {
  EXPECT_EQ(json_text("a\"<b>&\\\n\x01"), R"("a\"\u003cb\u003e\u0026\\\n\u0001")");
  EXPECT_EQ(json(resource::TextMap{{"b", "2"}, {"a", "1"}}), R"({"a":"1","b":"2"})");
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");  // RFC 4648, section 10
}

}  // namespace
}  // namespace sluice::compile
