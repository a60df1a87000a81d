#include "net/socket.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sluice::net {

namespace {

void set_option(int fd, int level, int name, int value) noexcept {
  setsockopt(fd, level, name, &value, sizeof value);
}

tl::unexpected<Error> refused(const char* call, const Address& address, int error) {
  std::string what = std::string("can't ") + call + " " + address.text() + ": ";
  if (error == EADDRINUSE) {
    what += "another program has this port; stop it, or move the port with --bind PORT=OTHER";
  } else if (error == EACCES) {
    what += "ports below 1024 need root or CAP_NET_BIND_SERVICE; move the port with --bind";
  } else if (error == EADDRNOTAVAIL) {
    what += "this machine does not have that address";
  } else {
    what += strerrordesc_np(error);
  }
  return fail(Blame::kConfig, std::move(what));
}

}  // namespace

void Fd::close() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Result<Fd> open_listener(const Address& address, int backlog) {
  Fd fd(socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return refused("open a socket for", address, errno);
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (address.family() == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (bind(fd.get(), address.data(), address.size()) != 0) {
    return refused("bind", address, errno);
  }
  if (listen(fd.get(), backlog) != 0) return refused("listen on", address, errno);
  return fd;
}

Accepted accept_next(int listener) noexcept {
  Accepted accepted;
  socklen_t size = sizeof(sockaddr_storage);
  accepted.fd = Fd(accept4(listener, reinterpret_cast<sockaddr*>(&accepted.peer.storage()), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!accepted.fd.is_open()) {
    accepted.error = errno;
    return accepted;
  }
  accepted.peer.set_size(size);
  set_option(accepted.fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  return accepted;
}

Connecting open_connection(const Address& address) noexcept {
  Connecting connecting;
  connecting.fd = Fd(socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!connecting.fd.is_open()) {
    connecting.error = errno;
    return connecting;
  }
  if (address.family() != AF_UNIX) set_option(connecting.fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  if (connect(connecting.fd.get(), address.data(), address.size()) != 0) connecting.error = errno;
  return connecting;
}

int connect_error(int fd) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

int unacknowledged_bytes(int fd) noexcept {
  int bytes = -1;
  return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : -1;
}

void reset_on_close(int fd) noexcept {
  const linger now{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace sluice::net
