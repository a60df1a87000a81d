#include "admin/server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <list>
#include <map>
#include <vector>

#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/http1.h"
#include "http/write.h"
#include "net/socket.h"

namespace sluice::admin {
namespace {

// "127.0.0.1:80" into its two halves.
Result<net::Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::uint16_t port = 0;
  const std::string_view digits =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    return fail(Blame::kConfig, "an address is written ADDRESS:PORT, such as 127.0.0.1:15000",
                std::string(text));
  }
  return net::Address::parse(text.substr(0, colon), port);
}

enum class Phase : std::uint8_t { kHandshake, kHead, kBody, kWriting, kLingering };

}  // namespace

std::string_view Request::parameter(std::string_view name) const noexcept {
  std::string_view rest = query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) == name) {
      return equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    }
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
  }
  return {};
}

struct Server::Impl {
  // One exchange, from accept to close.
  struct Connection {
    Connection(Impl& server, net::Fd socket)
        : impl(server), fd(std::move(socket)), timer(&Connection::on_timer, this), parser(head) {}

    static void on_timer(void* self) {
      Connection& connection = *static_cast<Connection*>(self);
      connection.impl.forget(connection);
    }
    static void on_events(void* self, std::uint32_t events) {
      Connection& connection = *static_cast<Connection*>(self);
      connection.impl.advance(connection, events);
    }

    static std::shared_ptr<const net::TlsContext> choose(void* self, std::string_view) {
      return static_cast<Connection*>(self)->impl.tls();
    }

    Impl& impl;
    net::Fd fd;
    std::unique_ptr<net::TlsSession> session;  // nullptr: plain
    net::Watch watch;
    net::Timer timer;
    http::RequestHead head;
    http::RequestParser parser;
    http::BodyDecoder decoder;
    Phase phase = Phase::kHead;
    std::vector<char> input;  // never grows while a head's views point into it
    std::size_t filled = 0;
    std::string body;
    std::string output;
    std::size_t written = 0;
    bool to_head = false;
    bool is_done = false;  // waits to be destroyed at the end of the round
    std::list<Connection>::iterator self;
  };

  Impl(net::Loop& control, std::string where, Limits given, TlsSource source)
      : loop(control), address(std::move(where)), limits(given), tls(std::move(source)) {}

  static void on_accept(void* self, std::uint32_t) { static_cast<Impl*>(self)->accept_all(); }
  void accept_all();
  void forget(Connection& connection);
  void advance(Connection& connection, std::uint32_t events);
  void handshake(Connection& connection);
  // kOk with `size` bytes, or why not now, or not any more.
  static net::TlsStatus receive(Connection& connection, char* into, std::size_t& size);
  static net::TlsStatus transmit(Connection& connection, const char* from, std::size_t& size);
  bool await(Connection& connection, net::TlsStatus status);
  void read(Connection& connection);
  void take_head(Connection& connection);
  void take_body(Connection& connection, std::string_view bytes);
  void answer(Connection& connection);
  Response handle(Connection& connection, std::string& allow);
  void send(Connection& connection, const Response& response, std::string_view allow = {});
  void refuse(Connection& connection, std::uint16_t status);
  void write(Connection& connection);

  net::Loop& loop;
  const std::string address;
  const Limits limits;
  const TlsSource tls;  // empty: plain
  net::Fd listener;
  net::Watch watch;
  std::map<std::string, std::map<std::string, Handler, std::less<>>, std::less<>>
      routes;                         // path, then method
  std::list<Connection> connections;  // oldest first
  // Destroyed at the end of the round; shared with that piece of work, which may outlive the
  // server.
  const std::shared_ptr<std::list<Connection>> finished = std::make_shared<std::list<Connection>>();
  http::DateCache dates;
};

Server::Server(net::Loop& loop, std::string address, Limits limits, TlsSource tls)
    : impl_(std::make_unique<Impl>(loop, std::move(address), limits, std::move(tls))) {}

Server::~Server() = default;

void Server::route(std::string_view method, std::string_view path, Handler handler) {
  SLUICE_ASSERT(!impl_->listener.is_open());
  const bool is_new = impl_->routes[std::string(path)].emplace(method, std::move(handler)).second;
  SLUICE_ASSERT(is_new);
}

Result<std::string> Server::start() {
  SLUICE_TRY(const net::Address where, parse_address(impl_->address));
  SLUICE_TRY(impl_->listener, net::open_listener(where, 64));
  if (!impl_->watch.start(impl_->loop, impl_->listener.get(), net::kReadable, &Impl::on_accept,
                          impl_.get())) {
    return fail(Blame::kInternal, "epoll refuses the socket", impl_->address);
  }
  return net::Address::of_local(impl_->listener.get()).text();
}

// ----

void Server::Impl::accept_all() {
  // As many as may be open: a flood does not keep the control thread here.
  for (std::size_t i = 0; i < limits.connections_max; ++i) {
    net::Accepted accepted = net::accept_next(listener.get());
    if (!accepted.fd.is_open()) return;
    if (connections.size() >= limits.connections_max) forget(connections.front());
    Connection& connection = connections.emplace_back(*this, std::move(accepted.fd));
    connection.self = std::prev(connections.end());
    connection.input.resize(limits.head_bytes_max);
    if (tls) {
      connection.phase = Phase::kHandshake;
      connection.session =
          net::TlsSession::make_server(connection.fd.get(), &Connection::choose, &connection);
    }
    if (!connection.watch.start(loop, connection.fd.get(), net::kReadable, &Connection::on_events,
                                &connection)) {
      forget(connection);
      continue;
    }
    connection.timer.arm(loop, limits.exchange_timeout_max);
  }
}

// Closes at once, destroys when nothing of it is on the stack any more.
void Server::Impl::forget(Connection& connection) {
  if (connection.is_done) return;
  connection.is_done = true;
  connection.watch.stop();
  connection.timer.disarm();
  connection.fd.close();
  if (finished->empty()) {
    loop.defer([list = finished] { list->clear(); });
  }
  finished->splice(finished->end(), connections, connection.self);
}

void Server::Impl::advance(Connection& connection, std::uint32_t) {
  if (connection.phase == Phase::kHandshake) {
    handshake(connection);
  } else if (connection.phase == Phase::kWriting) {
    write(connection);
  } else {
    read(connection);
  }
}

void Server::Impl::handshake(Connection& connection) {
  const net::TlsStatus status = connection.session->handshake();
  if (status != net::TlsStatus::kOk) {
    if (!await(connection, status) && !connection.session->error().empty())
      log::debug("a TLS handshake failed", {{"error", connection.session->error()}});
    return;
  }
  connection.phase = Phase::kHead;
  if (await(connection, net::TlsStatus::kWantRead)) read(connection);
}

net::TlsStatus Server::Impl::receive(Connection& connection, char* into, std::size_t& size) {
  if (connection.session != nullptr) return connection.session->read(into, size);
  const ssize_t got = ::recv(connection.fd.get(), into, size, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return net::TlsStatus::kWantRead;
  size = got > 0 ? static_cast<std::size_t>(got) : 0;
  return got > 0 ? net::TlsStatus::kOk : net::TlsStatus::kClosed;
}

net::TlsStatus Server::Impl::transmit(Connection& connection, const char* from, std::size_t& size) {
  if (connection.session != nullptr) return connection.session->write(from, size);
  const ssize_t put = ::send(connection.fd.get(), from, size, MSG_NOSIGNAL);
  if (put < 0 && (errno == EAGAIN || errno == EINTR)) return net::TlsStatus::kWantWrite;
  size = put > 0 ? static_cast<std::size_t>(put) : 0;
  return put > 0 ? net::TlsStatus::kOk : net::TlsStatus::kClosed;
}

// Waits for what the socket must be ready for; forgets a connection that is over (then: false).
bool Server::Impl::await(Connection& connection, net::TlsStatus status) {
  const bool waits = status == net::TlsStatus::kWantRead || status == net::TlsStatus::kWantWrite;
  const std::uint32_t events =
      status == net::TlsStatus::kWantRead ? net::kReadable : net::kWritable;
  if (waits && (connection.watch.events() == events || connection.watch.change(events)))
    return true;
  forget(connection);
  return false;
}

// What TLS has taken off the socket must be read to the end: epoll does not tell of it again.
void Server::Impl::read(Connection& connection) {
  do {
    char scratch[4096];
    const bool in_head = connection.phase == Phase::kHead;
    char* const into = in_head ? connection.input.data() + connection.filled : scratch;
    std::size_t size = in_head ? connection.input.size() - connection.filled : sizeof scratch;
    const net::TlsStatus status = receive(connection, into, size);
    if (status != net::TlsStatus::kOk) {
      await(connection, status);
      return;
    }
    if (connection.phase == Phase::kHead) {
      connection.filled += size;
      take_head(connection);
    } else if (connection.phase == Phase::kBody) {
      take_body(connection, {scratch, size});
    }  // lingering: what still comes is thrown away
  } while (connection.session != nullptr && !connection.is_done &&
           connection.phase != Phase::kWriting);
}

void Server::Impl::take_head(Connection& connection) {
  const http::Progress progress =
      connection.parser.parse({connection.input.data(), connection.filled});
  if (progress == http::Progress::kRefused) {
    return refuse(connection, http::status_of(connection.parser.refusal()));
  }
  if (progress == http::Progress::kMore) {
    if (connection.filled == connection.input.size()) refuse(connection, 431);
    return;
  }
  const http::RequestHead& head = connection.head;
  connection.to_head = head.method_id == http::Method::kHead;
  if (head.framing == http::Framing::kLength && head.content_length > limits.body_bytes_max) {
    return refuse(connection, 413);
  }
  connection.decoder.start(head.framing, head.content_length);
  connection.phase = Phase::kBody;
  if (head.expect_continue && !connection.decoder.is_done()) {
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    // Fits into any send buffer; if not, the client goes on by itself after a while.
    std::size_t size = kContinue.size();
    static_cast<void>(transmit(connection, kContinue.data(), size));
  }
  const std::size_t consumed = connection.parser.consumed();
  take_body(connection, {connection.input.data() + consumed, connection.filled - consumed});
}

void Server::Impl::take_body(Connection& connection, std::string_view bytes) {
  while (!connection.decoder.is_done() && !bytes.empty()) {
    const http::BodyDecoder::Piece piece = connection.decoder.next(bytes);
    if (piece.progress == http::Progress::kRefused) return refuse(connection, 400);
    if (connection.body.size() + piece.data.size() > limits.body_bytes_max) {
      return refuse(connection, 413);
    }
    connection.body += piece.data;
    bytes.remove_prefix(piece.consumed);
  }
  if (connection.decoder.is_done()) answer(connection);
}

void Server::Impl::answer(Connection& connection) {
  std::string allow;
  const Response response = handle(connection, allow);
  send(connection, response, allow);
}

Response Server::Impl::handle(Connection& connection, std::string& allow) {
  const http::RequestHead& head = connection.head;
  const std::string_view target = head.path.substr(0, head.path.find('#'));
  const std::size_t question = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, question);
  const auto found = routes.find(path);
  if (found == routes.end()) {
    std::string body = "no such page; there are:\n";
    for (const auto& [known, methods] : routes) {
      for (const auto& [method, handler] : methods) body += method + " " + known + "\n";
    }
    return {.status = 404, .body = std::move(body)};
  }
  const std::string_view method = connection.to_head ? std::string_view("GET") : head.method;
  const auto handler = found->second.find(method);
  if (handler == found->second.end()) {
    for (const auto& [known, unused] : found->second) {
      if (!allow.empty()) allow += ", ";
      allow += known == "GET" ? "GET, HEAD" : known;
    }
    return {.status = 405, .body = "allowed: " + allow + "\n"};
  }
  if (method != "GET" && head.fields.has(http::Known::kOrigin)) {
    return {.status = 403, .body = "not from a browser's page\n"};
  }
  const Request request{
      .method = method,
      .path = path,
      .query = question == target.size() ? std::string_view() : target.substr(question + 1),
      .body = connection.body};
  return handler->second(request);
}

void Server::Impl::refuse(Connection& connection, std::uint16_t status) {
  send(connection, {.status = status, .body = std::string(http::reason_of(status)) + "\n"});
}

void Server::Impl::send(Connection& connection, const Response& response, std::string_view allow) {
  connection.output.resize(512 + response.content_type.size() + allow.size());
  http::Writer writer(connection.output.data(),
                      connection.output.data() + connection.output.size());
  writer.status_line(response.status);
  writer.field("content-type", response.content_type);
  writer.field("content-length", response.body.size());
  writer.field("date", dates.at(wall_seconds()));
  writer.field("cache-control", "no-store");
  if (!allow.empty()) writer.field("allow", allow);
  writer.field("connection", "close");
  writer.end_of_head();
  SLUICE_ASSERT(!writer.overflowed());
  connection.output.resize(writer.size());
  if (!connection.to_head) connection.output += response.body;
  connection.phase = Phase::kWriting;
  write(connection);
}

void Server::Impl::write(Connection& connection) {
  while (connection.written < connection.output.size()) {
    std::size_t size = connection.output.size() - connection.written;
    const net::TlsStatus status =
        transmit(connection, connection.output.data() + connection.written, size);
    if (status != net::TlsStatus::kOk) {
      await(connection, status);
      return;
    }
    connection.written += size;
  }
  // Bytes that were not read make close() send a reset, which may overtake the answer (RFC 9112
  // section 9.6): say that no more comes, and wait for the client to close.
  connection.phase = Phase::kLingering;
  if (connection.session != nullptr) connection.session->shutdown();
  ::shutdown(connection.fd.get(), SHUT_WR);
  connection.timer.arm(loop, std::min(limits.exchange_timeout_max, Milliseconds(1'000)));
  await(connection, net::TlsStatus::kWantRead);
}

}  // namespace sluice::admin
