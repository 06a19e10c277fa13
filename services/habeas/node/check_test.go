package node_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
)

// TestCheckSystems: what can be told of the systems without connecting is said by name before
// anything starts, and no password with it.
func TestCheckSystems(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "mistyped.db")
	for name, c := range map[string]struct {
		systems map[string]config.System
		want    string
	}{
		"no systems":            {nil, "no systems are configured"},
		"a kind nobody knows":   {map[string]config.System{"billing": {DSN: "oracle://u:hidden@h/x"}}, `systems.billing.dsn: a data source of the kind "oracle"`},
		"an address that isn't": {map[string]config.System{"billing": {DSN: "postgres://x:hid den@:x/%zz"}}, "systems.billing.dsn: "},
		"a mistyped path":       {map[string]config.System{"billing": {DSN: "sqlite://" + missing}}, "systems.billing.dsn: there is no SQLite file " + missing},
		"a folder":              {map[string]config.System{"billing": {DSN: filepath.Dir(missing)}}, "is a folder"},
		"elsewhere":             {map[string]config.System{"billing": {DSN: missing, Elsewhere: true}}, ""},
		"away":                  {map[string]config.System{"billing": {DSN: "postgres://u:hidden@127.0.0.1:1/x"}}, ""},
	} {
		err := node.CheckSystems(t.Context(), config.Config{Systems: c.systems})
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hidden")):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestPurposesAreWhole: a purpose of the installation may be within one that is built in, or that
// another of its files has, and within no other.
func TestPurposesAreWhole(t *testing.T) {
	t.Parallel()
	write := func(within string) string {
		file := filepath.Join(t.TempDir(), "own.yaml")
		if err := os.WriteFile(file, []byte("purposes:\n  measure: {title: {en: Measuring, fr: Mesure}, legal_basis: consent, within: "+within+"}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	all, err := node.Purposes(config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := node.Purposes(config.Config{Purposes: []string{write(all.IDs()[0])}}); err != nil {
		t.Error(err)
	}
	if _, err := node.Purposes(config.Config{Purposes: []string{write("marketng")}}); err == nil || !strings.Contains(err.Error(), `own.yaml:2: purpose measure: within names "marketng", which there isn't`) {
		t.Errorf("%v", err)
	}
}

// TestCheckedAsAtTheStart: what can't be opened is named by the check of the configuration and at
// the start alike, with its cure, and no secret with it.
func TestCheckedAsAtTheStart(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	short, none := file("short", "aGlkZGVu"), file("none", "hidden, and no base64")
	for name, c := range map[string]struct{ settings, want string }{
		"a key that is too short": {"vault: {key: " + short + "}", "vault.key: vault: the master key is none: want 32 bytes in base64"},
		"a key that is no base64": {"vault: {key: 'base64key://hidden!'}", "vault.key: vault: the master key is none: want 32 bytes in base64"},
		"an old key":              {"vault: {old_keys: [" + none + "]}", "vault.key: vault: the master key is none"},
		"a bucket of a cloud":     {"outbox: s3://hidden", "outbox: there is no driver for s3:// in this program"},
		"an outbox in a file":     {"outbox: " + filepath.Join(short, "outbox"), "outbox: " + short + " is no folder"},
		"a collector's address":   {"telemetry: {otlp: 'collector:4318'}", "telemetry.otlp: the collector's address is none: write it as http://HOST:PORT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := filepath.Join(t.TempDir(), "habeas.yaml")
			settings := "data: " + t.TempDir() + "\nlisten: 127.0.0.1:0\nsystems: {billing: {dsn: 'postgres://u@127.0.0.1:1/x'}}\n" + c.settings + "\n"
			if err := os.WriteFile(at, []byte(settings), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, err := config.Load(at)
			if err != nil {
				t.Fatal(err)
			}
			_, checked := node.Check(t.Context(), cfg)
			n, started := node.Start(t.Context(), cfg, node.Options{Version: "test", Logs: io.Discard}, node.Everything())
			if started == nil {
				n.Stop()
			}
			for _, err := range []error{checked, started} {
				if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "\n") {
					t.Errorf("%v, want %q", err, c.want)
				}
			}
			if checked != nil && started != nil && checked.Error() != started.Error() {
				t.Errorf("the check says %q, the start %q", checked, started)
			}
		})
	}
}
