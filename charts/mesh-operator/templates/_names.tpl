{{- define "mesh-operator.selector" -}}
app.kubernetes.io/name: mesh-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "mesh-operator.labels" -}}
{{ include "mesh-operator.selector" . }}
app.kubernetes.io/component: operator
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end }}

{{- define "mesh-operator.image" -}}
{{ .Values.image.repository }}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}
{{- else }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- /* What the restricted level of pod security asks for. The user is the image's own, or one that OpenShift gives. */ -}}
{{- define "mesh-operator.podSecurityContext" -}}
runAsNonRoot: true
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "mesh-operator.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- /* True where the operator works for the cluster of the release: this has CRD and rights, and API servers reach its webhooks. */ -}}
{{- define "mesh-operator.ofThisCluster" -}}
{{- if not .Values.kubeconfig.secretName }}true{{ end }}
{{- end }}

{{- /* Refuses values that would leave MeshOperators with webhooks that nobody answers. */ -}}
{{- define "mesh-operator.checkValues" -}}
{{- if and .Values.kubeconfig.secretName (not .Values.operator.enabled) }}
{{- fail "kubeconfig.secretName is for the operator, which operator.enabled=false leaves out: give one of them" }}
{{- end }}
{{- if and .Values.admission.enabled (or .Values.kubeconfig.secretName (not .Values.operator.enabled)) }}
{{- fail "the API server of a cluster does not reach the webhooks of an operator in another one: set admission.enabled=false, after which whoever may write MeshOperators there has the operator's rights" }}
{{- end }}
{{- end }}

{{- define "mesh-operator.kubeconfigPath" -}}
/etc/mesh-operator/cluster/{{ .Values.kubeconfig.key }}
{{- end }}

{{- define "mesh-operator.kubeconfigMount" -}}
- { name: cluster, mountPath: /etc/mesh-operator/cluster, readOnly: true }
{{- end }}

{{- define "mesh-operator.kubeconfigVolume" -}}
- name: cluster
  secret: { secretName: {{ .Values.kubeconfig.secretName | quote }} }
{{- end }}
