package core_test

import (
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// carriedOver returns an access of which the account fp-5 came from an earlier request, by the
// address, and in which its account's system has found some identifiers.
func carriedOver(t *testing.T, found ...dsar.Identifier) *desk {
	t.Helper()
	crm := account
	crm.Needs = []dsar.IdentifierType{"email", "account_id"}
	crm.Links = []dsar.Link{{Find: "account_id", By: "email"}, {Find: "customer_ref", By: "account_id"}}
	crm.Finds = []dsar.IdentifierType{"account_id", "customer_ref"}
	crm.EraseAfter = nil
	d := &desk{t: t, now: start}
	d.do(core.Submit{Accepted: core.Accepted{RequestID: "r2", Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: start, AcceptedAt: start, DueAt: start.AddDate(0, 1, 0), Digest: "d1", LooksBack: true, LooksFirst: true,
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "fp-email", Assurance: dsar.AssuranceVerified}}, Systems: []dsar.System{crm, billing}}})
	d.do(core.LookBack{LookedUp: []string{"fp-email"}, Now: d.now, Of: []string{"r1"},
		Identifiers: []dsar.Identifier{{Type: "account_id", Fingerprint: "fp-5", From: "fp-email", Assurance: dsar.AssuranceFound, FoundBy: dsar.EarlierRequest}},
		Carried:     []core.Carried{{Fingerprint: "fp-email", Request: "r1"}, {Fingerprint: "fp-5", Request: "r1"}}})
	r := ended("account", dsar.Resolve, dsar.Found)
	r.Identifiers = found
	d.report(r)
	for d.state.Task("account", dsar.Resolve).Status == core.TaskIsSent { // by what it found itself
		d.report(ended("account", dsar.Resolve, dsar.NothingFound))
	}
	return d
}

// TestWhatWasCarriedOverIsDoubted holds that another account than the one that an earlier
// request of the same address had is for a person to judge, before anybody is asked by either;
// and that the same one, found by the address again, isn't.
func TestWhatWasCarriedOverIsDoubted(t *testing.T) {
	t.Parallel()
	five := dsar.Identifier{Type: "account_id", Fingerprint: "fp-5", From: "fp-email"}
	ninety := dsar.Identifier{Type: "account_id", Fingerprint: "fp-90", From: "fp-email"}
	of5 := dsar.Identifier{Type: "customer_ref", Fingerprint: "fp-ref", From: "fp-5"}
	for name, c := range map[string]struct {
		found []dsar.Identifier
		doubt bool
	}{
		"nothing found":        {nil, false},
		"the same account":     {[]dsar.Identifier{five}, false},
		"another":              {[]dsar.Identifier{ninety}, true},
		"the same and another": {[]dsar.Identifier{five, ninety}, false},
		"another by the old":   {[]dsar.Identifier{of5}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := carriedOver(t, c.found...)
			doubts := d.state.InDoubt()
			if c.doubt != (len(doubts) == 1) || c.doubt && (doubts[0].RequestID != "r1" || doubts[0].Why != core.DoubtAccounts || d.state.Task("billing", dsar.Gather) != nil) {
				t.Fatalf("in doubt about %+v, billing %+v", doubts, d.state.Task("billing", dsar.Gather))
			}
		})
	}
}

// TestWhatWasCarriedOverGoes holds that nothing is asked by what another's request had, nor by
// what was found by that, once a person has said that they are two.
func TestWhatWasCarriedOverGoes(t *testing.T) {
	t.Parallel()
	for _, same := range []bool{false, true} {
		d := carriedOver(t, dsar.Identifier{Type: "account_id", Fingerprint: "fp-90", From: "fp-email"}, dsar.Identifier{Type: "customer_ref", Fingerprint: "fp-ref", From: "fp-5"})
		d.do(core.JudgeEarlier{By: "lea", Request: "r1", Same: same, Reason: "asked", Now: d.now})
		var known []string
		for _, id := range d.state.Identifiers {
			known = append(known, id.Fingerprint)
		}
		want := []string{"fp-90", "fp-email"}
		if same {
			want = []string{"fp-5", "fp-90", "fp-email", "fp-ref"}
		}
		slices.Sort(known)
		if !slices.Equal(known, want) || len(d.state.InDoubt()) > 0 || d.state.Status == core.StatusNeedsAttention {
			t.Errorf("same %v: known %v, want %v; %s", same, known, want, d.state.Status)
		}
	}
}
