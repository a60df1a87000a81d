#include "compile/explain.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "compile/describe.h"
#include "route/path.h"

namespace sluice::compile {
namespace {

using Outcome = Explanation::Outcome;
using route::StringMatch;

// Host without port, in lower case: what virtual hosts are found by.
std::string host_of(std::string_view authority) {
  const std::size_t colon =
      authority.starts_with('[') ? authority.find(':', authority.find(']')) : authority.find(':');
  return to_lower(authority.substr(0, colon));
}

const route::Listener* find_listener(const route::Snapshot& snapshot, std::uint16_t port,
                                     bool is_tls, Explanation& said) {
  for (const auto& each : snapshot.listeners) {
    if (each->port == port) return each.get();
  }
  // A URL names the port that is bound, perhaps not that of the Gateway: one listener is clear.
  const route::Listener* only = nullptr;
  std::string ports;
  std::size_t count = 0;
  for (const auto& each : snapshot.listeners) {
    ports += fmt::format("{}{}", ports.empty() ? "" : ", ", each->port);
    if (each->is_tls != is_tls) continue;
    only = each.get();
    ++count;
  }
  if (count == 1) {
    said.notes.push_back(
        fmt::format("no Gateway has port {}; explained for port {}", port, only->port));
    return only;
  }
  said.outcome = Outcome::kNoListener;
  said.notes.push_back(ports.empty() ? "no Gateway has a server, so nothing listens"
                                     : "no Gateway has port " + std::to_string(port) +
                                           "; there are " + ports);
  return nullptr;
}

bool covers(std::string_view pattern, std::string_view name) {
  if (pattern == "*" || pattern == name) return true;
  return pattern.starts_with('*') && name.size() >= pattern.size() &&
         name.ends_with(pattern.substr(1));
}

// As the handshake does: exact, else the longest wildcard, else "*".
const route::TlsServer* find_tls_server(const route::Listener& listener, const std::string& sni) {
  const route::TlsServer* best = nullptr;
  std::size_t worth = 0;
  for (const auto& server : listener.tls_servers) {
    for (const std::string& host : server->hosts) {
      if (!covers(host, sni)) continue;
      const std::size_t value = host == sni ? std::string::npos : host.size();
      if (value > worth) {
        worth = value;
        best = server.get();
      }
    }
  }
  return best;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string text;
  for (const std::string& each : texts) text += (text.empty() ? "" : ", ") + each;
  return text;
}

std::string path_reason(const StringMatch& uri, std::string_view path) {
  const std::string with_slash = std::string(path) + "/";
  if (uri.kind == StringMatch::Kind::kPrefix && uri.accepts(with_slash)) {
    return fmt::format("the path {} lacks the slash at the end of {}", path, uri.text);
  }
  if (uri.kind == StringMatch::Kind::kExact && path == uri.text + "/") {
    return fmt::format("the path {} has a slash at its end that {} has not", path, uri.text);
  }
  if (uri.kind == StringMatch::Kind::kExact && with_slash == uri.text) {
    return fmt::format("the path {} lacks the slash at the end of {}", path, uri.text);
  }
  if (uri.kind != StringMatch::Kind::kRegex) {
    StringMatch any_case = uri;
    any_case.ignore_case = true;
    if (any_case.accepts(path)) {
      return fmt::format("the path {} differs from {} in upper and lower case", path, uri.text);
    }
  }
  switch (uri.kind) {
    case StringMatch::Kind::kExact:
      return fmt::format("the path {} is not {}", path, uri.text);
    case StringMatch::Kind::kPrefix:
      return fmt::format("the path {} does not begin with {}", path, uri.text);
    default:
      return fmt::format("the path {} does not match {}", path, describe(uri));
  }
}

std::vector<std::string> reasons_against(const route::Match& match,
                                         const route::RequestHead& request) {
  std::vector<std::string> reasons;
  const auto check = [&](const std::optional<StringMatch>& wanted, std::string_view value,
                         std::string_view what) {
    if (wanted && !wanted->accepts(value)) {
      reasons.push_back(fmt::format("the {} is {}, not {}", what, value, describe(*wanted)));
    }
  };
  if (match.uri && !match.uri->accepts(request.path)) {
    reasons.push_back(path_reason(*match.uri, request.path));
  }
  check(match.method, request.method, "method");
  check(match.scheme, request.scheme, "scheme");
  check(match.authority, request.authority, "authority");
  // Each condition alone, through the matcher itself.
  for (const route::HeaderMatch& each : match.headers) {
    route::Match alone;
    alone.headers.push_back(each);
    if (alone.accepts(request)) continue;
    const Field* field = request.field(each.name);
    reasons.push_back(
        field == nullptr ? fmt::format("header {} is missing ({})", each.name, describe(each.value))
                         : fmt::format("header {} is {}, not {}", each.name, field->value,
                                       describe(each.value)));
  }
  for (const route::HeaderMatch& each : match.without_headers) {
    route::Match alone;
    alone.without_headers.push_back(each);
    if (alone.accepts(request)) continue;
    reasons.push_back(fmt::format("header {} must not be {}", each.name, describe(each.value)));
  }
  for (const route::HeaderMatch& each : match.query_params) {
    route::Match alone;
    alone.query_params.push_back(each);
    if (alone.accepts(request)) continue;
    reasons.push_back(fmt::format("query parameter {} is not {}", each.name, describe(each.value)));
  }
  return reasons;
}

// How far a rule is from accepting; smaller is nearer.
std::size_t distance(const route::Match& match, std::string_view path, std::size_t reasons) {
  std::size_t far = reasons * 100;
  if (match.uri && !match.uri->accepts(path)) {
    const std::string& text = match.uri->text;
    const std::string_view head = path.substr(0, std::min(path.size(), text.size()));
    far += match.uri->kind == StringMatch::Kind::kRegex ? 40 : edit_distance(text, head, 40);
    if (equal_ignoring_case(text, head) || std::string(path) + "/" == text) far -= 50;
  }
  return far;
}

void add_misses(const route::VirtualHost& host, const route::RequestHead& request,
                Explanation& said) {
  std::vector<std::pair<std::size_t, Explanation::Miss>> all;
  for (const route::PlacedRule& placed : host.rules()) {
    const route::Rule& rule = *placed.rule;
    auto reasons = reasons_against(rule.match, request);
    const std::size_t far = distance(rule.match, request.path, reasons.size());
    all.emplace_back(far, Explanation::Miss{rule.name, rule.origin, std::move(reasons)});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [far, miss] : all) {
    if (said.misses.size() == kMissesMax) break;
    said.misses.push_back(std::move(miss));
  }
}

void say_unknown_host(const route::Snapshot& snapshot, const route::RouteTable& table,
                      const route::RequestHead& request, Explanation& said) {
  std::vector<std::string_view> names;
  for (const route::VirtualHost* each : table.hosts()) names.push_back(each->name());
  std::string note = fmt::format("no VirtualService of port {} has host {}", said.port,
                                 request.host.empty() ? "\"\"" : std::string(request.host));
  if (names.empty()) {
    note = fmt::format("no VirtualService is bound to a Gateway of port {}", said.port);
  } else if (const std::string_view like = nearest(request.host, names); !like.empty()) {
    note += fmt::format("; did you mean {}?", like);
  } else if (names.size() <= 10) {
    note += "; there are ";
    for (std::size_t i = 0; i < names.size(); ++i) {
      note += (i == 0 ? "" : ", ") + std::string(names[i]);
    }
  }
  said.notes.push_back(std::move(note));
  for (const auto& listener : snapshot.listeners) {
    if (listener->port == said.port) continue;
    std::vector<const route::RouteTable*> tables;
    if (listener->routes != nullptr) tables.push_back(listener->routes.get());
    for (const auto& server : listener->tls_servers) tables.push_back(server->routes.get());
    for (const route::RouteTable* other : tables) {
      if (const route::Rule* rule = other->find(request)) {
        said.notes.push_back(
            fmt::format("on port {} it would match {}", listener->port, rule->name));
        break;
      }
    }
  }
}

Explanation::Destination explain_cluster(const route::Snapshot& snapshot, route::ClusterId id,
                                         const std::string& name) {
  Explanation::Destination said;
  said.cluster = name;
  said.name = describe_cluster_name(name);
  const route::Cluster* cluster = snapshot.clusters.find(id);
  if (cluster == nullptr) {
    said.problem = "no such service, port or subset: 503";
    return said;
  }
  for (const route::Endpoint& each : cluster->endpoints) {
    const bool is_v6 = each.ip.find(':') != std::string::npos;
    said.endpoints.push_back(
        fmt::format("{}{}{}:{}", is_v6 ? "[" : "", each.ip, is_v6 ? "]" : "", each.port));
  }
  if (said.endpoints.empty()) said.problem = "no endpoint is ready: 503 no healthy upstream";
  return said;
}

std::string rewritten(const route::Rewrite& rewrite, std::string_view path) {
  std::string text(path);
  switch (rewrite.kind) {
    case route::Rewrite::Kind::kNone:
      break;
    case route::Rewrite::Kind::kPrefix:
      text.replace(0, std::min(rewrite.prefix_length, text.size()), rewrite.text);
      break;
    case route::Rewrite::Kind::kFull:
      text = rewrite.text;
      break;
    case route::Rewrite::Kind::kRegex:
      rewrite.regex->replace_all(text, rewrite.text);
      break;
  }
  return text;
}

void explain_forward(const route::Snapshot& snapshot, const route::Forward& forward,
                     const route::NormalisedPath& path, const ExplainRequest& request,
                     Explanation& said) {
  said.outcome = Outcome::kForward;
  said.upstream_path = rewritten(forward.rewrite, path.path);
  if (path.has_query) said.upstream_path.append("?").append(path.query);
  said.upstream_authority = forward.rewrite.authority.value_or(request.authority);
  for (const route::Destination& each : forward.destinations) {
    Explanation::Destination destination = explain_cluster(snapshot, each.cluster, each.name);
    destination.share_percent = share_percent(forward, each);
    destination.weight = each.weight;
    said.destinations.push_back(std::move(destination));
  }
  for (const route::Mirror& each : forward.mirrors) {
    Explanation::Destination mirror = explain_cluster(snapshot, each.cluster, each.name);
    mirror.share_percent = each.parts_per_million / 10'000.0;
    said.mirrors.push_back(std::move(mirror));
  }
  said.timeout_ms = forward.timeout.count();
  said.retries = describe(forward.retries);
}

std::string redirect_location(const route::Redirect& redirect, const route::NormalisedPath& path,
                              const ExplainRequest& request) {
  const std::string scheme = redirect.scheme.value_or(request.scheme);
  std::string authority = redirect.authority.value_or(request.authority);
  const bool changed_scheme = scheme != request.scheme;
  if (redirect.port) {
    authority = authority.substr(0, authority.find(':'));
    const bool is_default = *redirect.port == (scheme == "https" ? 443U : 80U);
    if (!is_default) authority += ":" + std::to_string(*redirect.port);
  } else if (changed_scheme && !redirect.authority) {
    const std::string_view old_default = scheme == "https" ? ":80" : ":443";
    if (authority.ends_with(old_default)) {
      authority.resize(authority.size() - old_default.size());
    }
  }
  std::string target = redirect.uri.value_or(std::string(path.path));
  if (path.has_query && target.find('?') == std::string::npos) {
    target.append("?").append(path.query);
  }
  return scheme + "://" + authority + target;
}

void explain_rule(const route::Snapshot& snapshot, const route::Rule& rule,
                  const route::NormalisedPath& path, const ExplainRequest& request,
                  Explanation& said) {
  said.rule = rule.name;
  said.origin = rule.origin;
  said.match = describe(rule.match);
  if (const auto* redirect = std::get_if<route::Redirect>(&rule.action)) {
    said.outcome = Outcome::kRedirect;
    said.status = redirect->status;
    said.location = redirect_location(*redirect, path, request);
  } else if (const auto* direct = std::get_if<route::DirectResponse>(&rule.action)) {
    said.outcome = Outcome::kDirectResponse;
    said.status = direct->status;
  } else {
    explain_forward(snapshot, std::get<route::Forward>(rule.action), path, request, said);
  }
  if (!rule.fault) return;
  const route::Fault& fault = *rule.fault;
  if (fault.delay_parts_per_million > 0) {
    said.fault = fmt::format("delay of {} ms for {}", fault.delay.count(),
                             describe_percent(fault.delay_parts_per_million / 10'000.0));
  }
  if (fault.abort_parts_per_million > 0) {
    said.fault += fmt::format("{}abort with {} for {}", said.fault.empty() ? "" : ", ",
                              fault.http_status != 0 ? fault.http_status : 200,
                              describe_percent(fault.abort_parts_per_million / 10'000.0));
  }
}

// The table to ask, or nullptr after saying why there is none.
const route::RouteTable* find_table(const route::Snapshot& snapshot, const ExplainRequest& request,
                                    const std::string& host, Explanation& said) {
  const bool is_tls = request.scheme == "https";
  const std::uint16_t port =
      request.port != 0 ? request.port : static_cast<std::uint16_t>(is_tls ? 443 : 80);
  said.port = port;
  const route::Listener* listener = find_listener(snapshot, port, is_tls, said);
  if (listener == nullptr) return nullptr;
  said.port = listener->port;
  said.is_tls = listener->is_tls;
  if (listener->is_tls != is_tls) {
    said.outcome = is_tls ? Outcome::kNoTlsServer : Outcome::kNoListener;
    said.notes.push_back(fmt::format("port {} speaks {}", said.port,
                                     listener->is_tls ? "TLS: use https" : "plain HTTP"));
    return nullptr;
  }
  if (!listener->is_tls) return listener->routes.get();
  const std::string sni = request.sni ? to_lower(*request.sni) : host;
  const route::TlsServer* server = find_tls_server(*listener, sni);
  if (server == nullptr) {
    said.outcome = Outcome::kNoTlsServer;
    std::vector<std::string> hosts;
    for (const auto& each : listener->tls_servers) {
      hosts.insert(hosts.end(), each->hosts.begin(), each->hosts.end());
    }
    said.notes.push_back(fmt::format("no TLS server of port {} takes the name {}; there are {}",
                                     said.port, sni, joined(hosts)));
    return nullptr;
  }
  said.server = joined(server->hosts);
  if (server->tls == nullptr) {
    said.outcome = Outcome::kNoTlsServer;
    said.notes.push_back("the Secret of this TLS server is missing or unusable");
    return nullptr;
  }
  return server->routes.get();
}

}  // namespace

Explanation explain(const route::Snapshot& snapshot, const ExplainRequest& request) {
  Explanation said;
  const std::string host = host_of(request.authority);
  const route::RouteTable* table = find_table(snapshot, request, host, said);
  if (table == nullptr) return said;

  std::string buffer;
  const route::NormalisedPath path = route::normalise(request.target, buffer);
  if (!path.ok) {
    said.outcome = Outcome::kBadRequest;
    said.status = 400;
    said.notes.push_back(
        "the path is not acceptable: it needs a slash in front, and no blanks, "
        "control characters, bytes above 127 or %00");
    return said;
  }
  said.path = std::string(path.path);
  if (path.has_query) said.path.append("?").append(path.query);

  route::RequestHead head;
  head.method = request.method;
  head.scheme = request.scheme;
  head.authority = request.authority;
  head.host = host;
  head.path = path.path;
  head.query = path.query;
  std::vector<Field> fields;
  for (const auto& [name, value] : request.headers) fields.push_back({name, value});
  head.fields = fields;

  const route::VirtualHost* virtual_host = table->host_for(host);
  if (virtual_host == nullptr) {
    said.status = 404;
    say_unknown_host(snapshot, *table, head, said);
    return said;
  }
  said.virtual_host = virtual_host->name();
  if (virtual_host->https_redirect()) {
    said.outcome = Outcome::kRedirect;
    said.status = 301;
    said.location = "https://" + request.authority + said.path;
    said.notes.push_back("the Gateway's server has httpsRedirect");
    return said;
  }
  if (const route::Rule* rule = virtual_host->find(head)) {
    explain_rule(snapshot, *rule, path, request, said);
    return said;
  }
  said.status = 404;
  add_misses(*virtual_host, head, said);
  return said;
}

}  // namespace sluice::compile
