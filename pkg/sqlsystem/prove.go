package sqlsystem

import (
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
	return s.countOn(ctx, s.db, jobs)
}

// countOn counts what is there of the jobs' people, as a connection or transaction
// sees it.
func (s *System) countOn(ctx context.Context, on executor, jobs []*counted) error {
	chunks, all, err := s.still(ctx, on, tasksOf(jobs))
	if err != nil {
		return err
	}
	for _, d := range s.datasets {
		e := s.examination(on, jobs, chunks, []*dataset{d}, lacks{})
		err := e.examine(ctx)
		var no *denied
		if errors.As(err, &no) {
			for _, i := range e.holdings[0].concerned {
				jobs[i].Counts = append(jobs[i].Counts, dsar.Counts{Dataset: d.Name, Uncovered: no.reason(), Cause: no.cause()})
			}
			continue
		}
		if err != nil {
			return s.explain(err)
		}
		if err := e.filesLeft(ctx, e.holdings[0]); err != nil {
			return s.explain(err)
		}
		if err := e.spared(ctx, e.holdings[0]); err != nil {
			return s.explain(err)
		}
		e.count(e.holdings[0])
		uncoverMoved(all, d, jobs)
	}
	return nil
}

// spared has those rows stay that others refer to, or that go with such as stay: what could go
// with the person's has gone.
func (e *examination) spared(ctx context.Context, h *holding) error {
	if len(h.d.with) > 0 {
		other := e.System.examination(e.on, e.jobs, e.chunks, []*dataset{h.d.with[0].dataset}, lacks{})
		if err := other.examine(ctx); err != nil {
			return err
		}
		if err := other.spared(ctx, other.holdings[0]); err != nil {
			return err
		}
		if err := e.keepWith(ctx, h, other.holdings[0]); err != nil {
			return err
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
	return err
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
