// Where a socket is bound or connected: IPv4, IPv6 or a unix socket's path.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::net {

class Address {
 public:
  Address() = default;
  // `ip` in numbers ("127.0.0.1", "::1", "[::1]"), or an absolute path: a unix socket. Fails
  // (kConfig): names are not resolved here.
  static Result<Address> parse(std::string_view ip, std::uint16_t port);
  static Address of_peer(int fd) noexcept;   // empty when the socket has none any more
  static Address of_local(int fd) noexcept;  // what a socket is bound to: tells the port after 0

  const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const noexcept { return size_; }
  int family() const noexcept { return storage_.ss_family; }
  std::uint16_t port() const noexcept;
  // "127.0.0.1" into `buffer`; "" for unix sockets. IPv4 mapped into IPv6 is shown as IPv4. No
  // allocation.
  static constexpr std::size_t kTextMax = 46;
  std::string_view ip(char (&buffer)[kTextMax]) const noexcept;
  std::string text() const;  // "127.0.0.1:80", "[::1]:80", "/run/x.sock"
  sockaddr_storage& storage() noexcept { return storage_; }  // for accept4
  void set_size(socklen_t size) noexcept { size_ = size; }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

}  // namespace sluice::net
