// Diagnostics about one SeldonDeployment while it is validated and wired.
#pragma once

#include <string>
#include <string_view>

#include "resource/diagnostic.h"
#include "resource/object.h"

namespace sluice::compile {

// The value at a path such as spec.predictors[1].annotations["seldon.io/no-engine"]; where the path
// leaves the document, the last value on it that is there.
const resource::Value& value_at(const resource::Value& root, std::string_view path);

// Collects what is wrong with one object, placing each message by its field path.
class Report {
 public:
  Report(const resource::Object& object, resource::Diagnostics& out) : object_(object), out_(out) {}

  void error(std::string field, std::string code, std::string what, std::string hint = {}) {
    add(resource::Severity::kError, std::move(field), std::move(code), std::move(what),
        std::move(hint));
  }
  void warning(std::string field, std::string code, std::string what, std::string hint = {}) {
    add(resource::Severity::kWarning, std::move(field), std::move(code), std::move(what),
        std::move(hint));
  }
  void add(resource::Severity severity, std::string field, std::string code, std::string what,
           std::string hint);
  bool failed() const { return resource::has_errors(out_); }
  const resource::Object& object() const { return object_; }

 private:
  const resource::Object& object_;
  resource::Diagnostics& out_;
};

}  // namespace sluice::compile
