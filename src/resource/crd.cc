#include "resource/crd.h"

#include <limits>
#include <string>
#include <utility>

#include "resource/schema.h"
#include "resource/schema_seldon.h"

namespace sluice::resource {

namespace {

constexpr std::string_view kGroup = "machinelearning.seldon.io";
constexpr std::string_view kKind = "SeldonDeployment";
constexpr const char* kOpen = "x-kubernetes-preserve-unknown-fields";
// As Kubernetes' own tools write it for a resource.Quantity.
constexpr const char* kQuantityPattern =
    "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\."
    "[0-9]*)?)|(\\.[0-9]+))))?$";

Map integer_or_text() {
  return Map{{"anyOf", List{Map{{"type", "integer"}}, Map{{"type", "string"}}}},
             {"x-kubernetes-int-or-string", true}};
}

Map text_of(const char* format) { return Map{{"type", "string"}, {"format", format}}; }

// OpenAPI v3 as an API server takes it ("structural": every part has a type, nothing refers to
// anything). `units` counts the graph nodes that we are in.
Map openapi(const Schema& schema, int units);

Map openapi_object(const Schema& schema, int units) {
  if (&schema == &tables::kSeldonUnit && units++ > kGraphDepth) {
    return Map{{"type", "object"}, {kOpen, true}};
  }
  Map properties;
  List required;
  for (const FieldSpec& field : schema.fields) {
    Map property = openapi(*field.schema, units);
    // Written as null by Go programs that marshal a pod template.
    if (field.name == "creationTimestamp") property.set("nullable", true);
    if (!field.text.empty()) property.set("description", field.text);
    properties.append(std::string(field.name), std::move(property));
    if (field.required) required.emplace_back(field.name);
  }
  Map made{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) made.set("required", std::move(required));
  return made;
}

Map openapi(const Schema& schema, int units) {
  switch (schema.type) {
    case Type::kAny:
      return Map{{kOpen, true}};
    case Type::kBoolean:
      return Map{{"type", "boolean"}};
    case Type::kInteger32:
    case Type::kInteger64: {
      Map made{{"type", "integer"},
               {"format", schema.type == Type::kInteger32 ? "int32" : "int64"}};
      if (schema.minimum != std::numeric_limits<std::int64_t>::min()) {
        made.set("minimum", schema.minimum);
      }
      if (schema.maximum != std::numeric_limits<std::int64_t>::max()) {
        made.set("maximum", schema.maximum);
      }
      return made;
    }
    case Type::kNumber:
      return Map{{"type", "number"}};
    case Type::kIntOrString:
      return integer_or_text();
    case Type::kQuantity: {
      Map made = integer_or_text();
      made.set("pattern", kQuantityPattern);
      return made;
    }
    case Type::kBytes:
      return text_of("byte");
    case Type::kTime:
      return text_of("date-time");
    case Type::kString:
    case Type::kDuration:
      return Map{{"type", "string"}};
    case Type::kList:
      return Map{{"type", "array"}, {"items", openapi(*schema.element, units)}};
    case Type::kMap:
      return Map{{"type", "object"}, {"additionalProperties", openapi(*schema.element, units)}};
    case Type::kObject:
      return openapi_object(schema, units);
  }
  return Map{{kOpen, true}};
}

Map column(const char* name, const char* type, const char* path, const char* text, bool is_wide) {
  Map made{{"name", name}, {"type", type}, {"jsonPath", path}, {"description", text}};
  if (is_wide) made.set("priority", 1);  // kubectl get -o wide
  return made;
}

List columns() {
  return List{
      column("State", "string", ".status.state", "Creating, Available or Failed", false),
      column("Replicas", "integer", ".status.replicas",
             "pods of the first predictor's first component", false),
      column("Traffic", "string", ".status.traffic", "percentage of each predictor", false),
      column("Age", "date", ".metadata.creationTimestamp", "since it was created", false),
      column("Description", "string", ".status.description", "what failed", true),
  };
}

Map root_schema() {
  // Of metadata a CRD may say nothing but that it is there; API servers know the rest.
  Map properties;
  for (const FieldSpec& field : tables::kSeldonDeployment.fields) {
    Map property = field.name == "metadata" ? Map{{"type", "object"}}
                   : field.name == "status" ? openapi(tables::kSeldonStatus, 0)
                                            : openapi(*field.schema, 0);
    properties.append(std::string(field.name), std::move(property));
  }
  return Map{{"type", "object"},
             {"description", "Models, how they are put together, and how traffic is split"},
             {"properties", std::move(properties)}};
}

Map version_of(std::string_view name, bool is_stored) {
  return Map{{"name", name},
             {"served", true},
             {"storage", is_stored},
             {"additionalPrinterColumns", columns()},
             {"subresources", Map{{"status", Map()},
                                  {"scale", Map{{"specReplicasPath", ".spec.replicas"},
                                                {"statusReplicasPath", ".status.replicas"}}}}},
             {"schema", Map{{"openAPIV3Schema", root_schema()}}}};
}

}  // namespace

Value seldon_deployment_crd() {
  List versions;
  for (const std::string_view name : find_kind(kGroup, kKind)->versions) {
    versions.emplace_back(version_of(name, versions.empty()));
  }
  return Map{{"apiVersion", "apiextensions.k8s.io/v1"},
             {"kind", "CustomResourceDefinition"},
             {"metadata", Map{{"name", "seldondeployments." + std::string(kGroup)}}},
             {"spec", Map{{"group", kGroup},
                          {"scope", "Namespaced"},
                          {"names", Map{{"kind", kKind},
                                        {"listKind", std::string(kKind) + "List"},
                                        {"plural", "seldondeployments"},
                                        {"singular", "seldondeployment"},
                                        {"shortNames", List{"sdep"}}}},
                          {"versions", std::move(versions)}}}};
}

}  // namespace sluice::resource
