// What happens when something is wrong: with the request, the answer, the endpoint, or the time.
#include "gateway/retry.h"
#include "gateway/test_world.h"

namespace sluice::gateway {
namespace {

Backend::Script echo(const std::string& name) {
  return [name](const Message&, int) { return Backend::answer(name); };
}

std::uint16_t dead_port() {
  Backend gone([](const Message&, int) { return ""; });
  return gone.port();
}

// --- Requests that must not be forwarded.

struct Malformed {
  const char* name;
  const char* raw;
  int status;
};

class MalformedRequest : public testing::TestWithParam<Malformed> {};

TEST_P(MalformedRequest, is_refused_and_the_connection_ends) {
  World world;
  Backend backend(echo("one"));
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket socket = world.connect();
  const std::string raw = GetParam().raw;
  // What stands behind must never be taken for a request of its own.
  socket.send(raw + "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n");
  const Message answer = read_message(socket);
  EXPECT_EQ(answer.status, GetParam().status);
  EXPECT_EQ(answer.field("connection"), "close");
  while (socket.more(3000)) {
  }
  EXPECT_TRUE(socket.ended);
  EXPECT_TRUE(socket.in.empty()) << socket.in;
  for (const Message& request : backend.requests()) {
    EXPECT_EQ(request.start.find("smuggled"), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Corpus, MalformedRequest,
    testing::Values(
        Malformed{"no_host", "GET / HTTP/1.1\r\n\r\n", 400},
        Malformed{"two_hosts", "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400},
        Malformed{"length_and_chunked",
                  "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: "
                  "chunked\r\n\r\n0\r\n\r\n",
                  400},
        Malformed{"two_lengths",
                  "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
                  400},
        Malformed{"same_length_twice",
                  "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na",
                  400},
        Malformed{"length_list", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1, 1\r\n\r\na",
                  400},
        Malformed{"negative_length", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
                  400},
        Malformed{"plus_length", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n\r\na", 400},
        Malformed{"gzip", "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n", 501},
        Malformed{"gzip_chunked",
                  "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                  501},
        Malformed{"chunked_twice",
                  "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n"
                  "transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
                  501},
        Malformed{"fold", "GET / HTTP/1.1\r\nhost: a\r\nx-a: b\r\n c\r\n\r\n", 400},
        Malformed{"blank_before_colon", "GET / HTTP/1.1\r\nhost: a\r\nx-a : b\r\n\r\n", 400},
        Malformed{"blank_before_colon_of_length",
                  "POST / HTTP/1.1\r\nhost: a\r\ncontent-length : 1\r\n\r\na", 400},
        Malformed{"control_in_name",
                  "GET / HTTP/1.1\r\nhost: a\r\nx\x01"
                  "a: b\r\n\r\n",
                  400},
        Malformed{"bare_lf", "GET / HTTP/1.1\nhost: a\n\n", 400},
        Malformed{"bare_lf_in_head", "GET / HTTP/1.1\r\nhost: a\nx: y\r\n\r\n", 400},
        Malformed{"bare_cr", "GET / HTTP/1.1\r\nhost: a\r\nx: y\rz\r\n\r\n", 400},
        Malformed{"http_12", "GET / HTTP/1.2\r\nhost: a\r\n\r\n", 426},
        Malformed{"bad_chunk",
                  "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n",
                  400},
        Malformed{"chunk_longer_than_said",
                  "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: "
                  "chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
                  400},
        Malformed{"chunk_with_bare_lf",
                  "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\nab\n0\n\n",
                  400},
        Malformed{"chunk_size_too_long",
                  "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: "
                  "chunked\r\n\r\n00000000000000001\r\na\r\n0\r\n\r\n",
                  400},
        Malformed{"empty_name", "GET / HTTP/1.1\r\nhost: a\r\n: b\r\n\r\n", 400},
        Malformed{"upgrade",
                  "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: "
                  "websocket\r\n\r\n",
                  403},
        Malformed{"lower_case_method", "get / HTTP/1.1\r\nhost: a\r\n\r\n", 400}),
    [](const auto& tested) { return tested.param.name; });

TEST(Limits, heads_beyond_the_limits_are_431) {
  World world;
  Backend backend(echo("one"));
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  EXPECT_EQ(world.get("/", "x-a: " + std::string(59'000, 'a') + "\r\n").status, 200);
  EXPECT_EQ(world.get("/", "x-a: " + std::string(62'000, 'a') + "\r\n").status, 431);
  std::string many;
  for (int i = 0; i < 101; ++i) many += "x-" + std::to_string(i) + ": 1\r\n";
  EXPECT_EQ(world.get("/", many).status, 431);
  EXPECT_EQ(backend.hits(), 1);
}

TEST(Limits, a_slow_head_is_408_and_an_idle_connection_is_closed) {
  Options options;
  options.request_head_timeout = Milliseconds(80);
  options.downstream_idle_timeout = Milliseconds(120);
  World world(options);
  world.publish();
  Socket slow = world.connect();
  slow.send("GET / HTTP/1.1\r\nho");
  EXPECT_EQ(read_message(slow).status, 408);
  Socket idle = world.connect();
  EXPECT_FALSE(idle.more(3000));
  EXPECT_TRUE(idle.ended);
}

TEST(Limits, accepting_pauses_at_the_limit_of_connections) {
  Options options;
  options.downstream_connections_max = 2;
  World world(options);
  world.publish();
  Socket one = world.connect();
  Socket two = world.connect();
  one.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  two.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_EQ(read_message(one).status, 404);
  EXPECT_EQ(read_message(two).status, 404);
  Socket three = world.connect();  // waits in the kernel's queue
  three.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_FALSE(three.more(100));
  one.close();
  EXPECT_EQ(read_message(three).status, 404);
}

// --- Answers that must not be relayed.

struct BadAnswer {
  const char* name;
  const char* raw;
  int status;
};
class MalformedAnswer : public testing::TestWithParam<BadAnswer> {};

TEST_P(MalformedAnswer, is_502_and_the_connection_is_not_used_again) {
  World world;
  Backend backend([&](const Message&, int nth) -> std::string {
    return nth == 1 ? GetParam().raw : Backend::answer("fine");
  });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket socket = world.connect();
  socket.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  const Message answer = read_message(socket);
  EXPECT_EQ(answer.status, GetParam().status);
  socket.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_EQ(read_message(socket).body, "fine");
  EXPECT_EQ(backend.connections(), 2);
}

INSTANTIATE_TEST_SUITE_P(
    Corpus, MalformedAnswer,
    testing::Values(
        BadAnswer{"no_http", "hello\r\n\r\n", 502},
        BadAnswer{"two_lengths",
                  "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", 502},
        BadAnswer{"length_and_chunked",
                  "HTTP/1.1 200 OK\r\ncontent-length: 4\r\ntransfer-encoding: "
                  "chunked\r\n\r\n0\r\n\r\n",
                  502},
        BadAnswer{"bare_lf", "HTTP/1.1 200 OK\ncontent-length: 0\n\n", 502},
        BadAnswer{"fold", "HTTP/1.1 200 OK\r\nx: y\r\n z\r\ncontent-length: 0\r\n\r\n", 502},
        BadAnswer{"upgrade", "HTTP/1.1 101 Switching Protocols\r\n\r\n", 502},
        // The answer is right, but more comes: it is nobody's.
        BadAnswer{"bytes_behind",
                  "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\naHTTP/1.1 200 OK\r\n"
                  "content-length: 6\r\n\r\nforged",
                  200},
        BadAnswer{"asked_to_close",
                  "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: "
                  "1\r\n\r\na",
                  200}),
    [](const auto& tested) { return tested.param.name; });

TEST(Upstream, a_cut_answer_is_recognisable) {
  World world;
  Backend backend([](const Message& request, int) -> std::string {
    return request.start.find("chunked") != std::string::npos
               ? "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nZZ"
               : "HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\nhello";
  });
  Backend closing([](const Message&, int) -> std::string { return ""; });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  const Message chunked = world.get("/chunked");
  EXPECT_EQ(chunked.status, 200);
  EXPECT_FALSE(chunked.ok);
  EXPECT_EQ(chunked.body, "hello");
  Socket socket = world.connect();
  socket.send("GET /length HTTP/1.1\r\nhost: a\r\n\r\n");
  while (socket.in.find("hello") == std::string::npos) ASSERT_TRUE(socket.more());
  backend.stop();
  EXPECT_FALSE(socket.more());
  EXPECT_TRUE(socket.ended);
}

TEST(Upstream, closing_without_an_answer_is_503_uc) {
  World world;
  Backend backend([](const Message&, int) -> std::string { return "RST"; });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  const Message answer = world.get("/");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body,
            "upstream connect error or disconnect/reset before headers. reset reason: "
            "connection termination");
  EXPECT_EQ(backend.hits(), 1);
}

// An idle connection that its endpoint closed meanwhile: nobody may notice.
TEST(Upstream, a_restart_behind_idle_connections_loses_nothing) {
  World world;
  auto backend = std::make_unique<Backend>(echo("old"));
  const std::uint16_t port = backend->port();
  world.cluster("one", {port});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket socket = world.connect();
  for (int round = 0; round < 20; ++round) {
    for (const char* method : {"GET", "POST"}) {
      socket.send(std::string(method) + " / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nab");
      ASSERT_EQ(read_message(socket).status, 200) << round << method;
    }
    backend.reset();
    backend = std::make_unique<Backend>(echo("new"), port);
  }
}

// --- Tries.

TEST(Retry, another_endpoint_is_tried_without_any_policy) {
  World world;
  Backend live(echo("live"));
  world.cluster("one", {dead_port(), live.port(), dead_port()});
  world.add(world.rule("/", "one"));
  world.publish();
  for (int i = 0; i < 30; ++i) EXPECT_EQ(world.get("/").body, "live");
  EXPECT_EQ(live.hits(), 30);
}

TEST(Retry, by_status_and_body_is_sent_again) {
  World world;
  Backend backend([](const Message& request, int nth) -> std::string {
    if (nth < 3) return "HTTP/1.1 503 No\r\ncontent-length: 3\r\n\r\nbad";
    return Backend::answer(request.body + request.field("x-envoy-attempt-count"));
  });
  world.cluster("one", {backend.port()});
  auto rule = world.rule("/", "one");
  World::forward(*rule).retries.attempts = 2;
  World::forward(*rule).retries.on = route::RetryPolicy::kGatewayError;
  World::forward(*rule).retries.backoff_base = Milliseconds(1);
  world.add(rule);
  world.publish();
  Socket socket = world.connect();
  socket.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
  for (const char* piece : {"2\r\nab\r\n", "2\r\ncd\r\n", "0\r\n\r\n"}) socket.send(piece);
  EXPECT_EQ(read_message(socket).body, "abcd3");
  EXPECT_EQ(backend.hits(), 3);
}

TEST(Retry, bodies_beyond_the_limit_are_sent_once) {
  World world;
  Backend backend([](const Message&, int nth) -> std::string {
    return nth == 1 ? "HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n" : Backend::answer("ok");
  });
  world.cluster("one", {backend.port()});
  auto rule = world.rule("/", "one");
  World::forward(*rule).retries.attempts = 3;
  World::forward(*rule).retries.on = route::RetryPolicy::k5xx;
  world.add(rule);
  world.publish();
  for (const std::size_t size : {std::size_t{1'500'000}, std::size_t{900'000}}) {
    Socket socket = world.connect();
    socket.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: " + std::to_string(size) +
                "\r\n\r\n" + std::string(size, 'x'));
    EXPECT_EQ(read_message(socket).status, size > 1'000'000 ? 503 : 200);
  }
  EXPECT_EQ(backend.hits(), 2);
}

TEST(Retry, per_try_timeout) {
  World world;
  Backend backend([](const Message&, int nth) -> std::string {
    return nth == 1 ? "HANG" : Backend::answer("second");
  });
  world.cluster("one", {backend.port()});
  auto rule = world.rule("/", "one");
  World::forward(*rule).retries.attempts = 1;
  World::forward(*rule).retries.on = route::RetryPolicy::k5xx;
  World::forward(*rule).retries.per_try_timeout = Milliseconds(50);
  world.add(rule);
  world.publish();
  EXPECT_EQ(world.get("/").body, "second");
  EXPECT_EQ(backend.requests().at(0).field("x-envoy-expected-rq-timeout-ms"), "50");
}

TEST(Timeout, of_the_route_is_504) {
  World world;
  Backend backend([](const Message&, int) -> std::string { return "HANG"; });
  world.cluster("one", {backend.port()});
  auto rule = world.rule("/", "one");
  World::forward(*rule).timeout = Milliseconds(60);
  world.add(rule);
  world.publish();
  const Message answer = world.get("/");
  EXPECT_EQ(answer.status, 504);
  EXPECT_EQ(answer.body, "upstream request timeout");
}

TEST(Retry, policies_are_read_word_by_word) {
  route::RetryPolicy policy;  // the default
  EXPECT_TRUE(retries_failure(policy, Failure::kConnect, false));
  EXPECT_FALSE(retries_failure(policy, Failure::kTermination, true));
  EXPECT_FALSE(retries_answer(policy, 503, "", false));
  EXPECT_TRUE(retries_answer(policy, 200, "14", false));
  policy.on = route::RetryPolicy::kGatewayError;
  EXPECT_TRUE(retries_answer(policy, 502, "", false));
  EXPECT_FALSE(retries_answer(policy, 500, "", false));
  policy.on = route::RetryPolicy::kResetBeforeRequest;
  EXPECT_TRUE(retries_failure(policy, Failure::kTermination, false));
  EXPECT_FALSE(retries_failure(policy, Failure::kTermination, true));
  policy.on = route::RetryPolicy::kRetriableStatusCodes;
  policy.status_codes = {418};
  EXPECT_TRUE(retries_answer(policy, 418, "", false));
  Random random(1);
  policy.backoff_base = Milliseconds(25);
  for (unsigned nth = 1; nth < 10; ++nth) {
    EXPECT_LT(backoff(policy, nth, random), Milliseconds(251));
  }
}

// --- Limits of pools, mirrors, faults.

TEST(Pool, one_connection_and_one_waiting) {
  World world;
  std::atomic<bool> go{false};
  Backend backend([&](const Message&, int) -> std::string {
    while (!go) std::this_thread::sleep_for(Milliseconds(1));
    return Backend::answer("ok");
  });
  auto cluster = world.cluster("one", {backend.port()});
  cluster->pool.connections_max = 1;
  cluster->pool.pending_max = 1;
  world.add(world.rule("/", "one"));
  world.publish();
  std::vector<Socket> sockets;
  for (int i = 0; i < 6; ++i) {
    sockets.push_back(world.connect());
    sockets.back().send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    if (i == 0) {
      while (backend.hits() == 0) std::this_thread::yield();
    }
  }
  std::this_thread::sleep_for(Milliseconds(50));
  go = true;
  int good = 0;
  for (Socket& socket : sockets) {
    const Message answer = read_message(socket);
    if (answer.status == 200) {
      ++good;
    } else {
      EXPECT_EQ(answer.status, 503);
      EXPECT_EQ(answer.field("x-envoy-overloaded"), "true");
      EXPECT_EQ(answer.body,
                "upstream connect error or disconnect/reset before headers. reset reason: "
                "overflow");
    }
  }
  EXPECT_EQ(good, 2);
  EXPECT_EQ(backend.connections(), 1);
}

TEST(Mirror, a_copy_goes_to_the_shadow_and_its_fate_does_not_matter) {
  World world;
  Backend live(echo("live"));
  Backend shadow(
      [](const Message&, int nth) -> std::string { return nth % 2 == 0 ? "RST" : "HANG"; });
  world.cluster("live", {live.port()});
  world.cluster("shadow", {shadow.port()});
  world.cluster("dead", {dead_port()});
  auto rule = world.rule("/", "live");
  World::forward(*rule).mirrors = {{world.id("shadow"), 1'000'000, ""},
                                   {world.id("dead"), 1'000'000, ""},
                                   {route::kNoCluster, 1'000'000, ""},
                                   {world.id("shadow"), 0, ""}};
  world.add(rule);
  world.publish();
  Socket socket = world.connect();
  for (int i = 0; i < 10; ++i) {
    socket.send("POST /m HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody");
    EXPECT_EQ(read_message(socket).body, "live");
  }
  const std::string big(300'000, 'x');
  socket.send("POST /m HTTP/1.1\r\nhost: a\r\ncontent-length: 300000\r\n\r\n" + big);
  EXPECT_EQ(read_message(socket).body, "live");
  for (int i = 0; i < 500 && shadow.hits() < 11; ++i) {
    std::this_thread::sleep_for(Milliseconds(2));
  }
  EXPECT_EQ(shadow.hits(), 11);
  const Message copy = shadow.requests().at(0);
  EXPECT_EQ(copy.start, "POST /m HTTP/1.1");
  EXPECT_EQ(copy.field("x-envoy-internal"), "true");
  EXPECT_EQ(copy.field("x-forwarded-for"), "127.0.0.1,127.0.0.1");
  EXPECT_EQ(copy.body, "body");
  EXPECT_FALSE(live.requests().at(0).has("x-envoy-internal"));
}

TEST(Fault, delay_and_abort) {
  World world;
  Backend backend(echo("one"));
  world.cluster("one", {backend.port()});
  auto aborted = world.rule("/abort", "one");
  aborted->fault = route::Fault{0, Milliseconds(0), 1'000'000, 418, {}};
  world.add(aborted);
  auto delayed = world.rule("/delay", "one");
  delayed->fault = route::Fault{1'000'000, Milliseconds(60), 0, 0, {}};
  world.add(delayed);
  world.publish();
  const Message answer = world.get("/abort");
  EXPECT_EQ(answer.status, 418);
  EXPECT_EQ(answer.body, "fault filter abort");
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(world.get("/delay").body, "one");
  EXPECT_GE(std::chrono::steady_clock::now() - before, Milliseconds(55));
}

TEST(Slow, a_caller_that_does_not_read_stops_the_backend) {
  World world;
  const std::string big(20'000'000, 'x');
  Backend backend([&](const Message&, int) { return Backend::answer(big); });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket socket = world.connect();
  socket.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  std::this_thread::sleep_for(Milliseconds(200));
  // Two kernel buffers and ours: far less than all.
  EXPECT_LT(world.metric("sluice_upstream_received_bytes_total"), 12'000'000);
  EXPECT_EQ(read_message(socket).body.size(), big.size());
}

TEST(Slow, a_backend_that_does_not_read_stops_the_caller) {
  World world;
  net::Loop unused;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const net::Address any = *net::Address::parse("127.0.0.1", 0);
  ASSERT_EQ(bind(listener, any.data(), any.size()), 0);
  ASSERT_EQ(listen(listener, 5), 0);
  world.cluster("one", {net::Address::of_local(listener).port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket socket = world.connect();
  socket.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 50000000\r\n\r\n");
  std::size_t sent = 0;
  const std::string block(100'000, 'x');
  for (int quiet = 0; quiet < 20;) {
    const ssize_t put =
        ::send(socket.fd(), block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put > 0) {
      sent += static_cast<std::size_t>(put);
      quiet = 0;
    } else {
      std::this_thread::sleep_for(Milliseconds(10));
      ++quiet;
    }
  }
  EXPECT_LT(sent, 20'000'000U);
  close(listener);
}

}  // namespace
}  // namespace sluice::gateway
