package duplicate_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/duplicate"
)

// printed has the fingerprints of requests.
type printed map[string][]string

func (p printed) Fingerprints(_ context.Context, id string) ([]string, error) { return p[id], nil }

// TestCheck: a request is merged into one of the same person for the same, which is open or
// was answered since; whatever else is refused with what is wrong.
func TestCheck(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	of := func(id string, change func(*core.State)) core.State {
		s := core.State{Accepted: core.Accepted{RequestID: id, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: at}, Right: dsar.Access, Status: core.StatusGathering}
		if change != nil {
			change(&s)
		}
		return s
	}
	completed := func(at time.Time) func(*core.State) {
		return func(s *core.State) { s.Status, s.AnsweredAt = core.StatusCompleted, at }
	}
	prints := printed{"one": {"a", "b"}, "other": {"b", "c"}, "stranger": {"c"}}
	for name, c := range map[string]struct {
		into  string
		other core.State
		want  error
	}{
		"open":            {"other", of("other", nil), nil},
		"answered since":  {"other", of("other", completed(at.Add(time.Hour))), nil},
		"answered before": {"other", of("other", completed(at.Add(-time.Hour))), duplicate.ErrBefore},
		"nobody's":        {"nobody", core.State{}, duplicate.ErrUnanswered},
		"cancelled":       {"other", of("other", func(s *core.State) { s.Status = core.StatusCancelled }), duplicate.ErrUnanswered},
		"another right":   {"other", of("other", func(s *core.State) { s.Right = dsar.Erasure }), duplicate.ErrRight},
		"another refusal": {"other", of("other", func(s *core.State) { s.Accepted.About = &core.About{RequestID: "third"} }), duplicate.ErrRight},
		"another law":     {"other", of("other", func(s *core.State) { s.Accepted.Jurisdiction = "California" }), duplicate.ErrLaw},
		"somebody else's": {"stranger", of("stranger", nil), duplicate.ErrStranger},
		"forgotten":       {"empty", of("empty", nil), duplicate.ErrStranger},
		"itself":          {"one", of("one", nil), core.ErrNotAllowed},
	} {
		err := duplicate.Check(t.Context(), prints, of("one", nil), core.Merge{By: "lea", Into: c.into, Now: at.Add(2 * time.Hour)}, c.other)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
