#include "http/http1.h"

namespace sluice::http {

std::uint16_t status_of(Refusal refusal) noexcept {
  switch (refusal) {
    case Refusal::kVersionUnsupported:
      return 426;
    case Refusal::kHeadTooLarge:
    case Refusal::kTooManyFields:
      return 431;
    case Refusal::kTransferEncoding:
      return 501;
    default:
      return 400;
  }
}

std::string_view to_string(Refusal refusal) noexcept {
  switch (refusal) {
    case Refusal::kNone:
      return "none";
    case Refusal::kMethod:
      return "bad method";
    case Refusal::kTarget:
      return "bad target";
    case Refusal::kVersion:
      return "bad version";
    case Refusal::kVersionUnsupported:
      return "unsupported version";
    case Refusal::kStatusLine:
      return "bad status line";
    case Refusal::kFieldName:
      return "bad field name";
    case Refusal::kFieldValue:
      return "control character in a field value";
    case Refusal::kLineFolding:
      return "folded line";
    case Refusal::kBareCr:
      return "CR without LF";
    case Refusal::kBareLf:
      return "LF without CR";
    case Refusal::kHeadTooLarge:
      return "head too large";
    case Refusal::kTooManyFields:
      return "too many fields";
    case Refusal::kHostMissing:
      return "no host field";
    case Refusal::kHostTwice:
      return "two host fields";
    case Refusal::kHostInvalid:
      return "bad host";
    case Refusal::kLengthInvalid:
      return "bad content-length";
    case Refusal::kLengthTwice:
      return "two content-length fields";
    case Refusal::kLengthAndEncoding:
      return "content-length with transfer-encoding";
    case Refusal::kTransferEncoding:
      return "transfer-encoding other than chunked";
    case Refusal::kBodyForbidden:
      return "a body where none belongs";
    case Refusal::kChunkSize:
      return "bad chunk size";
    case Refusal::kChunkExtension:
      return "bad chunk extension";
    case Refusal::kChunkEnd:
      return "no line end behind a chunk";
    case Refusal::kTrailer:
      return "bad trailer";
  }
  return "unknown";
}

}  // namespace sluice::http
