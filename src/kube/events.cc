#include "kube/events.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "kube/exec.h"

namespace sluice::kube {

using resource::Map;
using resource::Object;
using resource::ObjectKey;
using resource::Value;

namespace {

constexpr std::size_t kMessageBytesMax = 1'024;  // the server's own limit
constexpr std::size_t kNamePartMax = 200;        // of 253 for a name
constexpr std::string_view kCombined = "(combined from similar events): ";

// Not in the middle of a UTF-8 sequence.
std::string cut(std::string_view text, std::size_t size) {
  if (text.size() <= size) return std::string(text);
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U) --size;
  return std::string(text.substr(0, size));
}

// The older half goes when there are too many.
template <class T>
void keep_few(std::map<std::string, T>& all) {
  if (all.size() <= kEventsMax) return;
  std::vector<std::int64_t> times;
  times.reserve(all.size());
  for (const auto& [key, each] : all) times.push_back(each.last_seconds);
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  std::size_t spare = all.size() / 2;
  for (auto at = all.begin(); at != all.end() && spare > 0;) {
    const bool goes = at->second.last_seconds <= *middle;
    at = goes ? all.erase(at) : std::next(at);
    spare -= goes ? 1 : 0;
  }
}

}  // namespace

bool EventLog::spend(const std::string& object, std::int64_t now_seconds) {
  Budget& budget = budgets_[object];
  if (budget.last_seconds != 0) {
    const auto passed =
        static_cast<double>(std::max<std::int64_t>(0, now_seconds - budget.last_seconds));
    budget.left = std::min(kEventBurst, budget.left + passed / kEventRefillSeconds);
  }
  budget.last_seconds = now_seconds;
  const bool may = budget.left >= 1;
  if (may) budget.left -= 1;
  keep_few(budgets_);
  return may;
}

bool EventLog::is_one_of_many(const std::string& group, std::string_view message,
                              std::int64_t now_seconds) {
  Alike& alike = alike_[group];
  if (now_seconds - alike.last_seconds > kEventSimilarSeconds) alike.messages.clear();
  alike.last_seconds = now_seconds;
  const bool is_known = alike.messages.contains(std::string(message));
  // One more than are written is enough to know that there are too many.
  if (is_known || alike.messages.size() <= kEventMessagesMax)
    alike.messages[std::string(message)] = now_seconds;
  const bool is_many = alike.messages.size() > kEventMessagesMax;
  keep_few(alike_);
  return is_many;
}

std::optional<Value> EventLog::record(const ObjectKey& key, const Object* about,
                                      std::string_view type, std::string_view reason,
                                      std::string_view message, std::int64_t now_seconds) {
  Map involved{{"kind", key.kind}, {"namespace", key.namespace_}, {"name", key.name}};
  std::string object = to_string(key);
  if (about != nullptr) {
    const std::string_view uid = about->metadata().at("uid").text();
    involved.set("apiVersion", about->api_version);
    involved.set("uid", uid);
    involved.set("resourceVersion", about->metadata().at("resourceVersion"));
    object += ' ' + std::string(uid);
  }
  if (!spend(object, now_seconds)) return std::nullopt;
  std::string text = cut(message, kMessageBytesMax);
  std::string group = fmt::format("{}\n{}\n{}", object, type, reason);
  const bool combined = is_one_of_many(group, text, now_seconds);
  if (combined) text = cut(std::string(kCombined) + text, kMessageBytesMax);
  Said& said = said_[combined ? group + "\n" : group + "\n" + text];
  if (said.count == 0 || now_seconds - said.last_seconds > kEventLifeSeconds) {
    said = Said{
        fmt::format("{}.{:x}{:04x}", cut(key.name, kNamePartMax), now_seconds, ++made_ & 0xffffU),
        0, now_seconds, now_seconds};
  }
  ++said.count;
  said.last_seconds = now_seconds;
  const auto time_of = [](std::int64_t seconds) {
    return format_time_micro(seconds * 1'000'000'000).substr(0, 19) + "Z";
  };
  Value event = Map{{"apiVersion", "v1"},
                    {"kind", "Event"},
                    {"metadata", Map{{"namespace", key.namespace_}, {"name", said.name}}},
                    {"involvedObject", std::move(involved)},
                    {"type", type},
                    {"reason", reason},
                    {"message", std::move(text)},
                    {"source", Map{{"component", source_}}},
                    {"reportingComponent", source_},
                    {"firstTimestamp", time_of(said.first_seconds)},
                    {"lastTimestamp", time_of(said.last_seconds)},
                    {"count", said.count}};
  keep_few(said_);
  return event;
}

}  // namespace sluice::kube
