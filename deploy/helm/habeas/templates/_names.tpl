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
{{- if not (dig "vault" "key" "" .Values.config) -}}
{{- fail "config.vault.key: name the master key, a file below /run/secrets or a key service's URL: each pod would make one of its own" -}}
{{- end -}}
{{- if and .Values.console.enabled (not (dig "console" "cookie_key_file" "" .Values.config)) -}}
{{- fail "config.console.cookie_key_file: name a file below /run/secrets: each of the console's pods would make a key of its own" -}}
{{- end -}}
{{- $config := deepCopy .Values.config -}}
{{- if not (include "habeas.buckets" .) -}}
{{- $_ := set $config "vault" (merge (dict "apart" true) ($config.vault | default dict)) -}}
{{- end -}}
{{ toYaml $config }}
{{- end }}

{{/*
What a component has of the volume that pods share, by what lies in it: parts, each with
whether it is for reading only. It is given a dict: root, component and name. A worker has
the objects of its own system, and nothing else of it but, without users.enabled, the link keys.
*/}}
{{- define "habeas.parts" -}}
{{- $rw := dict "intake" (list "vault-keys") "coordinator" (list "vault" "vault-keys" "outbox" "mirror" "links" "keys") "aggregator" (list "vault/objects/aggregator" "outbox" "keys") "letters" (list "vault-keys" "outbox") "console" (list "vault" "vault-keys" "outbox" "keys" "uploads") -}}
{{- $ro := dict "intake" (list "outbox") "aggregator" (list "vault/objects") "letters" (list "mirror") "console" (list "mirror") -}}
{{- $parts := list -}}
{{- if hasPrefix "worker-" .component -}}
{{- $parts = append $parts (dict "path" (printf "vault/objects/%s" .name) "readOnly" false) -}}
{{- end -}}
{{- range index $ro .component }}{{ $parts = append $parts (dict "path" . "readOnly" true) }}{{ end -}}
{{- range index $rw .component }}{{ $parts = append $parts (dict "path" . "readOnly" false) }}{{ end -}}
{{- if and (not .root.Values.users.enabled) (or (hasPrefix "worker-" .component) (eq .component "aggregator")) -}}
{{- $parts = append $parts (dict "path" "links" "readOnly" true) -}}
{{- end -}}
{{ toYaml $parts }}
{{- end }}

{{/* Whether vault, keys and outbox are in buckets, so that pods share no volume. */}}
{{- define "habeas.buckets" -}}
{{- $vault := dig "vault" "bucket" "" .Values.config -}}
{{- $keys := dig "vault" "keys" "" .Values.config -}}
{{- $outbox := dig "outbox" "" .Values.config -}}
{{- if and (contains "://" $vault) (contains "://" $keys) (contains "://" $outbox) -}}true{{- end -}}
{{- end }}
