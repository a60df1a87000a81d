// The keeper against an API server in this process, and the server over TLS.
#include "webhook/webhook.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "base/clock.h"
#include "compile/json.h"
#include "kube/connection.h"
#include "kube/document.h"
#include "kube/fake_server.h"
#include "resource/kubernetes.h"

namespace sluice::webhook {
namespace {

using kube::FakeServer;
using resource::List;
using resource::Map;
using resource::Value;

constexpr std::int64_t kDay = 86'400;
const std::string kSecret = "/api/v1/namespaces/ns/secrets/seldon-webhook-server-cert";
const std::string kConfiguration =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hook";

KeeperOptions options() {
  KeeperOptions made;
  made.namespace_ = "ns";
  made.configuration = "hook";
  return made;
}

Value configuration() {
  return Map{{"apiVersion", "admissionregistration.k8s.io/v1"},
             {"kind", "ValidatingWebhookConfiguration"},
             {"metadata", Map{{"name", "hook"}}},
             {"webhooks", List{Map{{"name", "one"}, {"clientConfig", Map{{"url", "x"}}}}}}};
}

Value empty_secret() {
  return Map{{"apiVersion", "v1"},
             {"kind", "Secret"},
             {"metadata", Map{{"namespace", "ns"}, {"name", "seldon-webhook-server-cert"}}}};
}

std::string decoded(const Value& value) {
  return resource::decode_base64(value.text()).value_or("");
}

class KeeperTest : public testing::Test {
 protected:
  KeeperTest() {
    server_.put(kSecret, empty_secret());
    server_.put(kConfiguration, configuration());
  }
  // One look of a replica of its own, `days` from now.
  Keeper::State look(std::int64_t days = 0) {
    const auto client = server_.client();
    Keeper keeper(client.get(), options(), [days] { return wall_seconds() + days * kDay; });
    keeper.look();
    return keeper.state();
  }
  std::string bundle() const {
    return decoded(
        server_.at(kConfiguration).at("webhooks").at(0).at("clientConfig").at("caBundle"));
  }
  std::string in_secret(const char* key) const {
    return decoded(server_.at(kSecret).at("data").at(key));
  }
  int writes() const {
    return server_.count([](const FakeServer::Request& each) { return each.method != "GET"; });
  }
  FakeServer server_;
};

TEST_F(KeeperTest, MakesWhatIsMissingAndTellsTheApiServer) {
  const Keeper::State state = look();
  EXPECT_EQ(state.trouble, "");
  EXPECT_EQ(state.renewals, 1U);
  EXPECT_GT(state.ends_seconds, wall_seconds() + 80 * kDay);
  EXPECT_EQ(bundle(), in_secret("ca.crt"));
  const auto facts = net::read_certificate(in_secret("tls.crt"));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->dns_names[0], "seldon-webhook-service.ns.svc");
}

TEST_F(KeeperTest, ReplicasShareOneCertificate) {
  look();
  const std::string first = in_secret("tls.crt");
  const int before = writes();
  const Keeper::State state = look();
  EXPECT_EQ(state.renewals, 0U);
  EXPECT_EQ(state.trouble, "");
  EXPECT_EQ(writes(), before);
  EXPECT_EQ(in_secret("tls.crt"), first);
}

TEST_F(KeeperTest, RenewsInTimeAndDoesNotChangeTheAuthorities) {
  look();
  const std::string first = in_secret("tls.crt");
  const std::string authorities = bundle();
  EXPECT_EQ(look(70).renewals, 1U);
  EXPECT_NE(in_secret("tls.crt"), first);
  EXPECT_EQ(bundle(), authorities);
}

TEST_F(KeeperTest, WhoComesSecondTakesWhatTheFirstWrote) {
  // Another replica writes between our read and our write.
  auto other = std::make_shared<bool>(false);
  server_.intercept(
      [this, other](const FakeServer::Request& request) -> std::optional<FakeServer::Reply> {
        if (request.method != "PUT" || *other) return std::nullopt;
        *other = true;
        return FakeServer::Reply{409, Map{{"kind", "Status"}, {"message", "modified"}}};
      });
  EXPECT_EQ(look().trouble, "");
  EXPECT_TRUE(*other);
  EXPECT_EQ(bundle(), in_secret("ca.crt"));
}

TEST_F(KeeperTest, PutsTheAuthoritiesBackWhenSomebodyRemovesThem) {
  look();
  server_.put(kConfiguration, configuration());
  EXPECT_EQ(bundle(), "");
  look();
  EXPECT_EQ(bundle(), in_secret("ca.crt"));
}

TEST_F(KeeperTest, SaysWhatIsMissing) {
  server_.intercept([](const FakeServer::Request& request) -> std::optional<FakeServer::Reply> {
    if (request.path != kConfiguration) return std::nullopt;
    return FakeServer::Reply{404, Map{{"kind", "Status"}, {"message", "none"}}};
  });
  EXPECT_NE(look().trouble.find("ValidatingWebhookConfiguration hook: is not there"),
            std::string::npos);
  EXPECT_NE(look().ends_seconds, 0);  // it could answer all the same
  server_.intercept([](const FakeServer::Request& request) -> std::optional<FakeServer::Reply> {
    if (request.path != kSecret && !request.path.ends_with("/secrets")) return std::nullopt;
    if (request.method == "GET")
      return FakeServer::Reply{404, Map{{"kind", "Status"}, {"message", "none"}}};
    return FakeServer::Reply{
        403, Map{{"kind", "Status"}, {"message", "x cannot create resource \"secrets\""}}};
  });
  const std::string trouble = look().trouble;
  EXPECT_NE(trouble.find("`helm upgrade` makes it"), std::string::npos) << trouble;
  EXPECT_NE(trouble.find("resources [\"secrets\"], verbs [\"create\"]"), std::string::npos)
      << trouble;
}

// --- The server.

class WebhookTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/sluice-webhook-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    renew();
    Options made;
    made.address = "127.0.0.1:0";
    made.keeper.folder = folder_;
    made.keeper.period = made.keeper.period_after_failure = Milliseconds(10);
    webhook_ = std::make_unique<Webhook>(nullptr, compile::Settings(), made);
    const auto bound = webhook_->start();
    ASSERT_TRUE(bound) << to_string(bound.error());
    port_ = static_cast<std::uint16_t>(std::stoi(bound->substr(bound->rfind(':') + 1)));
    ASSERT_TRUE(until([this] { return webhook_->state().ends_seconds != 0; }));
  }
  void TearDown() override {
    webhook_.reset();
    for (const char* file : {"/tls.crt", "/tls.key"}) std::remove((folder_ + file).c_str());
    rmdir(folder_.c_str());
  }
  static bool until(const std::function<bool()>& done) {
    for (int i = 0; i < 1000 && !done(); ++i) usleep(10'000);
    return done();
  }
  // Another pair, as cert-manager would put it there.
  void renew() {
    const std::int64_t now = wall_seconds();
    authority_ = *net::make_authority("test", {now - 60, now + kDay});
    const auto pair =
        net::make_server_certificate(authority_, {"hook.ns.svc"}, {now - 60, now + kDay});
    std::ofstream(folder_ + "/tls.crt") << pair->certificate_pem;
    std::ofstream(folder_ + "/tls.key") << pair->key_pem;
  }
  // Status and body; the status is 0 when TLS fails.
  std::pair<int, std::string> post(const std::string& body,
                                   const std::string& path = std::string(kPath)) {
    net::TlsClientOptions tls;
    tls.ca_pem = authority_.certificate_pem;
    tls.host = "hook.ns.svc";
    kube::Endpoint endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = port_;
    endpoint.is_https = true;
    endpoint.server_name = "hook.ns.svc";
    const kube::Stop stop;
    const std::int64_t deadline = monotonic_ns() + 10'000'000'000;
    auto connection =
        kube::Connection::open(endpoint, *net::TlsContext::make_client(tls), stop, deadline);
    if (!connection) return {0, to_string(connection.error())};
    auto exchanged = (*connection)
                         ->exchange("POST " + path + " HTTP/1.1\r\nHost: hook\r\nContent-Length: " +
                                        std::to_string(body.size()) + "\r\n\r\n" + body,
                                    deadline);
    if (!exchanged) return {-1, to_string(exchanged.error())};
    const int status = (*connection)->status();
    std::string answer;
    for (;;) {
      auto more = (*connection)->read_body(answer, deadline);
      if (!more) return {-1, to_string(more.error())};
      if (!*more) return {status, answer};
    }
  }
  static std::string asked(const std::string& spec) {
    return R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u",)"
           R"("operation":"CREATE","object":{"apiVersion":"machinelearning.seldon.io/v1",)"
           R"("kind":"SeldonDeployment","metadata":{"name":"a","namespace":"b"},"spec":)" +
           spec + "}}}";
  }

  std::string folder_;
  net::KeyPair authority_;
  std::unique_ptr<Webhook> webhook_;
  std::uint16_t port_ = 0;
};

TEST_F(WebhookTest, AnswersOverTls) {
  const auto [status, body] = post(asked(R"({"predictors":[]})"));
  ASSERT_EQ(status, 200) << body;
  const auto answer = kube::parse_document(body);
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->at("response").at("allowed").flag(true));
  EXPECT_EQ(answer->at("response").at("uid").text(), "u");
  EXPECT_EQ(webhook_->counts().refused, 1U);
}

TEST_F(WebhookTest, TakesWhatAnApiServerCanSendAndNoMore) {
  // An object of 3 MiB, before and after.
  const std::string large =
      R"({"predictors":[],"annotations":{"a":")" + std::string(6U << 20U, 'x') + "\"}}";
  EXPECT_EQ(post(asked(large)).first, 200);
  EXPECT_EQ(post(std::string(kReviewBytesMax + 1, ' ')).first, 413);
}

TEST_F(WebhookTest, RefusesWhatIsNoReview) {
  EXPECT_EQ(post("{").first, 400);
  EXPECT_EQ(post("{}").first, 400);
  EXPECT_EQ(post(std::string(1000, '[')).first, 400);
  EXPECT_EQ(post("{}", "/other").first, 404);
  EXPECT_EQ(webhook_->counts().malformed, 3U);
  EXPECT_EQ(post(asked("{}")).first, 200);
}

TEST_F(WebhookTest, NewCertificatesAreTakenWithoutARestart) {
  EXPECT_EQ(post(asked("{}")).first, 200);
  renew();
  // Until the new one is served, whoever trusts only the new authority is not served.
  ASSERT_TRUE(until([this] { return post(asked("{}")).first == 200; }));
  // Half of a change is no reason to stop.
  std::ofstream(folder_ + "/tls.key") << "half a key";
  ASSERT_TRUE(until([this] { return !webhook_->state().trouble.empty(); }));
  EXPECT_EQ(post(asked("{}")).first, 200);
}

TEST(WebhookStart, WithoutACertificateNothingIsAnswered) {
  Options made;
  made.address = "127.0.0.1:0";
  made.keeper.folder = "/nonexistent";
  made.keeper.period_after_failure = Milliseconds(10);
  Webhook webhook(nullptr, compile::Settings(), made);
  ASSERT_TRUE(webhook.start());
  for (int i = 0; i < 1000 && !webhook.state().has_tried; ++i) usleep(10'000);
  EXPECT_EQ(webhook.state().trouble, "/nonexistent/tls.crt: can't be read");
  EXPECT_EQ(webhook.state().ends_seconds, 0);
  made.address = "nowhere";
  const auto bound = Webhook(nullptr, compile::Settings(), made).start();
  ASSERT_FALSE(bound);
  EXPECT_TRUE(to_string(bound.error()).starts_with("--webhook: ")) << to_string(bound.error());
}

}  // namespace
}  // namespace sluice::webhook
