package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker/workertest"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/sandbox/people"
)

// TestAProofLasts: an erasure's plan is shown, with its keys as a fact; what a backup
// brings back is found by those keys, told in an addendum and a letter, and erased
// again; what the person has given anew stays.
func TestAProofLasts(t *testing.T) {
	t.Parallel()
	cfg, err := config.ForData(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listen = "127.0.0.1:0"
	cfg.Sandbox = &config.Sandbox{Seed: 7, People: 40}
	n, err := node.Start(t.Context(), cfg, node.Options{Logs: &workertest.Log{}}, node.Everything())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	email := people.Generate(people.Config{Seed: 7, People: 40}).Person(people.Camille).Email
	db, err := sql.Open("sqlite", filepath.Join(cfg.Room(config.RoomSandbox), people.Events+".db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec("ATTACH ':memory:' AS backup")
	exec("PRAGMA busy_timeout = 10000")
	db.SetMaxOpenConns(1)
	exec("CREATE TABLE backup.travel AS SELECT * FROM travel")
	count := func() (rows int) {
		t.Helper()
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM travel").Scan(&rows); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	before := time.Now().UTC()
	r := upstream.Request{ID: uuid.NewString(), Right: dsar.Erasure, Jurisdiction: "EEA", Locale: "fr", Source: "test", ReceivedAt: received, Email: email}
	if _, err := upstream.Post(t.Context(), n.URL(), "", r.JSON()); err != nil {
		t.Fatal(err)
	}
	if row := waitFor(t, n.Installation.Journal, r.ID); row.Status != core.StatusCompleted {
		t.Fatal(row.Status)
	}
	state := func() core.State {
		t.Helper()
		s, err := n.Installation.Requests.State(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if at := state().AgainAt; at.Sub(state().AnsweredAt) != 30*24*time.Hour {
		t.Errorf("it is asked again at %v, answered at %v", at, state().AnsweredAt)
	}

	// The plan: counts for everyone, keys as a fact.
	status, out := says(t, "plan", r.ID, "--data", cfg.Data)
	if status != 0 || !strings.Contains(out, "travel") || !strings.Contains(out, "SHA-256") {
		t.Fatalf("status %d:\n%s", status, out)
	}
	if status, out := says(t, "plan", r.ID, "--data", cfg.Data, "--keys"); status != 2 || !strings.Contains(out, "--reason") {
		t.Errorf("status %d:\n%s", status, out)
	}
	status, out = says(t, "plan", r.ID, "--data", cfg.Data, "--system", people.Events, "--keys", "--json", "--reason", "a look")
	if status != 0 {
		t.Fatalf("status %d:\n%s", status, out)
	}
	keys := 0
	for line := range strings.Lines(out) {
		var k planKey
		if err := json.Unmarshal([]byte(line), &k); err != nil || k.System != people.Events || k.Key == "" {
			t.Fatalf("%v: %s", err, line)
		}
		keys++
	}
	facts, err := n.Installation.Facts(t.Context(), r.ID)
	opened := slices.ContainsFunc(facts, func(f journal.Fact) bool { return f.Type == core.TypeOf(core.PlanOpened{}) })
	if err != nil || keys == 0 || !opened { // the receipt may come after it
		t.Errorf("%d keys, %v, opened %t", keys, err, opened)
	}

	// A backup of one system is restored.
	erasedTo := count()
	restore := func() (back int) {
		t.Helper()
		exec("INSERT OR IGNORE INTO travel SELECT * FROM backup.travel")
		if back = count() - erasedTo; back == 0 {
			t.Fatal("nothing of the person was in the backup: the test proves nothing")
		}
		return back
	}
	back := restore()
	status, out = says(t, "prove", r.ID, "--data", cfg.Data, "--system", people.Events, "--reason", "a restored backup")
	if status != 0 {
		t.Fatalf("status %d:\n%s", status, out)
	}
	if row := waitForChange(t, n, r.ID, facts[len(facts)-1].Version); row.Status != core.StatusNeedsAttention {
		t.Fatal(row.Status)
	}
	if status, out := says(t, "retry", r.ID, "--data", cfg.Data); status != 0 {
		t.Fatalf("status %d:\n%s", status, out)
	}
	if row := waitForChange(t, n, r.ID, state().Version); row.Status != core.StatusCompleted || count() != erasedTo {
		t.Fatalf("%s, %d rows of %d", row.Status, count(), erasedTo)
	}
	var told struct {
		Text    []string
		Systems []addendumPart
	}
	status, out = says(t, "bundle", "get", r.ID, "--addendum", "1", "-o", "-", "--data", cfg.Data)
	if err := json.Unmarshal([]byte(out), &told); status != 0 || err != nil || len(told.Systems) != 1 || told.Systems[0].records() != back || told.Systems[0].Outcome != dsar.Proven {
		t.Errorf("status %d, %v, %d had come back:\n%s", status, err, back, out)
	}
	if text := strings.Join(told.Text, "\n"); !strings.Contains(text, fmt.Sprintf("(%d)", back)) || !strings.Contains(text, "de nouveau effacés") {
		t.Errorf("the person reads %q", text)
	}

	file, public := filepath.Join(t.TempDir(), "addendum.json"), filepath.Join(t.TempDir(), "keys")
	if status, out := says(t, "bundle", "get", r.ID, "--addendum", "1", "-o", file, "--data", cfg.Data); status != 0 {
		t.Fatalf("status %d:\n%s", status, out)
	}
	_, verifiers := says(t, "keys", "show", "--data", cfg.Data)
	if err := os.WriteFile(public, []byte(verifiers), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, out := says(t, "verify", file, "--key", public); status != 0 || !strings.Contains(out, "signed by ") {
		t.Errorf("status %d:\n%s", status, out)
	}

	// The same after the fact, for all erasures since the backup.
	since := before.Format(time.RFC3339)
	if status, out := says(t, "replay-erasures", "--system", people.Events, "--since", since, "--data", cfg.Data); status != 0 || !strings.Contains(out, "1 of 1 would be asked") || count() != erasedTo {
		t.Fatalf("status %d:\n%s", status, out)
	}
	restore()
	status, out = says(t, "replay-erasures", "--system", people.Events, "--since", since, "--yes", "--data", cfg.Data)
	if status != 0 || count() != erasedTo || !strings.Contains(out, fmt.Sprintf("%d records had come back and are erased again", back)) {
		t.Fatalf("status %d, %d rows of %d:\n%s", status, count(), erasedTo, out)
	}
	if s := state(); len(s.Addenda) != 2 || s.Again != nil {
		t.Errorf("%d addenda", len(s.Addenda))
	}
	if status, out := says(t, "replay-erasures", "--system", people.Events, "--since", "2999-01-01", "--data", cfg.Data); status != 0 || !strings.Contains(out, "Nothing was erased") {
		t.Errorf("status %d:\n%s", status, out)
	}
}

// addendumPart is one system's in an addendum.
type addendumPart struct {
	System   string
	Outcome  dsar.Outcome
	CameBack []struct{ Records int } `json:"came_back"`
}

func (a addendumPart) records() (n int) {
	for _, d := range a.CameBack {
		n += d.Records
	}
	return n
}

// waitForChange waits until a request has facts behind a version, and has ended or needs a
// person.
func waitForChange(t *testing.T, n *node.Node, id string, version int) journal.Row {
	t.Helper()
	beat := time.NewTicker(10 * time.Millisecond)
	defer beat.Stop()
	for {
		if row := waitFor(t, n.Installation.Journal, id); row.Version > version {
			return row
		}
		select {
		case <-t.Context().Done():
			t.Fatal("nothing happens")
		case <-beat.C:
		}
	}
}
