// HorizontalPodAutoscaler, ScaledObject, PodDisruptionBudget of one Deployment.
#include <utility>

#include "compile/pod.h"
#include "compile/wire_detail.h"

namespace sluice::compile {

using resource::List;
using resource::Map;
using resource::Value;

namespace {

void copy(const Value& from, std::string_view from_key, Map& to, std::string_view to_key) {
  if (const Value& value = from.at(from_key); !value.is_null()) to.set(to_key, value);
}

// One metric in the shape of autoscaling/v2beta1 to that of autoscaling/v2.
Value convert_metric(const Value& metric) {
  const std::string_view type = metric.at("type").text();
  Map converted{{"type", type}};
  const auto target_of = [](std::string_view target_type) { return Map{{"type", target_type}}; };
  const auto metric_of = [](const Value& source, std::string_view selector_key) {
    Map named{{"name", source.at("metricName")}};
    copy(source, selector_key, named, "selector");
    return named;
  };
  if (type == "Resource" || type == "ContainerResource") {
    const std::string_view key = type == "Resource" ? "resource" : "containerResource";
    const Value& source = metric.at(key);
    Map target =
        target_of(source.at("targetAverageValue").is_null() ? "Utilization" : "AverageValue");
    copy(source, "targetAverageUtilization", target, "averageUtilization");
    copy(source, "targetAverageValue", target, "averageValue");
    Map out{{"name", source.at("name")}, {"target", std::move(target)}};
    copy(source, "container", out, "container");
    converted.set(key, std::move(out));
  } else if (type == "Pods") {
    const Value& source = metric.at("pods");
    Map target = target_of("AverageValue");
    copy(source, "targetAverageValue", target, "averageValue");
    converted.set("pods",
                  Map{{"metric", metric_of(source, "selector")}, {"target", std::move(target)}});
  } else if (type == "External") {
    const Value& source = metric.at("external");
    Map target = target_of(source.at("targetValue").is_null() ? "AverageValue" : "Value");
    copy(source, "targetValue", target, "value");
    copy(source, "targetAverageValue", target, "averageValue");
    converted.set("external", Map{{"metric", metric_of(source, "metricSelector")},
                                  {"target", std::move(target)}});
  } else if (type == "Object") {
    const Value& source = metric.at("object");
    Map target = target_of(source.at("averageValue").is_null() ? "Value" : "AverageValue");
    copy(source, "targetValue", target, "value");
    copy(source, "averageValue", target, "averageValue");
    converted.set("object", Map{{"describedObject", source.at("target")},
                                {"metric", metric_of(source, "selector")},
                                {"target", std::move(target)}});
  } else {
    return metric;
  }
  return converted;
}

Map target_reference(const Draft& draft) {
  return Map{{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"name", draft.name}};
}

}  // namespace

void wire_scaling(Wire& wire, const resource::ComponentSpec& component, const Draft& draft) {
  const auto labels = [&] { return Map{{"labels", Map{{"seldon-deployment-id", wire.id}}}}; };
  if (!component.keda.is_null()) {
    if (wire.settings.keda_enabled) {
      Map spec = component.keda.map();
      spec.set("scaleTargetRef", target_reference(draft));
      wire.scaling.push_back(make_object(wire, "keda.sh/v1alpha1", "ScaledObject", draft.name,
                                         labels(), std::move(spec)));
    } else {
      wire.report.warning(component.origin.field + ".kedaSpec", "keda-off",
                          "nothing scales this: KEDA support is off", "set KEDA_ENABLED=true");
    }
  } else if (component.hpa) {
    Map spec{{"scaleTargetRef", target_reference(draft)}};
    spec.set("minReplicas", component.hpa->min_replicas.value_or(1));  // 1 is the API's own default
    spec.set("maxReplicas", component.hpa->max_replicas);
    if (!component.hpa->metrics.is_null()) {
      List metrics;
      for (const Value& metric : component.hpa->metrics.list())
        metrics.push_back(convert_metric(metric));
      spec.set("metrics", std::move(metrics));
    } else if (!component.hpa->metrics_v2.is_null()) {
      spec.set("metrics", component.hpa->metrics_v2);
    }
    wire.scaling.push_back(make_object(wire, "autoscaling/v2", "HorizontalPodAutoscaler",
                                       draft.name, labels(), std::move(spec)));
  }
  if (!component.pdb) return;
  Map spec;
  if (!component.pdb->min_available.is_null())
    spec.set("minAvailable", component.pdb->min_available);
  if (!component.pdb->max_unavailable.is_null())
    spec.set("maxUnavailable", component.pdb->max_unavailable);
  // By the SeldonDeployment's label alone, the budgets of its components would block each other's
  // evictions.
  resource::TextMap selector{{"seldon-deployment-id", wire.id}};
  if (wire.fixes()) merge(selector, draft.selector);
  spec.set("selector", Map{{"matchLabels", to_value(selector)}});
  wire.scaling.push_back(
      make_object(wire, "policy/v1", "PodDisruptionBudget", draft.name, labels(), std::move(spec)));
}

}  // namespace sluice::compile
