#include "istio/gateway_probe.h"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "istio/barrier.h"
#include "istio/target.h"
#include "kube/connection.h"
#include "kube/kinds.h"
#include "kube/stop.h"
#include "kube/thread.h"
#include "net/tls.h"
#include "resource/read.h"

namespace sluice::istio {

namespace {

constexpr std::int64_t kMs = 1'000'000;
// Of one request to a proxy: it answers by itself, in less than a millisecond.
constexpr std::int64_t kRequestNs = 1'000 * kMs;
constexpr std::int64_t kRouteRequestNs =
    2'000 * kMs;  // to a destination; the route's own timeout is a second
constexpr std::int64_t kMutePauseNs =
    1'000 * kMs;  // before a proxy that did not answer is asked again
constexpr std::int64_t kListNs =
    1'000 * kMs;  // age of the list of proxies while something is awaited
constexpr std::int64_t kTargetNs = 5'000 * kMs;  // age of what was read from Gateway and Services
// istiod waits 100 ms for more changes before it pushes; writing more often would only make it push
// more.
constexpr std::int64_t kWriteGapNs = 100 * kMs;
constexpr std::int64_t kIdleNs = 2'000 * kMs;  // then routes to destinations leave the barrier
constexpr std::int64_t kTickFirstNs = 25 * kMs;
constexpr std::int64_t kTickMaxNs = 200 * kMs;
constexpr std::size_t kAnswerBytesMax = 4'096;
constexpr std::size_t kProxiesMax = 1'000;  // a larger fleet waits for `settle`
constexpr std::size_t kRoutesMax = 200;     // in one barrier: some 60 KB of 1.5 MB

const kube::Kind& kind_of(std::string_view group, std::string_view kind) {
  return *kube::find_kind(group, kind);
}

}  // namespace

struct GatewayProbe::Impl {
  Impl(net::Loop& l, kube::Client& c, const store::Store& s, GatewayProbeOptions o)
      : loop(l), client(c), store(s), options(std::move(o)) {
    Random random(static_cast<std::uint64_t>(monotonic_ns()) ^
                  (static_cast<std::uint64_t>(wall_seconds()) << 32U));
    barrier.namespace_ = options.namespace_;
    barrier.instance = options.instance;
    barrier.nonce = fmt::format("{:016x}", random.next());
  }

  // One question; `remaining` gateways have to answer.
  struct Ticket {
    std::function<void()> done;
    std::size_t remaining = 0;
    std::int64_t asked_ns = 0;
    bool settled = false;
    bool late = false;
  };
  struct Awaited {
    std::shared_ptr<Ticket> ticket;
    std::vector<std::pair<std::string, Destination>> routes;
    std::uint64_t number = 0;  // the barrier that answers it; 0: not written yet
  };
  struct Asked {
    Target target;
    Awaited awaited;
  };
  struct Proxy {
    std::unique_ptr<kube::Connection> connection;
    std::int64_t retry_ns = 0;
    bool behind = false;       // it answers; false: mute
    std::uint64_t number = 0;  // the last that it said
    std::set<std::string> reached;
    std::string trouble;
  };
  struct Line {  // one Gateway
    Target target;
    std::uint64_t number = 0;  // written last
    std::size_t routes_written = 0;
    std::int64_t written_ns = 0;
    std::int64_t listed_ns = 0;
    std::int64_t idle_ns = 0;
    bool bound = false;  // a proxy has shown a barrier of ours: a 404 is one that is behind
    std::string write_trouble;
    std::string list_trouble;
    std::string said;  // the last warning
    std::vector<Awaited> awaited;
    std::map<Peer, Proxy> proxies;
  };
  struct Known {
    Target target;
    std::int64_t read_ns = 0;
  };

  net::Loop& loop;
  kube::Client& client;
  const store::Store& store;
  const GatewayProbeOptions options;

  // --- The loop's.
  std::map<std::string, Known> known;
  std::uint64_t tokens_made = 0;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  kube::Thread thread;

  kube::Stop stop;
  mutable std::mutex mutex;  // guards these two
  std::deque<Asked> inbox;
  GatewayProbeCounts counts;
  kube::Signal changed;

  // --- The thread's.
  Barrier barrier;
  std::map<std::string, Line> lines;
  std::shared_ptr<const net::TlsContext> tls;
  resource::List owners;  // of barriers
  bool looked_for_owner = false;

  // --- The loop's.
  void ask(const std::vector<std::string>& gateways, std::vector<Destination> destinations,
           std::function<void()> done);
  Target find_target(const std::string& gateway);

  // --- The thread's.
  void run();
  void take(std::deque<Asked> asked);
  void tick(Line& line);
  void write(Line& line);
  void list_proxies(Line& line);
  void ask_proxy(Line& line, const Peer& peer, Proxy& proxy);
  Result<Answer> request(const Line& line, const Peer& peer, Proxy& proxy, const std::string& path,
                         std::int64_t limit_ns);
  void judge(Line& line);
  void finish(Line& line, const Awaited& awaited, bool settled, bool late, const std::string& why);
  void look_for_owner();
};

// --- The loop's thread.

Target GatewayProbe::Impl::find_target(const std::string& gateway) {
  Known& entry = known[gateway];
  if (entry.read_ns != 0 && monotonic_ns() - entry.read_ns < kTargetNs) return entry.target;
  const std::size_t slash = gateway.find('/');
  const store::ObjectPointer object = store.find(
      {"networking.istio.io", "Gateway", gateway.substr(0, slash), gateway.substr(slash + 1)});
  if (object == nullptr) {
    entry.target = Target{};
    entry.target.gateway = gateway;
    entry.target.why_not = "there is no such Gateway";
  } else {
    entry.target = target_of(object, store.list("", "Service"), options.namespace_);
  }
  entry.read_ns = monotonic_ns();
  return entry.target;
}

void GatewayProbe::Impl::ask(const std::vector<std::string>& gateways,
                             std::vector<Destination> destinations, std::function<void()> done) {
  auto ticket = std::make_shared<Ticket>();
  ticket->done = std::move(done);
  ticket->asked_ns = monotonic_ns();
  std::deque<Asked> asked;
  for (const std::string& gateway : gateways) {
    Asked each;
    each.target = find_target(gateway);
    each.target.gateway = gateway;
    each.awaited.ticket = ticket;
    for (const Destination& to : destinations)
      each.awaited.routes.emplace_back(fmt::format("{}{:x}", barrier.nonce, ++tokens_made), to);
    asked.push_back(std::move(each));
  }
  if (asked.empty()) {  // "mesh" alone: sidecars can't be asked
    asked.emplace_back().target.why_not = "no Gateway is named";
    asked.back().awaited.ticket = ticket;
  }
  ticket->remaining = asked.size();
  {
    const std::lock_guard lock(mutex);
    for (Asked& each : asked) inbox.push_back(std::move(each));
  }
  changed.notify_one();
  if (!thread.is_joinable()) thread = kube::Thread([this] { run(); });
}

// --- The probe's own thread.

void GatewayProbe::Impl::run() {
  std::int64_t pause_ns = kTickFirstNs;
  while (!stop.is_set()) {
    std::deque<Asked> taken;
    const bool is_idle = std::all_of(lines.begin(), lines.end(), [](const auto& each) {
      return each.second.awaited.empty() && each.second.routes_written == 0;
    });
    if (!is_idle && !stop.wait(std::chrono::duration_cast<Milliseconds>(Nanoseconds(pause_ns))))
      return;
    {
      std::unique_lock lock(mutex);
      if (is_idle) changed.wait(lock, [this] { return stop.is_set() || !inbox.empty(); });
      taken.swap(inbox);
    }
    if (stop.is_set()) return;
    pause_ns = taken.empty() ? std::min(pause_ns * 5 / 4, kTickMaxNs) : kTickFirstNs;
    take(std::move(taken));
    for (auto& [name, line] : lines) tick(line);
  }
}

void GatewayProbe::Impl::take(std::deque<Asked> asked) {
  for (Asked& each : asked) {
    Line& line = lines[each.target.gateway];
    const bool moved = line.target.host != each.target.host || line.target.port != each.target.port;
    if (moved) {
      line.proxies.clear();
      line.bound = false;
    }
    line.target = std::move(each.target);
    line.awaited.push_back(std::move(each.awaited));
  }
}

void GatewayProbe::Impl::tick(Line& line) {
  const std::int64_t now = monotonic_ns();
  if (line.awaited.empty()) {
    if (line.routes_written > 0 && now - line.idle_ns >= kIdleNs) write(line);
    return;
  }
  line.idle_ns = now;
  if (line.target.why_not.empty()) {
    if (now - line.listed_ns >= kListNs) list_proxies(line);
    const bool must_write = std::any_of(line.awaited.begin(), line.awaited.end(),
                                        [](const auto& each) { return each.number == 0; });
    if (must_write && now - line.written_ns >= kWriteGapNs) write(line);
    for (auto& [peer, proxy] : line.proxies) {
      if (stop.is_set()) return;
      if (monotonic_ns() >= proxy.retry_ns) ask_proxy(line, peer, proxy);
    }
  }
  judge(line);
}

// The Deployment of our pod: "NAME-HASH-SUFFIX". Without one the barriers stay when we go.
void GatewayProbe::Impl::look_for_owner() {
  std::string name = options.pod_name;
  for (int i = 0; i < 2; ++i) name = name.substr(0, std::min(name.rfind('-'), name.size()));
  if (name.empty() || name == options.pod_name) {
    looked_for_owner = true;
    return;
  }
  auto found = client.get(kind_of("apps", "Deployment"), options.namespace_, name);
  if (!found) return;  // again with the next write
  looked_for_owner = true;
  if (!*found) return;
  owners.emplace_back(resource::Map{{"apiVersion", "apps/v1"},
                                    {"kind", "Deployment"},
                                    {"name", name},
                                    {"uid", (**found).at("metadata").at("uid")}});
}

// A number that no proxy has said yet, with the routes of all questions that there is room for.
void GatewayProbe::Impl::write(Line& line) {
  line.written_ns = monotonic_ns();
  if (!looked_for_owner) look_for_owner();
  Barrier next = barrier;
  next.number = line.number + 1;
  std::vector<Awaited*> answered;
  for (Awaited& each : line.awaited) {
    const bool fits = each.routes.empty() || next.routes.empty() ||
                      next.routes.size() + each.routes.size() <= kRoutesMax;
    if (!fits) continue;
    next.routes.insert(next.routes.end(), each.routes.begin(), each.routes.end());
    if (each.number == 0) answered.push_back(&each);
  }
  resource::Object object = barrier_object(next, line.target);
  if (!owners.empty())
    object.root.as_map()->find("metadata")->as_map()->set("ownerReferences", owners);
  auto written = client.apply(object);
  if (!written || written->outcome != kube::Outcome::kDone) {
    line.write_trouble = written ? written->message : to_string(written.error());
    return;
  }
  line.write_trouble.clear();
  line.number = next.number;
  line.routes_written = next.routes.size();
  for (Awaited* each : answered) each->number = next.number;
  const std::lock_guard lock(mutex);
  ++counts.barriers;
}

void GatewayProbe::Impl::list_proxies(Line& line) {
  line.listed_ns = monotonic_ns();
  std::set<Peer> there;
  for (const Target::Front& front : line.target.fronts) {
    kube::Selection selection;
    selection.namespace_ = front.namespace_;
    selection.label_selector = "kubernetes.io/service-name=" + front.name;
    auto listed = client.list(kind_of("discovery.k8s.io", "EndpointSlice"), selection);
    if (!listed) {
      line.list_trouble = to_string(listed.error());
      return;
    }
    for (resource::Value& item : listed->items) {
      auto object = resource::make_object(std::move(item));
      if (!object) continue;
      for (Peer& peer : peers_in(resource::read_endpoint_slice(*object), front, line.target.port))
        there.insert(std::move(peer));
    }
  }
  line.list_trouble.clear();
  if (there.empty()) line.list_trouble = "it has no ready pods";
  if (there.size() > kProxiesMax) {
    line.list_trouble = fmt::format("it has more than {} pods", kProxiesMax);
    there.clear();
  }
  std::erase_if(line.proxies, [&](const auto& each) { return !there.contains(each.first); });
  for (const Peer& peer : there) line.proxies.try_emplace(peer);
}

Result<Answer> GatewayProbe::Impl::request(const Line& line, const Peer& peer, Proxy& proxy,
                                           const std::string& path, std::int64_t limit_ns) {
  const std::string text = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: sluice-operator\r\n\r\n", path, line.target.host);
  for (int attempt = 0;; ++attempt) {
    const std::int64_t deadline = monotonic_ns() + limit_ns;
    const bool kept = proxy.connection != nullptr;
    if (!kept) {
      if (line.target.is_tls && tls == nullptr) {
        net::TlsClientOptions
            any;  // what is asked for is no secret, and a false answer gains nobody anything
        any.verify = false;
        SLUICE_TRY(tls, net::TlsContext::make_client(any));
      }
      kube::Endpoint endpoint;
      endpoint.host = peer.address;
      endpoint.port = peer.port;
      endpoint.authority = line.target.host;
      endpoint.server_name = line.target.host;
      SLUICE_TRY(
          proxy.connection,
          kube::Connection::open(endpoint, line.target.is_tls ? tls : nullptr, stop, deadline));
    }
    const auto exchange = [&]() -> Result<Answer> {
      SLUICE_CHECK(proxy.connection->exchange(text, deadline));
      Answer answer;
      answer.status = proxy.connection->status();
      answer.has_upstream_time = !proxy.connection->field("x-envoy-upstream-service-time").empty();
      while (answer.body.size() < kAnswerBytesMax) {
        SLUICE_TRY(const bool more, proxy.connection->read_body(answer.body, deadline));
        if (!more) break;
      }
      return answer;
    };
    auto answer = exchange();
    if (!answer || !proxy.connection->is_reusable()) proxy.connection.reset();
    if (answer || !kept || attempt > 0 || stop.is_set())
      return answer;  // a kept one may just have been closed
  }
}

void GatewayProbe::Impl::ask_proxy(Line& line, const Peer& peer, Proxy& proxy) {
  std::uint64_t requests = 0;
  const auto mute = [&](std::string why, std::int64_t pause_ns) {
    proxy.behind = false;
    proxy.trouble = fmt::format("{}:{} {}", peer.address, peer.port, why);
    proxy.retry_ns = monotonic_ns() + pause_ns;
  };
  const std::string path = barrier_path(barrier);
  const auto count = [&] {
    const std::lock_guard lock(mutex);
    counts.requests += requests;
  };
  if (proxy.number < line.number) {
    ++requests;
    const auto answer = request(line, peer, proxy, path, kRequestNs);
    std::uint64_t number = 0;
    if (!answer) {
      mute("does not answer: " + to_string(answer.error()), kMutePauseNs);
      return count();
    }
    switch (read_answer(*answer, barrier, number)) {
      case Said::kNumber:
        line.bound = true;
        proxy.behind = true;
        proxy.number = number;
        break;
      case Said::kNothing:
        line.bound ? static_cast<void>(proxy.behind = true)
                   : mute("answers 404: the probe's VirtualService has no effect", 0);
        break;
      case Said::kOther:
        mute(fmt::format("answers {} to the probe", answer->status), kMutePauseNs);
        break;
    }
  }
  for (const Awaited& each : line.awaited) {
    if (each.number == 0 || proxy.number < each.number) continue;
    for (const auto& [token, to] : each.routes) {
      if (proxy.reached.contains(token)) continue;
      ++requests;
      const auto answer = request(line, peer, proxy, path + "/" + token, kRouteRequestNs);
      if (answer && reached_endpoint(*answer)) proxy.reached.insert(token);
      if (!answer) break;
    }
  }
  count();
}

void GatewayProbe::Impl::judge(Line& line) {
  const std::int64_t now = monotonic_ns();
  std::vector<Awaited> still;
  for (Awaited& each : line.awaited) {
    bool is_seen = each.number != 0 && !line.proxies.empty();
    bool any_behind = false;
    std::string why = line.target.why_not;
    for (const std::string& trouble : {line.write_trouble, line.list_trouble}) {
      if (why.empty()) why = trouble;
    }
    for (const auto& [peer, proxy] : line.proxies) {
      const bool reached = std::all_of(
          each.routes.begin(), each.routes.end(),
          [&, &p = proxy](const auto& route) { return p.reached.contains(route.first); });
      if (each.number != 0 && proxy.number >= each.number && reached) continue;
      is_seen = false;
      any_behind = any_behind || proxy.behind;
      if (why.empty()) why = proxy.trouble;
    }
    const std::int64_t age = now - each.ticket->asked_ns;
    // Without a number it waits for its turn, unless barriers can't be written.
    if (each.number == 0) any_behind = line.target.why_not.empty() && line.write_trouble.empty();
    if (is_seen) {
      finish(line, each, false, false, {});
    } else if (any_behind && age >= Nanoseconds(options.patience).count()) {
      finish(line, each, false, true,
             "it does not take up new routes, or gets through to no endpoint of a new version; is "
             "istiod well?");
    } else if (!any_behind && age >= Nanoseconds(options.settle).count()) {
      finish(line, each, true, false, why);
    } else {
      still.push_back(std::move(each));
    }
  }
  line.awaited = std::move(still);
}

void GatewayProbe::Impl::finish(Line& line, const Awaited& awaited, bool settled, bool late,
                                const std::string& why) {
  for (auto& [peer, proxy] : line.proxies) {
    for (const auto& [token, to] : awaited.routes) proxy.reached.erase(token);
  }
  Ticket& ticket = *awaited.ticket;
  ticket.settled = ticket.settled || settled;
  ticket.late = ticket.late || late;
  if (why != line.said) {
    line.said = why;
    const std::string& gateway = line.target.gateway;
    if (why.empty()) {
      log::info("the gateway says which routes it uses",
                {{"gateway", gateway}, {"proxies", std::int64_t(line.proxies.size())}});
    } else if (late) {
      log::warning("the gateway is behind; going on without it",
                   {{"gateway", gateway}, {"why", why}});
    } else {
      log::warning("the gateway can't be asked which routes it uses; waiting instead",
                   {{"gateway", gateway},
                    {"why", why},
                    {"milliseconds", std::int64_t{options.settle.count()}}});
    }
  }
  if (--ticket.remaining > 0) return;
  {
    const std::lock_guard lock(mutex);
    ++(ticket.late ? counts.late : ticket.settled ? counts.settled : counts.seen);
    counts.seconds += static_cast<double>(monotonic_ns() - ticket.asked_ns) / 1e9;
  }
  loop.post([still = std::weak_ptr<bool>(alive), done = std::move(ticket.done)] {
    if (!still.expired()) done();
  });
}

GatewayProbe::GatewayProbe(net::Loop& loop, kube::Client& client, const store::Store& store,
                           GatewayProbeOptions options)
    : impl_(std::make_unique<Impl>(loop, client, store, std::move(options))) {}

GatewayProbe::~GatewayProbe() {
  impl_->stop.set();
  impl_->client.stop();
  {
    const std::lock_guard lock(
        impl_->mutex);  // whoever is about to wait has seen the stop, or hears of it
  }
  impl_->changed.notify_all();
  if (impl_->thread.is_joinable()) impl_->thread.join();
}

void GatewayProbe::when_in_force(const std::vector<std::string>& gateways,
                                 std::function<void()> done) {
  impl_->ask(gateways, {}, std::move(done));
}

void GatewayProbe::when_reachable(const std::vector<std::string>& gateways,
                                  std::vector<Destination> destinations,
                                  std::function<void()> done) {
  impl_->ask(gateways, std::move(destinations), std::move(done));
}

GatewayProbeCounts GatewayProbe::counts() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->counts;
}

}  // namespace sluice::istio
