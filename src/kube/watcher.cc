#include "kube/watcher.h"

#include <algorithm>

#include "base/random.h"

namespace sluice::kube {

namespace {

// A watch that ends sooner than this is no watch: the next one waits, so that a server that closes
// each at once is not flooded.
constexpr std::int64_t kShortNs = 1'000'000'000;
// Then the version to go on from may be the trouble.
constexpr int kFailuresUntilList = 5;

class Watcher {
 public:
  Watcher(Client& client, const Kind& kind, const Selection& selection, const WatcherTimes& times,
          std::uint64_t seed, const WatcherSink& sink)
      : client_(client),
        kind_(kind),
        selection_(selection),
        times_(times),
        random_(seed),
        sink_(sink) {}

  void run() {
    while (!client_.is_stopped()) {
      if (list()) watch_until_lost();
    }
  }

 private:
  // False: listed nothing to go on from; has waited.
  bool list() {
    auto listed = client_.list(kind_, selection_, sink_.list);
    if (!listed) {
      pause_after(to_string(listed.error()));
      return false;
    }
    well();
    version_ = listed->resource_version;
    sink_.on_listed(*listed);
    if (!listed->served) client_.wait(around(times_.unserved));
    return listed->served;
  }

  void watch_until_lost() {
    while (!client_.is_stopped()) {
      const std::int64_t begin = monotonic_ns();
      Client::WatchOptions options;
      options.selection = selection_;
      options.resource_version = version_;
      options.timeout_seconds =
          times_.watch_seconds_min +
          static_cast<int>(random_.below(static_cast<std::uint32_t>(times_.watch_seconds_min) + 1));
      const auto end = client_.watch(kind_, options, [this](WatchEvent event) {
        well();
        const std::string_view version = event.object.at("metadata").at("resourceVersion").text();
        if (!version.empty()) version_ = version;
        sink_.on_event(std::move(event));
      });
      if (!end) {
        // The kind may be gone (404), or our rights: a list tells.
        const bool lost = end.error().retry != Retry::kSafe || failures_ >= kFailuresUntilList;
        pause_after(to_string(end.error()));
        if (lost) return;
      } else if (*end == WatchEnd::kExpired) {
        client_.wait(around(times_.back_off_first));
        return;
      } else if (*end == WatchEnd::kClosed && monotonic_ns() - begin < kShortNs) {
        ++failures_;
        client_.wait(next_pause());
      } else {
        well();
      }
    }
  }

  Milliseconds around(Milliseconds duration) {
    const auto half = static_cast<std::uint32_t>(duration.count() / 2);
    return Milliseconds(half + random_.below(half + 1));
  }
  Milliseconds next_pause() {
    const std::int64_t factor = std::int64_t{1} << std::min(failures_ - 1, 12);
    return around(std::min(times_.back_off_max, times_.back_off_first * factor));
  }
  void pause_after(const std::string& why) {
    if (client_.is_stopped()) return;
    ++failures_;
    is_troubled_ = true;
    sink_.on_trouble(why);
    client_.wait(next_pause());
  }
  void well() {
    failures_ = 0;
    if (!is_troubled_) return;
    is_troubled_ = false;
    sink_.on_trouble("");
  }

  Client& client_;
  const Kind& kind_;
  const Selection selection_;
  const WatcherTimes times_;
  Random random_;
  const WatcherSink& sink_;
  std::string version_;
  int failures_ = 0;
  bool is_troubled_ = false;
};

}  // namespace

void run_watcher(Client& client, const Kind& kind, const Selection& selection,
                 const WatcherTimes& times, std::uint64_t seed, const WatcherSink& sink) {
  Watcher(client, kind, selection, times, seed, sink).run();
}

}  // namespace sluice::kube
