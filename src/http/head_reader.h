// The part of reading a head that requests and responses share: field lines. Private to this room.
#pragma once

#include <span>

#include "http/http1.h"

namespace sluice::http {

struct HeadReader {
  using Stage = HeadCursor::Stage;

  HeadCursor& cursor;
  FieldList& fields;
  char* base;
  char* end;  // of what may be looked at: never beyond the limit of a head
  bool cut;   // there is more behind `end`: a head that wants it is too large

  HeadReader(HeadCursor& c, FieldList& f, std::span<char> bytes,
             std::size_t head_bytes_max) noexcept
      : cursor(c), fields(f), base(bytes.data()) {
    cut = bytes.size() > head_bytes_max;
    end = base + (cut ? head_bytes_max : bytes.size());
  }

  Progress more(char* at, Stage stage) noexcept {
    if (cut) return refuse(Refusal::kHeadTooLarge);
    cursor.scan_ = static_cast<std::size_t>(at - base);
    cursor.stage_ = stage;
    return Progress::kMore;
  }
  Progress refuse(Refusal why) noexcept {
    cursor.refusal_ = why;
    cursor.stage_ = Stage::kEnd;
    return Progress::kRefused;
  }
  char* scan() const noexcept { return base + cursor.scan_; }
  char* begin() const noexcept { return base + cursor.begin_; }
  std::size_t offset(const char* at) const noexcept { return static_cast<std::size_t>(at - base); }
  // Whether the buffer moved since the last call; then views that were made must follow() it.
  bool moved() noexcept {
    const bool moved = cursor.base_ != base && cursor.base_ != nullptr;
    before = cursor.base_;
    cursor.base_ = base;
    return moved;
  }
  void follow(std::string_view& view) const noexcept {
    if (view.data() == nullptr) return;
    view = {base + (reinterpret_cast<std::uintptr_t>(view.data()) -
                    reinterpret_cast<std::uintptr_t>(before)),
            view.size()};
  }
  void follow_fields() noexcept {
    for (unsigned i = 0; i < fields.count; ++i) {
      follow(fields.at[i].name);
      follow(fields.at[i].value);
    }
  }

  // From `at`, which is where a field line begins unless the cursor's stage says otherwise. kDone:
  // the blank line was read and cursor.consumed() is set.
  Progress read_fields(char* at, unsigned fields_max) noexcept;

  const char* before = nullptr;
};

// Content-Length's value: digits alone, below 2^63. False: unreadable.
bool parse_length(std::string_view text, std::uint64_t& length) noexcept;

// What Connection says (all of its fields).
struct ConnectionFacts {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  bool others = false;
};
ConnectionFacts read_connection(const FieldList& fields) noexcept;

// Content-Length and Transfer-Encoding as they stand: kNone when neither is there.
Refusal read_framing(const FieldList& fields, Framing& framing, std::uint64_t& length) noexcept;

}  // namespace sluice::http
