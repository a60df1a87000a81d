#include "webhook/review.h"

#include <gtest/gtest.h>

#include "compile/admission.h"
#include "kube/document.h"
#include "resource/print.h"
#include "resource/read.h"

namespace sluice::webhook {
namespace {

using resource::Map;
using resource::Value;

constexpr char kGood[] = R"(
apiVersion: machinelearning.seldon.io/v1
kind: SeldonDeployment
metadata: {name: iris, namespace: models}
spec:
  predictors:
  - name: main
    traffic: 100
    graph: {name: classifier, type: MODEL}
    componentSpecs: [{spec: {containers: [{name: classifier, image: a/b:1}]}}]
)";

Value good() { return resource::read(kGood, nullptr).objects.at(0).root; }

Value& spec_of(Value& object) { return *object.as_map()->find("spec"); }

// Two routed predictors whose traffic adds up to 90.
Value bad() {
  Value object = good();
  resource::List& predictors = *spec_of(object).as_map()->find("predictors")->as_list();
  predictors.push_back(predictors[0]);
  predictors[1].as_map()->set("name", "other");
  predictors[0].as_map()->set("traffic", 60);
  predictors[1].as_map()->set("traffic", 30);
  return object;
}

Value asked(Value object, const char* operation = "CREATE", Value before = {}) {
  return Map{{"apiVersion", "admission.k8s.io/v1"},
             {"kind", "AdmissionReview"},
             {"request", Map{{"uid", "u-1"},
                             {"operation", operation},
                             {"namespace", "models"},
                             {"dryRun", true},
                             {"object", std::move(object)},
                             {"oldObject", std::move(before)}}}};
}

Verdict verdict_on(const Value& review_asked, const compile::Settings& settings = {}) {
  // As it comes: one line of JSON.
  auto verdict = review(*kube::parse_document(resource::to_json(review_asked)), settings);
  EXPECT_TRUE(verdict) << to_string(verdict.error());
  return verdict ? *verdict : Verdict();
}

TEST(ReviewTest, AllowsWhatIsGood) {
  for (const char* version : {"v1", "v1alpha2", "v1alpha3"}) {
    Value object = good();
    object.as_map()->set("apiVersion", "machinelearning.seldon.io/" + std::string(version));
    const Verdict verdict = verdict_on(asked(object));
    EXPECT_TRUE(verdict.allowed) << version << verdict.message;
    EXPECT_EQ(verdict.response.at("kind").text(), "AdmissionReview");
    const Value& response = verdict.response.at("response");
    EXPECT_EQ(response.at("uid").text(), "u-1");
    EXPECT_TRUE(response.at("allowed").flag());
    EXPECT_TRUE(response.at("status").is_null());
    // Nothing is changed, ever.
    EXPECT_TRUE(response.at("patch").is_null());
  }
}

TEST(ReviewTest, RefusesInTheWordsOfValidate) {
  const Verdict verdict = verdict_on(asked(bad()));
  EXPECT_FALSE(verdict.allowed);
  const Value& status = verdict.response.at("response").at("status");
  EXPECT_EQ(status.at("code").integer(), 422);
  EXPECT_EQ(status.at("reason").text(), "Invalid");
  EXPECT_EQ(status.at("details").at("kind").text(), "SeldonDeployment");
  EXPECT_EQ(status.at("details").at("name").text(), "iris");
  const auto object = resource::make_object(bad());
  const resource::Diagnostics said = compile::admit(*object, compile::Settings());
  ASSERT_EQ(said.size(), 1U);
  const Value& cause = status.at("details").at("causes").at(0);
  EXPECT_EQ(cause.at("field").text(), said[0].field);
  EXPECT_TRUE(cause.at("message").text().starts_with(said[0].what)) << cause.at("message").text();
  EXPECT_NE(status.at("message").text().find(said[0].what), std::string_view::npos);
  EXPECT_TRUE(status.at("message").text().starts_with("SeldonDeployment models/iris is invalid: "));
}

TEST(ReviewTest, SaysAllThatIsWrongAtOnce) {
  Value object = bad();
  spec_of(object).as_map()->set("protocol", "nonsense");
  const Verdict verdict = verdict_on(asked(object));
  const Value& causes = verdict.response.at("response").at("status").at("details").at("causes");
  EXPECT_EQ(causes.list().size(), 2U) << resource::to_json(verdict.response);
}

TEST(ReviewTest, HandsWarningsOnWithoutRefusing) {
  Value object = good();
  spec_of(object).as_map()->set("oauth_key", "x");
  object.as_map()
      ->find("metadata")
      ->as_map()
      ->set("annotations", Map{{"seldon.io/istio-retries", "3"}});
  const Verdict verdict = verdict_on(asked(object));
  EXPECT_TRUE(verdict.allowed);
  const auto& warnings = verdict.response.at("response").at("warnings").list();
  ASSERT_FALSE(warnings.empty());
  for (const Value& warning : warnings) EXPECT_LE(warning.text().size(), 256U);
}

TEST(ReviewTest, WarningsHaveALimit) {
  Value object = good();
  for (int i = 0; i < 40; ++i)
    spec_of(object).as_map()->set("field" + std::to_string(i) + std::string(400, 'x'), i);
  const auto verdict = verdict_on(asked(object));
  EXPECT_TRUE(verdict.allowed);
  const auto& warnings = verdict.response.at("response").at("warnings").list();
  ASSERT_EQ(warnings.size(), 16U);
  EXPECT_EQ(warnings.back().text(), "and 25 more; `sluice validate` shows them all");
  for (const Value& warning : warnings) EXPECT_LE(warning.text().size(), 256U);
}

TEST(ReviewTest, LeavesOthersAlone) {
  Value object = bad();
  object.as_map()
      ->find("metadata")
      ->as_map()
      ->set("labels", Map{{"seldon.io/controller-id", "blue"}});
  EXPECT_TRUE(verdict_on(asked(object)).allowed);
  compile::Settings blue;
  blue.controller_id = "blue";
  EXPECT_FALSE(verdict_on(asked(object), blue).allowed);
  EXPECT_TRUE(verdict_on(asked(bad()), blue).allowed);
}

TEST(ReviewTest, WhatIsDeletedGoes) {
  Value object = bad();
  object.as_map()->find("metadata")->as_map()->set("deletionTimestamp", "2026-01-01T00:00:00Z");
  EXPECT_TRUE(verdict_on(asked(object, "UPDATE", bad())).allowed);
  EXPECT_TRUE(verdict_on(asked(Value(), "DELETE", bad())).allowed);
}

// Stored while nobody was asked, or by an older version: its labels may still be changed.
TEST(ReviewTest, AnUpdateThatLeavesTheSpecPasses) {
  Value object = bad();
  object.as_map()->find("metadata")->as_map()->set("labels", Map{{"team", "a"}});
  const Verdict verdict = verdict_on(asked(object, "UPDATE", bad()));
  EXPECT_TRUE(verdict.allowed);
  EXPECT_EQ(verdict.response.at("response").at("warnings").list().size(), 1U);
  EXPECT_FALSE(verdict_on(asked(bad(), "UPDATE", good())).allowed);
  EXPECT_TRUE(verdict_on(asked(good(), "UPDATE", bad())).allowed);
  // Annotations are looked at, too.
  Value annotated = bad();
  annotated.as_map()->find("metadata")->as_map()->set("annotations", Map{{"a", "b"}});
  EXPECT_FALSE(verdict_on(asked(annotated, "UPDATE", bad())).allowed);
}

TEST(ReviewTest, NamesThatAreStillToBeMade) {
  Value object = good();
  Map& metadata = *object.as_map()->find("metadata")->as_map();
  metadata.erase("name");
  metadata.erase("namespace");
  metadata.set("generateName", "iris-");
  EXPECT_TRUE(verdict_on(asked(object)).allowed) << verdict_on(asked(object)).message;
}

TEST(ReviewTest, RefusesToGuess) {
  for (
      const char* text :
      {"{}", "[]", "3", R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"})",
       R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1","request":{"uid":"a"}})",
       R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"a","object":{}}})"}) {
    EXPECT_FALSE(review(*kube::parse_document(text), {})) << text;
  }
}

}  // namespace
}  // namespace sluice::webhook
