#include "resource/schema_seldon.h"

#include "resource/schema_tables.h"

namespace sluice::resource::tables {

namespace {

// The CRD refuses no value: Seldon's webhook does, and not always. compile/validate judges them.
constexpr std::string_view kProtocolValues[] = {"seldon", "tensorflow", "kfserving", "v2", ""};
constexpr Schema kProtocol{.type = Type::kString, .values = kProtocolValues, .open = true};
constexpr std::string_view kTransportValues[] = {"rest", "grpc", ""};
constexpr Schema kTransport{.type = Type::kString, .values = kTransportValues, .open = true};
constexpr std::string_view kServerTypeValues[] = {"rpc", "kafka", ""};
constexpr Schema kServerType{.type = Type::kString, .values = kServerTypeValues, .open = true};
constexpr std::string_view kUnitTypeValues[] = {
    "UNKNOWN_TYPE", "ROUTER", "COMBINER", "MODEL", "TRANSFORMER", "OUTPUT_TRANSFORMER"};
constexpr Schema kUnitType{.type = Type::kString, .values = kUnitTypeValues, .open = true};
constexpr std::string_view kMethodValues[] = {"TRANSFORM_INPUT", "TRANSFORM_OUTPUT", "ROUTE",
                                              "AGGREGATE", "SEND_FEEDBACK"};
constexpr Schema kMethod{.type = Type::kString, .values = kMethodValues, .open = true};
constexpr Schema kMethods{.type = Type::kList, .element = &kMethod};
constexpr std::string_view kEndpointTypeValues[] = {"REST", "GRPC", ""};
constexpr Schema kEndpointType{.type = Type::kString, .values = kEndpointTypeValues, .open = true};
constexpr std::string_view kParameterTypeValues[] = {"INT", "FLOAT", "DOUBLE", "STRING", "BOOL"};
constexpr Schema kParameterType{
    .type = Type::kString, .values = kParameterTypeValues, .open = true};
constexpr std::string_view kLoggerModeValues[] = {"all", "request", "response"};
constexpr Schema kLoggerMode{.type = Type::kString, .values = kLoggerModeValues, .open = true};
constexpr std::string_view kExplainerTypeValues[] = {
    "AnchorTabular", "AnchorImages",        "AnchorText", "Counterfactuals", "Contrastive",
    "KernelShap",    "IntegratedGradients", "ALE",        "TreeShap",        ""};
constexpr Schema kExplainerType{
    .type = Type::kString, .values = kExplainerTypeValues, .open = true};

constexpr FieldSpec kEndpointFields[] = {
    {"service_host", &kString, false, Note::kNone, "where the node listens"},
    {"service_port", &kInteger32, false, Note::kNone, "its only port, of before there were two"},
    {"type", &kEndpointType, false, Note::kNone, "how it is called"},
    {"httpPort", &kInteger32, false, Note::kNone, "port for HTTP"},
    {"grpcPort", &kInteger32, false, Note::kNone, "port for gRPC"},
};
constexpr Schema kEndpoint{.type = Type::kObject, .fields = kEndpointFields};

constexpr FieldSpec kParameterFields[] = {
    {"name", &kString, true},
    {"value", &kString, true, Note::kNone, "always text, whatever the type"},
    {"type", &kParameterType, true, Note::kNone, "what the text is read as"},
};
constexpr Schema kParameter{.type = Type::kObject, .fields = kParameterFields};
constexpr Schema kParameters{.type = Type::kList, .element = &kParameter};

constexpr FieldSpec kLoggerFields[] = {
    {"url", &kString, false, Note::kNone, "where the messages are sent"},
    {"mode", &kLoggerMode, false, Note::kNone, "which messages"},
};
constexpr Schema kLogger{.type = Type::kObject, .fields = kLoggerFields};

constexpr Schema kUnits{.type = Type::kList, .element = &kSeldonUnit};
constexpr FieldSpec kUnitFields[] = {
    {"name", &kString, true, Note::kNone, "the container that serves this node"},
    {"children", &kUnits, false, Note::kNone, "nodes that come after this one"},
    {"type", &kUnitType, false, Note::kNone, "its part in the graph"},
    {"implementation", &kString, false, Note::kNone, "a built-in node or a prepackaged server"},
    {"methods", &kMethods, false, Note::kNone,
     "calls that it answers, in place of those of its type"},
    {"endpoint", &kEndpoint},
    {"parameters", &kParameters, false, Note::kNone, "handed to the node when it starts"},
    {"modelUri", &kString, false, Note::kNone, "where the model is fetched from"},
    {"serviceAccountName", &kString, false, Note::kNone, "whose credentials fetch the model"},
    {"envSecretRefName", &kString, false, Note::kNone,
     "Secret with variables for fetching the model"},
    {"storageInitializerImage", &kString, false, Note::kNone, "image that fetches the model"},
    {"logger", &kLogger, false, Note::kNone, "copies of requests and answers for a logger"},
};

constexpr FieldSpec kExplainerFields[] = {
    {"type", &kExplainerType, false, Note::kNone, "method; empty means no explainer"},
    {"modelUri", &kString},
    {"serviceAccountName", &kString},
    {"containerSpec", &kCoreV1Container, false, Note::kNone, "the container to start from"},
    {"config", &kStringMap, false, Note::kNone, "more command line flags"},
    {"endpoint", &kEndpoint},
    {"envSecretRefName", &kString},
    {"storageInitializerImage", &kString},
    {"replicas", &kInteger32},
    {"initParameters", &kString, false, Note::kNone, "JSON text for the explainer's settings"},
};
constexpr Schema kExplainer{.type = Type::kObject, .fields = kExplainerFields};

constexpr Schema kMetrics{.type = Type::kList, .element = &kAutoscalingV2beta1MetricSpec};
constexpr Schema kMetricsV2{.type = Type::kList, .element = &kAutoscalingV2MetricSpec};
constexpr FieldSpec kHpaFields[] = {
    {"minReplicas", &kInteger32},
    {"maxReplicas", &kInteger32, true},
    {"metrics", &kMetrics, false, Note::kNone, "of autoscaling/v2beta1"},
    {"metricsv2", &kMetricsV2, false, Note::kNone, "of autoscaling/v2"},
};
constexpr Schema kHpa{.type = Type::kObject, .fields = kHpaFields};

constexpr FieldSpec kKedaAuthenticationFields[] = {{"name", &kString, true}, {"kind", &kString}};
constexpr Schema kKedaAuthentication{.type = Type::kObject, .fields = kKedaAuthenticationFields};
constexpr FieldSpec kKedaTriggerFields[] = {
    {"type", &kString, true},        {"name", &kString},
    {"metadata", &kStringMap, true}, {"authenticationRef", &kKedaAuthentication},
    {"metricType", &kString},
};
constexpr Schema kKedaTrigger{.type = Type::kObject, .fields = kKedaTriggerFields};
constexpr Schema kKedaTriggers{.type = Type::kList, .element = &kKedaTrigger};
constexpr FieldSpec kKedaFallbackFields[] = {{"failureThreshold", &kInteger32, true},
                                             {"replicas", &kInteger32, true}};
constexpr Schema kKedaFallback{.type = Type::kObject, .fields = kKedaFallbackFields};
constexpr FieldSpec kKedaHpaFields[] = {
    {"name", &kString}, {"behavior", &kAutoscalingV2HorizontalPodAutoscalerBehavior}};
constexpr Schema kKedaHpa{.type = Type::kObject, .fields = kKedaHpaFields};
constexpr FieldSpec kKedaAdvancedFields[] = {{"restoreToOriginalReplicaCount", &kBoolean},
                                             {"horizontalPodAutoscalerConfig", &kKedaHpa}};
constexpr Schema kKedaAdvanced{.type = Type::kObject, .fields = kKedaAdvancedFields};
constexpr FieldSpec kKedaFields[] = {
    {"pollingInterval", &kInteger32},   {"cooldownPeriod", &kInteger32},
    {"minReplicaCount", &kInteger32},   {"maxReplicaCount", &kInteger32},
    {"idleReplicaCount", &kInteger32},  {"advanced", &kKedaAdvanced},
    {"triggers", &kKedaTriggers, true}, {"fallback", &kKedaFallback},
};
constexpr Schema kKeda{.type = Type::kObject, .fields = kKedaFields};

constexpr FieldSpec kPdbFields[] = {{"minAvailable", &kIntOrString},
                                    {"maxUnavailable", &kIntOrString}};
constexpr Schema kPdb{.type = Type::kObject, .fields = kPdbFields};

constexpr FieldSpec kComponentFields[] = {
    {"metadata", &kMetaV1ObjectMeta, false, Note::kNone,
     "name, labels and annotations for the pods"},
    {"spec", &kCoreV1PodSpec, false, Note::kNone, "the pod"},
    {"hpaSpec", &kHpa, false, Note::kNone, "scaling by a HorizontalPodAutoscaler"},
    {"kedaSpec", &kKeda, false, Note::kNone, "scaling by KEDA"},
    {"pdbSpec", &kPdb, false, Note::kNone, "how many pods may be down on purpose"},
    {"replicas", &kInteger32, false, Note::kNone, "of this component; wins over the predictor's"},
};
constexpr Schema kComponent{.type = Type::kObject, .fields = kComponentFields};
constexpr Schema kComponents{.type = Type::kList, .element = &kComponent};

constexpr Schema kEnv{.type = Type::kList, .element = &kCoreV1EnvVar};
constexpr FieldSpec kOrchestratorFields[] = {
    {"resources", &kCoreV1ResourceRequirements, false, Note::kNone, "in place of all defaults"},
    {"env", &kEnv},
    {"replicas", &kInteger32, false, Note::kNone, "when it has pods of its own"},
};
constexpr Schema kOrchestrator{.type = Type::kObject, .fields = kOrchestratorFields};

constexpr FieldSpec kSslFields[] = {
    {"certSecretName", &kString, false, Note::kNone, "Secret mounted into the containers"}};
constexpr Schema kSsl{.type = Type::kObject, .fields = kSslFields};

constexpr FieldSpec kPredictorFields[] = {
    {"name", &kString, true, Note::kNone, "part of the names of what is created"},
    {"graph", &kSeldonUnit, true, Note::kNone, "the inference graph's top node"},
    {"componentSpecs", &kComponents, false, Note::kNone, "the pods; one Deployment each"},
    {"replicas", &kInteger32},
    {"annotations", &kStringMap, false, Note::kNone, "settings, also copied to pods and Services"},
    {"engineResources", &kCoreV1ResourceRequirements, false, Note::kIgnored,
     "use svcOrchSpec.resources"},
    {"labels", &kStringMap, false, Note::kNone, "copied to Deployments and pods"},
    {"svcOrchSpec", &kOrchestrator, false, Note::kNone, "the service orchestrator"},
    {"traffic", &kInteger32, false, Note::kNone, "percentage of the requests"},
    {"explainer", &kExplainer},
    {"shadow", &kBoolean, false, Note::kNone, "gets copies of requests; its answers are dropped"},
    {"ssl", &kSsl},
    {"progressDeadlineSeconds", &kInteger32, false, Note::kNone, "copied to the Deployments"},
};
constexpr Schema kPredictors{.type = Type::kList, .element = &kSeldonPredictor};

constexpr FieldSpec kSpecFields[] = {
    {"name", &kString, false, Note::kDeprecated, "not used; metadata.name counts"},
    {"predictors", &kPredictors, true, Note::kNone, "at least one"},
    {"oauth_key", &kString, false, Note::kIgnored, "there is no OAuth gateway any more"},
    {"oauth_secret", &kString, false, Note::kIgnored, "there is no OAuth gateway any more"},
    {"annotations", &kStringMap, false, Note::kNone, "settings, also copied to pods"},
    {"protocol", &kProtocol, false, Note::kNone, "what the models speak"},
    {"transport", &kTransport, false, Note::kNone, "how models are probed and explained"},
    {"replicas", &kInteger32, false, Note::kNone, "of every component that does not say its own"},
    {"serverType", &kServerType, false, Note::kNone, "requests come by calls, or from Kafka"},
};
constexpr Schema kSpec{.type = Type::kObject, .fields = kSpecFields};

constexpr FieldSpec kDeploymentStatusFields[] = {
    {"name", &kString},
    {"status", &kString},
    {"description", &kString},
    {"replicas", &kInteger32},
    {"availableReplicas", &kInteger32, false, Note::kNone, "those that take requests"},
    {"explainerFor", &kString},
};
constexpr Schema kDeploymentStatus{.type = Type::kObject, .fields = kDeploymentStatusFields};
constexpr Schema kDeploymentStatuses{.type = Type::kMap, .element = &kDeploymentStatus};
constexpr FieldSpec kServiceStatusFields[] = {
    {"svcName", &kString},
    {"httpEndpoint", &kString, false, Note::kNone, "name and port for HTTP"},
    {"grpcEndpoint", &kString, false, Note::kNone, "name and port for gRPC"},
    {"explainerFor", &kString, false, Note::kNone, "the predictor's Service that it explains"},
};
constexpr Schema kServiceStatus{.type = Type::kObject, .fields = kServiceStatusFields};
constexpr Schema kServiceStatuses{.type = Type::kMap, .element = &kServiceStatus};
constexpr FieldSpec kAddressFields[] = {
    {"url", &kString, false, Note::kNone, "where predictions are asked for, within the cluster"}};
constexpr Schema kAddress{.type = Type::kObject, .fields = kAddressFields};
constexpr FieldSpec kConditionFields[] = {
    {"type", &kString, true},       {"status", &kString, true}, {"severity", &kString},
    {"lastTransitionTime", &kTime}, {"reason", &kString},       {"message", &kString},
};
constexpr Schema kCondition{.type = Type::kObject, .fields = kConditionFields};
constexpr Schema kConditions{.type = Type::kList, .element = &kCondition};
constexpr FieldSpec kStatusFields[] = {
    {"state", &kString, false, Note::kNone, "Creating, Available or Failed"},
    {"description", &kString, false, Note::kNone, "what failed"},
    {"observedGeneration", &kInteger64, false, Note::kNone,
     "metadata.generation that this status is about"},
    {"replicas", &kInteger32, false, Note::kNone, "of the first predictor's first component"},
    {"traffic", &kString, false, Note::kNone,
     "predictors with their percentages; sluice's own, for kubectl get"},
    {"address", &kAddress},
    {"deploymentStatus", &kDeploymentStatuses, false, Note::kNone, "by name of the Deployment"},
    {"serviceStatus", &kServiceStatuses, false, Note::kNone, "by name of the Service"},
    {"conditions", &kConditions},
    {"annotations", &kStringMap},
};

constexpr FieldSpec kRootFields[] = {
    {"apiVersion", &kString}, {"kind", &kString}, {"metadata", &kMetaV1ObjectMeta},
    {"spec", &kSpec},         {"status", &kAny},
};

}  // namespace

constinit const Schema kSeldonUnit{.type = Type::kObject, .fields = kUnitFields};
constinit const Schema kSeldonPredictor{.type = Type::kObject, .fields = kPredictorFields};
constinit const Schema kSeldonStatus{.type = Type::kObject, .fields = kStatusFields};
constinit const Schema kSeldonDeployment{.type = Type::kObject, .fields = kRootFields};

}  // namespace sluice::resource::tables
