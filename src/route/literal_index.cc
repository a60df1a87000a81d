#include "route/literal_index.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "route/path_hash.h"

namespace sluice::route {

// Rules with one literal path, exact or prefix. In front what a look-up needs if the first of them
// is the one, so that it goes from here to the rule itself.
struct LiteralIndex::SamePath {
  const Rule* rule;  // of the first entry, as the next five
  const PlacedRule* placed;
  std::uint64_t server;
  std::int64_t created;
  bool catch_all;
  bool asks_uri_alone;
  std::uint32_t size;           // of the path
  std::array<char, 48> head{};  // of the path; what is longer is compared at the rule
  Entries entries;              // in order, never empty

  explicit SamePath(Entries from) : entries(std::move(from)) {
    placed = entries[0].get();
    rule = placed->rule.get();
    server = placed->order.server;
    created = placed->order.created;
    catch_all = placed->order.catch_all;
    const Match& match = rule->match;
    asks_uri_alone = !match.method && !match.scheme && !match.authority && match.headers.empty() &&
                     match.without_headers.empty() && match.query_params.empty();
    const std::string& path = match.uri->text;
    size = static_cast<std::uint32_t>(path.size());
    std::memcpy(head.data(), path.data(), std::min(path.size(), head.size()));
  }

  bool is_path(std::string_view path) const noexcept {
    if (path.size() != size) return false;
    if (size <= head.size()) return std::memcmp(path.data(), head.data(), size) == 0;
    return path == rule->match.uri->text;
  }

  bool first_is_before(const Best& best) const noexcept {
    if (best.placed == nullptr) return true;
    const RuleOrder& other = best.placed->order;
    if (catch_all != other.catch_all) return other.catch_all;
    if (server != other.server) return server < other.server;
    if (created != other.created) return created < other.created;
    return comes_before(placed->order, other);
  }
};

namespace {

void improve_from_path(const LiteralIndex::SamePath& found, const RequestHead& request,
                       Best& best) noexcept {
  if (!found.asks_uri_alone) {
    improve_from(found.entries, request, best);
  } else if (found.first_is_before(best)) {
    best = {found.placed, found.rule};
  }
}

}  // namespace

std::optional<LiteralIndex::Place> LiteralIndex::place_of(const StringMatch& uri) {
  Place place;
  place.is_exact = uri.kind == StringMatch::Kind::kExact;
  if (!place.is_exact && !uri.text.ends_with('/')) return std::nullopt;
  std::size_t pieces = 0;
  PathHash hash(uri.text);
  while (hash.next()) ++pieces;
  place.hash = hash.value();
  if (place.is_exact) return place;
  if (pieces > kSlashesMax) return std::nullopt;
  place.end = pieces - 1;
  return place;
}

bool LiteralIndex::add(const Place& place, const Entry& entry) {
  Entries entries;
  if (const SamePath* found = of(place).find(place.hash)) {
    if (!found->is_path(entry->rule->match.uri->text)) return false;
    entries = found->entries;
  } else if (!place.is_exact) {
    ++end_counts_[place.end];
    ends_ |= 1U << place.end;
  }
  insert_entry(entries, entry);
  of(place).set(place.hash, std::make_shared<const SamePath>(std::move(entries)));
  return true;
}

bool LiteralIndex::remove(const Place& place, const PlacedRule& rule) {
  const SamePath* found = of(place).find(place.hash);
  if (found == nullptr || !found->is_path(rule.rule->match.uri->text)) return false;
  Entries entries = found->entries;
  if (!try_erase_entry(entries, rule.order)) return false;
  if (!entries.empty()) {
    of(place).set(place.hash, std::make_shared<const SamePath>(std::move(entries)));
    return true;
  }
  of(place).set(place.hash, nullptr);
  if (!place.is_exact && --end_counts_[place.end] == 0) ends_ &= ~(1U << place.end);
  return true;
}

void LiteralIndex::improve(const RequestHead& request, Best& best) const noexcept {
  PathHash hash(request.path);
  for (std::uint32_t left = ends_; left != 0 && hash.next(); left >>= 1U) {
    if ((left & 1U) == 0) continue;
    const SamePath* found = prefix_.find(hash.value());
    if (found == nullptr || !found->is_path(request.path.substr(0, hash.position()))) continue;
    improve_from_path(*found, request, best);
  }
  if (exact_.empty()) return;
  while (hash.next()) {
  }
  const SamePath* found = exact_.find(hash.value());
  if (found != nullptr && found->is_path(request.path)) improve_from_path(*found, request, best);
}

void LiteralIndex::collect(std::vector<PlacedRule>& into) const {
  const auto collect_path = [&](const SamePath& each) {
    for (const Entry& entry : each.entries) into.push_back(*entry);
  };
  exact_.for_each(collect_path);
  prefix_.for_each(collect_path);
}

}  // namespace sluice::route
