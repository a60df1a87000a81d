#include "cli/controller.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "cli/standings.h"

namespace sluice::cli {

namespace {

constexpr Milliseconds kRetryFirst{1'000};
constexpr Milliseconds kRetryMax{300'000};
constexpr Milliseconds kHandOverMax{5'000};  // an API server that does not answer
constexpr Milliseconds kLookAgain{20};

}  // namespace

kube::LeaseOptions lease_options(const OperatorOptions& options) {
  kube::LeaseOptions lease;
  lease.namespace_ = options.lease_namespace;
  lease.name = options.lease_name;
  lease.duration = options.lease_duration;
  lease.renew_deadline = options.renew_deadline;
  lease.retry_period = options.retry_period;
  return lease;
}

void Later::run_in(Milliseconds delay, std::function<void()> work) {
  auto entry = std::make_unique<Entry>(*this, std::move(work));
  entry->timer.arm(loop_, delay);
  entries_.push_back(std::move(entry));
}

void Later::Entry::fire(void* self) {
  auto* const entry = static_cast<Entry*>(self);
  const std::function<void()> work = std::move(entry->work);
  std::erase_if(entry->owner.entries_, [entry](const auto& each) { return each.get() == entry; });
  work();
}

Controller::Controller(net::Loop& loop, const OperatorOptions& options, kube::Client& client,
                       kube::Client& lease_client, std::function<void()> on_lease_lost)
    : options_(options),
      client_(client),
      on_lease_lost_(std::move(on_lease_lost)),
      store_(loop, client, kube::KubeStoreOptions{options.namespace_, {}, options.writers}),
      operator_(
          store_, options.settings, *this,
          [&loop](std::function<void()> work) { loop.defer(std::move(work)); },
          [this](const resource::ObjectKey& about, std::string_view type, std::string_view reason,
                 std::string_view message) { store_.record_event(about, type, reason, message); }),
      later_(loop) {
  if (options.gateway_probe) {
    istio::GatewayProbeOptions probe;
    probe.namespace_ = options.lease_namespace;
    probe.pod_name = options.pod_name;
    probe.instance = options.settings.controller_id;
    probe.settle = Milliseconds(options.settle_ms);
    probe_ = std::make_unique<istio::GatewayProbe>(loop, client, store_, probe);
  }
  client.guard_writes(
      [this] { return !stopping_ && (election_ == nullptr || election_->is_leader()); });
  if (!options.leader_elect) return;
  election_ = std::make_unique<kube::LeaderElection>(loop, lease_client, lease_options(options));
}

void Controller::start() {
  store_.on_synced([this] { on_synced(); });
  store_.on_failed([this](const kube::WriteFailure& failure) { on_failed(failure); });
  // A deployment that has come to rest starts again with the shortest delay.
  store_.watch([this](const store::Change& change) {
    if (change.after != nullptr && change.after->status().at("state").text() == "Available")
      retry_delays_.erase(change.key);
    if (change.after == nullptr) retry_delays_.erase(change.key);
  });
  store_.start();
}

void Controller::stop(std::function<void()> done) {
  if (stopping_ || election_ == nullptr || !leading_) {
    done();
    return;
  }
  stopping_ = true;
  log::info("stopping: handing the lease over");
  later_.run_in(kHandOverMax, done);
  release_when_idle(done);
}

// What the next leader writes must not be overtaken by what we sent before it.
void Controller::release_when_idle(const std::function<void()>& done) {
  if (store_.writes_pending() == 0) {
    election_->release(done);
  } else {
    later_.run_in(kLookAgain, [this, done] { release_when_idle(done); });
  }
}

void Controller::ask(const operator_::Question& question, std::function<void()> done) {
  if (probe_ == nullptr) {
    later_.run_in(Milliseconds(options_.settle_ms), std::move(done));
    return;
  }
  std::vector<istio::Destination> destinations;
  for (const operator_::Destination& to : question.destinations)
    destinations.push_back({to.host, to.subset, to.port});
  destinations.empty()
      ? probe_->when_in_force(question.gateways, std::move(done))
      : probe_->when_reachable(question.gateways, std::move(destinations), std::move(done));
}

void Controller::on_synced() {
  log::info("caches are filled", {{"objects", store_.object_count()}});
  if (election_ == nullptr) {
    lead();
    return;
  }
  log::info("waiting for the lease", {{"identity", election_->identity()}});
  election_->start([this] { lead(); }, on_lease_lost_);
}

void Controller::lead() {
  leading_ = true;
  log::info("leading", {{"namespace",
                         options_.namespace_.empty() ? std::string("all") : options_.namespace_}});
  operator_.start();
}

void Controller::on_failed(const kube::WriteFailure& failure) {
  if (stopping_) return;
  ++failures_;
  Milliseconds& delay = retry_delays_[failure.owner];
  delay = std::clamp(delay * 2, kRetryFirst, kRetryMax);
  log::error("a write failed; another pass follows",
             {{"object", to_string(failure.key)},
              {"error", to_string(failure.error)},
              {"retry_in_seconds", std::int64_t{delay.count() / 1000}}});
  operator_.on_write_failed(failure.owner, failure.error);
  later_.run_in(delay, [this, owner = failure.owner] { operator_.request_pass(owner); });
}

usage::Usage Controller::usage() const {
  usage::Usage counts;
  for (const auto& object : store_.list("machinelearning.seldon.io", "SeldonDeployment")) {
    if (!operator_.is_left_to_others(object->key())) usage::add(counts, *object);
  }
  return counts;
}

resource::Value Controller::status() const {
  return resource::Map{{"ready", is_ready()},
                       {"leading", leading_},
                       {"trouble", store_.trouble()},
                       {"writesPending", static_cast<std::int64_t>(store_.writes_pending())},
                       {"deployments", to_value(operator_.standings())}};
}

std::string Controller::metrics() const {
  std::string out;
  append_metrics(out, operator_.standings());
  const auto one = [&](std::string_view name, std::string_view type, std::string_view help,
                       double value) { append_metric(out, name, type, help, value); };
  const kube::ClientCounts counts = client_.counts();
  one("sluice_operator_leading", "gauge", "1 while this replica leads.", leading_ ? 1 : 0);
  one("sluice_operator_passes_total", "counter", "Passes over SeldonDeployments.",
      static_cast<double>(operator_.passes()));
  one("sluice_operator_left_to_others", "gauge",
      "SeldonDeployments that another operator cares for (seldon.io/controller-id).",
      static_cast<double>(operator_.left_to_others()));
  one("sluice_operator_write_failures_total", "counter", "Writes that failed for good.",
      static_cast<double>(failures_));
  one("sluice_operator_writes_pending", "gauge", "Writes without an answer yet.",
      static_cast<double>(store_.writes_pending()));
  one("sluice_operator_cached_objects", "gauge", "Objects in the caches.",
      static_cast<double>(store_.object_count()));
  out +=
      "# HELP sluice_kube_calls_total Calls that the API server answered.\n# TYPE "
      "sluice_kube_calls_total counter\n";
  for (const auto& [call, count] : counts.calls)
    out += fmt::format("sluice_kube_calls_total{{verb=\"{}\",kind=\"{}\"}} {}\n", call.first,
                       call.second, count);
  one("sluice_kube_retries_total", "counter", "Calls made again.",
      static_cast<double>(counts.retries));
  one("sluice_kube_throttled_seconds_total", "counter", "Waited for our own rate limit.",
      static_cast<double>(counts.throttled_ns) / 1e9);
  append_probe_metrics(out);
  return out;
}

void Controller::append_probe_metrics(std::string& out) const {
  if (probe_ == nullptr) return;
  const istio::GatewayProbeCounts counts = probe_->counts();
  out +=
      "# HELP sluice_gateway_questions_total Whether gateways use what was written, by how it "
      "became known.\n# TYPE sluice_gateway_questions_total counter\n";
  for (const auto& [answer, count] :
       {std::pair{"seen", counts.seen}, std::pair{"settled", counts.settled},
        std::pair{"late", counts.late}}) {
    out += fmt::format("sluice_gateway_questions_total{{answer=\"{}\"}} {}\n", answer, count);
  }
  append_metric(out, "sluice_gateway_wait_seconds_total", "counter",
                "Waited for gateways, over all questions.", counts.seconds);
  append_metric(out, "sluice_gateway_barriers_total", "counter",
                "Writes of the probe's VirtualServices.", static_cast<double>(counts.barriers));
  append_metric(out, "sluice_gateway_probes_total", "counter", "Requests to gateways' proxies.",
                static_cast<double>(counts.requests));
}

}  // namespace sluice::cli
