#include "compile/describe.h"

#include <fmt/core.h>

#include <array>
#include <utility>

#include "base/text.h"
#include "compile/link.h"

namespace sluice::compile {

using route::StringMatch;

std::string describe(const StringMatch& match) {
  const std::string suffix = match.ignore_case ? " (any case)" : "";
  switch (match.kind) {
    case StringMatch::Kind::kExact:
      return "exact " + match.text + suffix;
    case StringMatch::Kind::kPrefix:
      return "prefix " + match.text + suffix;
    case StringMatch::Kind::kRegex:
      return "regex " + match.text;
    case StringMatch::Kind::kPresent:
      return "present";
  }
  return {};
}

std::string describe(const route::Match& match) {
  std::string text;
  const auto add = [&](std::string piece) {
    if (!text.empty()) text += ", ";
    text += piece;
  };
  if (match.uri) add(describe(*match.uri));
  if (match.method) add("method " + describe(*match.method));
  if (match.scheme) add("scheme " + describe(*match.scheme));
  if (match.authority) add("authority " + describe(*match.authority));
  for (const auto& each : match.headers) add("header " + each.name + " " + describe(each.value));
  for (const auto& each : match.without_headers) {
    add("without header " + each.name + " " + describe(each.value));
  }
  for (const auto& each : match.query_params) {
    add("query " + each.name + " " + describe(each.value));
  }
  return text.empty() ? "everything" : text;
}

std::string describe(const route::RetryPolicy& retries) {
  using On = route::RetryPolicy::On;
  if (retries.attempts == 0) return "none";
  constexpr std::array<std::pair<std::uint32_t, std::string_view>, 14> kWords = {{
      {On::k5xx, "5xx"},
      {On::kGatewayError, "gateway-error"},
      {On::kReset, "reset"},
      {On::kResetBeforeRequest, "reset-before-request"},
      {On::kConnectFailure, "connect-failure"},
      {On::kRetriable4xx, "retriable-4xx"},
      {On::kRefusedStream, "refused-stream"},
      {On::kEnvoyRatelimited, "envoy-ratelimited"},
      {On::kRetriableStatusCodes, "retriable-status-codes"},
      {On::kGrpcCancelled, "cancelled"},
      {On::kGrpcDeadlineExceeded, "deadline-exceeded"},
      {On::kGrpcInternal, "internal"},
      {On::kGrpcResourceExhausted, "resource-exhausted"},
      {On::kGrpcUnavailable, "unavailable"},
  }};
  std::string words;
  for (const auto& [bit, word] : kWords) {
    if ((retries.on & bit) == 0) continue;
    if (!words.empty()) words += ',';
    words += word;
  }
  for (const std::uint16_t code : retries.status_codes) words += "," + std::to_string(code);
  std::string text = fmt::format("{} more on {}", retries.attempts, words);
  if (retries.per_try_timeout.count() > 0) {
    text += fmt::format(", each at most {} ms", retries.per_try_timeout.count());
  }
  return text;
}

std::string describe_cluster_name(std::string_view name) {
  const auto parts = split(name, '|');
  if (parts.size() != 4) return std::string(name);
  std::string text = fmt::format("{}:{}", parts[3], parts[1]);
  if (!parts[2].empty()) text += fmt::format(" subset {}", parts[2]);
  return text;
}

double share_percent(const route::Forward& forward, const route::Destination& destination) {
  if (forward.destinations.size() == 1 || forward.weight_total == 0) return 100;
  return 100.0 * destination.weight / static_cast<double>(forward.weight_total);
}

std::string describe_percent(double percent) { return fmt::format("{:.4g}%", percent); }

std::string describe_action(const route::Rule& rule) {
  if (const auto* redirect = std::get_if<route::Redirect>(&rule.action)) {
    std::string text = fmt::format("redirect {}", redirect->status);
    if (redirect->scheme) text += " scheme " + *redirect->scheme;
    if (redirect->authority) text += " authority " + *redirect->authority;
    if (redirect->port) text += fmt::format(" port {}", *redirect->port);
    if (redirect->uri) text += " uri " + *redirect->uri;
    return text;
  }
  if (const auto* direct = std::get_if<route::DirectResponse>(&rule.action)) {
    return fmt::format("direct response {}", direct->status);
  }
  const auto& forward = std::get<route::Forward>(rule.action);
  std::string text;
  for (const route::Destination& each : forward.destinations) {
    if (!text.empty()) text += ", ";
    text += describe_cluster_name(each.name);
    if (forward.destinations.size() > 1) {
      text += " " + describe_percent(share_percent(forward, each));
    }
  }
  for (const route::Mirror& each : forward.mirrors) {
    text += fmt::format(", mirror {} {}", describe_cluster_name(each.name),
                        describe_percent(each.parts_per_million / 10'000.0));
  }
  return text;
}

namespace {

void list_table(const route::RouteTable& table, std::uint16_t port, const std::string& server,
                std::vector<RouteRow>& rows) {
  for (const route::VirtualHost* host : table.hosts()) {
    if (host->https_redirect()) {
      rows.push_back({port, server, host->name(), "everything", "redirect 301 to https", "", ""});
      continue;
    }
    for (const route::PlacedRule& placed : host->rules()) {
      const route::Rule& rule = *placed.rule;
      rows.push_back({port, server, host->name(), describe(rule.match), describe_action(rule),
                      rule.name, rule.origin});
    }
  }
}

}  // namespace

std::vector<RouteRow> list_routes(const route::Snapshot& snapshot) {
  std::vector<RouteRow> rows;
  for (const auto& listener : snapshot.listeners) {
    if (listener->routes != nullptr) list_table(*listener->routes, listener->port, "", rows);
    for (const auto& tls : listener->tls_servers) {
      std::string names;
      for (const std::string& host : tls->hosts) names += (names.empty() ? "" : ",") + host;
      list_table(*tls->routes, listener->port, names, rows);
    }
  }
  return rows;
}

}  // namespace sluice::compile
