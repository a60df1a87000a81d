#include "resource/value.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::resource {
namespace {

Map numbered(int from, int to, int step) {
  Map map;
  for (int i = from; i != to; i += step) map.append("k" + std::to_string(i), Value(i));
  return map;
}

TEST(Map, order_does_not_count) {
  for (const int size : {3, 200}) {
    const Map forward = numbered(0, size, 1);
    Map backward = numbered(size - 1, -1, -1);
    EXPECT_TRUE(forward == forward);
    EXPECT_TRUE(forward == backward);
    backward.set("k1", Value("other"));
    EXPECT_FALSE(forward == backward);
    backward.erase("k1");
    EXPECT_FALSE(forward == backward);
    backward.set("other", Value(1));
    EXPECT_FALSE(forward == backward);
  }
}

// 200,000 keys in another order: a scan for each would not end in a test's time.
TEST(Map, large_maps_compare_in_time) {
  EXPECT_TRUE(numbered(0, 200'000, 1) == numbered(199'999, -1, -1));
}

TEST(Map, set_replaces_and_keeps_the_place) {
  Map map{{"a", Value(1)}, {"b", Value(2)}};
  map.set("a", Value("x"));
  ASSERT_EQ(map.size(), 2U);
  EXPECT_EQ(map.begin()->key, "a");
  EXPECT_EQ(map.find("a")->text(), "x");
  EXPECT_EQ(map.find("c"), nullptr);
  EXPECT_FALSE(map.erase("c"));
}

TEST(Value, forgiving_readers) {
  const Value value(Map{{"list", Value(List{Value(1), Value(2.5)})}, {"text", Value("t")}});
  EXPECT_EQ(value.at("list").at(0).integer(), 1);
  EXPECT_EQ(value.at("list").at(1).number(), 2.5);
  EXPECT_EQ(value.at("list").at(0).number(), 1);
  EXPECT_EQ(value.at("list").at(7).integer(9), 9);
  EXPECT_EQ(value.at("text").integer(9), 9);
  EXPECT_TRUE(value.at("no").at("such").at(3).is_null());
  EXPECT_TRUE(value.at("text").list().empty());
  EXPECT_FALSE(Value(1) == Value(1.0));  // a document keeps them apart
}

}  // namespace
}  // namespace sluice::resource
