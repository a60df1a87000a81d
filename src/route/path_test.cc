#include "route/path.h"

#include <gtest/gtest.h>

namespace sluice::route {
namespace {

struct PathCase {
  const char* target;
  const char* upstream;  // path and query together; nullptr: 400
};

// Each of these was recorded from Envoy under Istio's defaults.
constexpr PathCase kRecorded[] = {
    {"/a/../b", "/b"},
    {"/a/./b", "/a/b"},
    {"/b/../a/x", "/a/x"},
    {"/a//b", "/a//b"},
    {"//a/x", "//a/x"},
    {"/a/%2e%2e/b", "/b"},
    {"/a/%2E./b", "/b"},
    {"/..", "/"},
    {"/../../a/x", "/a/x"},
    {"/a/..", "/"},
    {"/a/.", "/a/"},
    {"/a%2Fb", "/a%2Fb"},
    {"/a%2f..%2fb", "/a%2f..%2fb"},
    {"/a/b/", "/a/b/"},
    {"/b\\..\\a\\x", "/a/x"},
    {"/a;x=1/b", "/a;x=1/b"},
    {"/%61/x", "/a/x"},
    {"/a/...", "/a/..."},
    {"/b/..%2fa", "/b/..%2fa"},
    {"/a/%5c..", "/a/%5c.."},
    {"/%20x", "/%20x"},
    {"/%41", "/A"},
    {"/%zz", "/%zz"},
    {"/%", "/%"},
    {"/%00", nullptr},
    {"/caf%C3%A9", "/caf%C3%A9"},
    {"/a+b?c+d=e+f", "/a+b?c+d=e+f"},
    {"/x?y=%26&z=%3d", "/x?y=%26&z=%3d"},
    {"/~user/-_.!*'()", "/~user/-_.!*'()"},
    {"/a|b", "/a%7Cb"},
    {"/a\"b", "/a%22b"},
    {"/{x}", "/%7Bx%7D"},
    {"/a^b", "/a%5Eb"},
    {"/x?a?b", "/x?a?b"},
    {"/?", "/?"},
    {"/x#frag", "/x"},
    {"/x%23y", "/x%23y"},
    {"/x?y#z", "/x?y"},
    {"/caf\xc3\xa9", nullptr},
    {"/a b", nullptr},
};

std::string joined(const NormalisedPath& result) {
  std::string text(result.path);
  if (result.has_query) text.append("?").append(result.query);
  return text;
}

TEST(PathTest, does_what_envoy_was_seen_to_do) {
  std::string buffer;
  for (const PathCase& each : kRecorded) {
    const NormalisedPath result = normalise(each.target, buffer);
    ASSERT_EQ(result.ok, each.upstream != nullptr) << each.target;
    if (result.ok) {
      EXPECT_EQ(joined(result), each.upstream) << each.target;
    }
  }
}

TEST(PathTest, further_corners) {
  std::string buffer;
  EXPECT_FALSE(normalise("", buffer).ok);
  EXPECT_FALSE(normalise("*", buffer).ok);
  EXPECT_FALSE(normalise("?x", buffer).ok);
  EXPECT_FALSE(normalise("/a?b c", buffer).ok);
  EXPECT_FALSE(normalise("/a#b\x01", buffer).ok);
  EXPECT_FALSE(normalise("/\x7f", buffer).ok);
  EXPECT_EQ(joined(normalise("/a//..", buffer)), "/a/");
  EXPECT_EQ(joined(normalise("/.", buffer)), "/");
  EXPECT_EQ(joined(normalise("/a/b/..", buffer)), "/a/");
  EXPECT_EQ(joined(normalise("/.hidden/..x", buffer)), "/.hidden/..x");
  EXPECT_EQ(joined(normalise("/a%2eb?%00", buffer)), "/a.b?%00");
  EXPECT_EQ(joined(normalise("/..?x", buffer)), "/?x");
}

TEST(PathTest, normal_paths_are_views_of_the_target) {
  std::string buffer;
  const std::string target = "/seldon/models/iris/api/v1.0/predictions?x=1";
  const NormalisedPath result = normalise(target, buffer);
  EXPECT_EQ(result.path.data(), target.data());
  EXPECT_TRUE(buffer.empty());
}

TEST(PathTest, what_comes_out_is_in_normal_form) {
  std::string buffer;
  std::string second;
  for (const PathCase& each : kRecorded) {
    const NormalisedPath once = normalise(each.target, buffer);
    if (!once.ok) continue;
    const std::string text = joined(once);
    EXPECT_EQ(joined(normalise(text, second)), text);
  }
}

}  // namespace
}  // namespace sluice::route
