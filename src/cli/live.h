// What `kubectl sluice` reads: a cluster, once, over the API server. Writes nothing.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/input.h"
#include "kube/client.h"

namespace sluice::cli {

struct LiveOptions {
  bool used = false;  // started as kubectl-sluice
  std::string kubeconfig;
  std::string context;
  std::string namespace_;  // "": the context's
  bool all_namespaces = false;
  std::vector<std::string> names;  // of SeldonDeployments; none: all of the namespace
};

using Objects = std::vector<std::shared_ptr<const resource::Object>>;

class Live {
 public:
  // Fails (kConfig): no kubeconfig, unreadable certificates. Connects to nothing yet.
  static Result<Live> open(const LiveOptions& options);

  // All of a kind, in `namespace_` or everywhere (""). `file` of each says whom it belongs to, for
  // "from" in listings. Fails (kUpstream) in the API server's words; a kind that it does not know
  // is an empty list.
  Result<Objects> list(std::string_view group, std::string_view kind,
                       const std::string& namespace_ = {}, const std::string& selector = {});

  // The SeldonDeployments that the options choose. Fails (kConfig) when one that is named is not
  // there.
  Result<Objects> deployments();
  // What requests are routed by, of all namespaces: Gateways, VirtualServices, DestinationRules,
  // ServiceEntries, Services, EndpointSlices, and the Secrets that the Gateways name. What may not
  // be read is left out, with a warning.
  Result<Objects> routing(resource::Diagnostics& diagnostics);

  // How the operator that runs in the cluster is set up: its environment and its ConfigMap. Without
  // one, or without the right to see it, nothing is set, and a warning says so.
  struct Setup {
    std::function<std::optional<std::string>(std::string_view)> variable;
    std::function<std::optional<std::string>(std::string_view)> config_key;
    bool compat = false;
    std::string warning;
  };
  Setup setup();

 private:
  Live(LiveOptions options, std::unique_ptr<kube::Client> client)
      : options_(std::move(options)), client_(std::move(client)) {}
  LiveOptions options_;
  std::unique_ptr<kube::Client> client_;
};

}  // namespace sluice::cli
