#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <string>

#include "net/address.h"
#include "net/channel.h"
#include "net/loop.h"
#include "net/socket.h"
#include "net/tls.h"

namespace sluice::net {
namespace {

struct Pair {
  std::string certificate;
  std::string key;
};

std::string drain(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

Pair self_signed(const char* name) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  X509_sign(certificate, key, EVP_sha256());
  Pair pair;
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  pair.certificate = drain(bio);
  bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  pair.key = drain(bio);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return pair;
}

TEST(Address, parses_numbers_and_paths_only) {
  EXPECT_EQ(Address::parse("127.0.0.1", 80)->text(), "127.0.0.1:80");
  EXPECT_EQ(Address::parse("::1", 80)->text(), "[::1]:80");
  EXPECT_EQ(Address::parse("[::1]", 80)->text(), "[::1]:80");
  EXPECT_EQ(Address::parse("/run/model.sock", 0)->text(), "/run/model.sock");
  EXPECT_FALSE(Address::parse("localhost", 80).has_value());
  EXPECT_FALSE(Address::parse("/" + std::string(200, 'x'), 0).has_value());
}

TEST(Socket, a_taken_port_says_what_to_do) {
  const int taken = socket(AF_INET, SOCK_STREAM, 0);  // without SO_REUSEPORT
  const Address any = *Address::parse("127.0.0.1", 0);
  ASSERT_EQ(bind(taken, any.data(), any.size()), 0);
  ASSERT_EQ(listen(taken, 1), 0);
  const auto second = open_listener(Address::of_local(taken));
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().what.find("--bind"), std::string::npos);
  close(taken);
}

TEST(Tls, refuses_a_key_of_another_certificate) {
  const Pair a = self_signed("a.test");
  const Pair b = self_signed("b.test");
  TlsServerOptions options;
  options.certificate_pem = a.certificate;
  options.key_pem = b.key;
  const auto made = TlsContext::make_server(options);
  ASSERT_FALSE(made.has_value());
  EXPECT_NE(made.error().what.find("does not fit"), std::string::npos);
}

// Two ends of a socket pair in one loop.
struct Ends {
  Loop loop;
  Channel server;
  Channel client;
  std::shared_ptr<const TlsContext> server_context;
  std::shared_ptr<const TlsContext> client_context;
  std::string chosen;
  bool refuse = false;

  explicit Ends(bool tls) {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    std::unique_ptr<TlsSession> server_session;
    std::unique_ptr<TlsSession> client_session;
    if (tls) {
      const Pair pair = self_signed("a.test");
      TlsServerOptions server_options;
      server_options.certificate_pem = pair.certificate;
      server_options.key_pem = pair.key;
      server_context = *TlsContext::make_server(server_options);
      TlsClientOptions client_options;
      client_options.ca_pem = pair.certificate;
      client_context = *TlsContext::make_client(client_options);
      server_session = TlsSession::make_server(fds[0], choose, this);
      client_session = TlsSession::make_client(fds[1], *client_context, "A.test");
    }
    EXPECT_TRUE(server.open(loop, Fd(fds[0]), std::move(server_session), nothing, this));
    EXPECT_TRUE(client.open(loop, Fd(fds[1]), std::move(client_session), nothing, this));
  }
  static void nothing(void*) {}
  static std::shared_ptr<const TlsContext> choose(void* self, std::string_view name) {
    auto& ends = *static_cast<Ends*>(self);
    ends.chosen = name;
    return ends.refuse ? nullptr : ends.server_context;
  }
  bool shake() {
    for (int i = 0; i < 20; ++i) {
      const IoStatus a = client.handshake();
      const IoStatus b = server.handshake();
      if (a == IoStatus::kFailed || b == IoStatus::kFailed) return false;
      if (a == IoStatus::kOk && b == IoStatus::kOk) return true;
      loop.run_once(10);
    }
    return false;
  }
};

// A writer that outruns its reader is told to wait, and every byte arrives in order.
void relay_a_lot(bool tls) {
  Ends ends(tls);
  ASSERT_TRUE(ends.shake());
  std::string sent;
  std::string received;
  char block[50'000];
  bool was_blocked = false;
  for (int round = 0; round < 10'000 && received.size() < 2'000'000; ++round) {
    if (!ends.server.is_blocked() && sent.size() < 2'000'000) {
      for (std::size_t i = 0; i < sizeof block; ++i) {
        block[i] = static_cast<char>((sent.size() + i) * 31 >> 3U);
      }
      const iovec pieces[] = {{block, 7}, {block + 7, 20'000}, {block + 20'007, 29'993}};
      ASSERT_NE(ends.server.write(pieces), IoStatus::kFailed);
      sent.append(block, sizeof block);
      was_blocked = was_blocked || ends.server.is_blocked();
      if (ends.server.is_blocked()) continue;
    }
    ends.loop.run_once(0);
    char buffer[30'000];
    std::size_t size = sizeof buffer;
    if (ends.client.is_readable() && ends.client.read(buffer, size) == IoStatus::kOk) {
      received.append(buffer, size);
    }
    ASSERT_NE(ends.server.flush(), IoStatus::kFailed);
  }
  EXPECT_TRUE(was_blocked);
  EXPECT_EQ(received.size(), sent.size());
  EXPECT_TRUE(received == sent);
  ends.server.shutdown_write();
  ends.loop.run_once(0);
  std::size_t size = sizeof block;
  EXPECT_EQ(ends.client.read(block, size), IoStatus::kClosed);
}

TEST(Channel, plain_back_pressure) { relay_a_lot(false); }
TEST(Channel, tls_back_pressure) { relay_a_lot(true); }

TEST(Tls, server_name_comes_in_lower_case) {
  Ends ends(true);
  ASSERT_TRUE(ends.shake());
  EXPECT_EQ(ends.chosen, "a.test");
  EXPECT_EQ(ends.server.tls()->server_name(), "a.test");
}

TEST(Tls, no_server_for_a_name_means_silence) {
  Ends ends(true);
  ends.refuse = true;
  EXPECT_FALSE(ends.shake());
  ends.server.close();
  ends.loop.run_once(0);
  char byte[8];
  EXPECT_EQ(recv(ends.client.fd(), byte, sizeof byte, 0), 0);  // closed, and no alert before
}

TEST(Timer, fires_in_order_and_not_when_disarmed) {
  Loop loop;
  std::string order;
  struct Note {
    std::string* order;
    char name;
    static void add(void* self) {
      auto& note = *static_cast<Note*>(self);
      *note.order += note.name;
    }
  };
  Note a{&order, 'a'}, b{&order, 'b'}, c{&order, 'c'};
  Timer ta(Note::add, &a), tb(Note::add, &b), tc(Note::add, &c);
  ta.arm(loop, Milliseconds(3));
  tb.arm(loop, Milliseconds(1));
  tc.arm(loop, Milliseconds(2));
  tc.disarm();
  for (int i = 0; i < 200 && order.size() < 2; ++i) loop.run_once(5);
  EXPECT_EQ(order, "ba");
}

}  // namespace
}  // namespace sluice::net
