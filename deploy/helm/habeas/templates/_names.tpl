{{- define "habeas.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- define "habeas.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "habeas.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "habeas.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "habeas.labels" -}}
app.kubernetes.io/name: {{ include "habeas.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "habeas.selector" -}}
app.kubernetes.io/name: {{ include "habeas.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "habeas.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* The configuration, as every container reads it. */}}
{{- define "habeas.config" -}}
{{- if and (include "habeas.buckets" .) (not (dig "links" "" .Values.config)) -}}
{{- fail "config.links: name the folder of link keys, which habeas keys init makes: these pods share no volume in which they could be made" -}}
{{- end -}}
{{ toYaml .Values.config }}
{{- end }}

{{/* Whether vault, keys and outbox are in buckets, so that pods share no volume. */}}
{{- define "habeas.buckets" -}}
{{- $vault := dig "vault" "bucket" "" .Values.config -}}
{{- $keys := dig "vault" "keys" "" .Values.config -}}
{{- $outbox := dig "outbox" "" .Values.config -}}
{{- if and (contains "://" $vault) (contains "://" $keys) (contains "://" $outbox) -}}true{{- end -}}
{{- end }}
