#include "route/path_index.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "base/text.h"

namespace sluice::route {

struct PathIndex::Node {
  std::string label;   // what this node adds to its parent's path; "" at the root alone
  std::string firsts;  // first bytes of the children's labels, ascending
  std::vector<std::shared_ptr<const Node>> children;
  Entries exact;   // uri exact: this path; in order
  Entries prefix;  // uri prefix: this path; in order

  Node() = default;
  Node(const Node&) = default;
  Node& operator=(const Node&) = delete;
  ~Node();

  bool is_bare() const noexcept { return exact.empty() && prefix.empty(); }
  // npos: none.
  std::size_t child_of(char first) const noexcept {
    const void* found = std::memchr(firsts.data(), first, firsts.size());
    return found == nullptr
               ? std::string::npos
               : static_cast<std::size_t>(static_cast<const char*>(found) - firsts.data());
  }
  void add_child(std::shared_ptr<const Node> child) {
    const char first = child->label[0];
    const auto at = std::lower_bound(firsts.begin(), firsts.end(), first);
    children.insert(children.begin() + (at - firsts.begin()), std::move(child));
    firsts.insert(at, first);
  }
  void remove_child(std::size_t index) {
    children.erase(children.begin() + static_cast<std::ptrdiff_t>(index));
    firsts.erase(index, 1);
  }
};

// Paths that are prefixes of each other make a chain as deep as there are such rules: taken apart
// in a loop, so that no stack is too small for it.
PathIndex::Node::~Node() {
  std::vector<std::shared_ptr<const Node>> doomed = std::move(children);
  while (!doomed.empty()) {
    const std::shared_ptr<const Node> node = std::move(doomed.back());
    doomed.pop_back();
    if (node.use_count() != 1) continue;                      // others have it
    auto& grandchildren = const_cast<Node&>(*node).children;  // ours alone, about to go
    std::move(grandchildren.begin(), grandchildren.end(), std::back_inserter(doomed));
    grandchildren.clear();
  }
}

namespace {

using Node = PathIndex::Node;
using NodePointer = std::shared_ptr<const Node>;

struct Step {
  NodePointer node;
  std::size_t child = 0;  // the way taken from it
};

Entries& entries_of(Node& node, const StringMatch& uri) {
  return uri.kind == StringMatch::Kind::kExact ? node.exact : node.prefix;
}

// The steps' nodes copied, each with the one below it.
NodePointer rebuild(std::vector<Step>& steps, NodePointer below) {
  while (!steps.empty()) {
    auto made = std::make_shared<Node>(*steps.back().node);
    made->children[steps.back().child] = std::move(below);
    below = std::move(made);
    steps.pop_back();
  }
  return below;
}

NodePointer make_leaf(std::string_view label, const StringMatch& uri, Entry entry) {
  auto leaf = std::make_shared<Node>();
  leaf->label = label;
  entries_of(*leaf, uri).push_back(std::move(entry));
  return leaf;
}

NodePointer with_label(const NodePointer& node, std::string label) {
  auto made = std::make_shared<Node>(*node);
  made->label = std::move(label);
  return made;
}

std::size_t common_length(std::string_view a, std::string_view b) {
  const auto [at, other] = std::mismatch(
      a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin());
  return static_cast<std::size_t>(at - a.begin());
}

NodePointer add_to_tree(NodePointer root, std::string_view key, const StringMatch& uri,
                        Entry entry) {
  if (root == nullptr) root = std::make_shared<const Node>();
  std::vector<Step> steps;
  NodePointer node = std::move(root);
  for (;;) {
    if (key.empty()) {
      auto made = std::make_shared<Node>(*node);
      insert_entry(entries_of(*made, uri), std::move(entry));
      return rebuild(steps, std::move(made));
    }
    const std::size_t index = node->child_of(key[0]);
    if (index == std::string::npos) {
      auto made = std::make_shared<Node>(*node);
      made->add_child(make_leaf(key, uri, std::move(entry)));
      return rebuild(steps, std::move(made));
    }
    const NodePointer child = node->children[index];
    const std::size_t common = common_length(child->label, key);
    steps.push_back({std::move(node), index});
    if (common < child->label.size()) {  // split the child's label
      auto upper = std::make_shared<Node>();
      upper->label = key.substr(0, common);
      upper->add_child(with_label(child, child->label.substr(common)));
      if (common == key.size()) {
        entries_of(*upper, uri).push_back(std::move(entry));
      } else {
        upper->add_child(make_leaf(key.substr(common), uri, std::move(entry)));
      }
      return rebuild(steps, std::move(upper));
    }
    key.remove_prefix(common);
    node = child;
  }
}

// Joins a node without entries to its only child.
NodePointer joined(std::shared_ptr<Node> node) {
  if (node->label.empty() || !node->is_bare() || node->children.size() != 1) return node;
  return with_label(node->children[0], node->label + node->children[0]->label);
}

NodePointer remove_from_tree(const NodePointer& root, std::string_view key, const StringMatch& uri,
                             const RuleOrder& order) {
  std::vector<Step> steps;
  NodePointer node = root;
  while (!key.empty()) {
    SLUICE_ASSERT(node != nullptr);
    const std::size_t index = node->child_of(key[0]);
    SLUICE_ASSERT(index != std::string::npos);
    NodePointer child = node->children[index];
    key.remove_prefix(child->label.size());
    steps.push_back({std::move(node), index});
    node = std::move(child);
  }
  SLUICE_ASSERT(node != nullptr);
  auto made = std::make_shared<Node>(*node);
  erase_entry(entries_of(*made, uri), order);
  if (made->is_bare() && made->children.empty()) {
    if (steps.empty()) return nullptr;  // the root, and nothing left
    auto parent = std::make_shared<Node>(*steps.back().node);
    parent->remove_child(steps.back().child);
    steps.pop_back();
    if (steps.empty() && parent->is_bare() && parent->children.empty()) return nullptr;
    return rebuild(steps, joined(std::move(parent)));
  }
  return rebuild(steps, joined(std::move(made)));
}

struct SameCase {
  static char of(char c) noexcept { return c; }
  static bool starts_with(std::string_view path, std::string_view label) noexcept {
    return path.starts_with(label);
  }
};

struct LowerCase {
  static char of(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
  static bool starts_with(std::string_view path, std::string_view label) noexcept {
    if (path.size() < label.size()) return false;
    for (std::size_t i = 0; i < label.size(); ++i) {
      if (of(path[i]) != label[i]) return false;
    }
    return true;
  }
};

template <class Case>
void improve_from_tree(const Node* node, const RequestHead& request, Best& best) noexcept {
  std::string_view rest = request.path;
  for (;;) {
    improve_from(node->prefix, request, best);
    if (rest.empty()) {
      improve_from(node->exact, request, best);
      return;
    }
    const std::size_t index = node->child_of(Case::of(rest[0]));
    if (index == std::string::npos) return;
    node = node->children[index].get();
    if (!Case::starts_with(rest, node->label)) return;
    rest.remove_prefix(node->label.size());
  }
}

void collect_tree(const Node* root, std::vector<PlacedRule>& into) {
  std::vector<const Node*> todo;
  if (root != nullptr) todo.push_back(root);
  while (!todo.empty()) {
    const Node* node = todo.back();
    todo.pop_back();
    for (const Entries* entries : {&node->exact, &node->prefix}) {
      for (const Entry& entry : *entries) into.push_back(*entry);
    }
    for (const NodePointer& child : node->children) todo.push_back(child.get());
  }
}

bool is_literal(const std::optional<StringMatch>& uri) {
  return uri && (uri->kind == StringMatch::Kind::kExact || uri->kind == StringMatch::Kind::kPrefix);
}

}  // namespace

bool PathIndex::empty() const noexcept {
  return hashed_ == nullptr && literal_ == nullptr && ignoring_case_ == nullptr &&
         others_ == nullptr;
}

bool PathIndex::add_hashed(const Entry& entry) {
  const auto place = LiteralIndex::place_of(*entry->rule->match.uri);
  if (!place) return false;
  auto made = hashed_ == nullptr ? std::make_shared<LiteralIndex>()
                                 : std::make_shared<LiteralIndex>(*hashed_);
  if (!made->add(*place, entry)) return false;
  hashed_ = std::move(made);
  return true;
}

bool PathIndex::remove_hashed(const PlacedRule& rule) {
  const auto place = LiteralIndex::place_of(*rule.rule->match.uri);
  if (!place || hashed_ == nullptr) return false;
  auto made = std::make_shared<LiteralIndex>(*hashed_);
  if (!made->remove(*place, rule)) return false;
  hashed_ = made->empty() ? nullptr : std::move(made);
  return true;
}

void PathIndex::set_others(Entries entries) {
  first_ = {};
  others_ = nullptr;
  if (entries.empty()) return;
  first_ = {entries[0].get(), entries[0]->rule.get()};
  others_ = std::make_shared<const Entries>(std::move(entries));
}

void PathIndex::add(Entry entry) {
  const auto& uri = entry->rule->match.uri;
  if (!is_literal(uri)) {
    Entries made = others_ == nullptr ? Entries{} : *others_;
    insert_entry(made, std::move(entry));
    set_others(std::move(made));
  } else if (uri->ignore_case) {
    ignoring_case_ =
        add_to_tree(std::move(ignoring_case_), to_lower(uri->text), *uri, std::move(entry));
  } else if (!add_hashed(entry)) {
    literal_ = add_to_tree(std::move(literal_), uri->text, *uri, std::move(entry));
  }
}

void PathIndex::remove(const PlacedRule& rule) {
  const auto& uri = rule.rule->match.uri;
  if (!is_literal(uri)) {
    SLUICE_ASSERT(others_ != nullptr);
    Entries made = *others_;
    erase_entry(made, rule.order);
    set_others(std::move(made));
  } else if (uri->ignore_case) {
    ignoring_case_ = remove_from_tree(ignoring_case_, to_lower(uri->text), *uri, rule.order);
  } else if (!remove_hashed(rule)) {
    literal_ = remove_from_tree(literal_, uri->text, *uri, rule.order);
  }
}

void PathIndex::improve(const RequestHead& request, Best& best) const noexcept {
  if (hashed_ != nullptr) hashed_->improve(request, best);
  if (literal_ != nullptr) improve_from_tree<SameCase>(literal_.get(), request, best);
  if (ignoring_case_ != nullptr) {
    improve_from_tree<LowerCase>(ignoring_case_.get(), request, best);
  }
  if (first_.rule == nullptr) return;
  if (best.placed == nullptr && first_.rule->match.accepts(request)) {
    best = first_;
    return;
  }
  for (const Entry& entry : *others_) {
    if (!is_before(*entry, best)) return;
    if (!entry->rule->match.accepts(request)) continue;
    best = {entry.get(), entry->rule.get()};
    return;
  }
}

void PathIndex::collect(std::vector<PlacedRule>& into) const {
  if (hashed_ != nullptr) hashed_->collect(into);
  collect_tree(literal_.get(), into);
  collect_tree(ignoring_case_.get(), into);
  if (others_ == nullptr) return;
  for (const Entry& entry : *others_) into.push_back(*entry);
}

}  // namespace sluice::route
