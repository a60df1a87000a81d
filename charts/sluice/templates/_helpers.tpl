{{- define "sluice.namespace" -}}
{{ default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- define "sluice.image" -}}
{{- with .Values.image -}}
{{ with .registry }}{{ . }}/{{ end }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end }}

{{- define "sluice.executorImage" -}}
{{- with .Values.executor.image -}}
{{ with .registry }}{{ . }}/{{ end }}{{ .repository }}:{{ .tag }}
{{- end -}}
{{- end }}

{{- define "sluice.selector" -}}
app.kubernetes.io/name: sluice
app.kubernetes.io/component: operator
{{- end }}

{{- define "sluice.labels" -}}
{{ include "sluice.selector" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* Objects of the whole cluster: operators of several namespaces must not share them. */ -}}
{{- define "sluice.clusterName" -}}
sluice-operator-{{ include "sluice.namespace" . }}
{{- end }}

{{- define "sluice.webhookConfiguration" -}}
seldon-validating-webhook-configuration-{{ include "sluice.namespace" . }}
{{- end }}

{{- /* How often a kind may be touched: read by everyone who caches it, written only if that is switched on. An API server
answers a list of a kind that does not exist like one that is forbidden, so reading is allowed whether Istio or KEDA are there or not. */ -}}
{{- define "sluice.verbs" -}}
{{- if . -}}
[create, delete, get, list, patch, watch]
{{- else -}}
[get, list, watch]
{{- end -}}
{{- end }}

{{- define "sluice.refuseUnsupported" -}}
{{- if .Values.ambassador.enabled }}{{ fail "ambassador.enabled: sluice makes no objects of Ambassador; use istio.enabled" }}{{ end -}}
{{- if .Values.managerCreateResources }}{{ fail "managerCreateResources: the operator makes nothing for itself; crd.create and configMap.create do it" }}{{ end -}}
{{- end }}
