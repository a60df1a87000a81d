// The built-in model server: one XGBoost model over HTTP, in a process of its own so that a crash
// of a model is no crash of the ingress. Speaks the seldon protocol and V2 (Open Inference) at
// once. Reference: docs/reference/model-server.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::model {

inline constexpr std::size_t kBodyBytesMax = 64U << 20U;  // 413 beyond

struct Options {
  std::string implementation = "XGBOOST_SERVER";  // the only one so far
  std::string name = "model";                     // V2 model name; key in meta.requestPath
  std::string model_uri;                          // a file or folder: path or file://
  std::string protocol = "seldon";  // accepted: seldon, v2, kfserving; all are served always
  std::string address = "127.0.0.1";
  int http_port = -1;  // -1: env PREDICTIVE_UNIT_HTTP_SERVICE_PORT, else 9000; 0: any free one
  int metrics_port =
      -1;                // -1: env PREDICTIVE_UNIT_METRICS_SERVICE_PORT, else none beside http_port
  unsigned threads = 0;  // 0: one per processor, at most 4
};

// `file://` and plain paths; a folder means its model.json, model.ubj or model.bst, the first that
// is there. Relative paths are taken from the working folder.
Result<std::string> find_model_file(std::string_view model_uri);

// Serves until SIGTERM or SIGINT, then answers what is under way and returns 0; 1 with a log line
// when it can't start. Handles both signals itself, process-wide.
int run(const Options& options);

}  // namespace sluice::model
