package node_test

import (
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
