// The one source that knows zlib.
#include <zlib.h>

#include <algorithm>

#include "executor/message.h"

namespace sluice::executor {

Result<std::string> gunzip(std::string_view packed) {
  constexpr int kGzipWindow = 15 + 16;  // zlib.h: +16 means a gzip wrapper
  constexpr std::size_t kChunk = 64U << 10U;
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK)
    return fail(Blame::kInternal, "zlib has no memory");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());  // bodies are below 4 GiB: kBodyBytesMax
  std::string out;
  int status = Z_OK;
  while (status == Z_OK && out.size() <= kBodyBytesMax) {
    const std::size_t before = out.size();
    out.resize(before + kChunk);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = kChunk;
    status = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (out.size() == before && stream.avail_in == 0) break;  // cut short
    if (status == Z_STREAM_END && stream.avail_in > 0) {      // RFC 1952 section 2.2: more members
      status = inflateReset(&stream);
    }
  }
  inflateEnd(&stream);
  if (out.size() > kBodyBytesMax) {
    return fail(Blame::kUpstream,
                "unpacks to more than " + std::to_string(kBodyBytesMax) + " bytes", "gzip");
  }
  if (status != Z_STREAM_END) return fail(Blame::kUpstream, "the body is no gzip", "gzip");
  return out;
}

}  // namespace sluice::executor
