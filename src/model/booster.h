// One XGBoost model in memory. Thread: any number may predict at once.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"

namespace sluice::model {

// Row after row.
struct Matrix {
  std::vector<float> values;  // NaN: missing
  std::size_t rows = 0;
  std::size_t columns = 0;
};

struct Prediction {
  std::vector<float> values;
  std::size_t rows = 0;
  std::size_t columns = 1;  // of one row
  bool is_vector = false;   // the model gives one number a row: Python's shape is [rows]
};

class Booster {
 public:
  // The file's ending tells its format, as for Python's xgboost: .json, .ubj, else the old binary.
  static Result<std::unique_ptr<Booster>> load(const std::string& file);
  ~Booster();
  Booster(const Booster&) = delete;
  Booster& operator=(const Booster&) = delete;

  // REQUIRES: matrix.columns == feature_count(), values of rows * columns.
  Result<Prediction> predict(const Matrix& matrix) const;

  std::size_t feature_count() const noexcept { return feature_count_; }
  // Empty when the model was trained without names.
  const std::vector<std::string>& feature_names() const noexcept { return feature_names_; }
  // Saved by xgboost.XGBClassifier: then V2's "predict" is a class and "predict_proba" the numbers.
  bool is_sklearn_classifier() const noexcept { return is_sklearn_classifier_; }

 private:
  Booster() = default;
  Result<Prediction> predict_in_place(const Matrix& matrix) const;
  Result<Prediction> predict_by_copy(const Matrix& matrix) const;

  void* handle_ = nullptr;
  std::size_t feature_count_ = 0;
  std::vector<std::string> feature_names_;
  bool is_sklearn_classifier_ = false;
  bool in_place_ = true;  // gblinear can't predict without a DMatrix
  mutable std::mutex
      copy_mutex_;  // prediction by DMatrix shares a cache and is not for two threads
};

}  // namespace sluice::model
