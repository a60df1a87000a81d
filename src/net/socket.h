// Sockets: opening them, and nothing about what flows through. All are non-blocking and
// close-on-exec.
#pragma once

#include <utility>

#include "base/result.h"
#include "net/address.h"

namespace sluice::net {

// A descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { close(); }

  int get() const noexcept { return fd_; }
  bool is_open() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void close() noexcept;

 private:
  int fd_ = -1;
};

// A listening TCP socket with SO_REUSEADDR and SO_REUSEPORT, so that each worker has its own queue
// and the next binary can bind beside us. Fails (kConfig) with what the system said and what to do.
// An IPv6 address also takes IPv4.
Result<Fd> open_listener(const Address& address, int backlog = 4096);

struct Accepted {
  Fd fd;  // closed when none was waiting
  Address peer;
  int error = 0;  // errno of accept4; EAGAIN: none is waiting
};
// The next waiting connection, with TCP_NODELAY.
Accepted accept_next(int listener) noexcept;

// Starts to connect. `error` is 0 (connected), EINPROGRESS (wait until writable, then ask
// `connect_error`), or why it failed at once.
struct Connecting {
  Fd fd;
  int error = 0;
};
Connecting open_connection(const Address& address) noexcept;
int connect_error(int fd) noexcept;  // SO_ERROR: 0 once connected

// Bytes written to a TCP socket that its peer's kernel has not acknowledged; -1 when unknown.
int unacknowledged_bytes(int fd) noexcept;
// Makes the next close send RST: nothing that is still queued is delivered.
void reset_on_close(int fd) noexcept;

}  // namespace sluice::net
