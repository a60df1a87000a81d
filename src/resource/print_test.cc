#include "resource/print.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "resource/read.h"

namespace sluice::resource {
namespace {

Object object_with(Value value) {
  return *make_object(Value(Map{{"apiVersion", Value("v1")},
                                {"kind", Value("K")},
                                {"metadata", Value(Map{{"name", Value("one")}})},
                                {"v", std::move(value)}}));
}

TEST(Print, looks_as_kubectl_prints) {
  const Value value(
      Map{{"kind", Value("Service")},
          {"spec",
           Value(Map{{"ports", Value(List{Value(Map{{"port", Value(80)}, {"name", Value("http")}}),
                                          Value(List{Value(1), Value(List{})})})},
                     {"selector", Value(Map{})},
                     {"clusterIP", Value("None")}})},
          {"annotations", Value(Map{{"a/b", Value("true")},
                                    {"n", Value("1")},
                                    {"text", Value("a\nb\n")},
                                    {"colon", Value("a: b")},
                                    {"empty", Value("")},
                                    {"x", Value(0.5)},
                                    {"nothing", Value()}})}});
  EXPECT_EQ(to_yaml(value),
            "kind: Service\n"
            "spec:\n"
            "  ports:\n"
            "  - port: 80\n"
            "    name: http\n"
            "  - - 1\n"
            "    - []\n"
            "  selector: {}\n"
            "  clusterIP: None\n"
            "annotations:\n"
            "  a/b: \"true\"\n"
            "  \"n\": \"1\"\n"
            "  text: |\n"
            "    a\n"
            "    b\n"
            "  colon: 'a: b'\n"
            "  empty: \"\"\n"
            "  x: 0.5\n"
            "  nothing: null\n");
  EXPECT_EQ(to_json(value.at("spec"), JsonStyle::kCompact, KeyOrder::kSorted),
            R"({"clusterIP":"None","ports":[{"name":"http","port":80},[1,[]]],"selector":{}})");
  EXPECT_EQ(to_json(Value(Map{{"a", Value(List{Value(1)})}}), JsonStyle::kPretty),
            "{\n  \"a\": [\n    1\n  ]\n}");
}

// Strings that some YAML reader takes for something else, or that fight with the syntax.
const char* const kStrings[] = {"",
                                " ",
                                "a",
                                "a b",
                                " a",
                                "a ",
                                "on",
                                "No",
                                "y",
                                "null",
                                "~",
                                "true",
                                "1",
                                "-1",
                                "+1",
                                "1.",
                                ".5",
                                "1e3",
                                "1_0",
                                "0x1f",
                                "0b1",
                                "0o7",
                                "0777",
                                "08",
                                "1:30",
                                "12:30:45",
                                "190:20:30.15",
                                "2026-01-02",
                                "2026-01-02T03:04:05Z",
                                "=",
                                "<<",
                                "-",
                                "--",
                                "---",
                                "--- a",
                                "- a",
                                "-a",
                                "?",
                                "? a",
                                "?a",
                                ":",
                                ": a",
                                ":a",
                                "a:",
                                "a: b",
                                "a:b",
                                "a #b",
                                "a#b",
                                "#a",
                                "&a",
                                "*a",
                                "!a",
                                "|",
                                ">",
                                "'",
                                "\"",
                                "it's",
                                "\"q\"",
                                "%a",
                                "@a",
                                "`a",
                                "[a",
                                "]",
                                "{a",
                                "}",
                                ",a",
                                "...",
                                "... a",
                                ".",
                                "..",
                                "a\n",
                                "a\nb",
                                "\na",
                                "a\n\n",
                                "\n",
                                "\n\n",
                                " a\nb",
                                "a\n b\n",
                                "a\n\nb\n",
                                "a\n \nb",
                                "a\t",
                                "\ta",
                                "a\tb\n",
                                "a\r\n",
                                "\r",
                                "\x01",
                                "\x7f",
                                "\xC2\x85",
                                "\xC2\xA0",
                                "\xE2\x80\xA8",
                                "\xEF\xBB\xBF",
                                "\xC3\xA9",
                                "\xF0\x9F\x98\x80",
                                ".inf",
                                "-.INF",
                                ".nan",
                                "1Gi",
                                "10m",
                                "1.2.3",
                                "a\\b",
                                "\\",
                                "a,b",
                                "a]b",
                                "0",
                                "00",
                                "-0",
                                "1e",
                                "e1",
                                "_1",
                                "1__",
                                "+",
                                "+a",
                                "-.",
                                "1.5.",
                                "0x",
                                "0b2",
                                "/a",
                                "a/b",
                                "18446744073709551616",
                                "a\n# b\n",
                                "a\n--- b\n",
                                "# a\nb",
                                "- a\nb",
                                "key: value\nother: 1\n"};

TEST(Print, every_string_is_read_back) {
  Map map;
  List list;
  for (const char* text : kStrings) {
    map.set(text, Value(text));
    list.push_back(Value(text));
    list.push_back(Value(List{Value(text), Value(Map{{text, Value(text)}})}));
  }
  map.set("list", Value(list));
  map.set(std::string(3000, 'k'), Value(Map{{"long", Value(std::string(5000, 'v'))}}));
  map.set(std::string(3000, 'l'), Value(List{Value(1)}));
  const Object object = object_with(Value(map));
  for (const std::string& text : {to_yaml(object), to_json(object.root),
                                  to_json(object.root, JsonStyle::kPretty, KeyOrder::kSorted)}) {
    const ReadResult again = read(text, nullptr);
    ASSERT_TRUE(again.diagnostics.empty()) << to_string(again.diagnostics.front()) << "\n" << text;
    ASSERT_EQ(again.objects.size(), 1U);
    for (const Member& member : map) {
      const Value* found = again.objects[0].root.at("v").map().find(member.key);
      ASSERT_NE(found, nullptr) << member.key;
      EXPECT_EQ(*found, member.value) << member.key;
    }
    EXPECT_TRUE(again.objects[0] == object);
  }
}

Value random_value(Random& random, unsigned depth) {
  switch (random.below(depth == 0 ? 6 : 9)) {
    case 0:
      return Value();
    case 1:
      return Value(random.below(2) == 0);
    case 2:
      return Value(static_cast<std::int64_t>(random.next()));
    case 3:
      return Value(static_cast<double>(random.below(1'000'000)) + 0.5 / (1 + random.below(64)));
    case 4:
      return Value(kStrings[random.below(std::size(kStrings))]);
    case 5: {
      constexpr std::string_view kParts[] = {"a",  " ",    "\n", "\t", ":", "#", "-", "\"",
                                             "'",  "\\",   "0",  ".",  ",", "[", "{", "é",
                                             "\r", "\x1b", "?",  "!",  "%", "e"};
      std::string text;
      for (unsigned n = random.below(12); n > 0; --n)
        text += kParts[random.below(std::size(kParts))];
      return Value(text);
    }
    case 6: {
      List list;
      for (unsigned n = random.below(5); n > 0; --n)
        list.push_back(random_value(random, depth - 1));
      return Value(std::move(list));
    }
    default: {
      Map map;
      for (unsigned n = random.below(5); n > 0; --n) {
        const Value key = random_value(random, 0);
        map.set(key.is_string() ? key.text() : "k", random_value(random, depth - 1));
      }
      return Value(std::move(map));
    }
  }
}

TEST(Print, random_values_are_read_back) {
  Random random(20260102);
  for (int round = 0; round < 3000; ++round) {
    const Object object = object_with(random_value(random, 5));
    const KeyOrder order = random.below(2) == 0 ? KeyOrder::kSorted : KeyOrder::kAsWritten;
    for (const std::string& text :
         {to_yaml(object, order), to_json(object.root, JsonStyle::kPretty, order)}) {
      const ReadResult again = read(text, nullptr);
      ASSERT_TRUE(again.diagnostics.empty())
          << "round " << round << ": " << to_string(again.diagnostics.front()) << "\n"
          << text;
      ASSERT_TRUE(again.objects.at(0) == object) << "round " << round << "\n" << text;
    }
  }
}

TEST(Print, documents_and_lists) {
  const std::vector<Object> objects = {object_with(Value(1)), object_with(Value("a\n\n"))};
  for (const std::string& text : {to_yaml(objects), to_json(objects)}) {
    const ReadResult again = read(text, nullptr);
    ASSERT_EQ(again.objects.size(), 2U) << text;
    EXPECT_TRUE(again.objects == objects) << text;
  }
}

}  // namespace
}  // namespace sluice::resource
