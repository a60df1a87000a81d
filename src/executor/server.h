// The listening socket, the sessions, and the end of them.
// Thread: the loop's. Limits: kSessionsMax connections; beyond, new ones wait in the kernel's
// queue.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>

#include "executor/exchange.h"
#include "http/write.h"
#include "net/loop.h"
#include "net/socket.h"
#include "net/tls.h"

namespace sluice::executor {

class Session;

class Server {
 public:
  static constexpr std::size_t kSessionsMax = 10'000;
  static constexpr std::size_t kScratchBytes = 64U << 10U;

  // `tls`: nullptr for plain HTTP.
  Server(Engine& engine, std::shared_ptr<const net::TlsContext> tls);
  ~Server();

  // Fails (kConfig) when the port can't be bound.
  Result<void> listen(const net::Address& address);
  std::uint16_t port() const noexcept { return port_; }
  // Stops accepting; idle sessions end at once, others after their answer; then `done`.
  void drain(std::function<void()> done);
  std::size_t sessions() const noexcept { return sessions_.size(); }

  Engine& engine() noexcept { return engine_; }
  char* scratch() noexcept { return scratch_.get(); }  // of whoever runs
  std::string_view date();
  void retire(Session& session);  // destroyed at the end of the round

 private:
  static void on_readable(void* self, std::uint32_t events);
  static void on_accept_again(void* self);
  static std::shared_ptr<const net::TlsContext> choose(void* self, std::string_view name);
  void accept();
  void check_drained();

  Engine& engine_;
  std::shared_ptr<const net::TlsContext> tls_;
  net::Fd listener_;
  net::Watch watch_;
  net::Timer accept_timer_;
  std::uint16_t port_ = 0;
  std::unordered_map<Session*, std::unique_ptr<Session>> sessions_;
  std::unique_ptr<char[]> scratch_;
  http::DateCache date_;
  std::function<void()> drained_;
};

}  // namespace sluice::executor
