// The backend of `make bench`: one thread, epoll, HTTP/1.1 with keep-alive, the same small JSON
// answer to every request. Usage: bench_backend PORT [PORT ...]. It checks nothing: it is there to
// cost as little as possible.
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
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 78\r\n\r\n"
    "{\"data\":{\"names\":[\"t:0\",\"t:1\",\"t:2\"],\"ndarray\":[[0.0005,0.0038,0.9956]]}}    \n";

struct Peer {
  bool listens = false;
  std::string unread;  // bytes of a message that is not complete yet
  std::string unsent;  // answers that the socket did not take
};

int listen_on(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, 4096) != 0) {
    std::perror("bench_backend: bind");
    std::exit(1);
  }
  return fd;
}

// The length of the first message in `bytes`, 0 when it is not complete. Bodies by Content-Length
// only.
std::size_t message_length(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  std::size_t body = 0;
  for (std::size_t at = bytes.find("\r\n"); at < end; at = bytes.find("\r\n", at + 2)) {
    const std::string_view line = bytes.substr(at + 2, end - at - 2);
    if (line.size() > 15 && ::strncasecmp(line.data(), "content-length:", 15) == 0) {
      body = std::strtoul(line.data() + 15, nullptr, 10);
    }
  }
  return bytes.size() >= end + 4 + body ? end + 4 + body : 0;
}

// Returns false when the connection is over.
bool serve(int fd, Peer& peer, int epoll) {
  char buffer[64 * 1024];
  const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
  if (got == 0) return false;
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  std::string_view bytes(buffer, static_cast<std::size_t>(got));
  if (!peer.unread.empty()) {
    peer.unread.append(bytes);
    bytes = peer.unread;
  }
  while (const std::size_t length = message_length(bytes)) {
    bytes.remove_prefix(length);
    peer.unsent.append(kAnswer);
  }
  peer.unread = std::string(bytes);
  if (peer.unsent.empty()) return true;
  const ssize_t sent = ::send(fd, peer.unsent.data(), peer.unsent.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) return false;
  peer.unsent.erase(0, sent > 0 ? static_cast<std::size_t>(sent) : 0);
  epoll_event event{};
  event.data.fd = fd;
  event.events = peer.unsent.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT;
  if (!peer.unsent.empty()) ::epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::unordered_map<int, Peer> peers;
  const auto watch = [&](int fd, bool listens) {
    peers[fd].listens = listens;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  };
  for (int i = 1; i < argc; ++i) watch(listen_on(std::atoi(argv[i])), true);
  if (peers.empty()) {
    std::fprintf(stderr, "usage: bench_backend PORT [PORT ...]\n");
    return 2;
  }
  epoll_event events[256];
  while (true) {
    const int count = ::epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      const auto found = peers.find(fd);
      if (found == peers.end()) continue;
      if (found->second.listens) {
        const int client = ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client < 0) continue;
        const int on = 1;
        ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(client, false);
      } else if (!serve(fd, found->second, epoll)) {
        peers.erase(fd);
        ::close(fd);
      }
    }
  }
}
