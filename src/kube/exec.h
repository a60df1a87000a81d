// Runs a credential plug-in and reads what it hands out.
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "kube/kubeconfig.h"
#include "kube/stop.h"

namespace sluice::kube {

struct ExecCredential {
  std::string token;
  std::string certificate_pem;
  std::string key_pem;
  std::int64_t expires_seconds = 0;  // since 1970; 0: does not say
};

// Blocks for at most a minute. Fails (kConfig) with the program's name, its hint, and how it ended.
Result<ExecCredential> run_plugin(const ExecPlugin& plugin, const Config& config, const Stop& stop);
// "2026-01-02T03:04:05Z" (fractions are cut) in seconds since 1970; 0: unreadable.
std::int64_t parse_time(const std::string& text) noexcept;
std::string format_time_micro(std::int64_t wall_ns);  // "2026-01-02T03:04:05.678901Z"

}  // namespace sluice::kube
