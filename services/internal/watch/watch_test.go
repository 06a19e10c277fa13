package watch_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/transport"
	"habeas.dev/services/internal/watch"
)

var start = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

func at(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

// TestAdd takes in facts, in whatever order they come.
func TestAdd(t *testing.T) {
	t.Parallel()
	sent := func(minute int, why core.SendReason) core.Event {
		return core.TaskSent{System: "s", Action: dsar.Gather, Attempt: 1, Reason: why, Moment: core.Moment{At: at(minute)}}
	}
	ended := func(minute int, notes ...string) core.Event {
		return core.TaskEnded{System: "s", Action: dsar.Gather, Attempt: 1, Outcome: dsar.Gathered, Notes: notes, Moment: core.Moment{At: at(minute)}}
	}
	failed := func(minute int) core.Event {
		return core.TaskFailed{System: "s", Action: dsar.Gather, Attempt: 1, Outcome: dsar.Failed, Code: "no-permission", Moment: core.Moment{At: at(minute)}}
	}
	for name, c := range map[string]struct {
		facts []core.Event
		seen  int // -1: never
		down  bool
		bad   int
		of    int
	}{
		"never heard of":           {nil, -1, false, 0, 0},
		"asked":                    {[]core.Event{sent(0, core.SentFirst)}, -1, false, 0, 0},
		"in vain":                  {[]core.Event{sent(0, core.SentFirst), sent(10, core.SentUnheard)}, -1, true, 0, 0},
		"answers":                  {[]core.Event{sent(0, core.SentFirst), ended(1)}, 1, false, 0, 1},
		"answers again":            {[]core.Event{sent(10, core.SentUnheard), ended(11)}, 11, false, 0, 1},
		"was heard of since":       {[]core.Event{ended(11), sent(10, core.SentUnheard)}, 11, false, 0, 1},
		"an old answer comes late": {[]core.Event{sent(10, core.SentUnheard), ended(1)}, 1, true, 0, 1},
		"a failure is an answer":   {[]core.Event{sent(10, core.SentUnheard), failed(12), ended(13), ended(14), ended(15)}, 15, false, 1, 4},
		"parked is one too":        {[]core.Event{sent(10, core.SentUnheard), core.TaskParked{System: "s", Code: "rate-limited", Moment: core.Moment{At: at(12)}}}, 12, false, 0, 0},
		"nobody was asked":         {[]core.Event{core.TaskEnded{System: "s", Outcome: dsar.NotApplicable, Moment: core.Moment{At: at(1)}}, core.TaskFailed{System: "s", Outcome: dsar.Manual, Moment: core.Moment{At: at(1)}}}, -1, false, 0, 0},
		"a person did it":          {[]core.Event{core.TaskEnded{System: "s", Attempt: 1, By: "lea", Moment: core.Moment{At: at(1)}}}, -1, false, 0, 0},
	} {
		systems := map[string]watch.System{}
		for _, e := range c.facts {
			watch.Add(systems, e)
		}
		s := systems["s"]
		seen := time.Time{}
		if c.seen >= 0 {
			seen = at(c.seen)
		}
		bad, of := s.Failures(at(60))
		if !s.LastReport.Equal(seen) || s.Down(at(60), 10*time.Minute) != c.down || bad != c.bad || of != c.of {
			t.Errorf("%s: %+v, %d of %d", name, s, bad, of)
		}
	}
}

// TestFindings: what a worker notes is known, whatever became of its task.
func TestFindings(t *testing.T) {
	t.Parallel()
	systems := map[string]watch.System{}
	for i, e := range []core.Event{
		core.TaskEnded{System: "s", Attempt: 1, Notes: []string{"a", "b"}, Moment: core.Moment{At: at(1)}},
		core.TaskFailed{System: "s", Attempt: 1, Notes: []string{"b"}, Moment: core.Moment{At: at(2)}},
		core.TaskParked{System: "s", Attempt: 1, Notes: []string{"c"}, Moment: core.Moment{At: at(3)}},
	} {
		watch.Add(systems, e)
		if i == 0 && len(systems["s"].Findings) != 2 {
			t.Errorf("%+v", systems["s"].Findings)
		}
	}
	want := []watch.Finding{{Text: "a", At: at(1)}, {Text: "b", At: at(2)}, {Text: "c", At: at(3)}}
	if got := systems["s"].Findings; !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestFailedInRow counts failures one after the other, each once, however facts come; what
// a person is only to look at is none of the system's.
func TestFailedInRow(t *testing.T) {
	t.Parallel()
	failed := func(minute int, o dsar.Outcome, code string) core.Event {
		return core.TaskFailed{System: "s", Action: dsar.Gather, Attempt: 1, Outcome: o, Code: code, Moment: core.Moment{At: at(minute)}}
	}
	no := func(minute int) core.Event { return failed(minute, dsar.Failed, "no-permission") }
	ended := func(minute int) core.Event {
		return core.TaskEnded{System: "s", Action: dsar.Gather, Attempt: 1, Outcome: dsar.Gathered, Moment: core.Moment{At: at(minute)}}
	}
	for name, c := range map[string]struct {
		facts []core.Event
		want  int
	}{
		"none":                   {[]core.Event{ended(1)}, 0},
		"three":                  {[]core.Event{ended(1), no(2), no(3), no(4)}, 3},
		"one comes twice":        {[]core.Event{no(2), no(2), no(3), no(2)}, 2},
		"an old end comes late":  {[]core.Event{no(2), no(3), ended(1)}, 2},
		"it is well again":       {[]core.Event{no(2), no(3), ended(4), no(5)}, 1},
		"a person is to look":    {[]core.Event{failed(1, dsar.Manual, dsar.CodeOthers), failed(2, dsar.Failed, dsar.CodePlanTooLarge)}, 0},
		"a part isn't reached":   {[]core.Event{failed(1, dsar.Incomplete, dsar.CodeNotCovered), no(2)}, 2},
		"putting off is no word": {[]core.Event{no(1), core.TaskParked{System: "s", Code: "rate-limited", Moment: core.Moment{At: at(2)}}, no(3)}, 2},
	} {
		systems := map[string]watch.System{}
		for _, e := range c.facts {
			watch.Add(systems, e)
		}
		if got := systems["s"].FailedInRow; got != c.want {
			t.Errorf("%s: %d in a row, not %d", name, got, c.want)
		}
	}
}

// TestBounds keeps no more than a day, and no more findings than are looked at.
func TestBounds(t *testing.T) {
	t.Parallel()
	systems := map[string]watch.System{}
	for i := range 1000 {
		watch.Add(systems, core.TaskEnded{System: "s", Attempt: 1, Notes: []string{fmt.Sprintf("column c%d isn't declared", i%40)}, Moment: core.Moment{At: at(i * 30)}})
	}
	s := systems["s"]
	if len(s.Hours) > 24 || len(s.Findings) > 20 {
		t.Errorf("%d hours, %d findings", len(s.Hours), len(s.Findings))
	}
	if _, of := s.Failures(at(1000 * 30)); of > 48 {
		t.Errorf("%d within a day", of)
	}
	if _, of := s.Failures(at(1000*30 + 3*24*60)); of != 0 {
		t.Errorf("%d after three days", of)
	}
	text, err := json.Marshal(systems)
	if err != nil || len(text) > 8<<10 {
		t.Errorf("%d bytes of one system: %v", len(text), err)
	}
}

// TestSeveral has several processes note what each has heard: all of it is there.
func TestSeveral(t *testing.T) {
	t.Parallel()
	j := memjournal.New(memjournal.Config{})
	var all sync.WaitGroup
	for p := range 3 {
		w := watch.New(j, func() time.Time { return at(60) }, slog.New(slog.DiscardHandler))
		all.Go(func() {
			for i := range 20 {
				_, data, err := core.Encode(core.TaskEnded{System: "s", Action: dsar.Gather, Attempt: 1, Outcome: dsar.Gathered, Moment: core.Moment{At: at(i)}})
				if err != nil {
					t.Error(err)
				}
				e := event.Event{ID: fmt.Sprint(p, i), Source: "test", Type: event.FactType("task.ended"), Subject: "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", Time: at(i), Data: data}
				w.Take(transport.Received{Headers: e.Headers(), Payload: data})
				if err := w.Flush(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	systems, err := watch.Load(t.Context(), j)
	if _, of := systems["s"].Failures(at(60)); err != nil || of != 60 {
		t.Errorf("%d of 60: %v", of, err)
	}
}

// TestStranger takes in nothing that isn't a task's fact, and begins anew where
// the note can't be read.
func TestStranger(t *testing.T) {
	t.Parallel()
	j := memjournal.New(memjournal.Config{})
	if err := j.SetNote(t.Context(), watch.NoteName, []byte("not JSON"), 0); err != nil {
		t.Fatal(err)
	}
	w := watch.New(j, func() time.Time { return at(60) }, slog.New(slog.DiscardHandler))
	for _, m := range []transport.Received{{}, {Payload: []byte("{}")}, {Headers: map[string]string{"ce_type": "dsar.task.ended.v1"}, Payload: []byte("{")}} {
		w.Take(m)
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := watch.Save(t.Context(), j, []core.Event{core.TaskSent{System: "s", Moment: core.Moment{At: at(1)}}}); err != nil {
		t.Fatal(err)
	}
	if systems, err := watch.Load(t.Context(), j); err != nil || !systems["s"].LastSent.Equal(at(1)) {
		t.Errorf("%v %v", systems, err)
	}
}
