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
What a container sees of files. It is given a dict: root, config (the ConfigMap's
name), name (the service's or system's) and secret (its own Secret's name; may be empty).
*/}}
{{- define "habeas.mounts" -}}
- {name: config, mountPath: /etc/habeas, readOnly: true}
{{- if .root.Values.secrets.common }}
- {name: common, mountPath: /run/secrets/habeas, readOnly: true}
{{- end }}
{{- if .secret }}
- {name: own, mountPath: {{ printf "/run/secrets/%s" .name }}, readOnly: true}
{{- end }}
- {name: data, mountPath: {{ .root.Values.config.data }}}
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
{{- if .root.Values.secrets.common }}
- name: common
  secret: {secretName: {{ .root.Values.secrets.common }}, defaultMode: 0440}
{{- end }}
{{- if .secret }}
- name: own
  secret: {secretName: {{ .secret }}, defaultMode: 0440}
{{- end }}
- name: data
{{- if or .passing (include "habeas.buckets" .root) }}
  emptyDir: {}
{{- else }}
  persistentVolumeClaim: {claimName: {{ .root.Values.storage.existingClaim | default (include "habeas.fullname" .root) }}}
{{- end }}
{{- end }}
