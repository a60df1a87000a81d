#include "executor/exchange.h"

#include <unistd.h>

#include "base/clock.h"
#include "executor/message.h"

namespace sluice::executor {

namespace {

// A puid must differ between processes that start in the same moment.
std::uint64_t seed() noexcept {
  return static_cast<std::uint64_t>(monotonic_ns()) ^
         (static_cast<std::uint64_t>(getpid()) << 40U) ^
         (static_cast<std::uint64_t>(wall_seconds()) << 20U);
}

bool is_get(Step step) noexcept { return step == Step::kStatus || step == Step::kMetadata; }

}  // namespace

Engine::Engine(net::Loop& loop_given, Options options_given, Annotations annotations_given,
               Predictor predictor_given, Cors cors_given)
    : loop(loop_given),
      options(std::move(options_given)),
      annotations(annotations_given),
      predictor(std::move(predictor_given)),
      cors(std::move(cors_given)),
      steps(steps_of(predictor.graph)),
      metrics(options.deployment, predictor),
      random(seed()),
      pool(loop, predictor.graph.service_host, predictor.graph.http_port),
      ready_pool(loop, predictor.graph.service_host, predictor.graph.service_port) {}

void Exchange::start(const http::RequestHead& head, const Match& match, std::string_view puid,
                     std::string body) {
  const Unit& unit = engine_.predictor.graph;
  head_ = &head;
  match_ = match;
  puid_ = puid;
  body_ = std::move(body);
  content_type_ = head.fields.value(http::Known::kContentType);
  content_encoding_.clear();
  was_called_ = false;
  step_ = 0;
  model_ = match.model.empty() ? std::string_view(unit.name) : match.model;
  switch (match.action) {
    case Action::kPredict:
      return run_steps();
    case Action::kFeedback:
      // Only the seldon protocol hands feedback to units; the others' is echoed.
      if (engine_.options.protocol == Protocol::kSeldon && takes_feedback(unit)) {
        return ask(Step::kFeedback);
      }
      return answer(echo_reply(std::move(body_), content_type_));
    case Action::kStatus:
    case Action::kMetadata:
      if (find_unit(unit, model_) == nullptr) {
        return answer(failure_reply("Failed to find model " + std::string(model_)));
      }
      return ask(match.action == Action::kStatus ? Step::kStatus : Step::kMetadata);
    case Action::kGraphMetadata:
      return ask(Step::kMetadata);
    case Action::kReady:
      return ask_ready();
    default:
      return answer(not_found_reply());
  }
}

// Calls what is left of the node's steps, one after another.
void Exchange::run_steps() {
  if (step_ == engine_.steps.size()) {
    if (!was_called_) return answer(echo_reply(std::move(body_), content_type_));
    return answer(unit_reply(UnitReply{200, content_type_, content_encoding_, std::move(body_)}));
  }
  bool is_gzip = content_encoding_ == "gzip";
  if (auto chained = chain(engine_.options.protocol, body_, is_gzip); !chained) {
    return answer(failure_reply(to_string(chained.error())));
  }
  if (!is_gzip && content_encoding_ == "gzip") content_encoding_.clear();
  ask(engine_.steps[step_++]);
}

void Exchange::ask(Step step) {
  const bool get = is_get(step);
  asked_ = step;
  asked_path_ = unit_path(engine_.options.protocol, step, model_);
  if (get) body_.clear();
  const UnitRequest request{
      get ? "GET" : "POST", asked_path_, engine_.pool.authority(), content_type_, puid_,
      body_.size(),         !get};
  call_.start(engine_.pool, make_unit_head(request, *head_), body_,
              engine_.annotations.rest_timeout, on_called, this);
}

void Exchange::on_called(void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  exchange.count_client();
  if (!exchange.call_.failure().empty()) {
    return exchange.answer(
        failure_reply((is_get(exchange.asked_) ? "Get \"http://" : "Post \"http://") +
                      exchange.engine_.pool.authority() + exchange.asked_path_ +
                      "\": " + exchange.call_.failure()));
  }
  UnitReply& answer = exchange.call_.reply();
  if (exchange.unpack(answer)) exchange.on_answer(answer);
}

// The caller asked for no compression, so what we asked for is undone.
bool Exchange::unpack(UnitReply& reply) {
  if (reply.content_encoding != "gzip" || head_->fields.has(http::Known::kAcceptEncoding)) {
    return true;
  }
  auto unpacked = gunzip(reply.body);
  if (!unpacked) {
    answer(failure_reply("the answer of " + engine_.pool.authority() + asked_path_ + ": " +
                         to_string(unpacked.error())));
    return false;
  }
  reply.body = std::move(*unpacked);
  reply.content_encoding.clear();
  return true;
}

void Exchange::on_answer(UnitReply& reply) {
  if (reply.status != 200) return answer(unit_reply(std::move(reply)));
  if (match_.action == Action::kPredict) {
    was_called_ = true;
    body_ = std::move(reply.body);
    content_type_ = std::move(reply.content_type);
    content_encoding_ = std::move(reply.content_encoding);
    return run_steps();
  }
  if (match_.action == Action::kGraphMetadata) {
    auto document = graph_metadata(engine_.predictor, reply.body);
    if (!document) return answer(failure_reply(to_string(document.error())));
    return answer(unit_reply(UnitReply{200, "application/json", {}, std::move(*document)}));
  }
  answer(unit_reply(std::move(reply)));
}

void Exchange::count_client() {
  if (!call_.has_head()) return;
  engine_.metrics.count_client(engine_.predictor.graph, model_, asked_path_,
                               is_get(asked_) ? "get" : "post", call_.reply().status,
                               call_.took_ns(), monotonic_ns());
}

void Exchange::ask_ready() {
  const Unit& unit = engine_.predictor.graph;
  if (unit.service_host.empty() || unit.service_port == 0) return answer(Reply{});
  // What a probe waits for at most: the operator's has 60 s.
  constexpr Nanoseconds kTimeout = std::chrono::seconds(30);
  const Protocol protocol = engine_.options.protocol;
  if (!engine_.options.full_health_checks || protocol == Protocol::kTensorflow) {
    return call_.start_connecting(engine_.ready_pool, kTimeout, on_ready, this);
  }
  asked_path_ = protocol == Protocol::kV2 ? "/v2/health/ready" : "/api/v1.0/health/status";
  UnitRequest request;
  request.method = "GET";
  request.path = asked_path_;
  request.authority = engine_.ready_pool.authority();
  request.puid = puid_;
  call_.start(engine_.ready_pool, make_unit_head(request, *head_), {}, kTimeout, on_ready, this);
}

void Exchange::on_ready(void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const bool asked = exchange.call_.has_head();
  const bool ready =
      exchange.call_.failure().empty() && (!asked || exchange.call_.reply().status == 200);
  Reply reply;
  reply.status = ready ? 200 : 503;
  exchange.answer(std::move(reply));
}

void Exchange::answer(Reply reply) { done_(context_, reply); }

}  // namespace sluice::executor
