package manifest

import (
	"strings"
	"testing"
)

// tombstone is a manifest whose people leave rows behind that say nothing of them.
const tombstone = `system: shop
title: {en: Shop}
abilities: [resolve, gather, erase]
needs: [email, user_id]
finds: [user_id]
defaults: {category: identifiers, origin: provided, purpose: {en: To serve you}, legal_basis: contract, storage: {en: A year}}
sql:
  resolve: [{find: user_id, table: users, column: id, by: {email: email}}]
datasets:
  - name: users
    title: {en: Account}
    columns: [id, email]
    sql: {key: [id], subject: {user_id: id, email: email}, set: {email: "{random}"}}
  - name: posts
    title: {en: Posts}
    columns: [id, body]
    sql: {key: [id], subject: {user_id: user_id}, set: {body: null}}
`

// TestANumberMayStay: a row that is made anonymous may keep the number by which it was
// found only where an erasure leaves nothing that leads to that number.
func TestANumberMayStay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, old, new, want string }{
		{"it may", "", "", ""},
		{"deleted", `set: {email: "{random}"}`, "erase: delete", ""},
		{"the address stays", `set: {email: "{random}"}`, "erase: keep, why: {en: So}", "anonymise keeps user_id"},
		{"others know it", "finds: [user_id]", "finds: [user_id]\nscope: {user_id: shared}", "anonymise keeps id"},
		{"another table leads to it", "by: {email: email}}]", "by: {email: email}}, {find: user_id, table: logins, column: user_id, by: {email: email}}]", "anonymise keeps id"},
		{"nothing finds it", "abilities: [resolve, gather, erase]\nneeds: [email, user_id]\nfinds: [user_id]", "abilities: [gather, erase]\nneeds: [email, user_id]", "without the ability resolve"},
	} {
		text := tombstone
		if c.old != "" {
			text = change(t, tombstone, c.old, c.new)
		}
		switch _, err := Parse("shop.yaml", []byte(text)); {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

// TestUndecided: each line in which a draft leaves something to a person is told once, and
// fails lint.
func TestUndecided(t *testing.T) {
	t.Parallel()
	text := change(t, tombstone, "purpose: {en: To serve you}, legal_basis: contract, storage: {en: A year}", "\n  purposes: [todo],\n  storage: {en: TODO}")
	text = change(t, text, "set: {body: null}", "erase: keep, why: {en: TODO}")
	m, err := Parse("shop.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range m.Undecided() {
		got = append(got, e.Error())
	}
	if len(got) != 3 || !strings.HasPrefix(got[0], "shop.yaml:8: storage is still to be said; ") || !strings.HasPrefix(got[1], "shop.yaml:7: what the data is used for, and its legal basis, are still to be said; ") || !strings.HasPrefix(got[2], "shop.yaml:19: why the rows are kept is still to be said; ") {
		t.Errorf("got %s", strings.Join(got, "\n"))
	}
	failed := 0
	for _, f := range Lint([]*Manifest{m}, nil) {
		if !f.Warning && strings.Contains(f.What, "still to be said") {
			failed++
		}
	}
	if failed != 3 {
		t.Errorf("lint fails %d", failed)
	}
}
