#include "cli/live.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "compile/admission.h"
#include "resource/check.h"
#include "resource/read.h"

namespace sluice::cli {

using resource::Object;
using resource::Value;

namespace {

constexpr std::string_view kIstio = "networking.istio.io";
constexpr std::string_view kSeldon = "machinelearning.seldon.io";
constexpr std::string_view kOperatorSelector =
    "app.kubernetes.io/name=sluice,app.kubernetes.io/component=operator";
constexpr std::string_view kConfigMap = "seldon-config";

// For the column FROM: whose it is.
std::shared_ptr<const std::string> origin_of(const Value& root) {
  for (const Value& owner : root.at("metadata").at("ownerReferences").list()) {
    if (!owner.at("controller").flag() || owner.at("kind").text() != "SeldonDeployment") continue;
    return std::make_shared<const std::string>(
        fmt::format("SeldonDeployment {}/{}", root.at("metadata").at("namespace").text(),
                    owner.at("name").text()));
  }
  return std::make_shared<const std::string>("cluster");
}

resource::Diagnostic warning(std::string code, std::string what, std::string hint) {
  resource::Diagnostic said;
  said.severity = resource::Severity::kWarning;
  said.code = std::move(code);
  said.what = std::move(what);
  said.hint = std::move(hint);
  return said;
}

// Secrets that Gateways present: they are beside the gateway's pods, which the Gateway's namespace
// is in the usual installation, and istio-system in the default one.
std::set<std::pair<std::string, std::string>> credentials_of(const Objects& objects) {
  std::set<std::pair<std::string, std::string>> named;
  for (const auto& object : objects) {
    if (object->kind != "Gateway") continue;
    for (const Value& server : object->spec().at("servers").list()) {
      const std::string name(server.at("tls").at("credentialName").text());
      if (name.empty()) continue;
      named.emplace("istio-system", name);
      named.emplace("istio-system", name + "-cacert");
    }
  }
  return named;
}

}  // namespace

Result<Live> Live::open(const LiveOptions& options) {
  SLUICE_TRY(kube::Config config, kube::load_config({options.kubeconfig, options.context}));
  LiveOptions chosen = options;
  if (chosen.namespace_.empty()) chosen.namespace_ = config.namespace_;
  if (chosen.all_namespaces) chosen.namespace_.clear();
  SLUICE_TRY(auto client, kube::Client::make(std::move(config), {}));
  return Live(std::move(chosen), std::move(client));
}

Result<Objects> Live::list(std::string_view group, std::string_view kind,
                           const std::string& namespace_, const std::string& selector) {
  const kube::Kind* const known = kube::find_kind(group, kind);
  if (known == nullptr) return fail(Blame::kInternal, fmt::format("no path for kind {}", kind));
  SLUICE_TRY(kube::Listed listed, client_->list(*known, {namespace_, selector, {}}));
  Objects objects;
  objects.reserve(listed.items.size());
  for (Value& item : listed.items) {
    auto origin = origin_of(item);
    SLUICE_TRY(Object object, resource::make_object(std::move(item), std::move(origin)));
    objects.push_back(std::make_shared<const Object>(std::move(object)));
  }
  return objects;
}

Result<Objects> Live::deployments() {
  SLUICE_TRY(Objects all, list(kSeldon, "SeldonDeployment", options_.namespace_));
  if (options_.names.empty()) return all;
  Objects chosen;
  for (const std::string& name : options_.names) {
    const auto before = chosen.size();
    std::copy_if(all.begin(), all.end(), std::back_inserter(chosen),
                 [&](const auto& each) { return each->name == name; });
    if (chosen.size() == before) {
      return fail(
          Blame::kConfig,
          fmt::format(
              "there is no SeldonDeployment {} in {}; kubectl get sdep -A lists all", name,
              options_.namespace_.empty() ? "any namespace" : "namespace " + options_.namespace_));
    }
  }
  return chosen;
}

Result<Objects> Live::routing(resource::Diagnostics& diagnostics) {
  static constexpr std::pair<std::string_view, std::string_view> kKinds[] = {
      {kIstio, "Gateway"},
      {kIstio, "VirtualService"},
      {kIstio, "DestinationRule"},
      {kIstio, "ServiceEntry"},
      {"", "Service"},
      {"discovery.k8s.io", "EndpointSlice"}};
  Objects all;
  for (const auto& [group, kind] : kKinds) {
    auto some = list(group, kind);
    if (!some) {
      if (kind != "ServiceEntry") return tl::unexpected(std::move(some).error());
      diagnostics.push_back(warning("not-read", to_string(some.error()),
                                    "destinations outside of the cluster are missing here"));
      continue;
    }
    for (auto& object : *some) {
      // Accepted by the API server, perhaps by an Istio of other years: what the tables can't be
      // made from stays out.
      resource::Diagnostics found = resource::check(*object);
      if (!resource::has_errors(found)) found = compile::check_object(*object);
      const bool refused = resource::has_errors(found);
      if (refused) std::move(found.begin(), found.end(), std::back_inserter(diagnostics));
      if (!refused) all.push_back(std::move(object));
    }
  }
  const kube::Kind& secrets = *kube::find_kind("", "Secret");
  for (const auto& [namespace_, name] : credentials_of(all)) {
    auto got = client_->get(secrets, namespace_, name);
    if (!got) {
      diagnostics.push_back(
          warning("not-read", to_string(got.error()), "servers with that certificate are missing"));
      break;  // one line for all: rights do not differ by name
    }
    if (!got->has_value()) continue;  // the linker says so
    SLUICE_TRY(Object object, resource::make_object(std::move(**got)));
    all.push_back(std::make_shared<const Object>(std::move(object)));
  }
  return all;
}

Live::Setup Live::setup() {
  struct Known {
    std::map<std::string, std::string, std::less<>> variables;
    std::map<std::string, std::string, std::less<>> config;
  };
  const auto known = std::make_shared<Known>();
  Setup setup;
  auto operators = list("apps", "Deployment", {}, std::string(kOperatorSelector));
  if (!operators) {
    setup.warning = to_string(operators.error());
  } else if (operators->empty()) {
    setup.warning = "no sluice operator is installed";
  } else {
    const Object& first = *operators->front();
    const Value& container = first.spec().at("template").at("spec").at("containers").at(0U);
    for (const Value& each : container.at("env").list())
      known->variables.emplace(each.at("name").text(), each.at("value").text());
    for (const Value& each : container.at("args").list())
      setup.compat = setup.compat || each.text() == "--profile=compat";
    const kube::Kind& maps = *kube::find_kind("", "ConfigMap");
    if (auto map = client_->get(maps, first.namespace_, kConfigMap); !map) {
      setup.warning = to_string(map.error());
    } else if (map->has_value()) {
      for (const resource::Member& each : (*map)->at("data").map())
        known->config.emplace(each.key, each.value.text());
    }
  }
  if (!setup.warning.empty())
    setup.warning += "; the settings are those of a new installation, with your options";
  const auto look_up = [](const auto& map, std::string_view name) -> std::optional<std::string> {
    const auto found = map.find(name);
    if (found == map.end()) return std::nullopt;
    return found->second;
  };
  setup.variable = [known, look_up](std::string_view name) {
    return look_up(known->variables, name);
  };
  setup.config_key = [known, look_up](std::string_view name) {
    return look_up(known->config, name);
  };
  return setup;
}

}  // namespace sluice::cli
