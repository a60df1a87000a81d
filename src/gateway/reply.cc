// The gateway's own answers, as Envoy words them.
#include "gateway/request.h"
#include "gateway/worker.h"
#include "http/write.h"

namespace sluice::gateway {

namespace {

// gRPC's status for an HTTP one. Source: Envoy's httpToGrpcStatus, as recorded.
std::uint32_t grpc_status_of(std::uint16_t status) noexcept {
  switch (status) {
    case 400:
    case 431:
      return 13;
    case 401:
      return 16;
    case 403:
      return 7;
    case 404:
      return 12;
    case 429:
    case 502:
    case 503:
    case 504:
      return 14;
    default:
      return 2;
  }
}

// grpc-message is percent-encoded outside of printable ASCII, and at '%'.
std::string_view grpc_message(std::string_view text, Arena& arena) noexcept {
  static constexpr char kHex[] = "0123456789ABCDEF";
  arena.begin();
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7e || byte == '%') {
      const char encoded[3] = {'%', kHex[byte >> 4U], kHex[byte & 15U]};
      arena.append({encoded, 3});
    } else {
      arena.append({&c, 1});
    }
  }
  return arena.take();
}

}  // namespace

void Request::reply(const Reply& reply) {
  HeadEdit& edit = worker_.response_edit();
  edit.clear();
  this->reply(reply, edit);
}

// `edit` may hold fields already. The one place where the gateway's own answers are sent.
void Request::reply(const Reply& reply, HeadEdit& edit) {
  leave_upstream();
  const bool grpc = reply.shaped && head.is_grpc;
  std::string_view body = reply.body;
  std::uint16_t status = reply.status;
  Arena& arena = worker_.arena();
  char digits[http::kDecimalBytesMax];
  if (grpc) {
    const std::uint32_t code = reply.grpc_status.value_or(grpc_status_of(status));
    edit.set("grpc-status", arena.copy({digits, http::write_decimal(digits, code)}));
  }
  if (grpc) {
    edit.set("content-type", "application/grpc");
    if (!body.empty()) edit.set("grpc-message", grpc_message(body, arena));
    status = 200;
    body = {};
  } else if (!body.empty() && edit.find("content-type") == nullptr) {
    edit.add("content-type", reply.content_type);
  }
  if (reply.overloaded) edit.add("x-envoy-overloaded", "true");
  if (!cors_origin_.empty() && edit.find("access-control-allow-origin") == nullptr) add_cors(edit);
  if (reply.with_rule) apply_response_operations(edit, status);
  finish_response_fields(edit);

  ResponseStart start;
  start.status = status;
  start.fields = &edit;
  start.body = BodyKind::kLength;
  start.content_length = body.size();
  if (head.method_id == http::Method::kHead) {
    if (body.empty()) start.body = BodyKind::kChunked;  // what Envoy says of no body at all
    body = {};
  } else if (status == 204 || status == 304 || grpc) {
    start.body = BodyKind::kNone;
    body = {};
  }
  if (grpc) {
    // HTTP/1 has no other way to say that nothing follows.
    start.body = BodyKind::kLength;
    start.content_length = 0;
  }
  // What is left of a body would be read as a request. Envoy closes after whatever it answers at
  // the head, body read or not; so do we.
  const bool at_head =
      phase_ < Phase::kConnecting || (flags_ & (flag::kNoCluster | flag::kNoHealthyUpstream)) != 0;
  start.close = !head.keep_alive || !body_complete_ || (has_body_ && at_head) || must_close_ ||
                downstream_->is_draining();
  status_ = status;
  responded_ = true;
  bytes_sent_ += body.size();
  downstream_->send_head(start);
  if (!body.empty()) downstream_->send_data(body);
  if (start.body != BodyKind::kChunked) downstream_->send_end();
  if (!downstream_->flush()) {
    flags_ |= flag::kDownstreamGone;
    return end(true);
  }
  end(false);
}

void Request::reply_failure(Failure failure) {
  flags_ |= flags_of(failure);
  Reply answer;
  answer.status = status_of(failure);
  Arena& arena = worker_.arena();
  arena.reset();
  switch (failure) {
    case Failure::kNoCluster:
      break;
    case Failure::kNoEndpoint:
      answer.body = "no healthy upstream";
      break;
    case Failure::kTryTimeout:
    case Failure::kTimeout:
      answer.body = "upstream request timeout";
      break;
    default:
      arena.begin();
      arena.append("upstream connect error or disconnect/reset before headers. ");
      arena.append(policy_retries_ > 0 ? "retried and the latest reset reason: "
                                       : "reset reason: ");
      arena.append(reset_reason(failure));
      answer.body = arena.take();
      break;
  }
  answer.overloaded = failure == Failure::kOverflow;
  reply(answer);
}

void Request::reply_fault(const route::Fault& fault) {
  flags_ |= flag::kFaultAborted;
  Reply answer;
  answer.status = fault.http_status != 0 ? fault.http_status : std::uint16_t{200};
  answer.body = "fault filter abort";
  answer.grpc_status = fault.grpc_status;
  reply(answer);
}

// VirtualService HTTPRedirect. Location is always absolute.
void Request::reply_redirect(const route::Redirect& redirect) {
  Arena& arena = worker_.arena();
  arena.reset();
  const std::string_view old_scheme = routed_.scheme;
  const std::string_view scheme =
      redirect.scheme.has_value() ? std::string_view(*redirect.scheme) : old_scheme;
  std::string_view authority =
      redirect.authority.has_value() ? std::string_view(*redirect.authority) : head.authority;
  std::optional<std::uint32_t> port = redirect.port;
  if (redirect.port_from_request) port = downstream_->gateway_port();
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (port.has_value() && !redirect.authority.has_value()) {
    authority = authority.substr(0, colon);
  } else if (!port.has_value() && !redirect.authority.has_value() && scheme != old_scheme &&
             colon != std::string_view::npos) {
    // Only the scheme changes: the old scheme's own port would be wrong in the new one.
    const std::string_view sent = authority.substr(colon);
    if ((old_scheme == "http" && sent == ":80") || (old_scheme == "https" && sent == ":443")) {
      authority = authority.substr(0, colon);
    }
  }
  const std::string_view path = client_path();
  arena.begin();
  arena.append(scheme);
  arena.append("://");
  arena.append(authority);
  const bool usual = port.has_value() &&
                     ((scheme == "http" && *port == 80) || (scheme == "https" && *port == 443));
  if (port.has_value() && !usual) {
    char digits[http::kDecimalBytesMax];
    arena.append(":");
    arena.append({digits, http::write_decimal(digits, *port)});
  }
  if (redirect.uri.has_value()) {
    if (!redirect.uri->starts_with('/')) arena.append("/");
    arena.append(*redirect.uri);
    if (has_query_ && redirect.uri->find('?') == std::string::npos) {
      arena.append("?");
      arena.append(routed_.query);
    }
  } else {
    arena.append(path);
  }
  HeadEdit& edit = worker_.response_edit();
  edit.clear();
  edit.add("location", arena.take());
  reply({.status = redirect.status, .shaped = false}, edit);
}

// Gateway server tls.httpsRedirect: to https://HOST-as-sent/path?query.
void Request::reply_https_redirect() {
  Arena& arena = worker_.arena();
  arena.reset();
  const std::string_view path = client_path();
  arena.begin();
  arena.append("https://");
  arena.append(head.authority);
  arena.append(path);
  HeadEdit& edit = worker_.response_edit();
  edit.clear();
  edit.add("location", arena.take());
  reply({.status = 301, .with_rule = false, .shaped = false}, edit);
}

}  // namespace sluice::gateway
