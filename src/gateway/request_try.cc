// Tries: which endpoint, sending, failing, trying again.
//
// A request is tried again in four ways, in this order:
// 1. free: nothing of it can have reached a program (refused, or closed before it arrived), or it
//    is idempotent and went out on a connection that had been idle. Another endpoint or a fresh
//    connection is tried at once; it is not counted as a retry, since no retry policy was needed.
// 2. rerouted: the endpoints are exhausted, but a newer configuration is there: ask that.
// 3. elsewhere: nothing was delivered, no endpoint of this destination answers, and the rule has
// others
//    with a weight: one of those takes the request. A version that is down costs its share nothing.
// 4. by policy: RetryPolicy, with back-off.
#include <algorithm>

#include "gateway/mirror.h"
#include "gateway/request.h"
#include "gateway/retry.h"
#include "gateway/worker.h"
#include "http/write.h"

namespace sluice::gateway {

namespace {
constexpr unsigned kFreeRetriesMax = 12;  // of one request: a bound, not a policy
constexpr unsigned kReroutesMax = 3;
constexpr std::size_t kDestinationsTracked = 64;  // bits of left_destinations_
}  // namespace

void Request::begin_try() {
  phase_ = Phase::kConnecting;
  head_sent_ = false;
  ++tries_;
  const route::Snapshot& snapshot = snapshot_->snapshot();
  const route::Cluster* cluster = snapshot.clusters.find(destination_->cluster);
  if (cluster == nullptr) {
    if (!reroute()) reply_failure(Failure::kNoCluster);
    return;
  }
  ClusterTable& clusters = worker_.clusters();
  ClusterState* state = clusters.state_for(*cluster, worker_.newest());
  if (state == nullptr) {
    if (!reroute()) reply_failure(Failure::kNoCluster);
    return;
  }
  if (state->requests >= state->cluster->pool.requests_max) {
    return reply_failure(Failure::kOverflow);
  }
  EndpointState* endpoint = clusters.pick(*state, tried_, hash_key(), worker_.now_ns());
  if (endpoint == nullptr) {
    if (!reroute() && !try_other_destination()) reply_failure(Failure::kNoEndpoint);
    return;
  }
  cluster_ = state;
  endpoint_ = endpoint;
  ++state->requests;
  ++endpoint->active;
  if (body_complete_ && forward_->retries.per_try_timeout.count() > 0) {
    try_timer_.arm(worker_.loop(), forward_->retries.per_try_timeout);
  }
  UpstreamConnection* connection = nullptr;
  const Lease lease = clusters.lease(*state, *endpoint, *this, fresh_, routed_.host, connection);
  fresh_ = false;
  switch (lease) {
    case Lease::kReady:
      upstream_ = connection;
      return send_request();
    case Lease::kConnecting:
      upstream_ = connection;
      return;
    case Lease::kWaiting:
      return;
    case Lease::kOverflow:
      return try_failed(Failure::kOverflow, true, false);
    case Lease::kRefused:
    case Lease::kNoEndpoint:
      return try_failed(Failure::kConnect, true, false);
  }
}

void Request::on_connected() { send_request(); }

// A connection of the cluster that it waits for may be free: pick and lease again.
void Request::on_pool_room() {
  release_try();
  --tries_;
  begin_try();
}

void Request::send_request() {
  HeadEdit& edit = worker_.request_edit();
  std::string_view path;
  std::string_view authority;
  build_request(edit, path, authority);
  const std::string_view bytes =
      encode_request(edit, path, authority, worker_.head_out(), Worker::kHeadOutBytes);
  if (bytes.empty()) {  // the rule's additions made it longer than any head may be
    leave_upstream();
    return refuse(431, "Request Header Fields Too Large");
  }
  upstream_->expect_response_to(head.method);
  head_sent_ = true;
  tail_sent_ = false;
  body_sent_ = 0;
  sent_ns_ = worker_.now_ns();
  write_upstream(bytes);
  // Reading may have stopped because so much waited for this connection: nobody else goes on with
  // it, since the bytes that are there already make no new edge.
  if (!ended_ && !body_complete_) downstream_->want_body();
}

std::string_view Request::body() const noexcept {
  return body_view_.empty() ? std::string_view(body_.data(), body_.size()) : body_view_;
}

void Request::send_more_body() {
  if (!upstream_->is_blocked()) write_upstream({});
}

// Writes the head, if given, and what there is of the body; one system call in the common case.
void Request::write_upstream(std::string_view head_bytes) {
  const std::string_view data = body().substr(body_sent_);
  iovec pieces[5];
  std::size_t count = 0;
  const auto add = [&](std::string_view text) {
    if (!text.empty()) pieces[count++] = {const_cast<char*>(text.data()), text.size()};
  };
  add(head_bytes);
  char chunk_head[http::kChunkHeadBytesMax];
  const bool chunked = head.framing == http::Framing::kChunked;
  if (chunked && !data.empty()) {
    add({chunk_head, http::write_chunk_head(chunk_head, data.size())});
    add(data);
    add("\r\n");
  } else {
    add(data);
  }
  if (chunked && body_complete_ && !tail_sent_) add(http::kLastChunk);
  body_sent_ += data.size();
  if (body_complete_) {
    if (phase_ == Phase::kConnecting) phase_ = Phase::kSent;
    tail_sent_ = true;
    upstream_->finish_request();
  }
  if (count == 0) return;
  if (upstream_->write({pieces, count}) == net::IoStatus::kFailed) upstream_->fail_write();
}

void Request::on_upstream_writable() {
  // Also when only the end of the chunks is left.
  if (head_sent_ && (body_sent_ < body().size() || (body_complete_ && !tail_sent_))) {
    send_more_body();
  }
  if (!ended_ && !body_complete_) downstream_->want_body();
}

void Request::on_body_completed() {
  arm_route_timeout();
  if (upstream_ != nullptr && forward_ != nullptr && !responded_ &&
      forward_->retries.per_try_timeout.count() > 0) {
    try_timer_.arm(worker_.loop(), forward_->retries.per_try_timeout);
  }
}

void Request::arm_route_timeout() {
  if (forward_ == nullptr || forward_->timeout.count() == 0 || deadline_ns_ != 0) return;
  deadline_ns_ = worker_.now_ns() + Nanoseconds(forward_->timeout).count();
  route_timer_.arm(worker_.loop(), forward_->timeout);
}

void Request::leave_upstream() noexcept {
  if (upstream_ != nullptr) {
    UpstreamConnection* connection = upstream_;
    upstream_ = nullptr;
    connection->abandon();
  }
  release_try();
}

void Request::release_try() noexcept {
  try_timer_.disarm();
  worker_.clusters().stop_waiting(*this);
  if (cluster_ != nullptr) {
    --cluster_->requests;
    if (counts_retry_) --cluster_->retries;
    --endpoint_->active;
  }
  counts_retry_ = false;
  cluster_ = nullptr;
  endpoint_ = nullptr;
}

void Request::on_try_timeout(void* self) {
  auto& request = *static_cast<Request*>(self);
  if (request.responded_) return;
  if (request.endpoint_ != nullptr) {
    request.worker_.clusters().note_answer(*request.endpoint_, true, true,
                                           request.worker_.now_ns());
  }
  if (request.upstream_ != nullptr) {
    UpstreamConnection* connection = request.upstream_;
    request.upstream_ = nullptr;
    connection->abandon();
  }
  request.try_failed(Failure::kTryTimeout, false, false);
}

void Request::on_upstream_failure(Failure failure, bool undelivered, bool reused) {
  upstream_ = nullptr;
  if (endpoint_ != nullptr) {
    worker_.clusters().note_answer(*endpoint_, true, true, worker_.now_ns());
  }
  if (responded_) {
    flags_ |= flags_of(failure);
    return end(true);
  }
  try_failed(failure, undelivered, reused);
}

// REQUIRES: the try's connection is gone and nothing was answered.
void Request::try_failed(Failure failure, bool undelivered, bool reused) {
  ClusterState* const cluster = cluster_;
  if (endpoint_ != nullptr && failure != Failure::kOverflow &&
      !(failure == Failure::kTermination && undelivered)) {
    tried_.add(endpoint_);
  }
  const bool has_other =
      cluster != nullptr && worker_.clusters().has_other(*cluster, tried_, worker_.now_ns());
  release_try();
  const bool connect = failure == Failure::kConnect || failure == Failure::kConnectTimeout;
  if (connect ? has_other : failure == Failure::kTermination) {
    if (try_elsewhere(failure, undelivered, reused)) return;
  }
  if (connect && undelivered && !has_other && (reroute() || try_other_destination())) return;
  if (try_by_policy(failure)) return;
  reply_failure(failure);
}

bool Request::try_elsewhere(Failure failure, bool undelivered, bool reused) {
  const bool stale = failure == Failure::kTermination && reused && is_idempotent(head.method);
  if (!(undelivered || stale) || !can_replay() || free_retries_ >= kFreeRetriesMax) return false;
  ++free_retries_;
  worker_.metrics().free_retries.add();
  fresh_ = failure == Failure::kTermination;  // other idle connections may be as stale
  begin_try();
  return true;
}

// The configuration may just have moved: what refuses may be gone from the newest snapshot.
bool Request::reroute() {
  if (&snapshot_->snapshot() == &worker_.newest() || reroutes_ >= kReroutesMax || !can_replay()) {
    return false;
  }
  ++reroutes_;
  worker_.metrics().reroutes.add();
  release_try();
  worker_.leave_snapshot(*snapshot_);
  snapshot_ = &worker_.use_snapshot();
  tried_.count = 0;
  left_destinations_ = 0;
  route();
  return true;
}

// REQUIRES: no try is under way. One of the rule's other destinations, by weight; each at most
// once.
bool Request::try_other_destination() {
  const auto& destinations = forward_->destinations;
  if (destinations.size() < 2 || !can_replay()) return false;
  const auto index_of = [&](const route::Destination& each) {
    return static_cast<std::size_t>(&each - destinations.data());
  };
  const auto is_left = [&](const route::Destination& each) {
    const std::size_t index = index_of(each);
    return each.weight > 0 && index < kDestinationsTracked &&
           (left_destinations_ >> index & 1U) == 0;
  };
  if (index_of(*destination_) >= kDestinationsTracked) return false;
  left_destinations_ |= std::uint64_t{1} << index_of(*destination_);
  std::uint64_t total = 0;
  for (const route::Destination& each : destinations) total += is_left(each) ? each.weight : 0;
  if (total == 0) return false;
  std::uint64_t point = worker_.random().next() % total;
  for (const route::Destination& each : destinations) {
    if (!is_left(each)) continue;
    if (point < each.weight) {
      destination_ = &each;
      break;
    }
    point -= each.weight;
  }
  worker_.metrics().failovers.add();
  release_try();
  tried_.count = 0;
  begin_try();
  return true;
}

bool Request::try_by_policy(Failure failure) {
  if (forward_ == nullptr) return false;
  const bool sent = head_sent_;
  if (!retries_failure(forward_->retries, failure, sent)) return false;
  if (policy_retries_ >= forward_->retries.attempts || !can_replay()) {
    if (forward_->retries.attempts > 0 && policy_retries_ >= forward_->retries.attempts) {
      flags_ |= flag::kRetriesExceeded;
    }
    return false;
  }
  schedule_retry();
  return true;
}

// REQUIRES: no try is under way.
void Request::schedule_retry() {
  ++policy_retries_;
  worker_.metrics().retries.add();
  if (!forward_->retries.avoid_previous_hosts) tried_.count = 0;
  backoff_timer_.arm(worker_.loop(), backoff(forward_->retries, policy_retries_, worker_.random()));
}

void Request::on_backoff_over(void* self) {
  auto& request = *static_cast<Request*>(self);
  // An endpoint that refused moments ago may be the only one, and back by now.
  request.begin_try();
}

std::uint64_t Request::hash_key() const noexcept {
  const route::Cluster* cluster = snapshot_->snapshot().clusters.find(destination_->cluster);
  if (cluster == nullptr || cluster->load_balancer.kind != route::LoadBalancer::Kind::kHash) {
    return 0;
  }
  const route::LoadBalancer& balancer = cluster->load_balancer;
  std::string_view key;
  switch (balancer.hash) {
    case route::LoadBalancer::Hash::kHeader:
      if (const Field* field = routed_.field(balancer.hash_key)) key = field->value;
      break;
    case route::LoadBalancer::Hash::kSourceIp:
      key = downstream_->peer_ip();
      break;
    case route::LoadBalancer::Hash::kQueryParameter: {
      std::string_view rest = routed_.query;
      while (!rest.empty() && key.empty()) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        if (pair.size() > balancer.hash_key.size() && pair.starts_with(balancer.hash_key) &&
            pair[balancer.hash_key.size()] == '=') {
          key = pair.substr(balancer.hash_key.size() + 1);
        }
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
      }
      break;
    }
    case route::LoadBalancer::Hash::kCookie: {
      for (const Field& field : routed_.fields) {
        if (field.name != "cookie") continue;
        std::string_view rest = field.value;
        while (!rest.empty() && key.empty()) {
          std::string_view pair = rest.substr(0, rest.find(';'));
          rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
          while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
          if (pair.size() > balancer.hash_key.size() && pair.starts_with(balancer.hash_key) &&
              pair[balancer.hash_key.size()] == '=') {
            key = pair.substr(balancer.hash_key.size() + 1);
          }
        }
      }
      break;
    }
  }
  if (key.empty()) return 0;
  std::uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash | 1U;
}

}  // namespace sluice::gateway
