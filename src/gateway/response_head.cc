// The head that goes to the caller, and the answer relayed behind it.
#include "gateway/request.h"
#include "gateway/retry.h"
#include "gateway/worker.h"
#include "http/write.h"

namespace sluice::gateway {

namespace {

using http::Known;

bool is_dropped(Known known) noexcept {
  switch (known) {
    case Known::kContentLength:
    case Known::kTransferEncoding:
    case Known::kConnection:
    case Known::kKeepAlive:
    case Known::kProxyConnection:
    case Known::kUpgrade:
    case Known::kServer:
    case Known::kEnvoyDecoratorOperation:
    case Known::kEnvoyUpstreamServiceTime:
      return true;
    default:
      return false;
  }
}

}  // namespace

void Request::on_response_head() {
  head_ns_ = worker_.now_ns();
  const std::uint16_t status = response.status;
  const bool gateway_error = status >= 502 && status <= 504;
  worker_.clusters().note_answer(*endpoint_, status >= 500, gateway_error, head_ns_);
  const std::string_view grpc_status =
      head.is_grpc ? response.fields.value(Known::kGrpcStatus) : std::string_view();
  if (retries_answer(forward_->retries, status, grpc_status, false)) {
    const bool left = policy_retries_ < forward_->retries.attempts;
    if (left && can_replay() && body_complete_) {
      tried_.add(endpoint_);
      leave_upstream();
      return schedule_retry();
    }
    if (!left && forward_->retries.attempts > 0) flags_ |= flag::kRetriesExceeded;
  }
  try_timer_.disarm();
  send_response_head();
}

void Request::send_response_head() {
  worker_.arena().reset();
  HeadEdit& edit = worker_.response_edit();
  build_response(edit);
  status_ = response.status;
  responded_ = true;
  phase_ = Phase::kRelaying;
  ResponseStart start;
  start.status = response.status;
  start.reason = response.reason;
  start.fields = &edit;
  // Whether the caller may send another request: not while this one's body is still coming.
  start.close = !head.keep_alive || !body_complete_ || downstream_->is_draining();
  switch (response.framing) {
    case http::Framing::kLength:
      start.body = BodyKind::kLength;
      start.content_length = response.content_length;
      break;
    case http::Framing::kChunked:
    case http::Framing::kUntilClose:
      start.body = BodyKind::kChunked;
      break;
    case http::Framing::kNone:
      start.body = BodyKind::kNone;
      break;
  }
  downstream_->send_head(start);
}

void Request::build_response(HeadEdit& edit) {
  edit.clear();
  const http::FieldList& fields = response.fields;
  for (unsigned i = 0; i < fields.count; ++i) {
    if (is_dropped(fields.known[i])) continue;
    if (response.connection_names &&
        http::lists(fields.value(Known::kConnection), fields.at[i].name)) {
      continue;
    }
    edit.add(fields.at[i].name, fields.at[i].value);
  }
  if (response.framing == http::Framing::kNone && response.status != 204) {
    // To HEAD, or 304: what the body would have been.
    if (fields.has(Known::kContentLength)) {
      edit.add("content-length", fields.value(Known::kContentLength));
    } else if (fields.has(Known::kTransferEncoding)) {
      edit.add("transfer-encoding", "chunked");
    }
  }
  Arena& arena = worker_.arena();
  char digits[http::kDecimalBytesMax];
  const auto service_ms = static_cast<std::uint64_t>((head_ns_ - sent_ns_) / 1'000'000);
  edit.add("x-envoy-upstream-service-time",
           arena.copy({digits, http::write_decimal(digits, service_ms)}));
  if (!cors_origin_.empty()) add_cors(edit);
  apply_response_operations(edit, response.status);
  finish_response_fields(edit);
}

// To whatever answer the caller gets: who may read it.
void Request::add_cors(HeadEdit& edit) {
  const route::Cors& cors = *rule_->cors;
  edit.set("access-control-allow-origin", cors_origin_);
  if (cors.allow_credentials) edit.set("access-control-allow-credentials", "true");
  if (!cors.expose_headers.empty()) {
    edit.set("access-control-expose-headers", cors.expose_headers);
  }
}

void Request::apply_response_operations(HeadEdit& edit, std::uint16_t status) {
  if (rule_ == nullptr) return;
  static const route::HeaderOps kNothing;
  const route::HeaderOps& of_rule = rule_->response_headers;
  const route::HeaderOps& of_destination =
      destination_ == nullptr ? kNothing : destination_->response_headers;
  if (of_rule.empty() && of_destination.empty()) return;
  HeadEdit& request = worker_.request_edit();  // %REQ()% sees what the caller sent
  request.clear();
  copy_request_fields(request);
  FormatContext seen = context();
  seen.request = &request;
  seen.response = &edit;
  seen.status = status;
  std::string_view ignored;
  apply(of_destination, seen, worker_.arena(), edit, ignored);
  apply(of_rule, seen, worker_.arena(), edit, ignored);
}

void Request::finish_response_fields(HeadEdit& edit) {
  edit.set("server", "istio-envoy");
  if (edit.find("date") == nullptr) edit.add("date", worker_.date());
}

void Request::on_response_data(std::string_view data) {
  bytes_sent_ += data.size();
  downstream_->send_data(data);
}

void Request::on_response_flush(bool complete) {
  if (!responded_) return;
  if (complete) downstream_->send_end();
  if (!downstream_->flush()) return on_downstream_gone();
  if (!complete && downstream_->is_blocked()) upstream_->pause();
}

void Request::on_response_end() {
  upstream_ = nullptr;
  end(false);
}

}  // namespace sluice::gateway
