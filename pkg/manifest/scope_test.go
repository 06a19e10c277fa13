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
		for _, f := range manifest.Lint([]*manifest.Manifest{numbered(t, "forum", c.forum), numbered(t, "desk", c.desk)}, nil) {
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
	for _, f := range manifest.Lint([]*manifest.Manifest{shop, cart}, nil) {
		if !f.Warning {
			got = append(got, f.What+": "+f.Cure)
		}
	}
	if len(got) != 2 || !strings.Contains(got[0], "needs desk_no, which no system finds") || !strings.Contains(got[1], "name it cart.cart") {
		t.Errorf("%q", got)
	}
}

// TestAlong: what a resolve finds over the very rows by which the system finds another number
// is found along with that, and nothing else is.
func TestAlong(t *testing.T) {
	t.Parallel()
	const rules = `
    - {find: user_id, table: users, column: id, by: {email: email, phone: phone}}
    - `
	for rule, want := range map[string]bool{
		"{find: cookie, table: browsers, column: cookie, via: [{table: users, on: {user: id}}], by: {user_id: user, email: users.email, phone: users.phone}}":                                                                                    true,
		"{find: cookie, table: browsers, column: cookie, via: [{table: users, as: u, on: {user: id}}], by: {user_id: user, email: u.email, phone: u.phone}}":                                                                                     true,
		"{find: cookie, table: browsers, column: cookie, via: [{table: users, on: {user: id}}], by: {user_id: user, email: users.email}}":                                                                                                        false,
		"{find: cookie, table: browsers, column: cookie, via: [{table: users, on: {other: id}}], by: {user_id: user, email: users.email, phone: users.phone}}":                                                                                   false,
		"{find: cookie, table: browsers, column: cookie, via: [{table: users, on: {user: id}, where: {old: 'no'}}], by: {user_id: user, email: users.email, phone: users.phone}}":                                                                false,
		"{find: cookie, table: browsers, column: cookie, via: [{table: guests, on: {user: id}}], by: {user_id: user, email: guests.email, phone: guests.phone}}":                                                                                 false,
		"{find: cookie, table: browsers, column: cookie, by: {user_id: user, email: email, phone: phone}}":                                                                                                                                       false,
		"{find: cookie, table: browsers, column: cookie, strength: weak, via: [{table: users, on: {user: id}}], by: {user_id: user, email: users.email, phone: users.phone}}":                                                                    false,
		"{find: user_id, table: users, column: id, by: {email: fax}, strength: weak}\n    - {find: cookie, table: browsers, column: cookie, via: [{table: users, on: {user: id}}], by: {user_id: user, email: users.email, phone: users.phone}}": true,
		"{find: cookie, table: browsers, column: cookie, by: {user_id: user}}":                                                                                                                                                                   false,
	} {
		m, err := manifest.Parse("shop.yaml", fmt.Appendf(nil, `
system: shop
title: {en: Shop}
abilities: [resolve, gather]
needs: [email, phone, user_id]
finds: [user_id, cookie]
scope: {user_id: shared, cookie: shared}
defaults: {category: identifiers, origin: provided, purpose: {en: To sell}, legal_basis: contract, storage: {en: A year}}
sql:
  resolve:%s%s
datasets:
  - {name: users, title: {en: Users}, columns: [id], sql: {key: [id], subject: {user_id: id}}}
`, rules, rule))
		if err != nil {
			t.Fatal(err)
		}
		s := m.Definition()
		if s.LeadsOn("user_id") == want || s.LeadsOn("email") == false {
			t.Errorf("%s: found along is %t, want %t", rule, !want, want)
		}
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

// TestWhatRequestsBringFinds: a system that finds addresses and telephone numbers is asked by
// those of a request, too, in all that its manifest goes by; what it finds stays its own,
// and is asked by as well. A number's name says nothing of whose it is.
func TestWhatRequestsBringFinds(t *testing.T) {
	t.Parallel()
	for _, typ := range []dsar.IdentifierType{"email", "phone", "account_id"} {
		for _, scope := range []string{"", "own", "shared"} {
			text := fmt.Sprintf(`system: shop
title: {en: Shop}
abilities: [resolve, gather, erase]
needs: [user_id, %[1]s]
finds: [user_id, %[1]s]
defaults: {category: identifiers, origin: provided, purpose: {en: To sell}, legal_basis: contract, storage: {en: A year}}
sql:
  resolve:
    - {find: user_id, table: users, column: id, by: {%[1]s: held}}
    - {find: %[1]s, table: further, column: held, by: {user_id: user_id}}
datasets:
  - {name: users, title: {en: Users}, columns: [id, held, note], sql: {key: [id], subject: {%[1]s: held}, mentions: {%[1]s: [note]}, erase: delete}, others: [{columns: [note], unless: {%[1]s: held}, then: person}]}
`, typ)
			if scope != "" {
				text += fmt.Sprintf("scope: {%s: %s}\n", typ, scope)
			}
			m, err := manifest.Parse("shop.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			s, brought := m.Definition(), typ != "account_id" || scope == "shared"
			own := dsar.IdentifierType("shop." + string(typ))
			if scope == "shared" {
				own = typ
			}
			sql := m.Datasets[0].SQL
			for where, has := range map[string]func(dsar.IdentifierType) bool{
				"needs": func(t dsar.IdentifierType) bool { return slices.Contains(s.Needs, t) },
				"links": func(t dsar.IdentifierType) bool {
					return slices.ContainsFunc(s.Links, func(l dsar.Link) bool { return l.By == t })
				},
				"subject":  func(t dsar.IdentifierType) bool { return sql.Subject[t] == "held" },
				"others":   func(t dsar.IdentifierType) bool { return m.Datasets[0].Others[0].Unless[t] == "held" },
				"mentions": func(t dsar.IdentifierType) bool { return len(sql.Mentions[t]) == 1 },
				"resolve":  func(t dsar.IdentifierType) bool { return m.SQL.Resolve[0].By[t] == "held" },
			} {
				if !has(own) || has(typ) != brought {
					t.Errorf("%s, %s: %s has %s: %t, %s: %t", typ, scope, where, own, has(own), typ, has(typ))
				}
			}
			if !slices.Equal(s.Finds, []dsar.IdentifierType{"shop.user_id", own}) {
				t.Errorf("%s, %s: it finds %v", typ, scope, s.Finds)
			}
			if err := manifest.Refused([]*manifest.Manifest{m}); (err != nil) != (typ == "account_id" && scope == "") {
				t.Errorf("%s, %s: %v", typ, scope, err)
			}
		}
	}
}

// TestWhatNothingStartsWith: another system's number, and a need that nothing fulfils, are
// refused, and not only found; what lint fails for other reasons isn't.
func TestWhatNothingStartsWith(t *testing.T) {
	t.Parallel()
	forum, desk, crm := numbered(t, "forum", ""), numbered(t, "desk", ""), numbered(t, "crm", "")
	if err := manifest.Refused([]*manifest.Manifest{forum, desk}); err != nil {
		t.Error(err)
	}
	crm.Finds = []dsar.IdentifierType{"forum.user_id"}
	if err := manifest.Refused([]*manifest.Manifest{forum, crm}); err == nil || !strings.Contains(err.Error(), "crm finds forum.user_id, which belongs to forum") || !strings.Contains(err.Error(), "crm needs crm.user_id, which no system finds") {
		t.Error(err)
	}
	desk.Needs = []dsar.IdentifierType{"user_id"}
	if err := manifest.Refused([]*manifest.Manifest{forum, desk}); err == nil || !strings.Contains(err.Error(), "desk needs user_id, which no system finds") {
		t.Error(err)
	}
}
