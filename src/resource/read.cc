#include "resource/read.h"

#include <fmt/core.h>

#include <optional>
#include <utility>

#include "base/text.h"
#include "resource/parse.h"

namespace sluice::resource {

namespace {

// A part of the file that one parser run reads.
struct Piece {
  std::string_view text;
  std::uint32_t first_line = 1;
};

// "---" (or "...") and then nothing, or a blank: no YAML value can contain such a line.
bool is_separator(std::string_view line, std::string_view marker = "---") noexcept {
  return line.starts_with(marker) && (line.size() == 3 || line[3] == ' ' || line[3] == '\t' ||
                                      line[3] == '\r' || line[3] == '\n');
}

// Directives ("%YAML 1.1") belong to the document after the separator.
bool has_only_directives(std::string_view text) noexcept {
  bool any = false;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.starts_with('%')) {
      any = true;
    } else if (const auto words = trim(line); !words.empty() && words.front() != '#') {
      return false;
    }
  }
  return any;
}

std::vector<Piece> cut(std::string_view text) {
  std::vector<Piece> pieces;
  std::size_t begin = 0;
  std::uint32_t begin_line = 1;
  std::uint32_t line = 1;
  for (std::size_t at = 0; at < text.size(); ++line) {
    const std::size_t end = text.find('\n', at);
    const std::string_view words = text.substr(at, end == std::string_view::npos ? end : end - at);
    if (at > begin && is_separator(words) && !has_only_directives(text.substr(begin, at - begin))) {
      pieces.push_back(Piece{text.substr(begin, at - begin), begin_line});
      begin = at;
      begin_line = line;
    }
    at = end == std::string_view::npos ? text.size() : end + 1;
    if (is_separator(words, "...")) {
      pieces.push_back(Piece{text.substr(begin, at - begin), begin_line});
      begin = at;
      begin_line = line + 1;
    }
  }
  if (begin < text.size()) pieces.push_back(Piece{text.substr(begin), begin_line});
  return pieces;
}

// The piece without its separator line, when it is to be read as JSON.
std::optional<Piece> as_json(Piece piece) noexcept {
  for (;;) {
    const auto at = piece.text.find_first_not_of(" \t\r\n");
    if (at == std::string_view::npos) return std::nullopt;
    if (piece.text[at] == '{' || piece.text[at] == '[') return piece;
    if (at != 0 || !is_separator(piece.text.substr(0, 4))) return std::nullopt;
    const auto end = piece.text.find('\n');
    if (end == std::string_view::npos || !trim(piece.text.substr(3, end - 3)).empty()) {
      return std::nullopt;
    }
    piece.text.remove_prefix(end + 1);
    ++piece.first_line;
  }
}

// JSON first when it begins like JSON; what is no JSON may still be YAML in flow style.
Parsed parse(const Piece& piece, Budget& budget) {
  const std::optional<Piece> json = as_json(piece);
  if (!json) return parse_yaml(piece.text, piece.first_line, budget);
  const Budget before = budget;
  Parsed as_json = parse_json(json->text, json->first_line, budget);
  if (!as_json.failure || as_json.out_of_budget) return as_json;
  budget = before;
  Parsed as_yaml = parse_yaml(piece.text, piece.first_line, budget);
  if (!as_yaml.failure || as_yaml.out_of_budget) return as_yaml;
  const auto first = json->text.find_first_not_of(" \t\r\n{[");
  const bool meant_as_json = first != std::string_view::npos && json->text[first] == '"';
  return meant_as_json ? std::move(as_json) : std::move(as_yaml);
}

class Reader {
 public:
  explicit Reader(std::shared_ptr<const std::string> file) : file_(std::move(file)) {}

  ReadResult run(std::string_view text) {
    if (text.size() > limits::kDocumentBytesMax) {
      refuse_file(problem(Severity::kError, "too-large", Place{1, 1}, {},
                          fmt::format("the file has {} bytes; {} are read at most", text.size(),
                                      limits::kDocumentBytesMax),
                          "split the file"));
      return std::move(result_);
    }
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
      refuse_file(problem(Severity::kError, "bad-character", Place{1, 1}, {}, "the file is UTF-16",
                          "save it as UTF-8"));
      return std::move(result_);
    }
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark
    for (const Piece& piece : cut(text)) {
      if (!read_piece(piece)) break;
    }
    return std::move(result_);
  }

 private:
  void say(Diagnostic diagnostic, const std::string& object) {
    if (file_ != nullptr) diagnostic.file = *file_;
    if (diagnostic.object.empty()) diagnostic.object = object;
    result_.diagnostics.push_back(std::move(diagnostic));
  }
  void refuse_file(Diagnostic diagnostic) {
    result_.complete = false;
    say(std::move(diagnostic), {});
  }
  bool read_piece(const Piece& piece);
  void take_document(Document document);
  void take_value(Value root, bool refused, const std::string& field, unsigned depth);
  void take_list(Value root, bool refused, const std::string& field, unsigned depth);
  void refuse(const Value& root);

  std::shared_ptr<const std::string> file_;
  ReadResult result_;
  Budget budget_;
};

std::string path_text(const std::string& parent, std::string_view key) {
  return parent.empty() ? std::string(key) : parent + "." + std::string(key);
}

std::string name_of(const Value& root) {
  const Value& name = root.at("metadata").at("name");
  if (name.is_int()) return std::to_string(name.integer());  // check() says that it needs quotes
  return std::string(name.text());
}

Object object_of(Value root, std::shared_ptr<const std::string> file) {
  Object object;
  object.api_version = root.at("apiVersion").text();
  object.kind = root.at("kind").text();
  object.name = name_of(root);
  object.namespace_ = root.at("metadata").at("namespace").text();
  if (object.namespace_.empty()) object.namespace_ = "default";
  object.root = std::move(root);
  object.file = std::move(file);
  return object;
}

// Of a tree that may be anything. Copies none of it but its metadata's few words.
ObjectKey key_of(const Value& root) {
  Map metadata;
  metadata.set("name", name_of(root));
  metadata.set("namespace", root.at("metadata").at("namespace").text());
  return object_of(Value(Map{{"apiVersion", Value(root.at("apiVersion").text())},
                             {"kind", Value(root.at("kind").text())},
                             {"metadata", Value(std::move(metadata))}}),
                   nullptr)
      .key();
}

std::string identity(const Value& root) {
  return root.at("kind").text().empty() ? std::string() : to_string(key_of(root));
}

bool is_list_kind(const Value& root) noexcept {
  return root.at("kind").text().ends_with("List") && root.at("items").is_list();
}

bool Reader::read_piece(const Piece& piece) {
  if (auto bad = find_bad_character(piece.text, piece.first_line)) {
    refuse_file(std::move(*bad));
    return true;
  }
  Parsed parsed = parse(piece, budget_);
  for (Document& document : parsed.documents) take_document(std::move(document));
  if (!parsed.failure) return true;
  say(std::move(*parsed.failure), identity(parsed.rest));
  refuse(parsed.rest);
  if (parsed.out_of_budget) result_.complete = false;
  return !parsed.out_of_budget;
}

// Notes which object is lost; if that can't be told, that the result is not complete.
void Reader::refuse(const Value& root) {
  if (is_list_kind(root) || root.at("kind").text().empty() || name_of(root).empty()) {
    result_.complete = false;
  } else {
    result_.refused.push_back(key_of(root));
  }
}

// Two documents that run into each other: the same top-level keys come again, apiVersion or kind
// among them. One diagnostic says so in place of one for each key.
bool lacks_separator(const Document& document, Place& place) {
  for (const Diagnostic& diagnostic : document.diagnostics) {
    if (diagnostic.code == "duplicate-key" &&
        (diagnostic.field == "apiVersion" || diagnostic.field == "kind")) {
      place = diagnostic.place;
      return true;
    }
  }
  return false;
}

void Reader::take_document(Document document) {
  const std::string object = document.diagnostics.empty() ? std::string() : identity(document.root);
  Place second;
  const bool run_together = lacks_separator(document, second);
  if (run_together) {
    say(problem(Severity::kError, "missing-separator", second, {},
                "a second document begins here, without \"---\" before it",
                "put a line \"---\" between the documents"),
        object);
    result_.complete = false;  // the second object is not named by anything we read
  }
  for (Diagnostic& diagnostic : document.diagnostics) {
    const bool told = run_together && diagnostic.code == "duplicate-key" &&
                      diagnostic.field.find_first_of(".[") == std::string::npos;
    if (!told) say(std::move(diagnostic), object);
  }
  if (document.root.is_null()) return;
  take_value(std::move(document.root), document.refused, {}, 0);
}

void Reader::take_value(Value root, bool refused, const std::string& field, unsigned depth) {
  const auto complain = [&](std::string code, const Value& at, std::string_view member,
                            std::string what, std::string hint) {
    Diagnostic diagnostic = problem(
        Severity::kError, std::move(code), at.place.line == 0 ? root.place : at.place,
        member.empty() ? field : path_text(field, member), std::move(what), std::move(hint));
    say(std::move(diagnostic), identity(root));
    result_.complete = false;
  };
  if (!root.is_map()) {
    complain("not-an-object", root, {},
             fmt::format("a document must be a map with apiVersion and kind; this is a {}",
                         root.type_name()),
             root.is_list() ? "put the items into a List: apiVersion: v1, kind: List, items: [...]"
                            : "");
    return;
  }
  for (const std::string_view key : {std::string_view("apiVersion"), std::string_view("kind")}) {
    const Value& value = root.at(key);
    if (value.is_string() && !value.text().empty()) continue;
    const bool absent = root.map().find(key) == nullptr;
    const Member* nearly = nullptr;  // "apiversion"
    for (const Member& member : root.map()) {
      const auto slips = static_cast<unsigned>(key.size() / 4);
      if (absent && edit_distance(member.key, key, slips + 1) <= slips) nearly = &member;
    }
    if (nearly != nullptr) {
      Value at;
      at.place = nearly->key_place;
      complain("not-an-object", at, nearly->key, fmt::format("{} is missing", key),
               fmt::format("write {} in place of {}", key, shorten(nearly->key)));
      return;
    }
    complain("not-an-object", value, key,
             absent ? fmt::format("{} is missing", key)
                    : fmt::format("{} must be text; this is {}", key,
                                  value.is_string() ? "empty" : value.type_name()),
             key == "kind" ? "say what this is: kind: SeldonDeployment"
                           : "say which API this is of: apiVersion: machinelearning.seldon.io/v1");
    return;
  }
  if (is_list_kind(root)) {
    take_list(std::move(root), refused, field, depth);
    return;
  }
  if (refused) {
    refuse(root);
    return;
  }
  result_.objects.push_back(object_of(std::move(root), file_));
}

// Items of a typed list ("SeldonDeploymentList") may leave out what the list says of them all.
void Reader::take_list(Value root, bool refused, const std::string& field, unsigned depth) {
  if (depth > limits::kDocumentNestingMax) return;  // the parser's limit is met long before
  const std::string api_version(root.at("apiVersion").text());
  std::string item_kind(root.at("kind").text());
  item_kind.resize(item_kind.size() - std::string_view("List").size());
  List items = std::move(*root.as_map()->find("items")->as_list());
  std::size_t index = 0;
  for (Value& item : items) {
    const std::string item_field = fmt::format("{}[{}]", path_text(field, "items"), index++);
    if (Map* map = item.as_map(); map != nullptr && !item_kind.empty()) {
      if (map->find("kind") == nullptr) map->append("kind", Value(item_kind));
      if (map->find("apiVersion") == nullptr) map->append("apiVersion", Value(api_version));
    }
    take_value(std::move(item), refused, item_field, depth + 1);
  }
}

}  // namespace

ReadResult read(std::string_view text, std::shared_ptr<const std::string> file) {
  return Reader(std::move(file)).run(text);
}

Result<Object> make_object(Value root, std::shared_ptr<const std::string> file) {
  for (const std::string_view key : {std::string_view("apiVersion"), std::string_view("kind")}) {
    if (root.at(key).text().empty()) {
      return fail(Blame::kConfig, fmt::format("{} is missing", key), std::string(key));
    }
  }
  return object_of(std::move(root), std::move(file));
}

}  // namespace sluice::resource
