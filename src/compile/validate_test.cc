// The rules between fields. Each case is refused with one code, at one field, or accepted.
#include "compile/validate.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "compile/seldon_fixture_test.h"

namespace sluice::compile {
namespace {

using testing_::all;
using testing_::deployment;
using testing_::find_code;

struct Rule {
  const char* name;
  std::string spec;
  const char* code;  // "": accepted
  const char* field;
  const char* compat_code = "same";  // when compat decides otherwise
};

void PrintTo(const Rule& rule, std::ostream* out) { *out << rule.name; }

// A predictor of one container named m; `more` are further members.
std::string predictor(const std::string& name, const std::string& more = "") {
  return "  - {name: " + name +
         ", graph: {name: m, type: MODEL}, componentSpecs: [{spec: {containers: [{name: m, image: "
         "i}]}}]" +
         (more.empty() ? "" : ", " + more) + "}\n";
}
std::string predictors(const std::string& list, const std::string& spec = "") {
  return spec + "  predictors:\n" + list;
}
// One predictor p with this graph, and the container m.
std::string graph(const std::string& text, const std::string& spec = "") {
  return spec + "  predictors:\n  - {name: p, graph: " + text +
         ", componentSpecs: [{spec: {containers: [{name: m, image: i}]}}]}\n";
}

class Validate : public testing::TestWithParam<Rule> {};

void expect(const Rule& rule, Profile profile, std::string_view code) {
  const Wiring wiring = wire(deployment(rule.spec), default_settings(profile));
  if (code.empty()) {
    EXPECT_FALSE(resource::has_errors(wiring.diagnostics)) << all(wiring.diagnostics);
    return;
  }
  EXPECT_TRUE(resource::has_errors(wiring.diagnostics));
  EXPECT_TRUE(wiring.objects.empty());
  const resource::Diagnostic* found = find_code(wiring, code);
  ASSERT_NE(found, nullptr) << all(wiring.diagnostics);
  EXPECT_EQ(found->field, rule.field);
  EXPECT_GT(found->place.line, 5U);
  EXPECT_EQ(found->file, "test.yaml");
}

TEST_P(Validate, default_profile) { expect(GetParam(), Profile::kDefault, GetParam().code); }
TEST_P(Validate, compat) {
  const std::string_view other = GetParam().compat_code;
  expect(GetParam(), Profile::kCompat, other == "same" ? std::string_view(GetParam().code) : other);
}

const Rule kRules[] = {
    {"sum_100", predictors(predictor("a", "traffic: 75") + predictor("b", "traffic: 25")), "", ""},
    {"sum_95", predictors(predictor("a", "traffic: 75") + predictor("b", "traffic: 20")),
     "traffic-sum", "spec.predictors"},
    {"no_traffic_for_two", predictors(predictor("a") + predictor("b")), "traffic-sum",
     "spec.predictors"},
    {"shadow_beside_unset",
     predictors(predictor("a") + predictor("b", "shadow: true, traffic: 30")), "", ""},
    {"shadow_beside_50", predictors(predictor("a", "traffic: 50") + predictor("b", "shadow: true")),
     "", ""},
    {"canary_and_shadow",
     predictors(predictor("a", "traffic: 60") + predictor("b", "traffic: 40") +
                predictor("c", "shadow: true, traffic: 100")),
     "", ""},
    {"single_50", predictors(predictor("a", "traffic: 50")), "traffic-single",
     "spec.predictors[0].traffic"},
    {"single_0", predictors(predictor("a", "traffic: 0")), "", ""},
    {"single_100", predictors(predictor("a", "traffic: 100")), "", ""},
    {"single_unset", predictors(predictor("a")), "", ""},
    {"single_150", predictors(predictor("a", "traffic: 150")), "traffic-range",
     "spec.predictors[0].traffic", ""},
    {"negative_in_a_pair",
     predictors(predictor("a", "traffic: 150") + predictor("b", "traffic: -50")), "traffic-range",
     "spec.predictors[0].traffic", ""},
    {"only_a_shadow", predictors(predictor("a", "shadow: true")), "shadow-alone",
     "spec.predictors[0].shadow"},
    {"two_shadows",
     predictors(predictor("a", "traffic: 100") + predictor("b", "shadow: true") +
                predictor("c", "shadow: true")),
     "shadows-several", "spec.predictors[2].shadow"},
    {"shadow_101", predictors(predictor("a") + predictor("b", "shadow: true, traffic: 101")),
     "shadow-traffic", "spec.predictors[1].traffic"},
    {"same_names", predictors(predictor("main", "traffic: 50") + predictor("main", "traffic: 50")),
     "predictor-name-duplicate", "spec.predictors[1].name"},
    {"same_service_names",
     predictors(predictor("a", "traffic: 50, annotations: {seldon.io/svc-name: s}") +
                predictor("b", "traffic: 50, annotations: {seldon.io/svc-name: s}")),
     "service-name-duplicate", "spec.predictors[1].annotations[\"seldon.io/svc-name\"]"},
    {"no_container", graph("{name: clf, type: MODEL}"), "container-missing",
     "spec.predictors[0].graph.name"},
    {"server_without_uri", graph("{name: m, implementation: SKLEARN_SERVER}"), "model-uri-missing",
     "spec.predictors[0].graph.modelUri"},
    {"unknown_server", graph("{name: x, implementation: FOO_SERVER, modelUri: 's3://a'}"),
     "server-unknown", "spec.predictors[0].graph.implementation"},
    {"unknown_server_with_image",
     graph("{name: m, implementation: FOO_SERVER, modelUri: 's3://a'}"), "server-unknown",
     "spec.predictors[0].graph.implementation"},
    {"sklearn_speaks_no_tensorflow",
     graph("{name: m, implementation: SKLEARN_SERVER, modelUri: 's3://a'}",
           "  protocol: tensorflow\n"),
     "server-protocol", "spec.predictors[0].graph.implementation"},
    {"triton_needs_v2", graph("{name: x, implementation: TRITON_SERVER, modelUri: 's3://a'}"),
     "server-protocol", "spec.predictors[0].graph.implementation", ""},
    {"huggingface_needs_no_uri",
     graph("{name: x, implementation: HUGGINGFACE_SERVER}", "  protocol: v2\n"), "", ""},
    {"mixed_endpoint_types",
     graph("{name: m, type: MODEL, endpoint: {type: REST}, children: [{name: m, type: MODEL, "
           "endpoint: {type: GRPC}}]}"),
     "endpoint-types-mixed", "spec.predictors"},
    {"endpoint_against_transport",
     graph("{name: m, type: MODEL, endpoint: {type: REST}}", "  transport: grpc\n"),
     "endpoint-type-transport", "spec.transport"},
    {"no_engine_false_on_two_nodes",
     "  predictors:\n  - {name: p, annotations: {seldon.io/no-engine: 'false'}, graph: {name: m, "
     "type: MODEL, children: [{name: two, type: MODEL}]},"
     " componentSpecs: [{spec: {containers: [{name: m, image: i}, {name: two, image: i}]}}]}\n",
     "", "spec.predictors[0].annotations[\"seldon.io/no-engine\"]", "no-engine-graph"},
    {"no_engine_true_on_two_nodes",
     "  predictors:\n  - {name: p, annotations: {seldon.io/no-engine: 'true'}, graph: {name: m, "
     "type: MODEL, children: [{name: two, type: MODEL}]},"
     " componentSpecs: [{spec: {containers: [{name: m, image: i}, {name: two, image: i}]}}]}\n",
     "no-engine-graph", "spec.predictors[0].annotations[\"seldon.io/no-engine\"]"},
    {"protocol", predictors(predictor("a"), "  protocol: v3\n"), "protocol-unknown",
     "spec.protocol"},
    {"transport", predictors(predictor("a"), "  transport: http\n"), "transport-unknown",
     "spec.transport"},
    {"server_type", predictors(predictor("a"), "  serverType: udp\n"), "server-type-unknown",
     "spec.serverType"},
    {"kafka", predictors(predictor("a"), "  serverType: kafka\n"), "kafka-env-missing",
     "spec.predictors[0]"
     ".svcOrchSpec.env"},
    {"no_predictors", "  predictors: []\n", "predictors-missing", "spec.predictors"},
    {"methods", graph("{name: m, type: UNKNOWN_TYPE}"), "methods-missing",
     "spec.predictors[0].graph.type"},
    {"logger_mode", graph("{name: m, type: MODEL, logger: {url: 'http://a'}}"),
     "logger-mode-missing", "spec.predictors[0].graph.logger"},
    {"type_unknown", graph("{name: m, type: MODLE}"), "unit-type-unknown",
     "spec.predictors[0].graph.type", ""},
    {"quoted_traffic", predictors(predictor("a", "traffic: '100'")), "wrong-type",
     "spec.predictors[0].traffic"},
    {"name_too_strange", predictors(predictor("Main")), "name-invalid", "spec.predictors[0].name",
     ""},
    {"misspelt_field", predictors(predictor("a", "trafic: 100")), "", ""},
    {"retries_no_number",
     predictors(predictor("a"), "  annotations: {seldon.io/istio-retries: often}\n"),
     "annotation-value", "spec.annotations[\"seldon.io/istio-retries\"]"},
    {"retries_timeout_duration",
     predictors(
         predictor("a"),
         "  annotations: {seldon.io/istio-retries: '2', seldon.io/istio-retries-timeout: 500ms}\n"),
     "", "spec.annotations[\"seldon.io/istio-retries-timeout\"]", "annotation-value"},
    {"negative_replicas", predictors(predictor("a", "replicas: -1")), "replicas-negative",
     "spec.predictors[0].replicas", ""},
};

INSTANTIATE_TEST_SUITE_P(Rules, Validate, testing::ValuesIn(kRules),
                         [](const auto& tested) { return tested.param.name; });

TEST(ValidateHints, say_what_was_meant) {
  const Wiring wiring = wire(deployment(graph("{name: m, type: MODLE}")), default_settings());
  ASSERT_EQ(wiring.diagnostics.size(), 1U);
  EXPECT_EQ(wiring.diagnostics[0].hint, "did you mean \"MODEL\"?");
  EXPECT_EQ(wiring.diagnostics[0].place.line, 8U);
  EXPECT_EQ(wiring.diagnostics[0].place.column, 38U);
}

TEST(ValidateAnnotations, unknown_and_misplaced_ones_are_warned_about) {
  const Wiring wiring =
      wire(deployment(predictors(
               predictor("a"),
               "  annotations: {seldon.io/no-engine: 'true', seldon.io/istio-hosts: a}\n")),
           default_settings());
  EXPECT_FALSE(resource::has_errors(wiring.diagnostics)) << all(wiring.diagnostics);
  const resource::Diagnostic* misplaced = find_code(wiring, "annotation-misplaced");
  ASSERT_NE(misplaced, nullptr);
  EXPECT_EQ(misplaced->hint, "it is read in the predictor's annotations");
  const resource::Diagnostic* unknown = find_code(wiring, "annotation-unknown");
  ASSERT_NE(unknown, nullptr);
  EXPECT_EQ(unknown->hint, "did you mean seldon.io/istio-host?");
}

}  // namespace
}  // namespace sluice::compile
