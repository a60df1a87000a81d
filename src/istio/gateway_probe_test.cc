// The probe against an API server and gateways in this process, on loopback. A gateway here uses
// what it was told to take over: time passes for it only when a test says so.
#include "istio/gateway_probe.h"

#include <gtest/gtest.h>

#include <atomic>

#include "kube/fake_server.h"
#include "resource/read.h"
#include "store/memory_store.h"

namespace sluice::istio {
namespace {

using resource::Map;
using resource::Value;
using namespace std::chrono_literals;

const std::string kBarrier =
    "/apis/networking.istio.io/v1beta1/namespaces/sluice/virtualservices/sluice-probe.edge.gw";

// Answers from the VirtualService that it took over last, as Envoy does.
class FakeGateway {
 public:
  FakeGateway()
      : listener_(std::move(*net::open_listener(*net::Address::parse("127.0.0.1", 0)))),
        thread_([this] { run(); }) {}
  ~FakeGateway() {
    stopping_ = true;
    thread_.join();
  }
  std::uint16_t port() const {
    const std::string text = net::Address::of_local(listener_.get()).text();
    return static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
  }
  void take_over(Value barrier) {
    const std::lock_guard lock(mutex_);
    barrier_ = std::move(barrier);
  }
  void set_status(int status) { status_ = status; }           // of everything; 0: as the routes say
  void set_endpoints(bool there) { has_endpoints_ = there; }  // behind the destinations

 private:
  std::string answer(const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (status_ != 0) return reply(status_, "");
    for (const Value& rule : barrier_.at("spec").at("http").list()) {
      if (rule.at("match").at(0).at("uri").at("exact").text() != path) continue;
      const Value& direct = rule.at("directResponse");
      if (!direct.is_null()) return reply(200, std::string(direct.at("body").at("string").text()));
      return has_endpoints_ ? reply(404, "", "x-envoy-upstream-service-time: 1\r\n")
                            : reply(503, "no healthy upstream");
    }
    return reply(404, "");
  }
  static std::string reply(int status, const std::string& body, const std::string& fields = "") {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + fields +
           "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  void run() {
    std::vector<std::pair<net::Fd, std::string>> open;
    while (!stopping_) {
      std::vector<pollfd> watched{{listener_.get(), POLLIN, 0}};
      for (const auto& each : open) watched.push_back({each.first.get(), POLLIN, 0});
      poll(watched.data(), watched.size(), 10);
      for (std::size_t i = open.size(); i-- > 0;) {
        if (watched[i + 1].revents == 0) continue;
        char buffer[2048];
        const ssize_t got = recv(open[i].first.get(), buffer, sizeof buffer, 0);
        if (got <= 0) {
          open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
          continue;
        }
        std::string& text = open[i].second;
        text.append(buffer, static_cast<std::size_t>(got));
        for (std::size_t end; (end = text.find("\r\n\r\n")) != std::string::npos;
             text.erase(0, end + 4)) {
          const std::string out = answer(text.substr(4, text.find(' ', 4) - 4));
          EXPECT_EQ(send(open[i].first.get(), out.data(), out.size(), MSG_NOSIGNAL),
                    static_cast<ssize_t>(out.size()));
        }
      }
      if (watched[0].revents == 0) continue;
      net::Accepted accepted = net::accept_next(listener_.get());
      if (accepted.fd.is_open()) open.emplace_back(std::move(accepted.fd), "");
    }
  }

  net::Fd listener_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> status_{0};
  std::atomic<bool> has_endpoints_{true};
  std::mutex mutex_;
  Value barrier_;
  std::thread thread_;
};

struct World {
  explicit World(GatewayProbeOptions options = {}) {
    add("{apiVersion: networking.istio.io/v1beta1, kind: Gateway, metadata: {name: gw, namespace: "
        "edge}, "
        "spec: {selector: {istio: in}, servers: [{port: {number: 80, protocol: HTTP}, hosts: "
        "['*']}]}}");
    add("{apiVersion: v1, kind: Service, metadata: {name: in, namespace: edge}, spec: {selector: "
        "{istio: in}, "
        "ports: [{port: 80, name: http}]}}");
    put_slices();
    client = server.client();
    options.namespace_ = "sluice";
    probe = std::make_unique<GatewayProbe>(loop, *client, store, options);
  }
  void add(const std::string& text) {
    auto read = resource::read(text, std::make_shared<const std::string>("test.yaml"));
    ASSERT_TRUE(store.apply(read.objects.at(0)));
  }
  // One slice for each proxy: they share an address here, and a slice's port is that of all in it.
  void put_slices() {
    int index = 0;
    for (const FakeGateway* proxy : {&first, &second}) {
      const std::string name = "s" + std::to_string(++index);
      server.put(
          "/apis/discovery.k8s.io/v1/namespaces/edge/endpointslices/" + name,
          Map{{"apiVersion", "discovery.k8s.io/v1"},
              {"kind", "EndpointSlice"},
              {"metadata", Map{{"name", name}, {"namespace", "edge"}}},
              {"ports", resource::List{Value(Map{{"name", "http"}, {"port", proxy->port()}})}},
              {"endpoints",
               resource::List{Value(Map{{"addresses", resource::List{Value("127.0.0.1")}}})}}});
    }
  }
  void ask(std::atomic<int>& answers) {
    probe->when_in_force({"edge/gw"}, [&] { ++answers; });
  }
  void ask(std::atomic<int>& answers, std::vector<Destination> destinations) {
    probe->when_reachable({"edge/gw"}, std::move(destinations), [&] { ++answers; });
  }
  // Turns the loop until it holds; false after ten seconds.
  bool until(const std::function<bool()>& holds) {
    for (int i = 0; i < 1000; ++i) {
      if (holds()) return true;
      loop.run_once(10);
    }
    return holds();
  }
  void turn_for(Milliseconds duration) {
    for (const auto end = monotonic_ns() + Nanoseconds(duration).count(); monotonic_ns() < end;)
      loop.run_once(5);
  }
  Value barrier() const { return server.at(kBarrier); }
  std::string number() const {
    return std::string(
        barrier().at("spec").at("http").at(0).at("directResponse").at("body").at("string").text());
  }

  net::Loop loop;
  store::MemoryStore store;
  FakeGateway first;
  FakeGateway second;
  kube::FakeServer server;
  std::unique_ptr<kube::Client> client;
  std::unique_ptr<GatewayProbe> probe;
};

GatewayProbeOptions patient(Milliseconds settle = 60'000ms) {
  GatewayProbeOptions options;
  options.settle = settle;
  return options;
}

TEST(GatewayProbe, EveryProxyMustHaveTakenOverTheBarrier) {
  World world(patient());
  std::atomic<int> answers = 0;
  world.ask(answers);
  ASSERT_TRUE(world.until([&] { return !world.barrier().is_null(); }));
  EXPECT_EQ(world.barrier().at("spec").at("gateways").at(0).text(), "edge/gw");
  world.first.take_over(world.barrier());
  world.turn_for(150ms);
  EXPECT_EQ(answers, 0) << "the second proxy has not";
  world.second.take_over(world.barrier());
  ASSERT_TRUE(world.until([&] { return answers == 1; }));
  EXPECT_EQ(world.probe->counts().seen, 1U);

  // The number of before proves nothing about what was written since.
  world.ask(answers);
  const std::string before = world.number();
  ASSERT_TRUE(world.until([&] { return world.number() != before; }));
  world.turn_for(150ms);
  EXPECT_EQ(answers, 1);
  world.first.take_over(world.barrier());
  world.second.take_over(world.barrier());
  EXPECT_TRUE(world.until([&] { return answers == 2; }));
}

TEST(GatewayProbe, OneBarrierAnswersAllThatWasAskedBefore) {
  World world(patient());
  std::atomic<int> answers = 0;
  for (int i = 0; i < 500; ++i) world.ask(answers);
  ASSERT_TRUE(world.until([&] {
    world.first.take_over(world.barrier());
    world.second.take_over(world.barrier());
    return answers == 500;
  }));
  EXPECT_LE(world.probe->counts().barriers, 5U);
  EXPECT_LE(world.probe->counts().requests, 100U);
}

TEST(GatewayProbe, ADestinationWithoutEndpointsIsWaitedFor) {
  World world(patient());
  std::atomic<int> answers = 0;
  world.second.set_endpoints(false);
  world.ask(answers, {{"iris-two.models.svc.cluster.local", "two", 8000}});
  ASSERT_TRUE(
      world.until([&] { return world.barrier().at("spec").at("http").list().size() == 2; }));
  const Value barrier = world.barrier();
  const Value& to = barrier.at("spec").at("http").at(1).at("route").at(0).at("destination");
  EXPECT_EQ(to.at("host").text(), "iris-two.models.svc.cluster.local");
  EXPECT_EQ(to.at("subset").text(), "two");
  world.first.take_over(world.barrier());
  world.second.take_over(world.barrier());
  world.turn_for(150ms);
  EXPECT_EQ(answers, 0);
  world.second.set_endpoints(true);
  EXPECT_TRUE(world.until([&] { return answers == 1; }));
  EXPECT_TRUE(world.until([&] { return world.barrier().at("spec").at("http").list().size() == 1; }))
      << "the route stays for ever";
}

TEST(GatewayProbe, MoreDestinationsThanOneBarrierHoldsTakeTurns) {
  World world(patient());
  std::atomic<int> answers = 0;
  for (int i = 0; i < 450; ++i) world.ask(answers, {{"host-" + std::to_string(i), "s", 8000}});
  std::size_t most = 0;
  ASSERT_TRUE(world.until([&] {
    const Value now = world.barrier();
    most = std::max(most, now.at("spec").at("http").list().size());
    world.first.take_over(now);
    world.second.take_over(now);
    return answers == 450;
  }));
  EXPECT_LE(most, 201U);
}

TEST(GatewayProbe, WhoCannotBeAskedIsGivenTheDocumentedTime) {
  World world(patient(300ms));
  std::atomic<int> answers = 0;
  world.first.set_status(403);
  const std::int64_t begin = monotonic_ns();
  world.ask(answers);
  ASSERT_TRUE(world.until([&] {
    world.second.take_over(world.barrier());
    return answers == 1;
  }));
  EXPECT_GE(monotonic_ns() - begin, Nanoseconds(300ms).count());
  EXPECT_EQ(world.probe->counts().settled, 1U);

  world.probe->when_in_force({"edge/unknown"}, [&] { ++answers; });
  world.probe->when_in_force({}, [&] { ++answers; });
  EXPECT_TRUE(world.until([&] { return answers == 3; }));
  EXPECT_EQ(world.probe->counts().settled, 3U);
}

TEST(GatewayProbe, ABarrierThatHasNoEffectOrCannotBeWrittenIsNotWaitedForLonger) {
  World world(patient(200ms));
  std::atomic<int> answers = 0;
  world.ask(answers);  // the proxies say 404 to the end
  EXPECT_TRUE(world.until([&] { return answers == 1; }));
  world.server.intercept([](const auto& request) -> std::optional<kube::FakeServer::Reply> {
    if (request.method != "PATCH") return std::nullopt;
    return kube::FakeServer::Reply{
        403, Map{{"kind", "Status"}, {"message", "virtualservices is forbidden"}}};
  });
  world.ask(answers);
  EXPECT_TRUE(world.until([&] { return answers == 2; }));
  EXPECT_EQ(world.probe->counts().settled, 2U);
}

TEST(GatewayProbe, AProxyThatIsBehindIsWaitedForBeyondThatTimeButNotForEver) {
  GatewayProbeOptions options = patient(50ms);
  options.patience = 400ms;
  World world(options);
  std::atomic<int> answers = 0;
  int asked = 0;
  while (world.probe->counts().seen == 0 &&
         asked < 100) {  // a slow machine may take longer than 50 ms at first
    world.ask(answers);
    ++asked;
    ASSERT_TRUE(world.until([&] {
      world.first.take_over(world.barrier());
      world.second.take_over(world.barrier());
      return answers == asked;
    }));
  }
  const std::int64_t begin = monotonic_ns();
  world.ask(answers);
  ASSERT_TRUE(world.until([&] { return answers == asked + 1; }));
  EXPECT_GE(monotonic_ns() - begin, Nanoseconds(400ms).count());
  EXPECT_EQ(world.probe->counts().late, 1U);
}

TEST(GatewayProbe, EndsWhileItWaits) {
  std::atomic<int> answers = 0;
  {
    World world(patient());
    world.ask(answers);
    ASSERT_TRUE(world.until([&] { return !world.barrier().is_null(); }));
  }
  EXPECT_EQ(answers, 0);
}

}  // namespace
}  // namespace sluice::istio
