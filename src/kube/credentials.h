// Who we are, kept fresh: tokens from files and plug-ins, certificates from files.
// Thread: any.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "kube/kubeconfig.h"
#include "kube/stop.h"
#include "net/tls.h"

namespace sluice::kube {

struct Credential {
  std::shared_ptr<const net::TlsContext> tls;  // null: plain HTTP
  std::string authorization;                   // "Bearer ...", or ""
};

class Credentials {
 public:
  // `host`: what the server's certificate must name.
  Credentials(Config config, std::string host, bool is_https);
  ~Credentials();

  // What to use now. Reads files again that are older than a minute, and runs the plug-in when its
  // last answer has run out; others that ask meanwhile wait.
  Result<Credential> current(const Stop& stop);
  // The server said 401, or refused our certificate: the next `current` renews, whatever the age.
  void refused(const Credential& used);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::kube
