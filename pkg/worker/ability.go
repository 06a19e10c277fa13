package worker

import (
	"context"

	"habeas.dev/pkg/dsar"
)

// ability is how the implementation is called for one action: one job at a time
// or many at once. Neither is set where the manifest doesn't declare it. What a
// call says of a job is left in the job.
type ability struct {
	one  func(context.Context, *job) error
	many func(context.Context, []*job) error
}

func (a ability) declared() bool { return a.one != nil || a.many != nil }

// abilityOf finds the call for an action, the batch form where there is one.
func abilityOf(a dsar.Action, impl any) (ability, bool) {
	switch a {
	case dsar.Resolve:
		if b, ok := impl.(BatchResolver); ok {
			return ability{many: resolveMany(b)}, true
		}
		r, ok := impl.(Resolver)
		return ability{one: func(ctx context.Context, j *job) (err error) {
			j.found, err = r.Resolve(ctx, j.open)
			return err
		}}, ok
	case dsar.Gather:
		if b, ok := impl.(BatchGatherer); ok {
			return ability{many: gatherMany(b)}, true
		}
		g, ok := impl.(Gatherer)
		return ability{one: func(ctx context.Context, j *job) error { return g.Gather(ctx, j.open, j.out) }}, ok
	case dsar.Count, dsar.Prove:
		if b, ok := impl.(BatchEraser); ok {
			return countsMany(b.CountBatch), true
		}
		e, ok := impl.(Eraser)
		return ability{one: func(ctx context.Context, j *job) (err error) {
			j.counts, err = e.Count(ctx, j.open)
			return err
		}}, ok
	case dsar.Erase:
		if b, ok := impl.(BatchEraser); ok {
			return countsMany(b.EraseBatch), true
		}
		e, ok := impl.(Eraser)
		return ability{one: func(ctx context.Context, j *job) (err error) {
			j.counts, err = e.Erase(ctx, j.open)
			return err
		}}, ok
	case dsar.Rectify:
		if b, ok := impl.(BatchRectifier); ok {
			return countsMany(b.RectifyBatch), true
		}
		r, ok := impl.(Rectifier)
		return ability{one: func(ctx context.Context, j *job) (err error) {
			j.counts, err = r.Rectify(ctx, j.open, j.changes)
			return err
		}}, ok
	case dsar.Restrict:
		return restrictAbility(impl)
	default:
		return ability{}, false
	}
}

// restrictAbility restricts, and lifts where a job asks for that; the two are
// called apart.
func restrictAbility(impl any) (ability, bool) {
	if b, ok := impl.(BatchRestricter); ok {
		l, _ := impl.(BatchLifter)
		restrict := countsMany(b.RestrictBatch).many
		return ability{many: func(ctx context.Context, jobs []*job) error {
			var lift, rest []*job
			for _, j := range jobs {
				if j.open.Lift {
					lift = append(lift, j)
				} else {
					rest = append(rest, j)
				}
			}
			if len(rest) > 0 {
				failAll(rest, restrict(ctx, rest))
			}
			if len(lift) > 0 {
				failAll(lift, countsMany(l.LiftBatch).many(ctx, lift)) // prepare lets none through without it
			}
			return nil
		}}, true
	}
	r, ok := impl.(Restricter)
	l, _ := impl.(Lifter)
	return ability{one: func(ctx context.Context, j *job) (err error) {
		if j.open.Lift {
			j.counts, err = l.Lift(ctx, j.open)
			return err
		}
		j.counts, err = r.Restrict(ctx, j.open)
		return err
	}}, ok
}

// failAll gives every job that has no error of its own that of their call.
func failAll(jobs []*job, err error) {
	for _, j := range jobs {
		if j.err == nil {
			j.err = err
		}
	}
}

func resolveMany(b BatchResolver) func(context.Context, []*job) error {
	return func(ctx context.Context, jobs []*job) error {
		own, given := make([]ResolveJob, len(jobs)), make([]*ResolveJob, len(jobs))
		for i, j := range jobs {
			own[i].Task = j.open
			given[i] = &own[i]
		}
		err := b.ResolveBatch(ctx, given)
		for i, j := range jobs {
			j.found, j.err = own[i].Found, own[i].Err
		}
		return err
	}
}

func gatherMany(b BatchGatherer) func(context.Context, []*job) error {
	return func(ctx context.Context, jobs []*job) error {
		own, given := make([]GatherJob, len(jobs)), make([]*GatherJob, len(jobs))
		for i, j := range jobs {
			own[i].Task, own[i].Out = j.open, j.out
			given[i] = &own[i]
		}
		err := b.GatherBatch(ctx, given)
		for i, j := range jobs {
			j.err = own[i].Err
		}
		return err
	}
}

func countsMany(call func(context.Context, []*CountsJob) error) ability {
	return ability{many: func(ctx context.Context, jobs []*job) error {
		own, given := make([]CountsJob, len(jobs)), make([]*CountsJob, len(jobs))
		for i, j := range jobs {
			own[i].Task, own[i].Changes = j.open, j.changes
			given[i] = &own[i]
		}
		err := call(ctx, given)
		for i, j := range jobs {
			j.counts, j.notes, j.err = own[i].Counts, own[i].Notes, own[i].Err
		}
		return err
	}}
}
