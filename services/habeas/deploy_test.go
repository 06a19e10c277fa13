package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/config"
)

// deployFolder is deploy/, as seen from this package.
const deployFolder = "../../deploy"

var (
	askedMetric    = regexp.MustCompile(`\b(?:habeas|go|process)_[a-z_]+`)
	exportedMetric = regexp.MustCompile(`(?m)^([a-z_]+)[{ ]`)
)

// TestDeployMetrics: every metric that an alert or a panel asks for is one that a
// running Habeas exports.
func TestDeployMetrics(t *testing.T) {
	t.Parallel()
	exported := exportedMetrics(t)
	asked := map[string]string{}
	note := func(where string, expressions []string) {
		if len(expressions) == 0 {
			t.Errorf("%s asks for nothing", where)
		}
		for _, e := range expressions {
			for _, name := range askedMetric.FindAllString(e, -1) {
				asked[name] = where
			}
		}
	}
	note("the alerts", ruleExpressions(t))
	note("the dashboard", panelExpressions(t))
	for name, where := range asked {
		if !exported[name] {
			t.Errorf("%s: no process exports %s", where, name)
		}
	}
}

// exportedMetrics returns the names in /metrics after a request was answered.
func exportedMetrics(t *testing.T) map[string]bool {
	t.Helper()
	dir := t.TempDir()
	key, secret := filepath.Join(dir, "public.pem"), filepath.Join(dir, "secret")
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{key: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), secret: callbackSecret} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := newPipelineOf(t, 200, true, func(c *config.Config) {
		c.Producers = map[string]config.Producer{"crm": {Keys: []string{key}, Callback: config.Callback{URL: "http://127.0.0.1:1", SecretFile: secret}}}
	})
	p.wait(p.submit(3, dsar.Access))
	res, err := http.Get(p.n.MonitorURL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, m := range exportedMetric.FindAllStringSubmatch(string(text), -1) {
		names[m[1]] = true
	}
	return names
}

func ruleExpressions(t *testing.T) (out []string) {
	t.Helper()
	files, err := filepath.Glob(deployFolder + "/prometheus/*.rules.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var rules struct {
			Groups []struct {
				Rules []struct {
					Alert, Expr string
				}
			}
		}
		if err := yaml.Unmarshal(text, &rules); err != nil {
			t.Fatal(err)
		}
		for _, g := range rules.Groups {
			for _, r := range g.Rules {
				out = append(out, r.Expr)
			}
		}
	}
	return out
}

// panelExpressions returns what the dashboards' panels and variables ask for. A
// panel has a title of its own, says what it shows, and asks for something.
func panelExpressions(t *testing.T) (out []string) {
	t.Helper()
	files, err := filepath.Glob(deployFolder + "/grafana/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboard: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var board struct {
			Templating struct {
				List []struct{ Name, Definition string }
			}
			Panels []struct {
				ID                       int
				Type, Title, Description string
				Targets                  []struct{ Expr string }
			}
		}
		if err := json.Unmarshal(text, &board); err != nil {
			t.Fatal(err)
		}
		titles, ids := map[string]bool{}, map[int]bool{}
		for _, p := range board.Panels {
			if titles[p.Title] || ids[p.ID] {
				t.Errorf("%s: two panels are %q or have the id %d", file, p.Title, p.ID)
			}
			titles[p.Title], ids[p.ID] = true, true
			if p.Type != "row" && (p.Description == "" || len(p.Targets) == 0) {
				t.Errorf("%s: %q says nothing of itself, or asks for nothing", file, p.Title)
			}
			for _, target := range p.Targets {
				out = append(out, target.Expr)
			}
		}
		for _, v := range board.Templating.List {
			out = append(out, v.Definition)
		}
	}
	return out
}
