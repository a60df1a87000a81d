#include "executor/message.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/random.h"
#include "executor/reply.h"
#include "resource/parse.h"

namespace sluice::executor {
namespace {

std::string gzip(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(compressBound(text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(Message, html_is_escaped_anywhere_and_nothing_else) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"plain \xc3\xa4 1.50  ", "plain \xc3\xa4 1.50  "},
      {"<a>&", "\\u003ca\\u003e\\u0026"},
      {"x\xe2\x80\xa8y\xe2\x80\xa9", "x\\u2028y\\u2029"},
      {"\xe2\x82\xac \xe2\x80", "\xe2\x82\xac \xe2\x80"},  // the euro sign; a cut sequence
      {"\xe2\xe2\x80\xa8", "\xe2\\u2028"},
      {"<<", "\\u003c\\u003c"},
  };
  for (const auto& [in, out] : cases) {
    std::string body = in;
    escape_html(body);
    EXPECT_EQ(body, out);
  }
}

TEST(Message, html_is_found_wherever_it_stands) {
  for (std::size_t size = 1; size < 300; ++size) {
    for (const std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
      std::string body(size, 'a');
      body[at] = '&';
      std::string expected = body;
      expected.replace(at, 1, "\\u0026");
      escape_html(body);
      ASSERT_EQ(body, expected);
    }
  }
}

TEST(Message, failures_are_json_whatever_they_say) {
  EXPECT_EQ(
      failure_document("a \"b\" \\ \n <c>"),
      R"({"status":{"code":500,"info":"a \"b\" \\ \u000a \u003cc\u003e","status":"FAILURE"}})");
}

TEST(Message, types_are_sniffed_as_text_gzip_or_neither) {
  EXPECT_EQ(sniff_content_type(""), "");
  EXPECT_EQ(sniff_content_type("{\"a\":1}\n\t"), "text/plain; charset=utf-8");
  EXPECT_EQ(sniff_content_type(gzip("x")), "application/x-gzip");
  EXPECT_EQ(sniff_content_type(std::string_view("a\0b", 3)), "application/octet-stream");
}

TEST(Message, json_is_accepted_exactly_as_rfc_8259_has_it) {
  const char* const good[] = {"null",
                              "true",
                              " false ",
                              "0",
                              "-0.5e+10",
                              "1E-2",
                              "\"\"",
                              "\"\\u00aF\\n\"",
                              "[]",
                              "[ ]",
                              "{}",
                              "{ }",
                              "[1,[2],{\"a\":[]}]",
                              "{\"a\":{\"b\":null},\"c\":[{},{}]}",
                              "\n[1 , 2]\r\n\t"};
  for (const char* text : good) EXPECT_TRUE(find_json_keys(text, {})) << text;
  const char* const bad[] = {"",           " ",
                             "nul",        "nulls",
                             "tru e",      "01",
                             "-",          "1.",
                             ".5",         "1e",
                             "+1",         "\"",
                             "\"\\x\"",    "\"\\u12g4\"",
                             "\"\n\"",     "[",
                             "]",          "[1,]",
                             "[,1]",       "[1 2]",
                             "{",          "{a:1}",
                             "{\"a\"}",    "{\"a\":}",
                             "{\"a\":1,}", "{\"a\":1 \"b\":2}",
                             "[}",         "{]",
                             "[1]]",       "1 2",
                             "'a'",        "NaN",
                             "{\"a\":1}}"};
  for (const char* text : bad) EXPECT_FALSE(find_json_keys(text, {})) << text;
  EXPECT_FALSE(find_json_keys(std::string_view("\0", 1), {}));
  EXPECT_TRUE(find_json_keys(std::string(1'000, '[') + std::string(1'000, ']'), {}));
  EXPECT_FALSE(find_json_keys(std::string(1'001, '[') + std::string(1'001, ']'), {}));
  EXPECT_FALSE(find_json_keys(std::string(1'000'000, '['), {}));
}

// The resource room's reader of JSON is the second opinion. It knows more limits (duplicate keys,
// 100 levels, UTF-8) and allows raw tabs in strings, so only texts without those are made.
TEST(Message, both_readers_of_json_agree_on_mangled_texts) {
  const std::string_view seed =
      R"({"a":[1,-2.5,true,null,"x\n\u00e4"],"b":{"c":{},"d":[]},"e":"f"})";
  constexpr std::string_view kBytes = "{}[]:,\"\\0123456789.eE+-truefalsn \nu";
  Random random(11);
  unsigned accepted = 0;
  for (int round = 0; round < 30'000; ++round) {
    std::string text(seed);
    for (unsigned i = random.below(2) + 1; i > 0; --i) {
      const std::size_t at = random.below(static_cast<std::uint32_t>(text.size()));
      const char byte = kBytes[random.below(static_cast<std::uint32_t>(kBytes.size()))];
      switch (random.below(3)) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.erase(at, 1 + random.below(3));
          break;
        default:
          text.insert(at, 1, byte);
      }
    }
    resource::Budget budget;
    const resource::Parsed parsed = resource::parse_json(text, 1, budget);
    const bool duplicate = !parsed.documents.empty() && parsed.documents[0].refused;
    const bool theirs = !parsed.failure && parsed.documents.size() == 1;
    const bool ours = find_json_keys(text, {}).has_value();
    if (duplicate) continue;
    EXPECT_EQ(ours, theirs) << text << '\n' << (parsed.failure ? parsed.failure->what : "");
    accepted += ours ? 1 : 0;
  }
  EXPECT_GT(accepted, 1'000U);
}

TEST(Message, only_keys_of_the_outermost_object_are_found) {
  const std::string text = R"({"x":{"inputs":1},"a":["inputs"], "inputs" :2})";
  const auto keys = find_json_keys(text, {"outputs", "inputs"});
  ASSERT_TRUE(keys);
  EXPECT_EQ((*keys)[0].size, 0U);
  EXPECT_EQ((*keys)[1].begin, text.rfind("\"inputs\""));
  EXPECT_EQ((*find_json_keys(R"([{"inputs":1}])", {"inputs"}))[0].size, 0U);
}

struct ChainCase {
  Protocol protocol;
  const char* body;
  const char* out;  // nullptr: refused
};

TEST(Message, chaining_leaves_requests_alone_and_turns_answers_into_requests) {
  const ChainCase cases[] = {
      {Protocol::kSeldon, "no json", "no json"},
      {Protocol::kV2, R"( {"inputs":[], "outputs":[1e400]})",
       R"( {"inputs":[], "outputs":[1e400]})"},
      {Protocol::kV2, R"({"model_name":"a","outputs":[{"outputs":1}]})",
       R"({"model_name":"a","inputs":[{"outputs":1}]})"},
      {Protocol::kV2, R"({"instances":[]})", nullptr},
      {Protocol::kV2, "nope", nullptr},
      {Protocol::kV2, "[]", nullptr},
      {Protocol::kTensorflow, R"({"inputs":{}})", R"({"inputs":{}})"},
      {Protocol::kTensorflow, R"({"instances":[]})", R"({"instances":[]})"},
      {Protocol::kTensorflow, R"({"predictions":[2.0]})", R"({"instances":[2.0]})"},
      {Protocol::kTensorflow, R"({"outputs":[2.0]})", nullptr},
  };
  for (const ChainCase& each : cases) {
    std::string body = each.body;
    bool is_gzip = false;
    EXPECT_EQ(chain(each.protocol, body, is_gzip).has_value(), each.out != nullptr) << each.body;
    EXPECT_EQ(body, each.out == nullptr ? each.body : each.out);
  }
}

TEST(Message, packed_v2_answers_are_unpacked_only_to_be_changed) {
  std::string body = gzip(R"({"inputs":[]})");
  const std::string before = body;
  bool is_gzip = true;
  ASSERT_TRUE(chain(Protocol::kV2, body, is_gzip));
  EXPECT_EQ(body, before);
  EXPECT_TRUE(is_gzip);
  body = gzip(R"({"outputs":[]})");
  ASSERT_TRUE(chain(Protocol::kV2, body, is_gzip));
  EXPECT_EQ(body, R"({"inputs":[]})");
  EXPECT_FALSE(is_gzip);
}

TEST(Message, gunzip_refuses_what_is_cut_or_no_gzip_or_a_bomb) {
  EXPECT_EQ(gunzip(gzip("hello")).value(), "hello");
  EXPECT_EQ(gunzip(gzip("")).value(), "");
  EXPECT_EQ(gunzip(gzip("one ") + gzip("two")).value(), "one two");
  const std::string packed = gzip(std::string(100'000, 'a'));
  EXPECT_FALSE(gunzip(packed.substr(0, packed.size() - 1)));
  EXPECT_FALSE(gunzip("hello"));
  EXPECT_FALSE(gunzip(""));
  EXPECT_FALSE(gunzip(gzip(std::string(kBodyBytesMax + 1, 'a'))));
}

TEST(Message, metadata_of_the_graph_is_printed_as_the_reference_prints_it) {
  Predictor predictor;
  predictor.name = "main";
  predictor.graph.name = "m";
  EXPECT_EQ(
      graph_metadata(predictor, R"({"custom":{"who":"a"},"inputs":[{"b":1.50,"a":1e21,"c":1e-7}],
      "name":"a-model","outputs":[],"platform":"","versions":["v1"],"more":1})")
          .value(),
      R"({"name":"main","models":{"m":{"name":"a-model","versions":["v1"],)"
      R"("inputs":[{"a":1e+21,"b":1.5,"c":1e-7}],"outputs":[],"custom":{"who":"a"}}},)"
      R"("graphinputs":[{"a":1e+21,"b":1.5,"c":1e-7}],"graphoutputs":[]})");
  EXPECT_EQ(graph_metadata(predictor, "{}").value(),
            R"({"name":"main","models":{"m":{}},"graphinputs":null,"graphoutputs":null})");
  EXPECT_FALSE(graph_metadata(predictor, "[]"));
  EXPECT_FALSE(graph_metadata(predictor, "nope"));
}

}  // namespace
}  // namespace sluice::executor
