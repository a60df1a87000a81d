// What Istio's webhook refuses in a VirtualService, and rules that can never be reached.
// Source: recorded verdicts (admission_test.cc); docs/reference/istio-fields.md.

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <unordered_set>

#include "base/text.h"
#include "compile/actions.h"
#include "compile/admission_report.h"
#include "resource/duration.h"
#include "resource/kubernetes.h"

namespace sluice::compile {

using resource::Value;

namespace {

void check_hosts(Report& report, const Value& spec) {
  std::set<std::string> seen;
  std::size_t index = 0;
  for (const Value& host : spec.at("hosts").list()) {
    const std::string where = path("spec", "hosts", index++);
    if (!is_domain_name(host.text()) && !is_ip_address(host.text())) {
      report.error(host, spec, where, "bad-host",
                   "\"" + std::string(host.text()) + "\" is not a domain name",
                   "a wildcard may stand for the first label alone, as in *.example.com");
    }
    if (!seen.insert(to_lower(host.text())).second) {
      report.error(host, spec, where, "duplicate-host",
                   "host " + std::string(host.text()) + " is listed twice");
    }
  }
  const std::vector<std::string> gateways = resource::read_texts(spec.at("gateways"));
  const bool in_mesh =
      gateways.empty() || std::find(gateways.begin(), gateways.end(), "mesh") != gateways.end();
  if (in_mesh && seen.contains("*")) {
    report.error(spec.at("hosts"), spec, "spec.hosts", "wildcard-in-mesh",
                 "host * is not allowed for a VirtualService of the mesh",
                 "name the gateway it is for in spec.gateways");
  }
  index = 0;
  for (const Value& gateway : spec.at("gateways").list()) {
    const std::string where = path("spec", "gateways", index++);
    const std::string_view text = gateway.text();
    if (text.starts_with("./") || text.empty()) {
      report.error(gateway, spec, where, "bad-gateway",
                   "\"" + std::string(text) + "\" does not name a gateway",
                   "write namespace/name, or the name alone for one in the same namespace");
    }
  }
}

void check_string_match(Report& report, const Value& match, const std::string& where) {
  check_regex(report, match.at("regex"), path(where, "regex"));
}

void check_named(Report& report, const Value& match, const std::string& where,
                 std::string_view field) {
  for (const resource::Member& member : match.at(field).map()) {
    const std::string each = path(path(where, field), member.key);
    if (member.key.empty()) {
      report.error(member.value, match, path(where, field), "empty-name",
                   "header name cannot be empty");
    }
    check_string_match(report, member.value, each);
  }
}

void check_match(Report& report, const Value& match, const std::string& where) {
  for (const std::string_view field : {"uri", "scheme", "method", "authority"}) {
    check_string_match(report, match.at(field), path(where, field));
  }
  for (const std::string_view field : {"headers", "withoutHeaders", "queryParams"}) {
    check_named(report, match, where, field);
  }
  if (!match.at("port").is_null() && match.at("port").integer() != 0) {
    check_port(report, match.at("port"), match, path(where, "port"));
  }
}

void check_destination(Report& report, const Value& destination, const Value& parent,
                       const std::string& where) {
  if (destination.at("host").text().empty()) {
    report.error(destination, parent, path(where, "host"), "no-host", "a destination needs a host");
  }
  if (destination.at("port").is_map()) {
    check_port(report, destination.at("port").at("number"), destination.at("port"),
               path(where, "port.number"));
  }
  check_subset_name(report, destination.at("subset"), path(where, "subset"));
}

bool is_authority(std::string_view name) {
  return equal_ignoring_case(name, "host") || name == ":authority";
}

bool sets_authority(const Value& headers) {
  for (const std::string_view operation : {"set", "add"}) {
    for (const resource::Member& member : headers.at("request").at(operation).map()) {
      if (is_authority(member.key)) return true;
    }
  }
  return false;
}

// A line end in a header or a path would let a rule write the next line of a message. Envoy refuses
// the whole configuration; ours leaves the field out and goes on.
void check_printable(Report& report, const Value& text, const Value& parent,
                     const std::string& where) {
  for (const char c : text.text()) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) continue;
    if (c == '\t') continue;
    report.warning(text, parent, where, "control-character",
                   "holds a line end or another control character; what it would set is left out",
                   "write it on one line; YAML's | keeps the line end, >- does not");
    return;
  }
}

void check_headers(Report& report, const Value& headers, const std::string& where) {
  for (const std::string_view side : {"request", "response"}) {
    for (const std::string_view operation : {"set", "add"}) {
      for (const resource::Member& member : headers.at(side).at(operation).map()) {
        const std::string here = path(path(where, side), operation);
        check_printable(report, member.value, headers, path(here, member.key));
        if (!member.key.empty()) continue;
        report.error(member.value, headers, here, "empty-name", "header name cannot be empty");
      }
    }
  }
}

void check_routes(Report& report, const Value& rule, const std::string& where) {
  const resource::List& routes = rule.at("route").list();
  std::int64_t total = 0;
  bool negative = false;
  std::size_t index = 0;
  for (const Value& each : routes) {
    const std::string here = path(where, "route", index++);
    check_destination(report, each.at("destination"), each, path(here, "destination"));
    check_headers(report, each.at("headers"), path(here, "headers"));
    const std::int64_t weight = each.at("weight").integer();
    if (weight < 0) {
      negative = true;
      report.error(each.at("weight"), each, path(here, "weight"), "bad-weight",
                   "weight must not be negative");
    }
    total += weight;
  }
  if (routes.size() > 1 && total == 0 && !negative) {
    report.error(rule.at("route"), rule, path(where, "route"), "zero-weight",
                 "the weights of the destinations add up to 0", "give each of them a weight");
  }
}

// Which of the kinds of action a rule has, and that they go together.
void check_actions(Report& report, const Value& rule, const std::string& where) {
  const auto has = [&](std::string_view field) {
    const Value& value = rule.at(field);
    return value.is_list() ? !value.list().empty() : !value.is_null();
  };
  const auto refuse = [&](std::string_view a, std::string_view b) {
    if (!has(a) || !has(b)) return;
    report.error(rule.at(b), rule, path(where, b), "conflicting-actions",
                 "a rule cannot contain both " + std::string(a) + " and " + std::string(b));
  };
  if (!has("route") && !has("redirect") && !has("directResponse") && !has("delegate")) {
    report.error(rule, rule, where, "no-action",
                 "a rule needs one of route, redirect, directResponse or delegate");
  }
  refuse("route", "redirect");
  refuse("route", "directResponse");
  refuse("redirect", "directResponse");
  refuse("fault", "redirect");
  refuse("fault", "directResponse");
  refuse("rewrite", "redirect");
  refuse("delegate", "route");
  refuse("delegate", "redirect");
}

void check_rewrite(Report& report, const Value& rule, const std::string& where) {
  const Value& rewrite = rule.at("rewrite");
  if (!rewrite.is_map()) return;
  const std::string here = path(where, "rewrite");
  const bool has_uri = !rewrite.at("uri").text().empty();
  const bool has_regex = rewrite.at("uriRegexRewrite").is_map();
  const bool has_authority = !rewrite.at("authority").text().empty();
  if (has_uri && has_regex) {
    report.error(rewrite, rule, here, "conflicting-rewrites",
                 "a rewrite may have one of uri and uriRegexRewrite");
  } else if (!has_uri && !has_regex && !has_authority) {
    report.error(rewrite, rule, here, "empty-rewrite",
                 "a rewrite needs uri, uriRegexRewrite or authority");
  }
  check_printable(report, rewrite.at("uri"), rewrite, path(here, "uri"));
  check_printable(report, rewrite.at("authority"), rewrite, path(here, "authority"));
  if (has_authority && sets_authority(rule.at("headers"))) {
    report.error(rewrite.at("authority"), rewrite, path(here, "authority"), "authority-twice",
                 "the authority is set by the rewrite and by a header operation");
  }
  check_regex(report, rewrite.at("uriRegexRewrite").at("match"),
              path(here, "uriRegexRewrite.match"));
}

// Istio's own bounds: it takes 600 in the places where it documents 200 to 599.
void check_status(Report& report, const Value& status, const Value& parent, int low, int high,
                  const std::string& where) {
  if (status.integer() >= low && status.integer() <= high) return;
  report.error(status, parent, where, "bad-status",
               "HTTP status must be from " + std::to_string(low) + " to " + std::to_string(high));
}

void check_fault(Report& report, const Value& fault, const std::string& where) {
  const auto check_part = [&](std::string_view name) {
    const Value& part = fault.at(name);
    if (!part.is_map()) return;
    check_percent(report, part.at("percentage"), path(path(where, name), "percentage"));
    check_percent(report, part.at("percent"), path(path(where, name), "percent"));
    if (part.at("percentage").is_null() && part.at("percent").is_null()) {
      report.warning(part, fault, path(where, name), "fault-without-percentage",
                     "without a percentage this fault never happens",
                     "add percentage: {value: 100}");
    }
  };
  check_part("delay");
  check_part("abort");
  const Value& abort = fault.at("abort");
  check_duration(report, fault.at("delay"), path(where, "delay"), "fixedDelay");
  if (!abort.at("httpStatus").is_null()) {
    check_status(report, abort.at("httpStatus"), abort, 200, 600, path(where, "abort.httpStatus"));
  }
  if (!abort.at("grpcStatus").is_null() && !grpc_status(abort.at("grpcStatus").text())) {
    report.error(abort.at("grpcStatus"), abort, path(where, "abort.grpcStatus"), "bad-grpc-status",
                 "\"" + std::string(abort.at("grpcStatus").text()) + "\" is no gRPC status",
                 "write its name, as in UNAVAILABLE");
  }
}

void check_retries(Report& report, const Value& rule, const std::string& where) {
  const Value& retries = rule.at("retries");
  if (!retries.is_map()) return;
  const std::string here = path(where, "retries");
  const std::int64_t attempts = retries.at("attempts").integer();
  if (attempts < 0) {
    report.error(retries.at("attempts"), retries, path(here, "attempts"), "bad-attempts",
                 "attempts must not be negative");
  }
  const bool has_more = !retries.at("perTryTimeout").is_null() ||
                        !retries.at("retryOn").text().empty() ||
                        retries.at("retryRemoteLocalities").flag();
  if (attempts == 0 && has_more) {
    report.error(retries, rule, here, "no-attempts",
                 "a retry policy is given while attempts is 0 or absent", "set attempts");
  }
  check_duration(report, retries, here, "perTryTimeout");
  check_duration(report, retries, here, "backoff");
  const std::string_view words = retries.at("retryOn").text();
  if (words.empty()) return;
  for (const std::string_view word : split(words, ',')) {
    if (retry_word(word) != 0 || is_status_code(word)) continue;
    report.error(retries.at("retryOn"), retries, path(here, "retryOn"), "bad-retry-on",
                 "\"" + std::string(word) + "\" is no condition to retry on",
                 word != trim(word) ? "blanks around the commas count as part of the word" : "");
  }
}

void check_redirect(Report& report, const Value& redirect, const std::string& where) {
  if (!redirect.is_map()) return;
  if (!redirect.at("redirectCode").is_null() && redirect.at("redirectCode").integer() != 0) {
    check_status(report, redirect.at("redirectCode"), redirect, 300, 399,
                 path(where, "redirectCode"));
  }
  if (!redirect.at("port").is_null()) {
    check_port(report, redirect.at("port"), redirect, path(where, "port"));
  }
}

void check_cors(Report& report, const Value& rule, const std::string& where) {
  const Value& cors = rule.at("corsPolicy");
  if (!cors.is_map()) return;
  const std::string here = path(where, "corsPolicy");
  constexpr std::array<std::string_view, 10> kMethods = {
      "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "*"};
  std::size_t index = 0;
  for (const Value& method : cors.at("allowMethods").list()) {
    const std::string each = path(here, "allowMethods", index++);
    if (std::find(kMethods.begin(), kMethods.end(), method.text()) != kMethods.end()) continue;
    report.error(method, cors, each, "bad-method",
                 "\"" + std::string(method.text()) + "\" is not an HTTP method known here");
  }
  index = 0;
  for (const Value& origin : cors.at("allowOrigins").list()) {
    check_string_match(report, origin, path(here, "allowOrigins", index++));
  }
  check_duration(report, cors, here, "maxAge");
  const auto age = resource::parse_duration(cors.at("maxAge").text());
  if (age && age->count() % 1'000'000'000 != 0) {
    report.error(cors.at("maxAge"), cors, path(here, "maxAge"), "bad-duration",
                 "maxAge is in whole seconds");
  }
}

void check_mirrors(Report& report, const Value& rule, const std::string& where) {
  if (rule.at("mirror").is_map()) {
    check_destination(report, rule.at("mirror"), rule, path(where, "mirror"));
  }
  check_percent(report, rule.at("mirrorPercentage"), path(where, "mirrorPercentage"));
  std::size_t index = 0;
  for (const Value& mirror : rule.at("mirrors").list()) {
    const std::string here = path(where, "mirrors", index++);
    check_destination(report, mirror.at("destination"), mirror, path(here, "destination"));
    check_percent(report, mirror.at("percentage"), path(here, "percentage"));
  }
}

// Conditions on nothing but the path's beginning; false: there are others.
bool plain_prefix(const Value& match, std::string& prefix) {
  for (const resource::Member& member : match.map()) {
    if (member.key != "uri" && member.key != "name") return false;
  }
  const Value& uri = match.at("uri");
  if (uri.is_null()) {
    prefix = "";
    return true;
  }
  if (uri.at("regex").text() == ".*") {
    prefix = "";
    return true;
  }
  if (!uri.at("prefix").is_string()) return false;
  prefix = uri.at("prefix").text() == "/" ? "" : uri.at("prefix").text();
  return true;
}

// Warns of matches behind one that takes all that they could. Looks at plain prefixes alone: what
// is said here is certain, what is not said may still be unreachable.
class Reach {
 public:
  explicit Reach(Report& report) : report_(report) {}

  void look_at(const Value& match, const Value& parent, const std::string& where) {
    const Value& uri = match.at("uri");
    const bool ignores_case = match.at("ignoreUriCase").flag();
    const std::string_view text =
        uri.at("exact").is_string() ? uri.at("exact").text() : uri.at("prefix").text();
    const std::string* blocker = nullptr;
    const auto all = first_.find("");
    if (all != first_.end()) {
      blocker = &all->second;
    } else if (!ignores_case) {
      for (std::size_t length = 1; length <= text.size() && blocker == nullptr; ++length) {
        const auto found = first_.find(std::string(text.substr(0, length)));
        if (found != first_.end()) blocker = &found->second;
      }
    }
    if (blocker != nullptr) {
      report_.warning(match, parent, where, "unreachable-rule",
                      "no request can reach this: " + *blocker + " takes them all",
                      "put it before " + *blocker);
    }
    std::string prefix;
    if (plain_prefix(match, prefix)) first_.try_emplace(std::move(prefix), where);
  }

 private:
  Report& report_;
  std::unordered_map<std::string, std::string> first_;  // prefix -> where it was first
};

void check_rule(Report& report, const Value& rule, const std::string& where, Reach& reach) {
  check_actions(report, rule, where);
  std::size_t index = 0;
  for (const Value& match : rule.at("match").list()) {
    const std::string here = path(where, "match", index++);
    check_match(report, match, here);
    reach.look_at(match, rule, here);
  }
  if (rule.at("match").list().empty()) reach.look_at(rule.at("match"), rule, where);
  check_routes(report, rule, where);
  check_rewrite(report, rule, where);
  check_headers(report, rule.at("headers"), path(where, "headers"));
  check_redirect(report, rule.at("redirect"), path(where, "redirect"));
  if (const Value& direct = rule.at("directResponse"); direct.is_map()) {
    check_status(report, direct.at("status"), direct, 200, 600,
                 path(where, "directResponse.status"));
  }
  check_duration(report, rule, where, "timeout");
  check_retries(report, rule, where);
  check_fault(report, rule.at("fault"), path(where, "fault"));
  check_mirrors(report, rule, where);
  check_cors(report, rule, where);
}

}  // namespace

void check_virtual_service(Report& report) {
  const Value& spec = report.object().spec();
  check_hosts(report, spec);
  if (spec.at("http").list().empty() && spec.at("tcp").list().empty() &&
      spec.at("tls").list().empty()) {
    report.error(spec, report.object().root, "spec", "no-rules",
                 "one of http, tcp or tls must be given");
  }
  Reach reach(report);
  std::size_t index = 0;
  for (const Value& rule : spec.at("http").list()) {
    check_rule(report, rule, path("spec", "http", index++), reach);
  }
}

}  // namespace sluice::compile
