// Written by tools/schema from k8s.io/api v0.34.1. Do not edit.
#include "resource/schema_tables.h"

namespace sluice::resource::tables {

static constexpr FieldSpec kAppsV1DeploymentFields[] = {
    {"kind", &kString},
    {"apiVersion", &kString},
    {"metadata", &kMetaV1ObjectMeta},
    {"spec", &kAppsV1DeploymentSpec},
    {"status", &kAppsV1DeploymentStatus},
};
constinit const Schema kAppsV1Deployment = {.type = Type::kObject,
                                            .fields = kAppsV1DeploymentFields};

static constexpr FieldSpec kAppsV1DeploymentConditionFields[] = {
    {"type", &kString, true},       {"status", &kString}, {"lastUpdateTime", &kTime},
    {"lastTransitionTime", &kTime}, {"reason", &kString}, {"message", &kString},
};
constinit const Schema kAppsV1DeploymentCondition = {.type = Type::kObject,
                                                     .fields = kAppsV1DeploymentConditionFields};

constinit const Schema kAppsV1DeploymentConditionList = {.type = Type::kList,
                                                         .element = &kAppsV1DeploymentCondition};

static constexpr FieldSpec kAppsV1DeploymentSpecFields[] = {
    {"replicas", &kInteger32},
    {"selector", &kMetaV1LabelSelector, true},
    {"template", &kCoreV1PodTemplateSpec, true},
    {"strategy", &kAppsV1DeploymentStrategy},
    {"minReadySeconds", &kInteger32},
    {"revisionHistoryLimit", &kInteger32},
    {"paused", &kBoolean},
    {"progressDeadlineSeconds", &kInteger32},
};
constinit const Schema kAppsV1DeploymentSpec = {.type = Type::kObject,
                                                .fields = kAppsV1DeploymentSpecFields};

static constexpr FieldSpec kAppsV1DeploymentStatusFields[] = {
    {"observedGeneration", &kInteger64},  {"replicas", &kInteger32},
    {"updatedReplicas", &kInteger32},     {"readyReplicas", &kInteger32},
    {"availableReplicas", &kInteger32},   {"unavailableReplicas", &kInteger32},
    {"terminatingReplicas", &kInteger32}, {"conditions", &kAppsV1DeploymentConditionList},
    {"collisionCount", &kInteger32},
};
constinit const Schema kAppsV1DeploymentStatus = {.type = Type::kObject,
                                                  .fields = kAppsV1DeploymentStatusFields};

static constexpr FieldSpec kAppsV1DeploymentStrategyFields[] = {
    {"type", &kAppsV1DeploymentStrategyType},
    {"rollingUpdate", &kAppsV1RollingUpdateDeployment},
};
constinit const Schema kAppsV1DeploymentStrategy = {.type = Type::kObject,
                                                    .fields = kAppsV1DeploymentStrategyFields};

static constexpr std::string_view kAppsV1DeploymentStrategyTypeValues[] = {"Recreate",
                                                                           "RollingUpdate"};
constinit const Schema kAppsV1DeploymentStrategyType = {
    .type = Type::kString, .values = kAppsV1DeploymentStrategyTypeValues};

static constexpr FieldSpec kAppsV1RollingUpdateDeploymentFields[] = {
    {"maxUnavailable", &kIntOrString},
    {"maxSurge", &kIntOrString},
};
constinit const Schema kAppsV1RollingUpdateDeployment = {
    .type = Type::kObject, .fields = kAppsV1RollingUpdateDeploymentFields};

static constexpr FieldSpec kAutoscalingV2ContainerResourceMetricSourceFields[] = {
    {"name", &kString, true},
    {"target", &kAutoscalingV2MetricTarget, true},
    {"container", &kString, true},
};
constinit const Schema kAutoscalingV2ContainerResourceMetricSource = {
    .type = Type::kObject, .fields = kAutoscalingV2ContainerResourceMetricSourceFields};

static constexpr FieldSpec kAutoscalingV2ContainerResourceMetricStatusFields[] = {
    {"name", &kString, true},
    {"current", &kAutoscalingV2MetricValueStatus, true},
    {"container", &kString, true},
};
constinit const Schema kAutoscalingV2ContainerResourceMetricStatus = {
    .type = Type::kObject, .fields = kAutoscalingV2ContainerResourceMetricStatusFields};

static constexpr FieldSpec kAutoscalingV2CrossVersionObjectReferenceFields[] = {
    {"kind", &kString, true},
    {"name", &kString, true},
    {"apiVersion", &kString},
};
constinit const Schema kAutoscalingV2CrossVersionObjectReference = {
    .type = Type::kObject, .fields = kAutoscalingV2CrossVersionObjectReferenceFields};

static constexpr FieldSpec kAutoscalingV2ExternalMetricSourceFields[] = {
    {"metric", &kAutoscalingV2MetricIdentifier, true},
    {"target", &kAutoscalingV2MetricTarget, true},
};
constinit const Schema kAutoscalingV2ExternalMetricSource = {
    .type = Type::kObject, .fields = kAutoscalingV2ExternalMetricSourceFields};

static constexpr FieldSpec kAutoscalingV2ExternalMetricStatusFields[] = {
    {"metric", &kAutoscalingV2MetricIdentifier, true},
    {"current", &kAutoscalingV2MetricValueStatus, true},
};
constinit const Schema kAutoscalingV2ExternalMetricStatus = {
    .type = Type::kObject, .fields = kAutoscalingV2ExternalMetricStatusFields};

static constexpr FieldSpec kAutoscalingV2HPAScalingPolicyFields[] = {
    {"type", &kString, true},
    {"value", &kInteger32, true},
    {"periodSeconds", &kInteger32, true},
};
constinit const Schema kAutoscalingV2HPAScalingPolicy = {
    .type = Type::kObject, .fields = kAutoscalingV2HPAScalingPolicyFields};

constinit const Schema kAutoscalingV2HPAScalingPolicyList = {
    .type = Type::kList, .element = &kAutoscalingV2HPAScalingPolicy};

static constexpr FieldSpec kAutoscalingV2HPAScalingRulesFields[] = {
    {"stabilizationWindowSeconds", &kInteger32},
    {"selectPolicy", &kString},
    {"policies", &kAutoscalingV2HPAScalingPolicyList},
    {"tolerance", &kQuantity},
};
constinit const Schema kAutoscalingV2HPAScalingRules = {
    .type = Type::kObject, .fields = kAutoscalingV2HPAScalingRulesFields};

static constexpr FieldSpec kAutoscalingV2HorizontalPodAutoscalerFields[] = {
    {"kind", &kString},
    {"apiVersion", &kString},
    {"metadata", &kMetaV1ObjectMeta},
    {"spec", &kAutoscalingV2HorizontalPodAutoscalerSpec},
    {"status", &kAutoscalingV2HorizontalPodAutoscalerStatus},
};
constinit const Schema kAutoscalingV2HorizontalPodAutoscaler = {
    .type = Type::kObject, .fields = kAutoscalingV2HorizontalPodAutoscalerFields};

static constexpr FieldSpec kAutoscalingV2HorizontalPodAutoscalerBehaviorFields[] = {
    {"scaleUp", &kAutoscalingV2HPAScalingRules},
    {"scaleDown", &kAutoscalingV2HPAScalingRules},
};
constinit const Schema kAutoscalingV2HorizontalPodAutoscalerBehavior = {
    .type = Type::kObject, .fields = kAutoscalingV2HorizontalPodAutoscalerBehaviorFields};

static constexpr FieldSpec kAutoscalingV2HorizontalPodAutoscalerConditionFields[] = {
    {"type", &kString, true}, {"status", &kString},  {"lastTransitionTime", &kTime},
    {"reason", &kString},     {"message", &kString},
};
constinit const Schema kAutoscalingV2HorizontalPodAutoscalerCondition = {
    .type = Type::kObject, .fields = kAutoscalingV2HorizontalPodAutoscalerConditionFields};

constinit const Schema kAutoscalingV2HorizontalPodAutoscalerConditionList = {
    .type = Type::kList, .element = &kAutoscalingV2HorizontalPodAutoscalerCondition};

static constexpr FieldSpec kAutoscalingV2HorizontalPodAutoscalerSpecFields[] = {
    {"scaleTargetRef", &kAutoscalingV2CrossVersionObjectReference, true},
    {"minReplicas", &kInteger32},
    {"maxReplicas", &kInteger32, true},
    {"metrics", &kAutoscalingV2MetricSpecList},
    {"behavior", &kAutoscalingV2HorizontalPodAutoscalerBehavior},
};
constinit const Schema kAutoscalingV2HorizontalPodAutoscalerSpec = {
    .type = Type::kObject, .fields = kAutoscalingV2HorizontalPodAutoscalerSpecFields};

static constexpr FieldSpec kAutoscalingV2HorizontalPodAutoscalerStatusFields[] = {
    {"observedGeneration", &kInteger64},
    {"lastScaleTime", &kTime},
    {"currentReplicas", &kInteger32},
    {"desiredReplicas", &kInteger32, true},
    {"currentMetrics", &kAutoscalingV2MetricStatusList},
    {"conditions", &kAutoscalingV2HorizontalPodAutoscalerConditionList},
};
constinit const Schema kAutoscalingV2HorizontalPodAutoscalerStatus = {
    .type = Type::kObject, .fields = kAutoscalingV2HorizontalPodAutoscalerStatusFields};

static constexpr FieldSpec kAutoscalingV2MetricIdentifierFields[] = {
    {"name", &kString, true},
    {"selector", &kMetaV1LabelSelector},
};
constinit const Schema kAutoscalingV2MetricIdentifier = {
    .type = Type::kObject, .fields = kAutoscalingV2MetricIdentifierFields};

static constexpr FieldSpec kAutoscalingV2MetricSpecFields[] = {
    {"type", &kString, true},
    {"object", &kAutoscalingV2ObjectMetricSource},
    {"pods", &kAutoscalingV2PodsMetricSource},
    {"resource", &kAutoscalingV2ResourceMetricSource},
    {"containerResource", &kAutoscalingV2ContainerResourceMetricSource},
    {"external", &kAutoscalingV2ExternalMetricSource},
};
constinit const Schema kAutoscalingV2MetricSpec = {.type = Type::kObject,
                                                   .fields = kAutoscalingV2MetricSpecFields};

constinit const Schema kAutoscalingV2MetricSpecList = {.type = Type::kList,
                                                       .element = &kAutoscalingV2MetricSpec};

static constexpr FieldSpec kAutoscalingV2MetricStatusFields[] = {
    {"type", &kString, true},
    {"object", &kAutoscalingV2ObjectMetricStatus},
    {"pods", &kAutoscalingV2PodsMetricStatus},
    {"resource", &kAutoscalingV2ResourceMetricStatus},
    {"containerResource", &kAutoscalingV2ContainerResourceMetricStatus},
    {"external", &kAutoscalingV2ExternalMetricStatus},
};
constinit const Schema kAutoscalingV2MetricStatus = {.type = Type::kObject,
                                                     .fields = kAutoscalingV2MetricStatusFields};

constinit const Schema kAutoscalingV2MetricStatusList = {.type = Type::kList,
                                                         .element = &kAutoscalingV2MetricStatus};

static constexpr FieldSpec kAutoscalingV2MetricTargetFields[] = {
    {"type", &kString, true},
    {"value", &kQuantity},
    {"averageValue", &kQuantity},
    {"averageUtilization", &kInteger32},
};
constinit const Schema kAutoscalingV2MetricTarget = {.type = Type::kObject,
                                                     .fields = kAutoscalingV2MetricTargetFields};

static constexpr FieldSpec kAutoscalingV2MetricValueStatusFields[] = {
    {"value", &kQuantity},
    {"averageValue", &kQuantity},
    {"averageUtilization", &kInteger32},
};
constinit const Schema kAutoscalingV2MetricValueStatus = {
    .type = Type::kObject, .fields = kAutoscalingV2MetricValueStatusFields};

static constexpr FieldSpec kAutoscalingV2ObjectMetricSourceFields[] = {
    {"describedObject", &kAutoscalingV2CrossVersionObjectReference, true},
    {"target", &kAutoscalingV2MetricTarget, true},
    {"metric", &kAutoscalingV2MetricIdentifier, true},
};
constinit const Schema kAutoscalingV2ObjectMetricSource = {
    .type = Type::kObject, .fields = kAutoscalingV2ObjectMetricSourceFields};

static constexpr FieldSpec kAutoscalingV2ObjectMetricStatusFields[] = {
    {"metric", &kAutoscalingV2MetricIdentifier, true},
    {"current", &kAutoscalingV2MetricValueStatus, true},
    {"describedObject", &kAutoscalingV2CrossVersionObjectReference, true},
};
constinit const Schema kAutoscalingV2ObjectMetricStatus = {
    .type = Type::kObject, .fields = kAutoscalingV2ObjectMetricStatusFields};

static constexpr FieldSpec kAutoscalingV2PodsMetricSourceFields[] = {
    {"metric", &kAutoscalingV2MetricIdentifier, true},
    {"target", &kAutoscalingV2MetricTarget, true},
};
constinit const Schema kAutoscalingV2PodsMetricSource = {
    .type = Type::kObject, .fields = kAutoscalingV2PodsMetricSourceFields};

static constexpr FieldSpec kAutoscalingV2PodsMetricStatusFields[] = {
    {"metric", &kAutoscalingV2MetricIdentifier, true},
    {"current", &kAutoscalingV2MetricValueStatus, true},
};
constinit const Schema kAutoscalingV2PodsMetricStatus = {
    .type = Type::kObject, .fields = kAutoscalingV2PodsMetricStatusFields};

static constexpr FieldSpec kAutoscalingV2ResourceMetricSourceFields[] = {
    {"name", &kString, true},
    {"target", &kAutoscalingV2MetricTarget, true},
};
constinit const Schema kAutoscalingV2ResourceMetricSource = {
    .type = Type::kObject, .fields = kAutoscalingV2ResourceMetricSourceFields};

static constexpr FieldSpec kAutoscalingV2ResourceMetricStatusFields[] = {
    {"name", &kString, true},
    {"current", &kAutoscalingV2MetricValueStatus, true},
};
constinit const Schema kAutoscalingV2ResourceMetricStatus = {
    .type = Type::kObject, .fields = kAutoscalingV2ResourceMetricStatusFields};

static constexpr FieldSpec kAutoscalingV2beta1ContainerResourceMetricSourceFields[] = {
    {"name", &kString, true},
    {"targetAverageUtilization", &kInteger32},
    {"targetAverageValue", &kQuantity},
    {"container", &kString, true},
};
constinit const Schema kAutoscalingV2beta1ContainerResourceMetricSource = {
    .type = Type::kObject, .fields = kAutoscalingV2beta1ContainerResourceMetricSourceFields};

static constexpr FieldSpec kAutoscalingV2beta1CrossVersionObjectReferenceFields[] = {
    {"kind", &kString, true},
    {"name", &kString, true},
    {"apiVersion", &kString},
};
constinit const Schema kAutoscalingV2beta1CrossVersionObjectReference = {
    .type = Type::kObject, .fields = kAutoscalingV2beta1CrossVersionObjectReferenceFields};

static constexpr FieldSpec kAutoscalingV2beta1ExternalMetricSourceFields[] = {
    {"metricName", &kString, true},
    {"metricSelector", &kMetaV1LabelSelector},
    {"targetValue", &kQuantity},
    {"targetAverageValue", &kQuantity},
};
constinit const Schema kAutoscalingV2beta1ExternalMetricSource = {
    .type = Type::kObject, .fields = kAutoscalingV2beta1ExternalMetricSourceFields};

static constexpr FieldSpec kAutoscalingV2beta1MetricSpecFields[] = {
    {"type", &kString, true},
    {"object", &kAutoscalingV2beta1ObjectMetricSource},
    {"pods", &kAutoscalingV2beta1PodsMetricSource},
    {"resource", &kAutoscalingV2beta1ResourceMetricSource},
    {"containerResource", &kAutoscalingV2beta1ContainerResourceMetricSource},
    {"external", &kAutoscalingV2beta1ExternalMetricSource},
};
constinit const Schema kAutoscalingV2beta1MetricSpec = {
    .type = Type::kObject, .fields = kAutoscalingV2beta1MetricSpecFields};

static constexpr FieldSpec kAutoscalingV2beta1ObjectMetricSourceFields[] = {
    {"target", &kAutoscalingV2beta1CrossVersionObjectReference, true},
    {"metricName", &kString, true},
    {"targetValue", &kQuantity, true},
    {"selector", &kMetaV1LabelSelector},
    {"averageValue", &kQuantity},
};
constinit const Schema kAutoscalingV2beta1ObjectMetricSource = {
    .type = Type::kObject, .fields = kAutoscalingV2beta1ObjectMetricSourceFields};

static constexpr FieldSpec kAutoscalingV2beta1PodsMetricSourceFields[] = {
    {"metricName", &kString, true},
    {"targetAverageValue", &kQuantity, true},
    {"selector", &kMetaV1LabelSelector},
};
constinit const Schema kAutoscalingV2beta1PodsMetricSource = {
    .type = Type::kObject, .fields = kAutoscalingV2beta1PodsMetricSourceFields};

static constexpr FieldSpec kAutoscalingV2beta1ResourceMetricSourceFields[] = {
    {"name", &kString, true},
    {"targetAverageUtilization", &kInteger32},
    {"targetAverageValue", &kQuantity},
};
constinit const Schema kAutoscalingV2beta1ResourceMetricSource = {
    .type = Type::kObject, .fields = kAutoscalingV2beta1ResourceMetricSourceFields};

constinit const Schema kBytesMap = {.type = Type::kMap, .element = &kBytes};

static constexpr FieldSpec kCoreV1AWSElasticBlockStoreVolumeSourceFields[] = {
    {"volumeID", &kString, true},
    {"fsType", &kString},
    {"partition", &kInteger32},
    {"readOnly", &kBoolean},
};
constinit const Schema kCoreV1AWSElasticBlockStoreVolumeSource = {
    .type = Type::kObject, .fields = kCoreV1AWSElasticBlockStoreVolumeSourceFields};

static constexpr FieldSpec kCoreV1AffinityFields[] = {
    {"nodeAffinity", &kCoreV1NodeAffinity},
    {"podAffinity", &kCoreV1PodAffinity},
    {"podAntiAffinity", &kCoreV1PodAntiAffinity},
};
constinit const Schema kCoreV1Affinity = {.type = Type::kObject, .fields = kCoreV1AffinityFields};

static constexpr FieldSpec kCoreV1AppArmorProfileFields[] = {
    {"type", &kCoreV1AppArmorProfileType, true},
    {"localhostProfile", &kString},
};
constinit const Schema kCoreV1AppArmorProfile = {.type = Type::kObject,
                                                 .fields = kCoreV1AppArmorProfileFields};

static constexpr std::string_view kCoreV1AppArmorProfileTypeValues[] = {
    "Unconfined", "RuntimeDefault", "Localhost"};
constinit const Schema kCoreV1AppArmorProfileType = {.type = Type::kString,
                                                     .values = kCoreV1AppArmorProfileTypeValues};

static constexpr std::string_view kCoreV1AzureDataDiskCachingModeValues[] = {"None", "ReadOnly",
                                                                             "ReadWrite"};
constinit const Schema kCoreV1AzureDataDiskCachingMode = {
    .type = Type::kString, .values = kCoreV1AzureDataDiskCachingModeValues};

static constexpr std::string_view kCoreV1AzureDataDiskKindValues[] = {"Shared", "Dedicated",
                                                                      "Managed"};
constinit const Schema kCoreV1AzureDataDiskKind = {.type = Type::kString,
                                                   .values = kCoreV1AzureDataDiskKindValues};

static constexpr FieldSpec kCoreV1AzureDiskVolumeSourceFields[] = {
    {"diskName", &kString, true},
    {"diskURI", &kString, true},
    {"cachingMode", &kCoreV1AzureDataDiskCachingMode},
    {"fsType", &kString},
    {"readOnly", &kBoolean},
    {"kind", &kCoreV1AzureDataDiskKind},
};
constinit const Schema kCoreV1AzureDiskVolumeSource = {
    .type = Type::kObject, .fields = kCoreV1AzureDiskVolumeSourceFields};

static constexpr FieldSpec kCoreV1AzureFileVolumeSourceFields[] = {
    {"secretName", &kString, true},
    {"shareName", &kString, true},
    {"readOnly", &kBoolean},
};
constinit const Schema kCoreV1AzureFileVolumeSource = {
    .type = Type::kObject, .fields = kCoreV1AzureFileVolumeSourceFields};

static constexpr FieldSpec kCoreV1CSIVolumeSourceFields[] = {
    {"driver", &kString, true},
    {"readOnly", &kBoolean},
    {"fsType", &kString},
    {"volumeAttributes", &kStringMap},
    {"nodePublishSecretRef", &kCoreV1LocalObjectReference},
};
constinit const Schema kCoreV1CSIVolumeSource = {.type = Type::kObject,
                                                 .fields = kCoreV1CSIVolumeSourceFields};

static constexpr FieldSpec kCoreV1CapabilitiesFields[] = {
    {"add", &kStringList},
    {"drop", &kStringList},
};
constinit const Schema kCoreV1Capabilities = {.type = Type::kObject,
                                              .fields = kCoreV1CapabilitiesFields};

static constexpr FieldSpec kCoreV1CephFSVolumeSourceFields[] = {
    {"monitors", &kStringList, true},
    {"path", &kString},
    {"user", &kString},
    {"secretFile", &kString},
    {"secretRef", &kCoreV1LocalObjectReference},
    {"readOnly", &kBoolean},
};
constinit const Schema kCoreV1CephFSVolumeSource = {.type = Type::kObject,
                                                    .fields = kCoreV1CephFSVolumeSourceFields};

static constexpr FieldSpec kCoreV1CinderVolumeSourceFields[] = {
    {"volumeID", &kString, true},
    {"fsType", &kString},
    {"readOnly", &kBoolean},
    {"secretRef", &kCoreV1LocalObjectReference},
};
constinit const Schema kCoreV1CinderVolumeSource = {.type = Type::kObject,
                                                    .fields = kCoreV1CinderVolumeSourceFields};

static constexpr FieldSpec kCoreV1ClientIPConfigFields[] = {
    {"timeoutSeconds", &kInteger32},
};
constinit const Schema kCoreV1ClientIPConfig = {.type = Type::kObject,
                                                .fields = kCoreV1ClientIPConfigFields};

static constexpr FieldSpec kCoreV1ClusterTrustBundleProjectionFields[] = {
    {"name", &kString},      {"signerName", &kString}, {"labelSelector", &kMetaV1LabelSelector},
    {"optional", &kBoolean}, {"path", &kString, true},
};
constinit const Schema kCoreV1ClusterTrustBundleProjection = {
    .type = Type::kObject, .fields = kCoreV1ClusterTrustBundleProjectionFields};

static constexpr FieldSpec kCoreV1ConfigMapFields[] = {
    {"kind", &kString},       {"apiVersion", &kString}, {"metadata", &kMetaV1ObjectMeta},
    {"immutable", &kBoolean}, {"data", &kStringMap},    {"binaryData", &kBytesMap},
};
constinit const Schema kCoreV1ConfigMap = {.type = Type::kObject, .fields = kCoreV1ConfigMapFields};

static constexpr FieldSpec kCoreV1ConfigMapEnvSourceFields[] = {
    {"name", &kString},
    {"optional", &kBoolean},
};
constinit const Schema kCoreV1ConfigMapEnvSource = {.type = Type::kObject,
                                                    .fields = kCoreV1ConfigMapEnvSourceFields};

static constexpr FieldSpec kCoreV1ConfigMapKeySelectorFields[] = {
    {"name", &kString},
    {"key", &kString, true},
    {"optional", &kBoolean},
};
constinit const Schema kCoreV1ConfigMapKeySelector = {.type = Type::kObject,
                                                      .fields = kCoreV1ConfigMapKeySelectorFields};

static constexpr FieldSpec kCoreV1ConfigMapProjectionFields[] = {
    {"name", &kString},
    {"items", &kCoreV1KeyToPathList},
    {"optional", &kBoolean},
};
constinit const Schema kCoreV1ConfigMapProjection = {.type = Type::kObject,
                                                     .fields = kCoreV1ConfigMapProjectionFields};

static constexpr FieldSpec kCoreV1ConfigMapVolumeSourceFields[] = {
    {"name", &kString},
    {"items", &kCoreV1KeyToPathList},
    {"defaultMode", &kInteger32},
    {"optional", &kBoolean},
};
constinit const Schema kCoreV1ConfigMapVolumeSource = {
    .type = Type::kObject, .fields = kCoreV1ConfigMapVolumeSourceFields};

static constexpr FieldSpec kCoreV1ContainerFields[] = {
    {"name", &kString, true},
    {"image", &kString},
    {"command", &kStringList},
    {"args", &kStringList},
    {"workingDir", &kString},
    {"ports", &kCoreV1ContainerPortList},
    {"envFrom", &kCoreV1EnvFromSourceList},
    {"env", &kCoreV1EnvVarList},
    {"resources", &kCoreV1ResourceRequirements},
    {"resizePolicy", &kCoreV1ContainerResizePolicyList},
    {"restartPolicy", &kString},
    {"restartPolicyRules", &kCoreV1ContainerRestartRuleList},
    {"volumeMounts", &kCoreV1VolumeMountList},
    {"volumeDevices", &kCoreV1VolumeDeviceList},
    {"livenessProbe", &kCoreV1Probe},
    {"readinessProbe", &kCoreV1Probe},
    {"startupProbe", &kCoreV1Probe},
    {"lifecycle", &kCoreV1Lifecycle},
    {"terminationMessagePath", &kString},
    {"terminationMessagePolicy", &kCoreV1TerminationMessagePolicy},
    {"imagePullPolicy", &kCoreV1PullPolicy},
    {"securityContext", &kCoreV1SecurityContext},
    {"stdin", &kBoolean},
    {"stdinOnce", &kBoolean},
    {"tty", &kBoolean},
};
constinit const Schema kCoreV1Container = {.type = Type::kObject, .fields = kCoreV1ContainerFields};

constinit const Schema kCoreV1ContainerList = {.type = Type::kList, .element = &kCoreV1Container};

static constexpr FieldSpec kCoreV1ContainerPortFields[] = {
    {"name", &kString},
    {"hostPort", &kInteger32},
    {"containerPort", &kInteger32, true},
    {"protocol", &kCoreV1Protocol},
    {"hostIP", &kString},
};
constinit const Schema kCoreV1ContainerPort = {.type = Type::kObject,
                                               .fields = kCoreV1ContainerPortFields};

constinit const Schema kCoreV1ContainerPortList = {.type = Type::kList,
                                                   .element = &kCoreV1ContainerPort};

static constexpr FieldSpec kCoreV1ContainerResizePolicyFields[] = {
    {"resourceName", &kString, true},
    {"restartPolicy", &kString, true},
};
constinit const Schema kCoreV1ContainerResizePolicy = {
    .type = Type::kObject, .fields = kCoreV1ContainerResizePolicyFields};

constinit const Schema kCoreV1ContainerResizePolicyList = {
    .type = Type::kList, .element = &kCoreV1ContainerResizePolicy};

static constexpr FieldSpec kCoreV1ContainerRestartRuleFields[] = {
    {"action", &kString},
    {"exitCodes", &kCoreV1ContainerRestartRuleOnExitCodes},
};
constinit const Schema kCoreV1ContainerRestartRule = {.type = Type::kObject,
                                                      .fields = kCoreV1ContainerRestartRuleFields};

constinit const Schema kCoreV1ContainerRestartRuleList = {.type = Type::kList,
                                                          .element = &kCoreV1ContainerRestartRule};

static constexpr FieldSpec kCoreV1ContainerRestartRuleOnExitCodesFields[] = {
    {"operator", &kString},
    {"values", &kInteger32List},
};
constinit const Schema kCoreV1ContainerRestartRuleOnExitCodes = {
    .type = Type::kObject, .fields = kCoreV1ContainerRestartRuleOnExitCodesFields};

static constexpr std::string_view kCoreV1DNSPolicyValues[] = {"ClusterFirstWithHostNet",
                                                              "ClusterFirst", "Default", "None"};
constinit const Schema kCoreV1DNSPolicy = {.type = Type::kString, .values = kCoreV1DNSPolicyValues};

static constexpr FieldSpec kCoreV1DownwardAPIProjectionFields[] = {
    {"items", &kCoreV1DownwardAPIVolumeFileList},
};
constinit const Schema kCoreV1DownwardAPIProjection = {
    .type = Type::kObject, .fields = kCoreV1DownwardAPIProjectionFields};

static constexpr FieldSpec kCoreV1DownwardAPIVolumeFileFields[] = {
    {"path", &kString, true},
    {"fieldRef", &kCoreV1ObjectFieldSelector},
    {"resourceFieldRef", &kCoreV1ResourceFieldSelector},
    {"mode", &kInteger32},
};
constinit const Schema kCoreV1DownwardAPIVolumeFile = {
    .type = Type::kObject, .fields = kCoreV1DownwardAPIVolumeFileFields};

constinit const Schema kCoreV1DownwardAPIVolumeFileList = {
    .type = Type::kList, .element = &kCoreV1DownwardAPIVolumeFile};

static constexpr FieldSpec kCoreV1DownwardAPIVolumeSourceFields[] = {
    {"items", &kCoreV1DownwardAPIVolumeFileList},
    {"defaultMode", &kInteger32},
};
constinit const Schema kCoreV1DownwardAPIVolumeSource = {
    .type = Type::kObject, .fields = kCoreV1DownwardAPIVolumeSourceFields};

static constexpr FieldSpec kCoreV1EmptyDirVolumeSourceFields[] = {
    {"medium", &kString},
    {"sizeLimit", &kQuantity},
};
constinit const Schema kCoreV1EmptyDirVolumeSource = {.type = Type::kObject,
                                                      .fields = kCoreV1EmptyDirVolumeSourceFields};

static constexpr FieldSpec kCoreV1EnvFromSourceFields[] = {
    {"prefix", &kString},
    {"configMapRef", &kCoreV1ConfigMapEnvSource},
    {"secretRef", &kCoreV1SecretEnvSource},
};
constinit const Schema kCoreV1EnvFromSource = {.type = Type::kObject,
                                               .fields = kCoreV1EnvFromSourceFields};

constinit const Schema kCoreV1EnvFromSourceList = {.type = Type::kList,
                                                   .element = &kCoreV1EnvFromSource};

static constexpr FieldSpec kCoreV1EnvVarFields[] = {
    {"name", &kString, true},
    {"value", &kString},
    {"valueFrom", &kCoreV1EnvVarSource},
};
constinit const Schema kCoreV1EnvVar = {.type = Type::kObject, .fields = kCoreV1EnvVarFields};

constinit const Schema kCoreV1EnvVarList = {.type = Type::kList, .element = &kCoreV1EnvVar};

static constexpr FieldSpec kCoreV1EnvVarSourceFields[] = {
    {"fieldRef", &kCoreV1ObjectFieldSelector},
    {"resourceFieldRef", &kCoreV1ResourceFieldSelector},
    {"configMapKeyRef", &kCoreV1ConfigMapKeySelector},
    {"secretKeyRef", &kCoreV1SecretKeySelector},
    {"fileKeyRef", &kCoreV1FileKeySelector},
};
constinit const Schema kCoreV1EnvVarSource = {.type = Type::kObject,
                                              .fields = kCoreV1EnvVarSourceFields};

static constexpr FieldSpec kCoreV1EphemeralContainerFields[] = {
    {"name", &kString, true},
    {"image", &kString},
    {"command", &kStringList},
    {"args", &kStringList},
    {"workingDir", &kString},
    {"ports", &kCoreV1ContainerPortList},
    {"envFrom", &kCoreV1EnvFromSourceList},
    {"env", &kCoreV1EnvVarList},
    {"resources", &kCoreV1ResourceRequirements},
    {"resizePolicy", &kCoreV1ContainerResizePolicyList},
    {"restartPolicy", &kString},
    {"restartPolicyRules", &kCoreV1ContainerRestartRuleList},
    {"volumeMounts", &kCoreV1VolumeMountList},
    {"volumeDevices", &kCoreV1VolumeDeviceList},
    {"livenessProbe", &kCoreV1Probe},
    {"readinessProbe", &kCoreV1Probe},
    {"startupProbe", &kCoreV1Probe},
    {"lifecycle", &kCoreV1Lifecycle},
    {"terminationMessagePath", &kString},
    {"terminationMessagePolicy", &kCoreV1TerminationMessagePolicy},
    {"imagePullPolicy", &kCoreV1PullPolicy},
    {"securityContext", &kCoreV1SecurityContext},
    {"stdin", &kBoolean},
    {"stdinOnce", &kBoolean},
    {"tty", &kBoolean},
    {"targetContainerName", &kString},
};
constinit const Schema kCoreV1EphemeralContainer = {.type = Type::kObject,
                                                    .fields = kCoreV1EphemeralContainerFields};

static constexpr FieldSpec kCoreV1EphemeralContainerCommonFields[] = {
    {"name", &kString, true},
    {"image", &kString},
    {"command", &kStringList},
    {"args", &kStringList},
    {"workingDir", &kString},
    {"ports", &kCoreV1ContainerPortList},
    {"envFrom", &kCoreV1EnvFromSourceList},
    {"env", &kCoreV1EnvVarList},
    {"resources", &kCoreV1ResourceRequirements},
    {"resizePolicy", &kCoreV1ContainerResizePolicyList},
    {"restartPolicy", &kString},
    {"restartPolicyRules", &kCoreV1ContainerRestartRuleList},
    {"volumeMounts", &kCoreV1VolumeMountList},
    {"volumeDevices", &kCoreV1VolumeDeviceList},
    {"livenessProbe", &kCoreV1Probe},
    {"readinessProbe", &kCoreV1Probe},
    {"startupProbe", &kCoreV1Probe},
    {"lifecycle", &kCoreV1Lifecycle},
    {"terminationMessagePath", &kString},
    {"terminationMessagePolicy", &kCoreV1TerminationMessagePolicy},
    {"imagePullPolicy", &kCoreV1PullPolicy},
    {"securityContext", &kCoreV1SecurityContext},
    {"stdin", &kBoolean},
    {"stdinOnce", &kBoolean},
    {"tty", &kBoolean},
};
constinit const Schema kCoreV1EphemeralContainerCommon = {
    .type = Type::kObject, .fields = kCoreV1EphemeralContainerCommonFields};

constinit const Schema kCoreV1EphemeralContainerList = {.type = Type::kList,
                                                        .element = &kCoreV1EphemeralContainer};

static constexpr FieldSpec kCoreV1EphemeralVolumeSourceFields[] = {
    {"volumeClaimTemplate", &kCoreV1PersistentVolumeClaimTemplate},
};
constinit const Schema kCoreV1EphemeralVolumeSource = {
    .type = Type::kObject, .fields = kCoreV1EphemeralVolumeSourceFields};

static constexpr FieldSpec kCoreV1ExecActionFields[] = {
    {"command", &kStringList},
};
constinit const Schema kCoreV1ExecAction = {.type = Type::kObject,
                                            .fields = kCoreV1ExecActionFields};

static constexpr FieldSpec kCoreV1FCVolumeSourceFields[] = {
    {"targetWWNs", &kStringList}, {"lun", &kInteger32},    {"fsType", &kString},
    {"readOnly", &kBoolean},      {"wwids", &kStringList},
};
constinit const Schema kCoreV1FCVolumeSource = {.type = Type::kObject,
                                                .fields = kCoreV1FCVolumeSourceFields};

static constexpr FieldSpec kCoreV1FileKeySelectorFields[] = {
    {"volumeName", &kString, true},
    {"path", &kString, true},
    {"key", &kString, true},
    {"optional", &kBoolean},
};
constinit const Schema kCoreV1FileKeySelector = {.type = Type::kObject,
                                                 .fields = kCoreV1FileKeySelectorFields};

static constexpr FieldSpec kCoreV1FlexVolumeSourceFields[] = {
    {"driver", &kString, true},
    {"fsType", &kString},
    {"secretRef", &kCoreV1LocalObjectReference},
    {"readOnly", &kBoolean},
    {"options", &kStringMap},
};
constinit const Schema kCoreV1FlexVolumeSource = {.type = Type::kObject,
                                                  .fields = kCoreV1FlexVolumeSourceFields};

static constexpr FieldSpec kCoreV1FlockerVolumeSourceFields[] = {
    {"datasetName", &kString},
    {"datasetUUID", &kString},
};
constinit const Schema kCoreV1FlockerVolumeSource = {.type = Type::kObject,
                                                     .fields = kCoreV1FlockerVolumeSourceFields};

static constexpr FieldSpec kCoreV1GCEPersistentDiskVolumeSourceFields[] = {
    {"pdName", &kString, true},
    {"fsType", &kString},
    {"partition", &kInteger32},
    {"readOnly", &kBoolean},
};
constinit const Schema kCoreV1GCEPersistentDiskVolumeSource = {
    .type = Type::kObject, .fields = kCoreV1GCEPersistentDiskVolumeSourceFields};

static constexpr FieldSpec kCoreV1GRPCActionFields[] = {
    {"port", &kInteger32, true},
    {"service", &kString},
};
constinit const Schema kCoreV1GRPCAction = {.type = Type::kObject,
                                            .fields = kCoreV1GRPCActionFields};

static constexpr FieldSpec kCoreV1GitRepoVolumeSourceFields[] = {
    {"repository", &kString, true},
    {"revision", &kString},
    {"directory", &kString},
};
constinit const Schema kCoreV1GitRepoVolumeSource = {.type = Type::kObject,
                                                     .fields = kCoreV1GitRepoVolumeSourceFields};

static constexpr FieldSpec kCoreV1GlusterfsVolumeSourceFields[] = {
    {"endpoints", &kString, true},
    {"path", &kString, true},
    {"readOnly", &kBoolean},
};
constinit const Schema kCoreV1GlusterfsVolumeSource = {
    .type = Type::kObject, .fields = kCoreV1GlusterfsVolumeSourceFields};

static constexpr FieldSpec kCoreV1HTTPGetActionFields[] = {
    {"path", &kString},
    {"port", &kIntOrString, true},
    {"host", &kString},
    {"scheme", &kCoreV1URIScheme},
    {"httpHeaders", &kCoreV1HTTPHeaderList},
};
constinit const Schema kCoreV1HTTPGetAction = {.type = Type::kObject,
                                               .fields = kCoreV1HTTPGetActionFields};

static constexpr FieldSpec kCoreV1HTTPHeaderFields[] = {
    {"name", &kString, true},
    {"value", &kString},
};
constinit const Schema kCoreV1HTTPHeader = {.type = Type::kObject,
                                            .fields = kCoreV1HTTPHeaderFields};

constinit const Schema kCoreV1HTTPHeaderList = {.type = Type::kList, .element = &kCoreV1HTTPHeader};

static constexpr FieldSpec kCoreV1HostAliasFields[] = {
    {"ip", &kString, true},
    {"hostnames", &kStringList},
};
constinit const Schema kCoreV1HostAlias = {.type = Type::kObject, .fields = kCoreV1HostAliasFields};

constinit const Schema kCoreV1HostAliasList = {.type = Type::kList, .element = &kCoreV1HostAlias};

static constexpr std::string_view kCoreV1HostPathTypeValues[] = {
    "",       "DirectoryOrCreate", "Directory",  "FileOrCreate", "File",
    "Socket", "CharDevice",        "BlockDevice"};
constinit const Schema kCoreV1HostPathType = {.type = Type::kString,
                                              .values = kCoreV1HostPathTypeValues};

static constexpr FieldSpec kCoreV1HostPathVolumeSourceFields[] = {
    {"path", &kString, true},
    {"type", &kCoreV1HostPathType},
};
constinit const Schema kCoreV1HostPathVolumeSource = {.type = Type::kObject,
                                                      .fields = kCoreV1HostPathVolumeSourceFields};

static constexpr std::string_view kCoreV1IPFamilyValues[] = {"IPv4", "IPv6", ""};
constinit const Schema kCoreV1IPFamily = {.type = Type::kString, .values = kCoreV1IPFamilyValues};

constinit const Schema kCoreV1IPFamilyList = {.type = Type::kList, .element = &kCoreV1IPFamily};

static constexpr std::string_view kCoreV1IPFamilyPolicyValues[] = {"SingleStack", "PreferDualStack",
                                                                   "RequireDualStack"};
constinit const Schema kCoreV1IPFamilyPolicy = {.type = Type::kString,
                                                .values = kCoreV1IPFamilyPolicyValues};

static constexpr FieldSpec kCoreV1ISCSIVolumeSourceFields[] = {
    {"targetPortal", &kString, true},
    {"iqn", &kString, true},
    {"lun", &kInteger32, true},
    {"iscsiInterface", &kString},
    {"fsType", &kString},
    {"readOnly", &kBoolean},
    {"portals", &kStringList},
    {"chapAuthDiscovery", &kBoolean},
    {"chapAuthSession", &kBoolean},
    {"secretRef", &kCoreV1LocalObjectReference},
    {"initiatorName", &kString},
};
constinit const Schema kCoreV1ISCSIVolumeSource = {.type = Type::kObject,
                                                   .fields = kCoreV1ISCSIVolumeSourceFields};

static constexpr FieldSpec kCoreV1ImageVolumeSourceFields[] = {
    {"reference", &kString},
    {"pullPolicy", &kCoreV1PullPolicy},
};
constinit const Schema kCoreV1ImageVolumeSource = {.type = Type::kObject,
                                                   .fields = kCoreV1ImageVolumeSourceFields};

static constexpr FieldSpec kCoreV1KeyToPathFields[] = {
    {"key", &kString, true},
    {"path", &kString, true},
    {"mode", &kInteger32},
};
constinit const Schema kCoreV1KeyToPath = {.type = Type::kObject, .fields = kCoreV1KeyToPathFields};

constinit const Schema kCoreV1KeyToPathList = {.type = Type::kList, .element = &kCoreV1KeyToPath};

static constexpr FieldSpec kCoreV1LifecycleFields[] = {
    {"postStart", &kCoreV1LifecycleHandler},
    {"preStop", &kCoreV1LifecycleHandler},
    {"stopSignal", &kCoreV1Signal},
};
constinit const Schema kCoreV1Lifecycle = {.type = Type::kObject, .fields = kCoreV1LifecycleFields};

static constexpr FieldSpec kCoreV1LifecycleHandlerFields[] = {
    {"exec", &kCoreV1ExecAction},
    {"httpGet", &kCoreV1HTTPGetAction},
    {"tcpSocket", &kCoreV1TCPSocketAction},
    {"sleep", &kCoreV1SleepAction},
};
constinit const Schema kCoreV1LifecycleHandler = {.type = Type::kObject,
                                                  .fields = kCoreV1LifecycleHandlerFields};

static constexpr FieldSpec kCoreV1LoadBalancerIngressFields[] = {
    {"ip", &kString},
    {"hostname", &kString},
    {"ipMode", &kString},
    {"ports", &kCoreV1PortStatusList},
};
constinit const Schema kCoreV1LoadBalancerIngress = {.type = Type::kObject,
                                                     .fields = kCoreV1LoadBalancerIngressFields};

constinit const Schema kCoreV1LoadBalancerIngressList = {.type = Type::kList,
                                                         .element = &kCoreV1LoadBalancerIngress};

static constexpr FieldSpec kCoreV1LoadBalancerStatusFields[] = {
    {"ingress", &kCoreV1LoadBalancerIngressList},
};
constinit const Schema kCoreV1LoadBalancerStatus = {.type = Type::kObject,
                                                    .fields = kCoreV1LoadBalancerStatusFields};

static constexpr FieldSpec kCoreV1LocalObjectReferenceFields[] = {
    {"name", &kString},
};
constinit const Schema kCoreV1LocalObjectReference = {.type = Type::kObject,
                                                      .fields = kCoreV1LocalObjectReferenceFields};

constinit const Schema kCoreV1LocalObjectReferenceList = {.type = Type::kList,
                                                          .element = &kCoreV1LocalObjectReference};

static constexpr std::string_view kCoreV1MountPropagationModeValues[] = {"None", "HostToContainer",
                                                                         "Bidirectional"};
constinit const Schema kCoreV1MountPropagationMode = {.type = Type::kString,
                                                      .values = kCoreV1MountPropagationModeValues};

static constexpr FieldSpec kCoreV1NFSVolumeSourceFields[] = {
    {"server", &kString, true},
    {"path", &kString, true},
    {"readOnly", &kBoolean},
};
constinit const Schema kCoreV1NFSVolumeSource = {.type = Type::kObject,
                                                 .fields = kCoreV1NFSVolumeSourceFields};

static constexpr FieldSpec kCoreV1NamespaceFields[] = {
    {"kind", &kString},
    {"apiVersion", &kString},
    {"metadata", &kMetaV1ObjectMeta},
    {"spec", &kCoreV1NamespaceSpec},
    {"status", &kCoreV1NamespaceStatus},
};
constinit const Schema kCoreV1Namespace = {.type = Type::kObject, .fields = kCoreV1NamespaceFields};

static constexpr FieldSpec kCoreV1NamespaceConditionFields[] = {
    {"type", &kString, true}, {"status", &kString},  {"lastTransitionTime", &kTime},
    {"reason", &kString},     {"message", &kString},
};
constinit const Schema kCoreV1NamespaceCondition = {.type = Type::kObject,
                                                    .fields = kCoreV1NamespaceConditionFields};

constinit const Schema kCoreV1NamespaceConditionList = {.type = Type::kList,
                                                        .element = &kCoreV1NamespaceCondition};

static constexpr std::string_view kCoreV1NamespacePhaseValues[] = {"Active", "Terminating"};
constinit const Schema kCoreV1NamespacePhase = {.type = Type::kString,
                                                .values = kCoreV1NamespacePhaseValues};

static constexpr FieldSpec kCoreV1NamespaceSpecFields[] = {
    {"finalizers", &kStringList},
};
constinit const Schema kCoreV1NamespaceSpec = {.type = Type::kObject,
                                               .fields = kCoreV1NamespaceSpecFields};

static constexpr FieldSpec kCoreV1NamespaceStatusFields[] = {
    {"phase", &kCoreV1NamespacePhase},
    {"conditions", &kCoreV1NamespaceConditionList},
};
constinit const Schema kCoreV1NamespaceStatus = {.type = Type::kObject,
                                                 .fields = kCoreV1NamespaceStatusFields};

static constexpr FieldSpec kCoreV1NodeAffinityFields[] = {
    {"requiredDuringSchedulingIgnoredDuringExecution", &kCoreV1NodeSelector},
    {"preferredDuringSchedulingIgnoredDuringExecution", &kCoreV1PreferredSchedulingTermList},
};
constinit const Schema kCoreV1NodeAffinity = {.type = Type::kObject,
                                              .fields = kCoreV1NodeAffinityFields};

static constexpr std::string_view kCoreV1NodeInclusionPolicyValues[] = {"Ignore", "Honor"};
constinit const Schema kCoreV1NodeInclusionPolicy = {.type = Type::kString,
                                                     .values = kCoreV1NodeInclusionPolicyValues};

static constexpr FieldSpec kCoreV1NodeSelectorFields[] = {
    {"nodeSelectorTerms", &kCoreV1NodeSelectorTermList, true},
};
constinit const Schema kCoreV1NodeSelector = {.type = Type::kObject,
                                              .fields = kCoreV1NodeSelectorFields};

static constexpr std::string_view kCoreV1NodeSelectorOperatorValues[] = {
    "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"};
constinit const Schema kCoreV1NodeSelectorOperator = {.type = Type::kString,
                                                      .values = kCoreV1NodeSelectorOperatorValues};

static constexpr FieldSpec kCoreV1NodeSelectorRequirementFields[] = {
    {"key", &kString, true},
    {"operator", &kCoreV1NodeSelectorOperator, true},
    {"values", &kStringList},
};
constinit const Schema kCoreV1NodeSelectorRequirement = {
    .type = Type::kObject, .fields = kCoreV1NodeSelectorRequirementFields};

constinit const Schema kCoreV1NodeSelectorRequirementList = {
    .type = Type::kList, .element = &kCoreV1NodeSelectorRequirement};

static constexpr FieldSpec kCoreV1NodeSelectorTermFields[] = {
    {"matchExpressions", &kCoreV1NodeSelectorRequirementList},
    {"matchFields", &kCoreV1NodeSelectorRequirementList},
};
constinit const Schema kCoreV1NodeSelectorTerm = {.type = Type::kObject,
                                                  .fields = kCoreV1NodeSelectorTermFields};

constinit const Schema kCoreV1NodeSelectorTermList = {.type = Type::kList,
                                                      .element = &kCoreV1NodeSelectorTerm};

static constexpr FieldSpec kCoreV1ObjectFieldSelectorFields[] = {
    {"apiVersion", &kString},
    {"fieldPath", &kString, true},
};
constinit const Schema kCoreV1ObjectFieldSelector = {.type = Type::kObject,
                                                     .fields = kCoreV1ObjectFieldSelectorFields};

static constexpr FieldSpec kCoreV1ObjectReferenceFields[] = {
    {"kind", &kString},      {"namespace", &kString},  {"name", &kString},
    {"uid", &kString},       {"apiVersion", &kString}, {"resourceVersion", &kString},
    {"fieldPath", &kString},
};
constinit const Schema kCoreV1ObjectReference = {.type = Type::kObject,
                                                 .fields = kCoreV1ObjectReferenceFields};

static constexpr std::string_view kCoreV1PersistentVolumeAccessModeValues[] = {
    "ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"};
constinit const Schema kCoreV1PersistentVolumeAccessMode = {
    .type = Type::kString, .values = kCoreV1PersistentVolumeAccessModeValues};

constinit const Schema kCoreV1PersistentVolumeAccessModeList = {
    .type = Type::kList, .element = &kCoreV1PersistentVolumeAccessMode};

static constexpr FieldSpec kCoreV1PersistentVolumeClaimSpecFields[] = {
    {"accessModes", &kCoreV1PersistentVolumeAccessModeList},
    {"selector", &kMetaV1LabelSelector},
    {"resources", &kCoreV1VolumeResourceRequirements},
    {"volumeName", &kString},
    {"storageClassName", &kString},
    {"volumeMode", &kCoreV1PersistentVolumeMode},
    {"dataSource", &kCoreV1TypedLocalObjectReference},
    {"dataSourceRef", &kCoreV1TypedObjectReference},
    {"volumeAttributesClassName", &kString},
};
constinit const Schema kCoreV1PersistentVolumeClaimSpec = {
    .type = Type::kObject, .fields = kCoreV1PersistentVolumeClaimSpecFields};

static constexpr FieldSpec kCoreV1PersistentVolumeClaimTemplateFields[] = {
    {"metadata", &kMetaV1ObjectMeta},
    {"spec", &kCoreV1PersistentVolumeClaimSpec, true},
};
constinit const Schema kCoreV1PersistentVolumeClaimTemplate = {
    .type = Type::kObject, .fields = kCoreV1PersistentVolumeClaimTemplateFields};

static constexpr FieldSpec kCoreV1PersistentVolumeClaimVolumeSourceFields[] = {
    {"claimName", &kString, true},
    {"readOnly", &kBoolean},
};
constinit const Schema kCoreV1PersistentVolumeClaimVolumeSource = {
    .type = Type::kObject, .fields = kCoreV1PersistentVolumeClaimVolumeSourceFields};

static constexpr std::string_view kCoreV1PersistentVolumeModeValues[] = {"Block", "Filesystem"};
constinit const Schema kCoreV1PersistentVolumeMode = {.type = Type::kString,
                                                      .values = kCoreV1PersistentVolumeModeValues};

static constexpr FieldSpec kCoreV1PhotonPersistentDiskVolumeSourceFields[] = {
    {"pdID", &kString, true},
    {"fsType", &kString},
};
constinit const Schema kCoreV1PhotonPersistentDiskVolumeSource = {
    .type = Type::kObject, .fields = kCoreV1PhotonPersistentDiskVolumeSourceFields};

static constexpr FieldSpec kCoreV1PodAffinityFields[] = {
    {"requiredDuringSchedulingIgnoredDuringExecution", &kCoreV1PodAffinityTermList},
    {"preferredDuringSchedulingIgnoredDuringExecution", &kCoreV1WeightedPodAffinityTermList},
};
constinit const Schema kCoreV1PodAffinity = {.type = Type::kObject,
                                             .fields = kCoreV1PodAffinityFields};

static constexpr FieldSpec kCoreV1PodAffinityTermFields[] = {
    {"labelSelector", &kMetaV1LabelSelector}, {"namespaces", &kStringList},
    {"topologyKey", &kString, true},          {"namespaceSelector", &kMetaV1LabelSelector},
    {"matchLabelKeys", &kStringList},         {"mismatchLabelKeys", &kStringList},
};
constinit const Schema kCoreV1PodAffinityTerm = {.type = Type::kObject,
                                                 .fields = kCoreV1PodAffinityTermFields};

constinit const Schema kCoreV1PodAffinityTermList = {.type = Type::kList,
                                                     .element = &kCoreV1PodAffinityTerm};

static constexpr FieldSpec kCoreV1PodAntiAffinityFields[] = {
    {"requiredDuringSchedulingIgnoredDuringExecution", &kCoreV1PodAffinityTermList},
    {"preferredDuringSchedulingIgnoredDuringExecution", &kCoreV1WeightedPodAffinityTermList},
};
constinit const Schema kCoreV1PodAntiAffinity = {.type = Type::kObject,
                                                 .fields = kCoreV1PodAntiAffinityFields};

static constexpr FieldSpec kCoreV1PodCertificateProjectionFields[] = {
    {"signerName", &kString},
    {"keyType", &kString},
    {"maxExpirationSeconds", &kInteger32},
    {"credentialBundlePath", &kString},
    {"keyPath", &kString},
    {"certificateChainPath", &kString},
};
constinit const Schema kCoreV1PodCertificateProjection = {
    .type = Type::kObject, .fields = kCoreV1PodCertificateProjectionFields};

static constexpr FieldSpec kCoreV1PodDNSConfigFields[] = {
    {"nameservers", &kStringList},
    {"searches", &kStringList},
    {"options", &kCoreV1PodDNSConfigOptionList},
};
constinit const Schema kCoreV1PodDNSConfig = {.type = Type::kObject,
                                              .fields = kCoreV1PodDNSConfigFields};

static constexpr FieldSpec kCoreV1PodDNSConfigOptionFields[] = {
    {"name", &kString},
    {"value", &kString},
};
constinit const Schema kCoreV1PodDNSConfigOption = {.type = Type::kObject,
                                                    .fields = kCoreV1PodDNSConfigOptionFields};

constinit const Schema kCoreV1PodDNSConfigOptionList = {.type = Type::kList,
                                                        .element = &kCoreV1PodDNSConfigOption};

static constexpr std::string_view kCoreV1PodFSGroupChangePolicyValues[] = {"OnRootMismatch",
                                                                           "Always"};
constinit const Schema kCoreV1PodFSGroupChangePolicy = {
    .type = Type::kString, .values = kCoreV1PodFSGroupChangePolicyValues};

static constexpr FieldSpec kCoreV1PodOSFields[] = {
    {"name", &kString, true},
};
constinit const Schema kCoreV1PodOS = {.type = Type::kObject, .fields = kCoreV1PodOSFields};

static constexpr FieldSpec kCoreV1PodReadinessGateFields[] = {
    {"conditionType", &kString, true},
};
constinit const Schema kCoreV1PodReadinessGate = {.type = Type::kObject,
                                                  .fields = kCoreV1PodReadinessGateFields};

constinit const Schema kCoreV1PodReadinessGateList = {.type = Type::kList,
                                                      .element = &kCoreV1PodReadinessGate};

static constexpr FieldSpec kCoreV1PodResourceClaimFields[] = {
    {"name", &kString, true},
    {"resourceClaimName", &kString},
    {"resourceClaimTemplateName", &kString},
};
constinit const Schema kCoreV1PodResourceClaim = {.type = Type::kObject,
                                                  .fields = kCoreV1PodResourceClaimFields};

constinit const Schema kCoreV1PodResourceClaimList = {.type = Type::kList,
                                                      .element = &kCoreV1PodResourceClaim};

static constexpr FieldSpec kCoreV1PodSchedulingGateFields[] = {
    {"name", &kString, true},
};
constinit const Schema kCoreV1PodSchedulingGate = {.type = Type::kObject,
                                                   .fields = kCoreV1PodSchedulingGateFields};

constinit const Schema kCoreV1PodSchedulingGateList = {.type = Type::kList,
                                                       .element = &kCoreV1PodSchedulingGate};

static constexpr FieldSpec kCoreV1PodSecurityContextFields[] = {
    {"seLinuxOptions", &kCoreV1SELinuxOptions},
    {"windowsOptions", &kCoreV1WindowsSecurityContextOptions},
    {"runAsUser", &kInteger64},
    {"runAsGroup", &kInteger64},
    {"runAsNonRoot", &kBoolean},
    {"supplementalGroups", &kInteger64List},
    {"supplementalGroupsPolicy", &kCoreV1SupplementalGroupsPolicy},
    {"fsGroup", &kInteger64},
    {"sysctls", &kCoreV1SysctlList},
    {"fsGroupChangePolicy", &kCoreV1PodFSGroupChangePolicy},
    {"seccompProfile", &kCoreV1SeccompProfile},
    {"appArmorProfile", &kCoreV1AppArmorProfile},
    {"seLinuxChangePolicy", &kString},
};
constinit const Schema kCoreV1PodSecurityContext = {.type = Type::kObject,
                                                    .fields = kCoreV1PodSecurityContextFields};

static constexpr FieldSpec kCoreV1PodSpecFields[] = {
    {"volumes", &kCoreV1VolumeList},
    {"initContainers", &kCoreV1ContainerList},
    {"containers", &kCoreV1ContainerList, true},
    {"ephemeralContainers", &kCoreV1EphemeralContainerList},
    {"restartPolicy", &kCoreV1RestartPolicy},
    {"terminationGracePeriodSeconds", &kInteger64},
    {"activeDeadlineSeconds", &kInteger64},
    {"dnsPolicy", &kCoreV1DNSPolicy},
    {"nodeSelector", &kStringMap},
    {"serviceAccountName", &kString},
    {"serviceAccount", &kString},
    {"automountServiceAccountToken", &kBoolean},
    {"nodeName", &kString},
    {"hostNetwork", &kBoolean},
    {"hostPID", &kBoolean},
    {"hostIPC", &kBoolean},
    {"shareProcessNamespace", &kBoolean},
    {"securityContext", &kCoreV1PodSecurityContext},
    {"imagePullSecrets", &kCoreV1LocalObjectReferenceList},
    {"hostname", &kString},
    {"subdomain", &kString},
    {"affinity", &kCoreV1Affinity},
    {"schedulerName", &kString},
    {"tolerations", &kCoreV1TolerationList},
    {"hostAliases", &kCoreV1HostAliasList},
    {"priorityClassName", &kString},
    {"priority", &kInteger32},
    {"dnsConfig", &kCoreV1PodDNSConfig},
    {"readinessGates", &kCoreV1PodReadinessGateList},
    {"runtimeClassName", &kString},
    {"enableServiceLinks", &kBoolean},
    {"preemptionPolicy", &kCoreV1PreemptionPolicy},
    {"overhead", &kQuantityMap},
    {"topologySpreadConstraints", &kCoreV1TopologySpreadConstraintList},
    {"setHostnameAsFQDN", &kBoolean},
    {"os", &kCoreV1PodOS},
    {"hostUsers", &kBoolean},
    {"schedulingGates", &kCoreV1PodSchedulingGateList},
    {"resourceClaims", &kCoreV1PodResourceClaimList},
    {"resources", &kCoreV1ResourceRequirements},
    {"hostnameOverride", &kString},
};
constinit const Schema kCoreV1PodSpec = {.type = Type::kObject, .fields = kCoreV1PodSpecFields};

static constexpr FieldSpec kCoreV1PodTemplateSpecFields[] = {
    {"metadata", &kMetaV1ObjectMeta},
    {"spec", &kCoreV1PodSpec},
};
constinit const Schema kCoreV1PodTemplateSpec = {.type = Type::kObject,
                                                 .fields = kCoreV1PodTemplateSpecFields};

static constexpr FieldSpec kCoreV1PortStatusFields[] = {
    {"port", &kInteger32, true},
    {"protocol", &kCoreV1Protocol, true},
    {"error", &kString},
};
constinit const Schema kCoreV1PortStatus = {.type = Type::kObject,
                                            .fields = kCoreV1PortStatusFields};

constinit const Schema kCoreV1PortStatusList = {.type = Type::kList, .element = &kCoreV1PortStatus};

static constexpr FieldSpec kCoreV1PortworxVolumeSourceFields[] = {
    {"volumeID", &kString, true},
    {"fsType", &kString},
    {"readOnly", &kBoolean},
};
constinit const Schema kCoreV1PortworxVolumeSource = {.type = Type::kObject,
                                                      .fields = kCoreV1PortworxVolumeSourceFields};

static constexpr std::string_view kCoreV1PreemptionPolicyValues[] = {"PreemptLowerPriority",
                                                                     "Never"};
constinit const Schema kCoreV1PreemptionPolicy = {.type = Type::kString,
                                                  .values = kCoreV1PreemptionPolicyValues};

static constexpr FieldSpec kCoreV1PreferredSchedulingTermFields[] = {
    {"weight", &kInteger32, true},
    {"preference", &kCoreV1NodeSelectorTerm, true},
};
constinit const Schema kCoreV1PreferredSchedulingTerm = {
    .type = Type::kObject, .fields = kCoreV1PreferredSchedulingTermFields};

constinit const Schema kCoreV1PreferredSchedulingTermList = {
    .type = Type::kList, .element = &kCoreV1PreferredSchedulingTerm};

static constexpr FieldSpec kCoreV1ProbeFields[] = {
    {"exec", &kCoreV1ExecAction},           {"httpGet", &kCoreV1HTTPGetAction},
    {"tcpSocket", &kCoreV1TCPSocketAction}, {"grpc", &kCoreV1GRPCAction},
    {"initialDelaySeconds", &kInteger32},   {"timeoutSeconds", &kInteger32},
    {"periodSeconds", &kInteger32},         {"successThreshold", &kInteger32},
    {"failureThreshold", &kInteger32},      {"terminationGracePeriodSeconds", &kInteger64},
};
constinit const Schema kCoreV1Probe = {.type = Type::kObject, .fields = kCoreV1ProbeFields};

static constexpr FieldSpec kCoreV1ProbeHandlerFields[] = {
    {"exec", &kCoreV1ExecAction},
    {"httpGet", &kCoreV1HTTPGetAction},
    {"tcpSocket", &kCoreV1TCPSocketAction},
    {"grpc", &kCoreV1GRPCAction},
};
constinit const Schema kCoreV1ProbeHandler = {.type = Type::kObject,
                                              .fields = kCoreV1ProbeHandlerFields};

static constexpr std::string_view kCoreV1ProcMountTypeValues[] = {"Default", "Unmasked"};
constinit const Schema kCoreV1ProcMountType = {.type = Type::kString,
                                               .values = kCoreV1ProcMountTypeValues};

static constexpr FieldSpec kCoreV1ProjectedVolumeSourceFields[] = {
    {"sources", &kCoreV1VolumeProjectionList},
    {"defaultMode", &kInteger32},
};
constinit const Schema kCoreV1ProjectedVolumeSource = {
    .type = Type::kObject, .fields = kCoreV1ProjectedVolumeSourceFields};

static constexpr std::string_view kCoreV1ProtocolValues[] = {"TCP", "UDP", "SCTP"};
constinit const Schema kCoreV1Protocol = {.type = Type::kString, .values = kCoreV1ProtocolValues};

static constexpr std::string_view kCoreV1PullPolicyValues[] = {"Always", "Never", "IfNotPresent"};
constinit const Schema kCoreV1PullPolicy = {.type = Type::kString,
                                            .values = kCoreV1PullPolicyValues};

static constexpr FieldSpec kCoreV1QuobyteVolumeSourceFields[] = {
    {"registry", &kString, true}, {"volume", &kString, true}, {"readOnly", &kBoolean},
    {"user", &kString},           {"group", &kString},        {"tenant", &kString},
};
constinit const Schema kCoreV1QuobyteVolumeSource = {.type = Type::kObject,
                                                     .fields = kCoreV1QuobyteVolumeSourceFields};

static constexpr FieldSpec kCoreV1RBDVolumeSourceFields[] = {
    {"monitors", &kStringList, true},
    {"image", &kString, true},
    {"fsType", &kString},
    {"pool", &kString},
    {"user", &kString},
    {"keyring", &kString},
    {"secretRef", &kCoreV1LocalObjectReference},
    {"readOnly", &kBoolean},
};
constinit const Schema kCoreV1RBDVolumeSource = {.type = Type::kObject,
                                                 .fields = kCoreV1RBDVolumeSourceFields};

static constexpr FieldSpec kCoreV1ResourceClaimFields[] = {
    {"name", &kString, true},
    {"request", &kString},
};
constinit const Schema kCoreV1ResourceClaim = {.type = Type::kObject,
                                               .fields = kCoreV1ResourceClaimFields};

constinit const Schema kCoreV1ResourceClaimList = {.type = Type::kList,
                                                   .element = &kCoreV1ResourceClaim};

static constexpr FieldSpec kCoreV1ResourceFieldSelectorFields[] = {
    {"containerName", &kString},
    {"resource", &kString, true},
    {"divisor", &kQuantity},
};
constinit const Schema kCoreV1ResourceFieldSelector = {
    .type = Type::kObject, .fields = kCoreV1ResourceFieldSelectorFields};

static constexpr FieldSpec kCoreV1ResourceRequirementsFields[] = {
    {"limits", &kQuantityMap},
    {"requests", &kQuantityMap},
    {"claims", &kCoreV1ResourceClaimList},
};
constinit const Schema kCoreV1ResourceRequirements = {.type = Type::kObject,
                                                      .fields = kCoreV1ResourceRequirementsFields};

static constexpr std::string_view kCoreV1RestartPolicyValues[] = {"Always", "OnFailure", "Never"};
constinit const Schema kCoreV1RestartPolicy = {.type = Type::kString,
                                               .values = kCoreV1RestartPolicyValues};

static constexpr FieldSpec kCoreV1SELinuxOptionsFields[] = {
    {"user", &kString},
    {"role", &kString},
    {"type", &kString},
    {"level", &kString},
};
constinit const Schema kCoreV1SELinuxOptions = {.type = Type::kObject,
                                                .fields = kCoreV1SELinuxOptionsFields};

static constexpr FieldSpec kCoreV1ScaleIOVolumeSourceFields[] = {
    {"gateway", &kString, true},
    {"system", &kString, true},
    {"secretRef", &kCoreV1LocalObjectReference, true},
    {"sslEnabled", &kBoolean},
    {"protectionDomain", &kString},
    {"storagePool", &kString},
    {"storageMode", &kString},
    {"volumeName", &kString},
    {"fsType", &kString},
    {"readOnly", &kBoolean},
};
constinit const Schema kCoreV1ScaleIOVolumeSource = {.type = Type::kObject,
                                                     .fields = kCoreV1ScaleIOVolumeSourceFields};

static constexpr FieldSpec kCoreV1SeccompProfileFields[] = {
    {"type", &kCoreV1SeccompProfileType, true},
    {"localhostProfile", &kString},
};
constinit const Schema kCoreV1SeccompProfile = {.type = Type::kObject,
                                                .fields = kCoreV1SeccompProfileFields};

static constexpr std::string_view kCoreV1SeccompProfileTypeValues[] = {
    "Unconfined", "RuntimeDefault", "Localhost"};
constinit const Schema kCoreV1SeccompProfileType = {.type = Type::kString,
                                                    .values = kCoreV1SeccompProfileTypeValues};

static constexpr FieldSpec kCoreV1SecretFields[] = {
    {"kind", &kString},       {"apiVersion", &kString}, {"metadata", &kMetaV1ObjectMeta},
    {"immutable", &kBoolean}, {"data", &kBytesMap},     {"stringData", &kStringMap},
    {"type", &kString},
};
constinit const Schema kCoreV1Secret = {.type = Type::kObject, .fields = kCoreV1SecretFields};

static constexpr FieldSpec kCoreV1SecretEnvSourceFields[] = {
    {"name", &kString},
    {"optional", &kBoolean},
};
constinit const Schema kCoreV1SecretEnvSource = {.type = Type::kObject,
                                                 .fields = kCoreV1SecretEnvSourceFields};

static constexpr FieldSpec kCoreV1SecretKeySelectorFields[] = {
    {"name", &kString},
    {"key", &kString, true},
    {"optional", &kBoolean},
};
constinit const Schema kCoreV1SecretKeySelector = {.type = Type::kObject,
                                                   .fields = kCoreV1SecretKeySelectorFields};

static constexpr FieldSpec kCoreV1SecretProjectionFields[] = {
    {"name", &kString},
    {"items", &kCoreV1KeyToPathList},
    {"optional", &kBoolean},
};
constinit const Schema kCoreV1SecretProjection = {.type = Type::kObject,
                                                  .fields = kCoreV1SecretProjectionFields};

static constexpr FieldSpec kCoreV1SecretVolumeSourceFields[] = {
    {"secretName", &kString},
    {"items", &kCoreV1KeyToPathList},
    {"defaultMode", &kInteger32},
    {"optional", &kBoolean},
};
constinit const Schema kCoreV1SecretVolumeSource = {.type = Type::kObject,
                                                    .fields = kCoreV1SecretVolumeSourceFields};

static constexpr FieldSpec kCoreV1SecurityContextFields[] = {
    {"capabilities", &kCoreV1Capabilities},
    {"privileged", &kBoolean},
    {"seLinuxOptions", &kCoreV1SELinuxOptions},
    {"windowsOptions", &kCoreV1WindowsSecurityContextOptions},
    {"runAsUser", &kInteger64},
    {"runAsGroup", &kInteger64},
    {"runAsNonRoot", &kBoolean},
    {"readOnlyRootFilesystem", &kBoolean},
    {"allowPrivilegeEscalation", &kBoolean},
    {"procMount", &kCoreV1ProcMountType},
    {"seccompProfile", &kCoreV1SeccompProfile},
    {"appArmorProfile", &kCoreV1AppArmorProfile},
};
constinit const Schema kCoreV1SecurityContext = {.type = Type::kObject,
                                                 .fields = kCoreV1SecurityContextFields};

static constexpr FieldSpec kCoreV1ServiceFields[] = {
    {"kind", &kString},
    {"apiVersion", &kString},
    {"metadata", &kMetaV1ObjectMeta},
    {"spec", &kCoreV1ServiceSpec},
    {"status", &kCoreV1ServiceStatus},
};
constinit const Schema kCoreV1Service = {.type = Type::kObject, .fields = kCoreV1ServiceFields};

static constexpr FieldSpec kCoreV1ServiceAccountTokenProjectionFields[] = {
    {"audience", &kString},
    {"expirationSeconds", &kInteger64},
    {"path", &kString, true},
};
constinit const Schema kCoreV1ServiceAccountTokenProjection = {
    .type = Type::kObject, .fields = kCoreV1ServiceAccountTokenProjectionFields};

static constexpr std::string_view kCoreV1ServiceAffinityValues[] = {"ClientIP", "None"};
constinit const Schema kCoreV1ServiceAffinity = {.type = Type::kString,
                                                 .values = kCoreV1ServiceAffinityValues};

static constexpr std::string_view kCoreV1ServiceExternalTrafficPolicyValues[] = {"Cluster",
                                                                                 "Local"};
constinit const Schema kCoreV1ServiceExternalTrafficPolicy = {
    .type = Type::kString, .values = kCoreV1ServiceExternalTrafficPolicyValues};

static constexpr std::string_view kCoreV1ServiceInternalTrafficPolicyValues[] = {"Cluster",
                                                                                 "Local"};
constinit const Schema kCoreV1ServiceInternalTrafficPolicy = {
    .type = Type::kString, .values = kCoreV1ServiceInternalTrafficPolicyValues};

static constexpr FieldSpec kCoreV1ServicePortFields[] = {
    {"name", &kString},          {"protocol", &kCoreV1Protocol}, {"appProtocol", &kString},
    {"port", &kInteger32, true}, {"targetPort", &kIntOrString},  {"nodePort", &kInteger32},
};
constinit const Schema kCoreV1ServicePort = {.type = Type::kObject,
                                             .fields = kCoreV1ServicePortFields};

constinit const Schema kCoreV1ServicePortList = {.type = Type::kList,
                                                 .element = &kCoreV1ServicePort};

static constexpr FieldSpec kCoreV1ServiceSpecFields[] = {
    {"ports", &kCoreV1ServicePortList},
    {"selector", &kStringMap},
    {"clusterIP", &kString},
    {"clusterIPs", &kStringList},
    {"type", &kCoreV1ServiceType},
    {"externalIPs", &kStringList},
    {"sessionAffinity", &kCoreV1ServiceAffinity},
    {"loadBalancerIP", &kString},
    {"loadBalancerSourceRanges", &kStringList},
    {"externalName", &kString},
    {"externalTrafficPolicy", &kCoreV1ServiceExternalTrafficPolicy},
    {"healthCheckNodePort", &kInteger32},
    {"publishNotReadyAddresses", &kBoolean},
    {"sessionAffinityConfig", &kCoreV1SessionAffinityConfig},
    {"ipFamilies", &kCoreV1IPFamilyList},
    {"ipFamilyPolicy", &kCoreV1IPFamilyPolicy},
    {"allocateLoadBalancerNodePorts", &kBoolean},
    {"loadBalancerClass", &kString},
    {"internalTrafficPolicy", &kCoreV1ServiceInternalTrafficPolicy},
    {"trafficDistribution", &kString},
};
constinit const Schema kCoreV1ServiceSpec = {.type = Type::kObject,
                                             .fields = kCoreV1ServiceSpecFields};

static constexpr FieldSpec kCoreV1ServiceStatusFields[] = {
    {"loadBalancer", &kCoreV1LoadBalancerStatus},
    {"conditions", &kMetaV1ConditionList},
};
constinit const Schema kCoreV1ServiceStatus = {.type = Type::kObject,
                                               .fields = kCoreV1ServiceStatusFields};

static constexpr std::string_view kCoreV1ServiceTypeValues[] = {"ClusterIP", "NodePort",
                                                                "LoadBalancer", "ExternalName"};
constinit const Schema kCoreV1ServiceType = {.type = Type::kString,
                                             .values = kCoreV1ServiceTypeValues};

static constexpr FieldSpec kCoreV1SessionAffinityConfigFields[] = {
    {"clientIP", &kCoreV1ClientIPConfig},
};
constinit const Schema kCoreV1SessionAffinityConfig = {
    .type = Type::kObject, .fields = kCoreV1SessionAffinityConfigFields};

static constexpr std::string_view kCoreV1SignalValues[] = {
    "SIGABRT",     "SIGALRM",     "SIGBUS",      "SIGCHLD",     "SIGCLD",      "SIGCONT",
    "SIGFPE",      "SIGHUP",      "SIGILL",      "SIGINT",      "SIGIO",       "SIGIOT",
    "SIGKILL",     "SIGPIPE",     "SIGPOLL",     "SIGPROF",     "SIGPWR",      "SIGQUIT",
    "SIGSEGV",     "SIGSTKFLT",   "SIGSTOP",     "SIGSYS",      "SIGTERM",     "SIGTRAP",
    "SIGTSTP",     "SIGTTIN",     "SIGTTOU",     "SIGURG",      "SIGUSR1",     "SIGUSR2",
    "SIGVTALRM",   "SIGWINCH",    "SIGXCPU",     "SIGXFSZ",     "SIGRTMIN",    "SIGRTMIN+1",
    "SIGRTMIN+2",  "SIGRTMIN+3",  "SIGRTMIN+4",  "SIGRTMIN+5",  "SIGRTMIN+6",  "SIGRTMIN+7",
    "SIGRTMIN+8",  "SIGRTMIN+9",  "SIGRTMIN+10", "SIGRTMIN+11", "SIGRTMIN+12", "SIGRTMIN+13",
    "SIGRTMIN+14", "SIGRTMIN+15", "SIGRTMAX-14", "SIGRTMAX-13", "SIGRTMAX-12", "SIGRTMAX-11",
    "SIGRTMAX-10", "SIGRTMAX-9",  "SIGRTMAX-8",  "SIGRTMAX-7",  "SIGRTMAX-6",  "SIGRTMAX-5",
    "SIGRTMAX-4",  "SIGRTMAX-3",  "SIGRTMAX-2",  "SIGRTMAX-1",  "SIGRTMAX"};
constinit const Schema kCoreV1Signal = {.type = Type::kString, .values = kCoreV1SignalValues};

static constexpr FieldSpec kCoreV1SleepActionFields[] = {
    {"seconds", &kInteger64, true},
};
constinit const Schema kCoreV1SleepAction = {.type = Type::kObject,
                                             .fields = kCoreV1SleepActionFields};

static constexpr FieldSpec kCoreV1StorageOSVolumeSourceFields[] = {
    {"volumeName", &kString},
    {"volumeNamespace", &kString},
    {"fsType", &kString},
    {"readOnly", &kBoolean},
    {"secretRef", &kCoreV1LocalObjectReference},
};
constinit const Schema kCoreV1StorageOSVolumeSource = {
    .type = Type::kObject, .fields = kCoreV1StorageOSVolumeSourceFields};

static constexpr std::string_view kCoreV1SupplementalGroupsPolicyValues[] = {"Merge", "Strict"};
constinit const Schema kCoreV1SupplementalGroupsPolicy = {
    .type = Type::kString, .values = kCoreV1SupplementalGroupsPolicyValues};

static constexpr FieldSpec kCoreV1SysctlFields[] = {
    {"name", &kString, true},
    {"value", &kString, true},
};
constinit const Schema kCoreV1Sysctl = {.type = Type::kObject, .fields = kCoreV1SysctlFields};

constinit const Schema kCoreV1SysctlList = {.type = Type::kList, .element = &kCoreV1Sysctl};

static constexpr FieldSpec kCoreV1TCPSocketActionFields[] = {
    {"port", &kIntOrString, true},
    {"host", &kString},
};
constinit const Schema kCoreV1TCPSocketAction = {.type = Type::kObject,
                                                 .fields = kCoreV1TCPSocketActionFields};

static constexpr std::string_view kCoreV1TaintEffectValues[] = {"NoSchedule", "PreferNoSchedule",
                                                                "NoExecute"};
constinit const Schema kCoreV1TaintEffect = {.type = Type::kString,
                                             .values = kCoreV1TaintEffectValues};

static constexpr std::string_view kCoreV1TerminationMessagePolicyValues[] = {
    "File", "FallbackToLogsOnError"};
constinit const Schema kCoreV1TerminationMessagePolicy = {
    .type = Type::kString, .values = kCoreV1TerminationMessagePolicyValues};

static constexpr FieldSpec kCoreV1TolerationFields[] = {
    {"key", &kString},
    {"operator", &kCoreV1TolerationOperator},
    {"value", &kString},
    {"effect", &kCoreV1TaintEffect},
    {"tolerationSeconds", &kInteger64},
};
constinit const Schema kCoreV1Toleration = {.type = Type::kObject,
                                            .fields = kCoreV1TolerationFields};

constinit const Schema kCoreV1TolerationList = {.type = Type::kList, .element = &kCoreV1Toleration};

static constexpr std::string_view kCoreV1TolerationOperatorValues[] = {"Exists", "Equal"};
constinit const Schema kCoreV1TolerationOperator = {.type = Type::kString,
                                                    .values = kCoreV1TolerationOperatorValues};

static constexpr FieldSpec kCoreV1TopologySpreadConstraintFields[] = {
    {"maxSkew", &kInteger32, true},
    {"topologyKey", &kString, true},
    {"whenUnsatisfiable", &kCoreV1UnsatisfiableConstraintAction, true},
    {"labelSelector", &kMetaV1LabelSelector},
    {"minDomains", &kInteger32},
    {"nodeAffinityPolicy", &kCoreV1NodeInclusionPolicy},
    {"nodeTaintsPolicy", &kCoreV1NodeInclusionPolicy},
    {"matchLabelKeys", &kStringList},
};
constinit const Schema kCoreV1TopologySpreadConstraint = {
    .type = Type::kObject, .fields = kCoreV1TopologySpreadConstraintFields};

constinit const Schema kCoreV1TopologySpreadConstraintList = {
    .type = Type::kList, .element = &kCoreV1TopologySpreadConstraint};

static constexpr FieldSpec kCoreV1TypedLocalObjectReferenceFields[] = {
    {"apiGroup", &kString},
    {"kind", &kString, true},
    {"name", &kString, true},
};
constinit const Schema kCoreV1TypedLocalObjectReference = {
    .type = Type::kObject, .fields = kCoreV1TypedLocalObjectReferenceFields};

static constexpr FieldSpec kCoreV1TypedObjectReferenceFields[] = {
    {"apiGroup", &kString},
    {"kind", &kString, true},
    {"name", &kString, true},
    {"namespace", &kString},
};
constinit const Schema kCoreV1TypedObjectReference = {.type = Type::kObject,
                                                      .fields = kCoreV1TypedObjectReferenceFields};

static constexpr std::string_view kCoreV1URISchemeValues[] = {"HTTP", "HTTPS"};
constinit const Schema kCoreV1URIScheme = {.type = Type::kString, .values = kCoreV1URISchemeValues};

static constexpr std::string_view kCoreV1UnsatisfiableConstraintActionValues[] = {"DoNotSchedule",
                                                                                  "ScheduleAnyway"};
constinit const Schema kCoreV1UnsatisfiableConstraintAction = {
    .type = Type::kString, .values = kCoreV1UnsatisfiableConstraintActionValues};

static constexpr FieldSpec kCoreV1VolumeFields[] = {
    {"name", &kString, true},
    {"hostPath", &kCoreV1HostPathVolumeSource},
    {"emptyDir", &kCoreV1EmptyDirVolumeSource},
    {"gcePersistentDisk", &kCoreV1GCEPersistentDiskVolumeSource},
    {"awsElasticBlockStore", &kCoreV1AWSElasticBlockStoreVolumeSource},
    {"gitRepo", &kCoreV1GitRepoVolumeSource},
    {"secret", &kCoreV1SecretVolumeSource},
    {"nfs", &kCoreV1NFSVolumeSource},
    {"iscsi", &kCoreV1ISCSIVolumeSource},
    {"glusterfs", &kCoreV1GlusterfsVolumeSource},
    {"persistentVolumeClaim", &kCoreV1PersistentVolumeClaimVolumeSource},
    {"rbd", &kCoreV1RBDVolumeSource},
    {"flexVolume", &kCoreV1FlexVolumeSource},
    {"cinder", &kCoreV1CinderVolumeSource},
    {"cephfs", &kCoreV1CephFSVolumeSource},
    {"flocker", &kCoreV1FlockerVolumeSource},
    {"downwardAPI", &kCoreV1DownwardAPIVolumeSource},
    {"fc", &kCoreV1FCVolumeSource},
    {"azureFile", &kCoreV1AzureFileVolumeSource},
    {"configMap", &kCoreV1ConfigMapVolumeSource},
    {"vsphereVolume", &kCoreV1VsphereVirtualDiskVolumeSource},
    {"quobyte", &kCoreV1QuobyteVolumeSource},
    {"azureDisk", &kCoreV1AzureDiskVolumeSource},
    {"photonPersistentDisk", &kCoreV1PhotonPersistentDiskVolumeSource},
    {"projected", &kCoreV1ProjectedVolumeSource},
    {"portworxVolume", &kCoreV1PortworxVolumeSource},
    {"scaleIO", &kCoreV1ScaleIOVolumeSource},
    {"storageos", &kCoreV1StorageOSVolumeSource},
    {"csi", &kCoreV1CSIVolumeSource},
    {"ephemeral", &kCoreV1EphemeralVolumeSource},
    {"image", &kCoreV1ImageVolumeSource},
};
constinit const Schema kCoreV1Volume = {.type = Type::kObject, .fields = kCoreV1VolumeFields};

static constexpr FieldSpec kCoreV1VolumeDeviceFields[] = {
    {"name", &kString, true},
    {"devicePath", &kString, true},
};
constinit const Schema kCoreV1VolumeDevice = {.type = Type::kObject,
                                              .fields = kCoreV1VolumeDeviceFields};

constinit const Schema kCoreV1VolumeDeviceList = {.type = Type::kList,
                                                  .element = &kCoreV1VolumeDevice};

constinit const Schema kCoreV1VolumeList = {.type = Type::kList, .element = &kCoreV1Volume};

static constexpr FieldSpec kCoreV1VolumeMountFields[] = {
    {"name", &kString, true},        {"readOnly", &kBoolean},
    {"recursiveReadOnly", &kString}, {"mountPath", &kString, true},
    {"subPath", &kString},           {"mountPropagation", &kCoreV1MountPropagationMode},
    {"subPathExpr", &kString},
};
constinit const Schema kCoreV1VolumeMount = {.type = Type::kObject,
                                             .fields = kCoreV1VolumeMountFields};

constinit const Schema kCoreV1VolumeMountList = {.type = Type::kList,
                                                 .element = &kCoreV1VolumeMount};

static constexpr FieldSpec kCoreV1VolumeProjectionFields[] = {
    {"secret", &kCoreV1SecretProjection},
    {"downwardAPI", &kCoreV1DownwardAPIProjection},
    {"configMap", &kCoreV1ConfigMapProjection},
    {"serviceAccountToken", &kCoreV1ServiceAccountTokenProjection},
    {"clusterTrustBundle", &kCoreV1ClusterTrustBundleProjection},
    {"podCertificate", &kCoreV1PodCertificateProjection},
};
constinit const Schema kCoreV1VolumeProjection = {.type = Type::kObject,
                                                  .fields = kCoreV1VolumeProjectionFields};

constinit const Schema kCoreV1VolumeProjectionList = {.type = Type::kList,
                                                      .element = &kCoreV1VolumeProjection};

static constexpr FieldSpec kCoreV1VolumeResourceRequirementsFields[] = {
    {"limits", &kQuantityMap},
    {"requests", &kQuantityMap},
};
constinit const Schema kCoreV1VolumeResourceRequirements = {
    .type = Type::kObject, .fields = kCoreV1VolumeResourceRequirementsFields};

static constexpr FieldSpec kCoreV1VolumeSourceFields[] = {
    {"hostPath", &kCoreV1HostPathVolumeSource},
    {"emptyDir", &kCoreV1EmptyDirVolumeSource},
    {"gcePersistentDisk", &kCoreV1GCEPersistentDiskVolumeSource},
    {"awsElasticBlockStore", &kCoreV1AWSElasticBlockStoreVolumeSource},
    {"gitRepo", &kCoreV1GitRepoVolumeSource},
    {"secret", &kCoreV1SecretVolumeSource},
    {"nfs", &kCoreV1NFSVolumeSource},
    {"iscsi", &kCoreV1ISCSIVolumeSource},
    {"glusterfs", &kCoreV1GlusterfsVolumeSource},
    {"persistentVolumeClaim", &kCoreV1PersistentVolumeClaimVolumeSource},
    {"rbd", &kCoreV1RBDVolumeSource},
    {"flexVolume", &kCoreV1FlexVolumeSource},
    {"cinder", &kCoreV1CinderVolumeSource},
    {"cephfs", &kCoreV1CephFSVolumeSource},
    {"flocker", &kCoreV1FlockerVolumeSource},
    {"downwardAPI", &kCoreV1DownwardAPIVolumeSource},
    {"fc", &kCoreV1FCVolumeSource},
    {"azureFile", &kCoreV1AzureFileVolumeSource},
    {"configMap", &kCoreV1ConfigMapVolumeSource},
    {"vsphereVolume", &kCoreV1VsphereVirtualDiskVolumeSource},
    {"quobyte", &kCoreV1QuobyteVolumeSource},
    {"azureDisk", &kCoreV1AzureDiskVolumeSource},
    {"photonPersistentDisk", &kCoreV1PhotonPersistentDiskVolumeSource},
    {"projected", &kCoreV1ProjectedVolumeSource},
    {"portworxVolume", &kCoreV1PortworxVolumeSource},
    {"scaleIO", &kCoreV1ScaleIOVolumeSource},
    {"storageos", &kCoreV1StorageOSVolumeSource},
    {"csi", &kCoreV1CSIVolumeSource},
    {"ephemeral", &kCoreV1EphemeralVolumeSource},
    {"image", &kCoreV1ImageVolumeSource},
};
constinit const Schema kCoreV1VolumeSource = {.type = Type::kObject,
                                              .fields = kCoreV1VolumeSourceFields};

static constexpr FieldSpec kCoreV1VsphereVirtualDiskVolumeSourceFields[] = {
    {"volumePath", &kString, true},
    {"fsType", &kString},
    {"storagePolicyName", &kString},
    {"storagePolicyID", &kString},
};
constinit const Schema kCoreV1VsphereVirtualDiskVolumeSource = {
    .type = Type::kObject, .fields = kCoreV1VsphereVirtualDiskVolumeSourceFields};

static constexpr FieldSpec kCoreV1WeightedPodAffinityTermFields[] = {
    {"weight", &kInteger32, true},
    {"podAffinityTerm", &kCoreV1PodAffinityTerm, true},
};
constinit const Schema kCoreV1WeightedPodAffinityTerm = {
    .type = Type::kObject, .fields = kCoreV1WeightedPodAffinityTermFields};

constinit const Schema kCoreV1WeightedPodAffinityTermList = {
    .type = Type::kList, .element = &kCoreV1WeightedPodAffinityTerm};

static constexpr FieldSpec kCoreV1WindowsSecurityContextOptionsFields[] = {
    {"gmsaCredentialSpecName", &kString},
    {"gmsaCredentialSpec", &kString},
    {"runAsUserName", &kString},
    {"hostProcess", &kBoolean},
};
constinit const Schema kCoreV1WindowsSecurityContextOptions = {
    .type = Type::kObject, .fields = kCoreV1WindowsSecurityContextOptionsFields};

static constexpr FieldSpec kDiscoveryV1EndpointFields[] = {
    {"addresses", &kStringList, true},
    {"conditions", &kDiscoveryV1EndpointConditions},
    {"hostname", &kString},
    {"targetRef", &kCoreV1ObjectReference},
    {"deprecatedTopology", &kStringMap},
    {"nodeName", &kString},
    {"zone", &kString},
    {"hints", &kDiscoveryV1EndpointHints},
};
constinit const Schema kDiscoveryV1Endpoint = {.type = Type::kObject,
                                               .fields = kDiscoveryV1EndpointFields};

static constexpr FieldSpec kDiscoveryV1EndpointConditionsFields[] = {
    {"ready", &kBoolean},
    {"serving", &kBoolean},
    {"terminating", &kBoolean},
};
constinit const Schema kDiscoveryV1EndpointConditions = {
    .type = Type::kObject, .fields = kDiscoveryV1EndpointConditionsFields};

static constexpr FieldSpec kDiscoveryV1EndpointHintsFields[] = {
    {"forZones", &kDiscoveryV1ForZoneList},
    {"forNodes", &kDiscoveryV1ForNodeList},
};
constinit const Schema kDiscoveryV1EndpointHints = {.type = Type::kObject,
                                                    .fields = kDiscoveryV1EndpointHintsFields};

constinit const Schema kDiscoveryV1EndpointList = {.type = Type::kList,
                                                   .element = &kDiscoveryV1Endpoint};

static constexpr FieldSpec kDiscoveryV1EndpointPortFields[] = {
    {"name", &kString},
    {"protocol", &kCoreV1Protocol},
    {"port", &kInteger32},
    {"appProtocol", &kString},
};
constinit const Schema kDiscoveryV1EndpointPort = {.type = Type::kObject,
                                                   .fields = kDiscoveryV1EndpointPortFields};

constinit const Schema kDiscoveryV1EndpointPortList = {.type = Type::kList,
                                                       .element = &kDiscoveryV1EndpointPort};

static constexpr FieldSpec kDiscoveryV1EndpointSliceFields[] = {
    {"kind", &kString},
    {"apiVersion", &kString},
    {"metadata", &kMetaV1ObjectMeta},
    {"addressType", &kString, true},
    {"endpoints", &kDiscoveryV1EndpointList},
    {"ports", &kDiscoveryV1EndpointPortList},
};
constinit const Schema kDiscoveryV1EndpointSlice = {.type = Type::kObject,
                                                    .fields = kDiscoveryV1EndpointSliceFields};

static constexpr FieldSpec kDiscoveryV1ForNodeFields[] = {
    {"name", &kString, true},
};
constinit const Schema kDiscoveryV1ForNode = {.type = Type::kObject,
                                              .fields = kDiscoveryV1ForNodeFields};

constinit const Schema kDiscoveryV1ForNodeList = {.type = Type::kList,
                                                  .element = &kDiscoveryV1ForNode};

static constexpr FieldSpec kDiscoveryV1ForZoneFields[] = {
    {"name", &kString, true},
};
constinit const Schema kDiscoveryV1ForZone = {.type = Type::kObject,
                                              .fields = kDiscoveryV1ForZoneFields};

constinit const Schema kDiscoveryV1ForZoneList = {.type = Type::kList,
                                                  .element = &kDiscoveryV1ForZone};

constinit const Schema kInteger32List = {.type = Type::kList, .element = &kInteger32};

constinit const Schema kInteger64List = {.type = Type::kList, .element = &kInteger64};

static constexpr FieldSpec kMetaV1ConditionFields[] = {
    {"type", &kString, true},
    {"status", &kString},
    {"observedGeneration", &kInteger64},
    {"lastTransitionTime", &kTime, true},
    {"reason", &kString, true},
    {"message", &kString, true},
};
constinit const Schema kMetaV1Condition = {.type = Type::kObject, .fields = kMetaV1ConditionFields};

constinit const Schema kMetaV1ConditionList = {.type = Type::kList, .element = &kMetaV1Condition};

static constexpr FieldSpec kMetaV1LabelSelectorFields[] = {
    {"matchLabels", &kStringMap},
    {"matchExpressions", &kMetaV1LabelSelectorRequirementList},
};
constinit const Schema kMetaV1LabelSelector = {.type = Type::kObject,
                                               .fields = kMetaV1LabelSelectorFields};

static constexpr FieldSpec kMetaV1LabelSelectorRequirementFields[] = {
    {"key", &kString, true},
    {"operator", &kString, true},
    {"values", &kStringList},
};
constinit const Schema kMetaV1LabelSelectorRequirement = {
    .type = Type::kObject, .fields = kMetaV1LabelSelectorRequirementFields};

constinit const Schema kMetaV1LabelSelectorRequirementList = {
    .type = Type::kList, .element = &kMetaV1LabelSelectorRequirement};

static constexpr FieldSpec kMetaV1ManagedFieldsEntryFields[] = {
    {"manager", &kString},    {"operation", &kString}, {"apiVersion", &kString},  {"time", &kTime},
    {"fieldsType", &kString}, {"fieldsV1", &kAny},     {"subresource", &kString},
};
constinit const Schema kMetaV1ManagedFieldsEntry = {.type = Type::kObject,
                                                    .fields = kMetaV1ManagedFieldsEntryFields};

constinit const Schema kMetaV1ManagedFieldsEntryList = {.type = Type::kList,
                                                        .element = &kMetaV1ManagedFieldsEntry};

static constexpr FieldSpec kMetaV1ObjectMetaFields[] = {
    {"name", &kString},
    {"generateName", &kString},
    {"namespace", &kString},
    {"selfLink", &kString},
    {"uid", &kString},
    {"resourceVersion", &kString},
    {"generation", &kInteger64},
    {"creationTimestamp", &kTime},
    {"deletionTimestamp", &kTime},
    {"deletionGracePeriodSeconds", &kInteger64},
    {"labels", &kStringMap},
    {"annotations", &kStringMap},
    {"ownerReferences", &kMetaV1OwnerReferenceList},
    {"finalizers", &kStringList},
    {"managedFields", &kMetaV1ManagedFieldsEntryList},
};
constinit const Schema kMetaV1ObjectMeta = {.type = Type::kObject,
                                            .fields = kMetaV1ObjectMetaFields};

static constexpr FieldSpec kMetaV1OwnerReferenceFields[] = {
    {"apiVersion", &kString, true}, {"kind", &kString, true},  {"name", &kString, true},
    {"uid", &kString, true},        {"controller", &kBoolean}, {"blockOwnerDeletion", &kBoolean},
};
constinit const Schema kMetaV1OwnerReference = {.type = Type::kObject,
                                                .fields = kMetaV1OwnerReferenceFields};

constinit const Schema kMetaV1OwnerReferenceList = {.type = Type::kList,
                                                    .element = &kMetaV1OwnerReference};

static constexpr FieldSpec kMetaV1TypeMetaFields[] = {
    {"kind", &kString},
    {"apiVersion", &kString},
};
constinit const Schema kMetaV1TypeMeta = {.type = Type::kObject, .fields = kMetaV1TypeMetaFields};

static constexpr FieldSpec kPolicyV1PodDisruptionBudgetFields[] = {
    {"kind", &kString},
    {"apiVersion", &kString},
    {"metadata", &kMetaV1ObjectMeta},
    {"spec", &kPolicyV1PodDisruptionBudgetSpec},
    {"status", &kPolicyV1PodDisruptionBudgetStatus},
};
constinit const Schema kPolicyV1PodDisruptionBudget = {
    .type = Type::kObject, .fields = kPolicyV1PodDisruptionBudgetFields};

static constexpr FieldSpec kPolicyV1PodDisruptionBudgetSpecFields[] = {
    {"minAvailable", &kIntOrString},
    {"selector", &kMetaV1LabelSelector},
    {"maxUnavailable", &kIntOrString},
    {"unhealthyPodEvictionPolicy", &kPolicyV1UnhealthyPodEvictionPolicyType},
};
constinit const Schema kPolicyV1PodDisruptionBudgetSpec = {
    .type = Type::kObject, .fields = kPolicyV1PodDisruptionBudgetSpecFields};

static constexpr FieldSpec kPolicyV1PodDisruptionBudgetStatusFields[] = {
    {"observedGeneration", &kInteger64},       {"disruptedPods", &kTimeMap},
    {"disruptionsAllowed", &kInteger32, true}, {"currentHealthy", &kInteger32, true},
    {"desiredHealthy", &kInteger32, true},     {"expectedPods", &kInteger32, true},
    {"conditions", &kMetaV1ConditionList},
};
constinit const Schema kPolicyV1PodDisruptionBudgetStatus = {
    .type = Type::kObject, .fields = kPolicyV1PodDisruptionBudgetStatusFields};

static constexpr std::string_view kPolicyV1UnhealthyPodEvictionPolicyTypeValues[] = {
    "IfHealthyBudget", "AlwaysAllow"};
constinit const Schema kPolicyV1UnhealthyPodEvictionPolicyType = {
    .type = Type::kString, .values = kPolicyV1UnhealthyPodEvictionPolicyTypeValues};

constinit const Schema kQuantityMap = {.type = Type::kMap, .element = &kQuantity};

constinit const Schema kTimeMap = {.type = Type::kMap, .element = &kTime};

}  // namespace sluice::resource::tables
