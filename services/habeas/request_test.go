package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/words"
)

// TestFindRequest: a whole id needn't be known; a beginning stands for the one
// request that begins so, and for none where several do.
func TestFindRequest(t *testing.T) {
	t.Parallel()
	j := memjournal.New(memjournal.Config{})
	ids := []string{"0a1b2c3d-0000-4000-8000-000000000001", "0a1b9999-0000-4000-8000-000000000002"}
	for n := range 7 {
		ids = append(ids, fmt.Sprintf("ffff%04d-0000-4000-8000-000000000000", n))
	}
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	for _, id := range ids {
		a := journal.Append{RequestID: id, Facts: []journal.NewFact{{Type: "dsar.request.accepted.v1", At: at, Data: []byte("{}")}},
			Row: journal.Row{Status: core.StatusGathering, Right: "access", Jurisdiction: "EEA", Source: "test", Digest: "d", ReceivedAt: at, UpdatedAt: at}}
		if err := j.Append(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	const unknown = "0a1b2c3d-ffff-4000-8000-000000000001"
	for _, c := range []struct{ typed, id, problem string }{
		{ids[0], ids[0], ""},
		{" " + strings.ToUpper(ids[1]) + "\n", ids[1], ""},
		{unknown, unknown, ""},
		{"0A1B2", ids[0], ""},
		{"0a1b9999-0", ids[1], ""},
		{"0a1b", "", "several requests begin with 0a1b: " + ids[0] + ", " + ids[1] + "; write more"},
		{"ffff", "", ids[6] + ", …; write more"},
		{"0a1c", "", "request 0a1c: there is no such request; habeas requests"},
		{"0a1", "", "at least 4"},
		{"camille@example.com", "", "no request's id"},
		{"", "", "no request's id"},
		{"0a1%", "", "no request's id"},
	} {
		id, err := findRequest(t.Context(), j, c.typed)
		switch {
		case c.problem == "" && (err != nil || id != c.id):
			t.Errorf("%q: %s, %v, want %s", c.typed, id, err, c.id)
		case c.problem != "" && (err == nil || !strings.Contains(explain(err), c.problem)):
			t.Errorf("%q: %s, %v, want %q", c.typed, id, err, c.problem)
		}
	}
}

// TestExplain: a refusal of the core is a sentence that names the request, however
// it is wrapped; what isn't one keeps its words.
func TestExplain(t *testing.T) {
	t.Parallel()
	for _, refusal := range []error{core.ErrUnknown, journal.ErrNotFound, core.ErrEnded, core.ErrAnswered, core.ErrNothingToRetry, core.ErrAwaited, core.ErrNotAwaited,
		core.ErrNothingToAttest, core.ErrNoSuchHold, core.ErrChanged, core.ErrNotAllowed} {
		got := explain(fmt.Errorf("while acting: %w", about("0a1b", fmt.Errorf("in the journal: %w", refusal))))
		told := errors.Is(refusal, core.ErrNotAllowed) // it says itself what the law does allow
		if !strings.HasPrefix(got, "request 0a1b: ") || strings.Contains(got, "while") || strings.Contains(got, "%") || strings.HasSuffix(got, ".") || !told && !strings.Contains(got, "; ") {
			t.Errorf("%v: %q", refusal, got)
		}
	}
	for code := range nextCommands {
		if words.English().Refusals[code] == "" {
			t.Errorf("a command for %q, which is no refusal", code)
		}
	}
	down := &journal.StorageError{Where: "here", What: "the disk is full", Cure: "make room", Err: errors.New("x")}
	if got := explain(about("0a1b", down)); got != "request 0a1b: journal here: the disk is full; make room" {
		t.Error(got)
	}
	if got := explain(about("0a1b", errors.New("disk full"))); got != "request 0a1b: disk full" {
		t.Error(got)
	}
	if about("0a1b", nil) != nil {
		t.Error("nothing went wrong, and it is told")
	}
}
