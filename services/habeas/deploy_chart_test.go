package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// object is what is read of Kubernetes' objects here.
type object struct {
	Kind     string
	Metadata struct {
		Name        string
		Labels      map[string]string
		Annotations map[string]string
	}
	Data map[string]string
	Spec struct {
		Selector yaml.Node
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     podSpec
		}
		Ports []struct {
			TargetPort string `yaml:"targetPort"`
		}
		Groups yaml.Node
		Egress any
	}
}

type podSpec struct {
	AutomountServiceAccountToken *bool          `yaml:"automountServiceAccountToken"`
	ServiceAccountName           string         `yaml:"serviceAccountName"`
	SecurityContext              map[string]any `yaml:"securityContext"`
	Containers                   []struct {
		Args            []string
		Env             []struct{ Name, Value string }
		Ports           []struct{ Name string }
		SecurityContext map[string]any `yaml:"securityContext"`
		VolumeMounts    []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
			SubPath   string `yaml:"subPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		} `yaml:"volumeMounts"`
		LivenessProbe  *probe `yaml:"livenessProbe"`
		ReadinessProbe *probe `yaml:"readinessProbe"`
	}
	Volumes []struct {
		Name      string
		Projected struct {
			Sources []struct {
				ConfigMap struct {
					Name  string
					Items []struct{ Key, Path string }
				} `yaml:"configMap"`
			}
		}
		Secret struct {
			SecretName string `yaml:"secretName"`
		}
		PersistentVolumeClaim struct {
			ClaimName string `yaml:"claimName"`
		} `yaml:"persistentVolumeClaim"`
	}
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

// TestDeployChart reads what the chart renders: what refers to something finds it,
// every pod has no more rights than it needs, there is a worker for each system, and
// habeas takes its arguments and its configuration. deploy/helm/check renders it.
func TestDeployChart(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("HABEAS_TEST_CHART")
	if dir == "" {
		t.Skip("needs helm: make test-deploy")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%v %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			c := readChart(t, file)
			for _, o := range c.of("Deployment", "Job") {
				c.podIsWhole(o)
			}
			c.selectorsMatch()
			c.componentsAreApart()
			c.configurationIsFine()
			c.rulesAreOurs()
		})
	}
}

type chart struct {
	*testing.T
	objects []object
}

func readChart(t *testing.T, file string) chart {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := chart{T: t}
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var o object
		if err := d.Decode(&o); errors.Is(err, io.EOF) {
			return c
		} else if err != nil {
			t.Fatal(err)
		}
		c.objects = append(c.objects, o)
	}
}

func (c chart) of(kinds ...string) (out []object) {
	for _, o := range c.objects {
		if slices.Contains(kinds, o.Kind) {
			out = append(out, o)
		}
	}
	return out
}

func (c chart) named(kind, name string) (object, bool) {
	for _, o := range c.of(kind) {
		if o.Metadata.Name == name {
			return o, true
		}
	}
	return object{}, false
}

// podIsWhole checks one pod's template.
func (c chart) podIsWhole(o object) {
	c.Helper()
	name, pod := o.Metadata.Name, o.Spec.Template.Spec
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		c.Errorf("%s gets a token of the cluster", name)
	}
	own := pod.ServiceAccountName == "billing-objects" && strings.HasSuffix(name, "-worker-billing") // of full-values.yaml
	if _, ok := c.named("ServiceAccount", pod.ServiceAccountName); !ok && !own && o.Kind == "Deployment" {
		c.Errorf("%s: no service account %q", name, pod.ServiceAccountName)
	}
	if pod.SecurityContext["runAsNonRoot"] != true || pod.SecurityContext["runAsUser"] != 65532 {
		c.Errorf("%s runs as %v", name, pod.SecurityContext)
	}
	box := pod.Containers[0]
	callable(c.T, name, box.Args)
	if want := map[string]any{"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": map[string]any{"drop": []any{"ALL"}}}; !reflect.DeepEqual(box.SecurityContext, want) {
		c.Errorf("%s: %v, want %v", name, box.SecurityContext, want)
	}
	var volumes, mounts []string
	for _, v := range pod.Volumes {
		volumes = append(volumes, v.Name)
		for _, s := range v.Projected.Sources {
			m, ok := c.named("ConfigMap", s.ConfigMap.Name)
			for _, item := range s.ConfigMap.Items {
				if !ok || m.Data[item.Key] == "" {
					c.Errorf("%s: ConfigMap %s has no %s", name, s.ConfigMap.Name, item.Key)
				}
			}
			if hook := m.Metadata.Annotations["helm.sh/hook"]; hook != o.Metadata.Annotations["helm.sh/hook"] {
				c.Errorf("%s: its ConfigMap is made at %q", name, hook)
			}
		}
		if claim := v.PersistentVolumeClaim.ClaimName; claim != "" {
			if _, ok := c.named("PersistentVolumeClaim", claim); !ok {
				c.Errorf("%s: no claim %s", name, claim)
			}
		}
	}
	var parts []string // of the volume that pods share
	for _, m := range box.VolumeMounts {
		mounts = append(mounts, m.Name)
		if m.Name == "shared" {
			parts = append(parts, m.SubPath)
			if m.SubPath == "" || !strings.HasSuffix(m.MountPath, "/"+m.SubPath) {
				c.Errorf("%s has %q of the shared volume at %s", name, m.SubPath, m.MountPath)
			}
		}
	}
	component := o.Spec.Template.Metadata.Labels["app.kubernetes.io/component"]
	if system, worker := strings.CutPrefix(component, "worker-"); worker && len(parts) > 0 && !slices.Equal(parts, []string{"vault/objects/" + system}) ||
		component != "coordinator" && component != "console" && slices.Contains(parts, "vault") || component == "portal" && len(parts) > 0 && !slices.Equal(parts, []string{"outbox", "uploads"}) {
		c.Errorf("%s has %v of the shared volume", name, parts)
	}
	if mounts = slices.Compact(mounts); !slices.Equal(volumes, mounts) {
		c.Errorf("%s has the volumes %v, and mounts %v", name, volumes, mounts)
	}
	if o.Kind == "Job" {
		return
	}
	for path, p := range map[string]*probe{"/healthz": box.LivenessProbe, "/readyz": box.ReadinessProbe} {
		if p == nil || p.HTTPGet.Path != path || p.HTTPGet.Port != "monitor" || box.Ports[0].Name != "monitor" {
			c.Errorf("%s: the probe of %s is %v", name, path, p)
		}
	}
}

// componentsAreApart checks, where the values ask for users and policies of egress, that
// each component signs in as its own user by its own secret, and reaches what it needs:
// the journal's database those that have the journal, and nobody else.
func (c chart) componentsAreApart() {
	c.Helper()
	policies := map[string]string{} // by component, as text
	for _, p := range c.of("NetworkPolicy") {
		component := p.Metadata.Labels["app.kubernetes.io/component"]
		if policies[component] != "" {
			c.Errorf("two policies of %s", component)
		}
		text, err := yaml.Marshal(p.Spec.Egress)
		if err != nil {
			c.Fatal(err)
		}
		policies[component] = string(text)
	}
	if len(policies) == 0 {
		return
	}
	secrets, opening := map[string]string{}, map[string]bool{}
	for _, o := range c.of("Deployment", "Job") {
		component := o.Spec.Template.Metadata.Labels["app.kubernetes.io/component"]
		env := map[string]string{}
		for _, e := range o.Spec.Template.Spec.Containers[0].Env {
			env[e.Name] = e.Value
		}
		if portal := component == "portal"; portal && (env["HABEAS_KAFKA_USER"] != "" || strings.Contains(policies[component], "10.1.0.0/24")) {
			c.Errorf("the portal has Kafka: %v, %s", env, policies[component])
		} else if !portal && env["HABEAS_KAFKA_USER"] != "habeas-"+component {
			c.Errorf("%s signs in to Kafka as %q", component, env["HABEAS_KAFKA_USER"])
		}
		linked := component == "coordinator" || component == "aggregator" || strings.HasPrefix(component, "worker-")
		if want := "/run/secrets/" + strings.TrimPrefix(component, "worker-"); linked && env["HABEAS_LINKS"] != want || !linked && env["HABEAS_LINKS"] != "" {
			c.Errorf("%s has the link keys of %q", component, env["HABEAS_LINKS"])
		}
		journalled := slices.Contains([]string{"intake", "coordinator", "letters", "console", "portal"}, component)
		if got := strings.HasPrefix(env["HABEAS_JOURNAL"], "postgres://habeas_"+component+"@"); got != journalled {
			c.Errorf("%s: the journal is %q", component, env["HABEAS_JOURNAL"])
		}
		if got := strings.Contains(policies[component], "10.2.0.5/32"); got != journalled {
			c.Errorf("%s reaches the journal's database: %v", component, got)
		}
		if component != "portal" && !strings.Contains(policies[component], "10.1.0.0/24") {
			c.Errorf("%s doesn't reach Kafka: %s", component, policies[component])
		}
		own := ""
		for _, v := range o.Spec.Template.Spec.Volumes {
			if v.Name == "own" {
				own = v.Secret.SecretName
			}
		}
		if other := secrets[own]; own == "" || other != "" {
			c.Errorf("%s has the secret %q, as has %q", component, own, other)
		}
		secrets[own] = component
		for _, v := range o.Spec.Template.Spec.Volumes {
			if opens := component == "coordinator" || component == "letters" || component == "console"; v.Name == "opening" && !opens {
				c.Errorf("%s sees the master key", component)
			} else if v.Name == "opening" {
				opening[component] = true
			}
			if v.Name == "common" && component == "portal" {
				c.Errorf("the portal sees what all see: %s", v.Secret.SecretName)
			}
		}
		if component != "portal" && !strings.HasPrefix(env["HABEAS_KAFKA_PASSWORD_FILE"], "/run/secrets/"+strings.TrimPrefix(component, "worker-")+"/") {
			c.Errorf("%s has its password in %s", component, env["HABEAS_KAFKA_PASSWORD_FILE"])
		}
	}
	if len(opening) != 3 {
		c.Errorf("the master key is seen by %v", opening)
	}
}

// selectorsMatch checks that each selector finds what it is for.
func (c chart) selectorsMatch() {
	c.Helper()
	for _, o := range c.of("Service", "PodDisruptionBudget", "Deployment") {
		var selector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		}
		into := any(&selector)
		if o.Kind == "Service" {
			into = &selector.MatchLabels
		}
		if err := o.Spec.Selector.Decode(into); err != nil {
			c.Fatal(err)
		}
		found := 0
		for _, d := range c.of("Deployment") {
			if within(selector.MatchLabels, d.Spec.Template.Metadata.Labels) {
				found++
				for _, p := range o.Spec.Ports {
					if !slices.ContainsFunc(d.Spec.Template.Spec.Containers[0].Ports, func(has struct{ Name string }) bool { return has.Name == p.TargetPort }) {
						c.Errorf("%s %s: %s has no port %s", o.Kind, o.Metadata.Name, d.Metadata.Name, p.TargetPort)
					}
				}
			}
		}
		want := 1
		if strings.HasSuffix(o.Metadata.Name, "-metrics") {
			want = len(c.of("Deployment"))
		}
		if found != want {
			c.Errorf("%s %s selects %d deployments, want %d", o.Kind, o.Metadata.Name, found, want)
		}
	}
	for _, d := range c.of("Deployment") { // what listens for others is reached by a service
		for _, p := range d.Spec.Template.Spec.Containers[0].Ports {
			if _, served := c.named("Service", d.Metadata.Name); p.Name != "monitor" && !served {
				c.Errorf("%s listens at %s, and no service leads there", d.Metadata.Name, p.Name)
			}
		}
	}
	for _, m := range c.of("ServiceMonitor") {
		var selector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		}
		if err := m.Spec.Selector.Decode(&selector); err != nil {
			c.Fatal(err)
		}
		if s, ok := c.named("Service", "habeas-metrics"); !ok || !within(selector.MatchLabels, s.Metadata.Labels) {
			c.Errorf("the ServiceMonitor selects %v", selector.MatchLabels)
		}
	}
}

func within(some, all map[string]string) bool {
	for k, v := range some {
		if all[k] != v {
			return false
		}
	}
	return len(some) > 0
}

// bucket and keyService are URLs of a cloud. The chart's image is built with their drivers,
// which this program isn't: it checks the rest of the configuration.
var (
	bucket     = regexp.MustCompile(`s3://([a-z-]+)[^"\s,}]*`)
	keyService = regexp.MustCompile(`awskms://[^"\s,}]*`)
)

// configurationIsFine lays the files out as a pod has them, with secrets that hold
// something, and has habeas check them.
func (c chart) configurationIsFine() {
	c.Helper()
	m, ok := c.named("ConfigMap", "habeas")
	if !ok {
		c.Fatal("no configuration")
	}
	var cfg struct {
		Systems map[string]struct{ Elsewhere bool }
	}
	if err := yaml.Unmarshal([]byte(m.Data["habeas.yaml"]), &cfg); err != nil {
		c.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Systems)) {
		if _, ok := c.named("Deployment", "habeas-worker-"+name); ok == cfg.Systems[name].Elsewhere {
			c.Errorf("system %s: a worker is there: %v; elsewhere: %v", name, ok, cfg.Systems[name].Elsewhere)
		}
	}
	pod, ok := c.named("Deployment", "habeas-coordinator")
	if !ok {
		c.Fatal("no coordinator")
	}
	root := c.TempDir()
	text := strings.NewReplacer("/etc/habeas/", root+"/etc/", "/run/secrets/", root+"/").Replace(m.Data["habeas.yaml"])
	text = keyService.ReplaceAllString(text, "base64key://"+base64.URLEncoding.EncodeToString(make([]byte, 32)))
	text = bucket.ReplaceAllString(text, filepath.ToSlash(root)+"/$1")
	for _, item := range pod.Spec.Template.Spec.Volumes[0].Projected.Sources[0].ConfigMap.Items {
		path, data := filepath.Join(root, "etc", filepath.FromSlash(item.Path)), m.Data[item.Key]
		if item.Path == "habeas.yaml" {
			data = text
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(data), 0o600)); err != nil {
			c.Fatal(err)
		}
	}
	for _, secret := range []string{"salesforce/client_secret", "console/client_secret", "habeas/kafka", "console/cookies", "portal/codes", "portal/token", "mail/password"} {
		path := filepath.Join(root, secret)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("secret"), 0o600)); err != nil {
			c.Fatal(err)
		}
	}
	if out, err := command(context.WithoutCancel(c.Context()), "config", "check", filepath.Join(root, "etc", "habeas.yaml")).CombinedOutput(); err != nil {
		c.Errorf("%v: %s", err, out)
	}
}

// rulesAreOurs: the alerts in the chart are those that promtool has tested.
func (c chart) rulesAreOurs() {
	c.Helper()
	for _, r := range c.of("PrometheusRule") {
		var ours struct{ Groups []map[string]any }
		readYAML(c.T, deployFolder+"/prometheus/habeas.rules.yml", &ours)
		var got []map[string]any
		if err := r.Spec.Groups.Decode(&got); err != nil || !reflect.DeepEqual(got, ours.Groups) {
			c.Errorf("the rules differ: %v", err)
		}
	}
}
