// What the documents of each kind may hold: a static tree of field descriptions. `check` reads it,
// and the CustomResourceDefinition of SeldonDeployment is written from it (crd.h). Constant data,
// any thread. Kubernetes' and Istio's tables are generated (tools/schema), Seldon's is
// schema_seldon.cc.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace sluice::resource {

enum class Type : std::uint8_t {
  kAny,
  kBoolean,
  kInteger32,
  kInteger64,
  kNumber,
  kString,
  kBytes,        // base64 text
  kIntOrString,  // a port number or name, a count or a percentage
  kQuantity,     // "500m", "1Gi", 2
  kDuration,     // Istio: "1.5s", "1m", at least 1ms
  kTime,         // RFC 3339
  kList,         // of `element`
  kMap,          // from free keys to `element`
  kObject,       // with `fields`
};

struct Schema;

enum class Note : std::uint8_t {
  kNone,
  kDeprecated,  // accepted without a word; documented only
  kIgnored,     // accepted, has no effect anywhere: worth a warning
};

struct FieldSpec {
  std::string_view name;
  const Schema* schema;
  bool required = false;
  Note note = Note::kNone;
  std::string_view text = {};  // what it is for, in a few words; empty for Kubernetes' and Istio's
};

struct Schema {
  Type type = Type::kAny;
  std::span<const FieldSpec> fields = {};         // kObject
  const Schema* element = nullptr;                // kList, kMap
  std::span<const std::string_view> values = {};  // kString: all that is allowed; empty: anything
  bool open = false;                              // API servers accept other values: compile judges
  std::span<const std::span<const std::string_view>> one_of =
      {};  // at most one field of each group
  std::int64_t minimum = std::numeric_limits<std::int64_t>::min();
  std::int64_t maximum = std::numeric_limits<std::int64_t>::max();

  const FieldSpec* find(std::string_view name) const noexcept;
};

// How Kubernetes wants metadata.name of a kind.
enum class NameRule : std::uint8_t { kSubdomain, kLabel, kLabel1035 };

struct KindSpec {
  std::string_view group;  // "" for core
  std::string_view kind;
  std::span<const std::string_view> versions;  // the preferred one first
  const Schema* root;
  bool is_custom = false;  // defined by a CRD: null is refused, unknown fields are pruned
  bool is_namespaced = true;
  NameRule name_rule = NameRule::kSubdomain;
};

// All kinds that sluice knows.
std::span<const KindSpec> kinds() noexcept;
// By group and kind, whatever the version; nullptr when there is none.
const KindSpec* find_kind(std::string_view group, std::string_view kind) noexcept;

namespace tables {

inline constexpr Schema kAny{.type = Type::kAny};
inline constexpr Schema kBoolean{.type = Type::kBoolean};
inline constexpr Schema kInteger32{.type = Type::kInteger32};
inline constexpr Schema kInteger64{.type = Type::kInteger64};
inline constexpr Schema kNumber{.type = Type::kNumber};
inline constexpr Schema kString{.type = Type::kString};
inline constexpr Schema kBytes{.type = Type::kBytes};
inline constexpr Schema kIntOrString{.type = Type::kIntOrString};
inline constexpr Schema kQuantity{.type = Type::kQuantity};
inline constexpr Schema kDuration{.type = Type::kDuration};
inline constexpr Schema kTime{.type = Type::kTime};
inline constexpr Schema kStringList{.type = Type::kList, .element = &kString};
inline constexpr Schema kStringMap{.type = Type::kMap, .element = &kString};

}  // namespace tables
}  // namespace sluice::resource
