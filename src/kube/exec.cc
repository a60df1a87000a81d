#include "kube/exec.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "kube/document.h"
#include "net/socket.h"
#include "resource/print.h"

namespace sluice::kube {

using resource::Map;
using resource::Value;

namespace {

constexpr std::int64_t kPluginSeconds = 60;
constexpr std::size_t kPluginBytesMax = 1U << 20U;

std::vector<std::string> environment_of(const ExecPlugin& plugin, const Config& config) {
  std::vector<std::string> lines;
  for (char** line = environ; *line != nullptr; ++line) {
    const std::string text = *line;
    const std::string name = text.substr(0, text.find('='));
    bool replaced = name == "KUBERNETES_EXEC_INFO";
    for (const auto& [key, value] : plugin.environment) replaced = replaced || key == name;
    if (!replaced) lines.push_back(text);
  }
  for (const auto& [key, value] : plugin.environment) lines.push_back(key + "=" + value);
  Map spec{{"interactive", false}};
  if (plugin.wants_cluster) {
    Map cluster{{"server", config.server}};
    if (config.skip_verify) cluster.set("insecure-skip-tls-verify", true);
    if (!config.tls_server_name.empty()) cluster.set("tls-server-name", config.tls_server_name);
    if (!config.proxy_url.empty()) cluster.set("proxy-url", config.proxy_url);
    spec.set("cluster", std::move(cluster));
  }
  lines.push_back("KUBERNETES_EXEC_INFO=" +
                  resource::to_json(Value(Map{{"apiVersion", plugin.api_version},
                                              {"kind", "ExecCredential"},
                                              {"spec", std::move(spec)}})));
  return lines;
}

std::vector<char*> pointers_to(std::vector<std::string>& lines) {
  std::vector<char*> pointers;
  for (std::string& line : lines) pointers.push_back(line.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Reads until the program closes its output. False: too late, too much, or stopped.
bool read_output(int fd, std::string& text, const Stop& stop) {
  const std::int64_t deadline = monotonic_ns() + kPluginSeconds * 1'000'000'000;
  char buffer[4096];
  for (;;) {
    if (stop.wait_for(fd, POLLIN, deadline) != Stop::Ready::kReady) return false;
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got == 0) return true;
    if (got < 0 && errno != EINTR && errno != EAGAIN) return false;
    if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > kPluginBytesMax) return false;
  }
}

}  // namespace

std::int64_t parse_time(const std::string& text) noexcept {
  tm parts{};
  int read = 0;
  if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d%n", &parts.tm_year, &parts.tm_mon,
                  &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &read) != 6) {
    return 0;
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  std::int64_t seconds = timegm(&parts);
  const char* rest = text.c_str() + read;
  while (*rest == '.' || (*rest >= '0' && *rest <= '9')) ++rest;
  int hours = 0;
  int minutes = 0;
  if ((*rest == '+' || *rest == '-') && std::sscanf(rest + 1, "%d:%d", &hours, &minutes) == 2)
    seconds -= (*rest == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
  return seconds;
}

std::string format_time_micro(std::int64_t wall_ns) {
  const time_t seconds = wall_ns / 1'000'000'000;
  tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     wall_ns % 1'000'000'000 / 1000);
}

Result<ExecCredential> run_plugin(const ExecPlugin& plugin, const Config& config,
                                  const Stop& stop) {
  const auto failed = [&](const std::string& what) {
    return fail(Blame::kConfig,
                what + (plugin.install_hint.empty() ? "" : "; " + plugin.install_hint),
                "credential plug-in " + plugin.command);
  };
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return failed("there is no pipe left");
  const net::Fd output(ends[0]);
  net::Fd input(ends[1]);

  std::vector<std::string> words = {plugin.command};
  words.insert(words.end(), plugin.arguments.begin(), plugin.arguments.end());
  std::vector<std::string> lines = environment_of(plugin, config);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, input.get(), 1);
  posix_spawnattr_t
      attributes;  // the control thread blocks signals: the plug-in must not inherit it
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, plugin.command.c_str(), &actions, &attributes,
                                 pointers_to(words).data(), pointers_to(lines).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  input.close();
  char reason[128];
  if (error != 0)
    return failed(fmt::format("can't be run: {}", strerror_r(error, reason, sizeof reason)));

  std::string text;
  const bool all = read_output(output.get(), text, stop);
  if (!all) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!all) return failed(fmt::format("did not end within {} s", kPluginSeconds));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return failed(fmt::format("ended with status {}",
                              WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)));

  auto answer = parse_document(text);
  if (!answer) return failed("its answer is no JSON: " + answer.error().what);
  const Value& given = answer->at("status");
  ExecCredential credential;
  credential.token = given.at("token").text();
  credential.certificate_pem = given.at("clientCertificateData").text();
  credential.key_pem = given.at("clientKeyData").text();
  credential.expires_seconds = parse_time(std::string(given.at("expirationTimestamp").text()));
  if (credential.token.empty() && credential.certificate_pem.empty())
    return failed("its answer has neither status.token nor status.clientCertificateData");
  return credential;
}

}  // namespace sluice::kube
