package lifecycle_test

import (
	"errors"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
)

// TestDecidedAboutNothing: what a person decides and is about no earlier request is decided
// like a complaint; nothing is looked for that could be taken up again.
func TestDecidedAboutNothing(t *testing.T) {
	t.Parallel()
	l := lifecycle.New(memjournal.New(memjournal.Config{}))
	id := "0d1f5c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	if _, err := l.Accept(t.Context(), core.Accepted{RequestID: id, Right: "automated-explanation", ReceivedAt: start, AcceptedAt: start, Digest: "d", Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "f", Sealed: []byte("s"), Assurance: dsar.AssuranceVerified}}}); err != nil {
		t.Fatal(err)
	}
	s, err := l.Do(t.Context(), id, core.DecideGrievance{By: "ana", Finding: core.Upheld, Reason: "by the payments of a year", Now: start})
	if err != nil || s.Status != core.StatusCompleted || s.Decision.Reopened {
		t.Errorf("%s, %v", s.Status, err)
	}
}

// TestWhoRefusedAPartDoesntJudge: also where they refused it after the complaint had come in.
func TestWhoRefusedAPartDoesntJudge(t *testing.T) {
	t.Parallel()
	l := lifecycle.New(memjournal.New(memjournal.Config{}))
	const id, complaint = "0d1f5c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", "0d1f5c0e-6f0f-4b43-9f0f-3a9c3c0f7a12"
	accept := func(a core.Accepted) {
		t.Helper()
		a.ReceivedAt, a.AcceptedAt, a.Digest = start, start, "d"
		a.Identifiers = []dsar.Identifier{{Type: "email", Fingerprint: "f", Sealed: []byte("s"), Assurance: dsar.AssuranceVerified}}
		if _, err := l.Accept(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	accept(core.Accepted{RequestID: id, Right: dsar.Access, Terms: core.Terms{PartRefusals: []string{"harm"}}, Systems: []dsar.System{{Name: "shop", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}}})
	accept(core.Accepted{RequestID: complaint, Right: dsar.Complaint, About: &core.About{RequestID: id, Right: dsar.Access}})
	if _, err := l.Do(t.Context(), id, core.RefusePart{By: "lea", System: "shop", Dataset: "notes", Ground: "harm", Reason: "looked at them", Now: start}); err != nil {
		t.Fatal(err)
	}
	decide := core.DecideGrievance{By: "lea", Finding: core.Dismissed, Reason: "it was right", Now: start}
	if _, err := l.Do(t.Context(), complaint, decide); !errors.Is(err, core.ErrNotAllowed) {
		t.Errorf("who refused decides: %v", err)
	}
	decide.By = "sam"
	if _, err := l.Do(t.Context(), complaint, decide); err != nil {
		t.Error(err)
	}
}
