// V2, the Open Inference Protocol, as MLServer's XGBoost runtime speaks it. One input of shape
// [rows, columns], or one input a column of shape [rows] or [rows, 1] each.
#include <fmt/core.h>

#include "model/answer.h"
#include "model/json_matrix.h"

namespace sluice::model {

namespace json = boost::json;

namespace {

struct Input {
  std::string_view name;
  Matrix matrix;
};

struct Wanted {
  bool predict = false;
  bool predict_proba = false;
};

tl::unexpected<Error> bad(std::string what) { return fail(Blame::kClient, std::move(what)); }

std::string_view text_of(const json::object& object, const char* key) {
  const json::value* const value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

bool is_number_type(std::string_view type) {
  for (const std::string_view known : {"BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8",
                                       "INT16", "INT32", "INT64", "FP16", "FP32", "FP64"}) {
    if (type == known) return true;
  }
  return false;
}

// `data` may be flat or nested, as the shape has it.
Result<Matrix> read_data(const json::array& data, std::size_t rows, std::size_t columns,
                         const std::string& path) {
  if (data.empty() || !data.front().is_array()) return flat_to_matrix(data, rows, columns, path);
  SLUICE_TRY(Matrix matrix, rows_to_matrix(data, path));
  if (matrix.rows != rows || matrix.columns != columns) {
    return bad(fmt::format("{} is [{}, {}], its shape says [{}, {}]", path, matrix.rows,
                           matrix.columns, rows, columns));
  }
  return matrix;
}

Result<Input> read_input(const json::value& value, std::size_t index) {
  const std::string path = fmt::format("inputs[{}]", index);
  const json::object* const object = value.if_object();
  if (object == nullptr)
    return bad(fmt::format("{} is {}; an object is expected", path, kind_name(value)));
  Input input;
  input.name = text_of(*object, "name");
  const std::string_view type = text_of(*object, "datatype");
  if (!is_number_type(type)) {
    return bad(fmt::format("{}.datatype is \"{}\"; this model takes numbers, such as FP32", path,
                           type.substr(0, 100)));
  }
  SLUICE_TRY(const auto shape, to_shape(object->if_contains("shape"), path + ".shape"));
  if (shape.empty() || shape.size() > 2) {
    return bad(fmt::format("{}.shape has {} dimensions; two are expected: [rows, columns]", path,
                           shape.size()));
  }
  const json::value* const data = object->if_contains("data");
  if (data == nullptr || !data->is_array()) {
    return bad(
        fmt::format("{}.data must be a list of numbers (binary tensors are not supported)", path));
  }
  SLUICE_TRY(input.matrix, read_data(data->get_array(), shape[0], shape.size() == 2 ? shape[1] : 1,
                                     path + ".data"));
  return input;
}

// Several inputs are columns, in the order given; their names are checked as names of columns.
Result<Matrix> join_columns(const std::vector<Input>& inputs,
                            std::vector<std::string_view>& names) {
  Matrix matrix;
  matrix.rows = inputs.front().matrix.rows;
  matrix.columns = inputs.size();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].matrix.columns != 1 || inputs[i].matrix.rows != matrix.rows) {
      return bad(fmt::format(
          "inputs[{}] has shape [{}, {}]; of several inputs each is one column of [{}, 1]", i,
          inputs[i].matrix.rows, inputs[i].matrix.columns, matrix.rows));
    }
    names.push_back(inputs[i].name);
  }
  matrix.values.reserve(matrix.rows * matrix.columns);
  for (std::size_t row = 0; row < matrix.rows; ++row) {
    for (const Input& input : inputs) matrix.values.push_back(input.matrix.values[row]);
  }
  return matrix;
}

Result<Matrix> read_matrix(const json::object& message, const Booster& booster) {
  const json::value* const list = message.if_contains("inputs");
  if (list == nullptr || !list->is_array() || list->get_array().empty()) {
    return bad("inputs is missing: a list of tensors with name, shape, datatype and data");
  }
  std::vector<Input> inputs;
  std::vector<std::string_view> names;
  for (const json::value& value : list->get_array()) {
    SLUICE_TRY(Input input, read_input(value, inputs.size()));
    inputs.push_back(std::move(input));
  }
  Matrix matrix;
  if (inputs.size() == 1) {
    matrix = std::move(inputs.front().matrix);
  } else {
    SLUICE_TRY(matrix, join_columns(inputs, names));
  }
  SLUICE_CHECK(check_columns(booster, matrix.columns, names));
  return matrix;
}

Result<Wanted> read_wanted(const json::object& message, const Booster& booster) {
  Wanted wanted;
  const json::value* const list = message.if_contains("outputs");
  if (list == nullptr || !list->is_array() || list->get_array().empty()) {
    wanted.predict = true;
    return wanted;
  }
  for (const json::value& each : list->get_array()) {
    const std::string_view name =
        each.is_object() ? text_of(each.get_object(), "name") : std::string_view();
    if (name == "predict") {
      wanted.predict = true;
    } else if (name == "predict_proba" && booster.is_sklearn_classifier()) {
      wanted.predict_proba = true;
    } else {
      return bad(
          fmt::format("outputs: there is no output \"{}\"; this model has {}", name.substr(0, 100),
                      booster.is_sklearn_classifier() ? "predict and predict_proba" : "predict"));
    }
  }
  return wanted;
}

void open_output(std::string& out, std::string_view name, std::size_t rows, std::size_t columns,
                 const char* type) {
  out += fmt::format(
      R"({{"name":"{}","shape":[{},{}],"datatype":"{}","parameters":{{"content_type":"np"}},"data":[)",
      name, rows, columns, type);
}

void append_numbers(std::string& out, const char* name, const Prediction& prediction) {
  open_output(out, name, prediction.rows, prediction.columns, "FP32");
  for (std::size_t i = 0; i < prediction.values.size(); ++i) {
    if (i > 0) out += ',';
    append_json_number(out, static_cast<double>(prediction.values[i]));
  }
  out += "]}";
}

// The class of each row: the largest of several numbers, or whether the one number passes a half.
void append_classes(std::string& out, const Prediction& prediction) {
  open_output(out, "predict", prediction.rows, 1, "INT64");
  for (std::size_t row = 0; row < prediction.rows; ++row) {
    const float* const values = prediction.values.data() + row * prediction.columns;
    std::size_t best = prediction.columns == 1 && values[0] > 0.5F ? 1 : 0;
    for (std::size_t i = 1; i < prediction.columns; ++i) {
      if (values[i] > values[best]) best = i;
    }
    if (row > 0) out += ',';
    out += std::to_string(best);
  }
  out += "]}";
}

// Of a binary classifier the model gives the second class alone.
void append_probabilities(std::string& out, const Prediction& prediction) {
  if (prediction.columns > 1) return append_numbers(out, "predict_proba", prediction);
  Prediction both{{}, prediction.rows, 2, false};
  for (const float second : prediction.values) {
    both.values.push_back(1.0F - second);
    both.values.push_back(second);
  }
  append_numbers(out, "predict_proba", both);
}

}  // namespace

Answer v2_failure(int status, std::string_view what) {
  Answer answer;
  answer.status = status;
  answer.body = R"({"error":)";
  append_json_text(answer.body, what);
  answer.body += '}';
  return answer;
}

Answer predict_v2(const Model& model, std::string_view body, std::string_view request_id) {
  const auto document = parse_json(body);
  if (!document) return v2_failure(400, to_string(document.error()));
  const json::object* const message = document->if_object();
  if (message == nullptr) return v2_failure(400, "the body must be an object with inputs");
  const auto matrix = read_matrix(*message, *model.booster);
  if (!matrix) return v2_failure(400, to_string(matrix.error()));
  const auto wanted = read_wanted(*message, *model.booster);
  if (!wanted) return v2_failure(400, to_string(wanted.error()));
  const auto prediction = model.booster->predict(*matrix);
  if (!prediction) return v2_failure(500, to_string(prediction.error()));

  Answer answer;
  answer.rows = prediction->rows;
  std::string& out = answer.body;
  out.reserve(256 + prediction->values.size() * 24);
  out = R"({"model_name":)";
  append_json_text(out, model.name);
  out += R"(,"model_version":)";
  append_json_text(out, model.version);
  out += R"(,"id":)";
  const std::string_view id = text_of(*message, "id");
  append_json_text(out, id.empty() ? request_id : id);
  out += R"(,"parameters":{},"outputs":[)";
  if (wanted->predict) {
    if (model.booster->is_sklearn_classifier()) {
      append_classes(out, *prediction);
    } else {
      append_numbers(out, "predict", *prediction);
    }
  }
  if (wanted->predict_proba) {
    if (wanted->predict) out += ',';
    append_probabilities(out, *prediction);
  }
  out += "]}";
  return answer;
}

Answer v2_server_metadata() {
  return Answer{200, R"({"name":"sluice","version":"0.1.0","extensions":[]})"};
}

Answer v2_model_metadata(const Model& model) {
  Answer answer;
  answer.body = R"({"name":)";
  append_json_text(answer.body, model.name);
  answer.body += R"(,"versions":[)";
  append_json_text(answer.body, model.version);
  answer.body += fmt::format(
      R"(],"platform":"xgboost","inputs":[{{"name":"input","datatype":"FP32","shape":[-1,{}]}}],)"
      R"("outputs":[{{"name":"predict","datatype":"{}","shape":[-1,{}]}}]}})",
      model.booster->feature_count(), model.booster->is_sklearn_classifier() ? "INT64" : "FP32",
      model.booster->is_sklearn_classifier() ? "1" : "-1");
  return answer;
}

}  // namespace sluice::model
