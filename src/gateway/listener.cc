#include "gateway/listener.h"

#include <cerrno>

#include "gateway/connection.h"
#include "gateway/worker.h"

namespace sluice::gateway {

namespace {
// Accepted in one round: a flood of connections must not starve the requests of others.
constexpr unsigned kAcceptedPerRound = 64;
}  // namespace

Listener::Listener(Worker& worker, std::uint16_t gateway_port, std::string bind, net::Fd fd)
    : worker_(worker), gateway_port_(gateway_port), bind_(std::move(bind)), fd_(std::move(fd)) {}

void Listener::start() {
  if (fd_.is_open() && !watch_.is_started()) {
    watch_.start(worker_.loop(), fd_.get(), net::kReadable, on_readable, this);
  }
}

void Listener::pause() { watch_.stop(); }

void Listener::close() {
  watch_.stop();
  fd_.close();
}

void Listener::on_readable(void* self, std::uint32_t) { static_cast<Listener*>(self)->accept(); }

void Listener::accept() {
  for (unsigned i = 0; i < kAcceptedPerRound; ++i) {
    if (!worker_.has_room_for_connection()) return worker_.pause_accepting();
    net::Accepted accepted = net::accept_next(fd_.get());
    if (!accepted.fd.is_open()) {
      const bool exhausted = accepted.error == EMFILE || accepted.error == ENFILE ||
                             accepted.error == ENOBUFS || accepted.error == ENOMEM;
      if (exhausted) worker_.pause_accepting();
      return;
    }
    worker_.metrics().downstream_connections_total.add();
    worker_.take_connection().open(*this, std::move(accepted.fd), accepted.peer);
  }
}

}  // namespace sluice::gateway
