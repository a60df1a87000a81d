// SeldonDeployment -> the Kubernetes and Istio objects that make it run. Pure: same input, same
// output; no I/O. The reference's behaviour, and where the default profile differs:
// docs/reference/deviations.md.
#pragma once

#include <string>
#include <vector>

#include "compile/settings.h"
#include "resource/diagnostic.h"
#include "resource/object.h"

namespace sluice::compile {

// What one predictor became: for whoever waits for its pods before traffic moves.
struct WiredPredictor {
  std::string name;
  resource::ObjectKey service_key;  // the Service that routes name
  std::vector<resource::ObjectKey>
      deployment_keys;                              // its pods, orchestrator included; no explainer
  resource::ObjectKey destination_rule_key;         // name empty when Istio is off
  std::vector<resource::ObjectKey> explainer_keys;  // Deployment, Service, routes of its explainer
  bool routed = false;  // has a destination in the VirtualService: no shadow
  bool shadow = false;
};

struct Wiring {
  // In safe order: Services, Deployments, (HorizontalPodAutoscalers, ScaledObjects,
  // PodDisruptionBudgets), DestinationRules, VirtualServices. Empty when has_errors(diagnostics).
  std::vector<resource::Object> objects;
  resource::Diagnostics diagnostics;
  std::vector<WiredPredictor> predictors;  // in the order of the document
  std::string address_url;                 // status.address.url
};

// REQUIRES: resource::is_seldon_deployment(seldon_deployment).
Wiring wire(const resource::Object& seldon_deployment, const Settings& settings);

// The annotation, on the pod template of a Deployment wired for one machine, that holds the
// manifest's file: relative model URIs are relative to its folder.
inline constexpr std::string_view kOriginAnnotation = "sluice.seldon.io/origin";
// The word that stands for our own binary in the command of a container wired for one machine.
inline constexpr std::string_view kSelfCommand = "@sluice";

}  // namespace sluice::compile
