// A byte stream on a non-blocking descriptor, plain or TLS: what gateways and servers read and
// write, whichever it is.
//
// The descriptor is registered once, edge-triggered; `is_readable` remembers edges, so that a
// read that would only fail is never made and epoll_ctl is never called again. What a write could
// not place waits in `pending`; its owner must not write more while `is_blocked()`: that is the
// back-pressure.
// Thread: the loop's. No allocation in the steady state: `pending` keeps its memory until it is
// reset.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "net/loop.h"
#include "net/socket.h"
#include "net/tls.h"

namespace sluice::net {

enum class IoStatus : std::uint8_t { kOk, kWait, kClosed, kFailed };

class Channel {
 public:
  // Called for every edge, after the channel's flags were set.
  using Callback = void (*)(void* context);

  Channel() = default;
  ~Channel() { close(); }

  // False: epoll refuses (errno set), the descriptor is closed. `readable` and `writable`: what is
  // believed before the first edge.
  bool open(Loop& loop, Fd fd, std::unique_ptr<TlsSession> tls, Callback callback, void* context);
  void close() noexcept;
  bool is_open() const noexcept { return fd_.is_open(); }
  int fd() const noexcept { return fd_.get(); }
  TlsSession* tls() noexcept { return tls_.get(); }
  // Another owner answers from now on.
  void set_callback(Callback callback, void* context) noexcept {
    callback_ = callback;
    context_ = context;
  }

  IoStatus handshake();  // plain: kOk at once

  // kOk: `size` bytes (never 0). kWait: an edge will come. kClosed: the peer sends no more.
  IoStatus read(char* data, std::size_t& size);
  // Everything is taken: written, or copied to `pending`. kWait: the latter; the owner waits until
  // !is_blocked(). kFailed: the connection is broken.
  IoStatus write(std::span<const iovec> pieces);
  IoStatus flush();  // what is pending; to be called when an edge says writable
  bool is_blocked() const noexcept { return pending_at_ < pending_.size(); }
  std::size_t pending_bytes() const noexcept { return pending_.size() - pending_at_; }

  bool is_readable() const noexcept { return readable_; }
  bool peer_closed() const noexcept { return peer_closed_; }  // FIN or worse was seen
  bool is_broken() const noexcept { return broken_; }         // EPOLLERR or EPOLLHUP

  void shutdown_write() noexcept;
  std::uint64_t bytes_written() const noexcept { return bytes_written_; }
  int last_error() const noexcept { return error_; }  // errno behind kFailed; 0 for TLS

 private:
  static void on_events(void* self, std::uint32_t events);
  IoStatus write_plain(std::span<const iovec> pieces, std::size_t& written);
  IoStatus write_tls(std::span<const iovec> pieces, std::size_t& written);
  void keep(std::span<const iovec> pieces, std::size_t written);

  Fd fd_;
  std::unique_ptr<TlsSession> tls_;
  Watch watch_;
  Callback callback_ = nullptr;
  void* context_ = nullptr;
  std::vector<char> pending_;
  std::size_t pending_at_ = 0;
  std::uint64_t bytes_written_ = 0;
  int error_ = 0;
  bool readable_ = false;
  bool peer_closed_ = false;
  bool broken_ = false;
};

}  // namespace sluice::net
