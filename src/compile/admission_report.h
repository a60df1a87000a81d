// Shared by the admission_*.cc: what they say, and checks of fields that several kinds have.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "resource/diagnostic.h"
#include "resource/object.h"

namespace sluice::compile {

class Report {
 public:
  explicit Report(const resource::Object& object) : object_(object) {}

  // `value` may be absent: then the place is that of `parent`.
  void error(const resource::Value& value, const resource::Value& parent, std::string field,
             std::string code, std::string what, std::string hint = {}) {
    add(resource::Severity::kError, value, parent, std::move(field), std::move(code),
        std::move(what), std::move(hint));
  }
  void warning(const resource::Value& value, const resource::Value& parent, std::string field,
               std::string code, std::string what, std::string hint = {}) {
    add(resource::Severity::kWarning, value, parent, std::move(field), std::move(code),
        std::move(what), std::move(hint));
  }
  const resource::Object& object() const noexcept { return object_; }
  resource::Diagnostics take() { return std::move(diagnostics_); }

 private:
  void add(resource::Severity severity, const resource::Value& value, const resource::Value& parent,
           std::string field, std::string code, std::string what, std::string hint) {
    const resource::Value& at = value.place.line != 0 ? value : parent;
    diagnostics_.push_back(resource::about(object_, at, std::move(field), severity, std::move(code),
                                           std::move(what), std::move(hint)));
  }

  const resource::Object& object_;
  resource::Diagnostics diagnostics_;
};

// "spec.http[0]" + "timeout" -> "spec.http[0].timeout".
std::string path(std::string_view parent, std::string_view field);
std::string path(std::string_view parent, std::string_view field, std::size_t index);

// Each looks at parent[field], and says nothing when it is absent.
void check_duration(Report& report, const resource::Value& parent, std::string_view where,
                    std::string_view field);
void check_port(Report& report, const resource::Value& port, const resource::Value& parent,
                const std::string& where);
void check_regex(Report& report, const resource::Value& pattern, const std::string& where);
// Text or number from 0 to 100 under `value`; Istio wants 0 or at least 0.0001.
void check_percent(Report& report, const resource::Value& percentage, const std::string& where);
void check_subset_name(Report& report, const resource::Value& name, const std::string& where);

// A domain name, "*" or one with a wildcard in its first label.
bool is_domain_name(std::string_view name);
bool is_ip_address(std::string_view text);

void check_virtual_service(Report& report);
void check_gateway(Report& report);
void check_destination_rule(Report& report);
void check_service_entry(Report& report);

}  // namespace sluice::compile
