// One function per verb: options in, exit code out (output.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/output.h"
#include "compile/settings.h"
#include "gateway/gateway.h"

namespace sluice::cli {

struct RenderOptions {
  std::vector<std::string> files;
  compile::Settings settings;
  Format format = Format::kYaml;
};
int render(const RenderOptions& options);

struct ValidateOptions {
  std::vector<std::string> files;
  compile::Settings settings;
  Format format = Format::kTable;
  bool strict = false;  // warnings refuse, too
};
int validate(const ValidateOptions& options);

struct RoutesOptions {
  std::vector<std::string> files;
  compile::Settings settings;
  Format format = Format::kTable;
};
int routes(const RoutesOptions& options);

struct ExplainOptions {
  std::vector<std::string> files;
  compile::Settings settings;
  Format format = Format::kTable;
  std::vector<std::string> request;  // as curl takes it
};
int explain(const ExplainOptions& options);

struct ServeOptions {
  std::vector<std::string> files;
  compile::Settings settings;
  gateway::Options gateway;
  std::string admin = "127.0.0.1:15000";
  std::int64_t drain_seconds = 30;
};
int serve(const ServeOptions& options);

}  // namespace sluice::cli
