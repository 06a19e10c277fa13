package main

import (
	"io"
	"os"
	"testing"
	"time"

	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/thirdparty"
)

// TestSchemathesis has Schemathesis ask the door of a whole node, signed in as a caller who
// may do everything and is named as its examples say, by the OpenAPI document that the door serves: each operation with what
// fits and what doesn't, in sequences, and without signing in. It then finds that something
// was taken in, so that not all was refused.
func TestSchemathesis(t *testing.T) {
	t.Parallel()
	if os.Getenv("HABEAS_TEST_THIRDPARTY") == "" {
		t.Skip("make test-formats runs this")
	}
	cfg, err := config.ForData(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listen, cfg.PerPerson = "127.0.0.1:0", 100_000
	cfg.Callers = map[string]config.Caller{"signup-page": {Believed: true, Reads: true, Cancels: true, Proves: true, PerMinute: 1_000_000}}
	cfg.Sandbox = &config.Sandbox{Seed: 7, People: 40}
	n, err := node.Start(t.Context(), cfg, node.Options{Logs: io.Discard}, node.Everything())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	token, _, err := callers.CreateToken(t.Context(), n.Installation.Journal, "signup-page", "test", now(), now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	thirdparty.Python(t, "schemathesis", "run.py", "DOOR="+n.URL(), "TOKEN="+token)
	counts, err := n.Installation.Journal.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	for _, c := range counts {
		taken += c
	}
	if taken == 0 {
		t.Error("nothing was taken in")
	}
}
