#include "http/write.h"

#include <gtest/gtest.h>

#include <string>

#include "http/head.h"

namespace sluice::http {
namespace {

TEST(Write, HeadsComeOutAsWritten) {
  char room[256];
  Writer writer(room, room + sizeof room);
  writer.request_line("GET", "/a?b");
  writer.field("host", "a.test");
  writer.field("content-length", std::uint64_t{18446744073709551615U});
  writer.end_of_head();
  EXPECT_EQ(writer.written(),
            "GET /a?b HTTP/1.1\r\nhost: a.test\r\ncontent-length: 18446744073709551615\r\n\r\n");
  Writer answer(room, room + sizeof room);
  answer.status_line(404);
  answer.status_line(200, "Fine");
  answer.status_line(299);
  EXPECT_EQ(answer.written(), "HTTP/1.1 404 Not Found\r\nHTTP/1.1 200 Fine\r\nHTTP/1.1 299 \r\n");
}

// No size of room is written beyond, and what fits exactly fits.
TEST(Write, OverflowIsRememberedAndNothingIsWrittenBeyond) {
  const std::string expected = "HTTP/1.1 503 Service Unavailable\r\nGET / HTTP/1.1\r\na: b\r\n\r\n";
  for (std::size_t size = 0; size <= expected.size(); ++size) {
    std::string room(size + 8, '#');
    Writer writer(room.data(), room.data() + size);
    writer.status_line(503);
    writer.request_line("GET", "/");
    writer.field("a", "b");
    writer.end_of_head();
    EXPECT_EQ(writer.overflowed(), size < expected.size());
    EXPECT_EQ(room.substr(size), "########");
    if (size == expected.size()) {
      EXPECT_EQ(writer.written(), expected);
    }
  }
}

TEST(Write, ChunkHeadsAreHexadecimal) {
  const auto chunk_head = [](std::uint64_t size) {
    char room[kChunkHeadBytesMax];
    return std::string(room, write_chunk_head(room, size));
  };
  EXPECT_EQ(chunk_head(0), "0\r\n");
  EXPECT_EQ(chunk_head(9), "9\r\n");
  EXPECT_EQ(chunk_head(16), "10\r\n");
  EXPECT_EQ(chunk_head(255), "ff\r\n");
  EXPECT_EQ(chunk_head(0x1f400), "1f400\r\n");
  EXPECT_EQ(chunk_head(~0ULL), "ffffffffffffffff\r\n");
}

TEST(Write, DatesAreThoseOfTheCalendar) {
  DateCache dates;
  EXPECT_EQ(dates.at(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110's own example
  EXPECT_EQ(dates.at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(dates.at(951'782'400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(dates.at(4'107'542'399), "Sun, 28 Feb 2100 23:59:59 GMT");
  EXPECT_EQ(dates.at(4'107'542'400), "Mon, 01 Mar 2100 00:00:00 GMT");
  EXPECT_EQ(dates.at(1'767'225'599), "Wed, 31 Dec 2025 23:59:59 GMT");
}

TEST(Head, TextOfRulesIsJudgedAsTheParserJudges) {
  EXPECT_TRUE(is_field_name("x-a_b!"));
  EXPECT_FALSE(is_field_name(""));
  EXPECT_FALSE(is_field_name("x a"));
  EXPECT_FALSE(is_field_name("x:"));
  EXPECT_TRUE(is_field_value(""));
  EXPECT_TRUE(is_field_value("a\tb caf\xe9"));
  EXPECT_FALSE(is_field_value("a\r\nb: c"));
  EXPECT_FALSE(is_field_value(std::string_view("\0", 1)));
  EXPECT_TRUE(is_target("/a?b"));
  EXPECT_FALSE(is_target("/a b"));
  EXPECT_FALSE(is_target(""));
}

}  // namespace
}  // namespace sluice::http
