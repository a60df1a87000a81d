#include "runtime/ports.h"

#include <sys/socket.h>

#include "net/address.h"
#include "net/socket.h"

namespace sluice::runtime {

PortPool::PortPool(std::string address, std::uint16_t first, std::uint16_t last, std::uint64_t seed)
    : address_(std::move(address)),
      first_(first),
      last_(last),
      next_(static_cast<std::uint16_t>(first +
                                       seed % (static_cast<std::uint64_t>(last - first) + 1))) {}

bool PortPool::is_free(std::uint16_t port) const {
  const auto address = net::Address::parse(address_, port);
  if (!address) return false;
  const net::Fd fd(socket(address->family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes =
      1;  // connections of an earlier owner in TIME_WAIT do not matter, as for any server
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  return fd.is_open() && bind(fd.get(), address->data(), address->size()) == 0;
}

std::uint16_t PortPool::take() {
  for (int tries = last_ - first_ + 1; tries > 0; --tries) {
    const std::uint16_t port = next_;
    next_ = next_ == last_ ? first_ : static_cast<std::uint16_t>(next_ + 1);
    if (taken_.contains(port) || !is_free(port)) continue;
    taken_.insert(port);
    return port;
  }
  return 0;
}

}  // namespace sluice::runtime
