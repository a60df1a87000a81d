// Any bytes as a response, to HEAD when the first byte is 'H' twice: the laws of http/peer_test.h.
#include <cstdint>
#include <string>

#include "expect.h"
#include "http/peer_test.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // "HHTTP/1.1 ...": an answer to HEAD.
  const bool to_head = size > 1 && data[0] == 'H' && data[1] == 'H';
  const std::string bytes(reinterpret_cast<const char*>(data) + (to_head ? 1 : 0),
                          size - (to_head ? 1 : 0));
  const std::string law = sluice::http::peer::response_laws(bytes, to_head);
  FUZZ_EXPECT(law.empty(), law.c_str());
  return 0;
}
