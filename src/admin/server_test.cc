#include "admin/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "net/address.h"
#include "net/socket.h"

namespace sluice::admin {
namespace {

// A server on a thread of its own; clients are plain blocking sockets.
class AdminServer : public testing::Test {
 protected:
  void start(Limits limits = {}) {
    server_ = std::make_unique<Server>(loop_, "127.0.0.1:0", limits);
    server_->route("GET", "/healthz", [](const Request&) { return Response{.body = "ok\n"}; });
    server_->route("GET", "/echo", [](const Request& request) {
      return Response{.body =
                          std::string(request.parameter("x")) + "|" + std::string(request.query)};
    });
    server_->route("POST", "/log_level", [](const Request& request) {
      return Response{.status = request.body == "debug" ? std::uint16_t{200} : std::uint16_t{400},
                      .body = std::string(request.body)};
    });
    server_->route("GET", "/large",
                   [](const Request&) { return Response{.body = std::string(8U << 20U, 'x')}; });
    Result<std::string> bound = server_->start();
    ASSERT_TRUE(bound) << to_string(bound.error());
    port_ = static_cast<std::uint16_t>(std::stoi(bound->substr(bound->rfind(':') + 1)));
    thread_ = std::thread([this] { loop_.run(); });
  }
  void TearDown() override {
    loop_.stop();
    if (thread_.joinable()) thread_.join();
  }

  net::Fd connect() const {
    net::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const net::Address address = *net::Address::parse("127.0.0.1", port_);
    EXPECT_EQ(::connect(fd.get(), address.data(), address.size()), 0);
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
  }
  static void send(const net::Fd& fd, std::string_view bytes) {
    ASSERT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  static std::string receive_all(const net::Fd& fd) {
    std::string all;
    char buffer[65536];
    while (true) {
      const ssize_t size = ::recv(fd.get(), buffer, sizeof buffer, 0);
      if (size <= 0) return size == 0 ? all : all + "<error>";
      all.append(buffer, static_cast<std::size_t>(size));
    }
  }
  std::string ask(std::string_view bytes) const {
    const net::Fd fd = connect();
    send(fd, bytes);
    return receive_all(fd);
  }

  net::Loop loop_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
  std::uint16_t port_ = 0;
};

bool begins(std::string_view answer, std::string_view status) {
  return answer.starts_with("HTTP/1.1 " + std::string(status) + " ");
}

TEST_F(AdminServer, AnswersAndCloses) {
  start();
  const std::string answer = ask("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
  EXPECT_TRUE(begins(answer, "200")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\nok\n")) << answer;
  EXPECT_NE(answer.find("content-length: 3\r\n"), std::string::npos);
  EXPECT_NE(answer.find("connection: close\r\n"), std::string::npos);
}

TEST_F(AdminServer, HeadGivesTheHeadAlone) {
  start();
  const std::string answer = ask("HEAD /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
  EXPECT_TRUE(begins(answer, "200")) << answer;
  EXPECT_NE(answer.find("content-length: 3\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(AdminServer, QueriesAndBodiesReachTheHandler) {
  start();
  EXPECT_TRUE(ask("GET /echo?y=1&x=2&x=3 HTTP/1.1\r\nhost: x\r\n\r\n").ends_with("2|y=1&x=2&x=3"));
  EXPECT_TRUE(ask("GET /echo HTTP/1.1\r\nhost: x\r\n\r\n").ends_with("\r\n|"));
  EXPECT_TRUE(
      begins(ask("POST /log_level HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\ndebug"), "200"));
  EXPECT_TRUE(begins(ask("POST /log_level HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
                         "3\r\ndeb\r\n2\r\nug\r\n0\r\n\r\n"),
                     "200"));
}

TEST_F(AdminServer, ByteByByteIsTheSame) {
  start();
  const net::Fd fd = connect();
  for (const char c :
       std::string("POST /log_level HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\ndebug")) {
    send(fd, {&c, 1});
  }
  EXPECT_TRUE(begins(receive_all(fd), "200"));
}

TEST_F(AdminServer, ExpectationsAreMet) {
  start();
  const net::Fd fd = connect();
  send(fd,
       "POST /log_level HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
  char buffer[64];
  const ssize_t size = ::recv(fd.get(), buffer, sizeof buffer, 0);
  EXPECT_EQ(std::string(buffer, static_cast<std::size_t>(std::max<ssize_t>(size, 0))),
            "HTTP/1.1 100 Continue\r\n\r\n");
  send(fd, "debug");
  EXPECT_TRUE(begins(receive_all(fd), "200"));
}

TEST_F(AdminServer, WhatIsNotThereIsSaidSo) {
  start();
  const std::string missing = ask("GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n");
  EXPECT_TRUE(begins(missing, "404"));
  EXPECT_NE(missing.find("GET /healthz\n"), std::string::npos);
  const std::string wrong = ask("DELETE /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
  EXPECT_TRUE(begins(wrong, "405"));
  EXPECT_NE(wrong.find("allow: GET, HEAD\r\n"), std::string::npos);
  EXPECT_TRUE(begins(ask("GET /log_level HTTP/1.1\r\nhost: x\r\n\r\n"), "405"));
}

TEST_F(AdminServer, PagesOfABrowserChangeNothing) {
  start();
  EXPECT_TRUE(begins(ask("POST /log_level HTTP/1.1\r\nhost: x\r\norigin: http://evil.test\r\n"
                         "content-length: 5\r\n\r\ndebug"),
                     "403"));
  EXPECT_TRUE(
      begins(ask("GET /healthz HTTP/1.1\r\nhost: x\r\norigin: http://a.test\r\n\r\n"), "200"));
}

TEST_F(AdminServer, BadRequestsAreRefused) {
  start();
  EXPECT_TRUE(begins(ask("GET /healthz HTTP/1.1\r\n\r\n"), "400"));
  EXPECT_TRUE(begins(ask("GET /healthz HTTP/1.0\r\nhost: x\r\n\r\n"), "426"));
  EXPECT_TRUE(begins(ask("\x16\x03\x01"), "400"));
  EXPECT_TRUE(
      begins(ask("GET /healthz HTTP/1.1\r\nhost: x\r\nx: " + std::string(20'000, 'a')), "431"));
  EXPECT_TRUE(begins(
      ask("POST /log_level HTTP/1.1\r\nhost: x\r\ncontent-length: 70000\r\n\r\ndebug"), "413"));
  EXPECT_TRUE(begins(ask("POST /log_level HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
                         "11000\r\n" +
                         std::string(70'000, 'a')),
                     "413"));
}

TEST_F(AdminServer, LargeAnswersWaitForTheReader) {
  start();
  const net::Fd slow = connect();
  send(slow, "GET /large HTTP/1.1\r\nhost: x\r\n\r\n");
  // Another is served while the large answer waits in the first one's socket.
  EXPECT_TRUE(begins(ask("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"), "200"));
  const std::string answer = receive_all(slow);
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, 8U << 20U);
}

TEST_F(AdminServer, TheOldestGoesWhenThereAreTooMany) {
  start({.connections_max = 2});
  const net::Fd first = connect();
  send(first, "GET /");
  const net::Fd second = connect();
  EXPECT_TRUE(begins(ask("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"), "200"));
  EXPECT_TRUE(begins(ask("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"), "200"));
  char byte = 0;
  EXPECT_LE(::recv(first.get(), &byte, 1, 0), 0);  // closed, long before its time was over
}

TEST_F(AdminServer, SlowOnesAreCutOff) {
  start({.exchange_timeout_max = Milliseconds(50)});
  const net::Fd fd = connect();
  send(fd, "GET /healthz HTTP/1.1\r\n");
  char byte = 0;
  EXPECT_LE(::recv(fd.get(), &byte, 1, 0), 0);
}

TEST_F(AdminServer, StartSaysWhatIsWrong) {
  for (const char* address :
       {"", "15000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "a.test:80", "127.0.0.1:70000"}) {
    Server server(loop_, address);
    const Result<std::string> bound = server.start();
    ASSERT_FALSE(bound) << address;
    EXPECT_EQ(bound.error().blame, Blame::kConfig);
  }
}

}  // namespace
}  // namespace sluice::admin
