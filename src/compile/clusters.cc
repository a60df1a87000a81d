// route::Cluster from a service, its endpoints and its DestinationRule.
// Source: DestinationRule TrafficPolicy; docs/explanation/routing.md.

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "compile/services.h"
#include "resource/duration.h"

namespace sluice::compile {

using resource::Value;

namespace {

// Fields of a trafficPolicy that replace each other as wholes.
struct Policies {
  const Value* load_balancer = nullptr;
  const Value* connection_pool = nullptr;
  const Value* outlier = nullptr;
  const Value* tls = nullptr;
};

const Value* map_or_null(const Value& value) { return value.is_map() ? &value : nullptr; }

Policies fields_of(const Value& policy) {
  return {map_or_null(policy.at("loadBalancer")), map_or_null(policy.at("connectionPool")),
          map_or_null(policy.at("outlierDetection")), map_or_null(policy.at("tls"))};
}

// portLevelSettings of that port replace everything.
void apply_port_level(const Value& policy, std::uint16_t port, Policies& policies) {
  for (const Value& each : policy.at("portLevelSettings").list()) {
    if (each.at("port").at("number").integer() == port) policies = fields_of(each);
  }
}

Policies merge_policies(const Value* rule, const Value* subset, std::uint16_t port) {
  Policies policies;
  if (rule != nullptr) {
    policies = fields_of(*rule);
    apply_port_level(*rule, port, policies);
  }
  if (subset != nullptr) {
    const Policies own = fields_of(*subset);
    if (own.load_balancer != nullptr) policies.load_balancer = own.load_balancer;
    if (own.connection_pool != nullptr) policies.connection_pool = own.connection_pool;
    if (own.outlier != nullptr) policies.outlier = own.outlier;
    if (own.tls != nullptr) policies.tls = own.tls;
    apply_port_level(*subset, port, policies);
  }
  return policies;
}

Milliseconds duration_or(const Value& value, Milliseconds otherwise) {
  const auto duration = resource::parse_duration(value.text());
  return duration ? std::chrono::duration_cast<Milliseconds>(*duration) : otherwise;
}

// Absent and 0 mean: no limit.
void take_limit(const Value& value, std::uint32_t& into) {
  if (value.integer() > 0) {
    into = static_cast<std::uint32_t>(std::min<std::int64_t>(value.integer(), 0xffffffff));
  }
}

void set_load_balancer(const Value& value, route::LoadBalancer& balancer) {
  using Kind = route::LoadBalancer::Kind;
  using Hash = route::LoadBalancer::Hash;
  const std::string_view simple = value.at("simple").text();
  if (simple == "ROUND_ROBIN") balancer.kind = Kind::kRoundRobin;
  if (simple == "RANDOM") balancer.kind = Kind::kRandom;
  const Value& hash = value.at("consistentHash");
  if (!hash.is_map()) return;
  if (!hash.at("httpHeaderName").text().empty()) {
    balancer.kind = Kind::kHash;
    balancer.hash = Hash::kHeader;
    balancer.hash_key = to_lower(hash.at("httpHeaderName").text());
  } else if (const Value& cookie = hash.at("httpCookie"); cookie.is_map()) {
    balancer.kind = Kind::kHash;
    balancer.hash = Hash::kCookie;
    balancer.hash_key = cookie.at("name").text();
    balancer.cookie_path = cookie.at("path").text();
    if (const auto ttl = resource::parse_duration(cookie.at("ttl").text())) {
      balancer.cookie_ttl_seconds = std::chrono::duration_cast<std::chrono::seconds>(*ttl).count();
    }
  } else if (hash.at("useSourceIp").flag()) {
    balancer.kind = Kind::kHash;
    balancer.hash = Hash::kSourceIp;
  } else if (!hash.at("httpQueryParameterName").text().empty()) {
    balancer.kind = Kind::kHash;
    balancer.hash = Hash::kQueryParameter;
    balancer.hash_key = hash.at("httpQueryParameterName").text();
  }
}

void set_pool(const Value& value, route::Cluster& cluster) {
  const Value& tcp = value.at("tcp");
  const Value& http = value.at("http");
  route::ConnectionPool& pool = cluster.pool;
  take_limit(tcp.at("maxConnections"), pool.connections_max);
  take_limit(http.at("http1MaxPendingRequests"), pool.pending_max);
  take_limit(http.at("http2MaxRequests"), pool.requests_max);
  take_limit(http.at("maxRetries"), pool.retries_max);
  take_limit(http.at("maxRequestsPerConnection"), pool.requests_per_connection_max);
  pool.connect_timeout = duration_or(tcp.at("connectTimeout"), pool.connect_timeout);
  pool.idle_timeout = duration_or(http.at("idleTimeout"), pool.idle_timeout);
  if (http.at("h2UpgradePolicy").text() == "UPGRADE") {
    cluster.protocol = route::UpstreamProtocol::kHttp2;
  }
}

route::OutlierDetection read_outlier(const Value& value) {
  route::OutlierDetection outlier;
  const auto take = [](const Value& number, std::uint32_t& into) {
    if (number.is_number()) {
      into = static_cast<std::uint32_t>(std::max<std::int64_t>(0, number.integer()));
    }
  };
  take(value.at("consecutiveErrors"), outlier.consecutive_5xx);
  take(value.at("consecutive5xxErrors"), outlier.consecutive_5xx);
  take(value.at("consecutiveGatewayErrors"), outlier.consecutive_gateway_errors);
  take(value.at("maxEjectionPercent"), outlier.ejection_percent_max);
  take(value.at("minHealthPercent"), outlier.min_health_percent);
  outlier.interval = duration_or(value.at("interval"), outlier.interval);
  outlier.base_ejection = duration_or(value.at("baseEjectionTime"), outlier.base_ejection);
  return outlier;
}

// appProtocol first, then the port's name up to "-"; a ServiceEntry's port has its protocol.
route::UpstreamProtocol protocol_of(const resource::ServicePort& port, bool is_entry) {
  const auto is_http2 = [](std::string_view word) {
    return word == "http2" || word == "grpc" || word == "grpc-web";
  };
  if (is_entry) {
    return is_http2(to_lower(port.protocol)) ? route::UpstreamProtocol::kHttp2
                                             : route::UpstreamProtocol::kHttp1;
  }
  if (!port.app_protocol.empty()) {
    const bool h2 =
        is_http2(to_lower(port.app_protocol)) || port.app_protocol == "kubernetes.io/h2c";
    return h2 ? route::UpstreamProtocol::kHttp2 : route::UpstreamProtocol::kHttp1;
  }
  const std::string name = to_lower(port.name);
  const bool h2 = is_http2(name) || name.starts_with("http2-") || name.starts_with("grpc-");
  return h2 ? route::UpstreamProtocol::kHttp2 : route::UpstreamProtocol::kHttp1;
}

// A slice says nothing of its pods' labels, so a label that the slice lacks counts as fitting; one
// that it has must be equal. (A cluster's Istio looks at the Pods.)
bool may_have_labels(const resource::Labels& known, const resource::Labels& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& want) {
    return std::all_of(known.begin(), known.end(), [&](const auto& have) {
      return have.first != want.first || have.second == want.second;
    });
  });
}

void add_endpoint(route::Cluster& cluster, route::Endpoint endpoint) {
  const bool is_there = std::any_of(
      cluster.endpoints.begin(), cluster.endpoints.end(),
      [&](const auto& each) { return each.ip == endpoint.ip && each.port == endpoint.port; });
  if (!is_there) cluster.endpoints.push_back(std::move(endpoint));
}

const std::string* first_of(const resource::Secret& secret, std::string_view a,
                            std::string_view b) {
  const std::string* found = secret.find(a);
  return found != nullptr ? found : secret.find(b);
}

}  // namespace

void Services::add_entry_endpoints(const resource::ServiceEntry& entry,
                                   const resource::ServicePort& port,
                                   const resource::Labels* labels, route::Cluster& cluster) const {
  const std::uint16_t plain_port = port.target_port != 0 ? port.target_port : port.port;
  const bool is_dns = entry.resolution.starts_with("DNS");
  const auto add = [&](const std::string& address, std::uint16_t number, std::uint32_t weight) {
    const auto resolved = is_dns ? addresses_.find(address) : addresses_.end();
    if (resolved == addresses_.end()) {
      const bool is_name = is_dns &&
                           address.find_first_not_of("0123456789.") != std::string::npos &&
                           address.find(':') == std::string::npos;
      if (!is_name) add_endpoint(cluster, {address, number, weight});
      return;
    }
    for (const std::string& ip : resolved->second) add_endpoint(cluster, {ip, number, weight});
  };
  if (entry.resolution == "NONE") return;
  for (const auto& each : entry.endpoints) {
    if (labels != nullptr && !resource::has_labels(each.labels, *labels)) continue;
    std::uint16_t number = plain_port;
    for (const auto& [name, own] : each.ports) {
      if (name == port.name) number = own;
    }
    add(each.address, number, each.weight);
  }
  if (entry.endpoints.empty() && is_dns && labels == nullptr) {
    for (const std::string& host : entry.hosts) add(host, plain_port, 1);
  }
}

void Services::add_endpoints(const Provider& provider, const resource::ServicePort& port,
                             const resource::Labels* labels, route::Cluster& cluster) const {
  if (provider.is_entry) {
    add_entry_endpoints(entries_.at(provider.key), port, labels, cluster);
    return;
  }
  const auto slices = slices_.find(cluster.host);
  if (slices == slices_.end()) return;
  for (const auto& [name, slice] : slices->second) {
    if (labels != nullptr && !may_have_labels(slice.labels, *labels)) continue;
    for (const auto& slice_port : slice.ports) {
      if (slice_port.name != port.name) continue;
      for (const auto& endpoint : slice.endpoints) {
        if (!endpoint.ready) continue;
        for (const std::string& address : endpoint.addresses) {
          add_endpoint(cluster, {address, slice_port.port, 1});
        }
      }
    }
  }
}

// False: the secret that it needs is not there.
bool Services::set_tls(const Value& tls, const ClusterKey& key, route::Cluster& cluster) {
  const std::string_view mode = tls.at("mode").text();
  if (mode != "SIMPLE" && mode != "MUTUAL") return true;  // DISABLE; ISTIO_MUTUAL: a diagnostic
  route::UpstreamTls made;
  made.sni = tls.at("sni").text();
  made.subject_alt_names = resource::read_texts(tls.at("subjectAltNames"));
  made.verify = !tls.at("insecureSkipVerify").flag();
  if (const std::string_view name = tls.at("credentialName").text(); !name.empty()) {
    const std::string& ns = settings_.gateway_namespace;
    for (const std::string_view suffix : {"", "-cacert"}) {
      secret_users_[ns + "/" + std::string(name) + std::string(suffix)].insert(key.host);
    }
    const resource::Secret* secret = find_secret(ns, name);
    const resource::Secret* ca = find_secret(ns, std::string(name) + "-cacert");
    if (secret == nullptr && ca == nullptr) return false;
    for (const resource::Secret* each : {secret, ca}) {
      if (each == nullptr) continue;
      if (const std::string* text = first_of(*each, "ca.crt", "cacert")) made.ca_pem = *text;
    }
    if (mode == "MUTUAL" && secret != nullptr) {
      if (const std::string* text = first_of(*secret, "tls.crt", "cert")) {
        made.certificate_pem = *text;
      }
      if (const std::string* text = first_of(*secret, "tls.key", "key")) made.key_pem = *text;
    }
  }
  cluster.tls = std::move(made);
  return true;
}

std::shared_ptr<route::Cluster> Services::make_cluster(const ClusterKey& key) {
  const Found found = find_port(key.host, key.port);
  if (found.port == nullptr) return nullptr;
  const Policy policy = find_policy(key.host, found.provider->ns);
  const resource::Subset* subset = nullptr;
  for (const resource::Subset* each : policy.subsets) {
    if (!key.subset.empty() && each->name == key.subset) subset = each;
  }
  if (!key.subset.empty() && subset == nullptr) return nullptr;

  auto cluster = std::make_shared<route::Cluster>();
  cluster->host = key.host;
  cluster->port = key.port;
  cluster->subset = key.subset;
  cluster->name = cluster_name(key.host, key.port, key.subset);
  cluster->protocol = protocol_of(*found.port, found.provider->is_entry);
  const bool by_label = subset != nullptr && !subset->labels.empty();
  add_endpoints(*found.provider, *found.port, by_label ? &subset->labels : nullptr, *cluster);

  const Policies policies =
      merge_policies(policy.policy, subset == nullptr ? nullptr : subset->policy, key.port);
  if (policies.load_balancer != nullptr) {
    set_load_balancer(*policies.load_balancer, cluster->load_balancer);
  }
  if (policies.connection_pool != nullptr) set_pool(*policies.connection_pool, *cluster);
  if (policies.outlier != nullptr) cluster->outlier = read_outlier(*policies.outlier);
  // Without its secret a cluster has nobody whom it could trust.
  if (policies.tls != nullptr && !set_tls(*policies.tls, key, *cluster)) {
    cluster->endpoints.clear();
  }
  return cluster;
}

}  // namespace sluice::compile
