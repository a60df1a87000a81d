// One VirtualService -> route::Rules, for one Gateway server: matches, rewrites, redirects, header
// operations, retries, faults, CORS, delegates. Names of destinations become cluster ids through
// `Clusters`; everything else is translation.
// Source: networking.istio.io VirtualService; docs/explanation/routing.md, sections as there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "resource/istio.h"
#include "route/rule.h"

namespace sluice::compile {

// The same pattern is compiled once: every deployment's gRPC routes have the same one.
class RegexCache {
 public:
  // nullptr: not a regular expression (admission says so).
  std::shared_ptr<const route::Regex> find_or_make(std::string_view pattern);

 private:
  std::unordered_map<std::string, std::weak_ptr<const route::Regex>> patterns_;
  std::size_t sweep_at_ = 1024;
};

// Where one piece of a rule was found, so that a delegate's rule takes from its root what it lacks.
using Field = const resource::Value*;

// One entry of `http`, with its matches, delegates resolved. The pieces are views of documents.
struct RuleDraft {
  struct Match {
    route::Match match;
    std::uint32_t port = 0;  // 0: any
    std::vector<std::string> gateways;
    resource::Labels source_labels;
    std::string source_namespace;
    bool is_unusable = false;  // a regular expression that does not compile
    std::uint32_t index = 0;   // in the document
  };
  std::vector<Match> matches;  // empty: everything
  std::string name;            // "VirtualService default/iris http[0]"
  std::string origin;
  resource::Place place;
  const resource::VirtualService* owner = nullptr;  // short destination hosts are of its namespace
  Field route = nullptr;
  Field redirect = nullptr;
  Field direct_response = nullptr;
  Field rewrite = nullptr;
  Field timeout = nullptr;
  Field retries = nullptr;
  Field fault = nullptr;
  Field mirror = nullptr;
  Field mirror_percentage = nullptr;
  Field mirrors = nullptr;
  Field cors = nullptr;
  Field headers = nullptr;
};

// A delegate by namespace and name; nullptr: absent.
using FindDelegate =
    std::function<const resource::VirtualService*(std::string_view ns, std::string_view name)>;

std::vector<RuleDraft> draft_rules(const resource::VirtualService& service, RegexCache& regexes,
                                   const FindDelegate& find_delegate);

// What a rule is compiled for.
struct RuleTarget {
  std::uint16_t port = 0;    // the Gateway server's
  std::string_view gateway;  // "namespace/name"
  const resource::Labels* gateway_labels = nullptr;
  std::string_view gateway_namespace;
  // host as written in the document of `ns`; port 0: not given.
  std::function<route::ClusterId(std::string_view ns, std::string_view host, std::uint16_t port,
                                 std::string_view subset, std::uint16_t& chosen_port,
                                 std::string& full_host)>
      cluster;
};

struct CompiledRule {
  std::uint32_t index = 0;  // place among the VirtualService's rules and matches
  std::shared_ptr<const route::Rule> rule;
};

// In order, ending behind the first catch-all.
std::vector<CompiledRule> compile_rules(const resource::VirtualService& service,
                                        const std::vector<RuleDraft>& drafts,
                                        const RuleTarget& target, RegexCache& regexes);

// "ns/name" of a Gateway reference in a VirtualService of `ns`; "" for mesh and malformed ones.
std::string gateway_reference(std::string_view written, std::string_view ns,
                              std::string_view cluster_domain);

// Envoy's formats of header values: "%REQ(x)%", "%%".
route::HeaderFormat parse_header_format(std::string_view text);

}  // namespace sluice::compile
