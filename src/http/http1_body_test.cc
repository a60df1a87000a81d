#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "http/http1.h"

namespace sluice::http {
namespace {

struct Decoded {
  std::string data;
  std::size_t consumed = 0;
  Progress progress = Progress::kMore;
  Refusal refusal = Refusal::kNone;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view bytes, Framing framing, std::uint64_t length, std::size_t step) {
  BodyDecoder decoder;
  decoder.start(framing, length);
  Decoded result;
  std::size_t end = 0;
  if (decoder.is_done()) result.progress = Progress::kDone;
  while (result.progress == Progress::kMore) {
    if (result.consumed == end) {
      if (end == bytes.size()) break;
      end = std::min(bytes.size(), end + step);
    }
    const BodyDecoder::Piece piece =
        decoder.next(bytes.substr(result.consumed, end - result.consumed));
    EXPECT_TRUE(piece.consumed != 0 || piece.progress != Progress::kMore);
    if (!piece.data.empty()) {  // a view into the input, at the end of what was consumed
      EXPECT_EQ(piece.data.data() + piece.data.size(),
                bytes.data() + result.consumed + piece.consumed);
    }
    result.data += piece.data;
    result.consumed += piece.consumed;
    result.progress = piece.progress;
  }
  result.refusal = decoder.refusal();
  return result;
}

struct ChunkedCase {
  const char* name;
  std::string bytes;
  Progress progress;
  Refusal refusal;
  std::string data;
  std::string rest;  // not consumed, when done
};

class Chunked : public testing::TestWithParam<ChunkedCase> {};

TEST_P(Chunked, IsReadOrRefusedHoweverCut) {
  const ChunkedCase& c = GetParam();
  for (std::size_t step = 1; step <= c.bytes.size(); ++step) {
    const Decoded found = decode(c.bytes, Framing::kChunked, 0, step);
    ASSERT_EQ(to_string(found.refusal), to_string(c.refusal)) << "step " << step;
    ASSERT_EQ(found.progress, c.progress);
    ASSERT_EQ(found.data, c.data);
    if (c.progress == Progress::kDone) {
      ASSERT_EQ(c.bytes.substr(found.consumed), c.rest);
    }
  }
}

constexpr Progress kMore = Progress::kMore;
constexpr Progress kDone = Progress::kDone;
constexpr Progress kRefused = Progress::kRefused;

const std::vector<ChunkedCase> kCases = {
    {"plain", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", kDone, Refusal::kNone, "hello world", ""},
    {"next_request_is_left", "1\r\na\r\n0\r\n\r\nGET /", kDone, Refusal::kNone, "a", "GET /"},
    {"upper_and_lower_hex", "A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n", kDone,
     Refusal::kNone, "01234567890123456789a", ""},
    {"leading_zeros", "0000000000000001\r\na\r\n000\r\n\r\n", kDone, Refusal::kNone, "a", ""},
    {"extension_is_dropped", "1;a=\"b;c\"\r\na\r\n0;x\r\n\r\n", kDone, Refusal::kNone, "a", ""},
    {"trailers_are_dropped", "1\r\na\r\n0\r\nx-a: b\r\nContent-Length: 5\r\n\r\nrest", kDone,
     Refusal::kNone, "a", "rest"},
    {"incomplete", "5\r\nhel", kMore, Refusal::kNone, "hel", ""},
    {"end_missing", "1\r\na\r\n0\r\n", kMore, Refusal::kNone, "a", ""},
    {"seventeen_digits", "00000000000000001\r\na\r\n0\r\n\r\n", kRefused, Refusal::kChunkSize, "",
     ""},
    {"largest", "7fffffffffffffff\r\nabc", kMore, Refusal::kNone, "abc", ""},
    {"too_large", "8000000000000000\r\nabc", kRefused, Refusal::kChunkSize, "", ""},
    {"no_digits", "\r\na\r\n", kRefused, Refusal::kChunkSize, "", ""},
    {"only_extension", ";a\r\na\r\n", kRefused, Refusal::kChunkSize, "", ""},
    {"not_hex", "zz\r\nabc\r\n", kRefused, Refusal::kChunkSize, "", ""},
    {"prefix_0x", "0x1\r\na\r\n0\r\n\r\n", kRefused, Refusal::kChunkSize, "", ""},
    {"minus", "-1\r\na\r\n", kRefused, Refusal::kChunkSize, "", ""},
    {"plus", "+1\r\na\r\n", kRefused, Refusal::kChunkSize, "", ""},
    {"underscore", "1_0\r\na\r\n", kRefused, Refusal::kChunkSize, "", ""},
    {"blank_before", " 1\r\na\r\n", kRefused, Refusal::kChunkSize, "", ""},
    {"blank_behind", "1 \r\na\r\n", kRefused, Refusal::kChunkSize, "", ""},
    {"tab_behind", "1\t\r\na\r\n", kRefused, Refusal::kChunkSize, "", ""},
    {"bare_lf_behind_size", "1\na\r\n0\r\n\r\n", kRefused, Refusal::kChunkSize, "", ""},
    {"bare_cr_behind_size", "1\ra\r\n0\r\n\r\n", kRefused, Refusal::kBareCr, "", ""},
    {"bare_lf_in_extension", "1;a\nb\r\na\r\n0\r\n\r\n", kRefused, Refusal::kChunkExtension, "",
     ""},
    {"nul_in_extension", std::string("1;a\0\r\na\r\n", 9), kRefused, Refusal::kChunkExtension, "",
     ""},
    {"bare_lf_behind_data", "1\r\na\n0\r\n\r\n", kRefused, Refusal::kChunkEnd, "a", ""},
    {"data_too_long", "1\r\nab\r\n0\r\n\r\n", kRefused, Refusal::kChunkEnd, "a", ""},
    {"cr_behind_data_only", "1\r\na\rx0\r\n\r\n", kRefused, Refusal::kChunkEnd, "a", ""},
    {"bare_lf_at_end", "0\r\n\n", kRefused, Refusal::kTrailer, "", ""},
    {"bare_cr_at_end", "0\r\n\rx", kRefused, Refusal::kBareCr, "", ""},
    {"folded_trailer", "0\r\na: b\r\n c\r\n\r\n", kRefused, Refusal::kTrailer, "", ""},
    {"blank_in_trailer_name", "0\r\nx a: b\r\n\r\n", kRefused, Refusal::kTrailer, "", ""},
    {"trailer_without_colon", "0\r\nxa\r\n\r\n", kRefused, Refusal::kTrailer, "", ""},
    {"trailer_without_name", "0\r\n: a\r\n\r\n", kRefused, Refusal::kTrailer, "", ""},
    {"bare_lf_in_trailer", "0\r\na: b\nc: d\r\n\r\n", kRefused, Refusal::kTrailer, "", ""},
};

INSTANTIATE_TEST_SUITE_P(Table, Chunked, testing::ValuesIn(kCases),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(BodyDecoder, LengthEndsWhereItEnds) {
  for (const std::size_t step : {1U, 2U, 5U, 100U}) {
    const Decoded found = decode("hello, next", Framing::kLength, 5, step);
    EXPECT_EQ(found.data, "hello");
    EXPECT_EQ(found.consumed, 5U);
    EXPECT_EQ(found.progress, Progress::kDone);
  }
  EXPECT_EQ(decode("next", Framing::kLength, 0, 9).progress, Progress::kDone);
  EXPECT_EQ(decode("next", Framing::kNone, 0, 9).consumed, 0U);
  EXPECT_EQ(decode("hel", Framing::kLength, 5, 9).progress, Progress::kMore);
}

TEST(BodyDecoder, UntilCloseTakesAll) {
  const Decoded found = decode("anything\r\n0\r\n\r\n", Framing::kUntilClose, 0, 3);
  EXPECT_EQ(found.data, "anything\r\n0\r\n\r\n");
  EXPECT_EQ(found.progress, Progress::kMore);
}

// Extensions and trailers are dropped, but not without end.
TEST(BodyDecoder, WhatIsDroppedIsBounded) {
  const std::string half(limits::kChunkExtensionBytesMax / 2, 'a');
  const std::string fits = "1;" + half + "\r\na\r\n0\r\nx: " + half.substr(10) + "\r\n\r\n";
  EXPECT_EQ(decode(fits, Framing::kChunked, 0, 1000).progress, Progress::kDone);
  const std::string twice = "1;" + half + "\r\na\r\n1;" + half + "a\r\nb\r\n0\r\n\r\n";
  EXPECT_EQ(decode(twice, Framing::kChunked, 0, 1000).refusal, Refusal::kChunkExtension);
  const std::string trailers = "0\r\nx: " + half + "\r\ny: " + half + "\r\n\r\n";
  EXPECT_EQ(decode(trailers, Framing::kChunked, 0, 1000).refusal, Refusal::kTrailer);
}

}  // namespace
}  // namespace sluice::http
