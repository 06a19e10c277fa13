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
{{- if and .Values.secrets.opening (not (dig "vault" "sealing_key" "" .Values.config)) -}}
{{- fail "secrets.opening: intake doesn't see it; give intake config.vault.sealing_key (docs/keys.md)" -}}
{{- end -}}
{{- if and .Values.console.enabled (not (dig "console" "cookie_key_file" "" .Values.config)) -}}
{{- fail "config.console.cookie_key_file: name a file below /run/secrets: each of the console's pods would make a key of its own" -}}
{{- end -}}
{{- if .Values.portal.enabled -}}
{{- if not .Values.users.enabled -}}{{- fail "portal.enabled needs users.enabled: the portal signs in to the journal's database as habeas_portal, and sees no secret that others have" -}}{{- end -}}
{{- range $field, $what := dict "secret_file" "what its codes are keyed by, the same in all of its pods" "door" "the address of intake's door" "token_file" "the token of the caller portal" "uploads_recipient" "what habeas keys init prints" "url" "its address as browsers reach it" -}}
{{- if not (dig "portal" $field "" $.Values.config) -}}{{- fail (printf "config.portal.%s is missing: %s" $field $what) -}}{{- end -}}
{{- end -}}
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
{{- $rw := dict "intake" (list "vault-keys") "coordinator" (list "vault" "vault-keys" "outbox" "mirror" "links" "keys") "aggregator" (list "vault/objects/aggregator" "outbox" "keys") "letters" (list "vault-keys" "outbox") "console" (list "vault" "vault-keys" "outbox" "keys" "uploads") "portal" (list "outbox" "uploads") -}}
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
