// What the head of a request or a response says, whatever protocol it came by: views and facts,
// found in the one pass that parsed it, so that nobody scans a head twice.
//
// The HTTP/1.1 codec (http1.h) fills these; an HTTP/2 codec is to fill the same. Views point into
// the buffer that was parsed: they live as long as its bytes stay where they are.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/field.h"
#include "base/limits.h"
#include "http/known.h"

namespace sluice::http {

// How the end of a body is found. kUntilClose: responses only.
enum class Framing : std::uint8_t { kNone, kLength, kChunked, kUntilClose };

enum class Method : std::uint8_t {
  kOther,
  kGet,
  kHead,
  kPost,
  kPut,
  kDelete,
  kOptions,
  kPatch,
  kConnect,
  kTrace
};

// RFC 9112 section 3.2.
enum class TargetForm : std::uint8_t {
  kOrigin,     // /path?query
  kAbsolute,   // http://host/path?query
  kAsterisk,   // OPTIONS * (or OPTIONS http://host)
  kAuthority,  // CONNECT host:port
};

// Fields in the order in which they came. Names in lower case, values without blanks at the ends.
// `known[i]` tells which name `at[i]` has.
struct FieldList {
  static constexpr std::size_t kCapacity = 128;
  static constexpr std::uint8_t kAbsent = 0xff;

  Field at[kCapacity];
  Known known[kCapacity];
  std::uint8_t first[kKnownCount];  // index of the first field of that name, or kAbsent
  std::uint16_t count = 0;

  FieldList() noexcept { clear(); }
  void clear() noexcept {
    count = 0;
    std::memset(first, kAbsent, sizeof first);
  }
  std::span<const Field> all() const noexcept { return {at, count}; }
  bool has(Known name) const noexcept { return first[static_cast<unsigned>(name)] != kAbsent; }
  // The value of the first field of that name; "" when there is none.
  std::string_view value(Known name) const noexcept {
    const std::uint8_t index = first[static_cast<unsigned>(name)];
    return index == kAbsent ? std::string_view() : at[index].value;
  }
  // REQUIRES: count < kCapacity, `name` in lower case.
  void add(std::string_view name, std::string_view value, Known id) noexcept {
    at[count] = Field{name, value};
    known[count] = id;
    std::uint8_t& slot = first[static_cast<unsigned>(id)];
    if (slot == kAbsent) slot = static_cast<std::uint8_t>(count);
    ++count;
  }
};
static_assert(limits::kRequestFieldsMax <= FieldList::kCapacity);
static_assert(limits::kResponseFieldsMax <= FieldList::kCapacity);

struct RequestFacts {
  std::string_view method;
  std::string_view target;     // as sent
  std::string_view authority;  // the absolute target's (without user:password@), else Host's value
  std::string_view path;       // raw, with query and fragment: "/a?b#c"; "*", or "" for CONNECT
  std::uint64_t content_length = 0;  // kLength only
  Method method_id = Method::kOther;
  TargetForm form = TargetForm::kOrigin;
  Framing framing = Framing::kNone;
  std::uint8_t version_minor = 1;
  bool target_is_https = false;   // absolute form with https://
  bool keep_alive = true;         // the client allows another request on this connection
  bool expect_continue = false;   // Expect: 100-continue
  bool wants_upgrade = false;     // Upgrade, and Connection names it
  bool is_websocket = false;      // ... to websocket alone
  bool connection_names = false;  // Connection names fields other than the usual ones: see lists()
  bool te_trailers = false;       // TE: trailers is among the TE values
  bool is_grpc = false;           // content-type application/grpc or application/grpc+...
};

// Some 4 KB, so recycle it: clear() costs next to nothing, making one does not.
struct RequestHead : RequestFacts {
  FieldList fields;
  void clear() noexcept {
    static_cast<RequestFacts&>(*this) = RequestFacts();
    fields.clear();
  }
};

struct ResponseFacts {
  std::string_view reason;
  std::uint64_t content_length = 0;  // kLength only: what is to be read
  std::uint16_t status = 0;
  Framing framing = Framing::kNone;
  std::uint8_t version_minor = 1;
  bool keep_alive = true;         // the upstream connection may be used again after this body
  bool is_interim = false;        // 1xx but 101: another head follows
  bool is_upgrade = false;        // 101: bytes of another protocol follow
  bool connection_names = false;  // as in RequestFacts
};

struct ResponseHead : ResponseFacts {
  FieldList fields;
  void clear() noexcept {
    static_cast<ResponseFacts&>(*this) = ResponseFacts();
    fields.clear();
  }
};

// Whether the comma-separated `list` has `token`, without regard to case. No allocation.
bool lists(std::string_view list, std::string_view token) noexcept;

// Whether text that did not come from a parsed head may stand in one: for what rules write.
bool is_field_name(std::string_view text) noexcept;   // a token (RFC 9110 section 5.1)
bool is_field_value(std::string_view text) noexcept;  // no control characters (section 5.5)
bool is_target(std::string_view text) noexcept;       // no blanks, controls, bytes above 126

}  // namespace sluice::http
