// HTTP for the model server: Beast reads requests, Asio moves bytes. A few threads, each with its
// own io_context and its own connections; accepted sockets are dealt out in turn, because the
// gateway keeps few connections and they must not all land on one thread. The one heavy source of
// this room.
#include <fmt/core.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "model/model.h"
#include "model/service.h"

namespace sluice::model {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using error_code = boost::system::error_code;

// Limits beside kBodyBytesMax. Idle longer than the gateway keeps a connection, so that the gateway
// closes first.
constexpr std::uint32_t kHeadBytesMax = 64U << 10U;  // 400 beyond, and the connection ends
constexpr std::size_t kConnectionsMax = 2'048;       // of one thread; closed at once beyond
constexpr std::int64_t kIdleNs = 600'000'000'000;
constexpr std::int64_t kRequestNs = 60'000'000'000;  // to read one request or to write one answer
constexpr auto kSweepEvery = std::chrono::seconds(5);
constexpr auto kDrainMax = std::chrono::seconds(15);

const char* reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Payload Too Large";
    default:
      return "Internal Server Error";
  }
}

class Session;

// One thread's share.
struct Worker {
  Worker()
      : io(1),
        random(static_cast<std::uint64_t>(monotonic_ns()) ^
               reinterpret_cast<std::uintptr_t>(this)) {}
  std::unordered_set<Session*> sessions;  // owned by their own pending operations
  asio::io_context io;                    // destroyed first: it holds the sessions that are left
  Random random;
  bool draining = false;
};

std::string make_uuid(Random& random) {
  const std::uint64_t a = random.next();
  const std::uint64_t b = random.next();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32U, (a >> 16U) & 0xffffU,
                     a & 0xfffU, 0x8000U | ((b >> 48U) & 0x3fffU), b & 0xffffffffffffU);
}

// One connection. Lives as long as an operation on it is pending.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Worker& worker, Service& service, tcp::socket socket)
      : worker_(worker), service_(service), socket_(std::move(socket)) {
    worker_.sessions.insert(this);
  }
  ~Session() { worker_.sessions.erase(this); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void read() {
    parser_.emplace();
    parser_->header_limit(kHeadBytesMax);
    parser_->body_limit(kBodyBytesMax);
    between_requests_ = true;
    since_ns_ = monotonic_ns();
    http::async_read_header(
        socket_, buffer_, *parser_,
        [self = shared_from_this()](error_code failure, std::size_t) { self->on_head(failure); });
  }

  void close_if_idle() {
    if (between_requests_ && buffer_.size() == 0) close();
  }
  void close_if_late(std::int64_t now_ns) {
    const bool idle = between_requests_ && buffer_.size() == 0;
    if (now_ns - since_ns_ > (idle ? kIdleNs : kRequestNs)) close();
  }

 private:
  void close() {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
  }

  void on_head(error_code failure) {
    between_requests_ = false;
    since_ns_ = monotonic_ns();
    if (failure) return refuse(failure);
    const auto& request = parser_->get();
    if (boost::beast::iequals(request[http::field::expect], "100-continue") &&
        !parser_->is_done()) {
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      asio::async_write(socket_, asio::buffer(kContinue),
                        [self = shared_from_this()](error_code failed, std::size_t) {
                          if (!failed) self->read_body();
                        });
      return;
    }
    read_body();
  }

  void read_body() {
    http::async_read(socket_, buffer_, *parser_,
                     [self = shared_from_this()](error_code failure, std::size_t) {
                       self->on_request(failure);
                     });
  }

  void on_request(error_code failure) {
    if (failure) return refuse(failure);
    const auto& request = parser_->get();
    std::string_view puid(request["Seldon-Puid"].data(), request["Seldon-Puid"].size());
    std::string fresh;
    if (puid.empty()) puid = fresh = make_uuid(worker_.random);
    const ServiceRequest asked{{request.method_string().data(), request.method_string().size()},
                               {request.target().data(), request.target().size()},
                               request.body(),
                               puid};
    Answer answer;
    try {
      answer = service_.answer(asked);
    } catch (const std::exception& caught) {  // memory: Boost.JSON throws when there is none
      answer = seldon_failure(500, "MICROSERVICE_INTERNAL_ERROR", caught.what());
    }
    send(answer, puid, request.keep_alive() && !worker_.draining,
         request.method() == http::verb::head);
  }

  void refuse(error_code failure) {
    if (failure == http::error::body_limit) {
      return send(seldon_failure(413, "MICROSERVICE_BAD_DATA",
                                 fmt::format("the body is larger than {} bytes", kBodyBytesMax)),
                  {}, false, false);
    }
    if (failure.category() != http::make_error_code(http::error::bad_method).category() ||
        failure == http::error::end_of_stream || failure == http::error::partial_message) {
      return;  // the peer left
    }
    send(seldon_failure(400, "MICROSERVICE_BAD_DATA",
                        fmt::format("no valid HTTP request: {}", failure.message())),
         {}, false, false);
  }

  void send(const Answer& answer, std::string_view puid, bool keep_alive, bool head_only) {
    out_ = fmt::format(
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nAccess-Control-Allow-Origin: "
        "*\r\n",
        answer.status, reason_of(answer.status), answer.content_type, answer.body.size());
    if (!puid.empty()) {
      out_ += "Seldon-Puid: ";
      out_ += puid;
      out_ += "\r\n";
    }
    out_ += keep_alive ? "\r\n" : "Connection: close\r\n\r\n";
    if (!head_only) out_ += answer.body;
    since_ns_ = monotonic_ns();
    asio::async_write(socket_, asio::buffer(out_),
                      [self = shared_from_this(), keep_alive](error_code failure, std::size_t) {
                        if (failure) return;
                        if (keep_alive) return self->read();
                        self->linger();
                      });
  }

  // Closing while bytes of a refused request are unread would reset the connection and may take the
  // answer with it: read on until the peer closes, within limits.
  void linger() {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    buffer_.consume(buffer_.size());
    discard();
  }
  void discard() {
    if (linger_bytes_ > kBodyBytesMax) return;
    socket_.async_read_some(buffer_.prepare(64U << 10U),
                            [self = shared_from_this()](error_code failure, std::size_t bytes) {
                              if (failure) return;
                              self->linger_bytes_ += bytes;
                              self->discard();
                            });
  }

  Worker& worker_;
  Service& service_;
  tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;  // anew for each request
  std::string out_;
  std::int64_t since_ns_ = 0;  // start of what is waited for
  bool between_requests_ = true;
  std::size_t linger_bytes_ = 0;
};

class Server {
 public:
  Server(Service& service, unsigned threads) : service_(service) {
    for (unsigned i = 0; i < threads; ++i) workers_.push_back(std::make_unique<Worker>());
  }

  Result<std::uint16_t> listen(const std::string& address, std::uint16_t port) {
    error_code failure;
    const auto ip = asio::ip::make_address(address, failure);
    if (failure) return fail(Blame::kConfig, "is not an IP address", address);
    auto acceptor = std::make_unique<tcp::acceptor>(workers_.front()->io);
    const tcp::endpoint endpoint(ip, port);
    if (acceptor->open(endpoint.protocol(), failure); !failure) {
      acceptor->set_option(asio::socket_base::reuse_address(true), failure);
      acceptor->bind(endpoint, failure);
    }
    if (!failure) acceptor->listen(1024, failure);
    if (failure)
      return fail(Blame::kConfig, failure.message(), fmt::format("{}:{}", address, port));
    const std::uint16_t bound = acceptor->local_endpoint(failure).port();
    acceptors_.push_back(std::move(acceptor));
    return bound;
  }

  void run() {
    Worker& first = *workers_.front();
    asio::signal_set signals(first.io, SIGTERM, SIGINT);
    signals.async_wait([this](error_code failure, int) {
      if (!failure) drain();
    });
    for (auto& acceptor : acceptors_) accept(*acceptor);
    std::vector<std::unique_ptr<asio::steady_timer>> sweepers;
    for (auto& worker : workers_) {
      sweepers.push_back(std::make_unique<asio::steady_timer>(worker->io));
      sweep(*worker, *sweepers.back());
    }
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < workers_.size(); ++i) {
      threads.emplace_back([worker = workers_[i].get()] { worker->io.run(); });
    }
    first.io.run();
    for (std::thread& thread : threads) thread.join();
  }

 private:
  void accept(tcp::acceptor& acceptor) {
    Worker& worker = *workers_[next_++ % workers_.size()];
    acceptor.async_accept(
        worker.io, [this, &acceptor, &worker](error_code failure, tcp::socket socket) {
          if (failure == asio::error::operation_aborted || !acceptor.is_open()) return;
          if (!failure) {
            asio::post(worker.io, [this, &worker, socket = std::move(socket)]() mutable {
              if (worker.sessions.size() >= kConnectionsMax) return;
              error_code ignored;
              socket.set_option(tcp::no_delay(true), ignored);
              std::make_shared<Session>(worker, service_, std::move(socket))->read();
            });
          }
          if (failure) {  // out of descriptors: not in a tight loop
            auto pause = std::make_shared<asio::steady_timer>(workers_.front()->io,
                                                              std::chrono::milliseconds(50));
            pause->async_wait([this, &acceptor, pause](error_code) { accept(acceptor); });
            return;
          }
          accept(acceptor);
        });
  }

  static void sweep(Worker& worker, asio::steady_timer& timer) {
    timer.expires_after(kSweepEvery);
    timer.async_wait([&worker, &timer](error_code) {
      const std::int64_t now_ns = monotonic_ns();
      const std::vector<Session*> sessions(worker.sessions.begin(), worker.sessions.end());
      for (Session* session : sessions) session->close_if_late(now_ns);
      sweep(worker, timer);
    });
  }

  // No new connections; connections between requests end; each thread returns when its last one
  // has.
  void drain() {
    for (auto& acceptor : acceptors_) {
      error_code ignored;
      acceptor->close(ignored);
    }
    for (auto& worker : workers_) {
      asio::post(worker->io, [worker = worker.get()] {
        worker->draining = true;
        auto timer = std::make_shared<asio::steady_timer>(worker->io);
        wait_for_last(*worker, timer, monotonic_ns());
      });
    }
  }

  static void wait_for_last(Worker& worker, const std::shared_ptr<asio::steady_timer>& timer,
                            std::int64_t start_ns) {
    const std::vector<Session*> sessions(worker.sessions.begin(), worker.sessions.end());
    for (Session* session : sessions) session->close_if_idle();
    const bool late = monotonic_ns() - start_ns > std::chrono::nanoseconds(kDrainMax).count();
    if (worker.sessions.empty() || late) return worker.io.stop();
    timer->expires_after(std::chrono::milliseconds(10));
    timer->async_wait(
        [&worker, timer, start_ns](error_code) { wait_for_last(worker, timer, start_ns); });
  }

  Service& service_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<tcp::acceptor>> acceptors_;
  std::size_t next_ = 0;
};

int port_from(int given, const char* variable, int otherwise) {
  if (given >= 0) return given;
  const char* const text =
      std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): before any thread starts
  if (text == nullptr || *text == '\0') return otherwise;
  char* end = nullptr;
  const long port = std::strtol(text, &end, 10);
  return *end == '\0' && port > 0 && port < 65'536 ? static_cast<int>(port) : -2;
}

std::string env_or(const char* variable, const std::string& otherwise) {
  const char* const text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe)
  return text != nullptr && *text != '\0' ? std::string(text) : otherwise;
}

Result<Model> load(const Options& options) {
  if (options.implementation != "XGBOOST_SERVER") {
    return fail(Blame::kConfig, "is not built in; XGBOOST_SERVER is", options.implementation);
  }
  SLUICE_TRY(const std::string file, find_model_file(options.model_uri));
  Model model;
  model.name = options.name;
  model.image = env_or("PREDICTIVE_UNIT_IMAGE", "sluice/xgboost:0.1.0");
  model.version = env_or("MLSERVER_MODEL_VERSION", "v1");
  SLUICE_TRY(model.booster, Booster::load(file));
  log::info("model loaded",
            {{"model", model.name}, {"file", file}, {"features", model.booster->feature_count()}});
  return model;
}

Result<void> serve(const Options& options) {
  const int port = port_from(options.http_port, "PREDICTIVE_UNIT_HTTP_SERVICE_PORT", 9000);
  const int metrics_port =
      port_from(options.metrics_port, "PREDICTIVE_UNIT_METRICS_SERVICE_PORT", -1);
  if (port < 0 || metrics_port < -1)
    return fail(Blame::kConfig, "a port is a number from 1 to 65535");
  SLUICE_TRY(Model model, load(options));
  Service service(std::move(model));
  const unsigned processors = std::max(2U, std::thread::hardware_concurrency());
  Server server(service, options.threads > 0 ? options.threads : std::min(4U, processors));
  SLUICE_TRY(const std::uint16_t bound,
             server.listen(options.address, static_cast<std::uint16_t>(port)));
  if (metrics_port >= 0 && metrics_port != port) {
    SLUICE_CHECK(server.listen(options.address, static_cast<std::uint16_t>(metrics_port)));
  }
  log::info("model ready", {{"model", service.model().name},
                            {"address", fmt::format("{}:{}", options.address, bound)}});
  server.run();
  log::info("model stopped", {{"model", service.model().name}});
  return {};
}

}  // namespace

int run(const Options& options) {
  try {
    const auto served = serve(options);
    if (served) return 0;
    log::error("the model can't be served", {{"reason", to_string(served.error())}});
  } catch (const std::exception& caught) {  // Asio's constructors
    log::error("the model can't be served", {{"reason", caught.what()}});
  }
  return 1;
}

}  // namespace sluice::model
