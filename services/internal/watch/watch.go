// Package watch keeps what is known of each system's worker: when it was last
// heard of, what it can't do, what it has come across. It is made of the facts as
// they come by, and kept as a note: lost, it is known again as workers speak.
package watch

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

const (
	// NoteName is the journal's note in which it is stored.
	NoteName = "watch"
	// hours is how many hours of ends and failures are counted.
	hours = 24
	// maxFindings bounds the findings that are kept of one system: enough to see
	// that it has drifted from its manifest.
	maxFindings = 20
	// maxTries bounds how often a save is tried again because another process was
	// faster.
	maxTries = 10
)

// System is what is known of one system and its worker.
type System struct {
	// LastReport is when its worker last reported something; LastSent is when it was
	// last sent a task.
	LastReport time.Time `json:"seen,omitzero"`
	LastSent   time.Time `json:"sent,omitzero"`
	// Silent is when it was noticed that nothing was heard of a task within its
	// lease, and nothing has been heard since. Zero: the worker answers.
	Silent time.Time `json:"silent,omitzero"`
	// Parked is the last time that the worker put off a task, and Failed the last
	// failure.
	Parked Trouble `json:"parked,omitzero"`
	Failed Trouble `json:"failed,omitzero"`
	// FailedInRow counts the failures since the last task that didn't fail.
	FailedInRow int `json:"failed_in_row,omitempty"`
	// Hours counts ends and failures by hour, for a day.
	Hours []Hour `json:"hours,omitempty"`
	// Findings are what the worker has noticed: a column that the manifest doesn't
	// declare, an object that it may not read, data that outlives an erasure.
	Findings []Finding `json:"findings,omitempty"`
}

// Trouble is why a task didn't end.
type Trouble struct {
	At     time.Time `json:"at"`
	Code   string    `json:"code"`
	Reason string    `json:"reason,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// Hour counts how tasks ended in one hour. A fact that comes twice counts twice:
// it is a rate that is shown, not an account.
type Hour struct {
	At     time.Time `json:"at"`
	Ended  int       `json:"ended,omitempty"`
	Failed int       `json:"failed,omitempty"`
	Parked int       `json:"parked,omitempty"`
}

// Finding is one thing that a worker has noticed.
type Finding struct {
	// Code is what it is, and Text which: names, or a sentence where there is no code.
	Code string    `json:"code,omitempty"`
	Text string    `json:"text"`
	At   time.Time `json:"at"` // the last time
}

// Failures returns how many of the tasks that ended within a day failed, and how
// many ended.
func (s System) Failures(now time.Time) (failed, of int) {
	for _, h := range s.Hours {
		if now.Sub(h.At) < hours*time.Hour {
			failed, of = failed+h.Failed, of+h.Failed+h.Ended
		}
	}
	return failed, of
}

// Down reports whether the worker has been silent for at least that long.
func (s System) Down(now time.Time, after time.Duration) bool {
	return !s.Silent.IsZero() && now.Sub(s.Silent) >= after
}

// Add adds a fact to what is known of its system. Facts of different requests come
// in any order.
func Add(systems map[string]System, e core.Event) {
	switch e := e.(type) {
	case core.TaskSent:
		s := systems[e.System]
		s.LastSent = latest(s.LastSent, e.At)
		if e.Reason == core.SentUnheard && s.Silent.IsZero() && e.At.After(s.LastReport) {
			s.Silent = e.At
		}
		systems[e.System] = s
	case core.TaskProgressed:
		systems[e.System] = systems[e.System].heard(e.At)
	case core.TaskParked:
		s := systems[e.System].heard(e.At)
		if e.At.After(s.Parked.At) {
			s.Parked = Trouble{e.At, e.Code, cmp.Or(e.Reason, e.Cause.Said()), e.Until}
		}
		s.hour(e.At).Parked++
		s.note(e, e.At)
		systems[e.System] = s
	case core.TaskFailed:
		if e.Attempt == 0 {
			return // nobody was asked
		}
		s := systems[e.System].heard(e.At)
		if answers(e) {
			s.ended(e.At)
		} else {
			s.failed(e)
		}
		s.note(e, e.At)
		systems[e.System] = s
	case core.TaskEnded:
		if e.Attempt == 0 || e.By != "" {
			return // nobody was asked, or a person did it
		}
		s := systems[e.System].heard(e.At)
		s.ended(e.At)
		s.note(e, e.At)
		systems[e.System] = s
	}
}

// answers reports whether a failure says nothing against the system: it did what it
// was asked, and a person has to look at its answer.
func answers(e core.TaskFailed) bool {
	return e.Outcome == dsar.Manual || e.Code == dsar.CodePlanTooLarge
}

// failed counts a failure. One that comes twice isn't one more in a row.
func (s *System) failed(e core.TaskFailed) {
	s.hour(e.At).Failed++
	if e.At.After(s.Failed.At) {
		s.Failed = Trouble{At: e.At, Code: e.Code, Reason: cmp.Or(e.Reason, e.Cause.Said())}
		s.FailedInRow++
	}
}

// ended counts a task that ended. What ended before the last failure and is heard
// of later says nothing of how the system is.
func (s *System) ended(at time.Time) {
	s.hour(at).Ended++
	if at.After(s.Failed.At) {
		s.FailedInRow = 0
	}
}

func (s System) heard(at time.Time) System {
	s.LastReport = latest(s.LastReport, at)
	if at.After(s.Silent) {
		s.Silent = time.Time{}
	}
	s.Hours, s.Findings = slices.Clone(s.Hours), slices.Clone(s.Findings)
	return s
}

// hour returns the counter of the hour of a time.
func (s *System) hour(at time.Time) *Hour {
	at = at.UTC().Truncate(time.Hour)
	if i := slices.IndexFunc(s.Hours, func(h Hour) bool { return h.At.Equal(at) }); i >= 0 {
		return &s.Hours[i]
	}
	s.Hours = append(s.Hours, Hour{At: at})
	if len(s.Hours) > hours {
		s.Hours = slices.Delete(s.Hours, 0, len(s.Hours)-hours)
	}
	return &s.Hours[len(s.Hours)-1]
}

// note adds what the worker noticed.
func (s *System) note(e core.Event, at time.Time) {
	for _, text := range core.NotesOf(e) {
		s.find("", text, at)
	}
	for _, f := range core.FindingsOf(e) {
		s.find(f.Code, f.String(), at)
	}
}

func (s *System) find(code, text string, at time.Time) {
	i := slices.IndexFunc(s.Findings, func(f Finding) bool { return f.Code == code && f.Text == text })
	if i < 0 {
		s.Findings = append(s.Findings, Finding{Code: code, Text: text})
		if i = len(s.Findings) - 1; i == maxFindings {
			s.Findings = slices.Delete(s.Findings, 0, 1)
			i--
		}
	}
	s.Findings[i].At = latest(s.Findings[i].At, at)
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Load reads what is known of all systems.
func Load(ctx context.Context, notes journal.Notes) (map[string]System, error) {
	systems, _, err := load(ctx, notes)
	return systems, err
}

func load(ctx context.Context, notes journal.Notes) (map[string]System, int64, error) {
	systems := map[string]System{}
	data, version, err := notes.Note(ctx, NoteName)
	if err != nil || len(data) == 0 {
		return systems, version, err
	}
	if err := json.Unmarshal(data, &systems); err != nil {
		return map[string]System{}, version, nil //nolint:nilerr // it is of another version of Habeas: begun anew
	}
	return systems, version, nil
}

// Save adds facts to what is stored, beside what other processes add.
func Save(ctx context.Context, notes journal.Notes, facts []core.Event) error {
	for range maxTries {
		systems, version, err := load(ctx, notes)
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		for _, e := range facts {
			Add(systems, e)
		}
		data, err := json.Marshal(systems)
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		err = notes.SetNote(ctx, NoteName, data, version)
		if !errors.Is(err, journal.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("watch: %d others came first: %w", maxTries, journal.ErrConflict)
}
