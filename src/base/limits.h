// Every limit that holds across rooms: name with unit, default, reason, and what happens beyond it.
// Also in docs/reference/limits.md; a test compares the two.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::limits {

// Documents that users write.
inline constexpr std::size_t kDocumentBytesMax =
    64U << 20U;  // one file; beyond: refused. 10,000 deployments are some 10 MB.
inline constexpr unsigned kDocumentNestingMax =
    100;  // refused beyond; a pod spec nests some 12 deep
inline constexpr std::size_t kDocumentAliasValuesMax =
    100'000;  // values made by YAML aliases in one file; bombs end here
inline constexpr std::size_t kDocumentValuesMax =
    5'000'000;  // values in one file, some 400 MB; 10,000 deployments have 1 million
inline constexpr std::size_t kDocumentProblemsMax =
    1'000;  // said of one file; the rest is counted in one line
inline constexpr std::size_t kDocumentsMax = 100'000;  // documents in one file; refused beyond

// Requests, as Envoy under Istio has them (gateway/README.md names the status beyond each).
inline constexpr std::size_t kRequestHeadBytesMax = 60U << 10U;   // 431 beyond
inline constexpr std::size_t kRequestFieldsMax = 100;             // 431 beyond
inline constexpr std::size_t kResponseHeadBytesMax = 80U << 10U;  // 502 beyond
inline constexpr std::size_t kResponseFieldsMax = 100;            // 502 beyond
inline constexpr std::size_t kRetryBodyBytesMax =
    1U << 20U;  // held for another try; larger bodies are sent once

// HTTP/1.1 framing. RFC 9112 section 7.1.1 asks for a bound on extensions; nobody uses them, and
// trailers are dropped, so the bounds only have to be generous to the honest.
inline constexpr std::size_t kLeadingBlankBytesMax =
    16;  // CRLFs before a request line; 400 beyond. Old clients sent one after a body.
inline constexpr std::size_t kChunkExtensionBytesMax =
    16U << 10U;  // chunk extensions and trailers of one body together; 400 or 502 beyond

}  // namespace sluice::limits
