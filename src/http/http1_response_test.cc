#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "http/http1.h"

namespace sluice::http {
namespace {

struct ResponseCase {
  const char* name;
  std::string bytes;
  bool to_head;
  Refusal refusal;  // kNone: accepted as below
  Framing framing;
  std::uint64_t length;
  bool keep_alive;
};

class Http1Responses : public testing::TestWithParam<ResponseCase> {};

// The same at every cut, the buffer moving in between.
TEST_P(Http1Responses, AreReadOrRefusedHoweverCut) {
  const ResponseCase& c = GetParam();
  for (std::size_t cut = 0; cut <= c.bytes.size(); ++cut) {
    ResponseHead head;
    ResponseParser parser(head);
    parser.reset(c.to_head);
    std::string first = c.bytes.substr(0, cut);
    std::string second = c.bytes;
    Progress progress = parser.parse(first);
    if (progress == Progress::kMore) {
      second = first + c.bytes.substr(cut);
      first.assign(first.size(), '#');
      progress = parser.parse(second);
    }
    ASSERT_EQ(to_string(parser.refusal()), to_string(c.refusal)) << "cut at " << cut;
    ASSERT_EQ(progress, c.refusal == Refusal::kNone ? Progress::kDone : Progress::kRefused);
    if (c.refusal != Refusal::kNone) continue;
    ASSERT_EQ(head.framing, c.framing);
    ASSERT_EQ(head.content_length, c.length);
    ASSERT_EQ(head.keep_alive, c.keep_alive);
  }
}

std::string ok(const std::string& lines) { return "HTTP/1.1 200 OK\r\n" + lines + "\r\n"; }
std::string with_status(const std::string& status, const std::string& lines) {
  return "HTTP/1.1 " + status + "\r\n" + lines + "\r\n";
}

const std::vector<ResponseCase> kCases = {
    {"length", ok("content-length: 5\r\n"), false, Refusal::kNone, Framing::kLength, 5, true},
    {"chunked", ok("transfer-encoding: chunked\r\n"), false, Refusal::kNone, Framing::kChunked, 0,
     true},
    {"until_close", ok("x-a: b\r\n"), false, Refusal::kNone, Framing::kUntilClose, 0, false},
    {"close", ok("content-length: 5\r\nconnection: close\r\n"), false, Refusal::kNone,
     Framing::kLength, 5, false},
    {"http10", "HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\n", false, Refusal::kNone,
     Framing::kLength, 5, false},
    {"http10_keep_alive", "HTTP/1.0 200 OK\r\ncontent-length: 5\r\nConnection: Keep-Alive\r\n\r\n",
     false, Refusal::kNone, Framing::kLength, 5, true},
    {"http10_until_close", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", false,
     Refusal::kNone, Framing::kUntilClose, 0, false},
    {"http10_chunked",
     "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
     false,
     Refusal::kTransferEncoding,
     {},
     0,
     false},
    {"to_head", ok("content-length: 5\r\n"), true, Refusal::kNone, Framing::kNone, 0, true},
    {"to_head_chunked", ok("transfer-encoding: chunked\r\n"), true, Refusal::kNone, Framing::kNone,
     0, true},
    {"to_head_no_length", ok(""), true, Refusal::kNone, Framing::kNone, 0, true},
    {"no_content", with_status("204 No Content", ""), false, Refusal::kNone, Framing::kNone, 0,
     true},
    {"no_content_zero", with_status("204 No Content", "content-length: 0\r\n"), false,
     Refusal::kNone, Framing::kNone, 0, true},
    {"no_content_length",
     with_status("204 No Content", "content-length: 3\r\n"),
     false,
     Refusal::kBodyForbidden,
     {},
     0,
     false},
    {"no_content_chunked",
     with_status("204 No Content", "transfer-encoding: chunked\r\n"),
     false,
     Refusal::kBodyForbidden,
     {},
     0,
     false},
    {"not_modified", with_status("304 Not Modified", "content-length: 3\r\n"), false,
     Refusal::kNone, Framing::kNone, 0, true},
    {"interim", with_status("100 Continue", ""), false, Refusal::kNone, Framing::kNone, 0, true},
    {"interim_with_body",
     with_status("103 Early Hints", "content-length: 1\r\n"),
     false,
     Refusal::kBodyForbidden,
     {},
     0,
     false},
    {"switching", with_status("101 Switching Protocols", "upgrade: websocket\r\n"), false,
     Refusal::kNone, Framing::kNone, 0, true},
    {"no_reason", with_status("200", "content-length: 0\r\n"), false, Refusal::kNone,
     Framing::kLength, 0, true},
    {"empty_reason", with_status("200 ", "content-length: 0\r\n"), false, Refusal::kNone,
     Framing::kLength, 0, true},
    {"high_bytes_in_reason", with_status("200 D\xe9j\xe0", "content-length: 0\r\n"), false,
     Refusal::kNone, Framing::kLength, 0, true},
    {"status_of_four_digits", with_status("2000 OK", ""), false, Refusal::kStatusLine, {}, 0, 0},
    {"status_of_two_digits", with_status("20 OK now", ""), false, Refusal::kStatusLine, {}, 0, 0},
    {"status_below_100", with_status("099 Odd", ""), false, Refusal::kStatusLine, {}, 0, 0},
    {"not_http", "ICY 200 OK\r\n\r\n", false, Refusal::kStatusLine, {}, 0, 0},
    {"tls_alert", "\x15\x03\x01", false, Refusal::kStatusLine, {}, 0, 0},
    {"leading_crlf", "\r\nHTTP/1.1 200 OK\r\n\r\n", false, Refusal::kStatusLine, {}, 0, 0},
    {"http2", "HTTP/2.0 200 OK\r\n\r\n", false, Refusal::kVersionUnsupported, {}, 0, 0},
    {"http12", "HTTP/1.2 200 OK\r\n\r\n", false, Refusal::kVersionUnsupported, {}, 0, 0},
    {"control_in_reason", with_status("200 O\x01K", ""), false, Refusal::kStatusLine, {}, 0, 0},
    {"bare_lf", "HTTP/1.1 200 OK\ncontent-length: 0\n\n", false, Refusal::kBareLf, {}, 0, 0},
    {"bare_lf_in_field", ok("x-a: b\nx-b: c\r\n"), false, Refusal::kBareLf, {}, 0, 0},
    {"bare_cr", ok("x-a: b\rc\r\n"), false, Refusal::kBareCr, {}, 0, 0},
    {"folded", ok("x-a: b\r\n c\r\n"), false, Refusal::kLineFolding, {}, 0, 0},
    {"blank_before_colon", ok("content-length : 5\r\n"), false, Refusal::kFieldName, {}, 0, 0},
    {"nul", ok(std::string("x-a: b\0c\r\n", 10)), false, Refusal::kFieldValue, {}, 0, 0},
    {"two_lengths",
     ok("content-length: 5\r\ncontent-length: 5\r\n"),
     false,
     Refusal::kLengthTwice,
     {},
     0,
     0},
    {"length_and_encoding",
     ok("content-length: 5\r\ntransfer-encoding: chunked\r\n"),
     false,
     Refusal::kLengthAndEncoding,
     {},
     0,
     0},
    {"to_head_length_and_encoding",
     ok("content-length: 5\r\ntransfer-encoding: chunked\r\n"),
     true,
     Refusal::kLengthAndEncoding,
     {},
     0,
     0},
    {"negative_length", ok("content-length: -5\r\n"), false, Refusal::kLengthInvalid, {}, 0, 0},
    {"gzip", ok("transfer-encoding: gzip\r\n"), false, Refusal::kTransferEncoding, {}, 0, 0},
    {"gzip_chunked",
     ok("transfer-encoding: gzip, chunked\r\n"),
     false,
     Refusal::kTransferEncoding,
     {},
     0,
     0},
};

INSTANTIATE_TEST_SUITE_P(Table, Http1Responses, testing::ValuesIn(kCases),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(Http1Response, InterimHeadsComeBeforeTheAnswer) {
  std::string bytes =
      "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
  ResponseHead head;
  ResponseParser parser(head);
  ASSERT_EQ(parser.parse(bytes), Progress::kDone);
  EXPECT_TRUE(head.is_interim);
  const std::size_t first = parser.consumed();
  parser.reset(false);
  ASSERT_EQ(parser.parse({bytes.data() + first, bytes.size() - first}), Progress::kDone);
  EXPECT_FALSE(head.is_interim);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.reason, "OK");
  EXPECT_EQ(head.fields.count, 1U);
  EXPECT_EQ(bytes.substr(first + parser.consumed()), "ok");
}

TEST(Http1Response, SwitchingProtocolsIsNoInterimHead) {
  std::string bytes = with_status("101 Switching Protocols", "upgrade: websocket\r\n");
  ResponseHead head;
  ResponseParser parser(head);
  ASSERT_EQ(parser.parse(bytes), Progress::kDone);
  EXPECT_TRUE(head.is_upgrade);
  EXPECT_FALSE(head.is_interim);
}

TEST(Http1Response, LimitsEndAHead) {
  std::string large = ok("x-a: " + std::string(limits::kResponseHeadBytesMax, 'a') + "\r\n");
  ResponseHead head;
  ResponseParser parser(head);
  EXPECT_EQ(parser.parse(large), Progress::kRefused);
  EXPECT_EQ(parser.refusal(), Refusal::kHeadTooLarge);
  std::string lines;
  for (unsigned i = 0; i < limits::kResponseFieldsMax; ++i) lines += "x: y\r\n";
  std::string fits = ok(lines);
  parser.reset(false);
  EXPECT_EQ(parser.parse(fits), Progress::kDone);
  std::string many = ok(lines + "x: y\r\n");
  parser.reset(false);
  EXPECT_EQ(parser.parse(many), Progress::kRefused);
  EXPECT_EQ(parser.refusal(), Refusal::kTooManyFields);
}

}  // namespace
}  // namespace sluice::http
