#include "base/text.h"
#include "http/authority.h"
#include "http/head_reader.h"
#include "http/http1.h"
#include "http/scan.h"

namespace sluice::http {
namespace {

struct MethodName {
  std::string_view name;
  Method id;
};
constexpr MethodName kMethods[] = {
    {"GET", Method::kGet},     {"POST", Method::kPost},       {"HEAD", Method::kHead},
    {"PUT", Method::kPut},     {"DELETE", Method::kDelete},   {"OPTIONS", Method::kOptions},
    {"PATCH", Method::kPatch}, {"CONNECT", Method::kConnect}, {"TRACE", Method::kTrace},
};

// False: a known name in other than capitals, which somebody behind us might take for the known
// one.
bool identify(std::string_view method, Method& id) noexcept {
  id = Method::kOther;
  for (const MethodName& known : kMethods) {
    if (method.size() != known.name.size() || !equal_ignoring_case(method, known.name)) continue;
    id = known.id;
    return method == known.name;
  }
  return true;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) noexcept {
  return text.size() >= prefix.size() && equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

// RFC 9112 section 3.2.2. The user's name and password are cut off, as Envoy does.
bool split_absolute(RequestHead& head, std::size_t scheme_size) noexcept {
  const std::string_view rest = head.target.substr(scheme_size);
  const std::size_t authority_size = std::min(rest.find_first_of("/?#"), rest.size());
  std::string_view authority = rest.substr(0, authority_size);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    authority.remove_prefix(at + 1);
  }
  Authority parts;
  if (authority.empty() || !split_authority(authority, parts) || parts.host.empty()) return false;
  head.form = TargetForm::kAbsolute;
  head.authority = authority;
  head.path = rest.substr(authority_size);
  if (head.path.empty() || head.path[0] == '#') {
    head.path = "/";
    if (head.method_id == Method::kOptions) {  // section 3.2.4
      head.form = TargetForm::kAsterisk;
      head.path = "*";
    }
  }
  return head.path[0] != '?';  // a query without a path: no view could show its origin form
}

bool split_target(RequestHead& head) noexcept {
  const std::string_view target = head.target;
  if (head.method_id == Method::kConnect) {
    Authority parts;
    if (!split_authority(target, parts) || parts.host.empty() || parts.port == 0) return false;
    head.form = TargetForm::kAuthority;
    head.authority = target;
    head.path = {};
    return true;
  }
  if (target[0] == '/') {
    head.form = TargetForm::kOrigin;
    head.path = target;
    return true;
  }
  if (target == "*") {
    head.form = TargetForm::kAsterisk;
    head.path = target;
    return head.method_id == Method::kOptions;
  }
  head.target_is_https = starts_with_ignoring_case(target, "https://");
  if (head.target_is_https) return split_absolute(head, 8);
  return starts_with_ignoring_case(target, "http://") && split_absolute(head, 7);
}

// "HTTP/1.1" alone is what we speak to clients; "HTTP/1.0", "HTTP/2.0", "HTTP/12.7" are versions of
// somebody else's.
Refusal judge_version(std::string_view version) noexcept {
  if (version == "HTTP/1.1") return Refusal::kNone;
  if (!version.starts_with("HTTP/")) return Refusal::kVersion;
  const bool one_digit_each = version.size() == 8 && version[6] == '.' && version[5] >= '0' &&
                              version[5] <= '9' && version[7] >= '0' && version[7] <= '9';
  return one_digit_each ? Refusal::kVersionUnsupported : Refusal::kVersion;
}

}  // namespace

void RequestParser::reset() noexcept {
  restart();
  head_->clear();
}

Progress RequestParser::parse(std::span<char> bytes) noexcept {
  RequestHead& head = *head_;
  HeadReader reader(*this, head.fields, bytes, limits::kRequestHeadBytesMax);
  if (stage_ == Stage::kEnd)
    return refusal_ == Refusal::kNone ? Progress::kDone : Progress::kRefused;
  if (reader.moved()) {
    reader.follow(head.method);
    reader.follow(head.target);
    reader.follow_fields();
  }
  char* const end = reader.end;
  char* at = reader.scan();
  switch (stage_) {
    case Stage::kStart:  // RFC 9112 section 2.2: empty lines before a request line are skipped
      while (at != end && (*at == '\r' || *at == '\n')) {
        if (*at == '\n') return reader.refuse(Refusal::kBareLf);
        if (at + 1 == end) return reader.more(at, Stage::kStart);
        if (at[1] != '\n') return reader.refuse(Refusal::kBareCr);
        at += 2;
        if (reader.offset(at) > limits::kLeadingBlankBytesMax)
          return reader.refuse(Refusal::kMethod);
      }
      if (at == end) return reader.more(at, Stage::kStart);
      begin_ = reader.offset(at);
      [[fallthrough]];
    case Stage::kFirst:
      while (at != end && scan::is_token(*at)) ++at;
      if (at == end) return reader.more(at, Stage::kFirst);
      head.method = {reader.begin(), reader.offset(at) - begin_};
      if (*at != ' ' || head.method.empty() || !identify(head.method, head.method_id)) {
        return reader.refuse(Refusal::kMethod);
      }
      ++at;
      begin_ = reader.offset(at);
      [[fallthrough]];
    case Stage::kSecond:
      at = scan::find_target_end(at, end);
      if (at == end) return reader.more(at, Stage::kSecond);
      head.target = {reader.begin(), reader.offset(at) - begin_};
      if (head.target.empty()) return reader.refuse(Refusal::kTarget);
      if (*at == '\r') {  // "GET /": HTTP/0.9
        if (at + 1 == end) return reader.more(at, Stage::kSecond);
        return reader.refuse(at[1] == '\n' ? Refusal::kVersionUnsupported : Refusal::kBareCr);
      }
      if (*at != ' ') return reader.refuse(*at == '\n' ? Refusal::kBareLf : Refusal::kTarget);
      ++at;
      begin_ = reader.offset(at);
      [[fallthrough]];
    case Stage::kThird: {
      at = scan::find_target_end(at, end);
      if (at == end) return reader.more(at, Stage::kThird);
      if (*at != '\r') return reader.refuse(*at == '\n' ? Refusal::kBareLf : Refusal::kVersion);
      if (at + 1 == end) return reader.more(at, Stage::kThird);
      if (at[1] != '\n') return reader.refuse(Refusal::kBareCr);
      const Refusal why = judge_version({reader.begin(), reader.offset(at) - begin_});
      if (why != Refusal::kNone) return reader.refuse(why);
      at += 2;
      [[fallthrough]];
    }
    default:
      break;
  }
  if (stage_ < Stage::kLine) stage_ = Stage::kLine;
  const Progress progress = reader.read_fields(at, limits::kRequestFieldsMax);
  return progress == Progress::kDone ? finish() : progress;
}

Progress RequestParser::finish() noexcept {
  RequestHead& head = *head_;
  refusal_ = read_framing(head.fields, head.framing, head.content_length);
  if (refusal_ == Refusal::kNone && !split_target(head)) refusal_ = Refusal::kTarget;
  if (refusal_ == Refusal::kNone) {
    const std::uint8_t host = head.fields.first[static_cast<unsigned>(Known::kHost)];
    if (host == FieldList::kAbsent) {
      refusal_ = Refusal::kHostMissing;
    } else {
      for (unsigned i = host + 1U; i < head.fields.count; ++i) {
        if (head.fields.known[i] == Known::kHost) refusal_ = Refusal::kHostTwice;
      }
      Authority parts;
      const std::string_view value = head.fields.at[host].value;
      if (refusal_ == Refusal::kNone && !split_authority(value, parts)) {
        refusal_ = Refusal::kHostInvalid;
      }
      if (head.authority.empty()) head.authority = value;
    }
  }
  if (refusal_ != Refusal::kNone) return Progress::kRefused;
  digest();
  return Progress::kDone;
}

void RequestParser::digest() noexcept {
  RequestHead& head = *head_;
  const FieldList& fields = head.fields;
  const ConnectionFacts connection = read_connection(fields);
  head.keep_alive = !connection.close;
  head.connection_names = connection.others;
  head.wants_upgrade = connection.upgrade && fields.has(Known::kUpgrade);
  head.is_websocket =
      head.wants_upgrade && equal_ignoring_case(fields.value(Known::kUpgrade), "websocket");
  head.expect_continue = equal_ignoring_case(fields.value(Known::kExpect), "100-continue");
  head.te_trailers = lists(fields.value(Known::kTe), "trailers");
  const std::string_view type = fields.value(Known::kContentType);
  head.is_grpc = type.starts_with("application/grpc") && (type.size() == 16 || type[16] == '+');
}

}  // namespace sluice::http
