#include "executor/metrics.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace sluice::executor {

namespace {

constexpr std::array<double, 14> kBounds = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                            0.5,   0.75, 1,     2.5,  5,     7.5, 10};
constexpr std::array<double, 6> kRanks = {0.5, 0.75, 0.9, 0.98, 0.99, 1};

void add_label(std::string& out, std::string_view name, std::string_view value) {
  if (!out.empty()) out += ',';
  out += name;
  out += "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string number(double value) { return std::isnan(value) ? "NaN" : fmt::format("{}", value); }

}  // namespace

unsigned Metrics::Window::bin_of(std::int64_t took_ns) noexcept {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(took_ns / 1'000, 1));
  const auto exponent = static_cast<unsigned>(std::bit_width(us)) - 1;
  // Four bits below the leading one.
  const std::uint64_t fraction = exponent >= 4 ? us >> (exponent - 4) : us << (4 - exponent);
  return std::min(exponent * 16 + static_cast<unsigned>(fraction & 15U), kBins - 1);
}

double Metrics::Window::middle_of(unsigned bin) noexcept {
  const double us = std::ldexp(1.0 + (bin % 16 + 0.5) / 16.0, static_cast<int>(bin / 16));
  return us / 1e6;
}

void Metrics::Window::add(std::int64_t took_ns, std::int64_t now_ns) {
  const std::int64_t epoch = now_ns / kPartNs;
  Part& part = parts_[static_cast<std::size_t>(epoch) % kParts];
  if (part.epoch != epoch) {
    part.epoch = epoch;
    part.counts.assign(kBins, 0);
  }
  ++part.counts[bin_of(took_ns)];
}

double Metrics::Window::quantile(double rank, std::int64_t now_ns) const {
  const std::int64_t oldest = now_ns / kPartNs - kParts;
  std::array<std::uint64_t, kBins> sums{};
  std::uint64_t total = 0;
  for (const Part& part : parts_) {
    if (part.epoch <= oldest || part.counts.empty()) continue;
    for (unsigned bin = 0; bin < kBins; ++bin) {
      sums[bin] += part.counts[bin];
      total += part.counts[bin];
    }
  }
  if (total == 0) return std::numeric_limits<double>::quiet_NaN();
  const auto wanted = static_cast<std::uint64_t>(std::ceil(rank * static_cast<double>(total)));
  std::uint64_t seen = 0;
  for (unsigned bin = 0; bin < kBins; ++bin) {
    seen += sums[bin];
    if (seen >= wanted) return middle_of(bin);
  }
  return middle_of(kBins - 1);
}

Metrics::Metrics(std::string deployment, const Predictor& predictor)
    : deployment_(std::move(deployment)), predictor_(predictor.name), version_(predictor.version) {}

Metrics::Series& Metrics::find(Family& family, std::string_view service, std::string_view method,
                               unsigned code, const Unit* unit, std::string_view model) {
  key_.clear();
  for (const std::string_view part : {service, method, model}) {
    key_ += part;
    key_ += '\0';
  }
  key_ += std::to_string(code);
  const auto found = family.find(key_);
  if (found != family.end()) return found->second;
  if (family.size() >= kSeriesMax &&
      (service != "other" || (unit != nullptr && model != "other"))) {
    return find(family, "other", method, code, unit, unit == nullptr ? model : "other");
  }
  Series& series = family[key_];
  std::string& labels = series.labels;
  add_label(labels, "code", std::to_string(code));
  add_label(labels, "deployment_name", deployment_);
  add_label(labels, "method", method);
  if (unit != nullptr) {
    add_label(labels, "model_image", unit->image);
    add_label(labels, "model_name", model);
    add_label(labels, "model_version", unit->image_version);
  }
  add_label(labels, "predictor_name", predictor_);
  add_label(labels, "predictor_version", version_);
  add_label(labels, "service", service);
  return series;
}

void Metrics::observe(Series& series, std::int64_t took_ns, std::int64_t now_ns) {
  const double seconds = static_cast<double>(took_ns) / 1e9;
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin();
  ++series.buckets[static_cast<std::size_t>(bucket)];
  ++series.count;
  series.sum += seconds;
  series.window.add(took_ns, now_ns);
}

void Metrics::count_server(std::string_view service, std::string_view method, unsigned code,
                           std::int64_t took_ns, std::int64_t now_ns) {
  observe(find(server_, service, method, code, nullptr, {}), took_ns, now_ns);
}

void Metrics::count_client(const Unit& unit, std::string_view model, std::string_view service,
                           std::string_view method, unsigned code, std::int64_t took_ns,
                           std::int64_t now_ns) {
  observe(find(client_, service, method, code, &unit, model), took_ns, now_ns);
}

void Metrics::print(std::string& out, const Family& family, std::string_view name,
                    std::string_view what, std::int64_t now_ns) {
  if (family.empty()) return;  // as the reference's page has it
  out += fmt::format("# HELP {} How long {} took, in buckets\n# TYPE {} histogram\n", name, what,
                     name);
  for (const auto& [key, series] : family) {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < series.buckets.size(); ++i) {
      below += series.buckets[i];
      const std::string bound = i < kBounds.size() ? number(kBounds[i]) : "+Inf";
      out += fmt::format("{}_bucket{{{},le=\"{}\"}} {}\n", name, series.labels, bound, below);
    }
    out += fmt::format("{}_sum{{{}}} {}\n", name, series.labels, number(series.sum));
    out += fmt::format("{}_count{{{}}} {}\n", name, series.labels, series.count);
  }
  out += fmt::format(
      "# HELP {}_summary How long {} took, quantiles of the last ten minutes\n# TYPE {}_summary "
      "summary\n",
      name, what, name);
  for (const auto& [key, series] : family) {
    for (const double rank : kRanks) {
      out += fmt::format("{}_summary{{{},quantile=\"{}\"}} {}\n", name, series.labels, number(rank),
                         number(series.window.quantile(rank, now_ns)));
    }
    out += fmt::format("{}_summary_sum{{{}}} {}\n", name, series.labels, number(series.sum));
    out += fmt::format("{}_summary_count{{{}}} {}\n", name, series.labels, series.count);
  }
}

std::string Metrics::page(std::int64_t now_ns) const {
  std::string out;
  print(out, client_, "seldon_api_executor_client_requests_seconds", "calls to units", now_ns);
  print(out, server_, "seldon_api_executor_server_requests_seconds", "requests", now_ns);
  return out;
}

}  // namespace sluice::executor
