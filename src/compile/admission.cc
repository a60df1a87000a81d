#include "compile/admission.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/text.h"
#include "compile/admission_report.h"
#include "compile/wire.h"
#include "resource/check.h"
#include "resource/duration.h"
#include "route/match.h"

namespace sluice::compile {

using resource::Value;

namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && is_alphanumeric(label.front()) &&
         is_alphanumeric(label.back()) && std::all_of(label.begin(), label.end(), [](char c) {
           return is_alphanumeric(c) || c == '-';
         });
}

}  // namespace

std::string path(std::string_view parent, std::string_view field) {
  return std::string(parent) + "." + std::string(field);
}

std::string path(std::string_view parent, std::string_view field, std::size_t index) {
  return path(parent, field) + "[" + std::to_string(index) + "]";
}

bool is_domain_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > 255) return false;
  if (name == "*") return true;
  bool is_first = true;
  for (std::string_view label : split(name, '.')) {
    if (is_first && label.starts_with('*')) {
      label.remove_prefix(label.starts_with("*-") && label.size() > 2 ? 2 : 1);
      if (label.empty()) {
        is_first = false;
        continue;
      }
    }
    if (!is_label(label)) return false;
    is_first = false;
  }
  return true;
}

bool is_ip_address(std::string_view text) {
  const std::string copy(text);
  in6_addr address{};
  return inet_pton(AF_INET, copy.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, copy.c_str(), &address) == 1;
}

void check_duration(Report& report, const Value& parent, std::string_view where,
                    std::string_view field) {
  const Value& value = parent.at(field);
  if (value.is_null()) return;
  const auto duration = resource::parse_duration(value.text());
  if (!duration) {
    report.error(value, parent, path(where, field), "bad-duration",
                 "\"" + std::string(value.text()) + "\" is no duration",
                 "write a number and a unit, as in 500ms, 1.5s or 2m");
  } else if (*duration < std::chrono::milliseconds(1)) {
    report.error(value, parent, path(where, field), "bad-duration", "duration must be at least 1ms",
                 "leave the field out to have none");
  }
}

void check_port(Report& report, const Value& port, const Value& parent, const std::string& where) {
  if (port.integer() >= 1 && port.integer() <= 65535) return;
  report.error(port, parent, where, "bad-port", "port number must be from 1 to 65535");
}

void check_regex(Report& report, const Value& pattern, const std::string& where) {
  if (!pattern.is_string()) return;
  if (const auto made = route::Regex::make(pattern.text()); !made) {
    report.error(pattern, pattern, where, "bad-regex", made.error().what,
                 pattern.text() == "*" ? "the regular expression for everything is .*"
                                       : "the syntax is RE2's");
  }
}

void check_percent(Report& report, const Value& percentage, const std::string& where) {
  const Value& value = percentage.is_map() ? percentage.at("value") : percentage;
  if (!value.is_number()) return;
  const double percent = value.number();
  if (percent == 0 || (percent >= 0.0001 && percent <= 100)) return;
  report.error(value, percentage, where, "bad-percentage",
               "percentage must be 0, or from 0.0001 to 100");
}

void check_subset_name(Report& report, const Value& name, const std::string& where) {
  if (name.is_null() || is_label(name.text())) return;
  report.error(name, name, where, "bad-subset-name",
               "subset name \"" + std::string(name.text()) + "\" is not a DNS label");
}

resource::Diagnostics check_object(const resource::Object& object) {
  Report report(object);
  if (object.group() == "networking.istio.io") {
    if (object.kind == "VirtualService") check_virtual_service(report);
    if (object.kind == "Gateway") check_gateway(report);
    if (object.kind == "DestinationRule") check_destination_rule(report);
    if (object.kind == "ServiceEntry") check_service_entry(report);
  }
  return report.take();
}

resource::Diagnostics admit(const resource::Object& object, const Settings& settings) {
  resource::Diagnostics diagnostics = resource::check(object);
  if (resource::has_errors(diagnostics)) return diagnostics;
  resource::Diagnostics more =
      object.kind == "SeldonDeployment" ? wire(object, settings).diagnostics : check_object(object);
  std::move(more.begin(), more.end(), std::back_inserter(diagnostics));
  return diagnostics;
}

}  // namespace sluice::compile
