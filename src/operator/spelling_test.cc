#include "operator/spelling.h"

#include <gtest/gtest.h>

#include "resource/print.h"
#include "resource/read.h"

namespace sluice::operator_ {
namespace {

using resource::List;
using resource::Map;
using resource::Object;

Object engine(std::string_view predictor) {
  return resource::make_object(
             Map{{"apiVersion", "apps/v1"},
                 {"kind", "Deployment"},
                 {"metadata", Map{{"name", "iris"}}},
                 {"spec",
                  Map{{"template",
                       Map{{"spec",
                            Map{{"containers",
                                 List{Map{{"name", "model"}},
                                      Map{{"name", "engine"},
                                          {"env", List{Map{{"name", "A"}, {"value", "1"}},
                                                       Map{{"name", "ENGINE_PREDICTOR"},
                                                           {"value", predictor}}}}}}}}}}}}}})
      .value();
}

std::string predictor_of(const Object& object) {
  return std::string(object.spec()
                         .at("template")
                         .at("spec")
                         .at("containers")
                         .at(1U)
                         .at("env")
                         .at(1U)
                         .at("value")
                         .text());
}

constexpr std::string_view kAB = "eyJhIjoxLCJiIjoyfQ==";  // {"a":1,"b":2}
constexpr std::string_view kBA = "eyJiIjoyLCJhIjoxfQ==";  // {"b":2,"a":1}
constexpr std::string_view kABNull =
    "eyJhIjoxLCJiIjoyLCJjIjp7ImQiOm51bGx9fQ==";           // {"a":1,"b":2,"c":{"d":null}}
constexpr std::string_view kA2 = "eyJhIjoyLCJiIjoyfQ==";  // {"a":2,"b":2}

TEST(SpellingTest, TheSameMeaningKeepsTheBytesThatRun) {
  EXPECT_EQ(predictor_of(spelled_as(engine(kAB), engine(kBA))), kBA);
}

TEST(SpellingTest, NullAndEmptyMeanAbsent) {
  EXPECT_EQ(predictor_of(spelled_as(engine(kAB), engine(kABNull))), kABNull);
  EXPECT_EQ(predictor_of(spelled_as(engine(kABNull), engine(kAB))), kAB);
}

TEST(SpellingTest, AnotherMeaningIsWritten) {
  EXPECT_EQ(predictor_of(spelled_as(engine(kA2), engine(kBA))), kA2);
}

TEST(SpellingTest, WhatCantBeReadIsReplaced) {
  EXPECT_EQ(predictor_of(spelled_as(engine(kAB), engine("%%%"))), kAB);
  EXPECT_EQ(predictor_of(spelled_as(engine(kAB), engine(""))), kAB);
}

TEST(SpellingTest, NothingElseOfTheObjectChanges) {
  Object have = engine(kBA);
  have.root.as_map()->set("extra", 1);
  const Object now = spelled_as(engine(kAB), have);
  EXPECT_TRUE(now.root.at("extra").is_null());
  EXPECT_EQ(now.root, engine(kBA).root);
}

TEST(SpellingTest, ObjectsWithoutPodsStayAsTheyAre) {
  const Object service =
      resource::make_object(
          Map{{"apiVersion", "v1"}, {"kind", "Service"}, {"metadata", Map{{"name", "iris"}}}})
          .value();
  EXPECT_EQ(spelled_as(service, service).root, service.root);
}

}  // namespace
}  // namespace sluice::operator_
