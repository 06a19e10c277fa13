package sqlsystem

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"habeas.dev/pkg/manifest"
)

const calls = `system: desk
title: {en: Desk}
abilities: [gather, erase]
needs: [email]
sql: {}
datasets:
  - name: calls
    title: {en: Calls}
    category: identifiers
    origin: observed
    purpose: {en: To help}
    legal_basis: contract
    storage: {en: Six months, period: P6M, from: called_at}
    columns:
      - {name: called_at, type: date}
      - {name: disputed_on, type: date}
    retention:
      - {ground: legal-claims, source: a law, title: {en: Claims}, from: disputed_on, period: P2Y, undated: go}
    sql: {table: calls, key: [id], subject: {email: email}, erase: delete}
  - name: people
    title: {en: People}
    category: identifiers
    origin: provided
    purpose: {en: To help}
    legal_basis: contract
    storage: {en: A year, period: P1Y, from: joined_on, to_end_of: year}
    columns:
      - {name: joined_on, type: date}
    sql: {table: people, key: [id], subject: {email: email}, erase: anonymise, anonymise: {email: null}}
`

// TestOverdue: what lies beyond a storage period that is data is counted, but for what a rule of
// retention has stay, what is nobody's any more, and what has no date.
func TestOverdue(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "desk.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	run := func(text string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	run(`CREATE TABLE calls (id INTEGER PRIMARY KEY, email TEXT, called_at TEXT, disputed_on TEXT)`)
	run(`CREATE INDEX c ON calls (email)`)
	run(`CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, joined_on TEXT)`)
	run(`INSERT INTO calls VALUES (1, 'a@x', '2026-05-20', NULL), (2, 'a@x', '2026-05-21', NULL), (3, 'b@x', '2020-01-01', '2026-01-01'), (4, 'b@x', '2020-01-01', '2020-01-01'), (5, 'b@x', NULL, NULL)`)
	run(`INSERT INTO people VALUES (1, 'a@x', '2024-12-31'), (2, 'b@x', '2025-01-01'), (3, NULL, '2010-01-01')`)
	m, err := manifest.Parse("desk.yaml", []byte(calls))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	s, err := Open(t.Context(), m, file, WithClock(func() time.Time { return now }))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, err := s.Overdue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// 20 May and six months are over on 20 November; 21 May's aren't.
	if want := "[{calls 2 2026-05-21 00:00:00 +0000 UTC} {people 1 2025-01-01 00:00:00 +0000 UTC}]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Overdue(ctx); err == nil {
		t.Error("a count that was broken off is one")
	}
}
