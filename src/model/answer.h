// What the protocols make of a request: pure functions from bytes to an answer, and the small JSON
// writers that they share. No socket here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/booster.h"

namespace sluice::model {

// What is served. Fixed after start; shared by all threads.
struct Model {
  std::string name;
  std::string version = "v1";
  std::string image;  // value in meta.requestPath
  std::unique_ptr<Booster> booster;
};

struct Answer {
  int status = 200;
  std::string body;
  const char* content_type = "application/json";
  std::size_t rows = 0;  // predicted: for the metrics
};

// Seldon protocol. `body`: a SeldonMessage.
Answer predict_seldon(const Model& model, std::string_view body);
Answer seldon_metadata(const Model& model);
Answer seldon_health();
// {"status":{"code":400,"info":…,"reason":"MICROSERVICE_BAD_DATA","status":"FAILURE"}}
Answer seldon_failure(int status, std::string_view reason, std::string_view info);

// V2. `name`: as in the path. `request_id`: used when the body has none.
Answer predict_v2(const Model& model, std::string_view body, std::string_view request_id);
Answer v2_server_metadata();
Answer v2_model_metadata(const Model& model);
Answer v2_failure(int status, std::string_view what);

// ---- shared by both

// The matrix's width and the names given fit the model, else a sentence that says what is expected.
Result<void> check_columns(const Booster& booster, std::size_t columns,
                           const std::vector<std::string_view>& names);

void append_json_text(std::string& out, std::string_view text);  // with quotes
// Shortest form that reads back as the same double, always with a point or exponent: "0.25", "3.0".
// NaN and infinities, which JSON can't say, become null.
void append_json_number(std::string& out, double number);

}  // namespace sluice::model
