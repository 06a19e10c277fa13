package worker

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v4"

	"habeas.dev/pkg/event"
)

// Handle takes tasks and gives their answers: the worker without Kafka, for
// simulations and tests; [Worker.Run] does the same with messages. Answer i is
// that to task i, and its type says where it belongs:
//
//   - [event.TypeReport], to [event.TopicReports]: what became of the task;
//   - [event.TypeRejected], to [event.TopicRejected]: the event is no task of
//     this worker's;
//   - the zero event: none, because the context was over. The task MUST be
//     handed in again (TestCancelledGivesNoReport).
//
// Tasks of one action are given to the implementation together. Handle returns when
// all are answered, tries in place included.
func (w *Worker) Handle(ctx context.Context, at Access, tasks []event.Event) []event.Event {
	jobs := make([]*job, len(tasks))
	var groups [len(actions)][]*job
	for i, e := range tasks {
		j := w.takeIn(e, at.Link, nil, nil)
		if jobs[i] = j; j.answer.Type != "" {
			continue
		}
		for a, action := range actions {
			if j.task.Action == action {
				groups[a] = append(groups[a], j)
			}
		}
	}
	for _, group := range groups {
		if len(group) > 0 {
			w.work(ctx, at, group, func([]*job) {})
		}
	}
	answers := make([]event.Event, len(jobs))
	for i := range jobs {
		answers[i] = jobs[i].answer
	}
	return answers
}

// work takes decoded jobs of one action to their answers. settled is called
// with every job exactly once, as soon as its answer stands, from one goroutine
// or several.
func (w *Worker) work(ctx context.Context, at Access, jobs []*job, settled func([]*job)) {
	began := w.now()
	ready := make([]*job, 0, len(jobs))
	var ended []*job
	for _, j := range jobs {
		j.began = began
		w.tracing.begin(ctx, w, j)
		if w.prepare(ctx, at, j); j.err != nil || j.end != "" {
			ended = append(ended, j)
		} else {
			ready = append(ready, j)
		}
	}
	if len(ended) > 0 {
		w.settle(ctx, ended, settled)
	}
	if len(ready) == 0 {
		return
	}
	action := ready[0].task.Action
	w.metrics.batch(ctx, action, len(ready))
	w.perform(ctx, ready, settled)
}

// atOnce returns how many calls of an ability may run at once.
func (w *Worker) atOnce(a *ability) int {
	switch {
	case w.concurrency > 0:
		return w.concurrency
	case a != nil && a.alone.Load():
		return DefaultConcurrency
	default:
		return DefaultBatches
	}
}

// perform calls the implementation until every job has a result, or an error
// that another try in place won't mend.
func (w *Worker) perform(ctx context.Context, jobs []*job, settled func([]*job)) {
	var pauses backoff.BackOff // made only where something fails
	alone := false
	early := func(j *job) {
		w.take(j, nil)
		if j.err == nil || !w.mayRetry(ctx, j) {
			j.done.Store(true)
			w.settle(ctx, []*job{j}, settled)
		}
	}
	for {
		panicked := w.try(ctx, jobs, alone, early)
		jobs = slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool { return j.done.Load() })
		again := w.retriable(ctx, jobs)
		if len(again) == 0 {
			w.settle(ctx, jobs, settled)
			return
		}
		if pauses == nil {
			pauses = w.pauses(jobs[0].began)
		}
		pause := pauses.NextBackOff()
		if pause == backoff.Stop {
			w.settle(ctx, jobs, settled)
			return
		}
		if done := without(jobs, again); len(done) > 0 {
			w.settle(ctx, done, settled)
		}
		jobs = again
		// Whose job it was that the implementation broke off on is not known:
		// each gets its own call, so that one can't pull the others down.
		alone = alone || panicked
		if w.pause(ctx, pause) != nil {
			w.settle(ctx, jobs, settled)
			return
		}
	}
}

// try makes one call of the implementation for the jobs, or one for each where
// they are to be called alone. Where one call failed for good for all of them, each gets
// its own at once: it may be about one person's row, and is that person's alone then
// (TestOnePersonsRowFailsNobodyElse). It tells whether the implementation panicked.
func (w *Worker) try(ctx context.Context, jobs []*job, alone bool, early func(*job)) (panicked bool) {
	if alone && len(jobs) > 1 {
		for i := range jobs {
			panicked = w.try(ctx, jobs[i:i+1], true, early) || panicked
		}
		return panicked
	}
	public := make([]*Job, len(jobs))
	for i, j := range jobs {
		j.out, j.planned, j.found, j.counts, j.notes, j.err, j.taken, j.ofCall = nil, nil, nil, nil, nil, nil, false, false
		j.early, j.most = early, cmp.Or(w.concurrency, DefaultConcurrency)
		w.give(ctx, j)
		public[i] = j.pub
	}
	err := w.ability(jobs[0].task.Action).call(ctx, public)
	_, panicked = err.(*panicError) //nolint:errorlint // recovered returns it bare; a wrapped one is the implementation's own
	for _, j := range jobs {
		if j.done.Load() {
			continue
		}
		w.take(j, err)
		// What middleware made of it afterwards counts as well.
		if j.err = j.pub.Err; j.err == nil && err != nil {
			j.err, j.ofCall = err, true
		}
	}
	if len(jobs) > 1 && ctx.Err() == nil && err != nil && errorOf(err).kind == permanent {
		theirs := slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool { return j.done.Load() || !j.ofCall })
		for i := range theirs {
			panicked = w.try(ctx, theirs[i:i+1], true, early) || panicked
		}
	}
	return panicked
}

// wrap puts the middleware of the package and of the program around a method.
func (w *Worker) wrap(method Call) Call {
	all := append([]Middleware{Recover(), Timeout(w.timeout), w.tracing.trace}, w.middleware...)
	return Chain(append(all, w.taking)...)(method)
}

// taking takes what a call gave, before anything is cut off.
func (w *Worker) taking(next Call) Call {
	return func(ctx context.Context, jobs []*Job) error {
		for _, j := range jobs {
			j.way.bind(ctx)
		}
		err := recovered(func() error { return next(ctx, jobs) })
		for _, j := range jobs {
			if !j.way.done.Load() {
				w.take(j.way, err)
			}
		}
		return err
	}
}

// mayRetry reports whether another try in place may mend a job.
func (w *Worker) mayRetry(ctx context.Context, j *job) bool {
	return ctx.Err() == nil && j.err != nil && errorOf(j.err).kind == transient
}

// retriable returns the jobs that another try in place may mend.
func (w *Worker) retriable(ctx context.Context, jobs []*job) []*job {
	var again []*job
	for _, j := range jobs {
		if w.mayRetry(ctx, j) {
			again = append(again, j)
		}
	}
	return again
}

// without returns the jobs that are not among others, both in the same order.
func without(jobs, others []*job) []*job {
	out := make([]*job, 0, len(jobs)-len(others))
	for _, j := range jobs {
		if len(others) > 0 && others[0] == j {
			others = others[1:]
			continue
		}
		out = append(out, j)
	}
	return out
}

// pauses returns the waits between tries in place. They have no jitter: they are
// short, and a worker's tasks are spread already.
func (w *Worker) pauses(began time.Time) backoff.BackOff {
	left := RetryWithin - w.now().Sub(began)
	if left <= 0 {
		return &backoff.StopBackOff{}
	}
	return backoff.WithMaxRetries(backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(firstPause),
		backoff.WithMultiplier(4),
		backoff.WithRandomizationFactor(0),
		backoff.WithMaxElapsedTime(left),
		backoff.WithClockProvider(clock(w.now)),
	), MaxTries-1)
}

type clock func() time.Time

func (c clock) Now() time.Time { return c() }

// settle writes the answers of jobs and hands them on.
func (w *Worker) settle(ctx context.Context, jobs []*job, settled func([]*job)) {
	for _, j := range jobs {
		w.conclude(ctx, j)
	}
	settled(jobs)
}
