#include "operator/spelling.h"

#include <algorithm>
#include <optional>

#include "resource/kubernetes.h"
#include "resource/parse.h"

namespace sluice::operator_ {

using resource::Object;
using resource::Value;

namespace {

constexpr std::string_view kPredictor = "ENGINE_PREDICTOR";

bool is_empty(const Value& value) {
  return value.is_null() || (value.is_map() && value.map().empty()) ||
         (value.is_list() && value.list().empty());
}

// A key with null, {} or [] says the same as no key: Go's encoder writes some of them, others not.
Value without_empty(const Value& value) {
  if (value.is_list()) {
    resource::List list;
    for (const Value& each : value.list()) list.push_back(without_empty(each));
    return list;
  }
  if (!value.is_map()) return value;
  resource::Map map;
  for (const resource::Member& each : value.map()) {
    if (Value kept = without_empty(each.value); !is_empty(kept))
      map.append(each.key, std::move(kept));
  }
  return map;
}

std::optional<Value> meaning_of(std::string_view base64) {
  const auto text = resource::decode_base64(base64);
  if (!text || resource::find_bad_character(*text, 1)) return std::nullopt;
  resource::Budget budget;
  resource::Parsed parsed = resource::parse_json(*text, 1, budget);
  if (parsed.failure || parsed.documents.size() != 1) return std::nullopt;
  return without_empty(parsed.documents.front().root);
}

const Value* named(const Value& list, std::string_view name) {
  for (const Value& each : list.list()) {
    if (each.at("name").text() == name) return &each;
  }
  return nullptr;
}

// nullptr when there is none on the way.
Value* find(Value* value, std::initializer_list<std::string_view> path) {
  for (const std::string_view key : path) {
    if (value == nullptr || value->as_map() == nullptr) return nullptr;
    value = value->as_map()->find(key);
  }
  return value;
}

}  // namespace

Object spelled_as(Object want, const Object& have) {
  Value* containers = find(&want.root, {"spec", "template", "spec", "containers"});
  if (containers == nullptr || containers->as_list() == nullptr) return want;
  const Value& running = have.spec().at("template").at("spec").at("containers");
  for (Value& container : *containers->as_list()) {
    const Value* other = named(running, container.at("name").text());
    Value* variables = find(&container, {"env"});
    if (other == nullptr || variables == nullptr || variables->as_list() == nullptr) continue;
    for (Value& variable : *variables->as_list()) {
      if (variable.at("name").text() != kPredictor) continue;
      const Value* there = named(other->at("env"), kPredictor);
      if (there == nullptr || there->at("value") == variable.at("value")) continue;
      const auto meaning = meaning_of(variable.at("value").text());
      if (meaning && meaning == meaning_of(there->at("value").text()))
        variable.as_map()->set("value", there->at("value"));
    }
  }
  return want;
}

}  // namespace sluice::operator_
