// Changes of configuration, TLS, draining; and what a warm request costs.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <new>

#include "gateway/test_world.h"

namespace {
// Every allocation of the process is counted; a test looks at the difference.
std::atomic<std::uint64_t> allocations{0};
}  // namespace

// Not inlined: g++ would compare malloc and free with the operators that they stand for here.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace sluice::gateway {
namespace {

Backend::Script echo(const std::string& name) {
  return [name](const Message&, int) { return Backend::answer(name); };
}

// A backend of one thread that allocates nothing per request.
class PlainBackend {
 public:
  PlainBackend() {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    const net::Address any = *net::Address::parse("127.0.0.1", 0);
    EXPECT_EQ(bind(listener_, any.data(), any.size()), 0);
    EXPECT_EQ(listen(listener_, 5), 0);
    thread_ = std::thread([this] {
      const int fd = accept(listener_, nullptr, nullptr);
      char bytes[8192];
      while (recv(fd, bytes, sizeof bytes, 0) > 0) {
        static constexpr std::string_view kAnswer =
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello";
        if (send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) <= 0) break;
      }
      ::close(fd);
    });
  }
  ~PlainBackend() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::uint16_t port() const { return net::Address::of_local(listener_).port(); }

 private:
  int listener_;
  std::thread thread_;
};

TEST(Cost, a_warm_request_allocates_nothing) {
  PlainBackend backend;
  std::uint64_t counted = 0;
  {
    World world;
    world.cluster("one", {backend.port()});
    auto rule = world.rule("/models/", "one");
    auto& forward = World::forward(*rule);
    forward.rewrite.kind = route::Rewrite::Kind::kPrefix;
    forward.rewrite.prefix_length = 8;
    forward.rewrite.text = "/v1/";
    forward.timeout = Milliseconds(10'000);
    world.add(rule);
    world.publish();
    Socket socket = world.connect();
    static constexpr std::string_view kRequest =
        "POST /models/iris?x=y HTTP/1.1\r\nHost: Models.test:80\r\nUser-Agent: test\r\n"
        "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    char bytes[4096];
    for (int i = 0; i < 2000; ++i) {
      if (i == 1000) counted = allocations;
      ASSERT_EQ(send(socket.fd(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(kRequest.size()));
      const ssize_t got = recv(socket.fd(), bytes, sizeof bytes, 0);
      ASSERT_GT(got, 0);
      ASSERT_EQ(std::string_view(bytes, 15), "HTTP/1.1 200 OK");
    }
    counted = allocations - counted;
  }
  EXPECT_EQ(counted, 0U);
}

// Requests go on while routes move back and forth between backends, endpoints come and go, and
// nobody sees an error or a wrong answer. Each configuration is in force when publish says so.
TEST(Change, under_load_fails_no_request_and_closes_no_connection) {
  Options options;
  options.workers = 2;
  World world(options);
  Backend one(echo("one"));
  Backend two(echo("two"));
  const auto point_to = [&](bool second) {
    world.cluster("main", {second ? two.port() : one.port()});
    world.clear_rules();
    world.add(world.rule("/", "main"));
  };
  point_to(false);
  world.publish();
  std::atomic<bool> stop{false};
  std::atomic<int> bad{0};
  std::atomic<int> done{0};
  std::vector<std::thread> callers;
  const std::uint16_t port = world.port();
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      Socket socket = Socket::connect(port);
      while (!stop) {
        socket.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nab");
        const Message answer = read_message(socket);
        if (answer.status != 200 || (answer.body != "one" && answer.body != "two")) ++bad;
        ++done;
      }
    });
  }
  for (int i = 0; i < 100; ++i) {
    point_to(i % 2 == 0);
    world.publish();
    // A request that begins now must be answered by the new one.
    Socket socket = Socket::connect(port);
    socket.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    EXPECT_EQ(read_message(socket).body, i % 2 == 0 ? "two" : "one");
  }
  stop = true;
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(bad, 0);
  EXPECT_GT(done, 100);
  EXPECT_EQ(world.metric("sluice_downstream_connections_total"), 104);
  world.run_until([&] { return world.metric("sluice_snapshots_alive") == 2; });
}

// The old configuration names an endpoint that is gone, the new one does not: a request that began
// with the old one is routed again instead of failing.
TEST(Change, a_refused_request_asks_the_newest_configuration) {
  World world;
  Backend live(echo("live"));
  std::uint16_t gone = 0;
  {
    Backend temporary(echo("gone"));
    gone = temporary.port();
  }
  world.cluster("main", {gone});
  auto slow = world.rule("/", "main");
  slow->fault = route::Fault{1'000'000, Milliseconds(150), 0, 0, {}};
  world.add(slow);
  world.publish();
  Socket socket = world.connect();
  socket.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  std::this_thread::sleep_for(Milliseconds(50));
  world.cluster("other", {live.port()});
  world.erase("main");
  world.clear_rules();
  world.add(world.rule("/", "other"));
  world.publish();
  EXPECT_EQ(read_message(socket).body, "live");
  EXPECT_EQ(world.metric("sluice_reroutes_total"), 1);
}

// Of two weighted versions one is gone, refusing or without any endpoint: the other answers all.
TEST(Change, a_version_that_is_down_costs_its_share_nothing) {
  for (const bool refuses : {true, false}) {
    World world;
    Backend live(echo("live"));
    std::uint16_t gone = 0;
    {
      Backend temporary(echo("gone"));
      gone = temporary.port();
    }
    world.cluster("live", {live.port()});
    refuses ? world.cluster("dead", {gone}) : world.cluster("dead", {});
    world.cluster("never", {live.port()});
    auto rule = world.rule("/", "dead");
    auto& forward = World::forward(*rule);
    forward.destinations[0].weight = 75;
    forward.destinations.push_back({});
    forward.destinations[1].weight = 0;
    forward.destinations[1].cluster = world.id("never");
    forward.destinations.push_back({});
    forward.destinations[2].weight = 25;
    forward.destinations[2].cluster = world.id("live");
    forward.weight_total = 100;
    world.add(rule);
    world.publish();
    Socket socket = world.connect();
    for (int i = 0; i < 40; ++i) {
      socket.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi");
      const Message answer = read_message(socket);
      ASSERT_TRUE(answer.ok);
      ASSERT_EQ(answer.body, "live");
    }
    EXPECT_GT(world.metric("sluice_failovers_total"), 0);
  }
}

// With nothing else to take it, it fails as ever; a destination of weight 0 is never taken.
TEST(Change, a_lone_version_that_is_down_is_said) {
  World world;
  Backend idle(echo("idle"));
  world.cluster("dead", {});
  world.cluster("idle", {idle.port()});
  auto rule = world.rule("/", "dead");
  auto& forward = World::forward(*rule);
  forward.destinations[0].weight = 100;
  forward.destinations.push_back({});
  forward.destinations[1].weight = 0;
  forward.destinations[1].cluster = world.id("idle");
  forward.weight_total = 100;
  world.add(rule);
  world.publish();
  EXPECT_EQ(world.get("/").body, "no healthy upstream");
  EXPECT_EQ(idle.hits(), 0);
}

TEST(Change, answers_never_cross) {
  World world;
  Backend backend([](const Message& request, int) { return Backend::answer(request.start); });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  const std::uint16_t port = world.port();
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&, i] {
      Socket socket = Socket::connect(port);
      for (int n = 0; n < 200; ++n) {
        const std::string start = "GET /" + std::to_string(i) + "/" + std::to_string(n);
        socket.send(start + " HTTP/1.1\r\nhost: a\r\n\r\n");
        if (n % 20 == 19 && i % 2 == 0) {  // leaves in the middle
          socket = Socket::connect(port);
          continue;
        }
        if (read_message(socket).body != start + " HTTP/1.1") ++wrong;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Drain, finishes_what_runs_and_says_close) {
  World world;
  std::atomic<bool> go{false};
  Backend backend([&](const Message&, int) -> std::string {
    while (!go) std::this_thread::sleep_for(Milliseconds(1));
    return Backend::answer("done");
  });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  const std::uint16_t port = world.port();
  Socket idle = world.connect();
  Socket busy = world.connect();
  busy.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  while (backend.hits() == 0) std::this_thread::yield();
  bool done = false;
  world.gateway().drain(Milliseconds(5000), [&] { done = true; });
  EXPECT_FALSE(idle.more(3000));
  EXPECT_TRUE(idle.ended);
  EXPECT_FALSE(Socket::connect(port).ok());
  EXPECT_FALSE(done);
  go = true;
  const Message answer = read_message(busy);
  EXPECT_EQ(answer.body, "done");
  EXPECT_EQ(answer.field("connection"), "close");
  busy.close();
  world.run_until([&] { return done; });
}

TEST(Drain, ends_at_its_deadline) {
  World world;
  Backend backend([](const Message&, int) -> std::string { return "HANG"; });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket busy = world.connect();
  busy.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  while (backend.hits() == 0) std::this_thread::yield();
  bool done = false;
  world.gateway().drain(Milliseconds(50), [&] { done = true; });
  world.run_until([&] { return done; });
}

// --- TLS.

struct Pair {
  std::string certificate;
  std::string key;
};

// Its next request may be on its way when draining begins: it is answered, as the last.
TEST(Drain, an_idle_connection_may_ask_once_more) {
  World world;
  Backend backend([](const Message&, int) { return Backend::answer("one"); });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket caller = world.connect();
  caller.send("GET / HTTP/1.1\r\nhost: a.test\r\n\r\n");
  EXPECT_EQ(read_message(caller).body, "one");
  bool done = false;
  world.gateway().drain(Milliseconds(5000), [&] { done = true; });
  usleep(50'000);
  caller.send("GET / HTTP/1.1\r\nhost: a.test\r\n\r\n");
  const Message last = read_message(caller);
  EXPECT_EQ(last.body, "one");
  EXPECT_EQ(last.field("connection"), "close");
  caller.close();
  world.run_until([&] { return done; });
}

std::string drain_bio(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

Pair self_signed(const std::string& name) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  X509_sign(certificate, key, EVP_sha256());
  Pair pair;
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  pair.certificate = drain_bio(bio);
  bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  pair.key = drain_bio(bio);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return pair;
}

// A caller over TLS. `name`: whose certificate was shown; "" when there was no handshake.
class TlsCaller {
 public:
  TlsCaller(std::uint16_t port, const char* sni) : socket_(Socket::connect(port)) {
    ctx_ = SSL_CTX_new(TLS_client_method());
    ssl_ = SSL_new(ctx_);
    SSL_set_fd(ssl_, socket_.fd());
    if (sni != nullptr) SSL_set_tlsext_host_name(ssl_, sni);
    if (SSL_connect(ssl_) != 1) return;
    X509* certificate = SSL_get1_peer_certificate(ssl_);
    char text[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text,
                              sizeof text);
    X509_free(certificate);
    name = text;
  }
  ~TlsCaller() {
    SSL_free(ssl_);
    SSL_CTX_free(ctx_);
  }
  std::string get(const std::string& host) {
    const std::string request = "GET / HTTP/1.1\r\nhost: " + host + "\r\n\r\n";
    if (SSL_write(ssl_, request.data(), static_cast<int>(request.size())) <= 0) return "";
    char bytes[4096];
    std::string text;
    while (text.find("\r\n\r\n") == std::string::npos || text.size() < 20) {
      const int got = SSL_read(ssl_, bytes, sizeof bytes);
      if (got <= 0) break;
      text.append(bytes, static_cast<std::size_t>(got));
    }
    return text;
  }
  std::string name;

 private:
  Socket socket_;
  SSL_CTX* ctx_;
  SSL* ssl_;
};

TEST(Tls, servers_by_sni_and_rotation) {
  World world;
  Backend backend([](const Message& request, int) {
    return Backend::answer(request.field("x-forwarded-proto"));
  });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"), "a.test");
  const auto server = [&](const std::string& host, const std::string& common_name) {
    auto tls = std::make_shared<route::ServerTls>();
    const Pair pair = self_signed(common_name);
    tls->certificate_pem = pair.certificate;
    tls->key_pem = pair.key;
    auto made = std::make_shared<route::TlsServer>();
    made->name = host;
    made->hosts = {host};
    made->tls = tls;
    made->routes = world.table();
    return made;
  };
  auto missing = std::make_shared<route::TlsServer>();
  missing->name = "missing";
  missing->hosts = {"missing.test"};
  missing->routes = world.table();
  const auto wild = server("*.a.test", "wild");
  world.serve_tls({server("a.test", "exact"), wild, missing});
  world.publish();
  const std::uint16_t port = world.port(443);
  TlsCaller kept(port, "A.test");
  EXPECT_EQ(kept.name, "exact");
  EXPECT_NE(kept.get("a.test").find("https"), std::string::npos);
  EXPECT_EQ(TlsCaller(port, "x.a.test").name, "wild");
  EXPECT_EQ(TlsCaller(port, "x.y.a.test").name, "wild");
  EXPECT_EQ(TlsCaller(port, "b.test").name, "");
  EXPECT_EQ(TlsCaller(port, nullptr).name, "");
  EXPECT_EQ(TlsCaller(port, "missing.test").name, "");
  // A host that this server's routes do not have is 404, never another server's.
  EXPECT_NE(kept.get("b.test").find(" 404 "), std::string::npos);

  world.serve_tls({server("a.test", "rotated"), wild, missing});
  world.publish();
  EXPECT_EQ(TlsCaller(port, "a.test").name, "rotated");
  EXPECT_NE(kept.get("a.test").find("https"), std::string::npos);  // lives on

  // A key that does not fit: the last good pair stays.
  auto broken = server("a.test", "broken");
  auto tls = std::make_shared<route::ServerTls>(*broken->tls);
  tls->key_pem = self_signed("another").key;
  broken->tls = tls;
  world.serve_tls({broken, wild, missing});
  world.publish();
  EXPECT_EQ(TlsCaller(port, "a.test").name, "rotated");

  // Plain text on a TLS port is closed.
  Socket plain = Socket::connect(port);
  plain.send("GET / HTTP/1.1\r\nhost: a.test\r\n\r\n");
  while (plain.more(2000)) {
  }
  EXPECT_TRUE(plain.ended);
}

TEST(Ports, a_taken_port_is_reported_and_others_serve) {
  const int taken = socket(AF_INET, SOCK_STREAM, 0);
  const net::Address any = *net::Address::parse("127.0.0.1", 0);
  ASSERT_EQ(bind(taken, any.data(), any.size()), 0);
  ASSERT_EQ(listen(taken, 1), 0);
  Options options;
  options.workers = 2;
  options.binds = {{80, "", 0}, {443, "", net::Address::of_local(taken).port()}};
  World world(options);
  auto server = std::make_shared<route::TlsServer>();
  server->hosts = {"*"};
  server->routes = world.table();
  const Pair pair = self_signed("any");
  auto tls = std::make_shared<route::ServerTls>();
  tls->certificate_pem = pair.certificate;
  tls->key_pem = pair.key;
  server->tls = tls;
  world.serve_tls({server});
  world.publish();
  EXPECT_NE(world.port(80), 0);
  EXPECT_EQ(world.port(443), 0);
  for (const PortStatus& port : world.gateway().ports()) {
    EXPECT_EQ(port.error.empty(), port.gateway_port == 80);
  }
  EXPECT_EQ(world.get("/").status, 404);
  close(taken);
  world.publish();  // tried again
  EXPECT_NE(world.port(443), 0);
  // A port that goes is refused at once.
  const std::uint16_t port = world.port(443);
  world.serve_tls({});
  world.publish();
  EXPECT_FALSE(Socket::connect(port).ok());
}

TEST(AccessLog, one_json_line_per_request) {
  char path[] = "/tmp/sluice-access-XXXXXX";
  const int fd = mkstemp(path);
  {
    Options options;
    options.access_log = AccessLog::kJson;
    options.access_log_path = path;
    World world(options);
    world.publish();
    world.get("/a\"b", "user-agent: x\r\n");
    world.get("/plain", "user-agent: \"quoted\"\r\n");
  }
  char text[4096] = "";
  const ssize_t size = read(fd, text, sizeof text - 1);
  ASSERT_GT(size, 0);
  const std::string lines(text, static_cast<std::size_t>(size));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  EXPECT_NE(lines.find("\"response_flags\":\"NR\""), std::string::npos) << lines;
  EXPECT_NE(lines.find("\"user_agent\":\"\\\"quoted\\\"\""), std::string::npos) << lines;
  close(fd);
  unlink(path);
}

}  // namespace
}  // namespace sluice::gateway
