// The annotations of SeldonDeployments: which exist, where they count, what their values may be.
// The list is section 2 of the operator's specification, and also docs/reference/annotations.md's
// source.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "resource/check.h"

namespace sluice::resource {

enum class AnnotationValue : std::uint8_t {
  kText,
  kBooleanWord,  // true or false, in any case of letters
  kInteger,
  kSecondsOrDuration,  // "3", and also "1500ms"
};

struct AnnotationSpec {
  std::string_view key;
  AnnotationValue value = AnnotationValue::kText;
  bool fatal = false;  // a bad value stops the deployment, so it is an error
  bool in_metadata = true;
  bool in_spec = true;
  bool in_predictor = false;
};

std::span<const AnnotationSpec> annotations() noexcept;

// Adds to `diagnostics` what is wrong with the annotations of a SeldonDeployment.
void check_annotations(const Object& object, Diagnostics& diagnostics);

}  // namespace sluice::resource
