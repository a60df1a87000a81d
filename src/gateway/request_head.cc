// The head that goes upstream: sanitised, with what Istio's gateway adds, then the rule's
// operations, then host and path rewritten (the order of Envoy's filters).
#include <algorithm>

#include "gateway/mirror.h"
#include "gateway/request.h"
#include "gateway/worker.h"
#include "http/write.h"

namespace sluice::gateway {

namespace {

using http::Known;

// Fields of callers that never pass: hop by hop (RFC 9110 section 7.6.1), framing that is made
// anew, and what the gateway alone may say.
bool is_dropped(Known known) noexcept {
  switch (known) {
    case Known::kHost:
    case Known::kContentLength:
    case Known::kTransferEncoding:
    case Known::kConnection:
    case Known::kKeepAlive:
    case Known::kProxyConnection:
    case Known::kUpgrade:
    case Known::kHttp2Settings:
    case Known::kTe:
    case Known::kForwardedFor:
    case Known::kForwardedProto:
    case Known::kForwardedClientCert:
    case Known::kRequestId:
    case Known::kEnvoyInternal:
    case Known::kEnvoyExternalAddress:
    case Known::kEnvoyOriginalPath:
    case Known::kEnvoyOriginalHost:
    case Known::kEnvoyDecoratorOperation:
    case Known::kEnvoyForceTrace:
    case Known::kEnvoyDownstreamServiceCluster:
    case Known::kEnvoyDownstreamServiceNode:
    case Known::kEnvoyIpTags:
    case Known::kEnvoyRetryOn:
    case Known::kEnvoyRetryGrpcOn:
    case Known::kEnvoyMaxRetries:
    case Known::kEnvoyUpstreamRqTimeoutMs:
    case Known::kEnvoyUpstreamRqPerTryTimeoutMs:
    case Known::kEnvoyUpstreamAltStatName:
    case Known::kEnvoyHedgeOnPerTryTimeout:
    case Known::kEnvoyRetriableStatusCodes:
    case Known::kEnvoyRetriableHeaderNames:
    case Known::kEnvoyExpectedRqTimeoutMs:
    case Known::kEnvoyAttemptCount:
      return true;
    default:
      return false;
  }
}

// Named by some Connection field: for this hop alone.
bool is_named_by_connection(const http::FieldList& fields, std::string_view name) noexcept {
  for (unsigned i = 0; i < fields.count; ++i) {
    if (fields.known[i] == Known::kConnection && http::lists(fields.at[i].value, name)) return true;
  }
  return false;
}

// Methods for which "no body" needs no content-length: 0.
bool has_no_body_usually(http::Method method) noexcept {
  return method == http::Method::kGet || method == http::Method::kHead ||
         method == http::Method::kDelete || method == http::Method::kTrace ||
         method == http::Method::kConnect;
}

// Text that a rule wrote into a path: what may not stand in a target is encoded, since a blank or a
// line end in it would make another request of this one.
void append_target(Arena& arena, std::string_view text) noexcept {
  if (text.empty() || http::is_target(text)) return arena.append(text);
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const char encoded[3] = {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    const bool plain = http::is_target({&c, 1});
    arena.append(plain ? std::string_view(&c, 1) : std::string_view(encoded, 3));
  }
}

std::string_view decimal(Arena& arena, std::uint64_t number) noexcept {
  char digits[http::kDecimalBytesMax];
  return arena.copy({digits, http::write_decimal(digits, number)});
}

}  // namespace

std::string_view Request::client_path() const noexcept {
  // Path and query are one text, unless the path had to be normalised.
  const std::string_view path = routed_.path;
  if (!has_query_) return path;
  if (path.data() + path.size() + 1 == routed_.query.data()) {
    return {path.data(), path.size() + 1 + routed_.query.size()};
  }
  Arena& arena = worker_.arena();
  arena.begin();
  arena.append(path);
  arena.append("?");
  arena.append(routed_.query);
  return arena.take();
}

FormatContext Request::context() const noexcept {
  FormatContext context;
  context.method = routed_.method;
  context.path = client_path();
  context.authority = head.authority;
  context.scheme = routed_.scheme;
  context.peer_ip = downstream_->peer_ip();
  context.peer_port = downstream_->peer_port();
  if (rule_ != nullptr) context.route_name = rule_->name;
  if (destination_ != nullptr && snapshot_ != nullptr) {
    const route::Cluster* cluster = snapshot_->snapshot().clusters.find(destination_->cluster);
    if (cluster != nullptr) context.cluster = cluster->name;
  }
  context.start_seconds = worker_.wall_seconds();
  return context;
}

void Request::copy_request_fields(HeadEdit& edit) {
  const http::FieldList& fields = head.fields;
  for (unsigned i = 0; i < fields.count; ++i) {
    if (is_dropped(fields.known[i])) continue;
    if (head.connection_names && is_named_by_connection(fields, fields.at[i].name)) continue;
    edit.add(fields.at[i].name, fields.at[i].value);
  }
  if (head.te_trailers) edit.add("te", "trailers");
}

void Request::add_request_fields(HeadEdit& edit) {
  Arena& arena = worker_.arena();
  const std::string_view peer = downstream_->peer_ip();
  const http::FieldList& fields = head.fields;
  if (fields.has(Known::kForwardedFor)) {
    arena.begin();
    for (unsigned i = 0; i < fields.count; ++i) {
      if (fields.known[i] != Known::kForwardedFor) continue;
      arena.append(fields.at[i].value);
      arena.append(",");
    }
    arena.append(peer);
    edit.add("x-forwarded-for", arena.take());
  } else {
    edit.add("x-forwarded-for", peer);
  }
  edit.add("x-forwarded-proto", routed_.scheme);
  edit.add("x-envoy-external-address", peer);
  edit.add("x-request-id", {request_id_, sizeof request_id_});
  if (!downstream_->client_certificate().empty()) {
    edit.add("x-forwarded-client-cert", downstream_->client_certificate());
  }
  edit.add("x-envoy-attempt-count", tries_ <= 1 ? std::string_view("1") : decimal(arena, tries_));
  if (!forward_->decorator.empty()) {
    edit.add("x-envoy-decorator-operation", forward_->decorator);
  }
  std::int64_t expected_ms = forward_->timeout.count();
  if (deadline_ns_ != 0 && tries_ > 1) {
    expected_ms = std::max<std::int64_t>(1, (deadline_ns_ - worker_.now_ns()) / 1'000'000);
  }
  const std::int64_t try_ms = forward_->retries.per_try_timeout.count();
  if (try_ms > 0 && (expected_ms == 0 || try_ms < expected_ms)) expected_ms = try_ms;
  if (expected_ms > 0) {
    edit.add("x-envoy-expected-rq-timeout-ms",
             decimal(arena, static_cast<std::uint64_t>(expected_ms)));
  }
}

// The destination's first, so that the rule's win (recorded: weights-headers). Of a rule with one
// destination Istio joins the two the other way round: whoever makes the snapshot puts them into
// the rule then.
void Request::apply_request_operations(HeadEdit& edit, std::string_view& authority) {
  const route::HeaderOps& of_rule = rule_->request_headers;
  const route::HeaderOps& of_destination = destination_->request_headers;
  if (of_rule.empty() && of_destination.empty()) return;
  FormatContext seen = context();
  seen.request = &edit;
  apply(of_destination, seen, worker_.arena(), edit, authority);
  apply(of_rule, seen, worker_.arena(), edit, authority);
}

std::string_view Request::rewritten_path() {
  const route::Rewrite& rewrite = forward_->rewrite;
  const std::string_view before = client_path();
  Arena& arena = worker_.arena();
  std::string_view path = routed_.path;
  switch (rewrite.kind) {
    case route::Rewrite::Kind::kNone:
      return before;
    case route::Rewrite::Kind::kPrefix:
      arena.begin();
      append_target(arena, rewrite.text);
      arena.append(path.substr(std::min(rewrite.prefix_length, path.size())));
      break;
    case route::Rewrite::Kind::kFull:
      arena.begin();
      append_target(arena, rewrite.text);
      break;
    case route::Rewrite::Kind::kRegex:
      rewrite_buffer_.assign(path);
      if (rewrite.regex == nullptr || !rewrite.regex->replace_all(rewrite_buffer_, rewrite.text)) {
        return before;
      }
      arena.begin();
      append_target(arena, rewrite_buffer_);
      break;
  }
  if (has_query_) {
    arena.append("?");
    arena.append(routed_.query);
  }
  return arena.take();
}

void Request::build_request(HeadEdit& edit, std::string_view& path, std::string_view& authority) {
  worker_.arena().reset();
  edit.clear();
  copy_request_fields(edit);
  add_request_fields(edit);
  std::string_view new_authority;
  apply_request_operations(edit, new_authority);
  if (forward_->rewrite.authority.has_value()) new_authority = *forward_->rewrite.authority;
  authority = head.authority;
  if (!new_authority.empty() && http::is_field_value(new_authority)) {
    edit.set("x-envoy-original-host", head.authority);
    authority = new_authority;
  }
  path = rewritten_path();
  // Also when a regular expression found nothing to replace (recorded).
  if (forward_->rewrite.kind != route::Rewrite::Kind::kNone) {
    edit.set("x-envoy-original-path", client_path());
  }
}

// "" when it is longer than `size`.
std::string_view Request::encode_request(const HeadEdit& edit, std::string_view path,
                                         std::string_view authority, char* out, std::size_t size) {
  http::Writer writer(out, out + size);
  writer.request_line(head.method, path.empty() ? std::string_view("/") : path);
  writer.field("host", authority);
  for (const Field& field : edit) writer.field(field.name, field.value);
  switch (head.framing) {
    case http::Framing::kChunked:
      writer.text("transfer-encoding: chunked\r\n");
      break;
    case http::Framing::kLength:
      writer.field("content-length", head.content_length);
      break;
    default:
      if (!has_no_body_usually(head.method_id)) writer.text("content-length: 0\r\n");
      break;
  }
  writer.end_of_head();
  if (writer.overflowed() || worker_.arena().overflowed()) return {};
  return writer.written();
}

// Copies for shadows: the same head with two marks more. Source: VirtualService mirrors.
void Request::start_mirrors() {
  bool built = false;
  std::string_view bytes;
  for (const route::Mirror& each : forward_->mirrors) {
    if (each.parts_per_million < 1'000'000 &&
        worker_.random().below(1'000'000) >= each.parts_per_million) {
      continue;
    }
    if (!built) {
      built = true;
      const unsigned tries = tries_;
      tries_ = 1;
      HeadEdit& edit = worker_.request_edit();
      std::string_view path;
      std::string_view authority;
      build_request(edit, path, authority);
      tries_ = tries;
      edit.set("x-envoy-internal", "true");
      const Field* forwarded = edit.find("x-forwarded-for");
      Arena& arena = worker_.arena();
      arena.begin();
      if (forwarded != nullptr) {
        arena.append(forwarded->value);
        arena.append(",");
      }
      arena.append(downstream_->peer_ip());
      edit.set("x-forwarded-for", arena.take());
      bytes = encode_request(edit, path, authority, worker_.head_out(), Worker::kHeadOutBytes);
    }
    if (bytes.empty()) return;
    Mirror* mirror = worker_.start_mirror(snapshot_->snapshot(), each.cluster, head.method, host_,
                                          bytes, head.framing == http::Framing::kChunked);
    if (mirror == nullptr) continue;
    mirror->take_body(body(), body_complete_);
    if (!body_complete_ && !mirror->is_over()) mirrors_.push_back({mirror, mirror->copy()});
  }
}

}  // namespace sluice::gateway
