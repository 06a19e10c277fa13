package manifest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// numbered returns a system that finds user_id by e-mail, as in case 1, with more
// lines.
func numbered(t *testing.T, system, more string) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Parse(system+".yaml", []byte(fmt.Sprintf(`system: %s
title: {en: %s, fr: %s}
abilities: [resolve, gather, erase]
needs: [email, user_id]
finds: [user_id]
%s
processing: {subjects: {en: Members, fr: Membres}}
sql:
  resolve: [{find: user_id, table: users, column: id, by: {email: email}}]
datasets:
  - name: notes
    title: {en: Notes, fr: Notes}
    category: identifiers
    origin: provided
    purpose: {en: To keep, fr: Pour garder}
    legal_basis: contract
    storage: {en: A year, fr: Un an}
    columns: [{name: id, title: {en: Number, fr: Numéro}}]
    sql: {table: notes, key: [id], subject: {user_id: user_id}, erase: delete}
`, system, system, system, more)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestTwoNumbersOfOneName is case 1: a number that a system finds is that system's own,
// and no other is asked by it.
func TestTwoNumbersOfOneName(t *testing.T) {
	t.Parallel()
	forum, desk := numbered(t, "forum", "scope: {user_id: own}").Definition(), numbered(t, "desk", "").Definition()
	if !slices.Equal(desk.Needs, []dsar.IdentifierType{"email", "desk.user_id"}) || !slices.Equal(desk.Finds, []dsar.IdentifierType{"desk.user_id"}) ||
		!slices.Equal(desk.Links, []dsar.Link{{Find: "desk.user_id", By: "email"}}) {
		t.Errorf("%+v", desk)
	}
	if slices.Contains(desk.Needs, forum.Finds[0]) {
		t.Error("desk is asked by forum's number")
	}
	if d := numbered(t, "desk", "").Datasets[0]; d.SQL.Subject["desk.user_id"] != "user_id" || len(d.SQL.Subject) != 1 {
		t.Errorf("%+v", d.SQL.Subject)
	}
	shared := numbered(t, "crm", "scope: {user_id: shared}").Definition()
	if shared.Finds[0] != "user_id" || !slices.Contains(shared.Needs, "user_id") {
		t.Errorf("%+v", shared)
	}
}

func TestLintOfNamespaces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		forum, desk string
		fails       []string
	}{
		"nobody says":     {"", "", []string{"forum finds user_id", "desk finds user_id"}},
		"one says":        {"scope: {user_id: own}", "", []string{"desk finds user_id"}},
		"both say":        {"scope: {user_id: own}", "scope: {user_id: own}", nil},
		"both are shared": {"scope: {user_id: shared}", "scope: {user_id: shared}", nil},
	} {
		var got []string
		for _, f := range manifest.Lint([]*manifest.Manifest{numbered(t, "forum", c.forum), numbered(t, "desk", c.desk)}) {
			if !f.Warning {
				got = append(got, f.What)
			}
		}
		if len(got) != len(c.fails) {
			t.Errorf("%s: %q", name, got)
			continue
		}
		for i, want := range c.fails {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: %q, want %q", name, got[i], want)
			}
		}
	}
	// A number that another system finds, and that is its own, is nobody else's need.
	shop := numbered(t, "shop", "scope: {user_id: own}")
	shop.Needs = append(shop.Needs, "desk_no", "cart")
	cart := numbered(t, "cart", "scope: {user_id: own}")
	cart.Finds = append(cart.Finds, "cart.cart")
	var got []string
	for _, f := range manifest.Lint([]*manifest.Manifest{shop, cart}) {
		if !f.Warning {
			got = append(got, f.What+": "+f.Cure)
		}
	}
	if len(got) != 2 || !strings.Contains(got[0], "needs desk_no, which no system finds") || !strings.Contains(got[1], "name it cart.cart") {
		t.Errorf("%q", got)
	}
}

func TestStrength(t *testing.T) {
	t.Parallel()
	m := numbered(t, "house", "")
	m.SQL.Resolve[0].Strength, m.SQL.Resolve[0].One = manifest.Weak, true
	if want := (dsar.Link{Find: "house.user_id", By: "email", Weak: true, One: true}); m.Definition().Links[0] != want {
		t.Errorf("%+v", m.Definition().Links)
	}
	m.SQL.Resolve[0].Strength = "feeble"
	if err := m.Validate(); err == nil || !strings.Contains(err.Error(), "strength") {
		t.Error(err)
	}
}
