package worker_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// written writes a configuration file.
func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "habeas.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSettings: a worker reads its part of Habeas' configuration, and passes over the
// rest.
func TestSettings(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := written(t, `
data: /var/lib/habeas
listen: 0.0.0.0:8420
letters: {smtp: "mail:25", from: dsar@example.com}
kafka: {brokers: ["kafka:9092"], tls: {enabled: true}}
identifiers: {country: FR}
systems:
  library: {manifest: library.yaml, elsewhere: true, url: https://library.example.com, client_secret_file: `+secret+`, options: {branch: north}}
  billing: {dsn: "postgres://billing"}
`)
	s, err := worker.ReadSettings(file, "library")
	if err != nil {
		t.Fatal(err)
	}
	if s.URL != "https://library.example.com" || s.Options["branch"] != "north" || s.Kafka.Brokers[0] != "kafka:9092" || !s.Kafka.TLS.Enabled ||
		s.Vault.Bucket != "/var/lib/habeas/vault" || s.Links != "/var/lib/habeas/links" || s.Log.Level != "info" {
		t.Errorf("%+v", s)
	}
	if v, err := s.Secret(); err != nil || v != "s3cret" {
		t.Errorf("%q, %v", v, err)
	}
	if _, err := worker.ReadSettings(file, "archive"); err == nil || !strings.Contains(err.Error(), "no system archive") {
		t.Error(err)
	}
}

// TestSettingsOfTheEmbeddedBroker: where no brokers are named, a worker is the user that
// habeas up has made for it; where they are, it is none.
func TestSettingsOfTheEmbeddedBroker(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	users := filepath.Join(data, "users")
	if err := os.Mkdir(users, 0o700); err != nil {
		t.Fatal(err)
	}
	way := "kafka: {brokers: ['127.0.0.1:4321'], sasl: {mechanism: SCRAM-SHA-256, user: habeas-worker-library, password_file: there}}\n"
	if err := os.WriteFile(filepath.Join(users, "habeas-worker-library.yaml"), []byte(way), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"": "habeas-worker-library", "kafka: {brokers: ['kafka:9092']}\n": ""} {
		s, err := worker.ReadSettings(written(t, "data: "+data+"\nsystems: {library: {}}\n"+text), "library")
		if err != nil || s.Kafka.SASL.User != want || len(s.Kafka.Brokers) != 1 || (s.Kafka.Brokers[0] == "127.0.0.1:4321") != (want != "") {
			t.Errorf("%q: %+v, %v", text, s.Kafka, err)
		}
	}
	if err := os.WriteFile(filepath.Join(users, "habeas-worker-library.yaml"), []byte("kafka: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := worker.ReadSettings(written(t, "data: "+data+"\nsystems: {library: {}}\n"), "library"); err == nil || !strings.Contains(err.Error(), "habeas-worker-library.yaml") {
		t.Errorf("a file that can't be read is passed over: %v", err)
	}
}

// TestMainSaysWhatIsMissing: a program that can't start says in one line why.
func TestMainSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	opened := errors.New("the library is closed")
	for name, c := range map[string]struct {
		args []string
		open error
		want string
	}{
		"no configuration": {nil, nil, "--config"},
		"no file":          {[]string{"--config", "/nowhere.yaml"}, nil, "/nowhere.yaml"},
		"no system":        {[]string{"--config", written(t, "systems: {}")}, nil, "no system library"},
		"a bad level":      {[]string{"--config", written(t, "log: {level: loud}\nsystems: {library: {}}")}, nil, "log.level"},
		"not opened":       {[]string{"--config", written(t, "systems: {library: {}}")}, opened, opened.Error()},
		"no brokers":       {[]string{"--config", written(t, "systems: {library: {}}")}, nil, "kafka.brokers"},
		"no link key":      {[]string{"--config", written(t, "kafka: {brokers: [\"kafka:9092\"]}\nsystems: {library: {}}")}, nil, "habeas keys init"},
	} {
		err := worker.Main(t.Context(), c.args, books(dsar.Gather), func(context.Context, worker.Settings) (any, error) { return library{}, c.open })
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// closer notes that it was closed.
type closer struct {
	library
	closed *bool
}

func (c closer) Close() error { *c.closed = true; return nil }

// TestMainRuns: a program runs until its context is over, by a vault of its own where
// it brings one, and closes what it opened.
func TestMainRuns(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	closed := false
	file := written(t, "kafka: {brokers: [\"127.0.0.1:1\"]}\nsystems: {library: {}}")
	err := worker.Main(ctx, []string{"--config", file}, books(dsar.Gather), func(context.Context, worker.Settings) (any, error) { return closer{library{}, &closed}, nil },
		worker.WithConfig(func(c *worker.Config) { c.Access = newVault(t).Access("library") }))
	if err != nil || !closed {
		t.Errorf("%v, closed %v", err, closed)
	}
}
