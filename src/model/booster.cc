#include "model/booster.h"

#include <fmt/core.h>
#include <xgboost/c_api.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

namespace sluice::model {

namespace {

// libxgboost's messages carry a stack trace below their first lines: "[22:15:30] ../src/x.cc:12:
// what\nStack trace:".
std::string last_error() {
  std::string_view text = XGBGetLastError();
  text = text.substr(0, text.find("Stack trace:"));
  if (const auto mark = text.find(".cc:");
      text.starts_with('[') && mark != std::string_view::npos) {
    if (const auto colon = text.find(": ", mark); colon != std::string_view::npos) {
      text.remove_prefix(colon + 2);
    }
  }
  std::string line(text);
  for (char& c : line) {
    if (c == '\n') c = ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

Prediction to_prediction(const bst_ulong* shape, bst_ulong dimensions, const float* values) {
  Prediction prediction;
  prediction.rows = dimensions > 0 ? shape[0] : 0;
  for (bst_ulong i = 1; i < dimensions; ++i) prediction.columns *= shape[i];
  prediction.is_vector = dimensions <= 1;
  prediction.values.assign(values, values + prediction.rows * prediction.columns);
  return prediction;
}

// Options of XGBoosterPredictFromDense and …FromDMatrix: type 0 is the model's own output.
constexpr const char* kPredictConfig =
    R"({"type":0,"training":false,"iteration_begin":0,"iteration_end":0,"strict_shape":false,"cache_id":0,"missing":NaN})";

}  // namespace

Booster::~Booster() {
  if (handle_ != nullptr) XGBoosterFree(handle_);
}

Result<std::unique_ptr<Booster>> Booster::load(const std::string& file) {
  std::unique_ptr<Booster> booster(new Booster());
  XGBSetGlobalConfig(R"({"verbosity":0})");
  if (XGBoosterCreate(nullptr, 0, &booster->handle_) != 0) {
    return fail(Blame::kInternal, last_error());
  }
  // One request is small: a pool of threads for it costs more than it gains.
  XGBoosterSetParam(booster->handle_, "nthread", "1");
  if (XGBoosterLoadModel(booster->handle_, file.c_str()) != 0) {
    return fail(Blame::kConfig,
                fmt::format("is not a model that XGBoost can read: {}", last_error()), file);
  }
  XGBoosterSetParam(booster->handle_, "nthread", "1");

  bst_ulong features = 0;
  if (XGBoosterGetNumFeature(booster->handle_, &features) != 0) {
    return fail(Blame::kConfig, last_error(), file);
  }
  booster->feature_count_ = features;
  bst_ulong names = 0;
  const char** names_text = nullptr;
  if (XGBoosterGetStrFeatureInfo(booster->handle_, "feature_name", &names, &names_text) == 0) {
    for (bst_ulong i = 0; i < names; ++i) booster->feature_names_.emplace_back(names_text[i]);
  }
  if (booster->feature_names_.size() != features) booster->feature_names_.clear();
  const char* sklearn = nullptr;
  int has_sklearn = 0;
  if (XGBoosterGetAttr(booster->handle_, "scikit_learn", &sklearn, &has_sklearn) == 0 &&
      has_sklearn != 0) {
    booster->is_sklearn_classifier_ =
        std::string_view(sklearn).find("classifier") != std::string_view::npos;
  }

  // The first prediction finishes the set-up (which is not for two threads) and tells whether the
  // model can be asked in place.
  Matrix probe{std::vector<float>(features, 0.0F), 1, features};
  if (!booster->predict_in_place(probe)) {
    booster->in_place_ = false;
    if (auto copied = booster->predict_by_copy(probe); !copied) {
      return tl::unexpected<Error>(within(file, std::move(copied).error()));
    }
  }
  return booster;
}

Result<Prediction> Booster::predict(const Matrix& matrix) const {
  return in_place_ ? predict_in_place(matrix) : predict_by_copy(matrix);
}

Result<Prediction> Booster::predict_in_place(const Matrix& matrix) const {
  const std::string array = fmt::format(
      R"({{"data":[{},true],"shape":[{},{}],"typestr":"<f4","version":3}})",
      reinterpret_cast<std::uintptr_t>(matrix.values.data()), matrix.rows, matrix.columns);
  const bst_ulong* shape = nullptr;
  bst_ulong dimensions = 0;
  const float* values = nullptr;
  if (XGBoosterPredictFromDense(handle_, array.c_str(), kPredictConfig, nullptr, &shape,
                                &dimensions, &values) != 0) {
    return fail(Blame::kInternal, last_error());
  }
  return to_prediction(shape, dimensions, values);
}

Result<Prediction> Booster::predict_by_copy(const Matrix& matrix) const {
  const std::lock_guard lock(copy_mutex_);
  DMatrixHandle data = nullptr;
  if (XGDMatrixCreateFromMat(matrix.values.data(), matrix.rows, matrix.columns,
                             std::numeric_limits<float>::quiet_NaN(), &data) != 0) {
    return fail(Blame::kInternal, last_error());
  }
  const bst_ulong* shape = nullptr;
  bst_ulong dimensions = 0;
  const float* values = nullptr;
  const int status =
      XGBoosterPredictFromDMatrix(handle_, data, kPredictConfig, &shape, &dimensions, &values);
  Result<Prediction> result = status == 0
                                  ? Result<Prediction>(to_prediction(shape, dimensions, values))
                                  : fail(Blame::kInternal, last_error());
  XGDMatrixFree(data);
  return result;
}

}  // namespace sluice::model
