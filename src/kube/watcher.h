// One kind, listed once and then watched without end: what changed is told as it happens, what was
// missed (410, a long outage) by listing again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "kube/client.h"
#include "kube/kinds.h"

namespace sluice::kube {

struct WatcherSink {
  // All there is, one by one, in the place of what was told before; `on_listed` ends it, also with
  // served == false: nothing then. A list that fails has no end.
  ListSink list;
  std::function<void(const ListEnd&)> on_listed;
  std::function<void(WatchEvent)> on_event;
  // Why nothing comes now; "" when all is well again.
  std::function<void(const std::string& why)> on_trouble;
};

struct WatcherTimes {
  Milliseconds back_off_first{200};  // doubled up to back_off_max, with jitter
  Milliseconds back_off_max{30'000};
  Milliseconds unserved{30'000};  // until a kind that the server did not know is asked for again
  int watch_seconds_min =
      240;  // asked of the server; up to twice that, so that not all end at once
};

// Returns when the client is stopped. Thread: blocks the caller's; the sink is called on it.
void run_watcher(Client& client, const Kind& kind, const Selection& selection,
                 const WatcherTimes& times, std::uint64_t seed, const WatcherSink& sink);

}  // namespace sluice::kube
