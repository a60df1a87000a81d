// Counters of the model server, as Prometheus reads them. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice::model {

enum class Protocol : std::uint8_t { kSeldon, kV2 };

class Metrics {
 public:
  // One prediction answered.
  void count(Protocol protocol, int status, std::size_t rows, std::int64_t nanoseconds) noexcept;
  // The page in Prometheus's text format 0.0.4, each sample with label model_name.
  std::string page(const std::string& model_name) const;

 private:
  static constexpr std::array<std::int64_t, 12> kBoundsUs = {
      50, 100, 250, 500, 1'000, 2'500, 10'000, 25'000, 100'000, 500'000, 2'500'000, 10'000'000};
  static constexpr std::size_t kClasses = 3;  // 2xx, 4xx, 5xx
  std::array<std::array<std::atomic<std::uint64_t>, kClasses>, 2> requests_{};
  std::array<std::atomic<std::uint64_t>, kBoundsUs.size() + 1> buckets_{};
  std::atomic<std::uint64_t> nanoseconds_{0};
  std::atomic<std::uint64_t> rows_{0};
};

}  // namespace sluice::model
