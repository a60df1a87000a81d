#include "kube/kubeconfig.h"

#include <fmt/core.h>

#include <cstdlib>

#include "base/text.h"
#include "kube/file.h"
#include "resource/diagnostic.h"
#include "resource/kubernetes.h"
#include "resource/parse.h"
#include "resource/value.h"

namespace sluice::kube {

using resource::Map;
using resource::Value;

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets any
  return value == nullptr ? std::string() : value;
}

Result<Value> document_of(std::string_view text, const std::string& path) {
  if (const auto bad = resource::find_bad_character(text, 1))
    return fail(Blame::kConfig, bad->what, fmt::format("{}:{}", path, bad->place.line));
  resource::Budget budget;
  resource::Parsed parsed = resource::parse_yaml(text, 1, budget);
  if (parsed.failure)
    return fail(Blame::kConfig, parsed.failure->what,
                fmt::format("{}:{}", path, parsed.failure->place.line));
  for (resource::Document& document : parsed.documents) {
    if (document.refused)
      return fail(Blame::kConfig, document.diagnostics.front().what,
                  fmt::format("{}:{}", path, document.diagnostics.front().place.line));
    if (!document.root.is_null()) return std::move(document.root);
  }
  return fail(Blame::kConfig, "the file is empty", path);
}

// A kubeconfig and the file it came from: entries of several files are merged by name, the first
// file that has a name wins.
struct Part {
  Value root;
  std::string path;
};

struct Found {
  const Value* entry = nullptr;
  const Part* part = nullptr;
};

Found named(const std::vector<Part>& parts, std::string_view list, std::string_view name,
            std::string_view inner) {
  for (const Part& part : parts) {
    for (const Value& entry : part.root.at(list).list()) {
      if (entry.at("name").text() == name) return {&entry.at(inner), &part};
    }
  }
  return {};
}

std::string names_of(const std::vector<Part>& parts, std::string_view list) {
  std::string names;
  for (const Part& part : parts) {
    for (const Value& entry : part.root.at(list).list()) {
      if (!names.empty()) names += ", ";
      names += entry.at("name").text();
    }
  }
  return names.empty() ? "none" : names;
}

std::string beside(const std::string& path, std::string_view relative) {
  if (relative.empty() || relative.front() == '/') return std::string(relative);
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string(relative)
                                    : path.substr(0, slash + 1) + std::string(relative);
}

// `field`-data in base64, or a file named by `field`: the former wins, as with kubectl.
Result<Pem> pem_of(const Found& found, const std::string& field) {
  Pem pem;
  const std::string_view data = found.entry->at(field + "-data").text();
  if (!data.empty()) {
    std::optional<std::string> text = resource::decode_base64(data);
    if (!text)
      return fail(Blame::kConfig, fmt::format("{}-data is no base64", field), found.part->path);
    pem.text = std::move(*text);
    return pem;
  }
  pem.file = beside(found.part->path, found.entry->at(field).text());
  return pem;
}

Result<ExecPlugin> exec_of(const Value& exec, const Part& part) {
  ExecPlugin plugin;
  plugin.api_version = exec.at("apiVersion").text();
  if (plugin.api_version != "client.authentication.k8s.io/v1" &&
      plugin.api_version != "client.authentication.k8s.io/v1beta1") {
    return fail(Blame::kConfig,
                fmt::format("exec: apiVersion \"{}\" is not supported; v1 and v1beta1 of "
                            "client.authentication.k8s.io are",
                            plugin.api_version),
                part.path);
  }
  plugin.command = exec.at("command").text();
  if (plugin.command.empty()) return fail(Blame::kConfig, "exec: command is missing", part.path);
  if (plugin.command.find('/') != std::string::npos)
    plugin.command = beside(part.path, plugin.command);
  for (const Value& argument : exec.at("args").list())
    plugin.arguments.emplace_back(argument.text());
  for (const Value& variable : exec.at("env").list())
    plugin.environment.emplace_back(variable.at("name").text(), variable.at("value").text());
  plugin.install_hint = exec.at("installHint").text();
  plugin.wants_cluster = exec.at("provideClusterInfo").flag();
  return plugin;
}

Result<void> use_cluster(const Found& found, Config& config) {
  const Value& cluster = *found.entry;
  config.server = cluster.at("server").text();
  if (!config.server.starts_with("https://") && !config.server.starts_with("http://")) {
    return fail(Blame::kConfig,
                fmt::format("server \"{}\" does not begin with https:// or http://", config.server),
                found.part->path);
  }
  SLUICE_TRY(config.ca, pem_of(found, "certificate-authority"));
  config.skip_verify = cluster.at("insecure-skip-tls-verify").flag();
  if (config.skip_verify && config.ca.is_set()) {
    return fail(Blame::kConfig,
                "certificate-authority and insecure-skip-tls-verify contradict each other",
                found.part->path);
  }
  config.tls_server_name = cluster.at("tls-server-name").text();
  config.proxy_url = cluster.at("proxy-url").text();
  if (!config.proxy_url.empty() && !config.proxy_url.starts_with("http://")) {
    return fail(
        Blame::kConfig,
        fmt::format("proxy-url \"{}\": only http:// proxies are supported", config.proxy_url),
        found.part->path);
  }
  return {};
}

Result<void> use_user(const Found& found, Config& config) {
  const Value& user = *found.entry;
  const std::string& path = found.part->path;
  SLUICE_TRY(config.certificate, pem_of(found, "client-certificate"));
  SLUICE_TRY(config.key, pem_of(found, "client-key"));
  if (config.certificate.is_set() != config.key.is_set())
    return fail(Blame::kConfig, "client-certificate and client-key must come together", path);
  config.token_file = beside(path, user.at("tokenFile").text());
  if (config.token_file.empty()) config.token = user.at("token").text();
  config.impersonate_user = user.at("as").text();
  if (!user.at("username").text().empty())
    return fail(Blame::kConfig,
                "username and password are not supported: API servers have refused them since 1.19",
                path);
  if (!user.at("auth-provider").is_null())
    return fail(Blame::kConfig,
                "auth-provider is not supported: use the exec plug-in of your cloud instead", path);
  if (!user.at("exec").is_null()) {
    SLUICE_TRY(config.exec, exec_of(user.at("exec"), *found.part));
  }
  return {};
}

Result<Config> config_of(const std::vector<Part>& parts, std::string context_name,
                         const std::string& paths) {
  if (context_name.empty()) {
    for (const Part& part : parts) {
      context_name = part.root.at("current-context").text();
      if (!context_name.empty()) break;
    }
    if (context_name.empty())
      return fail(
          Blame::kConfig,
          fmt::format("there is no current-context; contexts: {}", names_of(parts, "contexts")),
          paths);
  }
  const Found context = named(parts, "contexts", context_name, "context");
  if (context.entry == nullptr)
    return fail(Blame::kConfig,
                fmt::format("context \"{}\" is not there; contexts: {}", context_name,
                            names_of(parts, "contexts")),
                paths);
  const std::string_view cluster_name = context.entry->at("cluster").text();
  const Found cluster = named(parts, "clusters", cluster_name, "cluster");
  if (cluster.entry == nullptr)
    return fail(Blame::kConfig,
                fmt::format("context \"{}\" names cluster \"{}\", which is not there; clusters: {}",
                            context_name, cluster_name, names_of(parts, "clusters")),
                paths);
  Config config;
  config.origin = fmt::format("{}, context {}", paths, context_name);
  if (const auto name = context.entry->at("namespace").text(); !name.empty())
    config.namespace_ = name;
  SLUICE_CHECK(use_cluster(cluster, config));
  const std::string_view user_name = context.entry->at("user").text();
  if (user_name.empty()) return config;  // anonymous
  const Found user = named(parts, "users", user_name, "user");
  if (user.entry == nullptr)
    return fail(Blame::kConfig,
                fmt::format("context \"{}\" names user \"{}\", which is not there; users: {}",
                            context_name, user_name, names_of(parts, "users")),
                paths);
  SLUICE_CHECK(use_user(user, config));
  return config;
}

// Files that are not there are passed over, as kubectl does, unless none is.
Result<Config> load_files(const std::string& paths, const std::string& context) {
  std::vector<Part> parts;
  for (const std::string_view path : split(paths, ':')) {
    if (path.empty()) continue;
    std::string text;
    if (!read_file(std::string(path), text)) continue;
    SLUICE_TRY(Value root, document_of(text, std::string(path)));
    parts.push_back(Part{std::move(root), std::string(path)});
  }
  if (parts.empty()) return fail(Blame::kConfig, "the kubeconfig can't be read", paths);
  return config_of(parts, context, paths);
}

}  // namespace

Result<Config> parse_kubeconfig(std::string_view text, const std::string& path,
                                std::string_view context) {
  std::vector<Part> parts(1);
  SLUICE_TRY(parts[0].root, document_of(text, path));
  parts[0].path = path;
  return config_of(parts, std::string(context), path);
}

Result<Config> service_account_config(const std::string& host, const std::string& port,
                                      const std::string& folder) {
  Config config;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  config.server = fmt::format("https://{}{}{}:{}", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "",
                              port.empty() ? "443" : port);
  config.token_file = folder + "/token";
  config.ca.file = folder + "/ca.crt";
  std::string text;
  if (!read_file(config.token_file, text))
    return fail(Blame::kConfig,
                "the service account's token can't be read; is automountServiceAccountToken false?",
                config.token_file);
  if (read_file(folder + "/namespace", text)) config.namespace_ = trim(text);
  config.origin = "the pod's service account";
  return config;
}

Result<Config> load_config(const ConfigChoice& choice) {
  if (!choice.kubeconfig.empty()) return load_files(choice.kubeconfig, choice.context);
  if (const std::string paths = environment("KUBECONFIG"); !paths.empty())
    return load_files(paths, choice.context);
  const std::string host = environment("KUBERNETES_SERVICE_HOST");
  if (!host.empty() && choice.context.empty())
    return service_account_config(host, environment("KUBERNETES_SERVICE_PORT"));
  const std::string path = environment("HOME") + "/.kube/config";
  std::string text;
  if (read_file(path, text)) return load_files(path, choice.context);
  return fail(
      Blame::kConfig,
      fmt::format("no cluster is configured: give --kubeconfig, set KUBECONFIG, write {}, or "
                  "run in a pod with a service account",
                  path));
}

}  // namespace sluice::kube
