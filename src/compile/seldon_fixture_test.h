// For the tests of this room: a SeldonDeployment from a few lines of YAML, wired.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "compile/wire.h"
#include "resource/read.h"

namespace sluice::compile::testing_ {

inline resource::Object read_one(std::string_view yaml) {
  resource::ReadResult read =
      resource::read(yaml, std::make_shared<const std::string>("test.yaml"));
  for (const resource::Diagnostic& diagnostic : read.diagnostics)
    ADD_FAILURE() << resource::to_string(diagnostic);
  EXPECT_EQ(read.objects.size(), 1U);
  return read.objects.empty() ? resource::Object() : std::move(read.objects.front());
}

// `spec` is indented by two; metadata: name iris, namespace ns.
inline resource::Object deployment(std::string_view spec, std::string_view metadata = "") {
  return read_one(
      "apiVersion: machinelearning.seldon.io/v1\nkind: SeldonDeployment\nmetadata:\n  name: iris\n "
      " namespace: ns\n" +
      std::string(metadata) + "spec:\n" + std::string(spec));
}

inline const resource::Object* find(const Wiring& wiring, std::string_view kind,
                                    std::string_view name) {
  for (const resource::Object& object : wiring.objects) {
    if (object.kind == kind && object.name == name) return &object;
  }
  return nullptr;
}

inline const resource::Value& spec_of(const Wiring& wiring, std::string_view kind,
                                      std::string_view name) {
  static const resource::Value nothing;
  const resource::Object* found = find(wiring, kind, name);
  EXPECT_NE(found, nullptr) << kind << " " << name;
  return found == nullptr ? nothing : found->spec();
}

inline const resource::Diagnostic* find_code(const Wiring& wiring, std::string_view code) {
  for (const resource::Diagnostic& diagnostic : wiring.diagnostics) {
    if (diagnostic.code == code) return &diagnostic;
  }
  return nullptr;
}

inline std::string all(const resource::Diagnostics& diagnostics) {
  std::string text;
  for (const resource::Diagnostic& diagnostic : diagnostics)
    text += resource::to_string(diagnostic) + "\n";
  return text;
}

}  // namespace sluice::compile::testing_
