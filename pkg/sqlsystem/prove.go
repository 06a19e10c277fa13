package sqlsystem

import (
	"cmp"
	"context"
	"errors"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// Prove looks for what is still there of many people, by the plan's keys and by
// asking anew: Found is all of it, Retained the part that must stay. A dataset that
// the database doesn't let be read is named.
func (s *System) Prove(ctx context.Context, all []*worker.EraseJob) error {
	jobs := eraseJobs(all)
	err := s.countAll(ctx, jobs)
	for i, j := range jobs {
		all[i].Counts = j.Counts
	}
	return err
}

func (s *System) countAll(ctx context.Context, jobs []*counted) error {
	if err := readPlans(ctx, jobs); err != nil {
		return err
	}
	if err := s.lookForFilters(ctx, s.db); err != nil {
		return s.explain(err)
	}
	return s.countOn(ctx, s.db, jobs, false)
}

// countOn counts what is there of the jobs' people, as a connection or transaction
// sees it. Of rows that a rehearsal erases, the files are there.
func (s *System) countOn(ctx context.Context, on executor, jobs []*counted, rehearsed bool) error {
	chunks, all, err := s.still(ctx, on, tasksOf(jobs))
	if err != nil {
		return err
	}
	e := s.examination(on, jobs, chunks, s.deciding, lacks{})
	found, err := e.standing(ctx, true, !rehearsed)
	if err != nil {
		return err
	}
	for _, d := range s.datasets {
		f := found[d]
		if f.unknown != "" {
			for _, i := range f.concerned {
				jobs[i].Counts = append(jobs[i].Counts, dsar.Counts{Dataset: d.Name, Uncovered: f.unknown, Cause: f.cause})
			}
			continue
		}
		e.count(f.holding)
		uncoverMoved(all, d, jobs)
	}
	return nil
}

// standing is what is there of a dataset, or why that isn't known.
type standing struct {
	*holding
	unknown string
	cause   *dsar.Cause
}

// standing looks once at each dataset, in the order in which it can be decided on their rows.
// What the database doesn't let be told of one of them is said of that one, and of those that
// go with it. A proof says the same of a dataset of which a row, or the plan's keys, can't be read for
// good: the others are proven by themselves. files has it look at the files beside rows, too.
func (e *examination) standing(ctx context.Context, proof, files bool) (map[*dataset]standing, error) {
	found := map[*dataset]standing{}
	for _, d := range e.datasets {
		h, err := e.examineOne(ctx, d)
		if err == nil && files {
			err = e.filesLeft(ctx, h)
		}
		f := standing{holding: h}
		if err == nil {
			f.unknown, f.cause, err = e.spared(ctx, h, found)
		}
		if err != nil {
			if f.unknown, f.cause, err = e.untold(d, err, proof); err != nil {
				return nil, err
			}
		}
		found[d] = f
	}
	return found, nil
}

// untold words an error that is about one dataset, and stays; any other is returned. Where
// several people are asked for, so is one that may be about a row of one of them: each is asked
// for alone then.
func (e *examination) untold(d *dataset, err error, proof bool) (reason string, cause *dsar.Cause, other error) {
	var no *denied
	if errors.As(err, &no) {
		return no.reason(), no.cause(), nil
	}
	told := e.explain(err)
	var own, typed *worker.Error
	ours := errors.As(err, &own) || reasonOf(err) == rowWrong
	if !proof || !ours || len(e.jobs) > 1 || !errors.As(told, &typed) || !typed.Permanent() {
		return "", nil, told
	}
	c := typed.Cause
	c.Dataset = cmp.Or(c.Dataset, d.Name)
	return typed.Reason, &c, nil
}

// spared has those rows stay that others refer to, or that go with such as stay: what could go
// with the person's has gone. It needs what was found of those that they go with, and returns
// why it isn't known.
func (e *examination) spared(ctx context.Context, h *holding, found map[*dataset]standing) (unknown string, cause *dsar.Cause, err error) {
	if len(h.d.with) > 0 {
		with := found[h.d.with[0].dataset]
		if with.unknown != "" {
			return with.unknown, with.cause, nil
		}
		if err := e.keepWith(ctx, h, with.holding); err != nil {
			return "", nil, err
		}
	}
	var keys []string
	for _, key := range h.keys {
		if r := h.rows[key]; len(h.d.uses) > 0 && r.there && !r.done {
			keys = append(keys, key)
		}
	}
	shared, err := e.shared(ctx, e.on, h.d, keys, func(*dataset, string) bool { return false })
	for key, is := range shared {
		if r := h.rows[key]; is && !r.is.kept {
			r.is = stay{kept: true, ground: manifest.GroundShared}
		}
	}
	return "", nil, err
}

// count counts what is there of a dataset.
func (e *examination) count(h *holding) {
	counts := make([]dsar.Counts, len(e.jobs))
	for _, key := range h.keys {
		r := h.rows[key]
		if !r.there || r.done {
			continue
		}
		for i := range r.shares {
			its := r.shares[i]
			mine := *r
			mine.shares = []share{its}
			stays := mine.stays(e, h.d)
			if e.isOthers(its, stays) {
				continue
			}
			n := &counts[its.job]
			if its.nobodys {
				n.Uncovered = worker.Unclaimed
				n.Unclaimed++
				continue
			}
			if stays == nil && r.unsure(h.d, its) {
				n.Uncovered = unknownWays
				continue
			}
			n.Found++
			if stays != nil {
				n.Retain(1, stays.ground, stays.until)
			}
		}
	}
	for i := range counts {
		if counts[i].Found > 0 || counts[i].Uncovered != "" {
			counts[i].Dataset = h.d.Name
			e.jobs[i].Counts = append(e.jobs[i].Counts, counts[i])
		}
	}
}
