#include "kube/lease.h"

#include <fmt/core.h>
#include <unistd.h>

#include <atomic>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "kube/exec.h"
#include "kube/stop.h"
#include "kube/thread.h"

namespace sluice::kube {

using resource::Map;
using resource::Value;

namespace {

std::string made_up_identity() {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  Random random(static_cast<std::uint64_t>(monotonic_ns()) ^
                (static_cast<std::uint64_t>(getpid()) << 32U));
  return fmt::format("{}_{:016x}", host, random.next());
}

std::string now_text() { return format_time_micro(wall_seconds() * 1'000'000'000); }

const Kind& lease_kind() { return *find_kind("coordination.k8s.io", "Lease"); }

}  // namespace

Result<void> check_times(const LeaseOptions& options) {
  const auto refused = [](std::string what) { return fail(Blame::kConfig, std::move(what)); };
  if (options.retry_period < Milliseconds(100) || options.duration > Milliseconds(600'000) ||
      options.duration.count() % 1000 != 0) {
    return refused(
        "--retry-period is at least 100ms, --lease-duration at most 10m, in whole seconds");
  }
  // client-go's rule: a try that comes late by its jitter must still come in time.
  if (options.renew_deadline <= options.retry_period * 6 / 5) {
    return refused(
        fmt::format("--renew-deadline ({} ms) must be more than 1.2 times --retry-period ({} ms)",
                    options.renew_deadline.count(), options.retry_period.count()));
  }
  if (options.duration < options.renew_deadline + Milliseconds(1'000)) {
    return refused(fmt::format(
        "--lease-duration ({} ms) must be at least a second more than --renew-deadline ({} ms)",
        options.duration.count(), options.renew_deadline.count()));
  }
  return {};
}

ClientOptions lease_client_options(const LeaseOptions& lease) {
  ClientOptions options;
  options.deadline =
      (lease.duration - lease.renew_deadline) * 4 / 5;  // whoever hangs so long has lost
  options.attempts_max = 2;
  return options;
}

struct LeaderElection::Impl {
  Impl(net::Loop& l, Client& c, LeaseOptions o)
      : loop(l),
        client(c),
        options(std::move(o)),
        random(static_cast<std::uint64_t>(monotonic_ns())) {
    if (options.identity.empty()) options.identity = made_up_identity();
  }

  net::Loop& loop;
  Client& client;
  LeaseOptions options;
  std::function<void()> on_leading;
  std::function<void()> on_lost;
  std::function<void()> on_released;  // written before `stop` is set, read after
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);  // the loop's thread
  std::atomic<bool> leading{false};
  std::atomic<std::int64_t> held_ns{0};  // when we last knew that we hold it, before that call
  std::atomic<bool> releasing{false};
  Stop stop;
  Thread thread;
  // The thread may hang in a call: the loop watches the clock, too.
  net::Timer watchdog{[](void* self) { static_cast<Impl*>(self)->check_clock(); }, this};
  void check_clock();
  bool is_overdue() const {
    return monotonic_ns() - held_ns >= Nanoseconds(options.renew_deadline).count();
  }
  void lose() {  // the loop's thread
    log::error("the lease is lost", {{"lease", options.name}});
    if (on_lost && !releasing) on_lost();
  }

  // --- The thread's own.
  Random random;
  Value lease;               // as we saw or wrote it last; null: not yet
  std::string seen_version;  // of the lease
  std::int64_t seen_ns = 0;  // when it changed, by our clock
  std::string said_trouble;

  void run();
  bool hold();  // one try to take or renew
  Result<bool> write_lease(Value wanted);
  Value claimed() const;
  void give_up_lease();
  void see(Value seen);
  void say(const Error& error);
  void post(std::function<void()> work);
  Milliseconds pause() {  // spread, so that standbys do not ask all at once
    const auto period = static_cast<std::uint32_t>(options.retry_period.count());
    return Milliseconds(period + random.below(period / 5 + 1));
  }
};

// On the loop, unless we are gone by then.
void LeaderElection::Impl::post(std::function<void()> work) {
  loop.post([still = std::weak_ptr<bool>(alive), work = std::move(work)] {
    if (!still.expired()) work();
  });
}

void LeaderElection::Impl::check_clock() {
  if (!leading) return;
  if (!is_overdue()) {
    watchdog.arm(loop, options.retry_period);
  } else if (leading.exchange(false)) {
    stop.set();
    lose();
  }
}

void LeaderElection::Impl::say(const Error& error) {
  const std::string text = to_string(error);
  if (text == said_trouble || stop.is_set()) return;
  said_trouble = text;
  log::warning("the lease can't be renewed", {{"lease", options.name}, {"error", text}});
}

void LeaderElection::Impl::see(Value seen) {
  const std::string_view version = seen.at("metadata").at("resourceVersion").text();
  if (version != seen_version) {
    seen_version = version;
    seen_ns = monotonic_ns();
  }
  lease = std::move(seen);
}

// The lease with us as its holder.
Value LeaderElection::Impl::claimed() const {
  Value wanted = lease;
  if (wanted.as_map() == nullptr) {
    wanted = Map{{"apiVersion", "coordination.k8s.io/v1"},
                 {"kind", "Lease"},
                 {"metadata", Map{{"namespace", options.namespace_}, {"name", options.name}}}};
  }
  Map spec = lease.at("spec").map();
  const bool ours = spec.find("holderIdentity") != nullptr &&
                    spec.find("holderIdentity")->text() == options.identity;
  if (!ours) {
    const bool is_new = lease.is_null();
    spec.set("holderIdentity", options.identity);
    spec.set("acquireTime", now_text());
    spec.set("leaseTransitions",
             is_new ? std::int64_t{0} : lease.at("spec").at("leaseTransitions").integer() + 1);
  }
  spec.set("leaseDurationSeconds", std::int64_t{options.duration.count() / 1000});
  spec.set("renewTime", now_text());
  wanted.as_map()->set("spec", std::move(spec));
  return wanted;
}

// False: somebody was faster.
Result<bool> LeaderElection::Impl::write_lease(Value wanted) {
  SLUICE_TRY(Written written, lease.is_null() ? client.create(wanted) : client.update(wanted));
  if (written.outcome != Outcome::kDone) {
    lease = Value();  // look again
    if (written.outcome == Outcome::kNotFound)
      return fail(Blame::kConfig, written.message, "lease " + options.name);
    return false;
  }
  see(std::move(written.object));
  return true;
}

bool LeaderElection::Impl::hold() {
  // While we hold it, our own last write is what is there; a conflict tells when not.
  if (lease.is_null() || lease.at("spec").at("holderIdentity").text() != options.identity) {
    auto found = client.get(lease_kind(), options.namespace_, options.name);
    if (!found) {
      say(found.error());
      return false;
    }
    *found ? see(std::move(**found)) : void(lease = Value());
  }
  const std::string_view holder = lease.at("spec").at("holderIdentity").text();
  if (!holder.empty() && holder != options.identity) {
    const std::int64_t lasts_ns =
        lease.at("spec").at("leaseDurationSeconds").integer(15) * 1'000'000'000;
    if (monotonic_ns() - seen_ns < lasts_ns) return false;
    log::info("the leader has not renewed its lease: taking it", {{"leader", holder}});
  }
  auto written = write_lease(claimed());
  if (!written) say(written.error());
  if (written && *written) said_trouble.clear();
  return written && *written;
}

void LeaderElection::Impl::give_up_lease() {
  if (lease.at("spec").at("holderIdentity").text() != options.identity) return;
  Value wanted = lease;
  Map spec = lease.at("spec").map();
  spec.set("holderIdentity", "");
  spec.set("leaseDurationSeconds", 1);  // as client-go does: 0 is refused
  spec.set("renewTime", now_text());
  wanted.as_map()->set("spec", std::move(spec));
  if (auto written = client.update(wanted); !written) {
    log::warning("the lease can't be released: others take it when it runs out",
                 {{"error", to_string(written.error())}});
  }
}

void LeaderElection::Impl::run() {
  while (!stop.is_set() && !client.is_stopped()) {
    const std::int64_t begin = monotonic_ns();
    if (hold()) {
      held_ns = begin;
      if (stop.is_set()) break;  // too late: the watchdog has spoken, or a release
      if (!leading.exchange(true)) {
        log::info("leading", {{"lease", options.name}, {"identity", options.identity}});
        post([this] {
          watchdog.arm(loop, options.retry_period);
          if (on_leading && !releasing) on_leading();
        });
      }
    } else if (leading) {
      const bool is_anothers =
          !lease.is_null() && lease.at("spec").at("holderIdentity").text() != options.identity;
      if (is_anothers || is_overdue()) break;
    }
    if (!stop.wait(leading ? options.retry_period : pause())) break;
  }
  const bool had = leading.exchange(false);
  if (releasing) {
    give_up_lease();
    post([this] {
      if (on_released) on_released();
    });
  } else if (had && !stop.is_set()) {
    post([this] { lose(); });
  }
}

LeaderElection::LeaderElection(net::Loop& loop, Client& client, LeaseOptions options)
    : impl_(std::make_unique<Impl>(loop, client, std::move(options))) {}

LeaderElection::~LeaderElection() {
  impl_->stop.set();
  impl_->client.stop();
  if (impl_->thread.is_joinable()) impl_->thread.join();
  impl_->alive.reset();  // what was posted does nothing
}

void LeaderElection::start(std::function<void()> on_leading, std::function<void()> on_lost) {
  impl_->on_leading = std::move(on_leading);
  impl_->on_lost = std::move(on_lost);
  impl_->thread = Thread([impl = impl_.get()] { impl->run(); });
}

bool LeaderElection::is_leader() const noexcept { return impl_->leading && !impl_->is_overdue(); }
const std::string& LeaderElection::identity() const noexcept { return impl_->options.identity; }

void LeaderElection::release(std::function<void()> done) {
  impl_->on_released = std::move(done);
  impl_->releasing = true;
  impl_->stop.set();
  if (!impl_->thread.is_joinable()) impl_->loop.post(impl_->on_released);  // was never started
}

}  // namespace sluice::kube
