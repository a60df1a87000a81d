// What the executor does to bodies. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "executor/predictor.h"

namespace sluice::executor {

// One body may have that many bytes, and as many again when it is unpacked: 413 for a request,
// 500 for a unit's answer beyond. The reference has no limit; the operator gives the container
// 512 MiB.
inline constexpr std::size_t kBodyBytesMax = 128U << 20U;

// Replaces < > & U+2028 U+2029 by \u003c \u003e \u0026 \u2028 \u2029 wherever they stand, as the
// reference does to all bodies that have no content-encoding. Nothing else changes.
void escape_html(std::string& body);

// {"status":{"code":500,"info":"<what>","status":"FAILURE"}}
std::string failure_document(std::string_view what, int code = 500);

// What the reference's server says of an answer whose type nobody set, from its bytes.
std::string_view sniff_content_type(std::string_view body) noexcept;

// Makes `body` fit to be the request of a MODEL or transformer: an answer of another unit becomes a
// request again (`predictions` to `instances`, `outputs` to `inputs`); requests stay byte for byte.
// `is_gzip`: the body is packed; V2 unpacks it first, and `is_gzip` is false when what is sent on
// is unpacked. Fails (kClient) in the reference's words for what is neither.
Result<void> chain(Protocol protocol, std::string& body, bool& is_gzip);

// Where a member's key stands at the top level of a JSON object, with its quotes. When a key is
// written twice the last one counts, as for the reference's parser.
struct JsonKey {
  std::size_t begin = 0;
  std::size_t size = 0;  // 0: there is none
};
// Whether `text` is one JSON document (RFC 8259; at most 1,000 deep), and which of the outermost
// object's keys are in `wanted`. No tree is built: bodies are large. Fails (kClient) with the byte
// that is wrong.
Result<std::vector<JsonKey>> find_json_keys(std::string_view text,
                                            const std::vector<std::string_view>& wanted);

// RFC 1952. Fails (kUpstream) when `packed` is no gzip or unpacks to more than kBodyBytesMax.
Result<std::string> gunzip(std::string_view packed);

}  // namespace sluice::executor
