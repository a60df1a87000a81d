// What `serve` answers on its admin port.
// Thread: the control thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "admin/server.h"
#include "net/loop.h"
#include "resource/value.h"
#include "route/snapshot.h"

namespace sluice::cli {

class StatusServer {
 public:
  // Those after `metrics` may be empty: then there is no such answer.
  struct Sources {
    std::function<bool()> is_ready;
    std::function<resource::Value()>
        status;                            // for people and scripts: deployments, ports, findings
    std::function<std::string()> metrics;  // Prometheus text
    std::function<resource::Value()> objects;                          // everything in the store
    std::function<std::shared_ptr<const route::Snapshot>()> snapshot;  // nullptr before the first
    std::function<void()> drain;
  };

  // "off": no admin port. Logs where it listens.
  Result<void> start(net::Loop& loop, const std::string& address, Sources sources);

 private:
  std::unique_ptr<admin::Server> server_;
};

}  // namespace sluice::cli
