package manifest

import (
	"strings"
	"testing"
)

// clicks is a manifest of a lake in which nothing is wrong.
const clicks = `system: activity
title: {en: Activity}
abilities: [gather, erase]
needs: [account_id, cookie_id]
lake:
  catalogue: sqlite:///var/lake/catalogue.db
  window: 24h
datasets:
  - name: clicks
    title: {en: Clicks}
    category: internet or network activity
    origin: observed
    purpose: {en: To know}
    legal_basis: consent
    storage: {en: A year}
    columns:
      - {name: page}
    lake:
      table: activity.clicks
      key: [click_id]
      subject: {account_id: account_id, cookie_id: cookie}
      columns: {page: url}
`

// TestLake: each mistake in what a manifest says of a lake is told with its line and its
// cure; the schema refuses nothing more.
func TestLake(t *testing.T) {
	t.Parallel()
	m, err := Parse("activity.yaml", []byte(clicks))
	if err != nil {
		t.Fatal(err)
	}
	if !m.KeepsSingle() || m.Datasets[0].Lake.Column("page") != "url" || m.Datasets[0].Lake.Column("other") != "other" {
		t.Error("it isn't read as it is written")
	}
	s := schema(t)
	if refuses(t, s, clicks) {
		t.Error("the schema refuses it")
	}
	for _, c := range []struct {
		old, new, where, want string
		goOnly                bool
	}{
		{"[gather, erase]", "[gather, rectify]", "abilities", "a lake can't rectify", true},
		{"sqlite:///var", "ftp:///var", "  catalogue", "isn't the address of a catalogue", false},
		{"sqlite:///var", "postgres://me:word@host/var", "  catalogue", "holds a password", true},
		{"window: 24h", "window: 1s", "  window", "out of bounds", true},
		{"window: 24h", "window: 5h", "  window", "begin at another hour each day", true},
		{"window: 24h", "window: 36h", "  window", "begin at another hour each day", true},
		{"window: 24h", "waiting: 100", "  waiting", "isn't how many erasures wait for a window", true},
		{"window: 24h", "window: 24h\n  waiting: -1", "  waiting", "isn't how many erasures wait for a window", false},
		{"window: 24h", "refs: forget", "  refs", "unknown refs", false},
		{"window: 24h", "name: a b", "  name", "isn't a catalogue's name", false},
		{"table: activity.clicks", "table: clicks", "      table", "write its namespace and name", false},
		{"key: [click_id]", "key: []", "      key", "dataset clicks has no key", false},
		{"key: [click_id]", "key: [a, a]", "      key", "stands twice", false},
		{"key: [click_id]", "key: [a.b]", "      key", "none within another", false},
		{"cookie_id: cookie}", "email: mail}", "      subject", "isn't among the system's needs", true},
		{"columns: {page: url}", "columns: {pages: url}", "      columns", "isn't a column of dataset clicks", true},
		{"lake:\n  catalogue: sqlite:///var/lake/catalogue.db\n  window: 24h\n", "", "    lake", "the system hasn't", false},
		{"lake:\n  catalogue", "sql: {}\nlake:\n  catalogue", "lake", "a system is served in one way", false},
	} {
		text := change(t, clicks, c.old, c.new)
		_, err := Parse("activity.yaml", []byte(text))
		if err == nil || !problems(err, "activity.yaml:"+lineOf(text, c.where)+": ", c.want) {
			t.Errorf("%s: %v", c.new, err)
		}
		if refuses(t, s, text) == c.goOnly {
			t.Errorf("%s: the schema refuses it: %v", c.new, !c.goOnly)
		}
	}
}

// problems reports whether one of an error's problems begins and goes on so, and has a cure.
func problems(err error, begins, has string) bool {
	e, ok := err.(*Error) //nolint:errorlint // it is what Parse says it returns
	if !ok {
		return false
	}
	for _, p := range append([]*Error{e}, e.rest...) {
		one := *p
		one.More = 0
		if strings.HasPrefix(one.Error(), begins) && strings.Contains(one.Error(), has) && one.Cure != "" {
			return true
		}
	}
	return false
}
