package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
)

// TestActsWaitForARestoredJournal: what changes requests asks first whether the journal is the
// newest that there was; here its mark can't be read, so that nobody knows. What reads doesn't.
func TestActsWaitForARestoredJournal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "habeas.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, "data: %s\nsystems: {account: {elsewhere: true}}\n", dir), 0o600); err != nil {
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
	id := uuid.NewString()
	if _, err = in.Requests.Do(t.Context(), id, core.Submit{Accepted: core.Accepted{RequestID: id, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: now(), AcceptedAt: now(), Source: "test", Digest: "d",
		Systems: []dsar.System{{Name: "shop", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}}, Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "f", Sealed: []byte{1}, Assurance: dsar.AssuranceVerified}}}}); err == nil {
		err = in.Journal.SetNote(t.Context(), "mark", []byte("no mark"), 0)
	}
	if err == nil {
		err = in.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"note ID --reason why", "hold ID --reason why", "hold --email anna@example.com --reason why", "notices ID auditors --told --reason why",
		"systems retire shop --on 2026-11-01 --reason why --yes", "systems rename shop account --reason why --yes", "replay-erasures --system shop --since 2026-01-01 --yes",
	} {
		call := append(strings.Fields(strings.ReplaceAll(args, "ID", id)), "--config", file)
		if status, out := says(t, call...); status != 1 || !strings.Contains(out, "the journal's mark can't be read") {
			t.Errorf("habeas %s: status %d, %s", args, status, out)
		}
	}
	for _, args := range []string{"requests", "notices ID", "notices"} {
		call := append(strings.Fields(strings.ReplaceAll(args, "ID", id)), "--config", file)
		if status, out := says(t, call...); status != 0 {
			t.Errorf("habeas %s: status %d, %s", args, status, out)
		}
	}
}
