// Keeps what the webhook's TLS needs: either a Secret that all replicas share, with an authority of
// our own, whose certificate is kept in the ValidatingWebhookConfiguration; or files that somebody
// else renews (cert-manager: its injector keeps the configuration).
// Thread: a thread of its own, which looks again every `period`; tls() and state() from any.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "kube/client.h"
#include "net/tls.h"
#include "webhook/certificates.h"

namespace sluice::webhook {

struct KeeperOptions {
  // With tls.crt and tls.key: only they are read, no call is made.
  std::string folder;
  // Otherwise, all in the operator's namespace:
  std::string namespace_;
  std::string secret = "seldon-webhook-server-cert";
  std::string service = "seldon-webhook-service";  // the API server calls SERVICE.NAMESPACE.svc
  std::string configuration;                       // whose webhooks' caBundle is kept; "": nobody's
  Milliseconds period{30'000};
  Milliseconds period_after_failure{5'000};
  Lifetimes lifetimes;
};

class Keeper {
 public:
  struct State {
    bool has_tried = false;         // the first look is over, well or not
    std::string trouble;            // why the last one failed; "" when all is well
    std::int64_t ends_seconds = 0;  // when the certificate in use runs out; 0: there is none
    std::uint64_t renewals = 0;     // certificates that this replica has made
  };

  // `client` is the keeper's own: it is stopped at the end. It may be null with a folder.
  Keeper(kube::Client* client, KeeperOptions options,
         std::function<std::int64_t()> now_seconds = wall_seconds);
  ~Keeper();

  void start();
  // One look, on the caller's thread: what the thread does. For tests. REQUIRES: not started.
  void look();
  std::shared_ptr<const net::TlsContext> tls() const;  // nullptr: none yet
  State state() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::webhook
