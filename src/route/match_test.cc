#include "route/match.h"

#include <gtest/gtest.h>

#include "base/field.h"

namespace sluice::route {
namespace {

StringMatch exact(std::string text) { return {StringMatch::Kind::kExact, false, text, nullptr}; }
StringMatch prefix(std::string text) { return {StringMatch::Kind::kPrefix, false, text, nullptr}; }
StringMatch present() { return {StringMatch::Kind::kPresent, false, "", nullptr}; }
StringMatch regex(std::string text) {
  return {StringMatch::Kind::kRegex, false, text, *Regex::make(text)};
}

bool accepts(const Match& match, std::vector<Field> fields, std::string_view query = "") {
  RequestHead request;
  request.path = "/a";
  request.query = query;
  request.fields = fields;
  return match.accepts(request);
}

TEST(RegexTest, matches_the_whole_text) {
  const auto made = Regex::make("/a.*b");
  ASSERT_TRUE(made);
  EXPECT_TRUE((*made)->matches("/axxb"));
  EXPECT_FALSE((*made)->matches("/axxbc"));
  EXPECT_FALSE((*made)->matches("x/ab"));
}

TEST(RegexTest, refuses_what_re2_refuses) {
  EXPECT_FALSE(Regex::make("*"));
  EXPECT_FALSE(Regex::make("(?=a)b"));
  EXPECT_FALSE(Regex::make("((((a{100}){100}){100}){100})"));
}

TEST(RegexTest, replaces_every_match) {
  const auto made = Regex::make("/v([0-9])");
  std::string text = "/v1/x/v2";
  EXPECT_TRUE((*made)->replace_all(text, "/w\\1"));
  EXPECT_EQ(text, "/w1/x/w2");
  text = "/x";
  EXPECT_FALSE((*made)->replace_all(text, "/w\\1"));
  EXPECT_EQ(text, "/x");
}

TEST(StringMatchTest, kinds) {
  EXPECT_TRUE(prefix("/foo").accepts("/foobar"));
  EXPECT_FALSE(prefix("/foo/").accepts("/foo"));
  EXPECT_TRUE(prefix("").accepts("anything"));
  EXPECT_TRUE((StringMatch{StringMatch::Kind::kExact, true, "/Foo", nullptr}.accepts("/fOO")));
  EXPECT_TRUE((StringMatch{StringMatch::Kind::kPrefix, true, "/Foo", nullptr}.accepts("/fOObar")));
  EXPECT_FALSE(exact("/a").accepts("/A"));
}

TEST(MatchTest, one_of_several_headers_of_a_name_is_enough) {
  Match match;
  match.headers.push_back({"x", exact("two")});
  EXPECT_TRUE(accepts(match, {{"x", "one"}, {"x", "two"}}));
  EXPECT_FALSE(accepts(match, {{"x", "one,two"}}));
  match.headers[0].value = exact("");
  EXPECT_FALSE(accepts(match, {}));
  EXPECT_TRUE(accepts(match, {{"x", ""}}));
}

TEST(MatchTest, an_absent_header_counts_as_empty_where_it_is_not_wanted) {
  Match match;
  match.without_headers.push_back({"x", regex("^$")});
  EXPECT_FALSE(accepts(match, {}));  // so this match means: has a value
  EXPECT_TRUE(accepts(match, {{"x", "v"}}));
  match.without_headers[0].value = present();
  EXPECT_TRUE(accepts(match, {}));
  EXPECT_FALSE(accepts(match, {{"x", ""}}));
  match.without_headers[0].value = exact("v");
  EXPECT_TRUE(accepts(match, {}));
  EXPECT_TRUE(accepts(match, {{"x", "w"}}));
  EXPECT_FALSE(accepts(match, {{"x", "v"}}));
}

TEST(MatchTest, the_first_query_parameter_of_a_name_decides) {
  Match match;
  match.query_params.push_back({"c", exact("1")});
  EXPECT_TRUE(accepts(match, {}, "a=2&c=1&c=3"));
  EXPECT_FALSE(accepts(match, {}, "c=3&c=1"));
  EXPECT_FALSE(accepts(match, {}, "C=1"));
  EXPECT_FALSE(accepts(match, {}, "c=%31"));
  match.query_params[0].value = exact("");
  EXPECT_TRUE(accepts(match, {}, "c"));
  EXPECT_TRUE(accepts(match, {}, "x&c="));
  EXPECT_FALSE(accepts(match, {}, ""));
}

TEST(MatchTest, catch_all) {
  Match match;
  EXPECT_TRUE(match.is_catch_all());
  match.uri = prefix("/");
  EXPECT_TRUE(match.is_catch_all());
  match.uri = regex(".*");
  EXPECT_TRUE(match.is_catch_all());
  match.uri = regex("/.*");
  EXPECT_FALSE(match.is_catch_all());
  match.uri = prefix("/");
  match.method = exact("GET");
  EXPECT_FALSE(match.is_catch_all());
}

}  // namespace
}  // namespace sluice::route
