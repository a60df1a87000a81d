// Any bytes as a request: the laws of http/peer_test.h.
#include <cstdint>
#include <cstdio>
#include <string>

#include "expect.h"
#include "http/peer_test.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const std::string law = sluice::http::peer::request_laws(bytes);
  FUZZ_EXPECT(law.empty(), law.c_str());
  return 0;
}
