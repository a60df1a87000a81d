#include "compile/pod.h"

namespace sluice::compile {

using resource::List;
using resource::Map;
using resource::Value;

List& list_in(Map& map, std::string_view key) {
  Value* value = map.find(key);
  if (value == nullptr || !value->is_list()) value = &map.set(key, List{});
  return *value->as_list();
}

const Map* find_named(const Value& list, std::string_view name) noexcept {
  for (const Value& item : list.list()) {
    if (item.is_map() && item.at("name").text() == name) return item.as_map();
  }
  return nullptr;
}

Map* find_named(List& list, std::string_view name) noexcept {
  for (Value& item : list) {
    if (item.is_map() && item.at("name").text() == name) return item.as_map();
  }
  return nullptr;
}

void set_if_empty(Map& map, std::string_view key, Value value) {
  const Value* found = map.find(key);
  if (found != nullptr && !found->is_null() && !(found->is_string() && found->text().empty()) &&
      !(found->is_map() && found->map().empty())) {
    return;
  }
  map.set(key, std::move(value));
}

Value env_var(std::string_view name, std::string_view value) {
  Map variable{{"name", name}};
  if (!value.empty()) variable.set("value", value);
  return variable;
}

bool has_env(const Map& container, std::string_view name) noexcept {
  const Value* env = container.find("env");
  return env != nullptr && find_named(*env, name) != nullptr;
}

void add_env_once(Map& container, std::string_view name, std::string_view value) {
  if (!has_env(container, name)) list_in(container, "env").push_back(env_var(name, value));
}

void set_env(Map& container, std::string_view name, std::string_view value) {
  List& env = list_in(container, "env");
  for (Value& variable : env) {
    if (variable.at("name").text() == name) {
      variable = env_var(name, value);
      return;
    }
  }
  env.push_back(env_var(name, value));
}

Value container_port(std::string_view name, std::int64_t number) {
  Map port;
  if (!name.empty()) port.set("name", name);
  port.set("containerPort", number);
  port.set("protocol", "TCP");
  return port;
}

std::int64_t port_named(const Map& container, std::string_view name) noexcept {
  const Value* ports = container.find("ports");
  const Map* port = ports == nullptr ? nullptr : find_named(*ports, name);
  const Value* number = port == nullptr ? nullptr : port->find("containerPort");
  return number == nullptr ? 0 : number->integer();
}

void mount(Map& container, std::string_view volume, std::string_view path, bool read_only) {
  List& mounts = list_in(container, "volumeMounts");
  if (find_named(mounts, volume) != nullptr) return;
  Map entry{{"name", volume}, {"mountPath", path}};
  if (read_only) entry.set("readOnly", true);
  mounts.emplace_back(std::move(entry));
}

Value to_value(const resource::TextMap& texts) {
  Map map;
  for (const auto& [key, value] : texts) map.set(key, value);
  return map;
}

void merge(resource::TextMap& into, const resource::TextMap& more) {
  for (const auto& [key, value] : more) into.insert_or_assign(key, value);
}

}  // namespace sluice::compile
