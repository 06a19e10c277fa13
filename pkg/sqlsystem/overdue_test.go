package sqlsystem

import (
	"context"
	"fmt"
	"testing"
	"time"

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

// TestOverdue: what lies beyond a storage period that is data is counted in every database,
// whatever type its day has, but for what a rule of retention has stay, what is nobody's any
// more, and what has no date.
func TestOverdue(t *testing.T) {
	t.Parallel()
	for _, f := range fixtures() {
		for _, day := range []string{"DATE", "TIMESTAMP"} {
			t.Run(f.dialect.String()+" "+day, func(t *testing.T) {
				t.Parallel()
				overdue(t, f, day)
			})
		}
	}
}

func overdue(t *testing.T, f fixture, day string) {
	d := f.make(t, "CREATE TABLE calls (id INTEGER PRIMARY KEY, email VARCHAR(190), called_at "+day+" NULL, disputed_on "+day+" NULL); "+
		"CREATE INDEX c ON calls (email); CREATE TABLE people (id INTEGER PRIMARY KEY, email VARCHAR(190), joined_on "+day+" NULL)")
	at := func(text string) any {
		if text != "" && day == "TIMESTAMP" {
			return text + " 23:59:59"
		}
		if text == "" {
			return nil
		}
		return text
	}
	for i, row := range [][3]string{{"a@x", "2026-05-19", ""}, {"a@x", "2026-05-20", ""}, {"b@x", "2020-01-01", "2026-01-01"}, {"b@x", "2020-01-01", "2020-01-01"}, {"b@x", "", ""}} {
		d.insert(t, "calls", i+1, row[0], at(row[1]), at(row[2]))
	}
	d.insert(t, "people", 1, "a@x", at("2024-12-31"))
	d.insert(t, "people", 2, "b@x", at("2025-01-01"))
	d.insert(t, "people", 3, nil, at("2010-01-01"))
	m, err := manifest.Parse("desk.yaml", []byte(calls))
	if err != nil {
		t.Fatal(err)
	}
	at20 := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	s, err := Open(t.Context(), m, d.source, WithClock(func() time.Time { return at20 }))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, err := s.Overdue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// 19 May and six months are over on 20 November; 20 May's aren't.
	if want := "[{calls 2 2026-05-20 00:00:00 +0000 UTC} {people 1 2025-01-01 00:00:00 +0000 UTC}]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Overdue(ctx); err == nil {
		t.Error("a count that was broken off is one")
	}
}
