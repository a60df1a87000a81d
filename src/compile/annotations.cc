#include "compile/annotations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "compile/names.h"

namespace sluice::compile {

using resource::SeldonDeployment;
using resource::TextMap;

namespace {

// Where a key is read. kPod: the orchestrator reads its pod's annotations, which come from the
// spec, the predictor and the componentSpec, never from metadata.
enum Place : std::uint8_t { kSpec = 1, kMetadata = 2, kPredictor = 4, kComponent = 8 };
constexpr std::uint8_t kSpecOrMetadata = kSpec | kMetadata;
constexpr std::uint8_t kPod = kSpec | kPredictor | kComponent;

enum class Kind : std::uint8_t {
  kText,
  kHosts,
  kGateway,
  kCount,
  kSeconds,
  kMilliseconds,
  kBytes,
  kFlag,
  kServiceName
};

struct Known {
  std::string_view key;
  std::uint8_t places;
  Kind kind;
};

constexpr std::array kKnown{
    Known{"seldon.io/istio-gateway", kSpecOrMetadata, Kind::kGateway},
    Known{"seldon.io/istio-host", kSpecOrMetadata, Kind::kHosts},
    Known{"seldon.io/istio-retries", kSpecOrMetadata, Kind::kCount},
    Known{"seldon.io/istio-retries-timeout", kSpecOrMetadata, Kind::kSeconds},
    Known{kRouteTimeoutAnnotation, kSpecOrMetadata, Kind::kSeconds},
    Known{"seldon.io/no-engine", kPredictor, Kind::kFlag},
    Known{"seldon.io/engine-separate-pod", kSpecOrMetadata, Kind::kFlag},
    Known{"seldon.io/headless-svc", kSpecOrMetadata, Kind::kText},
    Known{"seldon.io/svc-name", kPredictor, Kind::kServiceName},
    Known{"seldon.io/no-storage-initializer", kSpec, Kind::kFlag},
    Known{"seldon.io/executor-logger-queue-size", kSpecOrMetadata, Kind::kCount},
    Known{"seldon.io/executor-logger-write-timeout-ms", kSpecOrMetadata, Kind::kMilliseconds},
    Known{"seldon.io/rest-timeout", kPod | kMetadata, Kind::kMilliseconds},
    Known{"seldon.io/rest-connect-timeout", kPod | kMetadata, Kind::kMilliseconds},
    Known{"seldon.io/grpc-timeout", kPod | kMetadata, Kind::kMilliseconds},
    Known{"seldon.io/grpc-max-message-size", kPod, Kind::kBytes},
    Known{"seldon.io/ambassador-config", kSpecOrMetadata, Kind::kText},
    Known{"seldon.io/ambassador-service-name", kSpecOrMetadata, Kind::kText},
    Known{"seldon.io/ambassador-header", kSpecOrMetadata, Kind::kText},
    Known{"seldon.io/ambassador-regex-header", kSpecOrMetadata, Kind::kText},
    Known{"seldon.io/ambassador-id", kSpecOrMetadata, Kind::kText},
    Known{"seldon.io/ambassador-retries", kSpecOrMetadata, Kind::kCount},
    Known{"seldon.io/ambassador-circuit-breakers-max-connections", kSpecOrMetadata, Kind::kCount},
    Known{"seldon.io/ambassador-circuit-breakers-max-pending-requests", kSpecOrMetadata,
          Kind::kCount},
    Known{"seldon.io/ambassador-circuit-breakers-max-requests", kSpecOrMetadata, Kind::kCount},
    Known{"seldon.io/ambassador-circuit-breakers-max-retries", kSpecOrMetadata, Kind::kCount},
};

const Known* find_known(std::string_view key) {
  for (const Known& known : kKnown) {
    if (known.key == key) return &known;
  }
  return nullptr;
}

const std::string* lookup(const TextMap& texts, std::string_view key) noexcept {
  const auto found = texts.find(key);
  return found == texts.end() ? nullptr : &found->second;
}

bool is_flag(std::string_view text) {
  return equal_ignoring_case(text, "true") || equal_ignoring_case(text, "false");
}

// What is wrong with a value; empty: nothing.
std::string_view fault(Kind kind, std::string_view text) {
  const auto number = parse_integer(text);
  switch (kind) {
    case Kind::kText:
    case Kind::kHosts:
    case Kind::kGateway:
      return {};
    case Kind::kCount:
      return number ? std::string_view() : "must be an integer";
    case Kind::kMilliseconds:
      return number ? std::string_view() : "must be an integer, in milliseconds";
    case Kind::kBytes:
      return number && *number > 0 && *number <= 2147483647
                 ? std::string_view()
                 : "must be a number of bytes, 1 to 2147483647";
    case Kind::kSeconds:
      return parse_duration_ms(text).value_or(0) > 0
                 ? std::string_view()
                 : "must be a time above zero: whole seconds (10), or a duration (500ms, 1.5s, 1m)";
    case Kind::kFlag:
      return is_flag(text) ? std::string_view() : "must be true or false";
    case Kind::kServiceName:
      return is_dns_label(text)
                 ? std::string_view()
                 : "must be the name of a Service: a DNS label of at most 63 characters";
  }
  return {};
}

std::string_view places_text(std::uint8_t places) {
  if (places == kPredictor) return "in the predictor's annotations";
  if (places == kSpec) return "in spec.annotations";
  if (places == kSpecOrMetadata) return "in spec.annotations or metadata.annotations";
  return "in spec.annotations, or in the annotations of a predictor or of a componentSpec";
}

class Checker {
 public:
  Checker(const Settings& settings, Report& report) : settings_(settings), report_(report) {}

  void check(const TextMap& texts, std::uint8_t place, const std::string& path) {
    for (const auto& [key, value] : texts) {
      if (!key.starts_with("seldon.io/") && !key.starts_with("sluice.seldon.io/")) continue;
      const std::string field = fmt::format("{}[\"{}\"]", path, key);
      const Known* known = find_known(key);
      if (known == nullptr) {
        unknown(key, place, field);
      } else if ((known->places & place) == 0) {
        report_.warning(field, "annotation-misplaced", fmt::format("{} has no effect here", key),
                        fmt::format("it is read {}", places_text(known->places)));
      } else if (const std::string_view wrong = fault(known->kind, value);
                 !wrong.empty() && !value.empty()) {
        report_.add(settings_.fixes() ? resource::Severity::kError : resource::Severity::kWarning,
                    field, "annotation-value",
                    fmt::format("{} is \"{}\": it {}", key, value, wrong), "");
      }
    }
  }

 private:
  void unknown(std::string_view key, std::uint8_t place, const std::string& field) {
    // Any other seldon.io/engine-<x> sets the variable <X> of the orchestrator; last-applied is the
    // manager's own.
    if (key == "seldon.io/last-applied") return;
    const std::string_view meant = nearest(key, known_annotations());
    if (key.starts_with("seldon.io/engine-") && place == kSpec && meant.empty()) return;
    report_.warning(field, "annotation-unknown", fmt::format("unknown annotation {}", key),
                    meant.empty() ? "nothing reads it" : fmt::format("did you mean {}?", meant));
  }

  const Settings& settings_;
  Report& report_;
};

// The annotation as an integer; reports when it is none. compat fails as the reference's reconcile
// does.
std::optional<std::int64_t> integer_annotation(const SeldonDeployment& deployment,
                                               std::string_view key, const Settings& settings,
                                               Report& report) {
  const std::string* text = find_annotation(deployment, key, settings);
  if (text == nullptr || (text->empty() && settings.fixes())) return std::nullopt;
  const auto number = parse_integer(*text);
  if (!number && !settings.fixes()) {
    report.error(annotation_field(deployment, key, settings), "annotation-value",
                 fmt::format("{} is \"{}\": it must be an integer", key, *text));
  }
  return number;  // the default profile's message is check_annotations'
}

void read_retries(const SeldonDeployment& deployment, const Settings& settings, Report& report,
                  Ingress& ingress) {
  constexpr std::string_view kRetries = "seldon.io/istio-retries";
  constexpr std::string_view kTimeout = "seldon.io/istio-retries-timeout";
  const std::string* retries = find_annotation(deployment, kRetries, settings);
  const std::string* timeout = find_annotation(deployment, kTimeout, settings);
  if (retries == nullptr || retries->empty()) {
    if (timeout != nullptr && settings.fixes()) {
      report.warning(annotation_field(deployment, kTimeout, settings), "retries-timeout-alone",
                     fmt::format("{} has no effect without {}", kTimeout, kRetries),
                     fmt::format("add {}", kRetries));
    }
    return;
  }
  const auto attempts = integer_annotation(deployment, kRetries, settings, report);
  if (!settings.fixes()) {
    const auto seconds = timeout == nullptr
                             ? std::optional<std::int64_t>(1)
                             : integer_annotation(deployment, kTimeout, settings, report);
    if (!attempts || !seconds || *attempts <= 0) return;
    ingress.retry_attempts = attempts;
    ingress.per_try_timeout = fmt::format("{}s", *seconds);
    return;
  }
  if (!attempts) return;
  ingress.retry_attempts =
      *attempts < 0 ? 0 : *attempts;  // 0: Istio's own default retries are off, too
  if (*attempts <= 0) return;
  if (timeout == nullptr) {
    report.warning(annotation_field(deployment, kRetries, settings), "retries-timeout-default",
                   "each try gets 1 second, since there is no seldon.io/istio-retries-timeout",
                   "set seldon.io/istio-retries-timeout to what a slow answer takes");
  }
  ingress.per_try_timeout =
      duration_text(timeout == nullptr ? 1000 : parse_duration_ms(*timeout).value_or(1000));
}

}  // namespace

const std::string* find_annotation(const SeldonDeployment& deployment, std::string_view key,
                                   const Settings& settings) noexcept {
  const std::string* own = lookup(deployment.annotations, key);
  if (own != nullptr && !(own->empty() && settings.fixes())) return own;
  const std::string* outer = lookup(deployment.metadata_annotations, key);
  return outer != nullptr && outer->empty() && settings.fixes() ? nullptr : outer;
}

std::string annotation_field(const SeldonDeployment& deployment, std::string_view key,
                             const Settings& settings) {
  const std::string* own = lookup(deployment.annotations, key);
  const bool in_spec = own != nullptr && find_annotation(deployment, key, settings) == own;
  return fmt::format("{}.annotations[\"{}\"]", in_spec ? "spec" : "metadata", key);
}

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::int64_t> parse_duration_ms(std::string_view text) noexcept {
  constexpr double kMaxMs = 365.0 * 24 * 3600 * 1000;
  if (const auto seconds = parse_integer(text)) {
    return static_cast<double>(*seconds) * 1000 > kMaxMs || *seconds < 0
               ? std::nullopt
               : std::optional(*seconds * 1000);
  }
  double total = 0;
  while (!text.empty()) {
    double number = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc{} || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const std::size_t unit_size = std::min(text.find_first_of("0123456789."), text.size());
    const std::string_view unit = text.substr(0, unit_size);
    if (unit == "ms") {
      total += number;
    } else if (unit == "s") {
      total += number * 1000;
    } else if (unit == "m") {
      total += number * 60000;
    } else if (unit == "h") {
      total += number * 3600000;
    } else {
      return std::nullopt;
    }
    if (!(total <= kMaxMs)) return std::nullopt;
    text.remove_prefix(unit_size);
  }
  return static_cast<std::int64_t>(total + 0.5);
}

std::string duration_text(std::int64_t milliseconds) {
  if (milliseconds % 1000 == 0) return fmt::format("{}s", milliseconds / 1000);
  std::string text = fmt::format("{}.{:03}", milliseconds / 1000, milliseconds % 1000);
  while (text.back() == '0') text.pop_back();
  return text + "s";
}

namespace {

// "name" is of the deployment's own namespace, as in Istio; "mesh" is no Gateway.
bool may_name(const std::string& gateway, const SeldonDeployment& deployment,
              const Settings& settings) {
  const std::size_t slash = gateway.find('/');
  if (slash == std::string::npos && gateway != "mesh") return true;
  const std::string space = slash == std::string::npos ? "" : gateway.substr(0, slash);
  if (space == deployment.namespace_ || space == ".") return true;
  for (const std::string_view item : split(settings.istio_gateway, ',')) {
    if (trim(item) == gateway) return true;
  }
  const auto& allowed = settings.istio_allowed_gateways;
  return std::any_of(allowed.begin(), allowed.end(), [&](const std::string& each) {
    return each == gateway || (!space.empty() && each == space + "/*");
  });
}

}  // namespace

Ingress read_ingress(const SeldonDeployment& deployment, const Settings& settings, Report& report) {
  Ingress ingress;
  const std::string* host = find_annotation(deployment, "seldon.io/istio-host", settings);
  for (const std::string_view item : split(host == nullptr ? std::string_view("*") : *host, ',')) {
    if (trim(item).empty() && settings.fixes()) continue;
    ingress.hosts.emplace_back(trim(item));
  }
  if (ingress.hosts.empty()) ingress.hosts.emplace_back("*");
  const std::string* own_gateway = find_annotation(deployment, "seldon.io/istio-gateway", settings);
  const std::string& gateway = own_gateway == nullptr ? settings.istio_gateway : *own_gateway;
  if (settings.fixes()) {
    for (const std::string_view item : split(gateway, ',')) {
      if (!trim(item).empty()) ingress.gateways.emplace_back(trim(item));
    }
  } else {
    ingress.gateways.push_back(gateway);
  }
  if (own_gateway != nullptr && !settings.istio_allowed_gateways.empty()) {
    for (const std::string& each : ingress.gateways) {
      if (may_name(each, deployment, settings)) continue;
      report.error(annotation_field(deployment, "seldon.io/istio-gateway", settings),
                   "gateway-not-allowed",
                   fmt::format("gateway {} is not one that SeldonDeployments of {} may use", each,
                               deployment.namespace_),
                   "use one of its own namespace, or have it added to istio.allowedGateways");
    }
  }
  read_retries(deployment, settings, report, ingress);
  if (const std::string* timeout = find_annotation(deployment, kRouteTimeoutAnnotation, settings);
      timeout != nullptr && settings.fixes()) {
    if (const auto ms = parse_duration_ms(*timeout); ms && *ms > 0)
      ingress.route_timeout = duration_text(*ms);
  }
  return ingress;
}

void check_annotations(const SeldonDeployment& deployment, const Settings& settings,
                       Report& report) {
  Checker checker(settings, report);
  checker.check(deployment.annotations, kSpec, "spec.annotations");
  checker.check(deployment.metadata_annotations, kMetadata, "metadata.annotations");
  for (const resource::Predictor& predictor : deployment.predictors) {
    checker.check(predictor.annotations, kPredictor, predictor.origin.field + ".annotations");
    for (const resource::ComponentSpec& component : predictor.components) {
      checker.check(component.annotations, kComponent,
                    component.origin.field + ".metadata.annotations");
    }
  }
}

std::vector<std::string_view> known_annotations() {
  std::vector<std::string_view> keys;
  for (const Known& known : kKnown) keys.push_back(known.key);
  return keys;
}

bool is_ingress_annotation(std::string_view key) noexcept {
  return key.starts_with("seldon.io/istio-") || key.starts_with("seldon.io/ambassador-") ||
         key == kRouteTimeoutAnnotation;
}

}  // namespace sluice::compile
