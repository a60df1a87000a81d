#include "istio/barrier.h"

#include <fmt/core.h>

#include <charconv>

#include "base/text.h"

namespace sluice::istio {

using resource::List;
using resource::Map;
using resource::Value;

namespace {

constexpr std::string_view kWord = "sluice";

// Exact path, so that nothing else of a shared host is touched.
Map match(std::string path) { return Map{{"uri", Map{{"exact", std::move(path)}}}}; }

}  // namespace

std::string barrier_path(const Barrier& barrier) {
  return fmt::format("/.sluice/{}/{}", barrier.namespace_,
                     barrier.instance.empty() ? "-" : barrier.instance);
}

resource::Object barrier_object(const Barrier& barrier, const Target& target) {
  const std::string path = barrier_path(barrier);
  Map number{
      {"match", List{Value(match(path))}},
      {"directResponse", Map{{"status", 200},
                             {"body", Map{{"string", fmt::format("{} {} {}", kWord, barrier.nonce,
                                                                 barrier.number)}}}}}};
  List http{Value(std::move(number))};
  for (const auto& [token, to] : barrier.routes) {
    Map destination{{"host", to.host}, {"port", Map{{"number", to.port}}}};
    if (!to.subset.empty()) destination.set("subset", to.subset);
    // Istio's own retries would hide nothing, but take time; an orchestrator answers /ready
    // cheaply.
    http.emplace_back(Map{{"match", List{Value(match(path + "/" + token))}},
                          {"rewrite", Map{{"uri", "/ready"}}},
                          {"retries", Map{{"attempts", 0}}},
                          {"timeout", "1s"},
                          {"route", List{Value(Map{{"destination", std::move(destination)}})}}});
  }
  resource::Object object;
  object.api_version = "networking.istio.io/v1beta1";
  object.kind = "VirtualService";
  object.namespace_ = barrier.namespace_;
  const std::size_t slash = target.gateway.find('/');
  // A label's value, which the instance is, may have what a name may not.
  std::string instance = barrier.instance.empty() ? "" : "-" + barrier.instance;
  for (char& c : instance) {
    const bool is_fit = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!is_fit) c = '-';
  }
  object.name = fmt::format("sluice-probe{}.{}.{}", instance, target.gateway.substr(0, slash),
                            target.gateway.substr(slash + 1));
  object.root =
      Map{{"metadata", Map{{"labels", Map{{"app.kubernetes.io/managed-by", "sluice"},
                                          {"app.kubernetes.io/component", "gateway-probe"}}}}},
          {"spec", Map{{"hosts", List{Value(target.host)}},
                       {"gateways", List{Value(target.gateway)}},
                       {"http", std::move(http)}}}};
  return object;
}

Said read_answer(const Answer& answer, const Barrier& barrier, std::uint64_t& number) {
  number = 0;
  if (answer.status == 404) return Said::kNothing;
  if (answer.status != 200) return Said::kOther;
  const auto words = split(answer.body, ' ');
  if (words.size() != 3 || words[0] != kWord) return Said::kOther;
  if (words[1] != barrier.nonce) return Said::kNumber;
  std::from_chars(words[2].data(), words[2].data() + words[2].size(), number);
  return Said::kNumber;
}

// Envoy's own answers: 503 without a body when it does not know the cluster, "no healthy upstream"
// when the cluster has no endpoint. A connection that an endpoint refused is an endpoint all the
// same: it may listen for gRPC alone.
bool reached_endpoint(const Answer& answer) {
  if (answer.status != 503 || answer.has_upstream_time) return true;
  return !answer.body.empty() && answer.body.find("no healthy upstream") == std::string::npos;
}

}  // namespace sluice::istio
