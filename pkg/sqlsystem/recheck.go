package sqlsystem

import (
	"context"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// Recheck calls there for each row of the jobs' plans that is still there, as today's rules
// of retention have it. It implements [worker.Rechecker]. What the database doesn't let be
// read is passed over: the new plan names it.
func (s *System) Recheck(ctx context.Context, all []*worker.EraseJob, there func(job int, e worker.Entry) error) error {
	jobs := eraseJobs(all)
	if err := readPlans(ctx, jobs); err != nil {
		return err
	}
	if err := s.lookForFilters(ctx, s.db); err != nil {
		return s.explain(err)
	}
	chunks, _, err := s.still(ctx, s.db, tasksOf(jobs))
	if err != nil {
		return err
	}
	e := s.examination(s.db, jobs, chunks, s.deciding, lacks{})
	found, err := e.standing(ctx, false, false)
	if err != nil {
		return err
	}
	for _, d := range s.datasets {
		h := found[d]
		if h.unknown != "" {
			continue
		}
		for _, key := range h.keys {
			r := h.rows[key]
			if !r.there || r.done {
				continue
			}
			for _, share := range r.shares {
				if !share.planned || e.isOthers(share, r.stays(e, d)) {
					continue
				}
				entry := worker.Entry{Dataset: d.Name, Key: key, Ways: share.names, Due: share.due || share.keep != nil}
				switch {
				case r.lost:
					if k := share.keep; k != nil && k.ground != dsar.LegalHold && (k.until.IsZero() || k.until.After(e.day)) {
						entry.Keep, entry.Ground, entry.Until = true, k.ground, k.until
					}
				case r.is.kept:
					entry.Keep, entry.Ground, entry.Until = true, r.is.ground, r.is.until
				}
				if err := there(share.job, entry); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
