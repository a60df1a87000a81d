#include "base/text.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Text, SplitKeepsEmptyParts) {
  EXPECT_EQ(split("a,b,", ','), (std::vector<std::string_view>{"a", "b", ""}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
}

TEST(Text, NearestFindsTheMisspeltWord) {
  const std::vector<std::string_view> fields{"replicas", "traffic", "graph", "name"};
  EXPECT_EQ(nearest("replcas", fields), "replicas");
  EXPECT_EQ(nearest("trafic", fields), "traffic");
  EXPECT_EQ(nearest("grpah", fields), "graph");
  EXPECT_EQ(nearest("Name", fields), "name");
  EXPECT_EQ(nearest("zebra", fields), "");
}

TEST(Text, TrimTakesBlanksFromBothEnds) {
  EXPECT_EQ(trim(" \ta b\r\n"), "a b");
  EXPECT_EQ(trim("  "), "");
}

}  // namespace
}  // namespace sluice
