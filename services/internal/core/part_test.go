package core_test

import (
	"errors"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// TestPartOfACopyIsRefused: one dataset, on a ground that the law knows for a part, with the
// fact that says so in what the answer is told; taken back, nothing is refused; neither of an
// erasure, nor of what nobody has, nor on another ground.
func TestPartOfACopyIsRefused(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	begin := func(right dsar.Right) core.State {
		return decided(t, core.State{}, core.Submit{Accepted: core.Accepted{
			RequestID: "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", Right: right, Jurisdiction: "EEA", Source: "test", ReceivedAt: at, AcceptedAt: at, DueAt: at.AddDate(0, 1, 0), Digest: "d",
			Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "e", Sealed: []byte{1}, Assurance: dsar.AssuranceVerified}},
			Systems:     []dsar.System{{Name: "s", Abilities: []dsar.Action{dsar.Gather, dsar.Erase}, Needs: []dsar.IdentifierType{"email"}}},
			Terms:       core.Terms{Refusals: []string{"excessive"}, PartRefusals: []string{"rights-of-others"}},
		}})
	}
	refuse := core.RefusePart{By: "lea", System: "s", Dataset: "letters", Ground: "rights-of-others", Reason: "others wrote them", Now: at}
	s := decided(t, begin(dsar.Access), refuse)
	part := s.RefusedPart("s", "letters")
	if part == nil || part.Ground != "rights-of-others" || part.Fact != s.Version {
		t.Fatalf("%+v", s.Parts)
	}
	if told := s.Told(); len(told.Parts) != 1 || told.Parts[0] != *part {
		t.Errorf("the answer is told %+v", told.Parts)
	}
	if facts, err := core.Decide(s, refuse); err != nil || len(facts) > 0 {
		t.Errorf("twice: %v, %v", facts, err)
	}
	back := refuse
	back.Ground, back.TakenBack = "", true
	if s := decided(t, s, back); len(s.Parts) > 0 || len(s.Told().Parts) > 0 {
		t.Errorf("taken back, and %+v", s.Parts)
	}
	for name, c := range map[string]struct {
		of     core.State
		change func(*core.RefusePart)
		want   error
	}{
		"an erasure":        {begin(dsar.Erasure), func(*core.RefusePart) {}, core.ErrNotAllowed},
		"another ground":    {begin(dsar.Access), func(c *core.RefusePart) { c.Ground = "excessive" }, core.ErrNotAllowed},
		"another system":    {begin(dsar.Access), func(c *core.RefusePart) { c.System = "t" }, core.ErrNotAllowed},
		"not a name":        {begin(dsar.Access), func(c *core.RefusePart) { c.Dataset = "anna@example.com" }, core.ErrNotAllowed},
		"no dataset":        {begin(dsar.Access), func(c *core.RefusePart) { c.Dataset = "" }, core.ErrNotAllowed},
		"no reason":         {begin(dsar.Access), func(c *core.RefusePart) { c.Reason = "" }, core.ErrNotAllowed},
		"nothing to return": {begin(dsar.Access), func(c *core.RefusePart) { c.TakenBack = true }, core.ErrNotAllowed},
	} {
		c.change(&refuse)
		if _, err := core.Decide(c.of, refuse); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		refuse = core.RefusePart{By: "lea", System: "s", Dataset: "letters", Ground: "rights-of-others", Reason: "others wrote them", Now: at}
	}
}

// decided applies a command that must be taken.
func decided(t *testing.T, s core.State, c core.Command) core.State {
	t.Helper()
	facts, err := core.Decide(s, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range facts {
		s = core.Evolve(s, f)
	}
	return s
}
