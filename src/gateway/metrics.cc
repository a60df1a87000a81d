#include "gateway/metrics.h"

#include <fmt/format.h>

#include <iterator>

namespace sluice::gateway {

namespace {

struct Simple {
  const char* name;
  const char* type;
  const char* help;
  Cell Metrics::* cell;
};

constexpr Simple kSimple[] = {
    {"sluice_refused_heads_total", "counter",
     "Requests refused before routing: malformed, too large", &Metrics::refused_heads},
    {"sluice_downstream_connections", "gauge", "Connections from callers that are open",
     &Metrics::downstream_connections},
    {"sluice_downstream_connections_total", "counter", "Connections from callers accepted",
     &Metrics::downstream_connections_total},
    {"sluice_downstream_requests_active", "gauge", "Requests being worked on",
     &Metrics::downstream_requests_active},
    {"sluice_downstream_received_bytes_total", "counter", "Bytes read from callers",
     &Metrics::downstream_bytes_in},
    {"sluice_downstream_sent_bytes_total", "counter", "Bytes written to callers",
     &Metrics::downstream_bytes_out},
    {"sluice_upstream_connections", "gauge", "Connections to endpoints that are open",
     &Metrics::upstream_connections},
    {"sluice_upstream_connections_total", "counter", "Connections to endpoints opened",
     &Metrics::upstream_connections_total},
    {"sluice_upstream_connect_failures_total", "counter", "Connections to endpoints that failed",
     &Metrics::upstream_connect_failures},
    {"sluice_upstream_received_bytes_total", "counter", "Bytes read from endpoints",
     &Metrics::upstream_bytes_in},
    {"sluice_upstream_sent_bytes_total", "counter", "Bytes written to endpoints",
     &Metrics::upstream_bytes_out},
    {"sluice_retries_total", "counter", "Tries beyond the first, by retry policy",
     &Metrics::retries},
    {"sluice_undelivered_retries_total", "counter",
     "Tries beyond the first, since nothing had reached the endpoint", &Metrics::free_retries},
    {"sluice_reroutes_total", "counter",
     "Requests routed again by a newer configuration after their endpoints refused",
     &Metrics::reroutes},
    {"sluice_failovers_total", "counter",
     "Requests given to another weighted destination, since no endpoint of the chosen one answered",
     &Metrics::failovers},
    {"sluice_mirrors_total", "counter", "Copies of requests sent", &Metrics::mirrors},
    {"sluice_mirrors_dropped_total", "counter", "Copies of requests given up",
     &Metrics::mirrors_dropped},
    {"sluice_ejections_total", "counter", "Endpoints ejected by outlier detection",
     &Metrics::ejections},
    {"sluice_tls_handshakes_total", "counter", "TLS handshakes with callers",
     &Metrics::tls_handshakes},
    {"sluice_tls_handshake_failures_total", "counter", "TLS handshakes with callers that failed",
     &Metrics::tls_handshake_failures},
    {"sluice_accept_paused_total", "counter",
     "Times that accepting paused: connection limit or no descriptors", &Metrics::accept_paused},
    {"sluice_access_log_dropped_total", "counter", "Access log lines that found the ring full",
     &Metrics::access_log_dropped},
    {"sluice_snapshots_alive", "gauge", "Snapshots that some request still uses, over all workers",
     &Metrics::snapshots_alive},
};

using Out = std::back_insert_iterator<std::string>;

void head(Out out, const char* name, const char* type, const char* help) {
  fmt::format_to(out, "# HELP {} {}.\n# TYPE {} {}\n", name, help, name, type);
}

template <class Pick>
std::uint64_t sum(const std::vector<const Metrics*>& workers, Pick pick) {
  std::uint64_t total = 0;
  for (const Metrics* worker : workers) total += pick(*worker).get();
  return total;
}

void render_latency(Out out, const std::vector<const Metrics*>& workers) {
  static constexpr const char* kName = "sluice_request_seconds";
  head(out, kName, "histogram", "Time from the first byte of a request to the last of its answer");
  std::uint64_t total = 0;
  for (unsigned i = 0; i < kLatencyBuckets; ++i) {
    total += sum(workers, [i](const Metrics& m) -> const Cell& { return m.latency[i]; });
    if (i + 1 < kLatencyBuckets) {
      fmt::format_to(out, "{}_bucket{{le=\"{}\"}} {}\n", kName,
                     static_cast<double>(kLatencyBoundsUs[i]) / 1e6, total);
    } else {
      fmt::format_to(out, "{}_bucket{{le=\"+Inf\"}} {}\n", kName, total);
    }
  }
  const std::uint64_t us =
      sum(workers, [](const Metrics& m) -> const Cell& { return m.latency_sum_us; });
  fmt::format_to(out, "{}_sum {}\n{}_count {}\n", kName, static_cast<double>(us) / 1e6, kName,
                 total);
}

}  // namespace

std::string render(const std::vector<const Metrics*>& workers) {
  std::string text;
  const Out out(text);
  head(out, "sluice_requests_total", "counter", "Requests answered, by class of status");
  static constexpr const char* kClasses[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  for (unsigned i = 0; i < 6; ++i) {
    fmt::format_to(
        out, "sluice_requests_total{{code_class=\"{}\"}} {}\n", kClasses[i],
        sum(workers, [i](const Metrics& m) -> const Cell& { return m.requests_by_class[i]; }));
  }
  head(out, "sluice_response_flags_total", "counter", "Requests by what went wrong, Envoy's flags");
  for (unsigned i = 0; i < flag::kCount; ++i) {
    fmt::format_to(out, "sluice_response_flags_total{{flag=\"{}\"}} {}\n", flag_name(i),
                   sum(workers, [i](const Metrics& m) -> const Cell& { return m.flags[i]; }));
  }
  render_latency(out, workers);
  for (const Simple& each : kSimple) {
    head(out, each.name, each.type, each.help);
    fmt::format_to(out, "{} {}\n", each.name,
                   sum(workers, [&](const Metrics& m) -> const Cell& { return m.*each.cell; }));
  }
  head(out, "sluice_snapshot_version", "gauge",
       "Oldest snapshot that a worker gives to new requests");
  std::uint64_t version = ~std::uint64_t{0};
  for (const Metrics* worker : workers) {
    version = std::min(version, worker->snapshot_version.get());
  }
  fmt::format_to(out, "sluice_snapshot_version {}\n", workers.empty() ? 0 : version);
  return text;
}

}  // namespace sluice::gateway
