#include "runtime/pod_spec.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>

namespace sluice::runtime {

using resource::Value;

namespace {

// Set on every model by the wiring (operator) with the numbers of containerPorts. One machine has
// one network for all pods, so the numbers must differ and these variables must follow.
constexpr std::string_view kPortVariables[] = {
    "PREDICTIVE_UNIT_SERVICE_PORT", "PREDICTIVE_UNIT_HTTP_SERVICE_PORT",
    "MLSERVER_HTTP_PORT",           "PREDICTIVE_UNIT_GRPC_SERVICE_PORT",
    "MLSERVER_GRPC_PORT",           "PREDICTIVE_UNIT_METRICS_SERVICE_PORT",
    "MLSERVER_METRICS_PORT",
};

bool is_port_variable(std::string_view name) {
  return std::find(std::begin(kPortVariables), std::end(kPortVariables), name) !=
         std::end(kPortVariables);
}

// 0 when it is no port.
int to_port(std::string_view text) {
  int number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc() && end == text.data() + text.size() && number > 0 && number < 65'536
             ? number
             : 0;
}

std::vector<std::string> texts(const Value& list) {
  std::vector<std::string> out;
  for (const Value& each : list.list()) out.emplace_back(each.text());
  return out;
}

Milliseconds seconds(const Value& value, std::int64_t otherwise) {
  return Milliseconds(std::clamp<std::int64_t>(value.integer(otherwise), 0, 1'000'000) * 1'000);
}

ProbeSpec read_probe(const Value& value, const std::string& container, const char* which,
                     std::vector<std::string>& warnings) {
  ProbeSpec probe;
  if (value.is_null()) return probe;
  if (const Value& http = value.at("httpGet"); http.is_map()) {
    probe.kind = ProbeSpec::Kind::kHttp;
    probe.port = http.at("port");
    probe.path = http.at("path").text("/");
    for (const Value& header : http.at("httpHeaders").list()) {
      probe.headers.emplace_back(header.at("name").text(), header.at("value").text());
    }
    if (http.at("scheme").text("HTTP") != "HTTP") {
      probe.kind = ProbeSpec::Kind::kTcp;
      warnings.push_back(fmt::format(
          "container {}: {} by HTTPS is done by opening a connection only", container, which));
    }
  } else if (const Value& tcp = value.at("tcpSocket"); tcp.is_map()) {
    probe.kind = ProbeSpec::Kind::kTcp;
    probe.port = tcp.at("port");
  } else if (const Value& grpc = value.at("grpc"); grpc.is_map()) {
    probe.kind = ProbeSpec::Kind::kTcp;
    probe.port = grpc.at("port");
    warnings.push_back(fmt::format("container {}: {} by gRPC is done by opening a connection only",
                                   container, which));
  } else if (const Value& exec = value.at("exec"); exec.is_map()) {
    probe.kind = ProbeSpec::Kind::kExec;
    probe.command = texts(exec.at("command"));
    if (probe.command.empty()) probe.kind = ProbeSpec::Kind::kNone;
  }
  probe.initial_delay = seconds(value.at("initialDelaySeconds"), 0);
  probe.period = std::max(seconds(value.at("periodSeconds"), 10), Milliseconds(1'000));
  probe.timeout = std::max(seconds(value.at("timeoutSeconds"), 1), Milliseconds(1'000));
  probe.success_threshold =
      static_cast<int>(std::clamp<std::int64_t>(value.at("successThreshold").integer(1), 1, 1'000));
  probe.failure_threshold =
      static_cast<int>(std::clamp<std::int64_t>(value.at("failureThreshold").integer(3), 1, 1'000));
  return probe;
}

ContainerSpec read_container(const Value& value, std::vector<std::string>& warnings) {
  ContainerSpec container;
  container.name = value.at("name").text();
  container.image = value.at("image").text();
  container.command = texts(value.at("command"));
  container.args = texts(value.at("args"));
  container.working_dir = value.at("workingDir").text();
  for (const Value& variable : value.at("env").list()) {
    const std::string name(variable.at("name").text());
    const Value& from = variable.at("valueFrom");
    const std::string_view field = from.at("fieldRef").at("fieldPath").text();
    if (from.is_map() && field != "metadata.name" && field != "metadata.namespace" &&
        field != "status.podIP" && field != "status.hostIP") {
      warnings.push_back(
          fmt::format("container {}: env {} is not set: valueFrom takes fieldRef of metadata.name, "
                      "metadata.namespace, "
                      "status.podIP and status.hostIP here",
                      container.name, name));
      continue;
    }
    container.env.emplace_back(name, from.is_map() ? from : variable.at("value"));
  }
  for (const Value& port : value.at("ports").list()) {
    const std::int64_t number = port.at("containerPort").integer();
    if (number <= 0 || number > 65'535) continue;
    container.ports.push_back({std::string(port.at("name").text()), static_cast<int>(number)});
  }
  container.startup =
      read_probe(value.at("startupProbe"), container.name, "startupProbe", warnings);
  container.readiness =
      read_probe(value.at("readinessProbe"), container.name, "readinessProbe", warnings);
  container.liveness =
      read_probe(value.at("livenessProbe"), container.name, "livenessProbe", warnings);
  if (!value.at("envFrom").list().empty()) {
    warnings.push_back(
        fmt::format("container {}: envFrom has no effect on one machine", container.name));
  }
  for (const Value& mount : value.at("volumeMounts").list()) {
    if (mount.at("name").text() == "seldon-podinfo")
      continue;  // written by the wiring on every pod
    warnings.push_back(fmt::format("container {}: volumeMount {} has no effect on one machine",
                                   container.name, mount.at("name").text()));
  }
  return container;
}

std::string folder_of(std::string_view file) {
  const auto slash = file.rfind('/');
  if (slash == std::string_view::npos) return {};
  return slash == 0 ? "/" : std::string(file.substr(0, slash));
}

const Value& origin_of(const Value& pod_template) {
  return pod_template.at("metadata").at("annotations").at(kOriginAnnotation);
}

}  // namespace

DeploymentSpec read_deployment(const resource::Object& deployment) {
  DeploymentSpec spec;
  spec.namespace_ = deployment.namespace_;
  spec.name = deployment.name;
  const Value& fields = deployment.spec();
  spec.replicas =
      static_cast<int>(std::clamp<std::int64_t>(fields.at("replicas").integer(1), 0, 1'000));
  spec.progress_deadline = seconds(fields.at("progressDeadlineSeconds"), 600);
  const Value& pod_template = fields.at("template");
  for (const resource::Member& label : pod_template.at("metadata").at("labels").map()) {
    spec.labels[label.key] = label.value.text();
  }
  spec.pod.origin_folder = folder_of(origin_of(pod_template).text());
  const Value& pod = pod_template.at("spec");
  spec.pod.grace = seconds(pod.at("terminationGracePeriodSeconds"), 30);
  for (const Value& container : pod.at("containers").list()) {
    spec.pod.containers.push_back(read_container(container, spec.pod.warnings));
  }
  if (!pod.at("initContainers").list().empty()) {
    spec.pod.warnings.emplace_back("initContainers are not run on one machine");
  }
  return spec;
}

bool same_pod(const resource::Object& before, const resource::Object& after) {
  const Value& old_template = before.spec().at("template");
  const Value& new_template = after.spec().at("template");
  return old_template.at("spec") == new_template.at("spec") &&
         folder_of(origin_of(old_template).text()) == folder_of(origin_of(new_template).text());
}

std::vector<int> ports_wanted(const PodSpec& pod) {
  std::vector<int> numbers;
  const auto add = [&](int number) {
    if (number > 0 && std::find(numbers.begin(), numbers.end(), number) == numbers.end())
      numbers.push_back(number);
  };
  for (const ContainerSpec& container : pod.containers) {
    for (const PortSpec& port : container.ports) add(port.number);
    for (const auto& [name, value] : container.env) {
      if (is_port_variable(name)) add(to_port(value.text()));
    }
  }
  return numbers;
}

std::string expand(std::string_view text, const std::map<std::string, std::string>& variables) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i];
    } else if (text[i + 1] == '$') {
      out += '$';
      ++i;
    } else if (const auto end = text.find(')', i);
               text[i + 1] == '(' && end != std::string_view::npos) {
      const auto found = variables.find(std::string(text.substr(i + 2, end - i - 2)));
      out += found == variables.end() ? std::string(text.substr(i, end - i + 1)) : found->second;
      i = end;
    } else {
      out += '$';
    }
  }
  return out;
}

std::map<std::string, std::string> make_environment(const ContainerSpec& container,
                                                    const PortMap& ports, std::string_view pod_name,
                                                    std::string_view namespace_,
                                                    std::string_view address) {
  std::map<std::string, std::string> variables;
  for (const auto& [declared, given] : ports)
    variables["SLUICE_PORT_" + std::to_string(declared)] = std::to_string(given);
  for (const auto& [name, value] : container.env) {
    if (value.is_map()) {
      const std::string_view field = value.at("fieldRef").at("fieldPath").text();
      variables[name] = field == "metadata.name"        ? pod_name
                        : field == "metadata.namespace" ? namespace_
                                                        : address;
      continue;
    }
    const std::string_view text = value.text();
    const auto given = is_port_variable(name) ? ports.find(to_port(text)) : ports.end();
    variables[name] =
        given != ports.end() ? std::to_string(given->second) : expand(text, variables);
  }
  return variables;
}

std::uint16_t resolve_port(const Value& port, const PodSpec& pod, const PortMap& ports) {
  int number = 0;
  if (const std::int64_t* const given = port.as_int()) {
    number = static_cast<int>(*given);
  } else {
    const std::string_view name = port.text();
    for (const ContainerSpec& container : pod.containers) {
      for (const PortSpec& each : container.ports) {
        if (number == 0 && !name.empty() && each.name == name) number = each.number;
      }
    }
    if (number == 0) number = to_port(name);  // "8080" in quotes
  }
  if (number <= 0 || number > 65'535) return 0;
  const auto found = ports.find(number);
  return found == ports.end() ? static_cast<std::uint16_t>(number) : found->second;
}

}  // namespace sluice::runtime
