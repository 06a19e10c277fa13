package core_test

import (
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// TestHoldsOfFoundIdentifiers: nothing is erased before it was looked, by what was found
// too, for holds in other requests of the person; one that is found there keeps what it
// keeps.
func TestHoldsOfFoundIdentifiers(t *testing.T) {
	t.Parallel()
	finder := dsar.System{Name: "crm", Abilities: []dsar.Action{dsar.Resolve, dsar.Erase}, Needs: []dsar.IdentifierType{"email"}, Finds: []dsar.IdentifierType{"account_id"}, Holds: true}
	d := newDesk(t, dsar.Erasure, finder)
	d.state.Accepted.LooksBack = true
	found := ended("crm", dsar.Resolve, dsar.Found)
	found.Identifiers = []dsar.Identifier{{Type: "account_id", Fingerprint: "account", From: d.state.Identifiers[0].Fingerprint}}
	d.report(found)
	if len(d.state.Duties(d.now)) != 0 {
		t.Errorf("owed while it is planned: %v", d.state.Duties(d.now))
	}
	d.says(dsar.Plan, dsar.Found, dsar.Counts{Found: 5})
	d.wants()
	if d.state.Status != core.StatusPlanning {
		t.Errorf("it is %s", d.state.Status)
	}
	duties := d.state.Duties(d.now)
	if len(duties) != 1 || duties[0] != core.DutyLookBack || core.Wake(d.state).After(d.now) || len(d.state.Unlooked()) != 2 {
		t.Fatalf("owed %v, by %v, wakes %v", duties, d.state.Unlooked(), core.Wake(d.state))
	}
	var looked []string
	for _, id := range d.state.Unlooked() {
		looked = append(looked, id.Fingerprint)
	}
	hold := core.HoldPlaced{ReasonedAct: core.ReasonedAct{By: core.ByPolicy, Reason: "a hold is on elsewhere", At: d.now}, System: "crm", Dataset: "contacts"}
	d.do(core.LookBack{LookedUp: looked, Holds: []core.HoldPlaced{hold}, Now: d.now})
	d.wants("crm erase")
	if task := d.sent(dsar.Erase); len(task.Holds) != 1 || task.Holds[0] != "contacts" {
		t.Errorf("erased with the holds %v", task.Holds)
	}
	if facts := d.do(core.LookBack{LookedUp: looked, Now: d.now}); len(facts) > 0 {
		t.Errorf("looked twice: %v", facts)
	}
}

// TestCarriedIdentifiersComeFirst: where an earlier erasure had to keep something, nobody
// is asked before it is known by what that was found.
func TestCarriedIdentifiersComeFirst(t *testing.T) {
	t.Parallel()
	books := dsar.System{Name: "books", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"account_id"}}
	email := dsar.Identifier{Type: "email", Fingerprint: "e", Sealed: []byte{1}, Assurance: dsar.AssuranceVerified}
	submit := core.Submit{Accepted: core.Accepted{RequestID: "r", Right: dsar.Access, ReceivedAt: start, AcceptedAt: start, DueAt: start.Add(30 * 24 * time.Hour), Digest: "d", LooksBack: true,
		Identifiers: []dsar.Identifier{email}, Systems: []dsar.System{books}, Kept: []core.KeptEarlier{{RequestID: "earlier", System: "books", Dataset: "invoices", From: "e"}}}}
	facts, err := core.Decide(core.State{}, submit)
	if err != nil || len(facts) != 1 {
		t.Fatalf("%v, %v", facts, err)
	}
	s := core.Fold(facts)
	account := dsar.Identifier{Type: "account_id", Fingerprint: "a", Sealed: []byte{1}, Assurance: dsar.AssuranceFound, FoundBy: dsar.EarlierRequest, From: "e"}
	facts, err = core.Decide(s, core.LookBack{LookedUp: []string{"e"}, Identifiers: []dsar.Identifier{account}, Now: start})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range facts {
		s = core.Evolve(s, f)
	}
	if task := s.Task("books", dsar.Gather); task == nil || task.Status != core.TaskIsSent {
		t.Errorf("books isn't asked: %+v", s.Tasks)
	}
}
