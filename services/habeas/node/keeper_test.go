package node

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/keeper"
)

// TestNothingOpensRestoredKeys: while the vault's keys open what the list names, what opens
// keys doesn't start, and the command line doesn't either; a coordinator ends it again before
// it starts anything else, and then all do.
func TestNothingOpensRestoredKeys(t *testing.T) {
	t.Parallel()
	cfg, err := config.ForData(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p, err := newProcess(t.Context(), cfg, Options{Logs: io.Discard}, "habeas")
	if err != nil {
		t.Fatal(err)
	}
	n := &Node{process: p, Config: cfg}
	t.Cleanup(n.Stop)
	if n.Installation, err = installation.Make(t.Context(), cfg, installation.Parts{Journal: true, Vault: true, Outbox: true}); err != nil {
		t.Fatal(err)
	}
	n.onStop(n.Installation.Close)
	const id = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	if _, err := n.Installation.Vault.CreateKeys(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	starts := func(r Roles) error { return n.endAgain(t.Context(), r) }
	if err := starts(Roles{Letters: true}); err != nil {
		t.Errorf("before anything was forgotten: %v", err)
	}
	entry := filepath.Join(cfg.Receipts.Mirror, "forgotten", time.Now().UTC().Format(time.DateOnly), id+".records")
	m := hmac.New(sha256.New, n.Installation.Vault.Secret("list of what was forgotten"))
	m.Write([]byte("forgotten/" + filepath.Base(filepath.Dir(entry)) + "/" + id + ".records"))
	mac := hex.AppendEncode(nil, m.Sum(nil)) // as the keeper writes it
	if err := errors.Join(os.MkdirAll(filepath.Dir(entry), 0o700), os.WriteFile(entry, mac, 0o600), os.Chtimes(entry, time.Time{}, time.Now().Add(-time.Hour))); err != nil {
		t.Fatal(err)
	}
	for _, r := range []Roles{{Letters: true}, {Console: true}} {
		if err := starts(r); !errors.Is(err, keeper.ErrRestored) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	if err := CheckRestored(t.Context(), n.Installation); !errors.Is(err, keeper.ErrRestored) {
		t.Errorf("the command line: %v", err)
	}
	if err := starts(Roles{Intake: true}); err != nil {
		t.Errorf("what only seals: %v", err)
	}
	if err := starts(Roles{Coordinator: true}); err != nil {
		t.Fatal(err)
	}
	keys, err := n.Installation.Vault.Keys(t.Context(), id)
	if err != nil || !keys.Ended(vault.RecordsRoot) || keys.Ended(vault.SubjectRoot) {
		t.Errorf("the coordinator hasn't ended it again, or more than that: %v", err)
	}
	if err := errors.Join(starts(Roles{Letters: true}), CheckRestored(t.Context(), n.Installation)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
