#include "gateway/request.h"

#include "gateway/access_log.h"
#include "gateway/mirror.h"
#include "gateway/retry.h"
#include "gateway/worker.h"
#include "http/authority.h"

namespace sluice::gateway {

namespace {

// Held or unsent body beyond this stops the caller: back-pressure.
constexpr std::size_t kBodyUnsentMax = 64U << 10U;

// The host that routes are found by: lower case, whatever stands behind a colon dropped. Specified
// by what Envoy was seen to do, not by RFC 3986: "a.test:abc" is a.test.
void lower_host(std::string_view authority, std::string& out) {
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  authority = authority.substr(0, colon);
  out.resize(authority.size());
  http::lower_into(out.data(), authority);
}

bool happens(std::uint32_t parts_per_million, Random& random) noexcept {
  return parts_per_million >= 1'000'000 ||
         (parts_per_million > 0 && random.below(1'000'000) < parts_per_million);
}

}  // namespace

Request::Request(Worker& worker)
    : worker_(worker),
      route_timer_(on_route_timeout, this),
      try_timer_(on_try_timeout, this),
      backoff_timer_(on_backoff_over, this),
      delay_timer_(on_delay_over, this) {
  mirrors_.reserve(4);
}

void Request::reset(Downstream& downstream) {
  downstream_ = &downstream;
  parser.reset();
  snapshot_ = nullptr;
  has_query_ = has_body_ = has_request_id_ = must_close_ = false;
  rule_ = nullptr;
  forward_ = nullptr;
  destination_ = nullptr;
  cors_origin_ = {};
  body_view_ = {};
  body_.clear();
  body_sent_ = 0;
  body_complete_ = body_dropped_ = false;
  upstream_ = nullptr;
  cluster_ = nullptr;
  endpoint_ = nullptr;
  tried_.count = 0;
  tries_ = policy_retries_ = free_retries_ = reroutes_ = 0;
  left_destinations_ = 0;
  sent_ns_ = head_ns_ = deadline_ns_ = 0;
  fresh_ = head_sent_ = tail_sent_ = counts_retry_ = false;
  phase_ = Phase::kReceived;
  flags_ = 0;
  status_ = 0;
  responded_ = ended_ = false;
  start_ns_ = worker_.now_ns();
  bytes_received_ = bytes_sent_ = 0;
}

void Request::start(bool has_body) {
  has_body_ = has_body;
  if (!has_body) body_complete_ = true;
  worker_.metrics().downstream_requests_active.add();
  snapshot_ = &worker_.use_snapshot();
  if (head.form == http::TargetForm::kAuthority) {  // CONNECT: no route has it
    flags_ |= flag::kNoRoute;
    return reply({.status = 404, .with_rule = false});
  }
  if (head.form == http::TargetForm::kAsterisk) return reply({.status = 404, .with_rule = false});
  if (head.target_is_https && !downstream_->is_tls()) {
    return reply({.status = 403, .body = "Forbidden", .with_rule = false});
  }
  if (head.wants_upgrade && !http::lists(head.fields.value(http::Known::kUpgrade), "h2c")) {
    // h2c is ignored; websocket is a later issue, until then refused like all others.
    must_close_ = true;  // the caller may speak another protocol now
    return reply({.status = 403, .with_rule = false});
  }
  route();
}

void Request::route() {
  const route::NormalisedPath path = route::normalise(head.path, path_buffer_);
  if (!path.ok) return refuse(400, "");
  lower_host(head.authority, host_);
  has_query_ = path.has_query;
  routed_ = {head.method,      downstream_->is_tls() ? "https" : "http",
             head.authority,   host_,
             path.path,        path.query,
             head.fields.all()};
  // Of an older snapshot, if this is not the first time: what they point to may be gone.
  rule_ = nullptr;
  forward_ = nullptr;
  destination_ = nullptr;
  cors_origin_ = {};
  const route::RouteTable* routes = downstream_->routes(snapshot_->snapshot());
  const route::VirtualHost* host = routes == nullptr ? nullptr : routes->host_for(host_);
  if (host != nullptr && host->https_redirect()) return reply_https_redirect();
  if (host != nullptr) rule_ = host->find(routed_);
  if (rule_ == nullptr) {
    flags_ |= flag::kNoRoute;
    return reply({.status = 404, .with_rule = false});
  }
  phase_ = Phase::kRouted;
  run_rule();
}

void Request::run_rule() {
  // A request that is routed again had its faults.
  if (rule_->fault.has_value() && reroutes_ == 0) {
    const route::Fault& fault = *rule_->fault;
    if (fault.delay.count() > 0 && happens(fault.delay_parts_per_million, worker_.random())) {
      flags_ |= flag::kFaultDelayed;
      delay_timer_.arm(worker_.loop(), fault.delay);
      return;
    }
  }
  after_faults();
}

void Request::on_delay_over(void* self) { static_cast<Request*>(self)->after_faults(); }

void Request::after_faults() {
  if (rule_->fault.has_value() && reroutes_ == 0 &&
      happens(rule_->fault->abort_parts_per_million, worker_.random())) {
    return reply_fault(*rule_->fault);
  }
  if (rule_->cors.has_value() && answer_preflight()) return;
  if (const auto* forwarded = std::get_if<route::Forward>(&rule_->action)) {
    forward_ = forwarded;
    return forward();
  }
  if (const auto* redirect = std::get_if<route::Redirect>(&rule_->action)) {
    return reply_redirect(*redirect);
  }
  const auto& direct = std::get<route::DirectResponse>(rule_->action);
  reply({.status = direct.status, .body = direct.body});
}

// True: the request was a preflight and is answered.
bool Request::answer_preflight() {
  const route::Cors& cors = *rule_->cors;
  const std::string_view origin = head.fields.value(http::Known::kOrigin);
  if (origin.empty()) return false;
  for (const route::StringMatch& allowed : cors.origins) {
    if (allowed.accepts(origin)) {
      cors_origin_ = origin;
      break;
    }
  }
  const bool preflight =
      head.method == "OPTIONS" && head.fields.has(http::Known::kAccessControlRequestMethod);
  if (!preflight || (cors_origin_.empty() && cors.forward_unmatched_preflights)) return false;
  HeadEdit& edit = worker_.response_edit();
  edit.clear();
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) edit.add(name, value);
  };
  add("access-control-allow-methods", cors.allow_methods);
  add("access-control-allow-headers", cors.allow_headers);
  add("access-control-max-age", cors.max_age);
  if (cors_origin_.empty()) {  // IGNORE: what is allowed is told, but not to this origin
    reply({.status = 200}, edit);
    return true;
  }
  add_cors(edit);
  reply({.status = 200}, edit);
  return true;
}

void Request::forward() {
  if (!has_request_id_) {
    worker_.write_request_id(request_id_);
    has_request_id_ = true;
  }
  const auto& destinations = forward_->destinations;
  destination_ = &destinations[0];
  if (destinations.size() > 1 && forward_->weight_total > 0) {
    std::uint64_t point = worker_.random().next() % forward_->weight_total;
    for (const route::Destination& each : destinations) {
      if (point < each.weight) {
        destination_ = &each;
        break;
      }
      point -= each.weight;
    }
  }
  if (head.expect_continue && has_body_ && tries_ == 0) downstream_->send_continue();
  if (!forward_->mirrors.empty() && tries_ == 0) start_mirrors();
  if (body_complete_) arm_route_timeout();
  begin_try();
}

bool Request::wants_body() const noexcept {
  if (upstream_ != nullptr && upstream_->is_blocked()) return false;
  return body_.size() - body_sent_ < kBodyUnsentMax;
}

void Request::take_body(std::string_view data, bool complete, bool stays) {
  bytes_received_ += data.size();
  for (const Fed& fed : mirrors_) {
    if (fed.mirror->copy() == fed.copy) fed.mirror->take_body(data, complete);
  }
  if (complete) mirrors_.clear();
  if (stays && complete && body_.empty()) {
    body_view_ = data;
  } else {
    body_.insert(body_.end(), data.begin(), data.end());
  }
  body_complete_ = complete;
  if (snapshot_ == nullptr) return;  // not started: `start` looks at what was taken
  if (complete) on_body_completed();
  if (upstream_ != nullptr && head_sent_) send_more_body();
  if (ended_) return;
  if (body_.size() > limits::kRetryBodyBytesMax && !body_dropped_) body_dropped_ = true;
  if (body_dropped_ && body_sent_ > 0) {
    // Sent once and not held: what has gone to the connection is forgotten.
    body_.erase(body_.begin(), body_.begin() + static_cast<std::ptrdiff_t>(body_sent_));
    body_sent_ = 0;
  }
}

void Request::on_route_timeout(void* self) {
  auto& request = *static_cast<Request*>(self);
  request.leave_upstream();
  request.backoff_timer_.disarm();
  request.delay_timer_.disarm();
  if (request.responded_) {
    request.flags_ |= flag::kUpstreamTimeout;
    return request.end(true);
  }
  request.reply_failure(Failure::kTimeout);
}

void Request::refuse(std::uint16_t status, std::string_view body) {
  worker_.metrics().refused_heads.add();
  if (snapshot_ == nullptr) {
    worker_.metrics().downstream_requests_active.add();
    snapshot_ = &worker_.use_snapshot();
  }
  must_close_ = true;
  flags_ |= flag::kDownstreamProtocol;
  reply({.status = status, .body = body, .with_rule = false, .shaped = false});
}

void Request::refuse_body(std::uint16_t status, std::string_view body) {
  leave_upstream();
  flags_ |= flag::kDownstreamProtocol;
  body_complete_ = false;
  if (responded_) return end(true);
  refuse(status, body);
}

void Request::on_downstream_gone() {
  flags_ |= flag::kDownstreamGone;
  leave_upstream();
  end(true);
}

void Request::on_downstream_writable() {
  if (upstream_ != nullptr) upstream_->resume();
}

// The one exit of every request.
void Request::end(bool cut) {
  ended_ = true;
  release_try();
  route_timer_.disarm();
  backoff_timer_.disarm();
  delay_timer_.disarm();
  for (const Fed& fed : mirrors_) {
    if (fed.mirror->copy() == fed.copy) fed.mirror->cut();
  }
  mirrors_.clear();
  phase_ = Phase::kDone;
  account();
  worker_.leave_snapshot(*snapshot_);
  snapshot_ = nullptr;
  if (body_.capacity() > kBodyUnsentMax) {
    body_.clear();
    body_.shrink_to_fit();
  }
  if (cut) {
    downstream_->on_request_cut();
  } else {
    downstream_->on_request_done();
  }
}

void Request::account() {
  Metrics& metrics = worker_.metrics();
  metrics.downstream_requests_active.sub();
  const unsigned status_class = status_ / 100;
  metrics.requests_by_class[status_class <= 5 ? status_class : 0].add();
  for (unsigned bit = 0; flags_ != 0 && bit < flag::kCount; ++bit) {
    if ((flags_ & (1U << bit)) != 0) metrics.flags[bit].add();
  }
  metrics.count_latency(static_cast<std::uint64_t>((worker_.now_ns() - start_ns_) / 1000));
  if (worker_.access_log() != nullptr) worker_.access_log()->write(*this, worker_);
}

}  // namespace sluice::gateway
