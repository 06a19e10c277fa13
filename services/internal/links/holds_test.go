package links_test

import (
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/links"
)

// TestHoldsAreOfNow: whom holds concern is as the journal has it when it is asked, whatever
// was asked before, and whichever process put the hold on.
func TestHoldsAreOfNow(t *testing.T) {
	t.Parallel()
	ctx, now := t.Context(), time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	j := memjournal.New(memjournal.Config{})
	here, elsewhere := lifecycle.New(j), lifecycle.New(j)
	holds := links.NewHolds(here, j, []*manifest.Manifest{{System: "chat", Needs: []dsar.IdentifierType{"email"}}, {System: "crm", Needs: []dsar.IdentifierType{"account_id"}}})
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
