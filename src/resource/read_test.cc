#include "resource/read.h"

#include <gtest/gtest.h>

#include <string>

#include "base/limits.h"
#include "resource/print.h"

namespace sluice::resource {
namespace {

ReadResult read_text(std::string_view text) {
  return read(text, std::make_shared<const std::string>("t.yaml"));
}

// The values under "v:" of a small object, as compact JSON.
std::string meaning(std::string_view yaml) {
  const std::string text =
      "apiVersion: v1\nkind: K\nmetadata: {name: one}\nv: " + std::string(yaml) + "\n";
  const ReadResult result = read_text(text);
  if (result.objects.size() != 1) {
    return result.diagnostics.empty() ? "nothing" : "! " + to_string(result.diagnostics.front());
  }
  return to_json(result.objects.front().root.at("v"));
}

constexpr std::string_view kTwo =
    "apiVersion: v1\n"
    "kind: ConfigMap\n"
    "metadata:\n"
    "  name: a\n"
    "---\n"
    "# nothing here\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: ConfigMap\n"
    "metadata: {name: b, namespace: other}\n";

TEST(Read, takes_documents_apart_and_skips_empty_ones) {
  const ReadResult result = read_text(kTwo);
  ASSERT_TRUE(result.diagnostics.empty()) << to_string(result.diagnostics.front());
  ASSERT_EQ(result.objects.size(), 2U);
  EXPECT_EQ(to_string(result.objects[0].key()), "ConfigMap default/a");
  EXPECT_EQ(to_string(result.objects[1].key()), "ConfigMap other/b");
  EXPECT_EQ(result.objects[1].metadata().at("name").place.line, 10U);
  EXPECT_EQ(result.objects[1].metadata().at("name").place.column, 18U);
  EXPECT_EQ(*result.objects[1].file, "t.yaml");
  EXPECT_TRUE(result.complete);
}

TEST(Read, nothing_is_no_object_and_no_error) {
  for (const char* text :
       {"", "\n", "# c\n", "---\n---\n", "\xEF\xBB\xBF", "--- # c\n...\n", "null\n", "~"}) {
    const ReadResult result = read_text(text);
    EXPECT_TRUE(result.objects.empty()) << text;
    EXPECT_TRUE(result.diagnostics.empty()) << text << to_string(result.diagnostics.front());
    EXPECT_TRUE(result.complete);
  }
}

TEST(Read, flattens_lists_and_typed_lists) {
  const ReadResult result = read_text(R"(
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Secret
  metadata: {name: s}
- apiVersion: machinelearning.seldon.io/v1
  kind: SeldonDeploymentList
  items:
  - metadata: {name: iris}
    spec: {predictors: []}
)");
  ASSERT_TRUE(result.diagnostics.empty()) << to_string(result.diagnostics.front());
  ASSERT_EQ(result.objects.size(), 2U);
  EXPECT_EQ(to_string(result.objects[0].key()), "Secret default/s");
  EXPECT_EQ(result.objects[1].api_version, "machinelearning.seldon.io/v1");
  EXPECT_EQ(to_string(result.objects[1].key()), "SeldonDeployment default/iris");
}

TEST(Read, one_bad_document_leaves_the_others) {
  const ReadResult result = read_text(
      "apiVersion: v1\nkind: A\nmetadata: {name: a}\n"
      "---\n"
      "apiVersion: v1\nkind: B\nmetadata: {name: b}\nspec: [1, 2\n"
      "---\n"
      "apiVersion: v1\nkind: C\nmetadata: {name: c}\n");
  ASSERT_EQ(result.objects.size(), 2U);
  EXPECT_EQ(result.objects[1].kind, "C");
  ASSERT_EQ(result.diagnostics.size(), 1U);
  ASSERT_EQ(result.refused.size(), 1U);
  EXPECT_EQ(to_string(result.refused[0]), "B default/b");
  EXPECT_TRUE(result.complete);
}

TEST(Read, json_documents_may_follow_each_other) {
  const ReadResult result = read_text(
      R"({"apiVersion":"v1","kind":"A","metadata":{"name":"a\ud83d\ude00\/"}}
         {"apiVersion":"v1","kind":"B","metadata":{"name":"b"}, "n": [1, -2.5e-3, 1e2, true, null]})");
  ASSERT_TRUE(result.diagnostics.empty()) << to_string(result.diagnostics.front());
  ASSERT_EQ(result.objects.size(), 2U);
  EXPECT_EQ(result.objects[0].name, "a\xF0\x9F\x98\x80/");
  EXPECT_EQ(to_json(result.objects[1].root.at("n")), "[1,-0.0025,100,true,null]");
}

TEST(Read, flow_yaml_is_no_broken_json) {
  const ReadResult result = read_text("{apiVersion: v1, kind: A, metadata: {name: a,}}\n");
  ASSERT_TRUE(result.diagnostics.empty()) << to_string(result.diagnostics.front());
  EXPECT_EQ(result.objects.at(0).name, "a");
}

struct Meaning {
  const char* yaml;
  const char* json;
};

// As kubectl (sigs.k8s.io/yaml over go-yaml v2) reads them.
TEST(Read, unquoted_words_mean_what_they_mean_to_kubectl) {
  constexpr Meaning kMeanings[] = {
      {"yes", "true"},
      {"Off", "false"},
      {"y", "true"},
      {"N", "false"},
      {"oN", "\"oN\""},
      {"True", "true"},
      {"tRue", "\"tRue\""},
      {"~", "null"},
      {"", "null"},
      {"Null", "null"},
      {"nULL", "\"nULL\""},
      {"0777", "511"},
      {"0o17", "15"},
      {"0x1F", "31"},
      {"0b101", "5"},
      {"-0x1F", "-31"},
      {"+12", "12"},
      {"08", "8"},
      {"1_000", "1000"},
      {"1.0", "1"},
      {"1e3", "1000"},
      {"1.5", "1.5"},
      {".5", "0.5"},
      {"5.", "5"},
      {"1.2.3", "\"1.2.3\""},
      {"12:30:45", "\"12:30:45\""},
      {"2026-01-02", "\"2026-01-02\""},
      {"10m", "\"10m\""},
      {"1Gi", "\"1Gi\""},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"18446744073709551615", "18446744073709551616.0"},
      {"'on'", "\"on\""},
      {"!!str on", "\"on\""},
      {"!!str 5", "\"5\""},
      {"!!int \"5\"", "5"},
      {"!!binary aGk=", "\"hi\""},
      {"!mine x", "\"x\""},
      {"[on, 'no']", "[true,\"no\"]"},
      {"{on: 1, 10: 2, 1.5: 3}", "{\"true\":1,\"10\":2,\"1.5\":3}"},
      {"|\n  a\n  b", "\"a\\nb\\n\""},
      {"|-\n  a\n   b", "\"a\\n b\""},
      {">\n  a\n  b", "\"a b\\n\""},
      {"\"a\\tb\"", "\"a\\tb\""},
      {"\n- ", "[null]"},
      {"a:b", "\"a:b\""},
      {"/seldon/a#b", "\"/seldon/a#b\""},
  };
  for (const Meaning& tested : kMeanings)
    EXPECT_EQ(meaning(tested.yaml), tested.json) << tested.yaml;
}

TEST(Read, merge_keys_and_aliases) {
  EXPECT_EQ(meaning("\n  x: &x {a: 1, b: 2}\n  w:\n    <<: *x\n    b: 3\n"),
            R"({"x":{"a":1,"b":2},"w":{"a":1,"b":3}})");
  EXPECT_EQ(meaning("\n  x: &x {a: 1}\n  z: &z {a: 2, c: 4}\n  w:\n    <<: [*x, *z]\n"),
            R"({"x":{"a":1},"z":{"a":2,"c":4},"w":{"a":1,"c":4}})");
  EXPECT_EQ(
      meaning("\n  x: &x {a: 1, b: 2}\n  w:\n    b: 3\n    <<: *x\n"),
      R"({"x":{"a":1,"b":2},"w":{"b":2,"a":1}})");  // against YAML, with kubectl; a warning says so
  EXPECT_EQ(meaning("[&a [1], *a, &k key, {*k : v}]"), R"([[1],[1],"key",{"key":"v"}])");
}

struct Bad {
  const char* name;
  std::string text;
  const char* said;  // the whole of the first diagnostic
};

const std::string kHead = "apiVersion: v1\nkind: K\nmetadata:\n  name: one\n";

class ReadBad : public testing::TestWithParam<Bad> {};

TEST_P(ReadBad, SaysWhereAndWhat) {
  const ReadResult result = read_text(GetParam().text);
  ASSERT_FALSE(result.diagnostics.empty());
  EXPECT_EQ(to_string(result.diagnostics.front()), GetParam().said);
}

INSTANTIATE_TEST_SUITE_P(
    Documents, ReadBad,
    testing::Values(
        Bad{"duplicate_key", kHead + "spec:\n  a: 1\n  b: 2\n  a: 3\n",
            "t.yaml:8:3: error: K default/one: spec.a: the key \"a\" is here for the second time; "
            "it is "
            "already at line 6; keep one of the two [duplicate-key]"},
        Bad{"not_indented", kHead + "spec:\n  name: a\n  graph:\n  name: b\n",
            "t.yaml:8:3: error: K default/one: spec.name: the key \"name\" is here for the second "
            "time; it "
            "is already at line 6; graph at line 7 has no value: shall this be indented under it? "
            "[duplicate-key]"},
        Bad{"forgotten_separator", kHead + kHead,
            "t.yaml:5:1: error: K default/one: a second document begins here, without \"---\" "
            "before it; "
            "put a line \"---\" between the documents [missing-separator]"},
        Bad{"boolean_word", kHead + "spec:\n- x: on\n",
            "t.yaml:6:6: warning: K default/one: spec[0].x: on without quotes is the boolean true; "
            "write "
            "true, or \"on\" if text is meant [yaml-boolean]"},
        Bad{"boolean_key", kHead + "spec:\n  y: 1\n",
            "t.yaml:6:3: warning: K default/one: spec.y: the key y without quotes is read as "
            "\"true\"; "
            "write \"y\" [yaml-boolean]"},
        Bad{"octal", kHead + "port: 0777\n",
            "t.yaml:5:7: warning: K default/one: port: 0777 is octal: the number 511; write 511, "
            "or "
            "\"0777\" if text is meant [yaml-octal]"},
        Bad{"not_finite", kHead + "x: .inf\n",
            "t.yaml:5:4: error: K default/one: x: .inf is no number that JSON, and so Kubernetes, "
            "knows; "
            "write \".inf\" if text is meant [yaml-not-finite]"},
        Bad{"tab", kHead + "spec:\n\ta: 1\n",
            "t.yaml:6:1: error: K default/one: spec: a tab can't indent YAML; use blanks "
            "[yaml-syntax]"},
        Bad{"colon", kHead + "spec:\n  a: b: c\n",
            "t.yaml:6:7: error: K default/one: spec: a colon where no key can be; put text that "
            "holds "
            "\": \" in quotes, or check the indentation of this line and the one before "
            "[yaml-syntax]"},
        Bad{"open_quote", kHead + "spec: \"a\n",
            "t.yaml:6:1: error: K default/one: spec: the quote opened at line 5 is never closed "
            "[yaml-syntax]"},
        Bad{"indentation", kHead + "spec:\n    a: 1\n  b: 2\n",
            "t.yaml:7:3: error: K default/one: this is indented unlike the map that begins at line "
            "1; "
            "indent the keys of one map equally [yaml-syntax]"},
        Bad{"template_", kHead + "spec: {{ .Values.x }}\n",
            "t.yaml:5:8: error: K default/one: spec: a list or a map is used as a key; keys are "
            "text; does "
            "a template still have to be rendered, such as {{ name }}? [yaml-key]"},
        Bad{"no_colon", kHead + "spec:\n  a: 1\n  b\n  c: 2\n",
            "t.yaml:8:3: error: K default/one: spec: a key without a colon; check line 7: a key "
            "needs "
            "\": \" after it; continued text must be indented [yaml-syntax]"},
        Bad{"nul", kHead + std::string("a: \0b\n", 6),
            "t.yaml:5:4: error: a NUL byte; YAML is text; is this a binary file, or UTF-16? "
            "[bad-character]"},
        Bad{"not_utf8", kHead + "a: \xC3\xA9\xFF\n",
            "t.yaml:5:5: error: the byte 0xFF is not UTF-8; save the file as UTF-8 "
            "[bad-character]"},
        Bad{"utf16",
            "\xFF\xFE"
            "a",
            "t.yaml:1:1: error: the file is UTF-16; save it as UTF-8 [bad-character]"},
        Bad{"no_kind", "apiVersion: v1\nmetadata: {}\n",
            "t.yaml:1:1: error: kind: kind is missing; say what this is: kind: SeldonDeployment "
            "[not-an-object]"},
        Bad{"letter_case", "apiversion: v1\nkind: K\n",
            "t.yaml:1:1: error: K default/: apiversion: apiVersion is missing; write apiVersion in "
            "place "
            "of apiversion [not-an-object]"},
        Bad{"columns_count_characters", kHead + "\"\xC3\xA9\xF0\x9F\x98\x80\": [on, *x]\n",
            "t.yaml:5:12: error: K default/one: \xC3\xA9\xF0\x9F\x98\x80[1]: there is no anchor "
            "\"&x\" before "
            "this; if a star was meant, put the text in quotes [yaml-alias]"},
        Bad{"no_api_version", "---\nkind: K\n",
            "t.yaml:2:1: error: K default/: apiVersion: apiVersion is missing; say which API this "
            "is "
            "of: apiVersion: machinelearning.seldon.io/v1 [not-an-object]"},
        Bad{"a_list", "- a\n",
            "t.yaml:1:1: error: a document must be a map with apiVersion and kind; this is a list; "
            "put "
            "the items into a List: apiVersion: v1, kind: List, items: [...] [not-an-object]"},
        Bad{"prose", "hello\n",
            "t.yaml:1:1: error: a document must be a map with apiVersion and kind; this is a "
            "string "
            "[not-an-object]"},
        Bad{"no_anchor", kHead + "a: *b\n",
            "t.yaml:5:4: error: K default/one: a: there is no anchor \"&b\" before this; if a star "
            "was "
            "meant, put the text in quotes [yaml-alias]"},
        Bad{"self", kHead + "a: &b [*b]\n",
            "t.yaml:5:8: error: K default/one: a[0]: \"*b\" stands inside of \"&b\"; a value can't "
            "contain "
            "itself [yaml-alias]"},
        Bad{"json_comma", "{\n \"apiVersion\": \"v1\"\n \"kind\": \"K\"}",
            "t.yaml:3:2: error: '\"kind\"' where a comma or } was expected; the { is at line 1 "
            "[json-syntax]"},
        Bad{"json_end", "{\"apiVersion\": ",
            "t.yaml:1:16: error: apiVersion: the end of the file where a value was expected "
            "[json-syntax]"},
        Bad{"json_duplicate",
            "{\"apiVersion\":\"v1\",\"kind\":\"K\",\"metadata\":{\"name\":\"one\",\"name\":\"m\"}}",
            "t.yaml:1:56: error: K default/one: metadata.name: the key \"name\" is here for the "
            "second "
            "time; it is already at line 1; keep one of the two [duplicate-key]"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(ReadLimits, nesting) {
  const std::string good = std::string(98, '[') + std::string(98, ']');
  const std::string bad = std::string(100, '[') + std::string(100, ']');
  EXPECT_EQ(meaning(good), good);
  EXPECT_NE(meaning(bad).find("too-deep"), std::string::npos) << meaning(bad);
  std::string deep(1'000'000, '[');
  EXPECT_NE(meaning(deep).find("too-deep"), std::string::npos);
  EXPECT_EQ(read_text("{\"a\":" + deep).diagnostics.at(0).code, "too-deep");
}

// A billion laughs: refused by count, long before memory or time are used.
TEST(ReadLimits, bomb) {
  std::string text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int n = 0; n < 8; ++n) text += ", " + last;
    text += "]\n";
  }
  const ReadResult result = read_text(text);
  ASSERT_EQ(result.diagnostics.size(), 1U);
  EXPECT_EQ(result.diagnostics[0].code, "too-many-aliases");
  EXPECT_EQ(result.diagnostics[0].place.line,
            6U);  // 9^5 values are 59,049; the next line passes 100,000
  EXPECT_FALSE(result.complete);
}

TEST(ReadLimits, aliases_of_long_text_count_by_their_length) {
  std::string text = "a: &a " + std::string(1U << 20U, 'x') + "\nb: [";
  for (int i = 0; i < 10'000; ++i) text += "*a,";
  const ReadResult result = read_text(text + "]\n");
  EXPECT_EQ(result.diagnostics.at(0).code, "too-many-aliases");
}

TEST(ReadLimits, problems) {
  std::string text = kHead + "v:\n";
  for (std::size_t i = 0; i < 5'000; ++i) text += "- on\n";
  const ReadResult result = read_text(text);
  EXPECT_EQ(result.diagnostics.size(), limits::kDocumentProblemsMax);
  EXPECT_EQ(result.diagnostics.back().code, "too-many-problems");
  EXPECT_EQ(result.objects.size(), 1U);  // warnings, all of them
}

TEST(ReadLimits, large_maps_are_not_quadratic_and_still_find_duplicates) {
  std::string text = kHead + "data:\n";
  for (int i = 0; i < 100'000; ++i) text += "  k" + std::to_string(i) + ": v\n";
  const ReadResult good = read_text(text);
  ASSERT_EQ(good.objects.size(), 1U);
  EXPECT_EQ(good.objects[0].root.at("data").map().size(), 100'000U);
  const ReadResult bad = read_text(text + "  k77: w\n");
  EXPECT_EQ(bad.diagnostics.at(0).code, "duplicate-key");
  EXPECT_EQ(bad.refused.size(), 1U);
}

TEST(ReadLimits, documents) {
  std::string text;
  for (std::size_t i = 0; i <= limits::kDocumentsMax; ++i) text += "---\n1\n";
  const ReadResult result = read_text(text);
  EXPECT_EQ(result.diagnostics.back().code, "too-many-documents");
}

TEST(Read, line_ends_and_byte_order_marks) {
  const ReadResult result = read_text(
      "\xEF\xBB\xBF---\r\napiVersion: v1\r\nkind: A\r\nmetadata:\r\n  name: a\r\n---\r\n");
  ASSERT_TRUE(result.diagnostics.empty()) << to_string(result.diagnostics.front());
  ASSERT_EQ(result.objects.size(), 1U);
  EXPECT_EQ(result.objects[0].name, "a");
  EXPECT_EQ(result.objects[0].metadata().at("name").place.line, 5U);
}

TEST(Read, directives_stay_with_their_document) {
  const ReadResult result = read_text(
      "%YAML 1.1\n---\napiVersion: v1\nkind: A\n...\n%YAML 1.1\n---\napiVersion: v1\nkind: B\n");
  ASSERT_TRUE(result.diagnostics.empty()) << to_string(result.diagnostics.front());
  EXPECT_EQ(result.objects.size(), 2U);
}

}  // namespace
}  // namespace sluice::resource
