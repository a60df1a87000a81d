// Differential test: the corpora of the fuzz targets and thousands of mutations of them, against
// the laws of peer_test.h. The seed is fixed: a failure comes back.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/random.h"
#include "http/peer_test.h"

namespace sluice::http {
namespace {

std::vector<std::string> corpus(const std::string& target) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(SLUICE_SOURCE_DIR) +
                                                               "/fuzz/corpus/" + target)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> inputs;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

// Pieces that parsers are known to disagree about.
constexpr std::string_view kPieces[] = {"\r\n",
                                        "\n",
                                        "\r",
                                        "\r\n\r\n",
                                        " ",
                                        "\t",
                                        ":",
                                        ";",
                                        ",",
                                        std::string_view("\0", 1),
                                        "\x0b",
                                        "\x7f",
                                        "\xff",
                                        "0",
                                        "00",
                                        "0x",
                                        "+",
                                        "-",
                                        "chunked",
                                        "content-length: 3\r\n",
                                        "Transfer-Encoding: chunked\r\n",
                                        "transfer-encoding: identity\r\n",
                                        "connection: close\r\n",
                                        "host: b\r\n",
                                        "x: y\r\n",
                                        "HTTP/1.0",
                                        "HTTP/1.1",
                                        "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
                                        "3\r\nabc\r\n",
                                        "0\r\n\r\n",
                                        "keep-alive",
                                        "Upgrade",
                                        "100-continue",
                                        "%00",
                                        "//",
                                        "?",
                                        "#"};

std::string mutated(std::string bytes, Random& random) {
  for (unsigned i = 1 + random.below(3); i > 0; --i) {
    const std::size_t at = random.below(static_cast<std::uint32_t>(bytes.size() + 1));
    const std::string_view piece = kPieces[random.below(std::size(kPieces))];
    switch (random.below(5)) {
      case 0:
        bytes.insert(at, piece);
        break;
      case 1:
        if (at < bytes.size()) bytes.erase(at, 1 + random.below(4));
        break;
      case 2:
        if (at < bytes.size()) bytes[at] = static_cast<char>(random.below(256));
        break;
      case 3:
        if (at < bytes.size()) bytes.replace(at, std::min(piece.size(), bytes.size() - at), piece);
        break;
      default:  // a line once more
        if (const std::size_t begin = bytes.rfind('\n', at); begin != std::string::npos) {
          const std::size_t end = bytes.find('\n', begin + 1);
          if (end != std::string::npos) {
            const std::string line = bytes.substr(begin + 1, end - begin);
            bytes.insert(begin + 1, line);
          }
        }
    }
  }
  return bytes;
}

TEST(Http1Peer, RequestsAreReadAsThePeerReadsThem) {
  const std::vector<std::string> inputs = corpus("http1_request");
  ASSERT_FALSE(inputs.empty());
  Random random(20260101);
  unsigned accepted = 0;
  for (const std::string& input : inputs) {
    ASSERT_EQ(peer::request_laws(input), "");
    for (unsigned i = 0; i < 1000; ++i) {
      const std::string bytes = mutated(input, random);
      ASSERT_EQ(peer::request_laws(bytes), "") << testing::PrintToString(bytes);
      accepted += peer::read_request(bytes, 0).verdict == "done" ? 1U : 0U;
    }
  }
  EXPECT_GT(accepted, inputs.size() * 100);  // else the comparison compared little
}

TEST(Http1Peer, ResponsesAreReadAsThePeerReadsThem) {
  const std::vector<std::string> inputs = corpus("http1_response");
  ASSERT_FALSE(inputs.empty());
  Random random(20260102);
  unsigned accepted = 0;
  for (const std::string& input : inputs) {
    const std::string begin = input.starts_with("HH") ? input.substr(1) : input;
    for (unsigned i = 0; i < 1000; ++i) {
      const std::string bytes = i == 0 ? begin : mutated(begin, random);
      const bool to_head = i % 4 == 3;
      ASSERT_EQ(peer::response_laws(bytes, to_head), "") << testing::PrintToString(bytes);
      accepted += peer::read_response(bytes, 0, to_head).verdict == "done" ? 1U : 0U;
    }
  }
  EXPECT_GT(accepted, inputs.size() * 100);
}

TEST(Http1Peer, ChunkedBodiesAreReadAsThePeerReadsThem) {
  const std::vector<std::string> inputs = corpus("http1_chunked");
  ASSERT_FALSE(inputs.empty());
  Random random(20260103);
  unsigned done = 0;
  for (const std::string& input : inputs) {
    for (unsigned i = 0; i < 1000; ++i) {
      const std::string bytes = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n" +
                                (i == 0 ? input : mutated(input, random));
      ASSERT_EQ(peer::request_laws(bytes), "") << testing::PrintToString(bytes);
      done += peer::read_request(bytes, 0).body_verdict == "done" ? 1U : 0U;
    }
  }
  EXPECT_GT(done, inputs.size() * 50);
}

}  // namespace
}  // namespace sluice::http
