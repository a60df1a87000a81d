// The seldon protocol as Seldon's Python wrapper of a MODEL speaks it: the answer takes the form of
// the request (ndarray or tensor), `names` are t:0, t:1, …, meta carries puid, tags and metrics of
// the request and requestPath with this model in front; keys are sorted and a newline ends the
// document.
#include <fmt/core.h>

#include "model/answer.h"
#include "model/json_matrix.h"

namespace sluice::model {

namespace json = boost::json;

namespace {

struct Request {
  json::value document;  // what follows points into it
  const json::object* meta = nullptr;
  std::vector<std::string_view> names;
  bool is_tensor = false;
  Matrix matrix;
};

tl::unexpected<Error> bad(std::string what) { return fail(Blame::kClient, std::move(what)); }

Result<void> read_names(const json::object& data, Request& request) {
  const json::value* const names = data.if_contains("names");
  if (names == nullptr || names->is_null()) return {};
  if (!names->is_array()) return bad("data.names must be a list of texts");
  for (const json::value& name : names->get_array()) {
    if (!name.is_string()) return bad("data.names must be a list of texts");
    request.names.emplace_back(name.get_string().data(), name.get_string().size());
  }
  return {};
}

Result<Matrix> read_tensor(const json::value& value) {
  const json::object* const tensor = value.if_object();
  if (tensor == nullptr) return bad("data.tensor must be an object with shape and values");
  SLUICE_TRY(const auto shape, to_shape(tensor->if_contains("shape"), "data.tensor.shape"));
  const json::value* const values = tensor->if_contains("values");
  if (values == nullptr || !values->is_array())
    return bad("data.tensor.values must be a list of numbers");
  if (shape.size() != 2) {
    return bad(fmt::format("data.tensor.shape has {} dimensions; two are expected: [rows, columns]",
                           shape.size()));
  }
  return flat_to_matrix(values->get_array(), shape[0], shape[1], "data.tensor.values");
}

Result<Matrix> read_ndarray(const json::value& value) {
  const json::array* const rows = value.if_array();
  if (rows == nullptr)
    return bad(fmt::format("data.ndarray is {}; a list of rows is expected", kind_name(value)));
  return rows_to_matrix(*rows, "data.ndarray");
}

Result<Request> read_request(std::string_view body) {
  Request request;
  SLUICE_TRY(request.document, parse_json(body));
  const json::object* const message = request.document.if_object();
  if (message == nullptr)
    return bad(fmt::format("the body is {}; an object with data is expected",
                           kind_name(request.document)));
  if (const json::value* const meta = message->if_contains("meta");
      meta != nullptr && !meta->is_null()) {
    request.meta = meta->if_object();
    if (request.meta == nullptr) return bad("meta must be an object");
  }
  const json::value* const data = message->if_contains("data");
  if (data == nullptr || !data->is_object()) {
    for (const char* other : {"strData", "binData", "jsonData"}) {
      if (message->contains(other))
        return bad(fmt::format(
            "{} is given; this model takes numbers in data.ndarray or data.tensor", other));
    }
    return bad("data is missing: an object with ndarray or tensor");
  }
  const json::object& fields = data->get_object();
  SLUICE_CHECK(read_names(fields, request));
  if (const json::value* const tensor = fields.if_contains("tensor")) {
    request.is_tensor = true;
    SLUICE_TRY(request.matrix, read_tensor(*tensor));
  } else if (const json::value* const ndarray = fields.if_contains("ndarray")) {
    SLUICE_TRY(request.matrix, read_ndarray(*ndarray));
  } else if (fields.contains("tftensor")) {
    return bad("data.tftensor is given; this model takes data.ndarray or data.tensor");
  } else {
    return bad("data has neither ndarray nor tensor");
  }
  return request;
}

void append_values(std::string& out, const float* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    append_json_number(out, static_cast<double>(values[i]));
  }
}

void append_data(std::string& out, const Request& request, const Prediction& prediction) {
  out += R"({"data":{"names":[)";
  if (!prediction.is_vector) {
    for (std::size_t i = 0; i < prediction.columns; ++i)
      out += fmt::format("{}\"t:{}\"", i > 0 ? "," : "", i);
  }
  const float* const values = prediction.values.data();
  if (request.is_tensor) {
    out += prediction.is_vector
               ? fmt::format(R"(],"tensor":{{"shape":[{}],"values":[)", prediction.rows)
               : fmt::format(R"(],"tensor":{{"shape":[{},{}],"values":[)", prediction.rows,
                             prediction.columns);
    append_values(out, values, prediction.values.size());
    out += "]}}";
    return;
  }
  out += R"(],"ndarray":[)";
  if (prediction.is_vector) {
    append_values(out, values, prediction.values.size());
  } else {
    for (std::size_t row = 0; row < prediction.rows; ++row) {
      out += row > 0 ? ",[" : "[";
      append_values(out, values + row * prediction.columns, prediction.columns);
      out += ']';
    }
  }
  out += "]}";
}

void append_meta(std::string& out, const Model& model, const json::object* meta) {
  const auto copy = [&](const char* key) {
    const json::value* const value = meta == nullptr ? nullptr : meta->if_contains(key);
    if (value == nullptr || value->is_null()) return;
    if (value->is_string() && value->get_string().empty()) return;  // empty parts are left out
    if (value->is_object() && value->get_object().empty()) return;
    if (value->is_array() && value->get_array().empty()) return;
    out += fmt::format("\"{}\":{},", key, json::serialize(*value));
  };
  out += R"(,"meta":{)";
  copy("metrics");
  copy("puid");
  out += R"("requestPath":{)";
  append_json_text(out, model.name);
  out += ':';
  append_json_text(out, model.image);
  if (const json::value* const path = meta == nullptr ? nullptr : meta->if_contains("requestPath");
      path != nullptr && path->is_object()) {
    for (const auto& [key, value] : path->get_object()) {
      if (std::string_view(key.data(), key.size()) == model.name) continue;
      out += ',' + json::serialize(json::string_view(key)) + ':' + json::serialize(value);
    }
  }
  out += "},";
  copy("tags");
  out.back() = '}';
}

}  // namespace

Answer seldon_failure(int status, std::string_view reason, std::string_view info) {
  Answer answer;
  answer.status = status;
  answer.body = fmt::format(R"({{"status":{{"code":{},"info":)", status);
  append_json_text(answer.body, info);
  answer.body += R"(,"reason":)";
  append_json_text(answer.body, reason);
  answer.body += R"(,"status":"FAILURE"}})";
  answer.body += '\n';
  return answer;
}

Answer predict_seldon(const Model& model, std::string_view body) {
  const auto request = read_request(body);
  if (!request) return seldon_failure(400, "MICROSERVICE_BAD_DATA", to_string(request.error()));
  if (const auto fits = check_columns(*model.booster, request->matrix.columns, request->names);
      !fits) {
    return seldon_failure(400, "MICROSERVICE_BAD_DATA", to_string(fits.error()));
  }
  const auto prediction = model.booster->predict(request->matrix);
  if (!prediction)
    return seldon_failure(500, "MICROSERVICE_INTERNAL_ERROR", to_string(prediction.error()));
  Answer answer;
  answer.rows = prediction->rows;
  answer.body.reserve(256 + prediction->values.size() * 24);
  append_data(answer.body, *request, *prediction);
  append_meta(answer.body, model, request->meta);
  answer.body += "}\n";
  return answer;
}

Answer seldon_health() { return Answer{200, "{\"meta\":{},\"strData\":\"healthy\"}\n"}; }

Answer seldon_metadata(const Model& model) {
  Answer answer;
  std::string& out = answer.body;
  const auto schema = [&](bool with_names, std::size_t columns) {
    out += R"([{"messagetype":"ndarray","schema":{)";
    if (with_names && !model.booster->feature_names().empty()) {
      out += R"("names":[)";
      for (const std::string& name : model.booster->feature_names()) {
        append_json_text(out, name);
        out += ',';
      }
      out.back() = ']';
      out += ',';
    }
    out += fmt::format(R"("shape":[{}]}}}}])", columns);
  };
  const Matrix zeros{std::vector<float>(model.booster->feature_count()), 1,
                     model.booster->feature_count()};
  const auto prediction = model.booster->predict(zeros);
  out = R"({"custom":{},"inputs":)";
  schema(true, model.booster->feature_count());
  out += R"(,"name":)";
  append_json_text(out, model.name);
  out += R"(,"outputs":)";
  schema(false, prediction ? prediction->columns : 1);
  out += R"(,"platform":"xgboost","versions":[)";
  append_json_text(out, model.version);
  out += "]}\n";
  return answer;
}

}  // namespace sluice::model
