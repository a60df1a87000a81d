// What Istio's webhook refuses in a DestinationRule or a ServiceEntry.
// Source: recorded verdicts (admission_test.cc).

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "base/text.h"
#include "compile/admission_report.h"

namespace sluice::compile {

using resource::Value;

namespace {

void check_not_negative(Report& report, const Value& parent, std::string_view where,
                        std::string_view field) {
  if (parent.at(field).integer() >= 0) return;
  report.error(parent.at(field), parent, path(where, field), "negative-limit",
               std::string(field) + " must not be negative");
}

void check_percent_limit(Report& report, const Value& parent, std::string_view where,
                         std::string_view field) {
  const std::int64_t percent = parent.at(field).integer();
  if (percent >= 0 && percent <= 100) return;
  report.error(parent.at(field), parent, path(where, field), "bad-percentage",
               std::string(field) + " must be from 0 to 100");
}

void check_enum(Report& report, const Value& parent, const std::string& where,
                std::string_view field, std::initializer_list<std::string_view> allowed) {
  const Value& value = parent.at(field);
  if (value.is_null()) return;
  if (std::find(allowed.begin(), allowed.end(), value.text()) != allowed.end()) return;
  std::string hint;
  for (const std::string_view each : allowed) {
    hint += (hint.empty() ? "one of " : ", ") + std::string(each);
  }
  report.error(value, parent, path(where, field), "bad-enum",
               "\"" + std::string(value.text()) + "\" is no value of " + std::string(field), hint);
}

bool is_prime(std::int64_t number) {
  if (number < 2) return false;
  for (std::int64_t i = 2; i * i <= number && i < 100'000; ++i) {
    if (number % i == 0) return false;
  }
  return true;
}

void check_load_balancer(Report& report, const Value& balancer, const std::string& where) {
  check_enum(
      report, balancer, where, "simple",
      {"UNSPECIFIED", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST", "LEAST_CONN"});
  const Value& hash = balancer.at("consistentHash");
  const std::string here = path(where, "consistentHash");
  const Value& cookie = hash.at("httpCookie");
  if (cookie.is_map() && cookie.at("name").text().empty()) {
    report.error(cookie, hash, path(here, "httpCookie.name"), "no-cookie-name",
                 "httpCookie needs a name");
  }
  const Value& maglev = hash.at("maglev");
  if (!maglev.at("tableSize").is_null() && !is_prime(maglev.at("tableSize").integer())) {
    report.error(maglev.at("tableSize"), maglev, path(here, "maglev.tableSize"), "not-prime",
                 "tableSize must be a prime number");
  }
}

void check_pool(Report& report, const Value& pool, const Value& parent, const std::string& where) {
  const Value& tcp = pool.at("tcp");
  const Value& http = pool.at("http");
  if (tcp.is_null() && http.is_null()) {
    report.error(pool, parent, where, "empty-policy", "connectionPool needs tcp or http");
  }
  check_not_negative(report, tcp, path(where, "tcp"), "maxConnections");
  check_duration(report, tcp, path(where, "tcp"), "connectTimeout");
  for (const std::string_view field :
       {"http1MaxPendingRequests", "http2MaxRequests", "maxRequestsPerConnection", "maxRetries"}) {
    check_not_negative(report, http, path(where, "http"), field);
  }
  check_duration(report, http, path(where, "http"), "idleTimeout");
  check_enum(report, http, path(where, "http"), "h2UpgradePolicy",
             {"DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"});
}

void check_outlier(Report& report, const Value& outlier, const std::string& where) {
  check_duration(report, outlier, where, "interval");
  check_duration(report, outlier, where, "baseEjectionTime");
  check_percent_limit(report, outlier, where, "maxEjectionPercent");
  check_percent_limit(report, outlier, where, "minHealthPercent");
}

void check_client_tls(Report& report, const Value& tls, const Value& parent,
                      const std::string& where) {
  check_enum(report, tls, where, "mode", {"DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"});
  const bool has_files =
      !tls.at("clientCertificate").text().empty() && !tls.at("privateKey").text().empty();
  if (tls.at("mode").text() == "MUTUAL" && tls.at("credentialName").text().empty() && !has_files) {
    report.error(tls, parent, where, "no-certificate",
                 "mode MUTUAL needs a client certificate and a private key",
                 "name the Secret that holds them in credentialName");
  }
}

void check_policy(Report& report, const Value& policy, const Value& parent,
                  const std::string& where, bool is_port_level) {
  if (policy.is_null()) return;
  const std::size_t names = is_port_level && !policy.at("port").is_null() ? 1 : 0;
  if (policy.map().size() <= names && !is_port_level) {
    report.error(policy, parent, where, "empty-policy",
                 "a traffic policy needs at least one field");
  }
  check_load_balancer(report, policy.at("loadBalancer"), path(where, "loadBalancer"));
  if (const Value& pool = policy.at("connectionPool"); !pool.is_null()) {
    check_pool(report, pool, policy, path(where, "connectionPool"));
  }
  check_outlier(report, policy.at("outlierDetection"), path(where, "outlierDetection"));
  if (const Value& tls = policy.at("tls"); tls.is_map()) {
    check_client_tls(report, tls, policy, path(where, "tls"));
  }
  std::size_t index = 0;
  for (const Value& each : policy.at("portLevelSettings").list()) {
    const std::string here = path(where, "portLevelSettings", index++);
    check_port(report, each.at("port").at("number"), each, path(here, "port.number"));
    check_policy(report, each, policy, here, true);
  }
}

void check_entry_ports(Report& report, const Value& spec, std::set<std::string>& names) {
  std::set<std::int64_t> numbers;
  std::size_t index = 0;
  for (const Value& port : spec.at("ports").list()) {
    const std::string where = path("spec", "ports", index++);
    check_port(report, port.at("number"), port, path(where, "number"));
    if (!port.at("targetPort").is_null()) {
      check_port(report, port.at("targetPort"), port, path(where, "targetPort"));
    }
    if (!numbers.insert(port.at("number").integer()).second) {
      report.error(port.at("number"), port, path(where, "number"), "duplicate-port",
                   "port " + std::to_string(port.at("number").integer()) + " is listed twice");
    }
    names.insert(std::string(port.at("name").text()));
  }
}

void check_entry_endpoints(Report& report, const Value& spec, const std::set<std::string>& names) {
  const bool is_static = spec.at("resolution").text() == "STATIC";
  std::size_t index = 0;
  for (const Value& endpoint : spec.at("endpoints").list()) {
    const std::string where = path("spec", "endpoints", index++);
    const std::string_view address = endpoint.at("address").text();
    if (is_static && !is_ip_address(address) && !address.starts_with("unix://")) {
      report.error(endpoint.at("address"), endpoint, path(where, "address"), "not-an-ip-address",
                   "\"" + std::string(address) + "\" is no IP address, as resolution STATIC needs",
                   "for a host name use resolution: DNS");
    }
    for (const resource::Member& port : endpoint.at("ports").map()) {
      const std::string here = path(path(where, "ports"), port.key);
      if (!names.contains(port.key)) {
        report.error(port.value, endpoint, here, "unknown-port",
                     "the entry has no port named " + port.key);
      }
      check_port(report, port.value, endpoint, here);
    }
  }
}

}  // namespace

void check_destination_rule(Report& report) {
  const Value& spec = report.object().spec();
  if (spec.at("host").text().empty()) {
    report.error(spec.at("host"), spec, "spec.host", "no-host", "a DestinationRule needs a host");
  }
  check_policy(report, spec.at("trafficPolicy"), spec, "spec.trafficPolicy", false);
  std::set<std::string> names;
  std::size_t index = 0;
  for (const Value& subset : spec.at("subsets").list()) {
    const std::string where = path("spec", "subsets", index++);
    const std::string name(subset.at("name").text());
    if (name.empty()) {
      report.error(subset, spec, path(where, "name"), "bad-subset-name", "a subset needs a name");
    } else {
      check_subset_name(report, subset.at("name"), path(where, "name"));
    }
    if (!names.insert(name).second) {
      report.error(subset.at("name"), subset, path(where, "name"), "duplicate-subset",
                   "subset " + name + " is listed twice");
    }
    check_policy(report, subset.at("trafficPolicy"), subset, path(where, "trafficPolicy"), false);
  }
}

void check_service_entry(Report& report) {
  const Value& spec = report.object().spec();
  if (spec.at("hosts").list().empty()) {
    report.error(spec.at("hosts"), spec, "spec.hosts", "no-hosts",
                 "a ServiceEntry needs at least one host");
  }
  std::size_t index = 0;
  for (const Value& host : spec.at("hosts").list()) {
    const std::string where = path("spec", "hosts", index++);
    if (host.text() == "*" || !is_domain_name(host.text())) {
      report.error(host, spec, where, "bad-host",
                   "\"" + std::string(host.text()) + "\" is no host of a ServiceEntry");
    }
  }
  check_enum(report, spec, "spec", "resolution",
             {"NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"});
  std::set<std::string> names;
  check_entry_ports(report, spec, names);
  check_entry_endpoints(report, spec, names);
}

}  // namespace sluice::compile
