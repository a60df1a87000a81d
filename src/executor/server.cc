#include "executor/server.h"

#include <cerrno>

#include "base/clock.h"
#include "executor/session.h"

namespace sluice::executor {

namespace {
// Accepted in one round: a flood of connections must not starve the requests of others.
constexpr unsigned kAcceptedPerRound = 64;
constexpr Nanoseconds kAcceptPause = std::chrono::milliseconds(50);
}  // namespace

Server::Server(Engine& engine, std::shared_ptr<const net::TlsContext> tls)
    : engine_(engine),
      tls_(std::move(tls)),
      accept_timer_(on_accept_again, this),
      scratch_(std::make_unique<char[]>(kScratchBytes)) {}

Server::~Server() = default;

Result<void> Server::listen(const net::Address& address) {
  SLUICE_TRY(listener_, net::open_listener(address));
  port_ = net::Address::of_local(listener_.get()).port();
  if (!watch_.start(engine_.loop, listener_.get(), net::kReadable, on_readable, this)) {
    return fail(Blame::kInternal, "epoll refuses the listening socket");
  }
  return {};
}

void Server::on_readable(void* self, std::uint32_t) { static_cast<Server*>(self)->accept(); }

void Server::on_accept_again(void* self) {
  auto& server = *static_cast<Server*>(self);
  if (server.listener_.is_open()) {
    server.watch_.start(server.engine_.loop, server.listener_.get(), net::kReadable, on_readable,
                        self);
  }
}

std::shared_ptr<const net::TlsContext> Server::choose(void* self, std::string_view) {
  return static_cast<Server*>(self)->tls_;
}

void Server::accept() {
  for (unsigned i = 0; i < kAcceptedPerRound; ++i) {
    net::Accepted accepted;
    accepted.error = EMFILE;
    if (sessions_.size() < kSessionsMax) accepted = net::accept_next(listener_.get());
    if (!accepted.fd.is_open()) {
      if (accepted.error == EAGAIN || accepted.error == ECONNABORTED) return;
      watch_.stop();  // out of descriptors or sessions: not in a tight loop
      return accept_timer_.arm(engine_.loop, kAcceptPause);
    }
    std::unique_ptr<net::TlsSession> tls;
    if (tls_ != nullptr) {
      tls = net::TlsSession::make_server(accepted.fd.get(), choose, this);
    }
    auto session = std::make_unique<Session>(*this);
    Session& opened = *session;
    sessions_.emplace(&opened, std::move(session));
    opened.open(std::move(accepted.fd), std::move(tls));
  }
}

std::string_view Server::date() { return date_.at(wall_seconds()); }

void Server::retire(Session& session) {
  const auto found = sessions_.find(&session);
  if (found == sessions_.end()) return;
  // Its own code may still be on the stack.
  std::shared_ptr<Session> rest(std::move(found->second));
  sessions_.erase(found);
  engine_.loop.defer([rest] {});
  check_drained();
}

void Server::drain(std::function<void()> done) {
  watch_.stop();
  accept_timer_.disarm();
  listener_.close();
  drained_ = std::move(done);
  std::vector<Session*> sessions;
  sessions.reserve(sessions_.size());
  for (const auto& [session, owner] : sessions_) sessions.push_back(session);
  for (Session* session : sessions) session->drain();
  check_drained();
}

void Server::check_drained() {
  if (drained_ == nullptr || !sessions_.empty()) return;
  const auto done = std::move(drained_);
  drained_ = nullptr;
  done();
}

}  // namespace sluice::executor
