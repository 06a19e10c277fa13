package installation_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
)

func settings(t *testing.T) config.Config {
	t.Helper()
	c, err := config.ForData(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestOpensWhatWasMade: what one process leaves in a data folder, the next one
// finds, with the same keys.
func TestOpensWhatWasMade(t *testing.T) {
	t.Parallel()
	c := settings(t)
	const request = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	in, err := installation.Make(t.Context(), c, installation.Parts{Journal: true, Vault: true, Outbox: true})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := in.Vault.CreateKeys(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := keys.Seal([]byte("a text"), vault.RequestDetails)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	if _, err := in.Requests.Accept(t.Context(), core.Accepted{RequestID: request, Right: dsar.Access, ReceivedAt: now, AcceptedAt: now, Digest: "d",
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "f", Assurance: dsar.AssuranceVerified}}, Systems: []dsar.System{{Name: "billing"}}}); err != nil {
		t.Fatal(err)
	}
	if err := in.Outbox.WriteAll(t.Context(), "a.zip", []byte("zip"), nil); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}

	in, err = installation.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if keys, err = in.Vault.Keys(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if plain, err := keys.Open(sealed, vault.RequestDetails); err != nil || string(plain) != "a text" {
		t.Errorf("%q, %v", plain, err)
	}
	if facts, err := in.Facts(t.Context(), request); err != nil || len(facts) == 0 {
		t.Errorf("%d facts, %v", len(facts), err)
	}
	if _, err := in.Facts(t.Context(), "0b6fd3a2-1d7c-4c53-8f53-70d5f2f0a9c4"); !errors.Is(err, core.ErrUnknown) {
		t.Errorf("a request that nobody made: %v", err)
	}
	// A bundle has no file beside it.
	entries, err := os.ReadDir(c.Outbox)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
	for _, room := range []string{c.Room(config.RoomVault), c.Room(config.RoomJournal), c.Outbox} {
		info, err := os.Stat(room)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s may be read by others: %v", filepath.Base(room), info.Mode())
		}
	}
}

// TestNothingIsMadeByReading: a command that looks at a wrong folder leaves it
// as it is, and says so.
func TestNothingIsMadeByReading(t *testing.T) {
	t.Parallel()
	c := settings(t)
	_, err := installation.Open(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), "--data") {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(c.Data); len(entries) != 0 {
		t.Error(entries)
	}
}

func TestDataFolderIsAFile(t *testing.T) {
	t.Parallel()
	c := settings(t)
	c.Data = filepath.Join(c.Data, "file")
	if err := os.WriteFile(c.Data, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := installation.Make(t.Context(), c, installation.Parts{Journal: true, Vault: true, Outbox: true}); err == nil || errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "--data") {
		t.Error(err)
	}
}

// TestNoDriver names the field and the scheme, and nothing more of the URL.
func TestNoDriver(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*config.Config){
		"vault.bucket": func(c *config.Config) { c.Vault.Bucket = "nowhere://secret" },
		"vault.key":    func(c *config.Config) { c.Vault.Key = "nowhere://secret" },
		"outbox":       func(c *config.Config) { c.Outbox = "nowhere://secret" },
	} {
		c := settings(t)
		change(&c)
		_, err := installation.Make(t.Context(), c, installation.Parts{Journal: true, Vault: true, Outbox: true})
		if err == nil || !strings.Contains(err.Error(), field) || !strings.Contains(err.Error(), "nowhere://") || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "-tags clouds") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestPartsAreChecked: what a process doesn't open doesn't keep it from starting: a worker
// goes on beside an outbox that nothing can be put into.
func TestPartsAreChecked(t *testing.T) {
	t.Parallel()
	cfg, err := config.ForData(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Outbox = filepath.Join(t.TempDir(), "outbox")
	if err := os.WriteFile(cfg.Outbox, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := installation.Check(cfg); err == nil || !strings.Contains(err.Error(), "outbox") {
		t.Errorf("checked: %v", err)
	}
	if _, err := installation.Make(t.Context(), cfg, installation.Parts{Outbox: true}); err == nil || !strings.Contains(err.Error(), "outbox") {
		t.Errorf("opened: %v", err)
	}
	in, err := installation.Make(t.Context(), cfg, installation.Parts{Objects: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
}
