// What gateway_test's cases share: a gateway on loopback with a hand-made snapshot, scripted
// backends, and callers that write raw bytes. Header of tests only.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gateway/gateway.h"
#include "net/address.h"
#include "net/socket.h"
#include "route/table.h"

namespace sluice::gateway {

inline std::string to_lower_copy(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Blocking, with a limit: a test that hangs fails instead.
class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() { close(); }
  static Socket connect(std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const net::Address address = *net::Address::parse("127.0.0.1", port);
    if (::connect(fd, address.data(), address.size()) != 0) {
      ::close(fd);
      return Socket(-1);
    }
    return Socket(fd);
  }
  bool ok() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  bool send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t put = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (put <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
  }
  // More bytes into `in`; false: end, error or nothing for `ms`.
  bool more(int ms = 5000) {
    pollfd waiting{fd_, POLLIN, 0};
    if (poll(&waiting, 1, ms) != 1) {
      timed_out = true;
      return false;
    }
    char bytes[65536];
    const ssize_t got = recv(fd_, bytes, sizeof bytes, 0);
    if (got <= 0) {
      ended = true;
      was_reset = got < 0;
      return false;
    }
    in.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
  std::string in;
  bool ended = false;
  bool was_reset = false;
  bool timed_out = false;

 private:
  int fd_;
};

struct Message {
  bool ok = false;  // read to its end
  int status = 0;
  std::string start;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  std::string field(const std::string& name) const {
    for (const auto& [key, value] : fields) {
      if (key == name) return value;
    }
    return "";
  }
  bool has(const std::string& name) const {
    for (const auto& [key, value] : fields) {
      if (key == name) return true;
    }
    return false;
  }
};

// A plain reader of messages for tests: lenient, so that what the gateway sends is judged by the
// test and not by this.
inline Message read_message(Socket& socket, bool to_head = false, int ms = 5000) {
  Message message;
  std::size_t end = 0;
  while ((end = socket.in.find("\r\n\r\n")) == std::string::npos) {
    if (!socket.more(ms)) return message;
  }
  const std::string head = socket.in.substr(0, end + 2);
  socket.in.erase(0, end + 4);
  std::size_t at = head.find("\r\n");
  message.start = head.substr(0, at);
  if (message.start.starts_with("HTTP/")) message.status = std::atoi(message.start.c_str() + 9);
  at += 2;
  while (at < head.size()) {
    const std::size_t eol = head.find("\r\n", at);
    const std::string line = head.substr(at, eol - at);
    const std::size_t colon = line.find(':');
    std::size_t value = colon + 1;
    while (value < line.size() && line[value] == ' ') ++value;
    message.fields.emplace_back(line.substr(0, colon), line.substr(value));
    at = eol + 2;
  }
  if (message.status == 100) return read_message(socket, to_head, ms);
  if (to_head || message.status == 204 || message.status == 304) {
    message.ok = true;
    return message;
  }
  if (message.field("transfer-encoding") == "chunked") {
    for (;;) {
      std::size_t eol = 0;
      while ((eol = socket.in.find("\r\n")) == std::string::npos) {
        if (!socket.more(ms)) return message;
      }
      const std::size_t size = std::strtoul(socket.in.c_str(), nullptr, 16);
      socket.in.erase(0, eol + 2);
      while (socket.in.size() < size + 2) {
        if (!socket.more(ms)) return message;
      }
      message.body += socket.in.substr(0, size);
      socket.in.erase(0, size + 2);
      if (size == 0) break;
    }
    message.ok = true;
    return message;
  }
  const bool is_response = message.status != 0;
  if (!message.has("content-length")) {
    if (!is_response) {
      message.ok = true;
      return message;
    }
    while (socket.more(ms)) {
    }
    message.body.swap(socket.in);
    message.ok = socket.ended && !socket.was_reset;
    return message;
  }
  const std::size_t size = std::stoul(message.field("content-length"));
  while (socket.in.size() < size) {
    if (!socket.more(ms)) {
      message.body.swap(socket.in);
      return message;
    }
  }
  message.body = socket.in.substr(0, size);
  socket.in.erase(0, size);
  message.ok = true;
  return message;
}

// An endpoint whose answers a test writes. One thread per connection.
class Backend {
 public:
  // Gets each request; returns the raw answer. "" closes without one, "RST" resets, "HANG" waits.
  using Script = std::function<std::string(const Message& request, int nth)>;
  static std::string answer(const std::string& body, const std::string& more = "") {
    return "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body.size()) + "\r\n" + more +
           "\r\n" + body;
  }
  explicit Backend(Script script, std::uint16_t port = 0) : script_(std::move(script)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const net::Address address = *net::Address::parse("127.0.0.1", port);
    EXPECT_EQ(bind(listener_, address.data(), address.size()), 0);
    EXPECT_EQ(listen(listener_, 512), 0);
    port_ = net::Address::of_local(listener_).port();
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~Backend() { stop(); }
  std::uint16_t port() const { return port_; }
  int hits() const { return hits_; }
  int connections() const { return connections_; }
  std::vector<Message> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  void stop() {
    if (stopping_.exchange(true)) return;
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void accept_all() {
    while (!stopping_) {
      const int fd = accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      ++connections_;
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  }
  void serve(int fd) {
    Socket socket(fd);
    while (!stopping_) {
      const Message request = read_message(socket, false, 30'000);
      if (!request.ok) break;
      const int nth = ++hits_;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      const std::string answer = script_(request, nth);
      if (answer == "HANG") {
        while (!stopping_ && !socket.ended) socket.more(50);
        break;
      }
      if (answer == "RST") {
        const linger now{1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        break;
      }
      if (answer.empty() || !socket.send(answer)) break;
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
  }

  Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> hits_{0};
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<Message> requests_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// Clusters and rules by name, made into snapshots.
class World {
 public:
  explicit World(Options options = {}) {
    options.bind_address = "127.0.0.1";
    if (options.binds.empty()) options.binds = {{80, "", 0}, {443, "", 0}};
    gateway_ = std::make_unique<Gateway>(control_, options);
  }
  ~World() {
    gateway_.reset();
    control_.run_once(0);
  }
  Gateway& gateway() { return *gateway_; }
  net::Loop& control() { return control_; }

  std::shared_ptr<route::Cluster> cluster(const std::string& name,
                                          std::vector<std::uint16_t> ports) {
    auto made = std::make_shared<route::Cluster>();
    made->name = name;
    const auto known = ids_.find(name);
    made->id = known != ids_.end() ? known->second : static_cast<route::ClusterId>(ids_.size());
    ids_[name] = made->id;
    for (const std::uint16_t port : ports) made->endpoints.push_back({"127.0.0.1", port, 1});
    clusters_[made->id] = made;
    return made;
  }
  route::ClusterId id(const std::string& name) const { return ids_.at(name); }
  void erase(const std::string& name) { clusters_[ids_.at(name)] = nullptr; }

  // A rule for paths under `prefix` that forwards to a cluster; more is set by the caller.
  std::shared_ptr<route::Rule> rule(const std::string& prefix, const std::string& to) {
    auto made = std::make_shared<route::Rule>();
    made->name = "rule " + prefix;
    made->match.uri = route::StringMatch{};
    made->match.uri->kind = route::StringMatch::Kind::kPrefix;
    made->match.uri->text = prefix;
    route::Forward forward;
    forward.destinations.push_back({});
    forward.destinations[0].cluster = to.empty() ? route::kNoCluster : id(to);
    forward.decorator = "test/*";
    forward.retries.attempts = 0;
    made->action = forward;
    return made;
  }
  static route::Forward& forward(route::Rule& rule) {
    return std::get<route::Forward>(rule.action);
  }
  void add(std::shared_ptr<route::Rule> rule, const std::string& host = "*") {
    rules_.emplace_back(host, std::move(rule));
  }
  void clear_rules() { rules_.clear(); }

  std::shared_ptr<const route::RouteTable> table() {
    route::RouteTableBuilder builder;
    std::uint32_t index = 0;
    for (const auto& [host, rule] : rules_) {
      route::PlacedRule placed;
      placed.order.index = index++;
      placed.rule = rule;
      builder.add(host, placed);
    }
    for (const std::string& host : redirected_) builder.set_https_redirect(host, true);
    return builder.build();
  }
  void redirect_to_https(const std::string& host) { redirected_.push_back(host); }
  void serve_tls(std::vector<std::shared_ptr<const route::TlsServer>> servers) {
    tls_servers_ = std::move(servers);
  }

  void post_publish(std::function<void()> adopted = {}) {
    auto snapshot = std::make_shared<route::Snapshot>();
    snapshot->version = ++version_;
    auto plain = std::make_shared<route::Listener>();
    plain->port = 80;
    plain->routes = table();
    snapshot->listeners.push_back(plain);
    if (!tls_servers_.empty()) {
      auto tls = std::make_shared<route::Listener>();
      tls->port = 443;
      tls->is_tls = true;
      tls->tls_servers = tls_servers_;
      snapshot->listeners.push_back(tls);
    }
    for (const auto& [id, cluster] : clusters_) {
      if (cluster != nullptr) snapshot->clusters.set(id, cluster);
    }
    gateway_->publish(snapshot, std::move(adopted));
  }
  void publish() {
    bool done = false;
    post_publish([&] { done = true; });
    run_until([&] { return done; });
  }
  void run_until(const std::function<bool()>& condition, int rounds = 2000) {
    for (int i = 0; i < rounds && !condition(); ++i) control_.run_once(5);
    EXPECT_TRUE(condition()) << "waited too long";
  }
  std::uint16_t port(std::uint16_t gateway_port = 80) {
    for (const PortStatus& each : gateway_->ports()) {
      if (each.gateway_port == gateway_port && !each.bound.empty()) {
        return static_cast<std::uint16_t>(std::stoi(each.bound.substr(each.bound.rfind(':') + 1)));
      }
    }
    return 0;
  }
  Socket connect() { return Socket::connect(port()); }
  Message get(const std::string& path, const std::string& more = "",
              const std::string& host = "a.test") {
    Socket socket = connect();
    socket.send("GET " + path + " HTTP/1.1\r\nhost: " + host + "\r\n" + more + "\r\n");
    return read_message(socket);
  }
  // One number of the metrics page.
  double metric(const std::string& name) {
    const std::string page = "\n" + gateway_->metrics();
    const std::size_t at = page.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stod(page.substr(at + name.size() + 2));
  }

 private:
  net::Loop control_;
  std::unique_ptr<Gateway> gateway_;
  std::map<std::string, route::ClusterId> ids_;
  std::map<route::ClusterId, std::shared_ptr<const route::Cluster>> clusters_;
  std::vector<std::pair<std::string, std::shared_ptr<route::Rule>>> rules_;
  std::vector<std::string> redirected_;
  std::vector<std::shared_ptr<const route::TlsServer>> tls_servers_;
  std::uint64_t version_ = 0;
};

}  // namespace sluice::gateway
