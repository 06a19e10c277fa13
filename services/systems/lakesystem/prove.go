package lakesystem

import (
	"context"
	"maps"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// Prove looks for what is still there of many people, by the plans' keys and by asking
// anew, in the tables and in what is left of their files.
func (s *System) Prove(ctx context.Context, jobs []*worker.EraseJob) error {
	for _, j := range jobs {
		j.Counts = nil
	}
	for _, d := range s.datasets {
		if err := s.prove(ctx, d, jobs); err != nil {
			return explain(d, err)
		}
	}
	return nil
}

func (s *System) prove(ctx context.Context, d *dataset, jobs []*worker.EraseJob) error {
	h, err := s.examine(ctx, d, jobs)
	if err != nil || h.nothing() {
		return err
	}
	tbl, err := s.load(ctx, d)
	if err != nil {
		return err
	}
	if err := h.look(ctx, tbl); err != nil {
		return err
	}
	counts := h.count()
	places, err := h.left(ctx, tbl)
	if err != nil {
		return err
	}
	h.name(counts, places)
	h.tell(counts)
	return nil
}

// Recheck calls there for each record of the jobs' plans that is still there, as today's
// rules of retention have it.
func (s *System) Recheck(ctx context.Context, jobs []*worker.EraseJob, there func(job int, e worker.Entry) error) error {
	for _, d := range s.datasets {
		h, err := s.examine(ctx, d, jobs)
		if err != nil || len(h.items) == 0 {
			if err != nil {
				return explain(d, err)
			}
			continue
		}
		tbl, err := s.load(ctx, d)
		if err == nil {
			err = h.look(ctx, tbl)
		}
		if err != nil {
			return explain(d, err)
		}
		for _, key := range slices.Sorted(maps.Keys(h.items)) {
			it := h.items[key]
			for _, sh := range it.shares {
				if !it.there || !sh.planned || sh.others {
					continue
				}
				e := worker.Entry{Dataset: d.Name, Key: key}
				if it.is.kept {
					e.Keep, e.Ground, e.Until = true, it.is.ground, it.is.until
				}
				if err := there(sh.job, e); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// count counts what is there by job, as a proof does.
func (h *holding) count() []dsar.Counts {
	counts := make([]dsar.Counts, len(h.jobs))
	for key, it := range h.items {
		if !it.there {
			continue
		}
		stays := h.stays(key, it)
		for _, sh := range it.shares {
			if sh.others {
				continue
			}
			n := &counts[sh.job]
			n.Found++
			if stays != nil {
				n.Retain(1, stays.ground, stays.until)
			}
		}
	}
	return counts
}
