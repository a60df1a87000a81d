#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>

namespace sluice::net {

Result<Address> Address::parse(std::string_view ip, std::uint16_t port) {
  Address address;
  if (!ip.empty() && ip.front() == '/') {
    auto& unix_address = reinterpret_cast<sockaddr_un&>(address.storage_);
    if (ip.size() >= sizeof unix_address.sun_path) {
      return fail(Blame::kConfig,
                  "the path of a unix socket may have at most 107 bytes: " + std::string(ip));
    }
    unix_address.sun_family = AF_UNIX;
    std::memcpy(unix_address.sun_path, ip.data(), ip.size());
    address.size_ = sizeof unix_address;
    return address;
  }
  if (ip.size() > 2 && ip.front() == '[' && ip.back() == ']') ip = ip.substr(1, ip.size() - 2);
  const std::string text(ip);
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage_);
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    address.size_ = sizeof v4;
    return address;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage_);
  address.storage_ = {};
  if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    address.size_ = sizeof v6;
    return address;
  }
  return fail(Blame::kConfig, "\"" + text + "\" is no IP address in numbers");
}

Address Address::of_peer(int fd) noexcept {
  Address address;
  address.size_ = sizeof address.storage_;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address.storage_), &address.size_) != 0) {
    return {};
  }
  return address;
}

Address Address::of_local(int fd) noexcept {
  Address address;
  address.size_ = sizeof address.storage_;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage_), &address.size_) != 0) {
    return {};
  }
  return address;
}

std::uint16_t Address::port() const noexcept {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(storage_).sin_port);
  if (family() == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6&>(storage_).sin6_port);
  }
  return 0;
}

std::string_view Address::ip(char (&buffer)[kTextMax]) const noexcept {
  const char* text = nullptr;
  if (family() == AF_INET) {
    text = inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage_).sin_addr, buffer,
                     sizeof buffer);
  } else if (family() == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage_);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      text = inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], buffer, sizeof buffer);
    } else {
      text = inet_ntop(AF_INET6, &v6.sin6_addr, buffer, sizeof buffer);
    }
  }
  return text == nullptr ? std::string_view{} : std::string_view(text);
}

std::string Address::text() const {
  if (family() == AF_UNIX) {
    return reinterpret_cast<const sockaddr_un&>(storage_).sun_path;
  }
  char buffer[kTextMax];
  const std::string host(ip(buffer));
  if (host.empty()) return "-";
  const bool bracketed = host.find(':') != std::string::npos;
  return (bracketed ? "[" + host + "]" : host) + ":" + std::to_string(port());
}

}  // namespace sluice::net
