// Any bytes as a chunked body. The laws of http/peer_test.h, and: data that is put into chunks
// again and read again is equal.
#include <cstdint>
#include <string>

#include "expect.h"
#include "http/peer_test.h"

namespace peer = sluice::http::peer;
using sluice::http::Framing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  const std::string law =
      peer::request_laws("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n" + body);
  FUZZ_EXPECT(law.empty(), law.c_str());

  peer::Message first;
  peer::decode_body(body, Framing::kChunked, 0, 0, first);
  std::string again;
  for (std::size_t at = 0; at < first.body.size(); at += 700) {
    const std::string_view piece = std::string_view(first.body).substr(at, 700);
    char head[sluice::http::kChunkHeadBytesMax];
    again.append(head, sluice::http::write_chunk_head(head, piece.size()));
    again.append(piece);
    again += "\r\n";
  }
  again += sluice::http::kLastChunk;
  peer::Message second;
  peer::decode_body(again, Framing::kChunked, 0, 5, second);
  FUZZ_EXPECT(second.body == first.body, "chunked again, the body is equal");
  FUZZ_EXPECT(second.body_verdict == "done" && second.consumed == again.size(),
              "what we write in chunks ends where it ends");
  return 0;
}
