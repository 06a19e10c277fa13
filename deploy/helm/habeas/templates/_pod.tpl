{{/*
Rights of a pod and of a container: none. The user is the image's.
*/}}
{{- define "habeas.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "habeas.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/*
As whom a component signs in, with users.enabled: in Kafka as habeas-COMPONENT, by the
password in its own Secret, and in the journal's database, where it has the journal, as
habeas_COMPONENT. Its Secret has the link keys that it needs, too: SYSTEM.json of its own
system, and the coordinator's of all. It is given a dict: root, component, name, secret.
*/}}
{{- define "habeas.users" -}}
{{- $u := .root.Values.users -}}
{{- $env := list -}}
{{- if $u.enabled -}}
{{- if not .secret }}{{ fail (printf "users.enabled: %s has no Secret of its own: name one with its key kafka%s" .component (ternary ", and pgpass" "" (has .component (include "habeas.journalled" . | fromYamlArray)))) }}{{ end -}}
{{- if ne .component "portal" -}}{{/* which has no Kafka */}}
{{- $env = append $env (dict "name" "HABEAS_KAFKA_USER" "value" (printf "habeas-%s" .component)) -}}
{{- $env = append $env (dict "name" "HABEAS_KAFKA_PASSWORD_FILE" "value" (printf "/run/secrets/%s/kafka" .name)) -}}
{{- end -}}
{{- if or (has .component (list "coordinator" "aggregator")) (hasPrefix "worker-" .component) -}}
{{- $env = append $env (dict "name" "HABEAS_LINKS" "value" (printf "/run/secrets/%s" .name)) -}}
{{- end -}}
{{- if and $u.journal (has .component (include "habeas.journalled" . | fromYamlArray)) -}}
{{- $env = append $env (dict "name" "HABEAS_JOURNAL" "value" (printf "postgres://habeas_%s@%s&passfile=/run/secrets/%s/pgpass" .component $u.journal .name)) -}}
{{- end -}}
{{- end -}}
{{ toYaml $env }}
{{- end }}

{{/* The components that have the journal. */}}
{{- define "habeas.journalled" -}}
[intake, coordinator, letters, console, portal]
{{- end }}

{{/* Whether a component opens what is sealed, by the master key of secrets.opening. */}}
{{- define "habeas.opens" -}}
{{- if and .root.Values.secrets.opening (has .component (list "coordinator" "letters" "console")) -}}true{{- end -}}
{{- end }}

{{/* Whether a component sends mail, by the password of secrets.mail. */}}
{{- define "habeas.mails" -}}
{{- if and .root.Values.secrets.mail (has .component (list "letters" "portal" "coordinator")) -}}true{{- end -}}
{{- end }}

{{/*
What a container sees of files. It is given a dict: root, config (the ConfigMap's
name), component, name (the service's or system's), secret (its own Secret's name; may be empty) and
common (whether it sees the common one).
*/}}
{{- define "habeas.mounts" -}}
- {name: config, mountPath: /etc/habeas, readOnly: true}
{{- if and .root.Values.secrets.common (ne (toString .common) "false") }}
- {name: common, mountPath: /run/secrets/habeas, readOnly: true}
{{- end }}
{{- if include "habeas.opens" . }}
- {name: opening, mountPath: /run/secrets/opening, readOnly: true}
{{- end }}
{{- if include "habeas.mails" . }}
- {name: mail, mountPath: /run/secrets/mail, readOnly: true}
{{- end }}
{{- if .secret }}
- {name: own, mountPath: {{ printf "/run/secrets/%s" .name }}, readOnly: true}
{{- end }}
- {name: data, mountPath: {{ .root.Values.config.data }}}
{{- if not (or .passing (include "habeas.buckets" .root)) }}
{{- $data := .root.Values.config.data }}
{{- range include "habeas.parts" . | fromYamlArray }}
- {name: shared, mountPath: {{ printf "%s/%s" $data .path }}, subPath: {{ .path }}{{ if .readOnly }}, readOnly: true{{ end }}}
{{- end }}
{{- end }}
{{- end }}

{{/*
What the Secrets of a component hold in the cluster, to see that they have changed; nothing
where there is no cluster, as in helm template.
*/}}
{{- define "habeas.secrets" -}}
{{- if and .root.Values.secrets.common (ne (toString .common) "false") }}
{{- toJson (dig "data" dict (lookup "v1" "Secret" .root.Release.Namespace .root.Values.secrets.common)) }}
{{- end }}
{{- if include "habeas.opens" . }}
{{- toJson (dig "data" dict (lookup "v1" "Secret" .root.Release.Namespace .root.Values.secrets.opening)) }}
{{- end }}
{{- if include "habeas.mails" . }}
{{- toJson (dig "data" dict (lookup "v1" "Secret" .root.Release.Namespace .root.Values.secrets.mail)) }}
{{- end }}
{{- if .secret }}
{{- toJson (dig "data" dict (lookup "v1" "Secret" .root.Release.Namespace .secret)) }}
{{- end }}
{{- end }}

{{- define "habeas.volumes" -}}
- name: config
  projected:
    sources:
      - configMap:
          name: {{ .config }}
          items:
            - {key: habeas.yaml, path: habeas.yaml}
            {{- range $file, $_ := .root.Values.manifests }}
            - {key: {{ $file | quote }}, path: {{ printf "manifests/%s" $file | quote }}}
            {{- end }}
{{- if and .root.Values.secrets.common (ne (toString .common) "false") }}
- name: common
  secret: {secretName: {{ .root.Values.secrets.common }}, defaultMode: 0440}
{{- end }}
{{- if include "habeas.opens" . }}
- name: opening
  secret: {secretName: {{ .root.Values.secrets.opening }}, defaultMode: 0440}
{{- end }}
{{- if include "habeas.mails" . }}
- name: mail
  secret: {secretName: {{ .root.Values.secrets.mail }}, defaultMode: 0440}
{{- end }}
{{- if .secret }}
- name: own
  secret: {secretName: {{ .secret }}, defaultMode: 0440}
{{- end }}
- name: data
  emptyDir: {}
{{- if not (or .passing (include "habeas.buckets" .root)) }}
- name: shared
  persistentVolumeClaim: {claimName: {{ .root.Values.storage.existingClaim | default (include "habeas.fullname" .root) }}}
{{- end }}
{{- end }}
