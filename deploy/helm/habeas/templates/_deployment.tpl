{{/*
A service's Deployment. It is given a dict: root, component (its name in the cluster),
name (the service's or system's), args, and values (over .Values.defaults).
*/}}
{{- define "habeas.deployment" -}}
{{- $v := mergeOverwrite (deepCopy .root.Values.defaults) (.values | default dict) }}
{{- $files := dict "root" .root "component" .component "name" .name "secret" $v.secret "common" $v.common "config" (include "habeas.fullname" .root) }}
{{- $env := concat (include "habeas.users" (dict "root" .root "component" .component "name" .name "secret" $v.secret) | fromYamlArray) $v.env }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "habeas.fullname" .root }}-{{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "habeas.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  replicas: {{ $v.replicas }}
  selector:
    matchLabels:
      {{- include "habeas.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
  template:
    metadata:
      labels:
        {{- include "habeas.labels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
        {{- with $v.labels }}{{ toYaml . | nindent 8 }}{{ end }}
      annotations:
        # A new configuration is a new pod: it is read at the start.
        checksum/config: {{ printf "%s%s" (include "habeas.config" .root) (toYaml .root.Values.manifests) | sha256sum }}
        {{- if .root.Values.secrets.roll }}
        # So is a changed Secret, for what is read at the start alone.
        checksum/secrets: {{ include "habeas.secrets" $files | sha256sum }}
        {{- end }}
        {{- with $v.annotations }}{{ toYaml . | nindent 8 }}{{ end }}
    spec:
      serviceAccountName: {{ $v.serviceAccount | default (include "habeas.fullname" .root) }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      # What is in flight is finished within 15 s, or comes again elsewhere.
      terminationGracePeriodSeconds: 30
      securityContext:
        {{- include "habeas.podSecurity" . | nindent 8 }}
      {{- with .root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $v.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with $v.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $v.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $v.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "habeas.selector" .root | nindent 14 }}
              app.kubernetes.io/component: {{ .component }}
      containers:
        - name: habeas
          image: {{ include "habeas.image" .root | quote }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          args: {{ toJson .args }}
          {{- with $env }}
          env:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          ports:
            - {name: monitor, containerPort: 8429}
            {{- if eq .component "intake" }}
            - {name: http, containerPort: 8420}
            {{- end }}
            {{- if eq .component "console" }}
            - {name: console, containerPort: 8421}
            {{- end }}
            {{- if eq .component "portal" }}
            - {name: portal, containerPort: 8422}
            {{- end }}
          # Alive is who answers; ready is who reaches what it stands on, and gets on.
          startupProbe:
            httpGet: {path: /healthz, port: monitor}
            periodSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet: {path: /healthz, port: monitor}
            periodSeconds: 10
            timeoutSeconds: 5
          readinessProbe:
            httpGet: {path: /readyz, port: monitor}
            periodSeconds: 10
            timeoutSeconds: 5
          resources:
            {{- toYaml $v.resources | nindent 12 }}
          securityContext:
            {{- include "habeas.containerSecurity" . | nindent 12 }}
          volumeMounts:
            {{- include "habeas.mounts" $files | nindent 12 }}
      volumes:
        {{- include "habeas.volumes" $files | nindent 8 }}
{{- if .root.Values.podDisruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "habeas.fullname" .root }}-{{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "habeas.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  maxUnavailable: {{ .root.Values.podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels:
      {{- include "habeas.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
{{- end }}
{{- end }}
