#include "operator/bridge.h"

#include <fmt/core.h>

#include <algorithm>

#include "resource/kubernetes.h"

namespace sluice::operator_ {

using resource::List;
using resource::Map;
using resource::Object;
using resource::Value;

namespace {

const Value& template_of(const Object& deployment) { return deployment.spec().at("template"); }

// What Kubernetes makes of a Service's targetPort that is a name: the first container's that has
// it.
std::int64_t named_port(const Object& deployment, std::string_view name) {
  for (const Value& container : template_of(deployment).at("spec").at("containers").list()) {
    for (const Value& port : container.at("ports").list()) {
      if (port.at("name").text() == name && port.at("protocol").text("TCP") == "TCP")
        return port.at("containerPort").integer();
    }
  }
  return 0;
}

bool all_name(const Deployments& pods, std::string_view name, std::int64_t number) {
  return !pods.empty() && std::all_of(pods.begin(), pods.end(), [&](const Object* each) {
    return named_port(*each, name) == number;
  });
}

const Value* find_port(const List& ports, std::string_view field, const Value& value) {
  const auto found = std::find_if(ports.begin(), ports.end(),
                                  [&](const Value& port) { return port.at(field) == value; });
  return found == ports.end() ? nullptr : &*found;
}

// A name leads each pod to its own port. Where the pods have no such name, old pods are served
// until the new ones are all there.
Value bridged_target(const Value& have, const Value& want, const Deployments& before,
                     const Deployments& after) {
  const Value& target = have.at("targetPort");
  const std::string_view name = want.at("name").text();
  if (target == want.at("targetPort")) return target;
  const bool led_before = target.is_string() || all_name(before, name, target.integer());
  return led_before && all_name(after, name, want.at("targetPort").integer()) ? want.at("name")
                                                                              : target;
}

Map port_as(Value name, const Value& port, Value target) {
  return Map{{"name", std::move(name)},
             {"protocol", port.at("protocol").text("TCP")},
             {"port", port.at("port")},
             {"targetPort", std::move(target)}};
}

bool is_subset(const resource::Labels& labels, const Object& deployment) {
  return resource::has_labels(
      resource::read_labels(template_of(deployment).at("metadata").at("labels")), labels);
}

}  // namespace

bool selects(const Object& service, const Object& deployment) {
  const auto selector = resource::read_labels(service.spec().at("selector"));
  return !selector.empty() && is_subset(selector, deployment);
}

Object bridge_service(const Object& have, Object want, const Deployments& before,
                      const Deployments& after) {
  const List old_ports = have.spec().at("ports").list();
  const List new_ports = want.spec().at("ports").list();
  List ports;
  for (const Value& port : old_ports) {
    const Value* same = find_port(new_ports, "port", port.at("port"));
    if (same == nullptr) same = find_port(new_ports, "name", port.at("name"));
    ports.emplace_back(port_as(
        port.at("name"), port,
        same == nullptr ? port.at("targetPort") : bridged_target(port, *same, before, after)));
  }
  for (const Value& port : new_ports) {
    if (find_port(old_ports, "port", port.at("port")) != nullptr) continue;
    Value name = port.at("name");
    if (find_port(ports, "name", name) != nullptr)
      name = fmt::format("{}-{}", name.text(), port.at("port").integer());
    ports.emplace_back(port_as(std::move(name), port, port.at("targetPort")));
  }
  want.root.as_map()->find("spec")->as_map()->set("ports", std::move(ports));
  return want;
}

std::optional<Value> bridge_rule(const Object& have, const Object& service, const Object& before,
                                 const Object& after) {
  const auto labels_after = resource::read_labels(template_of(after).at("metadata").at("labels"));
  bool fits = true;
  List subsets;
  for (const Value& subset : have.spec().at("subsets").list()) {
    const auto labels = resource::read_labels(subset.at("labels"));
    // One that does not have the pods of today either is as somebody wants it.
    if (!is_subset(labels, before) || is_subset(labels, after)) {
      subsets.push_back(subset);
      continue;
    }
    fits = false;
    Map common;
    for (const auto& [name, value] : labels) {
      if (resource::has_labels(labels_after, {{name, value}})) common.set(name, value);
    }
    // Istio takes a subset without labels for one without endpoints.
    if (common.empty()) common = service.spec().at("selector").map();
    Map reduced = subset.map();
    reduced.set("labels", std::move(common));
    subsets.emplace_back(std::move(reduced));
  }
  if (fits) return std::nullopt;
  Map spec = have.spec().map();
  spec.set("subsets", std::move(subsets));
  return spec;
}

}  // namespace sluice::operator_
