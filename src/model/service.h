// Which path does what: a request in, an answer out. No socket here. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "model/answer.h"
#include "model/metrics.h"

namespace sluice::model {

struct ServiceRequest {
  std::string_view method;
  std::string_view target;  // path and query
  std::string_view body;
  std::string_view puid;  // of header Seldon-Puid, or a fresh one
};

class Service {
 public:
  explicit Service(Model model) : model_(std::move(model)) {}
  Answer answer(const ServiceRequest& request);
  const Model& model() const noexcept { return model_; }

 private:
  Answer answer_v2(const ServiceRequest& request, std::string_view path);
  Answer predict(Protocol protocol, std::string_view body, std::string_view puid);

  const Model model_;
  Metrics metrics_;
};

}  // namespace sluice::model
