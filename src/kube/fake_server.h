// For tests: an API server in this process, on loopback, without TLS. It keeps objects, gives them
// versions, lists them in pages, lets them be watched, and can be told to misbehave. It knows no
// kinds: a path is all it looks at. Server-side apply is simplified: one manager, whose fields are
// all there are.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"
#include "kube/client.h"
#include "kube/document.h"
#include "net/address.h"
#include "net/socket.h"
#include "resource/print.h"

namespace sluice::kube {

class FakeServer {
 public:
  struct Request {
    std::string method;
    std::string path;   // without query
    std::string query;  // "limit=500&continue=..."
    std::string head;   // as sent
    std::string body;
    bool is_watch() const { return query.find("watch=true") != std::string::npos; }
    std::string parameter(const std::string& name) const {
      for (const std::string_view pair : split(query, '&')) {
        if (pair.starts_with(name + "=")) return std::string(pair.substr(name.size() + 1));
      }
      return {};
    }
  };
  struct Reply {
    int status = 200;
    resource::Value body = {};
    std::string fields = {};  // "Retry-After: 1\r\n"
    bool close = false;       // without an answer
    int delay_ms = 0;
  };
  // Asked first; nothing: the usual answer.
  using Intercept = std::function<std::optional<Reply>(const Request&)>;

  FakeServer() {
    auto opened = net::open_listener(*net::Address::parse("127.0.0.1", 0));
    EXPECT_TRUE(opened);
    listener_ = std::move(*opened);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~FakeServer() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    changed_.notify_all();
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
  }

  Config config() const {
    Config made;
    made.server = "http://" + net::Address::of_local(listener_.get()).text();
    made.origin = "test";
    return made;
  }
  std::unique_ptr<Client> client(ClientOptions options = {}) const {
    auto made = Client::make(config(), std::move(options));
    EXPECT_TRUE(made);
    return std::move(*made);
  }

  void intercept(Intercept function) {
    const std::lock_guard lock(mutex_);
    intercept_ = std::move(function);
  }
  std::vector<Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  int count(const std::function<bool(const Request&)>& counts) const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(std::count_if(requests_.begin(), requests_.end(), counts));
  }
  int connections() const { return connections_; }

  // As if somebody else had written.
  void put(const std::string& path, resource::Value object) {
    const std::lock_guard lock(mutex_);
    store(path, std::move(object));
  }
  void erase(const std::string& path) {
    const std::lock_guard lock(mutex_);
    remove(path);
  }
  void bookmark(const std::string& collection) {
    const std::lock_guard lock(mutex_);
    events_.push_back({++version_, collection + "/", "BOOKMARK",
                       resource::Map{{"metadata", resource::Map{{"resourceVersion",
                                                                 std::to_string(version_)}}}}});
    changed_.notify_all();
  }
  resource::Value at(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(path);
    return found == objects_.end() ? resource::Value() : found->second;
  }
  // All watches break now, perhaps within a line.
  void drop_watches() {
    const std::lock_guard lock(mutex_);
    ++drops_;
    changed_.notify_all();
  }
  // Who wants to go on from an older version gets 410.
  void compact() {
    const std::lock_guard lock(mutex_);
    oldest_ = ++version_;
  }
  std::uint64_t version() const {
    const std::lock_guard lock(mutex_);
    return version_;
  }

 private:
  struct Event {
    std::uint64_t version;
    std::string path;
    std::string type;
    resource::Value object;
  };

  // --- With the lock held.

  static std::string plural_path(const std::string& path) {
    // ".../namespaces/ns/things/name" is also in ".../things".
    const std::size_t at = path.find("/namespaces/");
    if (at == std::string::npos) return path;
    const std::size_t end = path.find('/', at + 12);
    return end == std::string::npos ? path : path.substr(0, at) + path.substr(end);
  }
  static bool is_in(const std::string& path, const std::string& collection) {
    return path.starts_with(collection + "/") || plural_path(path).starts_with(collection + "/");
  }
  void store(const std::string& path, resource::Value object) {
    const auto had = objects_.find(path);
    resource::Map& map = *object.as_map();
    if (map.find("metadata") == nullptr) map.set("metadata", resource::Map());
    resource::Map& metadata = *map.find("metadata")->as_map();
    ++version_;
    metadata.set("uid", had == objects_.end() ? resource::Value("uid-" + std::to_string(version_))
                                              : had->second.at("metadata").at("uid"));
    metadata.set("resourceVersion", std::to_string(version_));
    events_.push_back({version_, path, had == objects_.end() ? "ADDED" : "MODIFIED", object});
    objects_[path] = std::move(object);
    changed_.notify_all();
  }
  void remove(const std::string& path) {
    const auto found = objects_.find(path);
    if (found == objects_.end()) return;
    resource::Value object = found->second;
    object.as_map()->find("metadata")->as_map()->set("resourceVersion", std::to_string(++version_));
    events_.push_back({version_, path, "DELETED", std::move(object)});
    objects_.erase(found);
    changed_.notify_all();
  }
  static Reply status_reply(int code, const std::string& message) {
    return {code,
            resource::Map{
                {"kind", "Status"}, {"apiVersion", "v1"}, {"code", code}, {"message", message}}};
  }
  Reply list(const Request& request) {
    const std::size_t limit =
        request.parameter("limit").empty() ? 1'000'000 : std::stoul(request.parameter("limit"));
    const std::size_t from = std::stoul("0" + request.parameter("continue"));
    resource::List items;
    std::string next;
    std::size_t index = 0;
    for (const auto& [path, object] : objects_) {
      if (!is_in(path, request.path) || index++ < from) continue;
      if (items.size() == limit) {
        next = std::to_string(index - 1);
        break;
      }
      resource::Value item = object;
      item.as_map()->erase("kind");
      item.as_map()->erase("apiVersion");
      items.push_back(std::move(item));
    }
    resource::Map metadata{{"resourceVersion", std::to_string(version_)}};
    if (!next.empty()) metadata.set("continue", next);
    return {200, resource::Map{{"kind", "List"}, {"metadata", metadata}, {"items", items}}};
  }
  Reply answer(const Request& request) {
    const auto found = objects_.find(request.path);
    const bool is_there = found != objects_.end();
    if (request.method == "GET") {
      if (is_there) return {200, found->second};
      const bool is_object = request.path.find("/namespaces/") != std::string::npos &&
                             std::count(request.path.begin(), request.path.end(), '/') >=
                                 (request.path.starts_with("/apis/") ? 7 : 6);
      return is_object ? status_reply(404, "not found") : list(request);
    }
    auto parsed = parse_document(request.body);
    if (!parsed) return status_reply(400, "no JSON");
    if (request.method == "DELETE") {
      if (!is_there) return status_reply(404, "not found");
      const std::string_view uid = parsed->at("preconditions").at("uid").text();
      if (!uid.empty() && found->second.at("metadata").at("uid").text() != uid)
        return status_reply(409, "another uid");
      remove(request.path);
      return status_reply(200, "");
    }
    if (request.method == "POST") {
      const std::string path =
          request.path + "/" + std::string(parsed->at("metadata").at("name").text());
      if (objects_.contains(path)) return status_reply(409, "already exists");
      store(path, std::move(*parsed));
      return {201, objects_[path]};
    }
    if (request.method == "PUT") {
      if (!is_there) return status_reply(404, "not found");
      if (parsed->at("metadata").at("resourceVersion") !=
          found->second.at("metadata").at("resourceVersion")) {
        return status_reply(409, "the object has been modified");
      }
      store(request.path, std::move(*parsed));
      return {200, objects_[request.path]};
    }
    if (request.path.ends_with("/status")) {
      const std::string path = request.path.substr(0, request.path.size() - 7);
      if (!objects_.contains(path)) return status_reply(404, "not found");
      resource::Value object = objects_[path];
      if (parsed->list().size() > 1 &&
          !(parsed->at(0).at("value") == object.at("metadata").at("uid")))
        return status_reply(422, "the request is invalid");
      object.as_map()->set("status", parsed->list().back().at("value"));
      store(path, std::move(object));
      return {200, objects_[path]};
    }
    if (is_there) {  // what the apply is meant for is another one, or none
      const resource::Value& asked = parsed->at("metadata");
      const resource::Value& have = found->second.at("metadata");
      for (const char* key : {"uid", "resourceVersion"}) {
        if (!asked.at(key).is_null() && !(asked.at(key) == have.at(key)))
          return status_reply(409, "the object has been modified");
      }
    }
    if (is_there && !found->second.at("status").is_null())
      parsed->as_map()->set("status", found->second.at("status"));
    if (is_there) {
      resource::Value same = *parsed;
      resource::Map& metadata = *same.as_map()->find("metadata")->as_map();
      metadata.set("uid", found->second.at("metadata").at("uid"));
      metadata.set("resourceVersion", found->second.at("metadata").at("resourceVersion"));
      if (same == found->second) return {200, found->second};  // changes nothing
    }
    store(request.path, std::move(*parsed));
    return {200, objects_[request.path]};
  }

  // --- Connections.

  void accept_all() {
    for (;;) {
      pollfd watched{listener_.get(), POLLIN, 0};
      poll(&watched, 1, 20);
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      net::Accepted accepted = net::accept_next(listener_.get());
      if (!accepted.fd.is_open()) continue;
      ++connections_;
      open_.push_back(accepted.fd.get());
      threads_.emplace_back([this, fd = accepted.fd.release()] {
        serve(fd);
        const std::lock_guard closing(mutex_);
        open_.erase(std::find(open_.begin(), open_.end(), fd));
        close(fd);
      });
    }
  }
  static bool receive(int fd, std::string& text) {
    char buffer[4096];
    for (;;) {
      pollfd watched{fd, POLLIN, 0};
      poll(&watched, 1, 10'000);
      const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
      if (got < 0 && errno == EAGAIN) continue;
      if (got <= 0) return false;
      text.append(buffer, static_cast<std::size_t>(got));
      return true;
    }
  }
  static bool transmit(int fd, std::string_view text) {
    while (!text.empty()) {
      const ssize_t put = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      if (put < 0 && errno == EAGAIN) {
        pollfd watched{fd, POLLOUT, 0};
        poll(&watched, 1, 1'000);
        continue;
      }
      if (put <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
  }
  static bool read_request(int fd, std::string& text, Request& request) {
    std::size_t end = 0;
    while ((end = text.find("\r\n\r\n")) == std::string::npos) {
      if (!receive(fd, text)) return false;
    }
    request.head = text.substr(0, end + 4);
    std::size_t length = 0;
    if (const std::size_t at = request.head.find("Content-Length: "); at != std::string::npos)
      length = std::stoul(request.head.substr(at + 16));
    while (text.size() < end + 4 + length) {
      if (!receive(fd, text)) return false;
    }
    request.body = text.substr(end + 4, length);
    text.erase(0, end + 4 + length);
    const std::string line = request.head.substr(0, request.head.find("\r\n"));
    const auto words = split(line, ' ');
    const std::string target(words[1]);
    request.method = words[0];
    const std::size_t mark = target.find('?');
    request.path = target.substr(0, mark);
    if (mark != std::string::npos) request.query = target.substr(mark + 1);
    return true;
  }
  void serve(int fd) {
    std::string text;
    for (Request request; read_request(fd, text, request); request = Request()) {
      Reply reply;
      {
        std::unique_lock lock(mutex_);
        requests_.push_back(request);
        const auto intercepted = intercept_ ? intercept_(request) : std::nullopt;
        if (!intercepted && request.is_watch()) {
          lock.unlock();
          serve_watch(fd, request);
          return;
        }
        reply = intercepted ? *intercepted : answer(request);
      }
      if (reply.delay_ms > 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(reply.delay_ms));
      if (reply.close) return;
      if (request.method == "CONNECT") {  // a proxy and, behind it, the server itself
        if (!transmit(fd, "HTTP/1.1 200 OK\r\n\r\n")) return;
        continue;
      }
      const std::string body = resource::to_json(reply.body);
      const bool sent =
          transmit(fd, "HTTP/1.1 " + std::to_string(reply.status) +
                           " X\r\nContent-Type: application/json\r\n" + reply.fields +
                           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
      if (!sent) return;
    }
  }
  static std::string chunk(std::string_view text) {
    char size[20];
    snprintf(size, sizeof size, "%zx\r\n", text.size());
    return size + std::string(text) + "\r\n";
  }
  void serve_watch(int fd, const Request& request) {
    std::unique_lock lock(mutex_);
    std::uint64_t seen = std::stoull("0" + request.parameter("resourceVersion"));
    const int drops = drops_;
    std::string out =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n";
    if (seen < oldest_) {
      out += chunk(resource::to_json(resource::Value(resource::Map{
                       {"type", "ERROR"}, {"object", status_reply(410, "too old").body}})) +
                   "\n");
      transmit(fd, out + "0\r\n\r\n");
      return;
    }
    transmit(fd, out);
    for (;;) {
      for (std::size_t i = 0; i < events_.size(); ++i) {
        const Event& event = events_[i];
        if (event.version <= seen || !is_in(event.path, request.path)) continue;
        seen = event.version;
        const std::string line = resource::to_json(resource::Value(resource::Map{
                                     {"type", event.type}, {"object", event.object}})) +
                                 "\n";
        // Cut within the line: whoever reads must put the parts together.
        const std::size_t half = line.size() / 2;
        if (!transmit(fd, chunk(line.substr(0, half)))) return;
        if (!transmit(fd, chunk(line.substr(half)))) return;
      }
      if (stopping_) return;
      if (drops != drops_) {
        transmit(fd, chunk("{\"type\":\"ADDED\",\"obj"));
        return;
      }
      changed_.wait(lock);
    }
  }

  net::Fd listener_;
  std::thread acceptor_;
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // the acceptor's, then the destructor's
  std::vector<int> open_;
  Intercept intercept_;
  std::vector<Request> requests_;
  std::map<std::string, resource::Value> objects_;
  std::vector<Event> events_;
  std::uint64_t version_ = 100;
  std::uint64_t oldest_ = 0;
  int drops_ = 0;
};

}  // namespace sluice::kube
