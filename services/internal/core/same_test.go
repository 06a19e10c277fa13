package core_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// person draws what a request knows of its person.
func person(t *rapid.T, name string) []dsar.Identifier {
	one := rapid.Custom(func(t *rapid.T) dsar.Identifier {
		typ := rapid.SampledFrom([]dsar.IdentifierType{"email", "shop.email", "phone", "shop.phone", "postal_address", "account_id", "desk.user_id"}).Draw(t, "type")
		return dsar.Identifier{Type: typ, Fingerprint: fmt.Sprintf("%s-%d", typ, rapid.IntRange(1, 3).Draw(t, "value"))}
	})
	return rapid.SliceOfN(one, 0, 5).Draw(t, name)
}

// weakly are the types that a household shares, beside telephones.
var weakly = []dsar.IdentifierType{"postal_address"}

// TestCompareIsSymmetric: two requests are of one person, or may be, whichever of them is
// looked at first, and in whatever order they know what they know.
func TestCompareIsSymmetric(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := person(t, "a"), person(t, "b")
		one, other := core.Compare(a, b, weakly), core.Compare(b, a, weakly)
		turned := slices.Clone(a)
		slices.Reverse(turned)
		again := core.Compare(turned, b, weakly)
		for _, c := range []core.Comparison{other, again} {
			if one.Sameness != c.Sameness || one.Doubt != c.Doubt || one.Account != c.Account {
				t.Fatalf("%+v, and %+v", one, c)
			}
		}
	})
}

// TestHouseholdsAreNotOne: nobody is taken for somebody else by what a household shares, nor
// against what is known of their accounts; nobody with something in common is silently another;
// and what both have is named by what says the most.
func TestHouseholdsAreNotOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := person(t, "a"), person(t, "b")
		c := core.Compare(a, b, weakly)
		shared := func(typ dsar.IdentifierType) bool {
			return typ == "phone" || typ == "shop.phone" || typ == "postal_address"
		}
		common := func(ids []dsar.Identifier, only func(dsar.Identifier) bool) bool {
			return slices.ContainsFunc(ids, func(id dsar.Identifier) bool {
				return only(id) && slices.ContainsFunc(b, func(o dsar.Identifier) bool { return o.Fingerprint == id.Fingerprint })
			})
		}
		any, own := common(a, func(dsar.Identifier) bool { return true }), common(a, func(id dsar.Identifier) bool { return !shared(id.Type) })
		differ := false
		for _, typ := range []dsar.IdentifierType{"account_id", "desk.user_id"} {
			is := func(id dsar.Identifier) bool { return id.Type == typ }
			differ = differ || slices.ContainsFunc(a, is) && slices.ContainsFunc(b, is) && !common(a, is)
		}
		want := core.Comparison{Sameness: core.SamePerson}
		switch {
		case !any:
			want.Sameness = core.NothingInCommon
		case differ:
			want.Sameness, want.Doubt = core.PerhapsSame, core.DoubtAccounts
		case !own:
			want.Sameness, want.Doubt = core.PerhapsSame, core.DoubtShared
		}
		if c.Sameness != want.Sameness || c.Doubt != want.Doubt || (c.By < 0) == any {
			t.Fatalf("%v and %v: %+v, not %+v", a, b, c, want)
		}
		if any && (shared(a[c.By].Type) == own || !common(a[c.By:c.By+1], func(dsar.Identifier) bool { return true })) {
			t.Fatalf("%v and %v: by %d", a, b, c.By)
		}
	})
}

// TestHousehold: a type is a household's where only weak links go by it.
func TestHousehold(t *testing.T) {
	t.Parallel()
	s := core.State{Accepted: core.Accepted{Systems: []dsar.System{
		{Name: "crm", Links: []dsar.Link{{Find: "account_id", By: "postal_address", Weak: true}, {Find: "account_id", By: "email", Weak: true}}},
		{Name: "shop", Links: []dsar.Link{{Find: "account_id", By: "email"}}},
	}}}
	if got := s.Household(); !slices.Equal(got, weakly) {
		t.Errorf("%v", got)
	}
	empty := []dsar.Identifier{{Type: "email"}}
	if c := core.Compare(empty, empty, nil); c.Sameness != core.NothingInCommon {
		t.Errorf("what nobody can open is %q", c.Sameness)
	}
}

// TestNumbersAreGivenAnew: a number that an erasure has taken makes nobody the same person who has
// it later, where it was found by something else, or another address is known; whichever request
// is compared with the other.
func TestNumbersAreGivenAnew(t *testing.T) {
	t.Parallel()
	id := func(t dsar.IdentifierType, value, by string) dsar.Identifier {
		return dsar.Identifier{Type: t, Fingerprint: value, FoundBy: by}
	}
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	erased := core.State{Right: dsar.Erasure, AnsweredAt: at.AddDate(0, 0, 1), Accepted: core.Accepted{RequestID: "a", AcceptedAt: at}}
	later := core.State{Right: dsar.Access, Accepted: core.Accepted{RequestID: "b", AcceptedAt: at.AddDate(0, 1, 0)}}
	ann := []dsar.Identifier{id("email", "ann", ""), id("account_id", "5", "shop")}
	for name, c := range map[string]struct {
		then, now core.State
		ids       []dsar.Identifier
		want      core.Comparison
	}{
		"found by another address":     {erased, later, []dsar.Identifier{id("email", "dora", ""), id("account_id", "5", "shop")}, core.Comparison{Sameness: core.PerhapsSame, Doubt: core.DoubtNumber}},
		"found by another number":      {erased, later, []dsar.Identifier{id("user_no", "7", ""), id("account_id", "5", "shop")}, core.Comparison{Sameness: core.PerhapsSame, Doubt: core.DoubtNumber}},
		"given with another address":   {erased, later, []dsar.Identifier{id("email", "dora", ""), id("account_id", "5", "")}, core.Comparison{Sameness: core.PerhapsSame, Doubt: core.DoubtNumber}},
		"the same address":             {erased, later, []dsar.Identifier{id("email", "ann", ""), id("account_id", "5", "shop")}, core.Comparison{Sameness: core.SamePerson}},
		"given alone":                  {erased, later, []dsar.Identifier{id("account_id", "5", "")}, core.Comparison{Sameness: core.SamePerson}},
		"taken over":                   {erased, later, []dsar.Identifier{id("user_no", "7", ""), id("account_id", "5", dsar.EarlierRequest)}, core.Comparison{Sameness: core.SamePerson}},
		"before anything was erased":   {core.State{Right: dsar.Erasure, Accepted: erased.Accepted}, later, []dsar.Identifier{id("email", "dora", ""), id("account_id", "5", "shop")}, core.Comparison{Sameness: core.SamePerson}},
		"the erasure came afterwards":  {erased, core.State{Right: dsar.Access, Accepted: core.Accepted{RequestID: "b", AcceptedAt: at.AddDate(0, -1, 0)}}, []dsar.Identifier{id("email", "dora", ""), id("account_id", "5", "shop")}, core.Comparison{Sameness: core.SamePerson}},
		"no erasure":                   {core.State{Right: dsar.Access, AnsweredAt: at, Accepted: erased.Accepted}, later, []dsar.Identifier{id("email", "dora", ""), id("account_id", "5", "shop")}, core.Comparison{Sameness: core.SamePerson}},
		"a telephone beside":           {erased, later, []dsar.Identifier{id("phone", "1", ""), id("account_id", "5", "shop")}, core.Comparison{Sameness: core.PerhapsSame, Doubt: core.DoubtNumber}},
		"two accounts in the same way": {erased, later, []dsar.Identifier{id("email", "dora", ""), id("account_id", "6", "shop")}, core.Comparison{}},
	} {
		then := append(slices.Clip(ann), id("phone", "1", ""))
		for _, got := range []core.Comparison{c.now.Compare(c.ids, c.then, then), c.then.Compare(then, c.now, c.ids)} {
			if got.Sameness != c.want.Sameness || got.Doubt != c.want.Doubt {
				t.Errorf("%s: %q %q, want %q %q", name, got.Sameness, got.Doubt, c.want.Sameness, c.want.Doubt)
			}
		}
	}
}
