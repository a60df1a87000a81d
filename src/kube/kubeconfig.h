// Where the API server is and who we are to it: kubeconfig files, or a pod's service account.
// Format: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace sluice::kube {

// A program that hands out credentials (client.authentication.k8s.io/v1 and v1beta1).
struct ExecPlugin {
  std::string api_version;
  std::string command;  // a relative path is relative to the kubeconfig; a bare name is in PATH
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  // beside ours
  std::string install_hint;
  bool wants_cluster = false;  // provideClusterInfo
};

// A pair of text and file: the file, when there is one, is read again when credentials are renewed.
struct Pem {
  std::string text;
  std::string file;
  bool is_set() const noexcept { return !text.empty() || !file.empty(); }
};

struct Config {
  std::string server;                  // "https://10.0.0.1:6443", perhaps with a path behind it
  std::string namespace_ = "default";  // of the context, or of the pod
  Pem ca;                              // not set: the system's roots
  Pem certificate;                     // of ours, with key
  Pem key;
  std::string token;
  std::string token_file;  // read again every minute: service account tokens rotate
  std::optional<ExecPlugin> exec;
  bool skip_verify = false;
  std::string tls_server_name;  // "": the server's host
  std::string proxy_url;        // http://: CONNECT through it
  std::string impersonate_user;
  std::string origin;  // for messages: "~/.kube/config, context test"
};

struct ConfigChoice {
  std::string kubeconfig;  // files with ':' between them; "": see load_config
  std::string context;     // "": current-context
};

// The choice's kubeconfig, else $KUBECONFIG, else a pod's service account, else ~/.kube/config: the
// order that controllers have. Fails (kConfig) with what is missing and where it was looked for.
Result<Config> load_config(const ConfigChoice& choice = {});

// One text, as if it were a kubeconfig file at `path` (relative names in it are relative to its
// folder).
Result<Config> parse_kubeconfig(std::string_view text, const std::string& path,
                                std::string_view context = {});
// The service account of the pod that we are: `folder` has token, ca.crt and namespace.
Result<Config> service_account_config(
    const std::string& host, const std::string& port,
    const std::string& folder = "/var/run/secrets/kubernetes.io/serviceaccount");

}  // namespace sluice::kube
