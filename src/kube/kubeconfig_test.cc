#include "kube/kubeconfig.h"

#include <absl/strings/escaping.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "kube/exec.h"
#include "kube/stop.h"
#include "resource/kubernetes.h"

namespace sluice::kube {
namespace {

constexpr char kText[] = R"(
apiVersion: v1
kind: Config
current-context: one
clusters:
- name: c
  cluster: {server: "https://10.0.0.1:6443", certificate-authority-data: Q0E=, tls-server-name: api}
- name: open
  cluster: {server: "http://127.0.0.1:8080/prefix", proxy-url: "http://proxy:3128"}
- name: bad
  cluster: {server: "10.0.0.1"}
users:
- name: certificate
  user: {client-certificate: crt.pem, client-key-data: S0VZ}
- name: token
  user: {token: t, tokenFile: /run/token, as: somebody}
- name: half
  user: {client-certificate: crt.pem}
- name: password
  user: {username: u, password: p}
- name: plugin
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, args: [a, b],
           env: [{name: E, value: v}], provideClusterInfo: true, installHint: get it}
- name: old-plugin
  user: {exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}}
contexts:
- {name: one, context: {cluster: c, user: certificate, namespace: models}}
- {name: two, context: {cluster: open, user: token}}
- {name: anonymous, context: {cluster: open}}
- {name: lost, context: {cluster: nowhere, user: token}}
- {name: bad, context: {cluster: bad, user: token}}
- {name: half, context: {cluster: c, user: half}}
- {name: password, context: {cluster: c, user: password}}
- {name: plugin, context: {cluster: c, user: plugin}}
- {name: old-plugin, context: {cluster: c, user: old-plugin}}
)";

std::string what_fails(const std::string& context) {
  const auto config = parse_kubeconfig(kText, "/etc/kube/config", context);
  return config ? "" : to_string(config.error());
}

TEST(KubeconfigTest, ReadsTheContextThatIsMeant) {
  auto config = parse_kubeconfig(kText, "/etc/kube/config");
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->server, "https://10.0.0.1:6443");
  EXPECT_EQ(config->namespace_, "models");
  EXPECT_EQ(config->ca.text, "CA");
  EXPECT_EQ(config->tls_server_name, "api");
  EXPECT_EQ(config->certificate.file, "/etc/kube/crt.pem");
  EXPECT_EQ(config->key.text, "KEY");
  EXPECT_EQ(config->origin, "/etc/kube/config, context one");

  config = parse_kubeconfig(kText, "/etc/kube/config", "two");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->token_file, "/run/token");  // wins over token
  EXPECT_EQ(config->token, "");
  EXPECT_EQ(config->impersonate_user, "somebody");
  EXPECT_EQ(config->proxy_url, "http://proxy:3128");
  EXPECT_EQ(config->namespace_, "default");
  EXPECT_TRUE(parse_kubeconfig(kText, "x", "anonymous"));

  config = parse_kubeconfig(kText, "/etc/kube/config", "plugin");
  ASSERT_TRUE(config);
  ASSERT_TRUE(config->exec);
  EXPECT_EQ(config->exec->command, "/etc/kube/./plugin");
  EXPECT_EQ(config->exec->arguments, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(config->exec->wants_cluster);
}

TEST(KubeconfigTest, SaysWhatIsMissing) {
  EXPECT_EQ(what_fails("nowhere"),
            "/etc/kube/config: context \"nowhere\" is not there; contexts: one, two, anonymous, "
            "lost, bad, half, password, plugin, old-plugin");
  EXPECT_EQ(what_fails("lost"),
            "/etc/kube/config: context \"lost\" names cluster \"nowhere\", which is not there; "
            "clusters: c, open, bad");
  EXPECT_NE(what_fails("bad").find("does not begin with https://"), std::string::npos);
  EXPECT_NE(what_fails("half").find("must come together"), std::string::npos);
  EXPECT_NE(what_fails("password").find("username and password"), std::string::npos);
  EXPECT_NE(what_fails("old-plugin").find("v1 and v1beta1"), std::string::npos);
  EXPECT_EQ(to_string(parse_kubeconfig("a: b: c", "f").error()).substr(0, 3), "f:1");
  EXPECT_NE(parse_kubeconfig("{}", "f").error().what.find("no current-context"), std::string::npos);
}

TEST(KubeconfigTest, SeveralFilesAreOne) {
  const std::string folder = testing::TempDir();
  std::ofstream(folder + "/a") << "current-context: x\nclusters: "
                                  "[{name: c, cluster: {server: 'https://a'}}]\n";
  std::ofstream(folder + "/b") << "current-context: y\nclusters: "
                                  "[{name: c, cluster: {server: 'https://b'}}]\n"
                                  "contexts: [{name: x, context: {cluster: c}}]\n";
  const auto config = load_config({folder + "/a:" + folder + "/absent:" + folder + "/b", ""});
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->server, "https://a");
  EXPECT_FALSE(load_config({folder + "/absent", ""}));
}

TEST(KubeconfigTest, APodsServiceAccount) {
  const std::string folder = testing::TempDir() + "/account";
  mkdir(folder.c_str(), 0755);
  std::remove((folder + "/token").c_str());
  EXPECT_NE(service_account_config("::1", "443", folder)
                .error()
                .what.find("automountServiceAccountToken"),
            std::string::npos);
  std::ofstream(folder + "/token") << "t";
  std::ofstream(folder + "/namespace") << "seldon-system";
  const auto config = service_account_config("::1", "443", folder);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->server, "https://[::1]:443");
  EXPECT_EQ(config->namespace_, "seldon-system");
  EXPECT_EQ(config->ca.file, folder + "/ca.crt");
}

TEST(ExecTest, RunsAPlugin) {
  const std::string path = testing::TempDir() + "/plugin.sh";
  std::ofstream(path) << R"(#!/bin/sh
case "$1" in
  fail) exit 3 ;;
  junk) echo hello ;;
  *) case "$KUBERNETES_EXEC_INFO" in *'"server":"https://s"'*) ok=yes ;; esac
     echo "{\"kind\": \"ExecCredential\", \"status\": {\"token\": \"$E-$ok\",
            \"expirationTimestamp\": \"2026-01-02T03:04:05Z\"}}" ;;
esac
)";
  chmod(path.c_str(), 0755);
  Config config;
  config.server = "https://s";
  ExecPlugin plugin{"client.authentication.k8s.io/v1", path, {}, {{"E", "secret"}}, "get it", true};
  const Stop stop;
  auto given = run_plugin(plugin, config, stop);
  ASSERT_TRUE(given) << to_string(given.error());
  EXPECT_EQ(given->token, "secret-yes");
  EXPECT_EQ(given->expires_seconds, 1767323045);
  plugin.arguments = {"fail"};
  EXPECT_EQ(run_plugin(plugin, config, stop).error().what, "ended with status 3; get it");
  plugin.arguments = {"junk"};
  EXPECT_FALSE(run_plugin(plugin, config, stop));
  plugin.command = "/no/such/plugin";
  EXPECT_NE(run_plugin(plugin, config, stop).error().what.find("No such file"), std::string::npos);
}

TEST(ExecTest, Times) {
  EXPECT_EQ(parse_time("1970-01-01T00:00:10Z"), 10);
  EXPECT_EQ(parse_time("1970-01-01T01:00:10.25+01:00"), 10);
  EXPECT_EQ(parse_time("soon"), 0);
  EXPECT_EQ(format_time_micro(1'767'323'045'678'901'000), "2026-01-02T03:04:05.678901Z");
}

TEST(Base64Test, BothWays) {
  for (const std::string text : {"", "a", "ab", "abc", "abcd"}) {
    EXPECT_EQ(resource::decode_base64(absl::Base64Escape(text)), text);
  }
  EXPECT_EQ(resource::decode_base64("Q0\nE"), "CA");
  for (const char* bad : {"Q", "Q0E=x", "Q0E==", "Q*==", "===="})
    EXPECT_FALSE(resource::decode_base64(bad));
}

}  // namespace
}  // namespace sluice::kube
