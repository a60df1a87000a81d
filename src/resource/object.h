// One Kubernetes-style object: its identity, and its whole document.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "resource/diagnostic.h"
#include "resource/value.h"

namespace sluice::resource {

// Identity. The group, not the version: v1 and v1alpha2 of a SeldonDeployment are one object.
struct ObjectKey {
  std::string group;  // "machinelearning.seldon.io", "networking.istio.io", "apps", "" for core/v1
  std::string kind;   // "SeldonDeployment"
  std::string namespace_;
  std::string name;
  auto operator<=>(const ObjectKey&) const = default;
};

// "SeldonDeployment default/iris": as diagnostics and logs say it.
std::string to_string(const ObjectKey& key);

struct Object {
  std::string api_version;  // "machinelearning.seldon.io/v1", "v1"
  std::string kind;
  std::string namespace_;  // never empty: "default" when the document has none
  std::string name;
  Value root;                               // the whole document, metadata and all
  std::shared_ptr<const std::string> file;  // where it was read; nullptr when made by the program

  ObjectKey key() const;
  std::string_view group() const noexcept;    // "" for core
  std::string_view version() const noexcept;  // "v1"
  const Value& metadata() const noexcept { return root.at("metadata"); }
  const Value& spec() const noexcept { return root.at("spec"); }
  const Value& status() const noexcept { return root.at("status"); }
  // metadata.creationTimestamp in seconds since 1970; 0 when absent or unreadable.
  std::int64_t created_seconds() const noexcept;
  std::string_view label(std::string_view label_key) const noexcept {
    return metadata().at("labels").at(label_key).text();
  }
  // nullptr when the annotation is not there. The text lives as long as the object.
  const std::string* annotation(std::string_view annotation_key) const noexcept {
    return metadata().at("annotations").at(annotation_key).as_string();
  }
};

// Everything but where it was written.
bool operator==(const Object& a, const Object& b);

// A diagnostic about one field of an object: fills in file, place and object.
Diagnostic about(const Object& object, const Value& value, std::string field, Severity severity,
                 std::string code, std::string what, std::string hint = {});

}  // namespace sluice::resource

template <>
struct std::hash<sluice::resource::ObjectKey> {
  std::size_t operator()(const sluice::resource::ObjectKey& key) const noexcept {
    std::size_t seed = std::hash<std::string>{}(key.name);
    for (const std::string* part : {&key.namespace_, &key.kind, &key.group}) {
      seed ^= std::hash<std::string>{}(*part) + 0x9e3779b97f4a7c15ULL + (seed << 6U) + (seed >> 2U);
    }
    return seed;
  }
};
