// libyaml's events to values. libyaml is the C original of which go-yaml, and so kubectl, is a
// translation: what one accepts the other accepts (docs/adr/0006-yaml-library.md).
#include <fmt/core.h>
#include <yaml.h>

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "resource/parse.h"
#include "resource/scalar.h"

namespace sluice::resource {

namespace {

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";
constexpr std::size_t kTextPerValue = 64;  // bytes of text that count as one value in a budget

struct Event {  // a yaml_event_t that is never forgotten
  yaml_event_t raw{};
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&raw); }
};

std::string_view view(const yaml_char_t* text) noexcept {
  return text == nullptr ? std::string_view()
                         : std::string_view(reinterpret_cast<const char*>(text));
}

std::size_t cost(const Value& value) {
  if (const std::string* text = value.as_string()) return 1 + text->size() / kTextPerValue;
  std::size_t sum = 1;
  for (const Value& item : value.list()) sum += cost(item);
  for (const Member& member : value.map()) {
    sum += cost(member.value) + member.key.size() / kTextPerValue;
  }
  return sum;
}

unsigned height(const Value& value) {
  unsigned highest = 0;
  for (const Value& item : value.list()) highest = std::max(highest, height(item));
  for (const Member& member : value.map()) highest = std::max(highest, height(member.value));
  return value.is_list() || value.is_map() ? highest + 1 : 0;
}

struct Anchor {
  Value value;
  std::size_t cost = 0;
  unsigned height = 0;
  bool open = true;       // still being read: an alias to it would contain itself
  bool is_plain = false;  // a scalar that may serve as a key
  std::string key;
};

// An open list or map.
struct Frame {
  Value container;
  std::string anchor;
  std::string key;  // of a map: what the next value belongs to
  Place key_place;
  bool has_key = false;
  bool is_merge = false;                   // the key is "<<"
  std::unordered_set<std::string> merged;  // keys that came by "<<": they may be written once more
  KeySet keys;
};

class Builder {
 public:
  Builder(std::string_view text, std::uint32_t first_line, Budget& budget)
      : text_(text), first_line_(first_line), budget_(budget) {}

  Parsed run() {
    if (yaml_parser_initialize(&parser_) == 0) {
      fail_with("out-of-memory", Place{first_line_, 1}, "no memory to parse this");
      return std::move(parsed_);
    }
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text_.data()),
                                 text_.size());
    for (;;) {
      Event event;
      if (yaml_parser_parse(&parser_, &event.raw) == 0) {
        syntax_error();
        break;
      }
      if (event.raw.type == YAML_STREAM_END_EVENT) break;
      if (!handle(event.raw)) break;
    }
    yaml_parser_delete(&parser_);
    if (parsed_.failure) salvage();
    return std::move(parsed_);
  }

 private:
  Place place(const yaml_mark_t& mark) const noexcept {
    return Place{static_cast<std::uint32_t>(mark.line) + first_line_,
                 static_cast<std::uint32_t>(mark.column) + 1};
  }

  bool fail_with(std::string code, Place where, std::string what, std::string hint = {}) {
    parsed_.failure =
        problem(Severity::kError, std::move(code), where, path(), std::move(what), std::move(hint));
    return false;
  }
  bool limit(std::string code, Place where, std::string what, std::string hint) {
    parsed_.out_of_budget = true;
    return fail_with(std::move(code), where, std::move(what), std::move(hint));
  }
  void note(Severity severity, std::string code, Place where, std::string field, std::string what,
            std::string hint) {
    report(document_, budget_,
           problem(severity, std::move(code), where, std::move(field), std::move(what),
                   std::move(hint)));
  }

  // The field that is being read: "spec.predictors[1].traffic".
  std::string path() const {
    std::string result;
    for (const Frame& frame : frames_) {
      if (const List* list = frame.container.as_list()) {
        result += fmt::format("[{}]", list->size());
      } else if (frame.has_key) {
        if (!result.empty()) result += '.';
        result += shorten(frame.key);
      }
    }
    return result;
  }

  bool handle(const yaml_event_t& event);
  bool begin_document(const yaml_event_t& event);
  bool begin(const yaml_event_t& event, Value container, const yaml_char_t* anchor);
  bool end();
  bool scalar(const yaml_event_t& event);
  bool alias(const yaml_event_t& event);
  bool key(std::string text, Place where, bool is_merge);
  bool put(Value value);
  void merge(Frame& frame, const Value& source);
  void take_merged(Frame& frame, const Value& source, std::unordered_set<std::string>& taken);
  Value scalar_value(const yaml_event_t& event, std::string_view text, Place where);
  void warn_surprise(Surprise surprise, std::string_view text, const Value& value, Place where);
  bool expects_key() const noexcept {
    return !frames_.empty() && frames_.back().container.is_map() && !frames_.back().has_key;
  }
  bool keep_anchor(const std::string& name, const Value& value);
  void syntax_error();
  void salvage();
  std::string_view line_text(std::uint32_t line) const noexcept;

  const std::string_view text_;
  const std::uint32_t first_line_;
  Budget& budget_;
  yaml_parser_t parser_{};
  Parsed parsed_;
  Document document_;
  std::vector<Frame> frames_;
  std::unordered_map<std::string, Anchor> anchors_;
};

bool Builder::handle(const yaml_event_t& event) {
  switch (event.type) {
    case YAML_DOCUMENT_START_EVENT:
      return begin_document(event);
    case YAML_DOCUMENT_END_EVENT:
      parsed_.documents.push_back(std::move(document_));
      document_ = Document{};
      return true;
    case YAML_SEQUENCE_START_EVENT:
      return begin(event, Value(List{}), event.data.sequence_start.anchor);
    case YAML_MAPPING_START_EVENT:
      return begin(event, Value(Map{}), event.data.mapping_start.anchor);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
      return end();
    case YAML_SCALAR_EVENT:
      return scalar(event);
    case YAML_ALIAS_EVENT:
      return alias(event);
    default:
      return true;
  }
}

bool Builder::begin_document(const yaml_event_t& event) {
  if (budget_.documents == 0) {
    return limit("too-many-documents", place(event.start_mark),
                 fmt::format("more than {} documents in one file", limits::kDocumentsMax),
                 "split the file");
  }
  --budget_.documents;
  document_ = Document{};
  frames_.clear();
  anchors_.clear();
  return true;
}

bool Builder::begin(const yaml_event_t& event, Value container, const yaml_char_t* anchor) {
  const Place where = place(event.start_mark);
  if (frames_.size() >= budget_.nesting) {
    return limit("too-deep", where,
                 fmt::format("lists and maps nest more than {} deep", limits::kDocumentNestingMax),
                 {});
  }
  if (expects_key()) {
    return fail_with(
        "yaml-key", where, "a list or a map is used as a key",
        "keys are text; does a template still have to be rendered, such as {{ name }}?");
  }
  Frame frame;
  frame.container = std::move(container);
  frame.container.place = where;
  frame.anchor = view(anchor);
  if (!frame.anchor.empty()) anchors_.insert_or_assign(frame.anchor, Anchor{});
  frames_.push_back(std::move(frame));
  return true;
}

bool Builder::end() {
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  if (!frame.anchor.empty() && !keep_anchor(frame.anchor, frame.container)) return false;
  return put(std::move(frame.container));
}

bool Builder::put(Value value) {
  if (budget_.values == 0) {
    return limit("too-many-values", value.place,
                 fmt::format("more than {} values in one file", limits::kDocumentValuesMax),
                 "split the file");
  }
  --budget_.values;
  if (frames_.empty()) {
    document_.root = std::move(value);
    return true;
  }
  Frame& frame = frames_.back();
  if (List* list = frame.container.as_list()) {
    list->push_back(std::move(value));
    return true;
  }
  if (frame.is_merge) {
    merge(frame, value);
  } else {
    Map& map = *frame.container.as_map();
    const Member* first = frame.keys.find(map, frame.key);
    if (first != nullptr && frame.merged.erase(frame.key) > 0) {
      map.set(frame.key, std::move(value));  // written after the merge: it wins
      map.begin()[first - map.begin()].key_place = frame.key_place;
    } else if (first != nullptr) {
      Diagnostic diagnostic = duplicate_key(*first, frame.key_place, path());
      // "graph:" with nothing under it, and its keys one level too far out.
      const Member& last = *(map.end() - 1);
      if (last.value.is_null() && &last != first) {
        diagnostic.hint =
            fmt::format("{} at line {} has no value: shall this be indented under it?",
                        shorten(last.key), last.key_place.line);
      }
      report(document_, budget_, std::move(diagnostic));
    } else {
      map.append(std::move(frame.key), std::move(value), frame.key_place);
      frame.keys.added(map);
    }
  }
  frame.has_key = false;
  frame.is_merge = false;
  return true;
}

bool Builder::key(std::string text, Place where, bool is_merge) {
  Frame& frame = frames_.back();
  frame.key = std::move(text);
  frame.key_place = where;
  frame.has_key = true;
  frame.is_merge = is_merge;
  return true;
}

// "<<", as go-yaml v2 and so kubectl do it: in the order written. Keys behind the merge win over
// it, and it wins over keys before it, which YAML's own text says otherwise: hence the warning. Of
// a list of maps the earlier win.
void Builder::merge(Frame& frame, const Value& source) {
  std::unordered_set<std::string> taken;
  if (source.is_list()) {
    for (const Value& item : source.list()) take_merged(frame, item, taken);
  } else {
    take_merged(frame, source, taken);
  }
  frame.merged.merge(taken);
}

void Builder::take_merged(Frame& frame, const Value& source,
                          std::unordered_set<std::string>& taken) {
  if (!source.is_map()) {
    note(Severity::kError, "yaml-merge", source.place, path(),
         fmt::format("\"<<\" merges maps; this is a {}", source.type_name()), {});
    return;
  }
  Map& map = *frame.container.as_map();
  for (const Member& member : source.map()) {
    if (!taken.insert(member.key).second) continue;
    const Member* first = frame.keys.find(map, member.key);
    if (first == nullptr) {
      map.append(member.key, member.value, member.key_place);
      frame.keys.added(map);
      continue;
    }
    if (!frame.merged.contains(member.key)) {
      note(Severity::kWarning, "yaml-merge", frame.key_place, path(),
           fmt::format("this replaces \"{}\", which is written at line {}", shorten(member.key),
                       first->key_place.line),
           "put \"<<\" before the keys that shall win");
    }
    map.begin()[first - map.begin()].value = member.value;
  }
}

bool Builder::keep_anchor(const std::string& name, const Value& value) {
  Anchor anchor;
  anchor.cost = cost(value);
  anchor.height = height(value);
  if (anchor.cost > budget_.values) {
    return limit("too-many-values", value.place,
                 fmt::format("more than {} values in one file", limits::kDocumentValuesMax),
                 "split the file, or use fewer anchors");
  }
  budget_.values -= anchor.cost;
  anchor.value = value;
  anchor.open = false;
  anchors_.insert_or_assign(name, std::move(anchor));
  return true;
}

bool Builder::alias(const yaml_event_t& event) {
  const std::string name(view(event.data.alias.anchor));
  const Place where = place(event.start_mark);
  const auto found = anchors_.find(name);
  if (found == anchors_.end()) {
    return fail_with("yaml-alias", where,
                     fmt::format("there is no anchor \"&{}\" before this", shorten(name)),
                     "if a star was meant, put the text in quotes");
  }
  const Anchor& anchor = found->second;
  if (anchor.open) {
    return fail_with("yaml-alias", where,
                     fmt::format("\"*{}\" stands inside of \"&{}\"", shorten(name), shorten(name)),
                     "a value can't contain itself");
  }
  if (anchor.cost > budget_.alias_values) {
    return limit("too-many-aliases", where,
                 fmt::format("aliases make more than {} values in one file",
                             limits::kDocumentAliasValuesMax),
                 "write the values out, or split the file");
  }
  budget_.alias_values -= anchor.cost;
  if (frames_.size() + anchor.height > budget_.nesting) {
    return limit("too-deep", where,
                 fmt::format("lists and maps nest more than {} deep", limits::kDocumentNestingMax),
                 {});
  }
  if (expects_key()) {
    if (!anchor.is_plain) return fail_with("yaml-key", where, "a list or a map is used as a key");
    return key(anchor.key, where, false);
  }
  Value copy = anchor.value;
  copy.place = where;
  return put(std::move(copy));
}

bool Builder::scalar(const yaml_event_t& event) {
  const auto& data = event.data.scalar;
  const std::string_view text(reinterpret_cast<const char*>(data.value), data.length);
  Place where = place(event.start_mark);
  const bool plain = data.style == YAML_PLAIN_SCALAR_STYLE;
  if (expects_key() && plain && text == "<<" && data.tag == nullptr) {
    return key("<<", where, true);
  }
  if (text.empty() && plain && !frames_.empty() && frames_.back().has_key) {
    where = frames_.back().key_place;  // "key:" with nothing after it: the key is what is there
  }
  Value value = scalar_value(event, text, where);
  value.place = where;
  std::string key_text;
  if (expects_key() || data.anchor != nullptr) {
    if (value.is_string()) {
      key_text = *value.as_string();
    } else if (value.is_bool()) {
      key_text = value.flag() ? "true" : "false";
    } else if (value.is_int()) {
      key_text = std::to_string(value.integer());
    } else {
      key_text = text;
    }
  }
  if (data.anchor != nullptr) {
    const std::string name(view(data.anchor));
    const bool value_is_null = value.is_null();
    if (!keep_anchor(name, value)) return false;
    Anchor& anchor = anchors_[name];
    anchor.is_plain = !value_is_null;
    anchor.key = key_text;
  }
  if (!expects_key()) return put(std::move(value));
  if (value.is_null()) {
    return fail_with("yaml-key", where, "a key is missing, or null",
                     "keys are text; put it in quotes");
  }
  return key(std::move(key_text), where, false);
}

void Builder::warn_surprise(Surprise surprise, std::string_view whole, const Value& value,
                            Place where) {
  const std::string text = shorten(whole);
  const bool is_key = expects_key();
  const std::string_view owner =
      !is_key && !frames_.empty() ? std::string_view(frames_.back().key) : std::string_view();
  std::string field = path();
  if (is_key) field += (field.empty() ? "" : ".") + text;
  switch (surprise) {
    case Surprise::kNone:
      return;
    case Surprise::kBooleanWord:
      note(Severity::kWarning, "yaml-boolean", where, std::move(field),
           is_key ? fmt::format("the key {} without quotes is read as \"{}\"", text, value.flag())
                  : fmt::format("{} without quotes is the boolean {}", text, value.flag()),
           is_key ? fmt::format("write \"{}\"", text)
                  : fmt::format("write {}, or \"{}\" if text is meant", value.flag(), text));
      return;
    case Surprise::kOctal:
      if (owner == "mode" || owner == "defaultMode") return;  // file modes are octal on purpose
      note(Severity::kWarning, "yaml-octal", where, std::move(field),
           fmt::format("{} is octal: the number {}", text, value.integer()),
           fmt::format("write {}, or \"{}\" if text is meant", value.integer(), text));
      return;
    case Surprise::kUnderscore:
      note(Severity::kWarning, "yaml-underscore", where, std::move(field),
           fmt::format("{} without quotes is a number, without its underscores", text),
           fmt::format("write \"{}\" if text is meant", text));
      return;
    case Surprise::kNotFinite:
      note(Severity::kError, "yaml-not-finite", where, std::move(field),
           fmt::format("{} is no number that JSON, and so Kubernetes, knows", text),
           fmt::format("write \"{}\" if text is meant", text));
      return;
  }
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    std::uint32_t digit = 0;
    if (c >= 'A' && c <= 'Z') {
      digit = static_cast<std::uint32_t>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      digit = static_cast<std::uint32_t>(c - 'a') + 26;
    } else if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint32_t>(c - '0') + 52;
    } else if (c == '+' || c == '/') {
      digit = c == '+' ? 62 : 63;
    } else if (c == '=' || c == '\n' || c == '\r' || c == ' ') {
      continue;
    } else {
      return std::nullopt;
    }
    bits = (bits << 6U) | digit;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<char>((bits >> held) & 0xFFU));
    }
  }
  return out;
}

Value Builder::scalar_value(const yaml_event_t& event, std::string_view text, Place where) {
  const auto& data = event.data.scalar;
  std::string_view tag = view(data.tag);
  const bool plain = data.style == YAML_PLAIN_SCALAR_STYLE;
  if (tag.empty() || tag == "!") {
    if (!plain || tag == "!") return Value(text);
    Resolved resolved = resolve_plain(text);
    if (resolved.surprise != Surprise::kNone) {
      warn_surprise(resolved.surprise, text, resolved.value, where);
    }
    return std::move(resolved.value);
  }
  if (!tag.starts_with(kTagPrefix)) return Value(text);  // "!mine": text, as go-yaml has it
  tag.remove_prefix(kTagPrefix.size());
  if (tag == "str" || tag == "timestamp") return Value(text);
  if (tag == "binary") {
    if (const auto bytes = decode_base64(text)) return Value(repaired_utf8(*bytes));
  } else {
    Value value = resolve_plain(text).value;
    if (tag == "float" && value.is_int()) return value;
    if ((tag == "int" && value.is_int()) || (tag == "bool" && value.is_bool()) ||
        (tag == "null" && value.is_null()) || (tag == "float" && value.is_double())) {
      return value;
    }
    if (tag != "int" && tag != "bool" && tag != "null" && tag != "float") return Value(text);
  }
  note(Severity::kError, "yaml-tag", where, path(), fmt::format("this is no !!{}", tag), {});
  return Value(text);
}

std::string_view Builder::line_text(std::uint32_t line) const noexcept {
  std::string_view rest = text_;
  for (std::uint32_t i = first_line_; i < line; ++i) {
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) return {};
    rest.remove_prefix(end + 1);
  }
  return rest.substr(0, rest.find('\n'));
}

// libyaml's words for what is wrong, in ours, with what to do. Unknown ones are passed on.
void Builder::syntax_error() {
  const std::string_view said = parser_.problem == nullptr ? "unreadable" : parser_.problem;
  const std::string_view context = parser_.context == nullptr ? "" : parser_.context;
  const Place where = place(parser_.problem_mark);
  const std::uint32_t begun = place(parser_.context_mark).line;
  const std::string_view line = line_text(where.line);
  const std::size_t at = parser_.problem_mark.column;
  const char found = at < line.size() ? line[at] : '\0';
  std::string what(said), hint;
  const auto says = [&](std::string_view part) {
    return said.find(part) != std::string_view::npos;
  };

  if (line.find("{{") != std::string_view::npos) {
    what = "this is not YAML yet: a template such as {{ ... }}";
    hint = "render it first (helm template), or put it in quotes";
  } else if (says("cannot start any token") && found == '\t') {
    what = "a tab can't indent YAML";
    hint = "use blanks";
  } else if (says("cannot start any token")) {
    what = fmt::format("text can't begin with \"{}\"", found == '\0' ? "?" : std::string(1, found));
    hint = "put it in quotes";
  } else if (says("found a tab character")) {
    what = "a tab can't indent YAML";
    hint = "use blanks";
  } else if (says("mapping values are not allowed")) {
    what = "a colon where no key can be";
    hint =
        "put text that holds \": \" in quotes, or check the indentation of this line and the one "
        "before";
  } else if (says("block sequence entries are not allowed")) {
    what = "a list item where none can be";
    hint = "begin the list on a line of its own";
  } else if (says("could not find expected ':'")) {
    what = "a key without a colon";
    hint = fmt::format(
        "check line {}: a key needs \": \" after it; continued text must be indented", begun);
  } else if (says("did not find expected key")) {
    what = fmt::format("this is indented unlike the map that begins at line {}", begun);
    hint = "indent the keys of one map equally";
  } else if (says("did not find expected '-' indicator")) {
    what = fmt::format("this is no item of the list that begins at line {}", begun);
    hint = "begin items with \"- \" and indent them equally";
  } else if (says("unexpected end of stream") || says("unexpected document indicator")) {
    what = fmt::format("the quote opened at line {} is never closed", begun);
  } else if (says("did not find expected ',' or")) {
    what = fmt::format("the {} opened at line {} needs a comma or its closing bracket here",
                       says("'}'") ? "{" : "[", begun);
  } else if (says("unknown escape character")) {
    what = "an unknown escape after \"\\\"";
    hint = "use single quotes for text with backslashes";
  } else if (says("did not find expected <document start>")) {
    what = "something follows the document's end";
    hint = "is \"---\" missing, or does this line belong further in?";
  } else if (!context.empty()) {
    what = fmt::format("{} {}", said, context);
  }
  fail_with("yaml-syntax", where, std::move(what), std::move(hint));
}

// Closes what was open, so that the caller can still say which object this was to be.
void Builder::salvage() {
  while (frames_.size() > 1) {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    Frame& parent = frames_.back();
    if (List* list = parent.container.as_list()) {
      list->push_back(std::move(frame.container));
    } else if (parent.has_key && !parent.is_merge) {
      parent.container.as_map()->set(parent.key, std::move(frame.container), parent.key_place);
    }
  }
  if (!frames_.empty()) parsed_.rest = std::move(frames_.front().container);
}

}  // namespace

Parsed parse_yaml(std::string_view text, std::uint32_t first_line, Budget& budget) {
  return Builder(text, first_line, budget).run();
}

}  // namespace sluice::resource
