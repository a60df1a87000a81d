// Posts a small JSON document to an address that the user has set: one POST, an answer of 2xx or a
// warning in the log; no second try (the next document is newer), no redirect, no cookie.
// Thread: `send` from one; the call is made on a thread of its own, with a deadline.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "kube/endpoint.h"
#include "kube/stop.h"
#include "kube/thread.h"
#include "net/tls.h"

namespace sluice::usage {

class Sender {
 public:
  // `url`: http:// or https:// (certificates are checked against the system's roots, or
  // SSL_CERT_FILE's). Fails (kConfig): it is neither, or has a user or a query in it.
  static Result<std::unique_ptr<Sender>> make(const std::string& url,
                                              Milliseconds deadline = Milliseconds(10'000));
  ~Sender();  // ends a call that is under way

  // While one is under way, nothing.
  void send(std::string document);
  std::uint64_t sent() const noexcept { return sent_; }      // answered with 2xx
  std::uint64_t failed() const noexcept { return failed_; }  // all others

 private:
  Sender() = default;
  Result<void> post(const std::string& document);

  kube::Endpoint endpoint_;
  std::shared_ptr<const net::TlsContext> tls_;  // nullptr: plain
  Milliseconds deadline_{0};
  kube::Stop stop_;
  kube::Thread thread_;
  std::atomic<bool> busy_{false};
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> failed_{0};
};

}  // namespace sluice::usage
