#include <algorithm>

#include "http/http1.h"
#include "http/scan.h"

namespace sluice::http {
namespace {

// 0 to 15, or 16.
unsigned hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? static_cast<unsigned>(lower - 'a') + 10U : 16U;
}

}  // namespace

void BodyDecoder::start(Framing framing, std::uint64_t length) noexcept {
  *this = BodyDecoder();
  switch (framing) {
    case Framing::kNone:
      break;
    case Framing::kLength:
      remaining_ = length;
      if (length != 0) stage_ = Stage::kLength;
      break;
    case Framing::kChunked:
      stage_ = Stage::kSize;
      break;
    case Framing::kUntilClose:
      stage_ = Stage::kUntilClose;
      break;
  }
}

BodyDecoder::Piece BodyDecoder::refuse(Refusal why, std::size_t consumed) noexcept {
  stage_ = Stage::kRefused;
  refusal_ = why;
  return {{}, consumed, Progress::kRefused};
}

BodyDecoder::Piece BodyDecoder::next(std::string_view bytes) noexcept {
  if (stage_ == Stage::kUntilClose) return {bytes, bytes.size(), Progress::kMore};
  if (stage_ == Stage::kRefused) return {{}, 0, Progress::kRefused};
  std::size_t at = 0;
  while (stage_ != Stage::kDone) {
    if (at == bytes.size()) return {{}, at, Progress::kMore};
    if (stage_ == Stage::kData || stage_ == Stage::kLength) {
      const std::size_t size =
          static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size() - at));
      remaining_ -= size;
      const bool ends = remaining_ == 0;
      if (ends) stage_ = stage_ == Stage::kLength ? Stage::kDone : Stage::kDataCr;
      return {bytes.substr(at, size), at + size, is_done() ? Progress::kDone : Progress::kMore};
    }
    if (const Refusal why = frame(bytes[at]); why != Refusal::kNone) return refuse(why, at);
    ++at;
  }
  return {{}, at, Progress::kDone};
}

// RFC 9112 section 7.1, without blanks around the size and with CRLF as the only end of a line.
Refusal BodyDecoder::frame(char c) noexcept {
  switch (stage_) {
    case Stage::kSize: {
      if (const unsigned digit = hex_digit(c); digit < 16) {
        if (++digits_ > 16 || remaining_ >> 59U != 0) return Refusal::kChunkSize;  // below 2^63
        remaining_ = (remaining_ << 4U) | digit;
        return Refusal::kNone;
      }
      if (digits_ == 0 || (c != '\r' && c != ';')) return Refusal::kChunkSize;
      stage_ = c == '\r' ? Stage::kSizeLf : Stage::kExtension;
      return Refusal::kNone;
    }
    case Stage::kExtension:
      if (c == '\r') {
        stage_ = Stage::kSizeLf;
        return Refusal::kNone;
      }
      if (scan::is_control(c) || ++extra_bytes_ > limits::kChunkExtensionBytesMax) {
        return Refusal::kChunkExtension;
      }
      return Refusal::kNone;
    case Stage::kSizeLf:
      if (c != '\n') return Refusal::kBareCr;
      stage_ = remaining_ == 0 ? Stage::kTrailerStart : Stage::kData;
      digits_ = 0;
      return Refusal::kNone;
    case Stage::kDataCr:
      if (c != '\r') return Refusal::kChunkEnd;
      stage_ = Stage::kDataLf;
      return Refusal::kNone;
    case Stage::kDataLf:
      if (c != '\n') return Refusal::kChunkEnd;
      stage_ = Stage::kSize;
      return Refusal::kNone;
    case Stage::kTrailerStart:
      if (c == '\r') {
        stage_ = Stage::kEndLf;
        return Refusal::kNone;
      }
      stage_ = Stage::kTrailerName;
      if (++extra_bytes_ > limits::kChunkExtensionBytesMax || !scan::is_token(c)) {
        return Refusal::kTrailer;
      }
      return Refusal::kNone;
    case Stage::kTrailerName:
      if (c == ':') stage_ = Stage::kTrailerValue;
      if (++extra_bytes_ > limits::kChunkExtensionBytesMax || (c != ':' && !scan::is_token(c))) {
        return Refusal::kTrailer;
      }
      return Refusal::kNone;
    case Stage::kTrailerValue:
      if (c == '\r') {
        stage_ = Stage::kTrailerLf;
        return Refusal::kNone;
      }
      if (++extra_bytes_ > limits::kChunkExtensionBytesMax || scan::is_control(c)) {
        return Refusal::kTrailer;
      }
      return Refusal::kNone;
    case Stage::kTrailerLf:
      if (c != '\n') return Refusal::kBareCr;
      stage_ = Stage::kTrailerStart;
      return Refusal::kNone;
    case Stage::kEndLf:
      if (c != '\n') return Refusal::kBareCr;
      stage_ = Stage::kDone;
      return Refusal::kNone;
    default:
      return Refusal::kNone;  // data and ends are next()'s
  }
}

}  // namespace sluice::http
