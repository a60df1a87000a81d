// Which path means what, in each protocol. Pure; no allocation but clean_path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "executor/predictor.h"
#include "http/head.h"

namespace sluice::executor {

enum class Action : std::uint8_t {
  kNotFound,
  kMethodNotAllowed,
  kPreflight,      // OPTIONS on a known path
  kReady,          // the graph's readiness: /ready, and the protocols' own paths for it
  kLive,           //
  kPrometheus,     //
  kPredict,        //
  kFeedback,       //
  kStatus,         // of the node `model`
  kMetadata,       // of the node `model`
  kGraphMetadata,  //
};

struct Match {
  Action action = Action::kNotFound;
  std::string_view model;    // the path's own model name, a view into it; "" when it has none
  std::string_view methods;  // Access-Control-Allow-Methods; "" when that is not sent
  std::string_view service;  // the metric's label; "" when the request is not counted
};

// `path`: without a query. A path matches exactly: a slash at its end makes another path.
Match find_path(Protocol protocol, std::string_view prometheus_path, std::string_view path,
                http::Method method) noexcept;

// The path with "//", "." and ".." resolved, a slash at its end kept: a request whose path changes
// by that is sent there (301). Returns false, and leaves `clean` alone, when nothing changes.
bool clean_path(std::string_view path, std::string& clean);

}  // namespace sluice::executor
