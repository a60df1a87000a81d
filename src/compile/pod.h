// Small edits on pod specs and containers, which stay plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "resource/seldon_deployment.h"
#include "resource/value.h"

namespace sluice::compile {

// The list at `key`, made when it is not there.
resource::List& list_in(resource::Map& map, std::string_view key);
// The map of `list` whose "name" is `name`; nullptr when there is none.
const resource::Map* find_named(const resource::Value& list, std::string_view name) noexcept;
resource::Map* find_named(resource::List& list, std::string_view name) noexcept;

// Sets a text or map that is absent or empty.
void set_if_empty(resource::Map& map, std::string_view key, resource::Value value);

resource::Value env_var(std::string_view name, std::string_view value);
bool has_env(const resource::Map& container, std::string_view name) noexcept;
// Unless the container has that variable.
void add_env_once(resource::Map& container, std::string_view name, std::string_view value);
// Replaces the variable's value, or appends it.
void set_env(resource::Map& container, std::string_view name, std::string_view value);

resource::Value container_port(std::string_view name,
                               std::int64_t number);  // TCP; no name when empty
// Number of the container's port of that name; 0 when there is none.
std::int64_t port_named(const resource::Map& container, std::string_view name) noexcept;

// Adds a volume mount unless the container has one of that name.
void mount(resource::Map& container, std::string_view volume, std::string_view path,
           bool read_only);

resource::Value to_value(const resource::TextMap& texts);
// `more` wins.
void merge(resource::TextMap& into, const resource::TextMap& more);

}  // namespace sluice::compile
