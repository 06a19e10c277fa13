package lifecycle_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
)

const requestID = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"

var start = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

func accepted(systems int) core.Accepted {
	a := core.Accepted{
		RequestID: requestID, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: start, AcceptedAt: start, DueAt: start.AddDate(0, 1, 0), Source: "test", Digest: "d",
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "fp-email", Sealed: []byte("x"), Assurance: dsar.AssuranceVerified}},
	}
	for i := range systems {
		a.Systems = append(a.Systems, dsar.System{Name: fmt.Sprintf("s%d", i), Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}})
	}
	return a
}

func gathered(system string) core.TakeReport {
	return core.TakeReport{Now: start, Report: dsar.Report{RequestID: requestID, System: system, Action: dsar.Gather, Attempt: 1, Kind: dsar.ReportEnded, Outcome: dsar.Gathered}}
}

// TestTwoDecidersOneJournal has several processes, each with a memory of its
// own, decide on one request at the same time: each end of a task is recorded
// once, whoever was told of it and how often.
func TestTwoDecidersOneJournal(t *testing.T) {
	t.Parallel()
	const systems, deciders = 10, 4
	j := memjournal.New(memjournal.Config{})
	if _, err := lifecycle.New(j).Accept(t.Context(), accepted(systems)); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range deciders {
		l := lifecycle.New(j)
		for i := range systems {
			all.Go(func() {
				// Twenty lost races mean that twenty others got on: then it comes again.
				for {
					_, err := l.Do(t.Context(), requestID, gathered(fmt.Sprintf("s%d", i)))
					if err == nil {
						return
					}
					if !errors.Is(err, journal.ErrConflict) {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	all.Wait()
	facts, err := j.Facts(t.Context(), requestID, 1)
	if err != nil {
		t.Fatal(err)
	}
	ended := 0
	for _, f := range facts {
		if f.Type == core.TypeOf(core.TaskEnded{}) {
			ended++
		}
	}
	state, err := lifecycle.New(j).State(t.Context(), requestID)
	if err != nil || ended != systems || state.Stage != dsar.Assemble {
		t.Errorf("%d ends of %d tasks, stage %s, %v", ended, systems, state.Stage, err)
	}
	if err := journal.VerifyChain(facts); err != nil {
		t.Error(err)
	}
	row, err := j.Row(t.Context(), requestID)
	folded, foldErr := lifecycle.Fold(facts)
	if err != nil || foldErr != nil || !reflect.DeepEqual(folded, row) {
		t.Errorf("the facts amount to %+v, %v; the row is %+v, %v", folded, foldErr, row, err)
	}
}

// TestWhatIsRememberedIsCheckedWhereNothingFollows: a process whose memory is
// behind the journal neither refuses nor ignores what the journal would take.
func TestWhatIsRememberedIsCheckedWhereNothingFollows(t *testing.T) {
	t.Parallel()
	j := memjournal.New(memjournal.Config{})
	behind, ahead := lifecycle.New(j), lifecycle.New(j)
	if _, err := behind.Accept(t.Context(), accepted(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := ahead.Do(t.Context(), requestID, gathered("s0")); err != nil {
		t.Fatal(err)
	}
	assembled := core.TakeReport{Now: start, Report: dsar.Report{RequestID: requestID, System: dsar.Aggregator, Action: dsar.Assemble, Attempt: 1, Kind: dsar.ReportEnded, Outcome: dsar.Assembled}}
	state, err := behind.Do(t.Context(), requestID, assembled) // to its memory a stray
	if err != nil || state.Status != core.StatusCompleted {
		t.Errorf("%s, %v", state.Status, err)
	}
}

// TestAnswerOfTheStoreIsLost: the append was made, and its caller told that the
// store is down. The same command again finds that out.
func TestAnswerOfTheStoreIsLost(t *testing.T) {
	t.Parallel()
	lose := false
	j := memjournal.New(memjournal.Config{Fault: func(op memjournal.Op, after bool) error {
		if lose && after && op == memjournal.OpAppend {
			return journal.ErrUnavailable
		}
		return nil
	}})
	l := lifecycle.New(j)
	if _, err := l.Accept(t.Context(), accepted(1)); err != nil {
		t.Fatal(err)
	}
	lose = true
	if _, err := l.Do(t.Context(), requestID, gathered("s0")); !errors.Is(err, journal.ErrUnavailable) {
		t.Fatal(err)
	}
	lose = false
	before, err := j.Facts(t.Context(), requestID, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Do(t.Context(), requestID, gathered("s0")); err != nil {
		t.Fatal(err)
	}
	after, err := j.Facts(t.Context(), requestID, 1)
	if err != nil || len(after) != len(before) {
		t.Errorf("%d facts became %d, %v", len(before), len(after), err)
	}
}

// TestSubmittedElsewhere: a new request is appended without a look at what is
// there; a process that knows nothing of one that is there finds out.
func TestSubmittedElsewhere(t *testing.T) {
	t.Parallel()
	read := 0
	j := memjournal.New(memjournal.Config{Fault: func(op memjournal.Op, _ bool) error {
		if op == memjournal.OpFacts {
			read++
		}
		return nil
	}})
	if _, err := lifecycle.New(j).Do(t.Context(), requestID, core.Submit{Accepted: accepted(2)}); err != nil || read > 0 {
		t.Fatalf("%d reads, %v", read, err)
	}
	before, err := j.Facts(t.Context(), requestID, 1)
	if err != nil {
		t.Fatal(err)
	}
	if state, err := lifecycle.New(j).Do(t.Context(), requestID, core.Submit{Accepted: accepted(2)}); err != nil || state.Status != core.StatusGathering {
		t.Errorf("the same again: %s, %v", state.Status, err)
	}
	other := accepted(2)
	other.Digest = "another"
	if _, err := lifecycle.New(j).Do(t.Context(), requestID, core.Submit{Accepted: other}); !errors.Is(err, core.ErrConflict) {
		t.Errorf("with other content: %v", err)
	}
	if after, err := j.Facts(t.Context(), requestID, 1); err != nil || len(after) != len(before) {
		t.Errorf("%d facts became %d, %v", len(before), len(after), err)
	}
}

// TestConflict: a request_id is used once; the same content again is the same
// request.
func TestConflict(t *testing.T) {
	t.Parallel()
	l := lifecycle.New(memjournal.New(memjournal.Config{}))
	first, err := l.Accept(t.Context(), accepted(2))
	if err != nil {
		t.Fatal(err)
	}
	again, err := l.Accept(t.Context(), accepted(2))
	if err != nil || again.Version != first.Version {
		t.Errorf("again: version %d and %d, %v", first.Version, again.Version, err)
	}
	other := accepted(2)
	other.Digest = "another"
	if _, err := l.Accept(t.Context(), other); !errors.Is(err, core.ErrConflict) {
		t.Errorf("with other content: %v", err)
	}
	if s, err := l.State(context.Background(), "unknown"); err != nil || s.Exists() {
		t.Errorf("an unknown request: %+v, %v", s, err)
	}
}

// TestAnswersCiteTheJournal: the hashes of the facts that an answer rests on, which go out
// with the task to assemble it, are those of the journal, whoever decided.
func TestAnswersCiteTheJournal(t *testing.T) {
	t.Parallel()
	j := memjournal.New(memjournal.Config{})
	l := lifecycle.New(j)
	if _, err := l.Accept(t.Context(), accepted(2)); err != nil {
		t.Fatal(err)
	}
	for i := range 2 { // the second decides in a process that loads it first
		if _, err := l.Do(t.Context(), requestID, gathered(fmt.Sprintf("s%d", i))); err != nil {
			t.Fatal(err)
		}
		l = lifecycle.New(j)
	}
	facts, err := j.Facts(t.Context(), requestID, 1)
	if err != nil {
		t.Fatal(err)
	}
	pending, err := j.Pending(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	var cited []core.Cited
	for _, m := range pending {
		var task core.AssembleTask
		if json.Unmarshal(m.Payload, &task) == nil && task.Answer != nil {
			cited = task.Answer.Facts
			if rests := task.Answer.Rests(); len(rests) != len(cited) || len(rests) != 3 {
				t.Errorf("it rests on %v and cites %v", rests, cited)
			}
		}
	}
	_, told, err := l.Told(t.Context(), requestID, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(cited) == 0 || len(told.Facts) == 0 {
		t.Fatal("nothing is cited")
	}
	for _, c := range append(cited, told.Facts...) {
		if got := hex.EncodeToString(facts[c.Seq-1].Hash); got != c.Hash {
			t.Errorf("fact %d has the hash %s, and is cited with %s", c.Seq, got, c.Hash)
		}
	}
}
