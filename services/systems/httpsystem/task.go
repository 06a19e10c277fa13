package httpsystem

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

// task is one job on its way to the service and back.
type task struct {
	job     *worker.Job
	changes []worker.Change
	keys    *worker.Plan // what an erasure and its proof go by; nil with others
	// take takes one of the task's lines, and end what its last line means. Both return an
	// error of package worker, or one that says that the answer isn't of this contract.
	take func(*line) error
	end  func() error
	stop func() // what it reads besides; nil: nothing

	ended bool  // by its last line
	err   error // why its further lines are passed over
}

// malformed is an answer that isn't of the contract. Its text is vouched: it quotes
// nothing that came.
type malformed string

func (m malformed) Error() string { return string(m) }

const errOther = malformed("a line isn't one of those that the action is answered with")

func nothing() error { return nil }

func resolve(_ context.Context, j *worker.ResolveJob) *task {
	return &task{job: &j.Job, end: nothing, take: func(l *line) error {
		if l.Found == nil {
			return errOther
		}
		f := worker.Found{Type: l.Found.Type, Value: l.Found.Value}
		if from := l.Found.From; from != nil {
			f.From = worker.Identifier{Type: from.Type, Value: from.Value}
		}
		j.Found = append(j.Found, f)
		if len(j.Found) > worker.MaxFound {
			return worker.Permanent("too-many-found", "the service found more identifiers than one person has", nil)
		}
		return nil
	}}
}

func gather(_ context.Context, j *worker.GatherJob) *task {
	return &task{job: &j.Job, end: nothing, take: func(l *line) error {
		switch {
		case l.Dataset == "":
			return errOther
		case l.Uncovered != "":
			j.Records.Uncovered(l.Dataset, l.Uncovered, dsar.Cause{})
			return nil
		case l.Record == nil:
			return errOther
		}
		return j.Records.Write(l.Dataset, record.Record(l.Record))
	}}
}

func plan(_ context.Context, j *worker.PlanJob) *task {
	return &task{job: &j.Job, end: nothing, take: func(l *line) error {
		switch {
		case l.Dataset == "":
			return errOther
		case l.Uncovered != "":
			j.Plan.Uncovered(l.Dataset, l.Uncovered, dsar.Cause{})
			return nil
		case l.Key == "":
			return errOther
		case l.Keep != nil:
			return j.Plan.Keep(l.Dataset, l.Key, l.Keep.retention())
		}
		return j.Plan.Erase(l.Dataset, l.Key)
	}}
}

// What an erasure says of a record.
const (
	didErase     = "erased"
	didAnonymise = "anonymised"
	didRetain    = "retained"
	didGone      = "gone"
)

// erase holds a service to the plan: each planned key is answered, in its order, and what
// was found besides comes after them.
func erase(ctx context.Context, j *worker.EraseJob) *task {
	c := counting{}
	planned, stop := iter.Pull2(j.Plan.Entries(ctx))
	t := &task{job: &j.Job, keys: j.Plan, stop: stop}
	t.take = func(l *line) error {
		switch {
		case l.Dataset == "":
			return errOther
		case l.Uncovered != "":
			c.of(l.Dataset).Uncovered = l.Uncovered
			return nil
		case l.Key == "" || l.Did == "":
			return errOther
		}
		if !l.Late {
			e, err, more := planned()
			switch {
			case more && err != nil:
				return err
			case !more:
				return malformed("it answers more keys than were planned: what was found besides says late")
			case e.Dataset != l.Dataset || e.Key != l.Key:
				return malformed("it doesn't answer the planned keys in their order")
			}
		}
		if l.Did == didRetain && l.Keep == nil {
			return malformed("it retains a record and doesn't say on what ground: keep")
		}
		if l.Late && l.Did == didRetain {
			j.Keep(l.Dataset, l.Key, l.Keep.retention())
		}
		return c.did(l)
	}
	t.end = func() error {
		if _, err, more := planned(); more && err != nil {
			return err
		} else if more && !c.anyUncovered() {
			return malformed("it doesn't answer all planned keys")
		}
		j.Counts = c.counts
		return nil
	}
	return t
}

func prove(_ context.Context, j *worker.EraseJob) *task {
	c := counting{}
	return &task{job: &j.Job, keys: j.Plan, take: func(l *line) error {
		switch {
		case l.Dataset == "":
			return errOther
		case l.Uncovered != "":
			c.of(l.Dataset).Uncovered = l.Uncovered
			return nil
		case l.Key == "":
			return errOther
		}
		of := c.of(l.Dataset)
		of.Found++
		if l.Keep != nil {
			r := l.Keep.retention()
			of.Retain(1, r.Ground, r.Until)
		}
		return nil
	}, end: func() error {
		j.Counts = c.counts
		return nil
	}}
}

func rectify(_ context.Context, j *worker.RectifyJob) *task {
	return &task{job: &j.Job, changes: j.Changes, end: nothing, take: func(l *line) error {
		if l.Dataset == "" || l.Counts == nil {
			return errOther
		}
		j.Counts = append(j.Counts, l.Counts.of(l.Dataset))
		return nil
	}}
}

func restrict(_ context.Context, j *worker.RestrictJob) *task {
	return &task{job: &j.Job, end: nothing, take: func(l *line) error {
		if l.Dataset == "" || l.Counts == nil {
			return errOther
		}
		j.Counts = append(j.Counts, l.Counts.of(l.Dataset))
		return nil
	}}
}

// counting counts what became of records, by dataset, in the order in which they came.
type counting struct{ counts []dsar.Counts }

func (c *counting) of(dataset string) *dsar.Counts {
	for i := range c.counts {
		if c.counts[i].Dataset == dataset {
			return &c.counts[i]
		}
	}
	c.counts = append(c.counts, dsar.Counts{Dataset: dataset})
	return &c.counts[len(c.counts)-1]
}

func (c *counting) did(l *line) error {
	of := c.of(l.Dataset)
	if l.Did == didGone {
		if l.Late {
			return malformed("a record that was not planned can't be gone")
		}
		of.Gone++
		return nil
	}
	of.Found++
	if l.Late {
		of.Late++
	}
	switch l.Did {
	case didErase:
		of.Erased++
	case didAnonymise:
		of.Anonymised++
	case didRetain:
		r := l.Keep.retention()
		of.Retain(1, r.Ground, r.Until)
	default:
		return malformed("it did something else with a record than erased, anonymised, retained, gone")
	}
	return nil
}

func (c *counting) anyUncovered() bool {
	for i := range c.counts {
		if c.counts[i].Uncovered != "" {
			return true
		}
	}
	return false
}

// error returns the error of a line that says why a task failed.
func (f *fault) error(now time.Time) error {
	var detail error
	if f.Detail != "" {
		detail = errors.New(f.Detail) // sealed
	}
	code := strings.ReplaceAll(strings.ToLower(f.Code), "_", "-")
	switch f.Retry {
	case "never":
		return worker.Permanent(code, f.Reason, detail)
	case "at":
		if f.At.IsZero() {
			return malformed("an error says retry at, and not when")
		}
		return worker.RetryAt(minTime(f.At, now.Add(maxPark)), code, f.Reason, detail)
	case "soon", "":
		return worker.Transient(code, f.Reason, detail)
	default:
		return malformed("an error's retry is none of never, soon, at")
	}
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
