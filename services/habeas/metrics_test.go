package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/config"
)

// TestMetrics: /metrics has what the rules and the dashboard in deploy ask for,
// and no person's data.
func TestMetrics(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	id := p.submit(3, dsar.Access)
	p.wait(id)
	res, err := http.Get(p.n.MonitorURL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res.Status, err)
	}
	for _, want := range []string{
		`habeas_requests_now{status="completed"} 1`, `habeas_bus_lag{`, `habeas_bus_stalled_seconds{`, `habeas_facts_total{`,
		`habeas_worker_tasks_total{`, `habeas_worker_task_duration_seconds_bucket{`, "go_goroutines",
	} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if bytes.Contains(text, []byte(p.people.Person(3).Email)) {
		t.Error("a person's address is in the metrics")
	}
}

// TestConfigCheck: what is wrong is one line that names it; what is secret isn't shown.
func TestConfigCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(text string) string {
		path := filepath.Join(dir, config.File)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	database := filepath.ToSlash(filepath.Join(dir, "b.db"))
	if err := os.WriteFile(database, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, file string
		code       int
		want       string
	}{
		{"fine", "journal: postgres://habeas:hunter2@db/habeas?password=hunter2\nsystems: {billing: {dsn: \"sqlite://" + database + "\"}}\n", 0, "is fine"},
		{"no systems", "log: {level: info}\n", 1, "no systems are configured"},
		{"a mistyped path", "systems: {billing: {dsn: \"sqlite://" + database + "x\"}}\n", 1, "systems.billing.dsn: there is no SQLite file " + database + "x"},
		{"unknown field", "jurnal: x\n", 1, "jurnal"},
		{"unknown system", "systems: {payrol: {dsn: \"sqlite:///b.db\"}}\n", 1, "no manifest is built in"},
		{"no secret", "systems: {salesforce: {url: \"https://x\", client_secret_file: /nowhere/secret}}\n", 1, "/nowhere/secret"},
		{"no variable", "systems: {marketo: {url: \"https://x\", client_secret_env: HABEAS_NO_SUCH_SECRET}, salesforce: {url: \"https://x\", options: {key_env: HABEAS_NO_SUCH_KEY}}}\n", 1, "systems.marketo.client_secret_env: the environment has no variable HABEAS_NO_SUCH_SECRET, or it is empty; set it for the worker's process; systems.salesforce.options.key_env: the environment has no variable HABEAS_NO_SUCH_KEY"},
		{"a variable", "systems: {hubspot: {url: \"https://x\", client_secret_env: HABEAS_TEST_SECRET}}\n", 0, "is fine"},
		{"a secret for a variable's name", "systems: {hubspot: {url: \"https://x\", client_secret_env: hunter2}}\n", 1, "systems.hubspot.client_secret_env: write the name"},
		{"two places", "systems: {hubspot: {url: \"https://x\", client_secret_env: HABEAS_TEST_SECRET, client_secret_file: /nowhere/secret}}\n", 1, "leave one"},
		{"no such store", "systems: {hubspot: {url: \"https://x\", client_secret_store: \"nosuchstore://hunter2\"}}\n", 1, "no driver for nosuchstore://"},
		{"open console", "console: {listen: \"0.0.0.0:1\", local: true}\n", 1, "without sign-in it listens on loopback only"},
		{"no roles", "console: {listen: \"0.0.0.0:1\", url: \"https://x\", oidc: {issuer: \"https://i\", client_id: c}}\n", 1, "roles"},
		{"sessions in the open", "console: {listen: \"0.0.0.0:1\", url: \"http://x\", oidc: {issuer: \"https://i\", client_id: c, roles: {viewer: [v]}}}\n", 1, "not https"},
		{"no hook's secret", "notify: {webhooks: [{url: \"https://x/hunter2\", secret_file: /nowhere/hook}]}\n", 1, "/nowhere/hook"},
		{"a hook in the open", "notify: {webhooks: [{url: \"http://x.example/hunter2\", secret_file: /nowhere/hook}]}\n", 1, "isn't https"},
		{"no mail server", "notify: {mail: [a@example.com]}\n", 1, "letters.smtp"},
		{"no address", "letters: {smtp: \"m:25\", from: \"a@example.com\"}\nnotify: {mail: [nobody]}\n", 1, "notify.mail[0]"},
		{"no such language", "letters: {smtp: \"m:25\", from: \"a@example.com\"}\nnotify: {mail: [{to: b@example.com, language: de}]}\n", 1, "written in en or fr, not in \"de\""},
		{"no authority", "kafka: {brokers: [a:9092], tls: {ca_file: /nowhere/ca.pem}}\n", 1, "/nowhere/ca.pem"},
	} {
		cmd := command(context.WithoutCancel(t.Context()), "config", "check", write(c.file))
		cmd.Env = append(cmd.Environ(), "HABEAS_TEST_SECRET=hunter2")
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(out), c.want) || c.code != 0 && strings.Count(string(out), "\n") != 1 {
			t.Errorf("%s: %d, %s", c.name, code, out)
		}
		if strings.Contains(string(out), "hunter2") {
			t.Errorf("%s: the password is shown", c.name)
		}
	}
}
