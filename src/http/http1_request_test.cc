#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "http/authority.h"
#include "http/http1.h"

namespace sluice::http {
namespace {

// What a parse came to, as text, so that two parses can be compared whole.
std::string outcome(RequestParser& parser, const RequestHead& head, Progress progress) {
  if (progress == Progress::kMore) return "more";
  if (progress == Progress::kRefused) return "refused: " + std::string(to_string(parser.refusal()));
  std::string text = std::string(head.method) + "|" + std::string(head.target) + "|" +
                     std::string(head.authority) + "|" + std::string(head.path) + "|" +
                     std::to_string(static_cast<int>(head.framing)) + "|" +
                     std::to_string(head.content_length) + "|" + std::to_string(parser.consumed()) +
                     (head.keep_alive ? "|keep" : "|close");
  for (unsigned i = 0; i < head.fields.count; ++i) {
    const Field& field = head.fields.at[i];
    text += "\n" + std::string(field.name) + "=" + std::string(field.value);
    EXPECT_EQ(head.fields.known[i], find_known(field.name));
  }
  return text;
}

std::string parse_whole(std::string bytes) {
  RequestHead head;
  RequestParser parser(head);
  return outcome(parser, head, parser.parse(bytes));
}

// In two pieces, the buffer moving in between.
std::string parse_in_two(const std::string& bytes, std::size_t cut) {
  RequestHead head;
  RequestParser parser(head);
  std::string first = bytes.substr(0, cut);
  Progress progress = parser.parse(first);
  std::string second = first + bytes.substr(cut);
  if (progress == Progress::kMore) {
    first.assign(first.size(), 'X');
    progress = parser.parse(second);
  }
  return outcome(parser, head, progress);
}

std::string parse_bytewise(std::string bytes) {
  RequestHead head;
  RequestParser parser(head);
  Progress progress = Progress::kMore;
  for (std::size_t size = 0; size <= bytes.size() && progress == Progress::kMore; ++size) {
    progress = parser.parse({bytes.data(), size});
  }
  return outcome(parser, head, progress);
}

// Every cut gives what the whole gives.
void expect_same_however_cut(const std::string& bytes) {
  const std::string whole = parse_whole(bytes);
  EXPECT_EQ(parse_bytewise(bytes), whole);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    ASSERT_EQ(parse_in_two(bytes, cut), whole) << "cut at " << cut << " of " << bytes;
  }
}

TEST(Http1Request, ReadsATypicalHead) {
  std::string bytes =
      "POST /seldon/ns/iris/api/v1.0/predictions?x=1 HTTP/1.1\r\n"
      "Host: Models.Example.com:8080\r\n"
      "User-Agent: curl/7.88.1\r\n"
      "Content-Type:application/json\r\n"
      "X_Custom-Field-With-A-Long-Name: \t caf\xe9 \t \r\n"
      "X-Empty:\r\n"
      "Content-Length: 17\r\n"
      "Expect: 100-Continue\r\n"
      "\r\n{}";
  RequestHead head;
  RequestParser parser(head);
  ASSERT_EQ(parser.parse(bytes), Progress::kDone) << to_string(parser.refusal());
  EXPECT_EQ(parser.consumed(), bytes.size() - 2);
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.method_id, Method::kPost);
  EXPECT_EQ(head.path, "/seldon/ns/iris/api/v1.0/predictions?x=1");
  EXPECT_EQ(head.authority, "Models.Example.com:8080");
  EXPECT_EQ(head.framing, Framing::kLength);
  EXPECT_EQ(head.content_length, 17U);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_TRUE(head.expect_continue);
  EXPECT_FALSE(head.is_grpc);
  ASSERT_EQ(head.fields.count, 7U);
  EXPECT_EQ(head.fields.at[3].name, "x_custom-field-with-a-long-name");
  EXPECT_EQ(head.fields.at[3].value, "caf\xe9");
  EXPECT_EQ(head.fields.at[4].value, "");
  EXPECT_EQ(head.fields.value(Known::kUserAgent), "curl/7.88.1");
  EXPECT_EQ(head.fields.known[2], Known::kContentType);
  EXPECT_FALSE(head.fields.has(Known::kCookie));
}

struct RefusalCase {
  const char* name;
  std::string bytes;
  Refusal refusal;
  int status;
};

std::string with(const std::string& lines) {
  return "POST / HTTP/1.1\r\nhost: a.test\r\n" + lines + "\r\n";
}
std::string line(const std::string& request_line) {
  return request_line + "\r\nhost: a.test\r\n\r\n";
}

class Http1Refusals : public testing::TestWithParam<RefusalCase> {};

TEST_P(Http1Refusals, AreExactHoweverCut) {
  const RefusalCase& c = GetParam();
  RequestHead head;
  RequestParser parser(head);
  std::string bytes = c.bytes;
  EXPECT_EQ(parser.parse(bytes),
            c.refusal == Refusal::kNone ? Progress::kDone : Progress::kRefused);
  EXPECT_EQ(to_string(parser.refusal()), to_string(c.refusal));
  if (c.refusal != Refusal::kNone) {
    EXPECT_EQ(status_of(parser.refusal()), c.status);
    EXPECT_EQ(parser.parse(bytes), Progress::kRefused);  // and so it stays
  }
  expect_same_however_cut(c.bytes);
}

const std::vector<RefusalCase> kRefusals = {
    // request line
    {"custom_method", line("BREW-1 / HTTP/1.1"), Refusal::kNone, 0},
    {"lower_case_custom_method", line("brew / HTTP/1.1"), Refusal::kNone, 0},
    {"lower_case_known_method", line("post / HTTP/1.1"), Refusal::kMethod, 400},
    {"mixed_case_known_method", line("Get / HTTP/1.1"), Refusal::kMethod, 400},
    {"no_method", line(" / HTTP/1.1"), Refusal::kMethod, 400},
    {"bad_method_byte", line("GE(T / HTTP/1.1"), Refusal::kMethod, 400},
    {"tab_behind_method", line("GET\t/ HTTP/1.1"), Refusal::kMethod, 400},
    {"two_blanks", line("GET  / HTTP/1.1"), Refusal::kTarget, 400},
    {"no_slash", line("GET ?x HTTP/1.1"), Refusal::kTarget, 400},
    {"no_scheme", line("GET a.test/ HTTP/1.1"), Refusal::kTarget, 400},
    {"other_scheme", line("GET ftp://a.test/ HTTP/1.1"), Refusal::kTarget, 400},
    {"high_byte_in_target", line("GET /caf\xe9 HTTP/1.1"), Refusal::kTarget, 400},
    {"nul_in_target", line(std::string("GET /a\0b HTTP/1.1", 18)), Refusal::kTarget, 400},
    {"tab_in_target", line("GET /a\tb HTTP/1.1"), Refusal::kTarget, 400},
    {"del_in_target", line("GET /a\x7f HTTP/1.1"), Refusal::kTarget, 400},
    {"star_for_get", line("GET * HTTP/1.1"), Refusal::kTarget, 400},
    {"star_for_options", line("OPTIONS * HTTP/1.1"), Refusal::kNone, 0},
    {"absolute", line("GET http://u:p@b.test:81/x?y HTTP/1.1"), Refusal::kNone, 0},
    {"absolute_without_host", line("GET http:///x HTTP/1.1"), Refusal::kTarget, 400},
    {"absolute_with_bad_host", line("GET http://a<b/x HTTP/1.1"), Refusal::kTarget, 400},
    {"absolute_without_path", line("GET http://b.test HTTP/1.1"), Refusal::kNone, 0},
    {"absolute_query_without_path", line("GET http://b.test?x HTTP/1.1"), Refusal::kTarget, 400},
    {"connect", line("CONNECT a.test:443 HTTP/1.1"), Refusal::kNone, 0},
    {"connect_without_port", line("CONNECT a.test HTTP/1.1"), Refusal::kTarget, 400},
    {"http10", line("GET / HTTP/1.0"), Refusal::kVersionUnsupported, 426},
    {"http12", line("GET / HTTP/1.2"), Refusal::kVersionUnsupported, 426},
    {"http30", line("GET / HTTP/3.0"), Refusal::kVersionUnsupported, 426},
    {"http09", "GET /\r\n", Refusal::kVersionUnsupported, 426},
    {"preface_of_http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refusal::kVersionUnsupported, 426},
    {"lower_case_version", line("GET / http/1.1"), Refusal::kVersion, 400},
    {"long_version", line("GET / HTTP/1.10"), Refusal::kVersion, 400},
    {"version_with_blank", line("GET / HTTP/1.1 "), Refusal::kVersion, 400},
    {"words_behind_version", line("GET / HTTP/1.1 x"), Refusal::kVersion, 400},
    {"blank_in_target", line("GET /a b HTTP/1.1"), Refusal::kVersion, 400},
    {"bare_lf_in_request_line", "GET / HTTP/1.1\nhost: a.test\r\n\r\n", Refusal::kBareLf, 400},
    {"bare_cr_in_request_line", "GET / HTTP/1.1\rhost: a.test\r\n\r\n", Refusal::kBareCr, 400},
    {"leading_crlf", "\r\n\r\n" + line("GET / HTTP/1.1"), Refusal::kNone, 0},
    {"leading_lf", "\n" + line("GET / HTTP/1.1"), Refusal::kBareLf, 400},
    {"many_leading_crlf", "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n" + line("GET / HTTP/1.1"),
     Refusal::kMethod, 400},
    // field lines
    {"folded", with("x-a: b\r\n c\r\n"), Refusal::kLineFolding, 400},
    {"folded_by_tab", with("x-a: b\r\n\tc\r\n"), Refusal::kLineFolding, 400},
    {"blank_before_first_field", "GET / HTTP/1.1\r\n host: a.test\r\n\r\n", Refusal::kLineFolding,
     400},
    {"blank_before_colon", with("x-a : b\r\n"), Refusal::kFieldName, 400},
    {"empty_name", with(": b\r\n"), Refusal::kFieldName, 400},
    {"colon_name", with(":x: b\r\n"), Refusal::kFieldName, 400},
    {"no_colon", with("x-a\r\n"), Refusal::kFieldName, 400},
    {"control_in_name",
     with("x\x01"
          "a: b\r\n"),
     Refusal::kFieldName, 400},
    {"high_byte_in_name", with("x\xe9: b\r\n"), Refusal::kFieldName, 400},
    {"slash_in_long_name", with("a-very-long-name-with-a/slash: b\r\n"), Refusal::kFieldName, 400},
    {"underscore", with("x_a: 1\r\n"), Refusal::kNone, 0},
    {"high_byte_in_value", with("x-a: caf\xc3\xa9\r\n"), Refusal::kNone, 0},
    {"tab_in_value", with("x-a: a\tb\r\n"), Refusal::kNone, 0},
    {"nul_in_value", with(std::string("x-a: b\0c\r\n", 10)), Refusal::kFieldValue, 400},
    {"escape_in_value", with("x-a: b\x1b[0m, and quite a lot behind it\r\n"), Refusal::kFieldValue,
     400},
    {"del_in_value", with("x-a: b\x7f\r\n"), Refusal::kFieldValue, 400},
    {"bare_lf", with("x-a: b\nx-b: c\r\n"), Refusal::kBareLf, 400},
    {"bare_cr", with("x-a: b\rx-b: c\r\n"), Refusal::kBareCr, 400},
    {"cr_cr_lf", with("x-a: b\r\r\n"), Refusal::kBareCr, 400},
    {"lf_as_last_line", "GET / HTTP/1.1\r\nhost: a.test\r\n\n", Refusal::kBareLf, 400},
    {"cr_as_last_line", "GET / HTTP/1.1\r\nhost: a.test\r\n\rx", Refusal::kBareCr, 400},
    // host
    {"no_host", "GET / HTTP/1.1\r\nx-a: b\r\n\r\n", Refusal::kHostMissing, 400},
    {"absolute_and_no_host", "GET http://a.test/ HTTP/1.1\r\n\r\n", Refusal::kHostMissing, 400},
    {"empty_host", "GET / HTTP/1.1\r\nhost:\r\n\r\n", Refusal::kNone, 0},
    {"two_hosts", with("Host: b.test\r\n"), Refusal::kHostTwice, 400},
    {"same_host_twice", with("Host: a.test\r\n"), Refusal::kHostTwice, 400},
    {"blank_in_host", "GET / HTTP/1.1\r\nhost: a b\r\n\r\n", Refusal::kHostInvalid, 400},
    {"user_in_host", "GET / HTTP/1.1\r\nhost: u@a.test\r\n\r\n", Refusal::kHostInvalid, 400},
    {"two_ports", "GET / HTTP/1.1\r\nhost: a.test:1:2\r\n\r\n", Refusal::kHostInvalid, 400},
    {"slash_in_host", "GET / HTTP/1.1\r\nhost: a.test/b\r\n\r\n", Refusal::kHostInvalid, 400},
    {"ipv6_host", "GET / HTTP/1.1\r\nhost: [::1]:80\r\n\r\n", Refusal::kNone, 0},
    {"open_bracket", "GET / HTTP/1.1\r\nhost: [::1\r\n\r\n", Refusal::kHostInvalid, 400},
    // framing
    {"length_and_encoding", with("content-length: 4\r\ntransfer-encoding: chunked\r\n"),
     Refusal::kLengthAndEncoding, 400},
    {"encoding_and_length", with("transfer-encoding: chunked\r\ncontent-length: 4\r\n"),
     Refusal::kLengthAndEncoding, 400},
    {"two_lengths", with("content-length: 1\r\ncontent-length: 2\r\n"), Refusal::kLengthTwice, 400},
    {"same_length_twice", with("content-length: 1\r\nContent-Length: 1\r\n"), Refusal::kLengthTwice,
     400},
    {"length_list", with("content-length: 1,1\r\n"), Refusal::kLengthInvalid, 400},
    {"plus_length", with("content-length: +1\r\n"), Refusal::kLengthInvalid, 400},
    {"minus_length", with("content-length: -1\r\n"), Refusal::kLengthInvalid, 400},
    {"hex_length", with("content-length: 0x1\r\n"), Refusal::kLengthInvalid, 400},
    {"empty_length", with("content-length:\r\n"), Refusal::kLengthInvalid, 400},
    {"blank_in_length", with("content-length: 1 1\r\n"), Refusal::kLengthInvalid, 400},
    {"largest_length", with("content-length: 9223372036854775807\r\n"), Refusal::kNone, 0},
    {"length_overflow", with("content-length: 9223372036854775808\r\n"), Refusal::kLengthInvalid,
     400},
    {"length_wraps", with("content-length: 18446744073709551617\r\n"), Refusal::kLengthInvalid,
     400},
    {"chunked", with("transfer-encoding: Chunked\r\n"), Refusal::kNone, 0},
    {"gzip", with("transfer-encoding: gzip\r\n"), Refusal::kTransferEncoding, 501},
    {"gzip_chunked", with("transfer-encoding: gzip, chunked\r\n"), Refusal::kTransferEncoding, 501},
    {"identity", with("transfer-encoding: identity\r\n"), Refusal::kTransferEncoding, 501},
    {"chunked_twice", with("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n"),
     Refusal::kTransferEncoding, 501},
    {"chunked_with_parameter", with("transfer-encoding: chunked;q=1\r\n"),
     Refusal::kTransferEncoding, 501},
    {"quoted_chunked", with("transfer-encoding: \"chunked\"\r\n"), Refusal::kTransferEncoding, 501},
    {"chunked_with_vertical_tab",
     with("transfer-encoding: \x0b"
          "chunked\r\n"),
     Refusal::kFieldValue, 400},
};

INSTANTIATE_TEST_SUITE_P(Table, Http1Refusals, testing::ValuesIn(kRefusals),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(Http1Request, AnyCutGivesTheSame) {
  expect_same_however_cut(
      "\r\nPOST http://user@b.test:81/x?y HTTP/1.1\r\nHost: a.test\r\n"
      "Connection: close, Te, x-a\r\nTE: Trailers\r\nX-A:    \r\nContent-Length:  12 "
      "\r\n\r\nhello");
}

TEST(Http1Request, LimitsEndAHead) {
  const std::string start = "GET / HTTP/1.1\r\nhost: a.test\r\n";
  // Exactly at the limit of bytes, and one beyond.
  const std::string fits =
      start + "x-a: " + std::string(limits::kRequestHeadBytesMax - start.size() - 9, 'a') +
      "\r\n\r\n";
  ASSERT_EQ(fits.size(), limits::kRequestHeadBytesMax);
  EXPECT_NE(parse_whole(fits).find("|keep"), std::string::npos);
  EXPECT_EQ(parse_whole(fits + "next"), parse_whole(fits));
  std::string large = fits;
  large.insert(start.size() + 5, "a");
  EXPECT_EQ(parse_whole(large), "refused: head too large");
  EXPECT_EQ(parse_in_two(large, limits::kRequestHeadBytesMax), "refused: head too large");
  EXPECT_EQ(parse_whole(large.substr(0, limits::kRequestHeadBytesMax)), "more");
  EXPECT_EQ(parse_whole(std::string(100'000, 'a')), "refused: head too large");
  // Fields.
  std::string many = start;
  for (unsigned i = 1; i < limits::kRequestFieldsMax; ++i) many += "x: y\r\n";
  EXPECT_NE(parse_whole(many + "\r\n").find("|keep"), std::string::npos);
  EXPECT_EQ(parse_whole(many + "x: y\r\n\r\n"), "refused: too many fields");
}

TEST(Http1Request, PipelinedRequestsAreReadOneByOne) {
  const std::string one = "GET /1 HTTP/1.1\r\nhost: a.test\r\n\r\n";
  const std::string two = "GET /2 HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n";
  std::string bytes = one + two;
  RequestHead head;
  RequestParser parser(head);
  ASSERT_EQ(parser.parse(bytes), Progress::kDone);
  EXPECT_EQ(head.path, "/1");
  EXPECT_EQ(parser.consumed(), one.size());
  parser.reset();
  EXPECT_FALSE(parser.has_begun());
  ASSERT_EQ(parser.parse({bytes.data() + one.size(), two.size()}), Progress::kDone);
  EXPECT_EQ(head.path, "/2");
  EXPECT_FALSE(head.keep_alive);
  EXPECT_EQ(head.fields.count, 2U);
}

TEST(Http1Request, FactsAreFoundInOnePass) {
  const auto facts = [](const std::string& lines, auto check) {
    std::string bytes = with(lines);
    RequestHead head;
    RequestParser parser(head);
    ASSERT_EQ(parser.parse(bytes), Progress::kDone) << lines;
    check(head);
  };
  facts("connection: Upgrade\r\nupgrade: WebSocket\r\n", [](const RequestHead& head) {
    EXPECT_TRUE(head.wants_upgrade && head.is_websocket && head.keep_alive);
    EXPECT_FALSE(head.connection_names);
  });
  facts("upgrade: websocket\r\n",
        [](const RequestHead& head) { EXPECT_FALSE(head.wants_upgrade || head.is_websocket); });
  facts("connection: upgrade\r\nupgrade: h2c\r\n", [](const RequestHead& head) {
    EXPECT_TRUE(head.wants_upgrade);
    EXPECT_FALSE(head.is_websocket);
  });
  facts("connection: a, ,\tCLOSE ,\r\n", [](const RequestHead& head) {
    EXPECT_FALSE(head.keep_alive);
    EXPECT_TRUE(head.connection_names);
  });
  facts("connection: keep-alive\r\nx: y\r\nconnection: close\r\n",
        [](const RequestHead& head) { EXPECT_FALSE(head.keep_alive); });
  facts("te: gzip, trailers\r\n", [](const RequestHead& head) { EXPECT_TRUE(head.te_trailers); });
  facts("te: trailersx\r\n", [](const RequestHead& head) { EXPECT_FALSE(head.te_trailers); });
  facts("content-type: application/grpc\r\n",
        [](const RequestHead& head) { EXPECT_TRUE(head.is_grpc); });
  facts("content-type: application/grpc+proto\r\n",
        [](const RequestHead& head) { EXPECT_TRUE(head.is_grpc); });
  facts("content-type: application/grpc-web\r\n",
        [](const RequestHead& head) { EXPECT_FALSE(head.is_grpc); });
}

struct AbsoluteCase {
  const char* request_line;
  const char* authority;
  const char* path;
};

// Recorded of Envoy: what stands behind the colon is no business of routing.
TEST(Authority, APortThatIsNoNumberCountsAsNone) {
  for (const char* text : {"a.test:abc", "a.test:", "a.test:0", "a.test:99999"}) {
    Authority parts;
    EXPECT_TRUE(split_authority(text, parts)) << text;
    EXPECT_EQ(parts.host, "a.test");
    EXPECT_EQ(parts.port, 0);
  }
}

TEST(Http1Request, AbsoluteTargetsBringTheirAuthority) {
  for (const AbsoluteCase& c : {
           AbsoluteCase{"GET HTTPS://u:p@w@B.test:81/?x=/y HTTP/1.1", "B.test:81", "/?x=/y"},
           AbsoluteCase{"GET http://b.test HTTP/1.1", "b.test", "/"},
           AbsoluteCase{"GET http://b.test#x HTTP/1.1", "b.test", "/"},
           AbsoluteCase{"GET http://b.test//x HTTP/1.1", "b.test", "//x"},
           AbsoluteCase{"OPTIONS http://b.test HTTP/1.1", "b.test", "*"},
           AbsoluteCase{"OPTIONS http://b.test/ HTTP/1.1", "b.test", "/"},
       }) {
    std::string bytes = line(c.request_line);
    RequestHead head;
    RequestParser parser(head);
    ASSERT_EQ(parser.parse(bytes), Progress::kDone) << c.request_line;
    EXPECT_EQ(head.form == TargetForm::kAsterisk, head.path == "*");
    EXPECT_EQ(head.authority, c.authority);
    EXPECT_EQ(head.path, c.path);
    EXPECT_EQ(head.target_is_https, bytes.starts_with("GET HTTPS"));
  }
}

TEST(Known, EveryNameIsFoundAndNoOther) {
  for (unsigned i = 1; i < kKnownCount; ++i) {
    const auto known = static_cast<Known>(i);
    const std::string name(name_of(known));
    EXPECT_EQ(find_known(name), known);
    EXPECT_EQ(find_known(name + "x"), Known::kOther);
    EXPECT_EQ(find_known(name.substr(1)), Known::kOther);
    for (std::size_t at = 0; at < name.size(); ++at) {
      std::string other = name;
      other[at] = '!';
      EXPECT_EQ(find_known(other), Known::kOther);
    }
  }
  EXPECT_EQ(find_known(""), Known::kOther);
}

}  // namespace
}  // namespace sluice::http
