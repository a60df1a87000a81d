// A listening socket of one worker for one gateway port.
// Thread: the worker. Lives as long as a connection that it accepted; its socket may be closed
// before.
#pragma once

#include <cstdint>
#include <string>

#include "gateway/published.h"
#include "net/loop.h"
#include "net/socket.h"

namespace sluice::gateway {

class Worker;

class Listener {
 public:
  Listener(Worker& worker, std::uint16_t gateway_port, std::string bind, net::Fd fd);

  std::uint16_t gateway_port() const noexcept { return gateway_port_; }
  const std::string& bind() const noexcept { return bind_; }
  // nullptr: the newest snapshot has no such port; its connections end.
  const PublishedListener* published() const noexcept { return published_; }
  void set_published(const PublishedListener* published) noexcept { published_ = published; }

  void start();
  void pause();  // connections wait in the kernel's queue
  void close();
  bool is_open() const noexcept { return fd_.is_open(); }

  std::uint32_t connections = 0;

 private:
  static void on_readable(void* self, std::uint32_t events);
  void accept();

  Worker& worker_;
  const std::uint16_t gateway_port_;
  const std::string bind_;
  net::Fd fd_;
  net::Watch watch_;
  const PublishedListener* published_ = nullptr;
};

}  // namespace sluice::gateway
