package worker

import (
	"context"
	"sync"
)

// Each calls do for each job, [DefaultConcurrency] of them at once, for systems
// that are asked for one subject at a time; it keeps a job's error and panic to
// that job. A job is reported as soon as it ends, so that a slow subject doesn't
// hold back the others (TestEachReportsEarly). It returns nil.
//
//	func (l library) Gather(ctx context.Context, jobs []*worker.GatherJob) error {
//		return worker.Each(ctx, jobs, func(ctx context.Context, j *worker.GatherJob) error { … })
//	}
//
// A worker whose method was seen to go through Each is handed one task at a time from
// then on, as many at once as [WithConcurrency] says: it has nothing to gain from
// waiting until a batch is full.
func Each[J interface{ job() *Job }](ctx context.Context, jobs []J, do func(context.Context, J) error) error {
	for _, j := range jobs {
		j.job().way.goesAlone()
	}
	if len(jobs) == 1 {
		j := jobs[0].job()
		if err := recovered(func() error { return do(ctx, jobs[0]) }); j.Err == nil {
			j.Err = err
		}
		return nil
	}
	atOnce := DefaultConcurrency
	if len(jobs) > 0 && jobs[0].job().way != nil {
		atOnce = jobs[0].job().way.atOnce()
	}
	places := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for _, one := range jobs {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			j := one.job()
			if err := recovered(func() error { return do(ctx, one) }); j.Err == nil {
				j.Err = err
			}
			j.way.settleEarly()
		})
	}
	all.Wait()
	return nil
}
