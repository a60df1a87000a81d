#include "http/head_reader.h"
#include "http/http1.h"
#include "http/scan.h"

namespace sluice::http {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// "HTTP/1.1 200": what stands before the reason.
constexpr std::size_t kStatusBytes = 12;

Refusal judge_status(std::string_view text, ResponseHead& head) noexcept {
  if (!text.starts_with("HTTP/")) return Refusal::kStatusLine;
  if (!is_digit(text[5]) || text[6] != '.' || !is_digit(text[7]) || text[8] != ' ') {
    return Refusal::kStatusLine;
  }
  if (text[5] != '1' || text[7] > '1') return Refusal::kVersionUnsupported;
  head.version_minor = static_cast<std::uint8_t>(text[7] - '0');
  if (!is_digit(text[9]) || !is_digit(text[10]) || !is_digit(text[11])) return Refusal::kStatusLine;
  head.status =
      static_cast<std::uint16_t>((text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0'));
  return head.status >= 100 ? Refusal::kNone : Refusal::kStatusLine;
}

}  // namespace

void ResponseParser::reset(bool to_head) noexcept {
  restart();
  head_->clear();
  to_head_ = to_head;
}

Progress ResponseParser::parse(std::span<char> bytes) noexcept {
  ResponseHead& head = *head_;
  HeadReader reader(*this, head.fields, bytes, limits::kResponseHeadBytesMax);
  if (stage_ == Stage::kEnd)
    return refusal_ == Refusal::kNone ? Progress::kDone : Progress::kRefused;
  if (reader.moved()) {
    reader.follow(head.reason);
    reader.follow_fields();
  }
  char* const end = reader.end;
  char* at = reader.scan();
  switch (stage_) {
    case Stage::kStart: {
      // No byte is judged before all twelve are there, so that every cut gives the same refusal;
      // but what can't become a status line is not waited for.
      const std::size_t size = static_cast<std::size_t>(end - reader.base);
      if (size < kStatusBytes) {
        const std::string_view expected = std::string_view("HTTP/").substr(0, size);
        if (!std::string_view(reader.base, size).starts_with(expected)) {
          return reader.refuse(Refusal::kStatusLine);
        }
        scan_ = 0;
        return Progress::kMore;
      }
      const Refusal why = judge_status({reader.base, kStatusBytes}, head);
      if (why != Refusal::kNone) return reader.refuse(why);
      at = reader.base + kStatusBytes;
      begin_ = kStatusBytes;
      [[fallthrough]];
    }
    case Stage::kFirst: {
      at = scan::find_control(at, end);
      if (at == end) return reader.more(at, Stage::kFirst);
      if (*at != '\r') {
        return reader.refuse(*at == '\n' ? Refusal::kBareLf : Refusal::kStatusLine);
      }
      if (at + 1 == end) return reader.more(at, Stage::kFirst);
      if (at[1] != '\n') return reader.refuse(Refusal::kBareCr);
      std::string_view reason{reader.begin(), reader.offset(at) - begin_};
      if (!reason.empty() && reason[0] != ' ') return reader.refuse(Refusal::kStatusLine);
      if (!reason.empty()) reason.remove_prefix(1);
      head.reason = reason;
      at += 2;
      stage_ = Stage::kLine;
      break;
    }
    default:
      break;
  }
  const Progress progress = reader.read_fields(at, limits::kResponseFieldsMax);
  return progress == Progress::kDone ? finish() : progress;
}

// RFC 9112 section 6.3, but every doubt is a refusal: this answer's end decides where the next
// answer on the connection begins.
Progress ResponseParser::finish() noexcept {
  ResponseHead& head = *head_;
  const ConnectionFacts connection = read_connection(head.fields);
  head.connection_names = connection.others;
  head.keep_alive =
      head.version_minor == 1 ? !connection.close : connection.keep_alive && !connection.close;
  refusal_ = read_framing(head.fields, head.framing, head.content_length);
  if (refusal_ == Refusal::kNone && head.framing == Framing::kChunked && head.version_minor == 0) {
    refusal_ = Refusal::kTransferEncoding;  // RFC 9112 section 6.1: HTTP/1.0 has no such thing
  }
  if (refusal_ != Refusal::kNone) return Progress::kRefused;

  head.is_upgrade = head.status == 101;
  head.is_interim = head.status < 200 && !head.is_upgrade;
  const bool announces = head.framing == Framing::kChunked || head.content_length != 0;
  if (head.status < 200 || head.status == 204) {
    if (announces) {
      refusal_ = Refusal::kBodyForbidden;
      return Progress::kRefused;
    }
    head.framing = Framing::kNone;
  } else if (to_head_ || head.status == 304) {
    head.framing = Framing::kNone;
    head.content_length = 0;
  } else if (head.framing == Framing::kNone) {
    head.framing = Framing::kUntilClose;
    head.keep_alive = false;
  }
  return Progress::kDone;
}

}  // namespace sluice::http
