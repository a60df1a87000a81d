#include "kube/takeover.h"

#include <gtest/gtest.h>

#include "kube/document.h"
#include "resource/print.h"

namespace sluice::kube {
namespace {

using resource::List;
using resource::Value;

List fields(std::string_view json) { return parse_document(json).value().list(); }

constexpr std::string_view kBoth = R"([
  {"manager": "manager", "operation": "Update", "apiVersion": "apps/v1", "fieldsV1":
    {"f:metadata": {"f:ownerReferences": {".": {}}}, "f:spec": {"f:replicas": {}, "f:template": {"f:old": {}}}}},
  {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}},
  {"manager": "sluice", "operation": "Apply", "apiVersion": "apps/v1", "fieldsV1":
    {"f:spec": {"f:replicas": {}, "f:template": {"f:new": {}}}}}])";

TEST(TakeoverTest, WhatThePredecessorSetIsOurs) {
  const auto now = taken_over(fields(kBoth), "sluice", "manager");
  ASSERT_TRUE(now);
  ASSERT_EQ(now->size(), 2U);
  EXPECT_EQ((*now)[0].at("manager").text(), "kube-controller-manager");
  const Value& ours = (*now)[1].at("fieldsV1");
  EXPECT_TRUE(ours.at("f:metadata").at("f:ownerReferences").at(".").is_map());
  EXPECT_TRUE(ours.at("f:spec").at("f:template").at("f:old").is_map());
  EXPECT_TRUE(ours.at("f:spec").at("f:template").at("f:new").is_map());
}

TEST(TakeoverTest, WithoutAPredecessorNothingIsToBeDone) {
  List ours = fields(kBoth);
  ours.erase(ours.begin());
  EXPECT_FALSE(taken_over(ours, "sluice", "manager"));
  EXPECT_FALSE(taken_over({}, "sluice", "manager"));
}

TEST(TakeoverTest, ANamesakeThatDidNotMakeTheObjectKeepsItsFields) {
  EXPECT_FALSE(taken_over(fields(R"([
      {"manager": "manager", "operation": "Update", "fieldsV1": {"f:metadata": {"f:annotations": {"f:a": {}}}}},
      {"manager": "sluice", "operation": "Apply", "fieldsV1": {"f:spec": {}}}])"),
                          "sluice", "manager"));
}

TEST(TakeoverTest, WhatWeSetByUpdateCountsAsApplied) {
  const auto now = taken_over(fields(R"([
      {"manager": "sluice", "operation": "Update", "fieldsV1":
        {"f:metadata": {"f:ownerReferences": {}}, "f:spec": {"f:old": {}}}},
      {"manager": "sluice", "operation": "Apply", "fieldsV1": {"f:spec": {"f:new": {}}}}])"),
                              "sluice", "manager");
  ASSERT_TRUE(now);
  ASSERT_EQ(now->size(), 1U);
  EXPECT_TRUE((*now)[0].at("fieldsV1").at("f:spec").at("f:old").is_map());
}

TEST(TakeoverTest, ASubresourceIsNotTheObject) {
  EXPECT_FALSE(taken_over(fields(R"([
      {"manager": "manager", "operation": "Update", "subresource": "status",
       "fieldsV1": {"f:metadata": {"f:ownerReferences": {}}}},
      {"manager": "sluice", "operation": "Apply", "fieldsV1": {"f:spec": {}}}])"),
                          "sluice", "manager"));
}

}  // namespace
}  // namespace sluice::kube
