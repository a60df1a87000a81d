#include "resource/seldon_deployment.h"

#include <fmt/format.h>

namespace sluice::resource {

namespace {

// One map of the document while it is read: checks each value's type, remembers which fields are
// known.
class Fields {
 public:
  Fields(const Object& object, Diagnostics& out, const Value& value, std::string path)
      : object_(object), out_(out), value_(value), path_(std::move(path)) {
    if (!value.is_null() && !value.is_map()) wrong(value, path_, "a map");
  }

  const std::string& path() const { return path_; }
  const Value& value() const { return value_; }
  std::string path_of(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  }
  Origin origin() const { return {path_, value_.place}; }
  bool present(std::string_view key) { return !value_.at(key).is_null(); }

  void text(std::string_view key, std::string& into, bool required = false) {
    const Value& value = take(key, required);
    if (value.is_null()) return;
    if (const std::string* found = value.as_string()) {
      into = *found;
    } else {
      wrong(value, path_of(key), "text", "put it in quotes");
    }
  }

  void text(std::string_view key, std::optional<std::string>& into) {
    std::string found;
    text(key, found);
    if (value_.at(key).is_string()) into = std::move(found);
  }

  void integer(std::string_view key, std::optional<std::int64_t>& into) {
    const Value& value = take(key, false);
    if (value.is_null()) return;
    constexpr std::int64_t kMax = 2147483647;  // int32 in the schema
    if (const std::int64_t* found = value.as_int()) {
      if (*found >= -kMax - 1 && *found <= kMax) {
        into = *found;
      } else {
        wrong(value, path_of(key), "an integer of 32 bits");
      }
    } else {
      wrong(value, path_of(key), "an integer", value.is_string() ? "leave the quotes out" : "");
    }
  }

  void integer(std::string_view key, std::int64_t& into) {
    std::optional<std::int64_t> found;
    integer(key, found);
    if (found) into = *found;
  }

  void flag(std::string_view key, bool& into) {
    const Value& value = take(key, false);
    if (value.is_null()) return;
    if (const bool* found = value.as_bool()) {
      into = *found;
    } else {
      wrong(value, path_of(key), "true or false", value.is_string() ? "leave the quotes out" : "");
    }
  }

  void texts(std::string_view key, TextMap& into) {
    const Value& value = take(key, false);
    if (value.is_null()) return;
    const Map* map = value.as_map();
    if (map == nullptr) return wrong(value, path_of(key), "a map of texts");
    for (const Member& member : *map) {
      if (const std::string* found = member.value.as_string()) {
        into.insert_or_assign(member.key, *found);
      } else if (member.value.is_null()) {
        into.insert_or_assign(member.key, std::string());
      } else {
        wrong(member.value, fmt::format("{}[\"{}\"]", path_of(key), member.key), "text",
              "put it in quotes");
      }
    }
  }

  void map(std::string_view key, Value& into) {
    const Value& value = take(key, false);
    if (value.is_null()) return;
    if (value.is_map()) {
      into = value;
    } else {
      wrong(value, path_of(key), "a map");
    }
  }

  const List& list(std::string_view key, bool required = false) {
    const Value& value = take(key, required);
    if (!value.is_null() && !value.is_list()) wrong(value, path_of(key), "a list");
    return value.list();
  }

  const Value& any(std::string_view key) { return take(key, false); }

  Fields inner(std::string_view key) { return {object_, out_, take(key, false), path_of(key)}; }
  Fields item(std::string_view key, std::size_t index) {
    return {object_, out_, value_.at(key).at(index), fmt::format("{}[{}]", path_of(key), index)};
  }

  void missing(std::string_view key) {
    report(value_, path_of(key), Severity::kError, "missing-field",
           fmt::format("{} is missing", key), "");
  }

  void wrong(const Value& value, std::string field, std::string_view wanted,
             std::string hint = {}) {
    report(value, std::move(field), Severity::kError, "wrong-type",
           fmt::format("must be {}, not {}", wanted, value.type_name()), std::move(hint));
  }

 private:
  const Value& take(std::string_view key, bool required) {
    const Value& value = value_.at(key);
    if (required && value.is_null()) missing(key);
    return value;
  }

  void report(const Value& value, std::string field, Severity severity, std::string code,
              std::string what, std::string hint) {
    Value placed;
    placed.place = value.place.line != 0 ? value.place : value_.place;
    out_.push_back(about(object_, placed, std::move(field), severity, std::move(code),
                         std::move(what), std::move(hint)));
  }

  const Object& object_;
  Diagnostics& out_;
  const Value& value_;
  std::string path_;
};

std::optional<UnitEndpoint> read_endpoint(Fields parent, bool present) {
  if (!present) return std::nullopt;
  UnitEndpoint endpoint;
  parent.text("service_host", endpoint.service_host);
  parent.integer("service_port", endpoint.service_port);
  parent.text("type", endpoint.type);
  parent.integer("httpPort", endpoint.http_port);
  parent.integer("grpcPort", endpoint.grpc_port);
  return endpoint;
}

Unit read_unit(Fields fields) {
  Unit unit;
  unit.origin = fields.origin();
  fields.text("name", unit.name, true);
  fields.text("type", unit.type);
  fields.text("implementation", unit.implementation);
  fields.text("modelUri", unit.model_uri);
  fields.text("serviceAccountName", unit.service_account_name);
  fields.text("envSecretRefName", unit.env_secret_ref_name);
  fields.text("storageInitializerImage", unit.storage_initializer_image);
  if (fields.present("methods")) {
    unit.methods.emplace();
    for (const Value& method : fields.list("methods")) {
      if (!method.is_string()) fields.wrong(method, fields.path_of("methods"), "a list of texts");
      unit.methods->emplace_back(method.text());
    }
  }
  unit.endpoint = read_endpoint(fields.inner("endpoint"), fields.present("endpoint"));
  if (fields.present("logger")) {
    Fields logger = fields.inner("logger");
    unit.logger.emplace();
    logger.text("url", unit.logger->url);
    logger.text("mode", unit.logger->mode);
  }
  const std::size_t parameters = fields.list("parameters").size();
  for (std::size_t i = 0; i < parameters; ++i) {
    Fields item = fields.item("parameters", i);
    Parameter& parameter = unit.parameters.emplace_back();
    item.text("name", parameter.name, true);
    item.text("value", parameter.value, true);
    item.text("type", parameter.type, true);
  }
  const std::size_t children = fields.list("children").size();
  for (std::size_t i = 0; i < children; ++i)
    unit.children.push_back(read_unit(fields.item("children", i)));
  return unit;
}

void read_scaling(Fields& fields, ComponentSpec& component) {
  if (fields.present("hpaSpec")) {
    Fields hpa = fields.inner("hpaSpec");
    component.hpa.emplace();
    hpa.integer("minReplicas", component.hpa->min_replicas);
    if (!hpa.present("maxReplicas")) hpa.missing("maxReplicas");
    hpa.integer("maxReplicas", component.hpa->max_replicas);
    if (hpa.present("metrics")) component.hpa->metrics = hpa.list("metrics");
    if (hpa.present("metricsv2")) component.hpa->metrics_v2 = hpa.list("metricsv2");
  }
  if (fields.present("kedaSpec")) {
    Fields keda = fields.inner("kedaSpec");
    if (!keda.present("triggers")) keda.missing("triggers");
    component.keda = keda.value();
  }
  if (fields.present("pdbSpec")) {
    Fields pdb = fields.inner("pdbSpec");
    component.pdb.emplace();
    component.pdb->min_available = pdb.any("minAvailable");
    component.pdb->max_unavailable = pdb.any("maxUnavailable");
  }
}

ComponentSpec read_component(Fields fields) {
  ComponentSpec component;
  component.origin = fields.origin();
  Fields metadata = fields.inner("metadata");
  metadata.text("name", component.name);
  metadata.texts("labels", component.labels);
  metadata.texts("annotations", component.annotations);
  fields.map("spec", component.pod);
  if (fields.present("spec")) {
    Fields pod = fields.inner("spec");
    const std::size_t count = pod.list("containers", true).size();
    for (std::size_t i = 0; i < count; ++i) {
      Fields container = pod.item("containers", i);
      std::string name;
      container.text("name", name, true);
    }
  }
  read_scaling(fields, component);
  fields.integer("replicas", component.replicas);
  return component;
}

Explainer read_explainer(Fields fields) {
  Explainer explainer;
  explainer.origin = fields.origin();
  fields.text("type", explainer.type);
  fields.text("modelUri", explainer.model_uri);
  fields.text("serviceAccountName", explainer.service_account_name);
  if (fields.present("containerSpec")) {
    fields.map("containerSpec", explainer.container);
    std::string name;
    fields.inner("containerSpec").text("name", name, true);
  }
  fields.texts("config", explainer.config);
  explainer.endpoint = read_endpoint(fields.inner("endpoint"), fields.present("endpoint"));
  fields.text("envSecretRefName", explainer.env_secret_ref_name);
  fields.text("storageInitializerImage", explainer.storage_initializer_image);
  fields.integer("replicas", explainer.replicas);
  fields.text("initParameters", explainer.init_parameters);
  return explainer;
}

Predictor read_predictor(Fields fields) {
  Predictor predictor;
  predictor.origin = fields.origin();
  fields.text("name", predictor.name, true);
  if (!fields.present("graph")) fields.missing("graph");
  if (!fields.value().at("graph").is_null()) predictor.graph = read_unit(fields.inner("graph"));
  predictor.graph.origin.field = fields.path_of("graph");
  const std::size_t components = fields.list("componentSpecs").size();
  for (std::size_t i = 0; i < components; ++i) {
    predictor.components.push_back(read_component(fields.item("componentSpecs", i)));
  }
  fields.integer("replicas", predictor.replicas);
  fields.texts("annotations", predictor.annotations);
  fields.texts("labels", predictor.labels);
  fields.map("engineResources", predictor.engine_resources);
  Fields orchestrator = fields.inner("svcOrchSpec");
  orchestrator.map("resources", predictor.orchestrator_resources);
  predictor.orchestrator_env = orchestrator.list("env");
  orchestrator.integer("replicas", predictor.orchestrator_replicas);
  fields.integer("traffic", predictor.traffic);
  if (fields.present("explainer")) predictor.explainer = read_explainer(fields.inner("explainer"));
  fields.flag("shadow", predictor.shadow);
  Fields ssl = fields.inner("ssl");
  ssl.text("certSecretName", predictor.cert_secret_name);
  fields.integer("progressDeadlineSeconds", predictor.progress_deadline_seconds);
  return predictor;
}

TextMap texts_of(const Value& value) {
  TextMap texts;
  for (const Member& member : value.map())
    texts.insert_or_assign(member.key, std::string(member.value.text()));
  return texts;
}

}  // namespace

bool is_seldon_deployment(const Object& object) {
  return object.kind == "SeldonDeployment" && object.group() == kSeldonGroup;
}

SeldonDeployment read_seldon_deployment(const Object& object, Diagnostics& diagnostics) {
  SeldonDeployment deployment;
  deployment.api_version = object.api_version;
  deployment.name = object.name;
  deployment.namespace_ = object.namespace_;
  deployment.uid = object.metadata().at("uid").text();
  deployment.metadata_labels = texts_of(object.metadata().at("labels"));
  deployment.metadata_annotations = texts_of(object.metadata().at("annotations"));

  Fields root(object, diagnostics, object.root, "");
  Fields fields = root.inner("spec");
  if (!root.present("spec")) root.missing("spec");
  fields.text("name", deployment.spec_name);
  fields.text("oauth_key", deployment.oauth_key);
  fields.text("oauth_secret", deployment.oauth_secret);
  fields.texts("annotations", deployment.annotations);
  fields.text("protocol", deployment.protocol);
  fields.text("transport", deployment.transport);
  fields.integer("replicas", deployment.replicas);
  fields.text("serverType", deployment.server_type);
  if (!fields.present("predictors") && root.value().at("spec").is_map())
    fields.missing("predictors");
  const std::size_t predictors = fields.list("predictors").size();
  for (std::size_t i = 0; i < predictors; ++i) {
    deployment.predictors.push_back(read_predictor(fields.item("predictors", i)));
  }
  return deployment;
}

std::size_t count_units(const Unit& unit) {
  std::size_t count = 1;
  for (const Unit& child : unit.children) count += count_units(child);
  return count;
}

}  // namespace sluice::resource
