#include "resource/check.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>

#include "base/text.h"
#include "resource/duration.h"
#include "resource/parse.h"
#include "resource/print.h"
#include "resource/schema.h"

namespace sluice::resource {

namespace {

constexpr std::size_t kSaidMax = 200;  // of one object; whoever has that many has one cause
constexpr std::size_t kValuesShown = 12;

// "a map", "the text \"1\"", "the number 5": what is there, for a message.
std::string described(const Value& value) {
  if (const std::string* text = value.as_string()) {
    return text->empty() ? "empty text" : "the text " + json_quoted(shorten(*text));
  }
  if (value.is_bool()) return value.flag() ? "the boolean true" : "the boolean false";
  if (value.is_number()) return "the number " + to_json(value);
  if (value.is_list()) return "a list";
  return value.is_map() ? "a map" : "null";
}

std::string_view expected(const Schema& schema) noexcept {
  switch (schema.type) {
    case Type::kBoolean:
      return "true or false";
    case Type::kInteger32:
    case Type::kInteger64:
      return "a whole number";
    case Type::kNumber:
      return "a number";
    case Type::kString:
      return "text";
    case Type::kBytes:
      return "base64 text";
    case Type::kIntOrString:
      return "a whole number or text";
    case Type::kQuantity:
      return "a quantity such as \"500m\" or \"1Gi\"";
    case Type::kDuration:
      return "a duration such as \"1.5s\"";
    case Type::kTime:
      return "a time such as \"2026-01-02T03:04:05Z\"";
    case Type::kList:
      return "a list";
    case Type::kMap:
    case Type::kObject:
      return "a map";
    case Type::kAny:
      break;
  }
  return "anything";
}

bool is_text_type(Type type) noexcept {
  return type == Type::kString || type == Type::kBytes || type == Type::kDuration ||
         type == Type::kTime;
}

bool has_type(const Value& value, const Schema& schema) noexcept {
  switch (schema.type) {
    case Type::kAny:
      return true;
    case Type::kBoolean:
      return value.is_bool();
    case Type::kInteger32:
    case Type::kInteger64:
      return value.is_int();
    case Type::kNumber:
      return value.is_number();
    case Type::kIntOrString:
      return value.is_int() || value.is_string();
    case Type::kQuantity:
      return value.is_number() || value.is_string();
    case Type::kList:
      return value.is_list();
    case Type::kMap:
    case Type::kObject:
      return value.is_map();
    default:
      return value.is_string();
  }
}

// What to write instead.
std::string type_hint(const Value& value, const Schema& schema) {
  const bool wants_number = schema.type == Type::kInteger32 || schema.type == Type::kInteger64 ||
                            schema.type == Type::kNumber;
  if (schema.type == Type::kDuration && value.is_number()) {
    return fmt::format("say the unit: \"{}s\"", to_json(value));
  }
  if (is_text_type(schema.type) && (value.is_bool() || value.is_number())) {
    return "put it in quotes";  // not "quote it: true": it may have been written on, or 0777
  }
  if (const std::string* text = value.as_string(); text != nullptr && !text->empty()) {
    const bool numeric = text->find_first_not_of("0123456789") == std::string::npos;
    if (wants_number && numeric) return fmt::format("write {} without quotes", shorten(*text));
    if (schema.type == Type::kBoolean && (*text == "true" || *text == "false")) {
      return fmt::format("write {} without quotes", *text);
    }
    const auto equals = text->find('=');
    if (schema.type == Type::kMap && equals != std::string::npos && equals + 1 < text->size()) {
      return fmt::format("write {}: {}", shorten(text->substr(0, equals)),
                         shorten(text->substr(equals + 1)));
    }
  }
  if (schema.type == Type::kList) {
    const bool is_short = !value.is_map() && to_json(value).size() < 64;
    return is_short ? fmt::format("write [{}]", to_json(value))
                    : "put \"- \" in front of each item";
  }
  if (schema.type == Type::kObject && value.is_int() && schema.find("number") != nullptr) {
    return fmt::format("write {{number: {}}}", value.integer());
  }
  if ((schema.type == Type::kObject || schema.type == Type::kMap) && value.is_list()) {
    return "remove the \"- \"";
  }
  return {};
}

bool is_base64(std::string_view text) noexcept {
  std::size_t digits = 0;
  std::size_t pads = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r') continue;  // Go's decoder passes over line breaks
    const bool digit = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '+' || c == '/';
    if (c == '=') {
      ++pads;
    } else if (!digit || pads > 0) {
      return false;
    }
    ++digits;
  }
  return digits % 4 == 0 && pads <= 2;
}

class Checker {
 public:
  Checker(const Object& object, const KindSpec& kind) : object_(object), kind_(kind) {}

  Diagnostics run() {
    check_version();
    check_value(object_.root, *kind_.root);
    check_metadata();
    if (kind_.kind == "SeldonDeployment") check_prefixes();
    std::stable_sort(said_.begin(), said_.end(), [](const Diagnostic& a, const Diagnostic& b) {
      return a.place.line != b.place.line ? a.place.line < b.place.line
                                          : a.place.column < b.place.column;
    });
    return std::move(said_);
  }

 private:
  void say(Place place, Severity severity, std::string code, std::string what,
           std::string hint = {}) {
    if (said_.size() >= kSaidMax) return;
    Value at;
    at.place = place;
    said_.push_back(
        about(object_, at, path_, severity, std::move(code), std::move(what), std::move(hint)));
  }

  void check_version();
  void check_metadata();
  void check_prefixes();
  void check_prefix(const Value& map, std::string path);
  void check_name(const Value& name, NameRule rule, std::string_view path);
  void check_labels(const Value& map, std::string_view path, bool are_labels);
  void check_value(const Value& value, const Schema& schema);
  void check_object(const Value& value, const Schema& schema);
  void check_member(const Member& member, const Schema& schema);
  void check_one_of(const Value& value, const Schema& schema);
  void check_scalar(const Value& value, const Schema& schema);
  void check_enum(const Value& value, const Schema& schema);
  void unknown_field(const Member& member, const Schema& schema);

  const Object& object_;
  const KindSpec& kind_;
  Diagnostics said_;
  std::string path_;
  std::vector<const Schema*> above_;  // the schemas of the objects that we are in
  std::vector<std::size_t> lengths_;  // of path_ at each of them
};

void Checker::check_version() {
  const std::string_view version = object_.version();
  for (const std::string_view known : kind_.versions) {
    if (known == version) return;
  }
  std::string all;
  for (const std::string_view known : kind_.versions) {
    if (!all.empty()) all += ", ";
    if (!kind_.group.empty()) all += std::string(kind_.group) + "/";
    all += known;
  }
  path_ = "apiVersion";
  say(object_.root.at("apiVersion").place, Severity::kError, "unknown-version",
      fmt::format("{} has no version \"{}\"", kind_.kind, shorten(version)), "write " + all);
  path_.clear();
}

void Checker::check_name(const Value& name, NameRule rule, std::string_view path) {
  const std::string* text = name.as_string();
  if (text == nullptr) return;
  const std::string_view fault = rule == NameRule::kLabel       ? fault_of_label(*text)
                                 : rule == NameRule::kLabel1035 ? fault_of_label_1035(*text)
                                                                : fault_of_subdomain(*text);
  if (fault.empty()) return;
  path_ = path;
  say(name.place, Severity::kError, "bad-name",
      fmt::format("\"{}\" is no name that Kubernetes accepts: {}", shorten(*text), fault));
  path_.clear();
}

// The part of a label's or annotation's key behind the slash, and a label's value: letters, digits,
// and
// "-", "_", "." within.
bool is_qualified_part(std::string_view text) noexcept {
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty() || text.size() > 63) return false;
  if (!alphanumeric(text.front()) || !alphanumeric(text.back())) return false;
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

void Checker::check_labels(const Value& map, std::string_view path, bool are_labels) {
  for (const Member& member : map.map()) {
    std::string_view name = member.key;
    bool good = true;
    if (const auto slash = name.find('/'); slash != std::string_view::npos) {
      // API servers take prefixes without regard to case in annotations, so do we in both.
      good = fault_of_subdomain(to_lower(name.substr(0, slash))).empty();
      name.remove_prefix(slash + 1);
    }
    path_ = std::string(path) + "." + shorten(member.key);
    if (!good || !is_qualified_part(name)) {
      say(member.key_place, Severity::kError, "bad-key",
          fmt::format("\"{}\" is no key that Kubernetes accepts", shorten(member.key)),
          "an optional DNS prefix and \"/\", then letters, digits, \"-\", \"_\", \".\"; up to 63 "
          "characters");
    }
    const std::string_view value = member.value.text();
    if (are_labels && !value.empty() && !is_qualified_part(value)) {
      say(member.value.place, Severity::kError, "bad-label",
          fmt::format("\"{}\" is no label value that Kubernetes accepts", shorten(value)),
          "letters, digits, \"-\", \"_\", \".\"; up to 63 characters");
    }
  }
  path_.clear();
}

void Checker::check_metadata() {
  const Value& metadata = object_.metadata();
  if (object_.name.empty()) {
    path_ = "metadata.name";
    const Value& generated = metadata.at("generateName");
    const Place place = metadata.place.line != 0 ? metadata.place : object_.root.place;
    say(place, Severity::kError, "missing-field", "name is missing",
        generated.is_string() ? "generateName works with kubectl create only; give it a name" : "");
    path_.clear();
  }
  check_name(metadata.at("name"), kind_.name_rule, "metadata.name");
  check_name(metadata.at("namespace"), NameRule::kLabel, "metadata.namespace");
  check_labels(metadata.at("labels"), "metadata.labels", true);
  check_labels(metadata.at("annotations"), "metadata.annotations", false);
}

// An annotation whose prefix is nearly Seldon's. Which names exist behind the prefix is known to
// compile.
void Checker::check_prefix(const Value& map, std::string path) {
  constexpr std::string_view kPrefix = "seldon.io";
  for (const Member& member : map.map()) {
    const std::string_view prefix = std::string_view(member.key).substr(0, member.key.find('/'));
    if (prefix.size() == member.key.size() || prefix == kPrefix) continue;
    if (edit_distance(prefix, kPrefix, 3) > 2) continue;
    path_ = path + "." + shorten(member.key);
    say(member.key_place, Severity::kWarning, "annotation-unknown",
        fmt::format("nothing reads annotations of {}/", shorten(prefix)),
        fmt::format("did you mean \"{}{}\"?", kPrefix, shorten(member.key.substr(prefix.size()))));
  }
  path_.clear();
}

void Checker::check_prefixes() {
  check_prefix(object_.metadata().at("annotations"), "metadata.annotations");
  check_prefix(object_.spec().at("annotations"), "spec.annotations");
  std::size_t index = 0;
  for (const Value& predictor : object_.spec().at("predictors").list()) {
    check_prefix(predictor.at("annotations"),
                 fmt::format("spec.predictors[{}].annotations", index++));
  }
}

void Checker::check_value(const Value& value, const Schema& schema) {
  if (value.is_null()) {
    const bool matters = kind_.is_custom && !path_.empty() && !path_.starts_with("metadata") &&
                         !path_.ends_with("creationTimestamp") && schema.type != Type::kAny;
    if (matters) {
      say(value.place, Severity::kWarning, "null-value",
          "nothing is written here; it is taken as absent, and API servers may refuse it",
          fmt::format("write {}, or remove the key", expected(schema)));
    }
    return;
  }
  if (!has_type(value, schema)) {
    say(value.place, Severity::kError, "wrong-type",
        fmt::format("{} is expected; this is {}", expected(schema), described(value)),
        type_hint(value, schema));
    return;
  }
  const std::size_t length = path_.size();
  switch (schema.type) {
    case Type::kObject:
      check_object(value, schema);
      break;
    case Type::kList: {
      std::size_t index = 0;
      for (const Value& item : value.list()) {
        path_ += fmt::format("[{}]", index++);
        check_value(item, *schema.element);
        path_.resize(length);
      }
      break;
    }
    case Type::kMap:
      for (const Member& member : value.map()) {
        path_ += "." + shorten(member.key);
        check_value(member.value, *schema.element);
        path_.resize(length);
      }
      break;
    case Type::kAny:
      break;
    default:
      check_scalar(value, schema);
  }
}

void Checker::check_object(const Value& value, const Schema& schema) {
  above_.push_back(&schema);
  lengths_.push_back(path_.size());
  for (const Member& member : value.map()) check_member(member, schema);
  for (const FieldSpec& field : schema.fields) {
    if (!field.required || !value.at(field.name).is_null()) continue;
    const std::size_t length = path_.size();
    if (length > 0) path_ += '.';
    path_ += field.name;
    const Member* empty = value.map().member(field.name);
    say(empty != nullptr ? empty->key_place : value.place, Severity::kError, "missing-field",
        empty != nullptr ? fmt::format("{} has no value", field.name)
                         : fmt::format("{} is missing", field.name),
        fmt::format("{} is expected", expected(*field.schema)));
    path_.resize(length);
  }
  check_one_of(value, schema);
  above_.pop_back();
  lengths_.pop_back();
}

void Checker::check_member(const Member& member, const Schema& schema) {
  const FieldSpec* field = schema.find(member.key);
  const std::size_t length = path_.size();
  if (length > 0) path_ += '.';
  path_ += shorten(member.key);
  if (field == nullptr) {
    unknown_field(member, schema);
  } else if (above_.size() == 1 && field->name == "status") {
    // What a server wrote is not the user's to correct.
  } else if (!(field->required && member.value.is_null())) {
    if (field->note == Note::kIgnored) {
      say(member.key_place, Severity::kWarning, "ignored-field", "this field has no effect",
          std::string(field->text));
    }
    check_value(member.value, *field->schema);
  }
  path_.resize(length);
}

void Checker::check_one_of(const Value& value, const Schema& schema) {
  for (const auto group : schema.one_of) {
    const Member* first = nullptr;
    for (const Member& member : value.map()) {
      if (member.value.is_null()) continue;
      if (std::find(group.begin(), group.end(), member.key) == group.end()) continue;
      if (first == nullptr) {
        first = &member;
        continue;
      }
      const std::size_t length = path_.size();
      if (length > 0) path_ += '.';
      path_ += member.key;
      say(member.key_place, Severity::kError, "exclusive-fields",
          fmt::format("{} and {} can't stand together", first->key, member.key),
          fmt::format("keep one of the two; {} is at line {}", first->key, first->key_place.line));
      path_.resize(length);
      break;
    }
  }
}

void Checker::check_enum(const Value& value, const Schema& schema) {
  const std::string_view text = value.text();
  if (schema.open) return;
  if (std::find(schema.values.begin(), schema.values.end(), text) != schema.values.end()) return;
  std::string all;
  std::vector<std::string_view> candidates;
  for (const std::string_view known : schema.values) {
    if (known.empty()) continue;
    candidates.push_back(known);
    if (candidates.size() > kValuesShown) continue;
    if (!all.empty()) all += ", ";
    all += known;
  }
  if (candidates.size() > kValuesShown) all += ", ...";
  const std::string_view near = nearest(text, candidates);
  say(value.place, Severity::kError, "unknown-value",
      fmt::format("\"{}\" is not one of {}", shorten(text), all),
      near.empty() ? std::string() : fmt::format("did you mean \"{}\"?", near));
}

void Checker::check_scalar(const Value& value, const Schema& schema) {
  const auto wrong = [&](std::string code, std::string hint = {}) {
    say(value.place, Severity::kError, std::move(code),
        fmt::format("{} is expected; this is {}", expected(schema), described(value)),
        std::move(hint));
  };
  const std::int64_t number = value.integer();
  switch (schema.type) {
    case Type::kInteger32:
    case Type::kInteger64: {
      const bool narrow = schema.type == Type::kInteger32;
      const std::int64_t low =
          narrow ? std::max<std::int64_t>(schema.minimum, INT32_MIN) : schema.minimum;
      const std::int64_t high =
          narrow ? std::min<std::int64_t>(schema.maximum, INT32_MAX) : schema.maximum;
      if (number < low || number > high) {
        say(value.place, Severity::kError, "out-of-range",
            fmt::format("{} is not between {} and {}", number, low, high));
      }
      break;
    }
    case Type::kString:
      if (!schema.values.empty()) check_enum(value, schema);
      break;
    case Type::kBytes:
      if (!is_base64(value.text())) {
        wrong("bad-base64", object_.kind == "Secret" ? "plain text goes into stringData" : "");
      }
      break;
    case Type::kQuantity:
      if (value.is_string() && !is_quantity(value.text())) wrong("bad-quantity");
      // Kubernetes' own kinds take 0.5; a CRD can say "integer or text" only.
      if (value.is_double() && kind_.is_custom) wrong("bad-quantity", "put it in quotes");
      break;
    case Type::kDuration: {
      const auto duration = parse_duration(value.text());
      const bool bare = !value.text().empty() &&
                        value.text().find_first_not_of("0123456789.") == std::string_view::npos;
      if (!duration) {
        wrong("bad-duration", bare ? fmt::format("say the unit: \"{}s\"", value.text()) : "");
      } else if (*duration < std::chrono::milliseconds(1)) {
        wrong("bad-duration", "1ms is the least");
      }
      break;
    }
    default:
      break;
  }
}

// Whether a field of that name exists in an object below `schema`; `path` receives the way to it.
bool find_below(const Schema& schema, std::string_view name, unsigned depth, std::string& path) {
  for (const FieldSpec& field : schema.fields) {
    const bool is_list = field.schema->type == Type::kList;
    const Schema* inner = is_list ? field.schema->element : field.schema;
    if (inner->type != Type::kObject || inner == &schema) continue;
    std::string here = std::string(field.name) + (is_list ? "[]" : "");
    if (inner->find(name) != nullptr) {
      path = std::move(here);
      return true;
    }
    std::string rest;
    if (depth > 1 && find_below(*inner, name, depth - 1, rest)) {
      path = here + "." + rest;
      return true;
    }
  }
  return false;
}

void Checker::unknown_field(const Member& member, const Schema& schema) {
  if (said_.size() >= kSaidMax) return;  // looking for what was meant costs more than saying it
  std::vector<std::string_view> names;
  for (const FieldSpec& field : schema.fields) names.push_back(field.name);
  const std::string_view near = nearest(member.key, names);
  const std::string here = path_.substr(0, lengths_.back());
  std::string hint;
  std::string below;
  if (!near.empty() && edit_distance(near, member.key, 2) < 2) {
    hint = fmt::format("did you mean \"{}\"?", near);
  } else if (above_.size() > 1 && above_[above_.size() - 2]->find(member.key) != nullptr) {
    const std::string outer = path_.substr(0, lengths_[lengths_.size() - 2]);
    hint = outer.empty() ? "it belongs one level further out"
                         : fmt::format("it belongs one level further out, under {}", outer);
  } else if (find_below(schema, member.key, 1, below) || find_below(schema, member.key, 2, below)) {
    hint = fmt::format("it belongs under {}{}{}", here, here.empty() ? "" : ".", below);
  } else if (!near.empty()) {
    hint = fmt::format("did you mean \"{}\"?", near);
  }
  say(member.key_place, Severity::kWarning, "unknown-field",
      "there is no such field; it is ignored", std::move(hint));
}

std::string place_text(const Object& object) {
  std::string text = object.file != nullptr ? *object.file : std::string();
  if (object.root.place.line != 0) text += fmt::format(":{}", object.root.place.line);
  return text.empty() ? "before" : text;
}

std::string api_version_of(const KindSpec& kind) {
  return fmt::format("{}{}{}", kind.group, kind.group.empty() ? "" : "/", kind.versions.front());
}

// The kind that was probably meant by one that is not known: the same name in a group that is spelt
// nearly so, or in no group; or nearly the same name in the same group. nullptr: it is somebody
// else's.
const KindSpec* meant_kind(const Object& object) {
  constexpr unsigned kSlips = 3;
  std::vector<std::string_view> names;
  for (const KindSpec& known : kinds()) {
    const bool same_name = equal_ignoring_case(known.kind, object.kind);
    if (same_name && (object.group().empty() || known.kind == "SeldonDeployment" ||
                      edit_distance(known.group, object.group(), kSlips + 1) <= kSlips)) {
      return &known;
    }
    if (known.group == object.group()) names.push_back(known.kind);
  }
  const std::string_view near = nearest(object.kind, names);
  return near.empty() ? nullptr : find_kind(object.group(), near);
}

// Kinds that exist elsewhere are skipped with a warning. One that no API server can know is an
// error: it would be missed.
Diagnostic unknown_kind(const Object& object) {
  const KindSpec* meant = meant_kind(object);
  std::string hint;
  if (meant != nullptr && meant->group != object.group()) {
    hint = fmt::format("did you mean apiVersion: {}?", api_version_of(*meant));
  } else if (meant != nullptr) {
    hint = fmt::format("did you mean \"{}\"?", meant->kind);
  }
  const bool exists_nowhere = object.group() == "machinelearning.seldon.io" ||
                              (meant != nullptr && meant->group != object.group());
  const Value& at = object.root.at("kind");
  return about(object, at, "kind", exists_nowhere ? Severity::kError : Severity::kWarning,
               "unknown-kind",
               fmt::format("objects of kind {} ({}) are skipped", shorten(object.kind),
                           shorten(object.api_version)),
               std::move(hint));
}

}  // namespace

bool is_known(const Object& object) noexcept {
  return find_kind(object.group(), object.kind) != nullptr;
}

Diagnostics check(const Object& object) {
  const KindSpec* kind = find_kind(object.group(), object.kind);
  if (kind == nullptr) return {};
  return Checker(object, *kind).run();
}

Diagnostics check_set(const std::vector<Object>& objects) {
  Diagnostics said;
  std::unordered_map<ObjectKey, const Object*> seen;
  std::unordered_map<std::string, bool> kinds_said;
  for (const Object& object : objects) {
    if (!is_known(object)) {
      if (kinds_said.emplace(object.api_version + " " + object.kind, true).second) {
        said.push_back(unknown_kind(object));
      }
      continue;
    }
    if (object.name.empty()) continue;
    const auto [first, added] = seen.emplace(object.key(), &object);
    if (added) continue;
    // Word for word the same: nothing is lost whichever counts.
    const bool same = object == *first->second;
    said.push_back(about(
        object, object.root, {}, same ? Severity::kWarning : Severity::kError, "duplicate-object",
        fmt::format("this object is here for the second time{}; the first is at {}",
                    same ? "" : ", and differs", place_text(*first->second)),
        same ? "" : "keep one of the two, or give one another name"));
  }
  return said;
}

}  // namespace sluice::resource
