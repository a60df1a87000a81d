{{- /* The operator's variables; those of Seldon Core's chart, and the ports that it leaves out. */ -}}
{{- define "sluice.environment" -}}
CONTROLLER_ID: {{ .Values.controllerId | quote }}
DEFAULT_USER_ID: {{ .Values.defaultUserID | quote }}
DEPLOYMENT_NAME_AS_PREFIX: {{ .Values.manager.deploymentNameAsPrefix | quote }}
EXECUTOR_CONTAINER_IMAGE_AND_VERSION: {{ include "sluice.executorImage" . | quote }}
EXECUTOR_CONTAINER_IMAGE_PULL_POLICY: {{ .Values.executor.image.pullPolicy | quote }}
EXECUTOR_CONTAINER_SERVICE_ACCOUNT_NAME: {{ .Values.executor.serviceAccount.name | quote }}
EXECUTOR_CONTAINER_USER: {{ .Values.executor.user | toString | quote }}
EXECUTOR_DEFAULT_CPU_LIMIT: {{ .Values.executor.resources.cpuLimit | quote }}
EXECUTOR_DEFAULT_CPU_REQUEST: {{ .Values.executor.resources.cpuRequest | quote }}
EXECUTOR_DEFAULT_MEMORY_LIMIT: {{ .Values.executor.resources.memoryLimit | quote }}
EXECUTOR_DEFAULT_MEMORY_REQUEST: {{ .Values.executor.resources.memoryRequest | quote }}
EXECUTOR_FULL_HEALTH_CHECKS: {{ .Values.executor.fullHealthChecks | quote }}
EXECUTOR_PROMETHEUS_PATH: {{ .Values.executor.prometheus.path | quote }}
EXECUTOR_REQUEST_LOGGER_DEFAULT_ENDPOINT: {{ .Values.executor.requestLogger.defaultEndpoint | quote }}
EXECUTOR_REQUEST_LOGGER_WORK_QUEUE_SIZE: {{ int64 .Values.executor.requestLogger.workQueueSize | quote }}
EXECUTOR_REQUEST_LOGGER_WRITE_TIMEOUT_MS: {{ int64 .Values.executor.requestLogger.writeTimeoutMs | quote }}
EXECUTOR_SERVER_GRPC_PORT: {{ int64 .Values.executor.grpcPort | quote }}
EXECUTOR_SERVER_METRICS_PORT_NAME: {{ .Values.executor.metricsPortName | quote }}
EXECUTOR_SERVER_PORT: {{ int64 .Values.executor.port | quote }}
ISTIO_ALLOWED_GATEWAYS: {{ join "," .Values.istio.allowedGateways | quote }}
ISTIO_ENABLED: {{ .Values.istio.enabled | quote }}
ISTIO_GATEWAY: {{ .Values.istio.gateway | quote }}
ISTIO_TLS_MODE: {{ .Values.istio.tlsMode | quote }}
KEDA_ENABLED: {{ .Values.keda.enabled | quote }}
LEADER_ELECTION_ID: {{ .Values.manager.leaderElectionID | quote }}
PREDICTIVE_UNIT_DEFAULT_ENV_SECRET_REF_NAME: {{ .Values.predictiveUnit.defaultEnvSecretRefName | quote }}
PREDICTIVE_UNIT_GRPC_SERVICE_PORT: {{ int64 .Values.predictiveUnit.grpcPort | quote }}
PREDICTIVE_UNIT_HTTP_SERVICE_PORT: {{ int64 .Values.predictiveUnit.httpPort | quote }}
PREDICTIVE_UNIT_METRICS_PORT_NAME: {{ .Values.predictiveUnit.metricsPortName | quote }}
PREDICTIVE_UNIT_METRICS_SERVICE_PORT: {{ int64 .Values.predictiveUnit.metricsPort | quote }}
{{- end }}
