// The reference's four families on the Prometheus page: requests of callers and calls to units,
// each as a histogram and as a summary. Thread: one. Bounded: at most kSeriesMax label sets a
// family; what callers' model names would make beyond counts as model and service "other".
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "executor/predictor.h"

namespace sluice::executor {

class Metrics {
 public:
  static constexpr std::size_t kSeriesMax = 500;

  Metrics(std::string deployment, const Predictor& predictor);

  // `service`: a Match's; `method` in lower case; `now_ns`: monotonic, as for the page.
  void count_server(std::string_view service, std::string_view method, unsigned code,
                    std::int64_t took_ns, std::int64_t now_ns);
  // `service`: the path at the unit; `model`: the unit's name, or the one that replaced it.
  void count_client(const Unit& unit, std::string_view model, std::string_view service,
                    std::string_view method, unsigned code, std::int64_t took_ns,
                    std::int64_t now_ns);

  // Prometheus's text format 0.0.4.
  std::string page(std::int64_t now_ns) const;

 private:
  // Durations in bins of 6 %, kept for the last ten minutes in five parts: what a summary's
  // quantiles are taken from. The reference's own are off by up to 5 % of the rank.
  class Window {
   public:
    void add(std::int64_t took_ns, std::int64_t now_ns);
    // In seconds; NaN when nothing was seen.
    double quantile(double rank, std::int64_t now_ns) const;

   private:
    static constexpr unsigned kParts = 5;
    static constexpr std::int64_t kPartNs = 120'000'000'000;
    static constexpr unsigned kBins = 512;  // 16 for each power of two from 1 us on
    static unsigned bin_of(std::int64_t took_ns) noexcept;
    static double middle_of(unsigned bin) noexcept;
    struct Part {
      std::int64_t epoch = -1;
      std::vector<std::uint32_t> counts;
    };
    std::array<Part, kParts> parts_;
  };

  struct Series {
    std::string labels;  // code="200",deployment_name="d",...
    std::array<std::uint64_t, 15> buckets{};
    std::uint64_t count = 0;
    double sum = 0;
    Window window;
  };
  using Family = std::map<std::string, Series, std::less<>>;

  static void observe(Series& series, std::int64_t took_ns, std::int64_t now_ns);
  Series& find(Family& family, std::string_view service, std::string_view method, unsigned code,
               const Unit* unit, std::string_view model);
  static void print(std::string& out, const Family& family, std::string_view name,
                    std::string_view what, std::int64_t now_ns);

  const std::string deployment_;
  const std::string predictor_;
  const std::string version_;
  Family server_;
  Family client_;
  std::string key_;  // scratch
};

}  // namespace sluice::executor
