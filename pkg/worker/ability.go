package worker

import (
	"context"
	"sync/atomic"

	"habeas.dev/pkg/dsar"
)

// ability is how the implementation is called for one action; nil where the
// manifest doesn't declare it.
type ability struct {
	call Call
	// alone tells that the method goes through [Each], so that there is nothing to
	// gain from a batch.
	alone atomic.Bool
}

// method finds the implementation's method for an action.
func (w *Worker) method(a dsar.Action, impl any) (call Call, ok bool) {
	switch a {
	case dsar.Resolve:
		if r, ok := impl.(Resolver); ok {
			return typed(r.Resolve), true
		}
	case dsar.Gather:
		if g, ok := impl.(Gatherer); ok {
			return typed(g.Gather), true
		}
	case dsar.Plan:
		if e, ok := impl.(Eraser); ok {
			return typed(keeper{e, w}.Plan), true
		}
	case dsar.Erase:
		if e, ok := impl.(Eraser); ok {
			return typed(keeper{e, w}.Erase), true
		}
	case dsar.Prove:
		if e, ok := impl.(Eraser); ok {
			return typed(keeper{e, w}.Prove), true
		}
	case dsar.Rectify:
		if r, ok := impl.(Rectifier); ok {
			g, _ := impl.(Gatherer)
			if !w.manifest.Can(dsar.Gather) {
				g = nil
			}
			k, _ := impl.(Knower)
			return typed(corrector{r, g, k, w}.Rectify), true
		}
	case dsar.Restrict:
		if r, ok := impl.(Restricter); ok {
			return typed(r.Restrict), true
		}
	case dsar.Assemble:
		if a, ok := impl.(Assembler); ok {
			return typed(a.Assemble), true
		}
	}
	return nil, false
}

// typed gives a method the jobs of its own kind.
func typed[J any](call func(context.Context, []J) error) Call {
	return func(ctx context.Context, jobs []*Job) error {
		own := make([]J, len(jobs))
		for i, j := range jobs {
			own[i] = j.way.given.(J) //nolint:forcetypeassert // made by give for the same action
		}
		return call(ctx, own)
	}
}

// give makes what the implementation is given of a job for one try.
func (w *Worker) give(ctx context.Context, j *job) {
	base := Job{Task: j.open, way: j}
	switch j.task.Action {
	case dsar.Resolve:
		g := &ResolveJob{Job: base}
		j.given, j.pub = g, &g.Job
	case dsar.Gather:
		g := &GatherJob{Job: base, Records: w.records(ctx, j)}
		j.given, j.pub, j.out = g, &g.Job, g.Records
		j.live.Store(g.Records)
	case dsar.Plan:
		g := &PlanJob{Job: base, Plan: w.plan(ctx, j), earlier: j.earlier, done: j.task.Done}
		j.given, j.pub, j.planned = g, &g.Job, g.Plan
	case dsar.Rectify:
		g := &RectifyJob{Job: base, Changes: j.changes}
		j.given, j.pub = g, &g.Job
	case dsar.Restrict:
		g := &RestrictJob{Job: base}
		j.given, j.pub = g, &g.Job
	case dsar.Assemble:
		g := &AssembleJob{Job: base, Data: j.sealed.Data, Sent: j.event.Time}
		j.given, j.pub = g, &g.Job
	default: // erase, prove
		g := &EraseJob{Job: base, Plan: j.plan}
		if j.task.Action == dsar.Erase {
			g.late = w.plan(ctx, j)
		}
		j.given, j.pub, j.planned = g, &g.Job, g.late
	}
}

// take takes what a try gave of a job, which has the call's error where it has none
// of its own. It does so once in a try.
func (w *Worker) take(j *job, err error) {
	if j.taken {
		return
	}
	j.taken = true
	if j.err = j.pub.Err; j.err == nil && err != nil {
		j.err, j.ofCall = err, true
	}
	j.notes = j.pub.notes
	switch g := j.given.(type) {
	case *ResolveJob:
		j.found = g.Found
	case *GatherJob:
		j.err = g.Records.close(j.err)
		j.counts = g.Records.Counts()
	case *PlanJob:
		j.err = g.Plan.close(j.err)
		j.counts = g.Plan.Counts()
	case *EraseJob:
		if g.late != nil {
			j.err = g.late.close(j.err)
		}
		j.counts = g.Counts
	case *RectifyJob:
		j.counts = addRefused(g.Counts, j.refused)
	case *RestrictJob:
		j.counts = g.Counts
	case *AssembleJob:
		j.assembled = g.Object
	}
	if j.err == nil {
		j.err = w.check(j)
	}
	j.pub.Err = j.err
}
