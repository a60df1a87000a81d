// What hostile callers and broken models send, over real sockets: nothing ambiguous is forwarded,
// no answer of one request reaches another, every connection ends in bounded time.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/random.h"
#include "gateway/test_world.h"
#include "http/http1.h"

namespace sluice::gateway {
namespace {

// Reads until the peer closes; false when it does not within 5 seconds.
bool read_to_end(Socket& socket) {
  while (socket.more(5000)) {
  }
  return socket.ended;
}

struct Attack {
  const char* name;
  std::string bytes;
  int status;
};

class GatewayAttack : public testing::TestWithParam<Attack> {};

// Refused with its status, the connection closed, nothing forwarded, whatever stands behind it.
TEST_P(GatewayAttack, IsRefusedAndNothingIsForwarded) {
  const Attack& attack = GetParam();
  World world;
  Backend backend([](const Message&, int) { return Backend::answer("no"); });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket socket = world.connect();
  socket.send(attack.bytes + "GET /smuggled HTTP/1.1\r\nhost: a.test\r\n\r\n");
  EXPECT_TRUE(read_to_end(socket));
  EXPECT_TRUE(socket.in.starts_with("HTTP/1.1 " + std::to_string(attack.status) + " "))
      << socket.in;
  EXPECT_EQ(socket.in.find("HTTP/1.1", 1), std::string::npos) << socket.in;  // one answer
  EXPECT_NE(socket.in.find("connection: close\r\n"), std::string::npos) << socket.in;
  EXPECT_EQ(backend.hits(), 0);
}

std::string post(const std::string& lines, const std::string& body) {
  return "POST / HTTP/1.1\r\nhost: a.test\r\n" + lines + "\r\n" + body;
}

INSTANTIATE_TEST_SUITE_P(
    Table, GatewayAttack,
    testing::Values(
        Attack{"cl_te", post("content-length: 4\r\ntransfer-encoding: chunked\r\n", "0\r\n\r\n"),
               400},
        Attack{"te_cl", post("transfer-encoding: chunked\r\ncontent-length: 4\r\n", "0\r\n\r\n"),
               400},
        Attack{"two_lengths", post("content-length: 0\r\ncontent-length: 44\r\n", ""), 400},
        Attack{"te_te", post("transfer-encoding: chunked\r\ntransfer-encoding: x\r\n", "0\r\n\r\n"),
               501},
        Attack{"te_blank_colon", post("transfer-encoding : chunked\r\n", "0\r\n\r\n"), 400},
        Attack{"te_folded", post("transfer-encoding:\r\n chunked\r\n", "0\r\n\r\n"), 400},
        Attack{"te_vertical_tab",
               post("transfer-encoding: \x0b"
                    "chunked\r\n",
                    "0\r\n\r\n"),
               400},
        Attack{"bare_lf_head", "GET / HTTP/1.1\nhost: a.test\n\n", 400},
        Attack{"bare_cr_field", post("x-a: b\rcontent-length: 5\r\n", ""), 400},
        Attack{"nul", post(std::string("x-a: b\0c\r\n", 10), ""), 400},
        Attack{"chunk_size_blank", post("transfer-encoding: chunked\r\n", "1 \r\na\r\n0\r\n\r\n"),
               400},
        Attack{"chunk_size_overflow",
               post("transfer-encoding: chunked\r\n", "10000000000000000\r\na\r\n0\r\n\r\n"), 400},
        Attack{"chunk_bare_lf", post("transfer-encoding: chunked\r\n", "1\na\n0\n\n"), 400},
        Attack{"chunk_extension_lf",
               post("transfer-encoding: chunked\r\n", "1;a\nb\r\na\r\n0\r\n\r\n"), 400},
        Attack{"two_hosts", post("host: b.test\r\n", ""), 400},
        Attack{"no_host", "GET / HTTP/1.1\r\n\r\n", 400},
        Attack{"http10", "GET / HTTP/1.0\r\nhost: a.test\r\n\r\n", 426},
        Attack{"http2_preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 426},
        Attack{"encoded_nul", "GET /a%00b HTTP/1.1\r\nhost: a.test\r\n\r\n", 400},
        Attack{"long_line", "GET / HTTP/1.1\r\nhost: a.test\r\nx: " + std::string(70'000, 'a'),
               431},
        Attack{"long_target", "GET /" + std::string(70'000, 'a'), 431},
        Attack{"upgrade",
               "GET / HTTP/1.1\r\nhost: a.test\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", 403}),
    [](const auto& tested) { return std::string(tested.param.name); });

// What a model sends behind its answer is never the next request's answer.
TEST(GatewayAttackByModels, AnswersAreNotMixed) {
  World world;
  Backend backend([](const Message& request, int) {
    if (request.start.starts_with("GET /first")) {
      return Backend::answer("first") + Backend::answer("poison");
    }
    return Backend::answer("second");
  });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket socket = world.connect();
  for (int i = 0; i < 5; ++i) {
    socket.send("GET /first HTTP/1.1\r\nhost: a.test\r\n\r\n");
    EXPECT_EQ(read_message(socket).body, "first");
    socket.send("GET /second HTTP/1.1\r\nhost: a.test\r\n\r\n");
    EXPECT_EQ(read_message(socket).body, "second");
  }
}

struct BadAnswer {
  const char* name;
  std::string bytes;
};
class GatewayAttackByModel : public testing::TestWithParam<BadAnswer> {};

TEST_P(GatewayAttackByModel, BecomesA502AndItsConnectionEnds) {
  World world;
  const std::string& bad = GetParam().bytes;
  Backend backend([&bad](const Message& request, int) {
    return request.start.starts_with("GET /bad") ? bad : Backend::answer("good");
  });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket socket = world.connect();
  socket.send("GET /bad HTTP/1.1\r\nhost: a.test\r\n\r\n");
  const Message answer = read_message(socket);
  EXPECT_EQ(answer.status, 502) << answer.start;
  EXPECT_NE(answer.body.find("protocol error"), std::string::npos) << answer.body;
  socket.send("GET /good HTTP/1.1\r\nhost: a.test\r\n\r\n");
  EXPECT_EQ(read_message(socket).body, "good");
  EXPECT_EQ(backend.connections(), 2);
}

INSTANTIATE_TEST_SUITE_P(
    Table, GatewayAttackByModel,
    testing::Values(
        BadAnswer{"bare_lf", "HTTP/1.1 200 OK\ncontent-length: 0\n\n"},
        BadAnswer{"two_lengths",
                  "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"},
        BadAnswer{"length_and_encoding",
                  "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n"
                  "0\r\n\r\n"},
        BadAnswer{"folded", "HTTP/1.1 200 OK\r\nx: a\r\n b\r\ncontent-length: 0\r\n\r\n"},
        BadAnswer{"not_http", "SSH-2.0-OpenSSH_9.2\r\n"},
        BadAnswer{"no_content_with_body",
                  "HTTP/1.1 204 No Content\r\ncontent-length: 3\r\n\r\nabc"},
        BadAnswer{"unasked_upgrade", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"},
        BadAnswer{"too_many_fields",
                  [] {
                    std::string bytes = "HTTP/1.1 200 OK\r\n";
                    for (int i = 0; i < 120; ++i) bytes += "x: y\r\n";
                    return bytes + "content-length: 0\r\n\r\n";
                  }()},
        BadAnswer{"large_head", "HTTP/1.1 200 OK\r\nx: " + std::string(90'000, 'a') +
                                    "\r\ncontent-length: 0\r\n\r\n"}),
    [](const auto& tested) { return std::string(tested.param.name); });

// A rule can't break the framing of what it edits.
TEST(GatewayAttackByRule, FramingIsNotARulesBusiness) {
  World world;
  Backend backend([](const Message&, int) { return Backend::answer("ok"); });
  world.cluster("one", {backend.port()});
  auto rule = world.rule("/", "one");
  const auto plain = [](const std::string& text) {
    route::HeaderFormat format;
    format.pieces.push_back({});
    format.pieces[0].text = text;
    return format;
  };
  for (route::HeaderOps* ops : {&rule->request_headers, &rule->response_headers}) {
    ops->set.emplace_back("content-length", plain("7"));
    ops->add.emplace_back("transfer-encoding", plain("chunked"));
    ops->add.emplace_back("x-split", plain("a\r\nx-injected: b"));
    ops->add.emplace_back("x-fine", plain("a"));
  }
  world.add(rule);
  world.publish();
  for (int i = 0; i < 3; ++i) {
    const Message answer = world.get("/x");
    EXPECT_EQ(answer.body, "ok");
    EXPECT_EQ(answer.field("content-length"), "2");
    EXPECT_FALSE(answer.has("transfer-encoding"));
    EXPECT_FALSE(answer.has("x-injected"));
    EXPECT_EQ(answer.field("x-fine"), "a");
  }
  for (const Message& request : backend.requests()) {
    EXPECT_FALSE(request.has("content-length"));
    EXPECT_FALSE(request.has("transfer-encoding"));
    EXPECT_FALSE(request.has("x-injected"));
    EXPECT_EQ(request.field("x-fine"), "a");
  }
}

// An absolute target without a path is the root.
TEST(GatewayAttackByTarget, AbsoluteTargetsAreForwardedInOriginForm) {
  World world;
  Backend backend([](const Message&, int) { return Backend::answer("ok"); });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket socket = world.connect();
  socket.send("GET http://u:p@b.test HTTP/1.1\r\nhost: a.test\r\n\r\n");
  EXPECT_EQ(read_message(socket).status, 200);
  socket.send("GET http://b.test/x?y#z HTTP/1.1\r\nhost: a.test\r\n\r\n");
  EXPECT_EQ(read_message(socket).status, 200);
  ASSERT_EQ(backend.hits(), 2);
  EXPECT_EQ(backend.requests()[0].start, "GET / HTTP/1.1");
  EXPECT_EQ(backend.requests()[0].field("host"), "b.test");
  EXPECT_EQ(backend.requests()[1].start, "GET /x?y HTTP/1.1");
}

// Slow callers hold a connection for a bounded time; slow models are nobody's fault here.
TEST(GatewayAttackBySlowness, BodiesThatDoNotComeAreGivenUp) {
  Options options;
  options.caller_stall_timeout = Milliseconds(80);
  World world(options);
  Backend backend([](const Message&, int) { return Backend::answer("ok"); });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket socket = world.connect();
  socket.send("POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: 10\r\n\r\nabc");
  EXPECT_TRUE(read_to_end(socket));
  EXPECT_TRUE(socket.in.starts_with("HTTP/1.1 408 ")) << socket.in;
  EXPECT_EQ(backend.hits(), 0);
  // Who sends a little now and then is served.
  Socket slow = world.connect();
  slow.send("POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: 6\r\n\r\n");
  for (int i = 0; i < 6; ++i) {
    EXPECT_FALSE(slow.more(30));
    slow.send("x");
  }
  EXPECT_EQ(read_message(slow).body, "ok");
}

TEST(GatewayAttackBySlowness, AnswersThatNobodyTakesAreGivenUp) {
  Options options;
  options.caller_stall_timeout = Milliseconds(80);
  World world(options);
  Backend backend([](const Message& request, int) {
    return Backend::answer(request.start.starts_with("GET /large") ? std::string(32U << 20U, 'x')
                                                                   : std::string("ok"));
  });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket socket = world.connect();
  socket.send("GET /large HTTP/1.1\r\nhost: a.test\r\n\r\n");
  world.run_until([&] { return world.metric("sluice_downstream_requests_active") == 1; });
  world.run_until([&] { return world.metric("sluice_downstream_requests_active") == 0; });
  while (socket.more(5000)) {
  }
  EXPECT_TRUE(socket.ended);
  EXPECT_LT(socket.in.size(), 32U << 20U);
}

TEST(GatewayAttackBySlowness, ModelsMayTakeTheirTime) {
  Options options;
  options.caller_stall_timeout = Milliseconds(40);
  World world(options);
  Backend backend([](const Message&, int) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    return Backend::answer("ok");
  });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Socket socket = world.connect();
  socket.send("POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: 3\r\n\r\n");
  EXPECT_FALSE(socket.more(10));
  socket.send("abc");
  EXPECT_EQ(read_message(socket).body, "ok");
}

// A rule's text can't end a line: it is encoded in paths.
TEST(GatewayAttackByRule, PathsStayOneWord) {
  World world;
  Backend backend([](const Message&, int) { return Backend::answer("ok"); });
  world.cluster("one", {backend.port()});
  auto rule = world.rule("/a", "one");
  World::forward(*rule).rewrite.kind = route::Rewrite::Kind::kPrefix;
  World::forward(*rule).rewrite.prefix_length = 2;
  World::forward(*rule).rewrite.text = "/b HTTP/1.1\r\nx: y";
  World::forward(*rule).rewrite.authority = "b.test\r\nx: y";
  world.add(rule);
  world.publish();
  EXPECT_EQ(world.get("/a/c").body, "ok");
  const Message request = backend.requests().at(0);
  EXPECT_EQ(request.start, "GET /b%20HTTP/1.1%0D%0Ax:%20y/c HTTP/1.1");
  EXPECT_EQ(request.field("host"), "a.test");
  EXPECT_FALSE(request.has("x"));
}

// --- Mutations: what arrives at a model is what the codec accepted, request by request.

struct Exchanged {
  std::string method;
  std::string body;
  bool operator==(const Exchanged&) const = default;
};

// The complete requests that `bytes` begin with, by the codec alone.
std::vector<Exchanged> accepted_of(std::string bytes) {
  std::vector<Exchanged> found;
  http::RequestHead head;
  http::RequestParser parser(head);
  std::size_t at = 0;
  while (at < bytes.size()) {
    parser.reset();
    if (parser.parse({bytes.data() + at, bytes.size() - at}) != http::Progress::kDone) break;
    Exchanged one{std::string(head.method), ""};
    at += parser.consumed();
    http::BodyDecoder decoder;
    decoder.start(head.framing, head.content_length);
    while (!decoder.is_done() && at < bytes.size()) {
      const auto piece = decoder.next(std::string_view(bytes).substr(at));
      one.body += piece.data;
      at += piece.consumed;
      if (piece.progress == http::Progress::kRefused) return found;
    }
    if (!decoder.is_done()) break;
    found.push_back(one);
    if (!head.keep_alive) break;
  }
  return found;
}

std::string mutated(std::string bytes, Random& random) {
  static constexpr std::string_view kPieces[] = {"\r\n",      "\n",
                                                 "\r",        " ",
                                                 "\t",        ":",
                                                 ",",         "0",
                                                 "\r\n\r\n",  "content-length: 3\r\n",
                                                 "x: y\r\n",  "transfer-encoding: chunked\r\n",
                                                 "0\r\n\r\n", "GET / HTTP/1.1\r\nhost: a\r\n\r\n"};
  for (unsigned i = 1 + random.below(2); i > 0; --i) {
    const std::size_t at = random.below(static_cast<std::uint32_t>(bytes.size() + 1));
    const std::string_view piece = kPieces[random.below(std::size(kPieces))];
    switch (random.below(3)) {
      case 0:
        bytes.insert(at, piece);
        break;
      case 1:
        if (at < bytes.size()) bytes.erase(at, 1 + random.below(4));
        break;
      default:
        if (at < bytes.size()) bytes[at] = static_cast<char>(random.below(256));
    }
  }
  return bytes;
}

TEST(GatewayAttackByMutation, ModelsSeeWhatTheCodecAccepted) {
  std::vector<std::string> corpus;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(SLUICE_SOURCE_DIR) +
                                                               "/fuzz/corpus/http1_request")) {
    std::ifstream file(entry.path(), std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  ASSERT_FALSE(corpus.empty());
  std::sort(corpus.begin(), corpus.end());
  World world;
  Backend backend([](const Message& request, int) {
    return request.start.starts_with("HEAD ") ? "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"
                                              : Backend::answer("ok");
  });
  world.cluster("one", {backend.port()});
  world.add(world.rule("/", "one"));
  world.publish();
  Random random(20260104);
  std::size_t seen = 0;
  for (unsigned round = 0; round < 600; ++round) {
    const std::string bytes = mutated(corpus[round % corpus.size()], random);
    SCOPED_TRACE(testing::PrintToString(bytes));
    Socket socket = world.connect();
    socket.send(bytes);
    // All that the codec accepts is answered, here or by the model, until an answer closes.
    const std::vector<Exchanged> accepted = accepted_of(bytes);
    for (const Exchanged& each : accepted) {
      const Message answer = read_message(socket, each.method == "HEAD");
      ASSERT_TRUE(answer.ok);
      if (answer.field("connection") == "close") break;
    }
    const std::vector<Message> all = backend.requests();
    ASSERT_LE(all.size() - seen, accepted.size());
    std::size_t next = 0;
    for (; seen < all.size(); ++seen) {
      const Exchanged arrived{all[seen].start.substr(0, all[seen].start.find(' ')), all[seen].body};
      while (next < accepted.size() && accepted[next] != arrived) ++next;  // 403, 404 of ours
      ASSERT_LT(next, accepted.size()) << "a request that nobody sent: " << all[seen].start;
      ++next;
    }
  }
  EXPECT_GT(backend.hits(), 50);
}

}  // namespace
}  // namespace sluice::gateway
