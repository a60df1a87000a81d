// The floor that `make bench` measures against: bytes from each client to a backend connection of
// its own and back. One thread, epoll, no look at what the bytes say. Usage: bench_relay PORT
// BACKENDPORT [BACKENDPORT ...]
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int make_socket() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_relay PORT BACKENDPORT [BACKENDPORT ...]\n");
    return 2;
  }
  const int listener = make_socket();
  sockaddr_in address = loopback(std::atoi(argv[1]));
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, 4096) != 0) {
    std::perror("bench_relay: bind");
    return 1;
  }
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<int> other(1024 * 64, -1);  // by descriptor: where its bytes go
  const auto watch = [&](int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  };
  watch(listener);
  int turn = 0;
  char buffer[64 * 1024];
  epoll_event events[256];
  while (true) {
    const int count = ::epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listener) {
        const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) continue;
        const int on = 1;
        ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const int backend = make_socket();
        sockaddr_in to = loopback(std::atoi(argv[2 + turn++ % (argc - 2)]));
        if (::connect(backend, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
          ::close(client);
          ::close(backend);
          continue;
        }
        other[static_cast<std::size_t>(client)] = backend;
        other[static_cast<std::size_t>(backend)] = client;
        watch(client);
        watch(backend);
        continue;
      }
      const int to = other[static_cast<std::size_t>(fd)];
      if (to < 0) continue;
      const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
      // Messages here are small: a blocking send of them never waits.
      if (got > 0 && ::send(to, buffer, static_cast<std::size_t>(got), MSG_NOSIGNAL) == got)
        continue;
      other[static_cast<std::size_t>(fd)] = other[static_cast<std::size_t>(to)] = -1;
      ::close(fd);
      ::close(to);
    }
  }
}
