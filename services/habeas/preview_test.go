package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/sandbox/internaldb"
	"habeas.dev/services/sandbox/people"
)

// TestPreview: before a correction is made, old and new are printed per system, field by
// field; that somebody looked is a fact, which holds neither, and the database is as it was.
func TestPreview(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	world := people.Generate(people.Config{Seed: 1, People: 50})
	if _, err := internaldb.Create(t.Context(), dir, world); err != nil {
		t.Fatal(err)
	}
	var email, old string
	for _, r := range world.Rows(people.Events) {
		if r.Dataset == "registrations" {
			email, old = fmt.Sprint(r.Values["email"]), fmt.Sprint(r.Values["phone"])
			break
		}
	}
	file := filepath.Join(dir, "habeas.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, "data: %s\nsystems:\n  events: {dsn: \"sqlite://%s\"}\n", filepath.Join(dir, "data"), filepath.Join(dir, people.Events+".db")), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	in, err := installation.Make(t.Context(), cfg, installation.Parts{Journal: true, Vault: true, Outbox: true})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	accept := func(right dsar.Right, before ...string) string {
		t.Helper()
		id := uuid.NewString()
		keys, err := in.Vault.CreateKeys(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		seal := func(text string, kind vault.Kind) []byte {
			sealed, err := keys.Seal([]byte(text), kind)
			if err != nil {
				t.Fatal(err)
			}
			return sealed
		}
		details, err := json.Marshal(event.Details{Corrections: []event.Correction{{Column: "contact.phone", Value: "+33 9 99 99 99 99"}}})
		if err != nil {
			t.Fatal(err)
		}
		at := now()
		var asked []dsar.System
		for _, name := range append(before, "events") {
			asked = append(asked, dsar.System{Name: name, Abilities: []dsar.Action{dsar.Gather, dsar.Rectify}, Needs: []dsar.IdentifierType{"email"}})
		}
		if _, err := in.Requests.Accept(t.Context(), core.Accepted{RequestID: id, Right: right, Jurisdiction: "EEA", ReceivedAt: at, AcceptedAt: at, DueAt: at.AddDate(0, 1, 0), Source: "test", Digest: strings.Repeat("0", 64),
			Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: in.Vault.Fingerprint("email", email), Sealed: seal(email, vault.Identifier), Assurance: dsar.AssuranceVerified}},
			Details:     seal(string(details), vault.RequestDetails), Terms: core.Terms{Checks: []dsar.Check{dsar.CheckIdentity}},
			Systems: asked}); err != nil {
			t.Fatal(err)
		}
		return id
	}
	id := accept(dsar.Rectification)
	for range 2 { // nothing is changed by it
		status, out := says(t, "preview", id, "--config", file)
		if status != 0 || !strings.Contains(out, "registrations") || !strings.Contains(out, old) || !strings.Contains(out, "+33 9 99 99 99 99") {
			t.Fatalf("status %d: %d bytes", status, len(out))
		}
	}
	facts, err := in.Journal.Facts(t.Context(), id, 0)
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for _, f := range facts {
		if strings.Contains(string(f.Data), "99 99") || strings.Contains(string(f.Data), old) {
			t.Errorf("%s holds a value", f.Type)
		}
		if strings.Contains(f.Type, "identifiers.revealed") {
			looked++
		}
	}
	if looked != 2 {
		t.Errorf("it was noted %d times that somebody looked", looked)
	}
	if status, out := says(t, "preview", accept(dsar.Erasure), "--config", file); status == 0 || strings.Contains(out, old) {
		t.Errorf("an erasure has a preview: %d", status)
	}
	t.Run("beside systems that can't be asked", func(t *testing.T) {
		id := accept(dsar.Rectification, "gone", "account")
		away := filepath.Join(dir, "away.yaml")
		if err := os.WriteFile(away, fmt.Appendf(nil, "data: %s\nsystems:\n  account: {dsn: \"postgres://u@127.0.0.1:1/x\"}\n  events: {dsn: \"sqlite://%s\"}\n", filepath.Join(dir, "data"), filepath.Join(dir, people.Events+".db")), 0o600); err != nil {
			t.Fatal(err)
		}
		status, out := says(t, "preview", id, "--config", away)
		for _, want := range []string{"not asked: the configuration doesn't have it", "not asked: it can't be reached from here: ", "127.0.0.1", old} {
			if status != 0 || !strings.Contains(out, want) {
				t.Errorf("status %d, without %q", status, want)
			}
		}
		// One that never answers uses up its own time, and nobody else's.
		silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = silent.Close() }()
		cfg, err := config.Load(away)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Systems["account"] = config.System{DSN: "postgres://u@" + silent.Addr().String() + "/x"}
		s, err := in.Requests.State(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		all, err := node.Preview(t.Context(), in, cfg, s, 2*time.Second)
		if err != nil || len(all) != 3 {
			t.Fatalf("%d systems, %v", len(all), err)
		}
		if all[1].Name != "account" || all[1].Err == nil || len(all[2].Fields) == 0 || all[2].Why != "" {
			t.Errorf("after %s (%v): %d fields, %q", all[1].Name, all[1].Err, len(all[2].Fields), all[2].Why)
		}
	})
}
