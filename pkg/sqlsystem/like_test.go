package sqlsystem

import (
	"database/sql"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestBetween: what a pattern matches lies between its bounds, by SQLite's own LIKE and
// order.
func TestBetween(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	bounded := 0
	rapid.Check(t, func(rt *rapid.T) {
		form := rapid.StringMatching(`[a-z%_!~\x7f]{0,4}[éßü]?[a-z%_!~]{0,3}@(example|exämple)\.org`).Draw(rt, "form")
		m := match{"email", asFolded}
		for _, pattern := range (&System{}).patterns(m, form) {
			least, above, ok := between(pattern)
			if !ok {
				continue
			}
			bounded++
			// The form itself, with other letters where there is a wildcard, or none of it.
			text := rapid.SampledFrom([]string{form, strings.NewReplacer("é", "É", "ü", "u\u0308", "ß", "ẞ").Replace(form), "x" + form, form[:len(form)/2]}).Draw(rt, "text")
			var like, inside bool
			if err := db.QueryRowContext(rt.Context(), `SELECT ? LIKE ? ESCAPE '!', ? >= ? AND ? < ?`, text, pattern, text, least, text, above).Scan(&like, &inside); err != nil {
				rt.Fatal(err)
			}
			if like && !inside {
				rt.Fatalf("%q is like %q, and isn't between %q and %q", text, pattern, least, above)
			}
		}
	})
	if bounded == 0 {
		t.Error("no pattern has bounds")
	}
}

// TestBoundsOfPatterns: the letters before the first wildcard are an index's bounds; an
// address that begins with another letter than ASCII has none.
func TestBoundsOfPatterns(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string][2]string{
		`j%rgen@example.org`: {"j", "k"}, `a!_b%@example.org`: {"a_b", "a_c"}, `a!!%`: {"a!", "a\""}, `a!%b%`: {"a", "b"},
		`user@m%ller.de`: {"user@m", "user@n"}, `z~%`: {"z~", "z\x7f"}, "\x7f%": {"\x7f", "\u0080"}, `%ric@example.org`: {},
	} {
		least, above, ok := between(pattern)
		if least != want[0] || above != want[1] || ok != (want[0] != "") {
			t.Errorf("%s: from %q to %q, %t", pattern, least, above, ok)
		}
	}
}
