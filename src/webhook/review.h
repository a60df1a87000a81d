// The answer to one AdmissionReview (admission.k8s.io/v1): is this SeldonDeployment to be stored?
// Pure, any thread. Says what compile::admit says, in the same words; never changes the object, has
// no side effect, so that a dry run is the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "compile/settings.h"
#include "resource/diagnostic.h"
#include "resource/value.h"

namespace sluice::webhook {

struct Verdict {
  resource::Value response;  // a whole AdmissionReview
  bool allowed = true;
  std::string object;   // "SeldonDeployment default/iris", for logs
  std::string message;  // what is wrong, when not allowed
};

// Errors refuse, with code 422, reason Invalid and one cause for each field; warnings are handed
// on. Allowed unseen: what another operator cares for (seldon.io/controller-id), what is being
// deleted, and an update that leaves spec and annotations as they were; the errors of the last are
// warnings, so that an object from before a rule can still be labelled. Fails (kClient): no
// AdmissionReview of a version that we speak.
Result<Verdict> review(const resource::Value& admission_review, const compile::Settings& settings);

}  // namespace sluice::webhook
