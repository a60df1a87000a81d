#include "compile/actions.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "base/text.h"
#include "compile/services.h"
#include "resource/duration.h"

namespace sluice::compile {

using resource::Value;

namespace {

using On = route::RetryPolicy::On;

constexpr std::array<std::pair<std::string_view, std::uint32_t>, 16> kRetryWords = {{
    {"5xx", On::k5xx},
    {"gateway-error", On::kGatewayError},
    {"reset", On::kReset},
    {"reset-before-request", On::kResetBeforeRequest},
    {"connect-failure", On::kConnectFailure},
    {"retriable-4xx", On::kRetriable4xx},
    {"refused-stream", On::kRefusedStream},
    {"envoy-ratelimited", On::kEnvoyRatelimited},
    {"retriable-status-codes", On::kRetriableStatusCodes},
    {"retriable-headers", 1U << 30U},           // no headers can be listed: never true
    {"http3-post-connect-failure", 1U << 30U},  // no HTTP/3 upstream
    {"cancelled", On::kGrpcCancelled},
    {"deadline-exceeded", On::kGrpcDeadlineExceeded},
    {"internal", On::kGrpcInternal},
    {"resource-exhausted", On::kGrpcResourceExhausted},
    {"unavailable", On::kGrpcUnavailable},
}};

constexpr std::array<std::string_view, 17> kGrpcNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

Milliseconds read_milliseconds(const Value& value) {
  const auto duration = resource::parse_duration(value.text());
  return duration ? std::chrono::duration_cast<Milliseconds>(*duration) : Milliseconds{0};
}

// {value: percent}, as parts per million: Istio keeps four digits behind the point.
std::uint32_t parts_per_million(const Value& percentage) {
  const double percent =
      percentage.is_number() ? percentage.number() : percentage.at("value").number();
  return static_cast<std::uint32_t>(std::llround(std::clamp(percent, 0.0, 100.0) * 10'000));
}

bool is_authority(std::string_view lower_name) {
  return lower_name == "host" || lower_name == ":authority";
}

// `authority`: a Host operation among them, which is a rewrite in truth.
route::HeaderOps translate_operations(const Value& value, std::optional<std::string>* authority) {
  route::HeaderOps operations;
  const auto take = [&](const Value& map, auto& into) {
    for (const resource::Member& member : map.map()) {
      std::string name = to_lower(member.key);
      if (authority != nullptr && is_authority(name)) {
        *authority = member.value.text();
      } else if (!member.value.text().empty()) {  // Envoy does nothing with an empty value
        into.emplace_back(std::move(name), parse_header_format(member.value.text()));
      }
    }
  };
  take(value.at("set"), operations.set);
  take(value.at("add"), operations.add);
  for (const std::string& name : resource::read_texts(value.at("remove"))) {
    operations.remove.push_back(to_lower(name));
  }
  return operations;
}

// `first`, then `second`, as one list of Envoy's: removals, then sets and adds in that order.
void append_operations(route::HeaderOps& first, route::HeaderOps second) {
  std::move(second.remove.begin(), second.remove.end(), std::back_inserter(first.remove));
  for (auto& each : second.set) {
    const auto same = [&](const auto& other) { return other.first == each.first; };
    std::erase_if(first.add, same);
    std::erase_if(first.set, same);
    first.set.push_back(std::move(each));
  }
  std::move(second.add.begin(), second.add.end(), std::back_inserter(first.add));
}

// Of several destinations one is left: its operations come before the rule's.
void fold_operations(route::Destination& destination, route::Rule& rule) {
  append_operations(destination.request_headers, std::move(rule.request_headers));
  append_operations(destination.response_headers, std::move(rule.response_headers));
  rule.request_headers = std::exchange(destination.request_headers, {});
  rule.response_headers = std::exchange(destination.response_headers, {});
}

// Envoy knows \0 to \9 and \\ in a substitution.
route::Rewrite translate_rewrite(const Value* value, const route::Match& match,
                                 RegexCache& regexes) {
  route::Rewrite rewrite;
  if (value == nullptr) return rewrite;
  if (const std::string* authority = value->at("authority").as_string()) {
    if (!authority->empty()) rewrite.authority = *authority;
  }
  const Value& regex = value->at("uriRegexRewrite");
  const std::string_view uri = value->at("uri").text();
  if (regex.is_map()) {
    rewrite.regex = regexes.find_or_make(regex.at("match").text());
    rewrite.text = regex.at("rewrite").text();
    if (rewrite.regex != nullptr) rewrite.kind = route::Rewrite::Kind::kRegex;
  } else if (!uri.empty()) {
    rewrite.text = uri;
    const bool is_prefix = !match.uri || match.uri->kind == route::StringMatch::Kind::kPrefix;
    rewrite.kind = is_prefix ? route::Rewrite::Kind::kPrefix : route::Rewrite::Kind::kFull;
    rewrite.prefix_length = match.uri ? match.uri->text.size() : 1;  // no match: prefix "/"
  }
  return rewrite;
}

route::RetryPolicy translate_retries(const Value* value) {
  route::RetryPolicy policy;
  if (value == nullptr) return policy;  // Istio's default
  policy.attempts =
      static_cast<std::uint32_t>(std::max<std::int64_t>(0, value->at("attempts").integer()));
  if (policy.attempts == 0) {
    policy.on = 0;
    return policy;
  }
  if (const std::string_view words = value->at("retryOn").text(); !words.empty()) {
    policy.on = 0;
    for (const std::string_view word : split(words, ',')) {
      if (is_status_code(word)) {
        std::uint16_t code = 0;
        std::from_chars(word.data(), word.data() + word.size(), code);
        policy.status_codes.push_back(code);
        policy.on |= On::kRetriableStatusCodes;
      } else {
        policy.on |= retry_word(word) & ~(1U << 30U);
      }
    }
  }
  policy.per_try_timeout = read_milliseconds(value->at("perTryTimeout"));
  if (const Milliseconds base = read_milliseconds(value->at("backoff")); base.count() > 0) {
    policy.backoff_base = base;
  }
  policy.avoid_previous_hosts = value->at("retryIgnorePreviousHosts").flag(true);
  return policy;
}

route::Fault translate_fault(const Value& value) {
  route::Fault fault;
  const auto share = [](const Value& part) {
    return parts_per_million(part.at("percentage").is_null() ? part.at("percent")
                                                             : part.at("percentage"));
  };
  if (const Value& delay = value.at("delay"); delay.is_map()) {
    fault.delay = read_milliseconds(delay.at("fixedDelay"));
    fault.delay_parts_per_million = share(delay);
  }
  if (const Value& abort = value.at("abort"); abort.is_map()) {
    fault.http_status = static_cast<std::uint16_t>(abort.at("httpStatus").integer());
    fault.grpc_status = grpc_status(abort.at("grpcStatus").text());
    fault.abort_parts_per_million = share(abort);
  }
  return fault;
}

std::string join(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& each : texts) {
    if (!joined.empty()) joined += ',';
    joined += each;
  }
  return joined;
}

route::Cors translate_cors(const Value& value, RegexCache& regexes) {
  route::Cors cors;
  for (const Value& each : value.at("allowOrigins").list()) {
    bool is_unusable = false;
    route::StringMatch origin = translate_string_match(each, regexes, is_unusable);
    if (!is_unusable) cors.origins.push_back(std::move(origin));
  }
  if (value.at("allowOrigins").list().empty()) {
    for (const std::string& each : resource::read_texts(value.at("allowOrigin"))) {
      route::StringMatch origin;
      origin.text = each;
      if (each == "*") origin.kind = route::StringMatch::Kind::kPresent;
      cors.origins.push_back(std::move(origin));
    }
  }
  cors.allow_methods = join(resource::read_texts(value.at("allowMethods")));
  cors.allow_headers = join(resource::read_texts(value.at("allowHeaders")));
  cors.expose_headers = join(resource::read_texts(value.at("exposeHeaders")));
  if (const auto age = resource::parse_duration(value.at("maxAge").text())) {
    cors.max_age = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(*age).count());
  }
  cors.allow_credentials = value.at("allowCredentials").flag();
  cors.forward_unmatched_preflights = value.at("unmatchedPreflights").text() != "IGNORE";
  return cors;
}

route::Redirect translate_redirect(const Value& value, const RuleTarget& target) {
  route::Redirect redirect;
  redirect.status = static_cast<std::uint16_t>(value.at("redirectCode").integer(301));
  if (redirect.status == 0) redirect.status = 301;
  const auto take = [&](std::string_view key, std::optional<std::string>& into) {
    if (const std::string_view text = value.at(key).text(); !text.empty()) into = text;
  };
  take("uri", redirect.uri);
  if (redirect.uri && !redirect.uri->starts_with('/')) redirect.uri->insert(0, "/");  // as Envoy
  take("authority", redirect.authority);
  take("scheme", redirect.scheme);
  if (value.at("port").integer() > 0) {
    redirect.port = static_cast<std::uint32_t>(value.at("port").integer());
  }
  if (value.at("derivePort").text() == "FROM_REQUEST_PORT") {
    redirect.port_from_request = true;
    redirect.port = target.port;
  }
  return redirect;
}

route::DirectResponse translate_direct_response(const Value& value) {
  route::DirectResponse response;
  response.status = static_cast<std::uint16_t>(value.at("status").integer(200));
  const Value& body = value.at("body");
  if (const std::string* text = body.at("string").as_string()) {
    response.body = *text;
  } else if (auto bytes = resource::decode_base64(body.at("bytes").text())) {
    response.body = std::move(*bytes);
  }
  return response;
}

struct DestinationName {
  route::ClusterId cluster = route::kNoCluster;
  std::uint16_t port = 0;
  std::string host;
  std::string name;  // as route::Cluster::name
};

DestinationName resolve(const Value& destination, const RuleDraft& draft,
                        const RuleTarget& target) {
  DestinationName name;
  const std::int64_t port = destination.at("port").at("number").integer();
  const std::string_view subset = destination.at("subset").text();
  name.cluster = target.cluster(
      draft.owner->object->namespace_, destination.at("host").text(),
      port > 0 && port <= 0xffff ? static_cast<std::uint16_t>(port) : std::uint16_t{0}, subset,
      name.port, name.host);
  name.name = cluster_name(name.host, name.port, subset);
  return name;
}

std::vector<route::Mirror> translate_mirrors(const RuleDraft& draft, const RuleTarget& target) {
  std::vector<route::Mirror> mirrors;
  const auto add = [&](const Value& destination, const Value* percentage) {
    const std::uint32_t parts = percentage == nullptr ? 1'000'000 : parts_per_million(*percentage);
    if (parts == 0) return;
    DestinationName name = resolve(destination, draft, target);
    mirrors.push_back({name.cluster, parts, std::move(name.name)});
  };
  if (draft.mirror != nullptr) add(*draft.mirror, draft.mirror_percentage);
  if (draft.mirrors != nullptr) {
    for (const Value& each : draft.mirrors->list()) {
      const Value& percentage = each.at("percentage");
      add(each.at("destination"), percentage.is_null() ? nullptr : &percentage);
    }
  }
  return mirrors;
}

// The part of x-envoy-decorator-operation behind the port.
std::string decorator_path(const route::Match& match) {
  if (!match.uri) return "/*";
  return match.uri->kind == route::StringMatch::Kind::kPrefix ? match.uri->text + "*"
                                                              : match.uri->text;
}

route::Forward translate_forward(const resource::VirtualService& service, const RuleDraft& draft,
                                 const route::Match& match, const RuleTarget& target,
                                 RegexCache& regexes, route::Rule& rule) {
  route::Forward forward;
  forward.rewrite = translate_rewrite(draft.rewrite, match, regexes);
  if (draft.timeout != nullptr) forward.timeout = read_milliseconds(*draft.timeout);
  forward.retries = translate_retries(draft.retries);
  forward.mirrors = translate_mirrors(draft, target);
  std::optional<std::string> header_authority;
  if (draft.headers != nullptr) {
    rule.request_headers = translate_operations(draft.headers->at("request"), &header_authority);
  }
  if (header_authority) forward.rewrite.authority = header_authority;

  const resource::List& routes = draft.route->list();
  const bool is_lone = routes.size() == 1;
  DestinationName name;
  for (const Value& each : routes) {
    const std::int64_t weight = each.at("weight").integer();
    if (!is_lone && weight <= 0) continue;
    name = resolve(each.at("destination"), draft, target);
    route::Destination destination;
    destination.cluster = name.cluster;
    destination.name = name.name;
    destination.weight = weight > 0 ? static_cast<std::uint32_t>(weight) : 0;
    const Value& headers = each.at("headers");
    destination.request_headers =
        translate_operations(headers.at("request"), &destination.authority);
    destination.response_headers = translate_operations(headers.at("response"), nullptr);
    if (is_lone) {
      append_operations(rule.request_headers, std::exchange(destination.request_headers, {}));
      append_operations(rule.response_headers, std::exchange(destination.response_headers, {}));
      if (destination.authority) forward.rewrite.authority = destination.authority;
    }
    forward.weight_total += destination.weight;
    forward.destinations.push_back(std::move(destination));
  }
  if (!is_lone && forward.destinations.size() == 1) {  // the others have weight 0
    fold_operations(forward.destinations[0], rule);
    if (auto& authority = forward.destinations[0].authority) {
      forward.rewrite.authority = std::exchange(authority, std::nullopt);
    }
  }
  if (is_lone) {
    forward.decorator = name.host + ":" + std::to_string(name.port) + decorator_path(match);
  } else {
    forward.decorator =
        service.object->name + ":" + std::to_string(target.port) + decorator_path(match);
  }
  return forward;
}

// "%COMMAND(argument):length%" without the percent signs. False: not known.
bool parse_command(std::string_view text, route::HeaderFormat::Piece& piece) {
  using Command = route::HeaderFormat::Command;
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  const std::string_view name = text.substr(0, std::min(open, text.find(':')));
  if (name == "REQ" || name == "RESP") {
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
      return false;
    }
    piece.command = name == "REQ" ? Command::kRequestHeader : Command::kResponseHeader;
    std::string_view argument = text.substr(open + 1, close - open - 1);
    if (const std::size_t mark = argument.find('?'); mark != std::string_view::npos) {
      piece.alternative = to_lower(argument.substr(mark + 1));
      argument = argument.substr(0, mark);
    }
    piece.text = to_lower(argument);
    if (close + 1 < text.size() && text[close + 1] == ':') {
      std::from_chars(text.data() + close + 2, text.data() + text.size(), piece.length_max);
    }
    return true;
  }
  constexpr std::array<std::pair<std::string_view, Command>, 9> kCommands = {{
      {"PROTOCOL", Command::kProtocol},
      {"RESPONSE_CODE", Command::kResponseCode},
      {"DOWNSTREAM_REMOTE_ADDRESS", Command::kDownstreamAddress},
      {"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Command::kDownstreamAddressWithoutPort},
      {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", Command::kDownstreamAddressWithoutPort},
      {"START_TIME", Command::kStartTime},
      {"ROUTE_NAME", Command::kRouteName},
      {"UPSTREAM_CLUSTER", Command::kUpstreamCluster},
      {"HOSTNAME", Command::kHostname},
  }};
  for (const auto& [known, command] : kCommands) {
    if (name != known) continue;
    piece.command = command;
    return true;
  }
  return false;
}

}  // namespace

route::HeaderFormat parse_header_format(std::string_view text) {
  route::HeaderFormat format;
  std::string plain;
  const auto flush = [&] {
    if (!plain.empty())
      format.pieces.push_back({route::HeaderFormat::Command::kText, plain, {}, 0});
    plain.clear();
  };
  while (!text.empty()) {
    const std::size_t end = text[0] == '%' ? text.find('%', 1) : std::string_view::npos;
    if (end == std::string_view::npos) {
      plain.push_back(text[0]);
      text.remove_prefix(1);
      continue;
    }
    route::HeaderFormat::Piece piece;
    if (end == 1) {
      plain.push_back('%');
    } else if (parse_command(text.substr(1, end - 1), piece)) {
      flush();
      format.pieces.push_back(std::move(piece));
    } else {
      plain.append(text.substr(0, end + 1));
    }
    text.remove_prefix(end + 1);
  }
  flush();
  if (format.pieces.empty()) format.pieces.emplace_back();
  return format;
}

std::uint32_t retry_word(std::string_view word) {
  for (const auto& [known, bits] : kRetryWords) {
    if (word == known) return bits;
  }
  return 0;
}

bool is_status_code(std::string_view word) {
  int code = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), code);
  return error == std::errc() && end == word.data() + word.size() && code >= 100 && code <= 599;
}

std::optional<std::uint32_t> grpc_status(std::string_view text) {
  if (text.empty()) return std::nullopt;
  for (std::uint32_t i = 0; i < kGrpcNames.size(); ++i) {
    if (text == kGrpcNames[i]) return i;
  }
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return code;
}

std::shared_ptr<const route::Rule> make_rule(const resource::VirtualService& service,
                                             const RuleDraft& draft, const route::Match& match,
                                             const std::string& name_suffix,
                                             const RuleTarget& target, RegexCache& regexes) {
  auto rule = std::make_shared<route::Rule>();
  rule->name = draft.name + name_suffix;
  rule->origin = draft.origin;
  rule->match = match;
  if (draft.headers != nullptr) {
    rule->response_headers = translate_operations(draft.headers->at("response"), nullptr);
  }
  if (draft.redirect != nullptr) {
    rule->action = translate_redirect(*draft.redirect, target);
  } else if (draft.direct_response != nullptr) {
    rule->action = translate_direct_response(*draft.direct_response);
  } else if (draft.route != nullptr && !draft.route->list().empty()) {
    rule->action = translate_forward(service, draft, match, target, regexes, *rule);
  } else {
    rule->action = route::DirectResponse{503, {}};  // admission refuses such an object
  }
  if (draft.cors != nullptr) rule->cors = translate_cors(*draft.cors, regexes);
  if (draft.fault != nullptr) rule->fault = translate_fault(*draft.fault);
  return rule;
}

}  // namespace sluice::compile
