// One function per verb: options in, exit code out (output.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/input.h"
#include "cli/live.h"
#include "cli/output.h"
#include "compile/settings.h"
#include "gateway/gateway.h"

namespace sluice::cli {

struct RenderOptions {
  Source source;
  compile::Settings settings;
  Format format = Format::kYaml;
};
int render(const RenderOptions& options);

struct ValidateOptions {
  Source source;
  compile::Settings settings;
  Format format = Format::kTable;
  bool strict = false;  // warnings refuse, too
};
int validate(const ValidateOptions& options);

struct RoutesOptions {
  Source source;
  compile::Settings settings;
  Format format = Format::kTable;
};
int routes(const RoutesOptions& options);

struct ExplainOptions {
  Source source;
  compile::Settings settings;
  Format format = Format::kTable;
  std::vector<std::string> request;  // as curl takes it
};
int explain(const ExplainOptions& options);

// Of a cluster: how its SeldonDeployments stand, and what keeps them from working.
struct StatusOptions {
  std::shared_ptr<Live> live;
  bool details = false;  // of each, not a line only
  Format format = Format::kTable;
};
int status(const StatusOptions& options);

struct ServeOptions {
  std::vector<std::string> files;
  compile::Settings settings;
  gateway::Options gateway;
  std::string admin = "127.0.0.1:15000";
  std::int64_t drain_seconds = 30;
};
int serve(const ServeOptions& options);

struct OperatorOptions {
  compile::Settings settings;
  std::string kubeconfig;  // "": $KUBECONFIG, the pod's service account, ~/.kube/config
  std::string context;
  std::string namespace_;  // "": all
  std::string admin = "0.0.0.0:8080";
  bool leader_elect = false;
  std::string lease_namespace;  // "": the pod's
  std::string lease_name =
      "a33bd623.machinelearning.seldon.io";  // the reference's, so that one of the two leads
  Milliseconds lease_duration{15'000};       // what fits: kube::check_times
  Milliseconds renew_deadline{10'000};
  Milliseconds retry_period{2'000};
  bool usage_metrics = false;     // counts among the metrics
  std::string usage_metrics_url;  // where the leader posts them; "": nowhere
  Milliseconds usage_metrics_interval{86'400'000};
  std::string webhook = "off";       // ADDRESS:PORT
  std::string webhook_certificates;  // folder; "": made and kept in a Secret
  std::string webhook_service = "seldon-webhook-service";
  std::string webhook_secret = "seldon-webhook-server-cert";
  std::string webhook_configuration;  // "": nobody's
  std::string pod_name;               // "": not in a pod
  bool gateway_probe = true;          // ask gateways which routes they use; false: always settle_ms
  std::int64_t settle_ms = 5000;
  unsigned writers = 8;
};
int operate(const OperatorOptions& options);

}  // namespace sluice::cli
