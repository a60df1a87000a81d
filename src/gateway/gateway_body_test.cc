// Bodies that do not fit into what the other side takes at once, and what stands behind them.
#include "gateway/test_world.h"

namespace sluice::gateway {
namespace {

Backend::Script echo(const std::string& name) {
  return [name](const Message&, int) { return Backend::answer(name); };
}

// Listens and lets the test do the rest.
class BareBackend {
 public:
  BareBackend() {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int small = 4096;
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    const net::Address address = *net::Address::parse("127.0.0.1", 0);
    EXPECT_EQ(bind(fd_, address.data(), address.size()), 0);
    EXPECT_EQ(listen(fd_, 16), 0);
  }
  ~BareBackend() { ::close(fd_); }
  std::uint16_t port() const { return net::Address::of_local(fd_).port(); }
  Socket accept() const {
    pollfd waiting{fd_, POLLIN, 0};
    return poll(&waiting, 1, 5000) == 1 ? Socket(::accept(fd_, nullptr, nullptr)) : Socket();
  }

 private:
  int fd_ = -1;
};

std::string chunk(std::size_t size) {
  char head[32];
  snprintf(head, sizeof head, "%zx\r\n", size);
  return head + std::string(size, 'b') + "\r\n";
}

// The end of a chunked body is bytes of its own: it must follow also when all data before it was
// handed over while the model took nothing. Which size makes the gateway's last write the one that
// the kernel does not take whole is not known: all of them are tried.
TEST(Body, end_of_chunks_is_kept_while_the_model_is_full) {
  World world;
  BareBackend model;
  world.cluster("one", {model.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  const std::string bytes(8U << 20U, 'b');
  for (std::size_t size = 64U << 10U; size < bytes.size(); size += 100'000) {
    Socket caller = world.connect();
    char head[128];
    snprintf(head, sizeof head,
             "POST / HTTP/1.1\r\nhost: a.test\r\ntransfer-encoding: chunked\r\n\r\n%zx\r\n", size);
    std::atomic<bool> sent = false;
    std::thread sender([&] {
      caller.send(head + bytes.substr(0, size) + "\r\n0\r\n\r\n");
      sent = true;
    });
    Socket peer = model.accept();
    for (int i = 0; i < 40 && !sent; ++i) usleep(500);
    usleep(2000);
    bool ended = false;
    while (!ended && peer.more(1500)) ended = peer.in.ends_with("\r\n0\r\n\r\n");
    EXPECT_TRUE(ended) << size << ": the end of the body did not come; " << peer.in.size()
                       << " bytes did, the last: "
                       << peer.in.substr(peer.in.size() -
                                         std::min<std::size_t>(peer.in.size(), 20));
    peer.send(Backend::answer("all"));
    EXPECT_EQ(ended ? read_message(caller).body : "", "all");
    sender.join();
    if (!ended) return;
  }
}

// Bytes that came before the connection to the model was up make no new edge: they must be read on
// without one. (Sizes between what is read ahead and what comes at once.)
TEST(Body, what_came_before_the_connection_was_up_is_read_on) {
  World world;
  Backend backend([](const Message& request, int) {
    return Backend::answer(std::to_string(request.body.size())).insert(17, "connection: close\r\n");
  });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  for (const std::size_t size : {90'000, 100'000, 115'536, 150'000, 200'000, 400'000}) {
    Socket caller = world.connect();
    caller.send("POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: " + std::to_string(size) +
                "\r\n\r\n" + std::string(size, 'b'));
    EXPECT_EQ(read_message(caller, false, 1500).body, std::to_string(size));
  }
}

// A copy whose shadow is gone is forgotten by the request that it was made of: the object serves
// another request's copy next, and a late piece of the first body must not get into that.
TEST(Mirror, a_dropped_copy_takes_no_more_of_its_body) {
  Options options;
  options.workers = 1;
  World world(options);
  Backend live(echo("live"));
  BareBackend shadow;
  world.cluster("live", {live.port()});
  world.cluster("shadow", {shadow.port()});
  auto rule = world.rule("/", "live");
  World::forward(*rule).mirrors.push_back({world.id("shadow"), 1'000'000, "shadow"});
  world.add(rule);
  world.publish();

  Socket first = world.connect();
  first.send("POST /first HTTP/1.1\r\nhost: a.test\r\ncontent-length: 12\r\n\r\nsecr");
  {
    Socket peer = shadow.accept();
    ASSERT_TRUE(peer.ok());
    while (peer.in.find("secr") == std::string::npos && peer.more()) {
    }
  }  // the shadow closes while the body is still coming
  world.run_until([&] { return world.metric("sluice_mirrors_dropped_total") == 1; });
  Socket second = world.connect();
  second.send("POST /second HTTP/1.1\r\nhost: a.test\r\ncontent-length: 12\r\n\r\nabcd");
  Socket peer = shadow.accept();
  ASSERT_TRUE(peer.ok());
  while (peer.in.find("abcd") == std::string::npos && peer.more()) {
  }
  first.send("et of 1!");
  EXPECT_EQ(read_message(first).body, "live");
  second.send("efghijkl");
  EXPECT_EQ(read_message(second).body, "live");
  while (peer.in.find("ijkl") == std::string::npos && peer.more(1000)) {
  }
  EXPECT_NE(peer.in.find("\r\n\r\nabcdefghijkl"), std::string::npos) << peer.in;
  EXPECT_EQ(peer.in.find("et of 1!"), std::string::npos) << peer.in;
}

// What a caller sent behind a chunked body is the next request, also when the body's end and the
// failure of the try meet.
TEST(Body, what_stands_behind_a_body_survives_the_failure_of_its_request) {
  World world;
  Backend two(echo("two"));
  {
    auto dead = std::make_unique<Backend>(echo("dead"));
    world.cluster("dead", {dead->port()});
  }
  world.cluster("two", {two.port()});
  world.add(world.rule("/dead", "dead"));
  world.add(world.rule("/two", "two"));
  world.publish();
  Socket caller = world.connect();
  caller.send("POST /dead HTTP/1.1\r\nhost: a.test\r\ntransfer-encoding: chunked\r\n\r\n" +
              chunk(2000) + "0\r\n\r\nGET /two HTTP/1.1\r\nhost: a.test\r\n\r\n");
  const Message first = read_message(caller);
  EXPECT_EQ(first.status, 503);
  if (first.field("connection") != "close") {
    EXPECT_EQ(read_message(caller).body, "two");
  }
}

}  // namespace
}  // namespace sluice::gateway
