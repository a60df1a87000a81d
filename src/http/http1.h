// HTTP/1.1 as bytes: heads and bodies read, strictly and without a copy. No I/O, no allocation.
//
//   RequestHead head;
//   RequestParser parser(head);
//   switch (parser.parse({buffer, filled})) {           // again whenever bytes were added
//     case Progress::kMore: ...                         // read more behind what is there
//     case Progress::kRefused: status_of(parser.refusal()) ...  // answer, then close
//     case Progress::kDone: body starts at buffer + parser.consumed()
//   }
//
// What is accepted and refused: docs/reference/http.md. Whoever relays what these accept, relays
// something that every other reader understands in the same way: that is what the strictness is
// for. Thread: any; each object belongs to one connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/limits.h"
#include "http/head.h"

namespace sluice::http {

enum class Progress : std::uint8_t { kMore, kDone, kRefused };

// Why a message is refused. Names appear in logs and in docs/reference/http.md.
enum class Refusal : std::uint8_t {
  kNone,
  kMethod,              // not a token, or a known name not in capitals
  kTarget,              // empty, not / * http:// https:// CONNECT's, or a bad byte in it
  kVersion,             // unreadable
  kVersionUnsupported,  // readable, but not HTTP/1.1 (a response may be HTTP/1.0): 426
  kStatusLine,          // responses
  kFieldName,           // empty, not a token, or a blank before the colon
  kFieldValue,          // NUL or another control character
  kLineFolding,         // a line that begins with a blank (obs-fold)
  kBareCr,              // CR without LF
  kBareLf,              // LF without CR
  kHeadTooLarge,        // 431
  kTooManyFields,       // 431
  kHostMissing,         // 400, empty body
  kHostTwice,           //
  kHostInvalid,         //
  kLengthInvalid,       // not digits alone, or beyond 2^63 - 1
  kLengthTwice,         // even when equal
  kLengthAndEncoding,   // content-length with transfer-encoding
  kTransferEncoding,    // not exactly "chunked", once: 501
  kBodyForbidden,       // a response to which no body belongs announces one
  kChunkSize,           // not 1 to 16 hexadecimal digits, from 2^63 on, or not CRLF or ';' behind
  kChunkExtension,      // a control character in it, or too long
  kChunkEnd,            // no CRLF behind the data of a chunk
  kTrailer,             // a bad trailer line, or too many bytes of them
};

// What to answer the client: 400, 426, 431 or 501. A response that is refused is a 502.
std::uint16_t status_of(Refusal refusal) noexcept;
std::string_view to_string(Refusal refusal) noexcept;  // "two content-length fields"

// How far the parser is; shared by requests and responses.
class HeadCursor {
 public:
  std::size_t consumed() const noexcept { return consumed_; }  // bytes of the head, after kDone
  Refusal refusal() const noexcept { return refusal_; }
  // Some byte of a head has arrived: the time limit for heads runs.
  bool has_begun() const noexcept { return scan_ != 0; }

 protected:
  enum class Stage : std::uint8_t {
    kStart,
    kFirst,
    kSecond,
    kThird,
    kLine,
    kName,
    kValue,
    kEnd,
  };
  void restart() noexcept { *this = HeadCursor(); }

  const char* base_ = nullptr;  // where the buffer was at the last call
  std::size_t scan_ = 0;        // bytes before this were judged and need no second look
  std::size_t begin_ = 0;       // of the element that scan_ is in
  std::size_t name_end_ = 0;    // of the field that scan_ is in
  std::size_t consumed_ = 0;
  Stage stage_ = Stage::kStart;
  Refusal refusal_ = Refusal::kNone;

  friend struct HeadReader;
};

class RequestParser : public HeadCursor {
 public:
  explicit RequestParser(RequestHead& head) noexcept : head_(&head) {}

  // `bytes`: everything of this request so far, from its first byte; more at each call. The buffer
  // may have moved since the last call. Field names are put into lower case in place. Each byte is
  // looked at once, however it is cut. After kDone or kRefused: reset() before the next request.
  Progress parse(std::span<char> bytes) noexcept;
  void reset() noexcept;

 private:
  Progress finish() noexcept;
  void digest() noexcept;
  RequestHead* head_;
};

class ResponseParser : public HeadCursor {
 public:
  explicit ResponseParser(ResponseHead& head) noexcept : head_(&head) {}

  // As RequestParser's. After an interim head (1xx): reset() and parse what follows it.
  Progress parse(std::span<char> bytes) noexcept;
  // `to_head`: the request was HEAD, so no body follows whatever the fields say.
  void reset(bool to_head) noexcept;

 private:
  Progress finish() noexcept;
  ResponseHead* head_;
  bool to_head_ = false;
};

// Takes the framing off a body. Data comes out as views into what went in.
//
//   while (true) {
//     const BodyDecoder::Piece piece = decoder.next(bytes);
//     relay(piece.data);                      // may be empty
//     bytes.remove_prefix(piece.consumed);
//     if (piece.progress != Progress::kMore || bytes.empty()) break;
//   }
class BodyDecoder {
 public:
  struct Piece {
    std::string_view data;     // body bytes, at the end of what was consumed
    std::size_t consumed = 0;  // framing and data; never 0 with kMore unless `bytes` was empty
    Progress progress = Progress::kMore;  // kDone: the body ends with this piece
  };

  // kNone and a length of 0 are done at once.
  void start(Framing framing, std::uint64_t length) noexcept;
  // At most one run of data per call. kUntilClose never says kDone: the end of the stream does.
  Piece next(std::string_view bytes) noexcept;
  bool is_done() const noexcept { return stage_ == Stage::kDone; }
  Refusal refusal() const noexcept { return refusal_; }
  // Bytes that are still to come: of the body (kLength) or of this chunk.
  std::uint64_t remaining() const noexcept { return remaining_; }

 private:
  enum class Stage : std::uint8_t {
    kLength,
    kUntilClose,
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailerName,
    kTrailerValue,
    kTrailerLf,
    kEndLf,
    kDone,
    kRefused,
  };
  Piece refuse(Refusal why, std::size_t consumed) noexcept;
  Refusal frame(char c) noexcept;  // one byte that is not data

  std::uint64_t remaining_ = 0;
  std::uint32_t extra_bytes_ = 0;  // extensions and trailers, all of this body
  std::uint8_t digits_ = 0;
  Stage stage_ = Stage::kDone;
  Refusal refusal_ = Refusal::kNone;
};

}  // namespace sluice::http
