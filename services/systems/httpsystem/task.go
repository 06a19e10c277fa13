package httpsystem

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"slices"
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

const errTwice = malformed("it names a record twice, which would be counted twice")

// once knows which records a task has named, by a hash each: some ten bytes, so that 300,000
// take a few megabytes. Two that share a hash, one time in a hundred million, have the answer
// asked for again, which hashes otherwise.
type once struct {
	seed maphash.Seed
	seen map[uint64]struct{}
}

func newOnce() *once { return &once{maphash.MakeSeed(), map[uint64]struct{}{}} }

// add reports whether a record wasn't named yet.
func (o *once) add(dataset, key string) bool {
	h := maphash.Comparable(o.seed, [2]string{dataset, key})
	_, before := o.seen[h]
	o.seen[h] = struct{}{}
	return !before
}

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
	named := newOnce()
	return &task{job: &j.Job, end: nothing, take: func(l *line) error {
		switch {
		case l.Dataset == "":
			return errOther
		case l.Uncovered != "":
			j.Plan.Uncovered(l.Dataset, l.Uncovered, dsar.Cause{})
			return nil
		case l.Key == "":
			return errOther
		case !named.add(l.Dataset, l.Key):
			return errTwice
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
	// didReassign is of a record that is somebody else's by now, and was left.
	didReassign = "reassigned"
)

// codeKeptGone is the code of an erasure that took what had to stay.
const codeKeptGone = "kept-gone"

// erase holds a service to the plan: each planned key is answered, in its order, and what
// was found besides comes after them. A record that had to stay, and must stay still, is to be
// left, whatever the sums are: another in its place is no better.
func (s *System) erase(ctx context.Context, j *worker.EraseJob) *task {
	keptErased := map[string]int64{}
	named := newOnce()
	c := counting{byKeys: j.ByKeys}
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
		case !named.add(l.Dataset, l.Key):
			return errTwice
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
			case (l.Did == didErase || l.Did == didAnonymise) && mustStay(j, e, s.config.Now()):
				keptErased[l.Dataset]++
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
		for _, dataset := range slices.Sorted(maps.Keys(keptErased)) {
			return worker.Because(dsar.Cause{Dataset: dataset}, worker.Permanent(codeKeptGone, fmt.Sprintf("the service erased %d records of dataset %s that had to stay by the plan: restore them, and mend the service", keptErased[dataset], dataset), nil))
		}
		return nil
	}
	return t
}

// mustStay reports whether what was planned to stay must stay still: a hold may be over by
// now, a period too, and what stays only while others refer to it, or since the service has it
// so, the service may judge anew.
func mustStay(j *worker.EraseJob, e worker.Entry, now time.Time) bool {
	switch {
	case !e.Keep || e.Ground == dsar.GroundKept || e.Ground == dsar.GroundShared:
		return false
	case e.Ground == dsar.LegalHold:
		return j.IsHeld(e.Dataset, e.Key)
	default:
		return e.Until.IsZero() || e.Until.After(now)
	}
}

func prove(_ context.Context, j *worker.EraseJob) *task {
	c, named := counting{}, newOnce()
	return &task{job: &j.Job, keys: j.Plan, take: func(l *line) error {
		switch {
		case l.Dataset == "":
			return errOther
		case l.Uncovered != "":
			c.of(l.Dataset).Uncovered = l.Uncovered
			return nil
		case l.Key == "":
			return errOther
		case !named.add(l.Dataset, l.Key):
			return errTwice
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
	asked := func(dataset, column string) bool {
		return slices.ContainsFunc(j.Changes, func(c worker.Change) bool { return c.Dataset == dataset && c.Column == column })
	}
	return &task{job: &j.Job, changes: j.Changes, end: nothing, take: func(l *line) error {
		if l.Dataset == "" || l.Counts == nil {
			return errOther
		}
		for _, column := range slices.Concat(l.Counts.Changed, l.Counts.Unchanged) {
			if !asked(l.Dataset, column) {
				return malformed("it tells of a field that wasn't to be corrected")
			}
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
type counting struct {
	counts []dsar.Counts
	byKeys bool // long after the plan: what is somebody else's by now was the person's, and is gone
}

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
	if l.Did == didGone || l.Did == didReassign {
		switch {
		case l.Late:
			return malformed("a record that was not planned can't be gone, or be somebody else's by now")
		case l.Did == didGone || c.byKeys:
			of.Gone++
		default:
			of.Reassigned++
			of.Uncovered, of.Cause = worker.Overtaken, &dsar.Cause{Dataset: l.Dataset}
		}
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
		return malformed("it did something else with a record than erased, anonymised, retained, gone, reassigned")
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
