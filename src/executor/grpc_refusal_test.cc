#include "executor/grpc_refusal.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace sluice::executor {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::string frame(unsigned type, unsigned flags, unsigned stream, std::string_view payload) {
  std::string out;
  for (const unsigned byte :
       {static_cast<unsigned>(payload.size() >> 16U), static_cast<unsigned>(payload.size() >> 8U),
        static_cast<unsigned>(payload.size()), type, flags, stream >> 24U, stream >> 16U,
        stream >> 8U, stream}) {
    out += static_cast<char>(byte);
  }
  return out.append(payload);
}

struct Frame {
  unsigned type;
  unsigned flags;
  unsigned stream;
  std::string payload;
};

std::vector<Frame> frames_of(std::string_view bytes) {
  std::vector<Frame> found;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  while (bytes.size() >= 9) {
    const std::size_t size = at(0) << 16U | at(1) << 8U | at(2);
    found.push_back({at(3), at(4), static_cast<unsigned>(at(7)) << 8U | at(8),
                     std::string(bytes.substr(9, size))});
    bytes.remove_prefix(9 + size);
  }
  EXPECT_TRUE(bytes.empty());
  return found;
}

// What a caller of two methods sends: settings, a head in two parts, data, a second head, a ping.
std::string conversation() {
  return std::string(kPreface) + frame(4, 0, 0, "") + frame(1, 0, 1, "abc") + frame(9, 4, 1, "de") +
         frame(0, 1, 1, "body") + frame(1, 5, 3, "xyz") + frame(6, 0, 0, "12345678");
}

TEST(GrpcRefusal, every_call_is_unimplemented_with_a_reason) {
  GrpcRefusal refusal;
  std::string out;
  ASSERT_TRUE(refusal.take(conversation(), out));
  const std::vector<Frame> frames = frames_of(out);
  ASSERT_EQ(frames.size(), 7U);
  EXPECT_EQ(frames[0].type, 4U);   // our settings
  EXPECT_EQ(frames[1].flags, 1U);  // theirs acknowledged
  for (const std::size_t i : {2U, 4U}) {
    EXPECT_EQ(frames[i].type, 1U);
    EXPECT_EQ(frames[i].flags, 5U);  // END_STREAM, END_HEADERS
    EXPECT_EQ(frames[i].stream, i == 2 ? 1U : 3U);
    EXPECT_NE(frames[i].payload.find("does not serve gRPC yet"), std::string::npos);
    EXPECT_EQ(frames[i + 1].type, 3U);  // RST_STREAM
  }
  EXPECT_EQ(frames[6].type, 6U);
  EXPECT_EQ(frames[6].flags, 1U);
  EXPECT_EQ(frames[6].payload, "12345678");
}

TEST(GrpcRefusal, cuts_change_nothing) {
  std::string whole;
  GrpcRefusal at_once;
  ASSERT_TRUE(at_once.take(conversation(), whole));
  const std::string bytes = conversation();
  for (std::size_t step = 1; step < 20; ++step) {
    GrpcRefusal refusal;
    std::string out;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      ASSERT_TRUE(refusal.take(std::string_view(bytes).substr(at, step), out));
    }
    EXPECT_EQ(out, whole);
  }
}

TEST(GrpcRefusal, what_is_no_http2_ends) {
  const std::string preface(kPreface);
  const std::string bad[] = {"GET / HTTP/1.1\r\n",
                             preface + frame(4, 0, 0, "") + frame(7, 0, 0, ""),
                             preface + frame(1, 0, 1, "a") + frame(0, 0, 1, ""),
                             preface + frame(9, 4, 1, "a"),
                             preface + frame(1, 4, 0, "a"),
                             preface + frame(6, 0, 0, "short"),
                             preface + frame(0, 0, 1, std::string(16'385, 'a'))};
  for (const std::string& bytes : bad) {
    GrpcRefusal refusal;
    std::string out;
    EXPECT_FALSE(refusal.take(bytes, out));
  }
}

// Any bytes: bounded output, no fault (for the sanitizers).
TEST(GrpcRefusal, noise_is_survived) {
  Random random(7);
  for (int round = 0; round < 2'000; ++round) {
    std::string bytes = conversation();
    for (unsigned i = random.below(6); i > 0; --i) {
      bytes[random.below(static_cast<std::uint32_t>(bytes.size()))] =
          static_cast<char>(random.below(256));
    }
    GrpcRefusal refusal;
    std::string out;
    refusal.take(bytes, out);
    EXPECT_LT(out.size(), 2'000U);
  }
}

}  // namespace
}  // namespace sluice::executor
