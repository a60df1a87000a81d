#include "executor/predictor.h"

#include <gtest/gtest.h>

#include "executor/metrics.h"

namespace sluice::executor {
namespace {

// {"name":"main","annotations":{"version":"v7"},"componentSpecs":[{"spec":{"containers":[
//  {"name":"m","image":"repo/img:1.2"}]}}],"graph":{"name":"m","type":"MODEL","endpoint":{
//  "service_host":"localhost","service_port":9000,"httpPort":9001}}} as `base64` prints it
constexpr const char* kEncoded =
    "eyJuYW1lIjoibWFpbiIsImFubm90YXRpb25zIjp7InZlcnNpb24iOiJ2NyJ9LCJjb21wb25lbnRTcGVjcyI6W3sic3Bl"
    "YyI6eyJjb250YWluZXJzIjpbeyJuYW1lIjoibSIsImltYWdlIjoicmVwby9pbWc6MS4yIn1dfX1dLCJncmFwaCI6eyJu"
    "YW1lIjoibSIsInR5cGUiOiJNT0RFTCIsImVuZHBvaW50Ijp7InNlcnZpY2VfaG9zdCI6ImxvY2FsaG9zdCIsInNlcnZp"
    "Y2VfcG9ydCI6OTAwMCwiaHR0cFBvcnQiOjkwMDF9fX0=";

TEST(Predictor, comes_from_base64_json) {
  const auto predictor = decode_predictor(kEncoded);
  ASSERT_TRUE(predictor) << to_string(predictor.error());
  EXPECT_EQ(predictor->name, "main");
  EXPECT_EQ(predictor->version, "v7");
  EXPECT_EQ(predictor->graph.service_host, "localhost");
  EXPECT_EQ(predictor->graph.service_port, 9000);
  EXPECT_EQ(predictor->graph.http_port, 9001);
  EXPECT_EQ(predictor->graph.image, "repo/img");
  EXPECT_EQ(predictor->graph.image_version, "1.2");
  EXPECT_TRUE(check_served(*predictor));
  EXPECT_FALSE(decode_predictor("%%%"));
  EXPECT_FALSE(decode_predictor("e30="));  // {}
  EXPECT_FALSE(decode_predictor("W10="));  // []
  EXPECT_FALSE(decode_predictor("bm9wZQ=="));
}

TEST(Predictor, comes_from_a_deployments_file) {
  constexpr std::string_view kFile = R"(
apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata: {name: d, namespace: n}
spec:
  predictors:
  - {name: a, graph: {name: one, type: MODEL}}
  - {name: b, graph: {name: two, type: MODEL}}
)";
  EXPECT_EQ(find_predictor(kFile, "b")->graph.name, "two");
  EXPECT_EQ(find_predictor(kFile, "c").error().what, "Predictor not found c");
}

Unit unit_of(std::string type, std::vector<std::string> methods = {}) {
  Unit unit;
  unit.name = "u";
  unit.type = std::move(type);
  unit.methods = std::move(methods);
  unit.service_host = "localhost";
  unit.http_port = 9000;
  return unit;
}

TEST(Predictor, what_is_not_served_is_named) {
  const auto refusal = [](Unit unit) {
    const auto checked = check_served(Predictor{"p", "", std::move(unit)});
    return checked ? std::string() : to_string(checked.error());
  };
  EXPECT_EQ(refusal(unit_of("MODEL")), "");
  Unit parent = unit_of("ROUTER");
  parent.children.push_back(unit_of("MODEL"));
  EXPECT_EQ(
      refusal(parent),
      "predictor p: node u: has children, and graphs of more than one node are not served yet");
  Unit logged = unit_of("MODEL");
  logged.has_logger = true;
  EXPECT_NE(refusal(logged).find("payload logging is not served yet"), std::string::npos);
  Unit nowhere = unit_of("MODEL");
  nowhere.http_port = 0;
  EXPECT_NE(refusal(nowhere).find("no endpoint"), std::string::npos);
  nowhere.type = "";  // nothing is called: the request is the answer
  EXPECT_EQ(refusal(nowhere), "");
}

TEST(Predictor, methods_win_over_the_type) {
  using Steps = std::vector<Step>;
  EXPECT_EQ(steps_of(unit_of("MODEL")), Steps{Step::kPredict});
  EXPECT_EQ(steps_of(unit_of("TRANSFORMER")), Steps{Step::kTransformInput});
  EXPECT_EQ(steps_of(unit_of("OUTPUT_TRANSFORMER")), Steps{Step::kTransformOutput});
  EXPECT_EQ(steps_of(unit_of("MODEL", {"TRANSFORM_INPUT", "TRANSFORM_OUTPUT"})),
            (Steps{Step::kTransformInput, Step::kTransformOutput}));
  EXPECT_EQ(steps_of(unit_of("COMBINER")), Steps{});
  EXPECT_TRUE(takes_feedback(unit_of("MODEL")));
  EXPECT_TRUE(takes_feedback(unit_of("TRANSFORMER", {"SEND_FEEDBACK"})));
  EXPECT_FALSE(takes_feedback(unit_of("TRANSFORMER")));
}

TEST(Predictor, units_are_asked_at_the_protocols_paths) {
  EXPECT_EQ(unit_path(Protocol::kSeldon, Step::kPredict, "m"), "/predict");
  EXPECT_EQ(unit_path(Protocol::kSeldon, Step::kStatus, "m"), "/health/status");
  EXPECT_EQ(unit_path(Protocol::kSeldon, Step::kMetadata, "m"), "/metadata");
  EXPECT_EQ(unit_path(Protocol::kTensorflow, Step::kPredict, "m"), "/v1/models/m:predict");
  EXPECT_EQ(unit_path(Protocol::kTensorflow, Step::kTransformInput, "m"), "/transform-input");
  EXPECT_EQ(unit_path(Protocol::kTensorflow, Step::kMetadata, "m"), "/v1/models/m/metadata");
  EXPECT_EQ(unit_path(Protocol::kV2, Step::kPredict, "m"), "/v2/models/m/infer");
  EXPECT_EQ(unit_path(Protocol::kV2, Step::kStatus, "m"), "/v2/models/m/ready");
  EXPECT_EQ(unit_path(Protocol::kV2, Step::kFeedback, "m"), "/send-feedback");
}

// Callers choose model names under V2: they must not fill the memory.
TEST(Metrics, series_are_bounded) {
  const Predictor predictor{"p", "v", unit_of("MODEL")};
  Metrics metrics("d", predictor);
  for (int i = 0; i < 2'000; ++i) {
    const std::string model = "m" + std::to_string(i);
    metrics.count_client(predictor.graph, model, "/v2/models/" + model + "/infer", "post", 200, 1,
                         1);
  }
  const std::string page = metrics.page(1);
  EXPECT_NE(page.find("model_name=\"other\""), std::string::npos);
  EXPECT_EQ(page.find("model_name=\"m1999\""), std::string::npos);
  EXPECT_NE(page.find("service=\"other\"} 1500\n"), std::string::npos);
}

TEST(Metrics, quantiles_are_near_and_forget_after_ten_minutes) {
  const Predictor predictor{"p", "v", unit_of("MODEL")};
  Metrics metrics("d", predictor);
  for (int ms = 1; ms <= 100; ++ms) {
    metrics.count_server("predictions", "post", 200, ms * 1'000'000LL, 1);
  }
  const auto value_of = [](const std::string& page, std::string_view what) {
    const auto at = page.find(what);
    if (at == std::string::npos) return -1.0;
    return std::stod(page.substr(at + what.size()));
  };
  std::string page = metrics.page(2);
  EXPECT_NEAR(value_of(page, "quantile=\"0.5\"} "), 0.050, 0.003);
  EXPECT_NEAR(value_of(page, "quantile=\"0.99\"} "), 0.099, 0.006);
  EXPECT_EQ(value_of(page, "le=\"0.05\"} "), 50);
  EXPECT_EQ(value_of(page, "le=\"+Inf\"} "), 100);
  page = metrics.page(700'000'000'000);
  EXPECT_NE(page.find("quantile=\"0.5\"} NaN"), std::string::npos);
  EXPECT_EQ(value_of(page, "le=\"+Inf\"} "), 100);
}

}  // namespace
}  // namespace sluice::executor
