#include "kube/connection.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "net/address.h"
#include "net/resolver.h"

namespace sluice::kube {

namespace {

constexpr std::size_t kBufferBytes = 32U << 10U;  // grows for long heads only

// What may be tried again on another connection.
tl::unexpected<Error> broken(std::string what) {
  return tl::unexpected<Error>(Error{Blame::kUpstream, Retry::kSafe, std::move(what), {}});
}

void set_option(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

// A watch may be silent for minutes: the kernel asks whether the peer is still there, so that a
// network that went away is found within a minute, at no cost for this process.
void set_keepalive(int fd) {
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 30'000);
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const Endpoint& endpoint,
                                                     std::shared_ptr<const net::TlsContext> tls,
                                                     const Stop& stop, std::int64_t deadline_ns) {
  std::unique_ptr<Connection> made(new Connection(stop));
  made->buffer_.resize(kBufferBytes);
  made->tls_ = std::move(tls);
  if (endpoint.proxy_host.empty()) {
    SLUICE_CHECK(made->connect(endpoint.host, endpoint.port, deadline_ns));
  } else {
    SLUICE_CHECK(made->connect(endpoint.proxy_host, endpoint.proxy_port, deadline_ns));
    SLUICE_CHECK(made->open_tunnel(endpoint, deadline_ns));
  }
  if (made->tls_ != nullptr) SLUICE_CHECK(made->handshake(endpoint, deadline_ns));
  return made;
}

Result<void> Connection::connect(const std::string& host, std::uint16_t port,
                                 std::int64_t deadline_ns) {
  std::vector<std::string> addresses = {host};
  if (!net::Address::parse(host, port)) addresses = net::resolve_now(host);
  if (addresses.empty()) return broken(fmt::format("the name \"{}\" does not resolve", host));
  std::string why;
  for (const std::string& text : addresses) {
    SLUICE_TRY(const net::Address address, net::Address::parse(text, port));
    net::Connecting connecting = net::open_connection(address);
    int error = connecting.error;
    if (error == EINPROGRESS) {
      switch (stop_.wait_for(connecting.fd.get(), POLLOUT, deadline_ns)) {
        case Stop::Ready::kStopped:
          return fail(Blame::kInternal, "stopped");
        case Stop::Ready::kTimedOut:
          error = ETIMEDOUT;
          break;
        case Stop::Ready::kReady:
          error = net::connect_error(connecting.fd.get());
          break;
      }
    }
    if (error == 0) {
      fd_ = std::move(connecting.fd);
      set_keepalive(fd_.get());
      return {};
    }
    char reason[128];
    why = fmt::format("{} can't be reached: {}", address.text(),
                      strerror_r(error, reason, sizeof reason));
  }
  return broken(why);
}

Result<void> Connection::open_tunnel(const Endpoint& endpoint, std::int64_t deadline_ns) {
  const bool is_ipv6 = endpoint.host.find(':') != std::string::npos;
  const std::string to =
      fmt::format(fmt::runtime(is_ipv6 ? "[{}]:{}" : "{}:{}"), endpoint.host, endpoint.port);
  SLUICE_CHECK(
      write_all(fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", to), deadline_ns));
  // A tunnel's head has no body, whatever it says (RFC 9110 section 9.3.6), as a HEAD's.
  parser_.reset(true);
  SLUICE_CHECK(read_head(deadline_ns));
  if (head_.status / 100 != 2)
    return broken(fmt::format("the proxy {}:{} answered {} to CONNECT {}", endpoint.proxy_host,
                              endpoint.proxy_port, head_.status, to));
  body_ended_ = true;
  return {};
}

Result<void> Connection::handshake(const Endpoint& endpoint, std::int64_t deadline_ns) {
  session_ = net::TlsSession::make_client(fd_.get(), *tls_, endpoint.server_name);
  for (;;) {
    switch (session_->handshake()) {
      case net::TlsStatus::kOk:
        return {};
      case net::TlsStatus::kWantRead:
        SLUICE_CHECK(wait(POLLIN, deadline_ns, "the TLS handshake"));
        break;
      case net::TlsStatus::kWantWrite:
        SLUICE_CHECK(wait(POLLOUT, deadline_ns, "the TLS handshake"));
        break;
      default:
        return broken(fmt::format(
            "TLS handshake with {}: {}; does certificate-authority fit the server, and has its "
            "certificate the name {}?",
            endpoint.authority, session_->error(), endpoint.server_name));
    }
  }
}

Result<void> Connection::wait(short events, std::int64_t deadline_ns, const char* for_what) {
  switch (stop_.wait_for(fd_.get(), events, deadline_ns)) {
    case Stop::Ready::kReady:
      return {};
    case Stop::Ready::kStopped:
      return fail(Blame::kInternal, "stopped");
    case Stop::Ready::kTimedOut:
      break;
  }
  return broken(fmt::format("timed out in {}", for_what));
}

Result<void> Connection::write_all(std::string_view bytes, std::int64_t deadline_ns) {
  while (!bytes.empty()) {
    if (session_ != nullptr) {
      std::size_t size = bytes.size();
      const net::TlsStatus status = session_->write(bytes.data(), size);
      if (status == net::TlsStatus::kOk) {
        bytes.remove_prefix(size);
      } else if (status == net::TlsStatus::kWantRead || status == net::TlsStatus::kWantWrite) {
        SLUICE_CHECK(wait(status == net::TlsStatus::kWantRead ? POLLIN : POLLOUT, deadline_ns,
                          "sending the request"));
      } else {
        return broken("the connection broke while the request was sent: " + session_->error());
      }
      continue;
    }
    const ssize_t put = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(put));
    } else if (errno == EAGAIN) {
      SLUICE_CHECK(wait(POLLOUT, deadline_ns, "sending the request"));
    } else if (errno != EINTR) {
      return broken("the connection broke while the request was sent");
    }
  }
  return {};
}

Result<std::size_t> Connection::fill(std::int64_t deadline_ns) {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == buffer_.size()) {
    if (begin_ > 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    } else {
      buffer_.resize(buffer_.size() * 2);  // a head: the codec refuses what is too long
    }
  }
  for (;;) {
    if (session_ != nullptr) {
      std::size_t size = buffer_.size() - end_;
      const net::TlsStatus status = session_->read(buffer_.data() + end_, size);
      if (status == net::TlsStatus::kOk) {
        end_ += size;
        return size;
      }
      if (status == net::TlsStatus::kClosed) return std::size_t{0};
      if (status == net::TlsStatus::kFailed) return broken("TLS: " + session_->error());
      SLUICE_CHECK(wait(status == net::TlsStatus::kWantRead ? POLLIN : POLLOUT, deadline_ns,
                        "waiting for the answer"));
      continue;
    }
    const ssize_t got = recv(fd_.get(), buffer_.data() + end_, buffer_.size() - end_, 0);
    if (got >= 0) {
      end_ += static_cast<std::size_t>(got);
      return static_cast<std::size_t>(got);
    }
    if (errno == EAGAIN) {
      SLUICE_CHECK(wait(POLLIN, deadline_ns, "waiting for the answer"));
    } else if (errno != EINTR) {
      return broken("the connection broke before the answer had ended");
    }
  }
}

Result<void> Connection::read_head(std::int64_t deadline_ns) {
  for (;;) {
    const http::Progress progress = parser_.parse({buffer_.data() + begin_, buffer_.data() + end_});
    if (progress == http::Progress::kRefused)
      return broken(fmt::format("the answer is no HTTP/1.1: {}", to_string(parser_.refusal())));
    if (progress == http::Progress::kDone) {
      begin_ += parser_.consumed();
      if (!head_.is_interim) return {};
      parser_.reset(false);
      continue;
    }
    SLUICE_TRY(const std::size_t got, fill(deadline_ns));
    if (got == 0) return broken("the server closed the connection before it answered");
  }
}

Result<void> Connection::exchange(std::string_view request, std::int64_t deadline_ns) {
  body_ended_ = false;
  keep_alive_ = false;
  parser_.reset(false);
  SLUICE_CHECK(write_all(request, deadline_ns));
  SLUICE_CHECK(read_head(deadline_ns));
  keep_alive_ = head_.keep_alive;
  until_close_ = head_.framing == http::Framing::kUntilClose;
  decoder_.start(head_.framing, head_.content_length);
  body_ended_ = decoder_.is_done();
  return {};
}

std::string_view Connection::field(std::string_view lower_name) const noexcept {
  for (const Field& field : head_.fields.all()) {
    if (field.name == lower_name) return field.value;
  }
  return {};
}

Result<bool> Connection::read_body(std::string& out, std::int64_t deadline_ns) {
  if (body_ended_) return false;
  for (;;) {
    bool any = false;
    while (begin_ < end_) {
      const http::BodyDecoder::Piece piece =
          decoder_.next({buffer_.data() + begin_, end_ - begin_});
      out.append(piece.data);
      any = any || !piece.data.empty();
      begin_ += piece.consumed;
      if (piece.progress == http::Progress::kRefused)
        return broken(
            fmt::format("the answer's body is broken: {}", to_string(decoder_.refusal())));
      if (piece.progress == http::Progress::kDone) {
        body_ended_ = true;
        return any;
      }
    }
    if (any) return true;
    SLUICE_TRY(const std::size_t got, fill(deadline_ns));
    if (got > 0) continue;
    if (!until_close_) return broken("the server closed the connection within its answer");
    body_ended_ = true;
    return false;
  }
}

bool Connection::is_reusable() const noexcept {
  return body_ended_ && keep_alive_ && !until_close_ && begin_ == end_;
}

bool Connection::is_stale() const noexcept {
  pollfd watched{fd_.get(), POLLIN, 0};
  // TLS 1.3 servers may send session tickets after the handshake: those are read with the next
  // answer, so readable alone means nothing there.
  if (poll(&watched, 1, 0) <= 0) return false;
  char byte = 0;
  const ssize_t got = recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (session_ == nullptr) return got >= 0 || errno != EAGAIN;
  return got == 0 || (got < 0 && errno != EAGAIN);
}

}  // namespace sluice::kube
