package lifecycle_test

import (
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
