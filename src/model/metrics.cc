#include "model/metrics.h"

#include <fmt/core.h>

#include "model/answer.h"

namespace sluice::model {

void Metrics::count(Protocol protocol, int status, std::size_t rows,
                    std::int64_t nanoseconds) noexcept {
  const std::size_t kind = status < 400 ? 0 : status < 500 ? 1 : 2;
  requests_[static_cast<std::size_t>(protocol)][kind].fetch_add(1, std::memory_order_relaxed);
  std::size_t bucket = 0;
  while (bucket < kBoundsUs.size() && nanoseconds > kBoundsUs[bucket] * 1'000) ++bucket;
  buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
  nanoseconds_.fetch_add(static_cast<std::uint64_t>(nanoseconds), std::memory_order_relaxed);
  rows_.fetch_add(rows, std::memory_order_relaxed);
}

std::string Metrics::page(const std::string& model_name) const {
  std::string label = "model_name=";
  append_json_text(label, model_name);
  constexpr const char* kProtocols[] = {"seldon", "v2"};
  constexpr const char* kClassNames[] = {"2xx", "4xx", "5xx"};
  std::string out =
      "# HELP sluice_model_requests_total Predictions answered, by protocol and class of status.\n"
      "# TYPE sluice_model_requests_total counter\n";
  for (std::size_t protocol = 0; protocol < 2; ++protocol) {
    for (std::size_t kind = 0; kind < kClasses; ++kind) {
      out +=
          fmt::format("sluice_model_requests_total{{{},protocol=\"{}\",status=\"{}\"}} {}\n", label,
                      kProtocols[protocol], kClassNames[kind], requests_[protocol][kind].load());
    }
  }
  out +=
      "# HELP sluice_model_rows_total Rows predicted.\n"
      "# TYPE sluice_model_rows_total counter\n";
  out += fmt::format("sluice_model_rows_total{{{}}} {}\n", label, rows_.load());
  out +=
      "# HELP sluice_model_request_seconds From the whole request read to the answer made.\n"
      "# TYPE sluice_model_request_seconds histogram\n";
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < kBoundsUs.size(); ++i) {
    total += buckets_[i].load();
    out += fmt::format("sluice_model_request_seconds_bucket{{{},le=\"{}\"}} {}\n", label,
                       static_cast<double>(kBoundsUs[i]) / 1e6, total);
  }
  total += buckets_.back().load();
  out += fmt::format("sluice_model_request_seconds_bucket{{{},le=\"+Inf\"}} {}\n", label, total);
  out += fmt::format("sluice_model_request_seconds_sum{{{}}} {}\n", label,
                     static_cast<double>(nanoseconds_.load()) / 1e9);
  out += fmt::format("sluice_model_request_seconds_count{{{}}} {}\n", label, total);
  return out;
}

}  // namespace sluice::model
