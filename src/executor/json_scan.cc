// A JSON document read without building a tree: is it one, and which keys has its outermost object.
#include <array>

#include "executor/message.h"

namespace sluice::executor {

namespace {

constexpr std::size_t kNestingMax = 1'000;

class Scanner {
 public:
  Scanner(std::string_view text, const std::vector<std::string_view>& wanted)
      : text_(text), wanted_(wanted), keys_(wanted.size()) {}

  Result<std::vector<JsonKey>> scan();

 private:
  char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) noexcept {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  void skip_blanks() noexcept {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c != ' ' && c != '\n' && c != '\t' && c != '\r') return;
      ++at_;
    }
  }
  bool scalar() noexcept;
  bool string() noexcept;
  bool number() noexcept;
  bool digits() noexcept;
  bool word(std::string_view text) noexcept;
  bool key();
  bool open(bool is_object) noexcept;
  bool value(bool& is_done);
  bool after_value(bool& is_done);

  std::string_view text_;
  const std::vector<std::string_view>& wanted_;
  std::vector<JsonKey> keys_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::array<bool, kNestingMax> is_object_{};  // by depth
};

bool Scanner::string() noexcept {
  if (!take('"')) return false;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      ++at_;
      return true;
    }
    if (static_cast<unsigned char>(c) < 0x20) return false;
    ++at_;
    if (c != '\\') continue;
    const char escaped = peek();
    if (std::string_view("\"\\/bfnrt").find(escaped) != std::string_view::npos) {
      ++at_;
    } else if (take('u')) {
      for (int i = 0; i < 4; ++i, ++at_) {
        if (std::string_view("0123456789abcdefABCDEF").find(peek()) == std::string_view::npos) {
          return false;
        }
      }
    } else {
      return false;
    }
  }
  return false;
}

bool Scanner::digits() noexcept {
  const std::size_t begin = at_;
  while (peek() >= '0' && peek() <= '9') ++at_;
  return at_ > begin;
}

bool Scanner::number() noexcept {
  take('-');
  if (!take('0') && !digits()) return false;
  if (take('.') && !digits()) return false;
  if (!take('e') && !take('E')) return true;
  if (!take('+')) take('-');
  return digits();
}

bool Scanner::word(std::string_view text) noexcept {
  if (!text_.substr(at_).starts_with(text)) return false;
  at_ += text.size();
  return true;
}

bool Scanner::scalar() noexcept {
  switch (peek()) {
    case '"':
      return string();
    case 't':
      return word("true");
    case 'f':
      return word("false");
    case 'n':
      return word("null");
    default:
      return number();
  }
}

// A member's key and its colon. Keys with escapes in them are compared as they are written.
bool Scanner::key() {
  const std::size_t begin = at_;
  if (!string()) return false;
  if (depth_ == 1) {
    const std::string_view name = text_.substr(begin + 1, at_ - begin - 2);
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (name == wanted_[i]) keys_[i] = JsonKey{begin, at_ - begin};
    }
  }
  skip_blanks();
  return take(':');
}

bool Scanner::open(bool is_object) noexcept {
  if (depth_ == kNestingMax) return false;
  is_object_[depth_++] = is_object;
  return true;
}

// One value; a list or an object is entered, not read to its end.
bool Scanner::value(bool& is_done) {
  skip_blanks();
  if (take('[')) {
    if (!open(false)) return false;
    skip_blanks();
    if (!take(']')) return true;  // its first value follows
    --depth_;
    return after_value(is_done);
  }
  if (take('{')) {
    if (!open(true)) return false;
    skip_blanks();
    if (!take('}')) return key();
    --depth_;
    return after_value(is_done);
  }
  return scalar() && after_value(is_done);
}

// Closes what ends here, until another value must follow or the document is over.
bool Scanner::after_value(bool& is_done) {
  for (;;) {
    skip_blanks();
    if (depth_ == 0) {
      is_done = true;
      return at_ == text_.size();
    }
    const bool in_object = is_object_[depth_ - 1];
    if (take(',')) {
      skip_blanks();
      return !in_object || key();
    }
    if (!take(in_object ? '}' : ']')) return false;
    --depth_;
  }
}

Result<std::vector<JsonKey>> Scanner::scan() {
  bool is_done = false;
  while (!is_done) {
    if (!value(is_done)) {
      return fail(Blame::kClient, "invalid character in JSON at byte " + std::to_string(at_));
    }
  }
  return std::move(keys_);
}

}  // namespace

Result<std::vector<JsonKey>> find_json_keys(std::string_view text,
                                            const std::vector<std::string_view>& wanted) {
  return Scanner(text, wanted).scan();
}

}  // namespace sluice::executor
