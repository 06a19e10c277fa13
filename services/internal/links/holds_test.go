package links_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/links"
	"habeas.dev/services/internal/prints"
)

// TestHoldsAreOfNow: whom holds concern is as the journal has it when it is asked, whatever
// was asked before, and whichever process put the hold on.
func TestHoldsAreOfNow(t *testing.T) {
	t.Parallel()
	ctx, now := t.Context(), time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	j := memjournal.New(memjournal.Config{})
	here, elsewhere := lifecycle.New(j), lifecycle.New(j)
	holds := links.NewHolds(here, j, newPrints(t), []*manifest.Manifest{{System: "chat", Needs: []dsar.IdentifierType{"email"}}, {System: "crm", Needs: []dsar.IdentifierType{"account_id"}}})
	const id = "0f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	if _, err := here.Accept(ctx, core.Accepted{RequestID: id, Right: dsar.Access, ReceivedAt: now, AcceptedAt: now, DueAt: now.AddDate(0, 1, 0), Digest: "d",
		Systems:     []dsar.System{{Name: "chat", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}},
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "0123456789abcdef", Sealed: []byte{1}, Assurance: dsar.AssuranceVerified}}}); err != nil {
		t.Fatal(err)
	}
	wants := func(system string, people int, datasets ...string) {
		t.Helper()
		held, err := holds.Held(ctx, system, "another")
		if err != nil || len(held) != people {
			t.Fatalf("%s: %+v, %v", system, held, err)
		}
		if people > 0 && !slices.Equal(held[0].Datasets, datasets) {
			t.Errorf("%s: %v is held", system, held[0].Datasets)
		}
	}
	wants("chat", 0)
	for _, c := range []core.Command{core.Hold{By: "lea", Reason: "a lawsuit", System: "chat", Dataset: "messages", Now: now}, core.Hold{By: "lea", Reason: "another", System: "chat", Dataset: "drafts", Now: now}} {
		if _, err := elsewhere.Do(ctx, id, c); err != nil {
			t.Fatal(err)
		}
		held, err := holds.Held(ctx, "chat", "another")
		if err != nil || len(held) != 1 || len(held[0].Identifiers) != 1 {
			t.Fatalf("%+v, %v", held, err)
		}
	}
	wants("chat", 1, "messages", "drafts")
	wants("crm", 0)
	wants("nowhere", 0)
	// Tasks that leave together look once, when the first of them does.
	batch := holds.Together()
	for _, system := range []string{"chat", "crm", "chat"} {
		if held, err := batch.Held(ctx, system, "another"); err != nil || (len(held) == 1) != (system == "chat") {
			t.Errorf("%s: %+v, %v", system, held, err)
		}
	}
	if held, err := holds.Held(ctx, "chat", id); err != nil || len(held) != 0 {
		t.Errorf("of its own request: %+v, %v", held, err)
	}
	for _, dataset := range []string{"messages", "drafts"} {
		if _, err := elsewhere.Do(ctx, id, core.Lift{By: "lea", Reason: "settled", System: "chat", Dataset: dataset, Now: now}); err != nil {
			t.Fatal(err)
		}
	}
	wants("chat", 0)
}

// newPrints makes prints by a vault of their own.
func newPrints(t *testing.T) prints.Prints {
	t.Helper()
	v, err := vault.InMemory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return prints.Prints{Vault: v}
}

// kin are requests of one person, with a journal of their own.
type kin struct {
	*testing.T
	l       *lifecycle.Lifecycle
	journal journal.Store
	holds   *links.Holds
	now     time.Time
}

func newKin(t *testing.T) kin {
	t.Helper()
	j := memjournal.New(memjournal.Config{})
	l := lifecycle.New(j)
	return kin{t, l, j, links.NewHolds(l, j, newPrints(t), []*manifest.Manifest{{System: "chat", Needs: []dsar.IdentifierType{"email"}}}), time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)}
}

func (k kin) do(id string, c core.Command) {
	k.Helper()
	if _, err := k.l.Do(k.Context(), id, c); err != nil {
		k.Fatal(err)
	}
}

// accept accepts a request, with the holds that come over and the erasures that were before it.
func (k kin) accept(id string, right dsar.Right, carried []core.HoldPlaced, erasures ...string) {
	k.Helper()
	k.do(id, core.Submit{Accepted: core.Accepted{RequestID: id, Right: right, ReceivedAt: k.now, AcceptedAt: k.now, DueAt: k.now.AddDate(0, 1, 0), Digest: "d", Erasures: erasures,
		Systems:     []dsar.System{{Name: "chat", Abilities: []dsar.Action{dsar.Gather, dsar.Erase}, Needs: []dsar.IdentifierType{"email"}, Holds: true}},
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "0123456789abcdef", Sealed: []byte{1}, Assurance: dsar.AssuranceVerified}}}, Holds: carried})
}

// plan reports an erasure's plan, which has one record that a hold keeps.
func (k kin) plan(id string) {
	k.Helper()
	kept := dsar.Counts{Dataset: "messages", Found: 1, Retained: []dsar.Retention{{Records: 1, Ground: dsar.LegalHold}}}
	k.do(id, core.TakeReport{Report: dsar.Report{RequestID: id, System: "chat", Action: dsar.Plan, Attempt: 1, Kind: dsar.ReportEnded, Outcome: dsar.Found, Counts: []dsar.Counts{kept},
		Objects: []dsar.Object{{Name: "chat/plan/1-of-" + id[:1], Records: 1, SHA256: "h"}}}, Now: k.now})
}

// hold puts a hold on, of one dataset, or of everything where none is named.
func (k kin) hold(id, dataset string) {
	k.Helper()
	c := core.Hold{By: "lea", Reason: "a lawsuit", Dataset: dataset, Now: k.now}
	if dataset != "" {
		c.System = "chat"
	}
	k.do(id, c)
}

// told returns of whom a request's task is told, each with their plans, sorted.
func (k kin) told(asking string) (out []string) {
	k.Helper()
	people, err := k.holds.Held(k.Context(), "chat", asking)
	if err != nil {
		k.Fatal(err)
	}
	for _, p := range people {
		line := p.RequestID[:1]
		for _, o := range p.Plans {
			line += " " + o.Name
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}

const (
	req0 = "0f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	req1 = "1f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	req2 = "2f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
)

// TestHoldsKnowThePersonsErasures: what a hold keeps is told with the plans of the person's
// other erasures, of those to which it came over as of those that were before, as long as it
// is on; neither to these nor to itself.
func TestHoldsKnowThePersonsErasures(t *testing.T) {
	t.Parallel()
	k := newKin(t)
	k.accept(req0, dsar.Erasure, nil)
	k.plan(req0)
	k.accept(req1, dsar.Access, nil, req0)
	k.hold(req1, "messages")
	s, err := k.l.State(t.Context(), req1)
	if err != nil {
		t.Fatal(err)
	}
	k.accept(req2, dsar.Erasure, s.HoldsFor(k.now))
	k.plan(req2)
	for asking, want := range map[string][]string{
		"another": {"0 chat/plan/1-of-0", "1", "2 chat/plan/1-of-2"},
		req2:      {"0 chat/plan/1-of-0", "1"},
		req1:      nil,
	} {
		if got := k.told(asking); !slices.Equal(got, want) {
			t.Errorf("%s is told of %v, want %v", asking, got, want)
		}
	}
	k.do(req1, core.Lift{By: "lea", Reason: "settled", System: "chat", Dataset: "messages", Now: k.now})
	if got := k.told("another"); got != nil {
		t.Errorf("though it is lifted: %v", got)
	}
}

// TestNoHoldIsDroppedBesideAnother: a request is told of another's holds whatever holds it has
// itself, and whose else meet on the erasures of the person.
func TestNoHoldIsDroppedBesideAnother(t *testing.T) {
	t.Parallel()
	t.Run("it has one of its own", func(t *testing.T) {
		t.Parallel()
		k := newKin(t)
		k.accept(req0, dsar.Erasure, nil)
		k.accept(req1, dsar.Erasure, nil, req0)
		k.hold(req0, "")
		if got := k.told(req1); !slices.Equal(got, []string{"0"}) {
			t.Fatalf("without one of its own it is told of %v", got)
		}
		k.hold(req1, "drafts")
		if got := k.told(req1); !slices.Equal(got, []string{"0"}) {
			t.Errorf("it is told of %v", got)
		}
		people, err := k.holds.Held(t.Context(), "chat", req1)
		if err != nil || len(people) != 1 || people[0].Datasets != nil {
			t.Errorf("not everything is held: %+v, %v", people, err)
		}
	})
	t.Run("two meet on an erasure", func(t *testing.T) {
		t.Parallel()
		k := newKin(t)
		k.accept(req0, dsar.Erasure, nil)
		k.plan(req0)
		for _, id := range []string{req1, req2} {
			k.accept(id, dsar.Access, nil, req0)
			k.hold(id, "messages")
		}
		for asking, want := range map[string][]string{
			req1: {"0 chat/plan/1-of-0", "2"},
			req2: {"0 chat/plan/1-of-0", "1"},
			req0: {"1", "2"},
		} {
			if got := k.told(asking); !slices.Equal(got, want) {
				t.Errorf("%s is told of %v, want %v", asking, got, want)
			}
		}
	})
}

// onePerson has every request found by the same fingerprint.
type onePerson struct{}

func (onePerson) Across(context.Context, string, []dsar.Identifier) ([]string, error) {
	return []string{"0123456789abcdef"}, nil
}

// TestWhereALiftedHoldGoesOn: a hold that was lifted is named in each other request to which it
// passed on, or from which it came, until it is lifted there; one that somebody put on another
// request by itself isn't.
func TestWhereALiftedHoldGoesOn(t *testing.T) {
	t.Parallel()
	k := newKin(t)
	wants := func(of string, want ...string) {
		t.Helper()
		s, err := k.l.State(t.Context(), of)
		if err != nil {
			t.Fatal(err)
		}
		on, err := links.GoesOn(t.Context(), k.l.State, k.journal, onePerson{}, s)
		var got []string
		for _, g := range on {
			got = append(got, g.RequestID)
			if !slices.Equal(g.Holds, []core.Held{{System: "chat", Dataset: "messages"}}) {
				t.Errorf("of %s %v go on", of[:1], g.Holds)
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("of %s it goes on in %v, want %v (%v)", of[:1], got, want, err)
		}
	}
	lift := core.Lift{By: "lea", Reason: "settled", System: "chat", Dataset: "messages", Now: k.now}
	k.accept(req0, dsar.Access, nil)
	k.hold(req0, "messages")
	from := func(id string) []core.HoldPlaced {
		s, err := k.l.State(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return s.HoldsFor(k.now)
	}
	k.accept(req1, dsar.Erasure, from(req0))
	k.accept(req2, dsar.Erasure, from(req1))
	const other = "3f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	k.accept(other, dsar.Access, nil)
	k.hold(other, "messages")
	wants(req0)
	k.do(req0, lift)
	wants(req0, req1, req2)
	k.do(req1, lift)
	wants(req0, req2)
	wants(req1, req2)
	k.do(req2, lift)
	wants(req0)
	k.hold(req0, "messages")
	wants(req0)
	wants(req2, req0)
}
