// The gateway over real loopback sockets, with snapshots made by hand: routing, answers, bodies.
#include "gateway/test_world.h"

namespace sluice::gateway {
namespace {

Backend::Script echo(const std::string& name) {
  return [name](const Message&, int) { return Backend::answer(name); };
}

TEST(Gateway, proxies_and_keeps_both_connections) {
  World world;
  Backend backend(echo("one"));
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket socket = world.connect();
  for (int i = 0; i < 5; ++i) {
    socket.send("GET /x?y=" + std::to_string(i) + " HTTP/1.1\r\nHost: A.test\r\n\r\n");
    const Message answer = read_message(socket);
    ASSERT_TRUE(answer.ok);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "one");
    EXPECT_EQ(answer.field("server"), "istio-envoy");
    EXPECT_TRUE(answer.has("date"));
    EXPECT_EQ(answer.field("x-envoy-upstream-service-time").find_first_not_of("0123456789"),
              std::string::npos);
    EXPECT_TRUE(answer.has("x-envoy-upstream-service-time"));
  }
  EXPECT_EQ(backend.connections(), 1);
  const Message request = backend.requests().at(4);
  EXPECT_EQ(request.start, "GET /x?y=4 HTTP/1.1");
  EXPECT_EQ(request.field("host"), "A.test");
  EXPECT_EQ(request.field("x-forwarded-for"), "127.0.0.1");
  EXPECT_EQ(request.field("x-forwarded-proto"), "http");
  EXPECT_EQ(request.field("x-envoy-external-address"), "127.0.0.1");
  EXPECT_EQ(request.field("x-envoy-attempt-count"), "1");
  EXPECT_EQ(request.field("x-envoy-decorator-operation"), "test/*");
  const std::string id = request.field("x-request-id");
  EXPECT_EQ(id.size(), 36U);
  EXPECT_EQ(id[14], '4');
  EXPECT_NE(id, backend.requests().at(3).field("x-request-id"));
  EXPECT_FALSE(request.has("content-length"));
}

TEST(Gateway, no_route_no_cluster_no_endpoint_refused) {
  World world;
  Backend backend(echo("one"));
  const std::uint16_t dead = [] {
    Backend gone([](const Message&, int) { return ""; });
    return gone.port();
  }();
  world.cluster("none", {});
  world.cluster("dead", {dead});
  world.add(world.rule("/nc", ""));
  world.add(world.rule("/uh", "none"));
  world.add(world.rule("/uf", "dead"));
  auto retried = world.rule("/urx", "dead");
  World::forward(*retried).retries = {};
  World::forward(*retried).retries.backoff_base = Milliseconds(1);
  world.add(retried);
  world.publish();
  EXPECT_EQ(world.get("/").status, 404);
  EXPECT_EQ(world.get("/").field("content-length"), "0");
  EXPECT_EQ(world.get("/nc").status, 503);
  EXPECT_EQ(world.get("/nc").body, "");
  EXPECT_EQ(world.get("/uh").body, "no healthy upstream");
  EXPECT_EQ(world.get("/uf").body,
            "upstream connect error or disconnect/reset before headers. reset reason: "
            "remote connection failure");
  EXPECT_EQ(world.get("/urx").body,
            "upstream connect error or disconnect/reset before headers. retried and the latest "
            "reset reason: remote connection failure");
}

TEST(Gateway, a_request_with_a_body_reaches_the_backend_whole) {
  World world;
  Backend backend([](const Message& request, int) { return Backend::answer(request.body); });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket socket = world.connect();
  socket.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello");
  EXPECT_EQ(read_message(socket).body, "hello");
  socket.send(
      "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nx-t: 1\r\n\r\n");
  EXPECT_EQ(read_message(socket).body, "abcde");
  EXPECT_EQ(backend.requests().at(1).field("transfer-encoding"), "chunked");
  // In pieces, one byte each, and the next request behind it.
  const std::string raw =
      "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n0\r\n\r\nGET /next HTTP/1.1\r\nhost: a\r\n\r\n";
  for (const char c : raw) ASSERT_TRUE(socket.send({&c, 1}));
  EXPECT_EQ(read_message(socket).body, "hello");
  EXPECT_EQ(read_message(socket).status, 200);
  EXPECT_EQ(backend.requests().at(3).start, "GET /next HTTP/1.1");
}

// Chunked, large, with a request sent ahead behind the body.
TEST(Gateway, large_bodies_pass_both_ways) {
  World world;
  Backend backend([](const Message& request, int) { return Backend::answer(request.body); });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  std::string body;
  for (int i = 0; body.size() < 6'000'000; ++i) body += std::to_string(i) + ",";
  for (const bool chunked : {false, true}) {
    Socket socket = world.connect();
    std::thread sender([&] {
      if (chunked) {
        socket.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
        for (std::size_t at = 0; at < body.size(); at += 70'001) {
          const std::string piece = body.substr(at, 70'001);
          char size[20];
          std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
          socket.send(size + piece + "\r\n");
        }
        socket.send("0\r\n\r\nGET /next HTTP/1.1\r\nhost: a\r\n\r\n");
      } else {
        socket.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: " + std::to_string(body.size()) +
                    "\r\n\r\n" + body);
      }
    });
    const Message answer = read_message(socket);
    sender.join();
    EXPECT_TRUE(answer.ok);
    EXPECT_TRUE(answer.body == body) << answer.body.size();
    if (chunked) {
      EXPECT_EQ(read_message(socket).status, 200);
    }
  }
}

TEST(Gateway, pipelined_requests_are_answered_in_order) {
  World world;
  Backend backend([](const Message& request, int) { return Backend::answer(request.start); });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/to", "one"));
  auto direct = world.rule("/direct", "one");
  direct->action = route::DirectResponse{203, "here"};
  world.add(direct);
  world.publish();
  Socket socket = world.connect();
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += "GET /" + std::string(i % 3 == 0 ? "direct" : "to") + std::to_string(i) +
           " HTTP/1.1\r\nhost: a\r\n\r\n";
  }
  socket.send(all);
  for (int i = 0; i < 50; ++i) {
    const Message answer = read_message(socket);
    ASSERT_TRUE(answer.ok) << i;
    EXPECT_EQ(answer.body, i % 3 == 0 ? "here" : "GET /to" + std::to_string(i) + " HTTP/1.1");
  }
}

TEST(Gateway, answers_without_bodies) {
  World world;
  Backend backend([](const Message& request, int) -> std::string {
    if (request.start.starts_with("HEAD")) {
      return "HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n";
    }
    if (request.start.find("/204") != std::string::npos) return "HTTP/1.1 204 No Content\r\n\r\n";
    if (request.start.find("/304") != std::string::npos) {
      return "HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n";
    }
    if (request.start.find("/100") != std::string::npos) {
      return "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" +
             Backend::answer("after");
    }
    return "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";  // ends with the connection
  });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket socket = world.connect();
  socket.send("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_EQ(read_message(socket, true).field("content-length"), "1234");
  socket.send("GET /204 HTTP/1.1\r\nhost: a\r\n\r\n");
  const Message none = read_message(socket);
  EXPECT_EQ(none.status, 204);
  EXPECT_FALSE(none.has("content-length") || none.has("transfer-encoding"));
  socket.send("GET /304 HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_EQ(read_message(socket).field("etag"), "x");
  socket.send("GET /100 HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_EQ(read_message(socket).body, "after");
  EXPECT_TRUE(socket.in.empty());
}

TEST(Gateway, a_body_until_close_becomes_chunked) {
  World world;
  Backend backend([](const Message&, int nth) -> std::string {
    if (nth == 1) return "HTTP/1.1 200 OK\r\n\r\nuntil the end";
    return Backend::answer("again");
  });
  // The backend closes behind its first answer.
  Backend closing([](const Message&, int) { return ""; });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket socket = world.connect();
  socket.send("GET / HTTP/1.0\r\nhost: a\r\n\r\n");
  EXPECT_EQ(read_message(socket).status, 426);
  std::thread closer([&] {
    while (backend.hits() == 0) std::this_thread::yield();
    std::this_thread::sleep_for(Milliseconds(20));
    backend.stop();
  });
  Socket second = world.connect();
  second.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  const Message answer = read_message(second);
  closer.join();
  EXPECT_TRUE(answer.ok);
  EXPECT_EQ(answer.field("transfer-encoding"), "chunked");
  EXPECT_EQ(answer.body, "until the end");
}

TEST(Gateway, expect_continue_is_answered) {
  World world;
  Backend backend([](const Message& request, int) { return Backend::answer(request.body); });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket socket = world.connect();
  socket.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n");
  while (socket.in.find("\r\n\r\n") == std::string::npos) ASSERT_TRUE(socket.more());
  EXPECT_EQ(socket.in, "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("ok");
  EXPECT_EQ(read_message(socket).body, "ok");
  EXPECT_EQ(backend.requests().at(0).field("expect"), "100-continue");
}

TEST(Gateway, hop_by_hop_fields_stay_here) {
  World world;
  Backend backend([](const Message&, int) {
    return Backend::answer("x",
                           "Keep-Alive: timeout=1\r\nProxy-Connection: x\r\nX-Up: 1\r\n"
                           "server: nginx\r\nx-envoy-upstream-service-time: 9\r\n");
  });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket socket = world.connect();
  socket.send(
      "GET / HTTP/1.1\r\nhost: a\r\nConnection: close, x-hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n"
      "TE: trailers\r\nupgrade: foo\r\nX-Envoy-Internal: true\r\nX-Request-Id: mine\r\n"
      "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\nx-envoy-max-retries: 9\r\n"
      "X-Other: 1\r\n\r\n");
  const Message answer = read_message(socket);
  EXPECT_EQ(answer.field("connection"), "close");
  EXPECT_FALSE(answer.has("keep-alive") || answer.has("proxy-connection"));
  EXPECT_EQ(answer.field("x-up"), "1");
  EXPECT_EQ(answer.field("server"), "istio-envoy");
  EXPECT_FALSE(socket.more(2000));
  EXPECT_TRUE(socket.ended);
  const Message request = backend.requests().at(0);
  for (const char* gone : {"connection", "x-hop", "keep-alive", "upgrade", "x-envoy-internal",
                           "x-envoy-max-retries"}) {
    EXPECT_FALSE(request.has(gone)) << gone;
  }
  EXPECT_EQ(request.field("te"), "trailers");
  EXPECT_EQ(request.field("x-forwarded-for"), "203.0.113.7,127.0.0.1");
  EXPECT_EQ(request.field("x-forwarded-proto"), "http");
  EXPECT_NE(request.field("x-request-id"), "mine");
  EXPECT_EQ(request.field("x-other"), "1");
}

TEST(Gateway, weights_are_kept) {
  World world;
  Backend one(echo("one"));
  Backend two(echo("two"));
  world.cluster("one", {one.port()});
  world.cluster("two", {two.port()});
  auto rule = world.rule("/", "one");
  auto& forward = World::forward(*rule);
  forward.destinations.push_back({});
  forward.destinations[0].weight = 75;
  forward.destinations[1].weight = 25;
  forward.destinations[1].cluster = world.id("two");
  forward.weight_total = 100;
  world.add(rule);
  world.publish();
  Socket socket = world.connect();
  for (int i = 0; i < 800; ++i) {
    socket.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    ASSERT_TRUE(read_message(socket).ok);
  }
  // Five standard deviations around 600.
  EXPECT_NEAR(one.hits(), 600, 62);
  EXPECT_EQ(one.hits() + two.hits(), 800);
}

TEST(Gateway, rewrites_redirects_and_header_operations) {
  World world;
  Backend backend(echo("one"));
  world.cluster("one", {backend.port()});
  auto rewritten = world.rule("/old/", "one");
  auto& forward = World::forward(*rewritten);
  forward.rewrite.kind = route::Rewrite::Kind::kPrefix;
  forward.rewrite.prefix_length = 5;
  forward.rewrite.text = "/new/";
  forward.rewrite.authority = "other.test";
  const auto plain = [](const std::string& text) {
    route::HeaderFormat format;
    format.pieces.push_back({route::HeaderFormat::Command::kText, text, "", 0});
    return format;
  };
  rewritten->request_headers.remove = {"x-gone"};
  rewritten->request_headers.set.emplace_back("x-set", plain("1"));
  route::HeaderFormat asked;
  asked.pieces.push_back({route::HeaderFormat::Command::kText, "agent ", "", 0});
  asked.pieces.push_back({route::HeaderFormat::Command::kRequestHeader, "user-agent", "", 4});
  rewritten->request_headers.add.emplace_back("x-agent", asked);
  rewritten->response_headers.set.emplace_back("x-answer", plain("yes"));
  world.add(rewritten);
  auto redirect = world.rule("/away", "one");
  route::Redirect to;
  to.status = 302;
  to.uri = "/there";
  to.authority = "else.test";
  redirect->action = to;
  world.add(redirect);
  world.redirect_to_https("secure.test");
  world.publish();
  const Message answer = world.get("/old/x?q", "x-gone: 1\r\nx-set: 0\r\nuser-agent: curl/8\r\n");
  EXPECT_EQ(answer.field("x-answer"), "yes");
  const Message request = backend.requests().at(0);
  EXPECT_EQ(request.start, "GET /new/x?q HTTP/1.1");
  EXPECT_EQ(request.field("host"), "other.test");
  EXPECT_EQ(request.field("x-envoy-original-path"), "/old/x?q");
  EXPECT_EQ(request.field("x-envoy-original-host"), "a.test");
  EXPECT_FALSE(request.has("x-gone"));
  EXPECT_EQ(request.field("x-set"), "1");
  EXPECT_EQ(request.field("x-agent"), "agent curl");
  const Message moved = world.get("/away?q");
  EXPECT_EQ(moved.status, 302);
  EXPECT_EQ(moved.field("location"), "http://else.test/there?q");
  const Message secured = world.get("/p?q", "", "secure.test:8080");
  EXPECT_EQ(secured.status, 301);
  EXPECT_EQ(secured.field("location"), "https://secure.test:8080/p?q");
}

}  // namespace
}  // namespace sluice::gateway
