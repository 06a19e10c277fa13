package bench

import (
	"bytes"
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"habeas.dev/pkg/manifest"
)

// TestRun runs every load, small, and looks for what each line is about: who reads
// the table must not be told of a load that didn't run.
func TestRun(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c := Config{Accesses: 3, Erasures: 2, ShopRequests: 3, People: 240, Lone: 2, BundleGB: 0.001, Dir: t.TempDir(), Version: "test"}
	if err := Run(t.Context(), c, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"A lone access", "Access, nine systems", "Erasure, nine systems", "A bundle of", "Access, one database", "Erasure, one database"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("nothing of %q in:\n%s", want, out.String())
		}
	}
	for _, what := range []string{"requests per second", "messages per request", "journal rows per request", "files in an answer"} {
		if n := strings.Count(out.String(), what); n != 4 {
			t.Errorf("%q is told %d times, want once for each load:\n%s", what, n, out.String())
		}
	}
	if !strings.Contains(out.String(), "records in an answer        20.0") {
		t.Errorf("an answer of the shop hasn't its twenty records:\n%s", out.String())
	}
}

// TestShop: each person has the rows that the documentation promises, and the
// manifest declares every table and column.
func TestShop(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const persons = seedBatch + 7
	s, err := makeShop(context.Background(), dir, "", persons)
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Load(s.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, shopName+".db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all := 0
	for _, d := range m.Datasets {
		var rows, people int
		if err := db.QueryRow("SELECT count(*), count(DISTINCT customer_ref) FROM "+d.SQL.Table).Scan(&rows, &people); err != nil {
			t.Fatal(err)
		}
		if people != persons {
			t.Errorf("%s has rows of %d people, want %d", d.SQL.Table, people, persons)
		}
		all += rows
	}
	if all != shopRows*persons || len(m.Datasets) != 6 {
		t.Errorf("%d rows in %d tables, want %d in 6", all, len(m.Datasets), shopRows*persons)
	}
	for _, f := range manifest.Lint([]*manifest.Manifest{m}, nil) {
		t.Error(f.Error)
	}
}

// TestCompared: medians, and how much the second differs; what only one of them
// has is nothing in the other.
func TestCompared(t *testing.T) {
	t.Parallel()
	round := func(rate float64) results {
		return results{{title: "Access", lines: []line{{what: "requests per second", value: rate}}}}
	}
	var out bytes.Buffer
	before := []results{round(100), round(900), round(110)}
	after := []results{round(99), round(1), round(104.5)}
	after[0][0].lines = append(after[0][0].lines, line{what: "new", value: 3})
	if err := printCompared(&out, before, after); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"requests per second  110 ", "99.0 ", "-10.0 %", "new                  0.00 "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("nothing of %q in:\n%s", want, out.String())
		}
	}
}
