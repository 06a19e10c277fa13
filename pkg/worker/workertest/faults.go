package workertest

import (
	"context"
	"sync"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// hung is after how long a call that doesn't return is taken for one that never
// will.
const hung = 30 * time.Second

// action is one that the system can do and that changes nothing.
func (d *desk) action() dsar.Action {
	for _, a := range []dsar.Action{dsar.Gather, dsar.Resolve} {
		if d.system.Manifest.Can(a) {
			return a
		}
	}
	if d.system.Manifest.Can(dsar.Erase) {
		return dsar.Count
	}
	d.Skip("the system can neither gather nor resolve nor erase")
	return ""
}

// cutOff ends the context of a call: nothing is reported, and the task that
// comes again is done as if nothing had been.
func (d *desk) cutOff() {
	s, action := d.system.Subjects[0], d.action()
	ctx, cancel := context.WithCancel(context.Background())
	hangs := d.system.Break != nil && d.system.Break(Hanging)
	if !hangs {
		cancel() // at least a call that is over before it begins
	}
	done := make(chan dsar.Report, 1)
	var asked sync.WaitGroup
	asked.Go(func() { done <- d.ask(ctx, d.task(request(s.Identifiers), action, s.known(action)))[0] })
	cancel()
	select {
	case r := <-done:
		if hangs && r.Kind != "" {
			d.Errorf("a call that was cut off was reported as %s %s", r.Kind, r.Outcome)
		}
	case <-time.After(hung):
		d.Fatal("the call didn't return though its context is over")
	}
	asked.Wait()
	if hangs {
		d.behave(Working)
	}
	r := d.do(action, s)
	if action == dsar.Gather {
		d.same("after the cut", d.gathered(r), d.seeded(s))
	}
}

// failsForAWhile has every call fail with something that may pass: the task is
// parked, and done once it has passed.
func (d *desk) failsForAWhile() {
	d.behave(Failing)
	s, action := d.system.Subjects[0], d.action()
	r := d.ask(context.Background(), d.task(request(s.Identifiers), action, s.known(action)))[0]
	if r.Kind != dsar.ReportParked || r.Until.IsZero() {
		d.Errorf("a failure that may pass was reported as %s until %s: %s %s", r.Kind, r.Until, r.Code, r.Reason)
	}
	if r.Code == "" || r.Reason == "" {
		d.Error("nothing says why the task waits")
	}
	d.behave(Working)
	d.do(action, s)
}

// refused has every call fail with something that a person must mend.
func (d *desk) refused() {
	d.behave(Refusing)
	s, action := d.system.Subjects[0], d.action()
	r := d.ask(context.Background(), d.task(request(s.Identifiers), action, s.known(action)))[0]
	if r.Kind != dsar.ReportFailed || r.Code == "" || r.Reason == "" {
		d.Errorf("a refusal was reported as %s: %q %q; return worker.Permanent", r.Kind, r.Code, r.Reason)
	}
	d.behave(Working)
	d.do(action, s)
}

// rateLimited has the system name a time: the task is parked until then at once,
// without tries in place.
func (d *desk) rateLimited() {
	d.behave(RateLimited)
	s, action := d.system.Subjects[0], d.action()
	r := d.ask(context.Background(), d.task(request(s.Identifiers), action, s.known(action)))[0]
	if r.Kind != dsar.ReportParked || r.Until.IsZero() {
		d.Errorf("a rate limit was reported as %s until %s: %s; return worker.RetryAt or worker.RetryAfter", r.Kind, r.Until, r.Code)
	}
	d.behave(Working)
	d.do(action, s)
}

// stopsTwice stops a worker that isn't running, and again: it returns, and the
// worker doesn't run any more.
func (d *desk) stopsTwice() {
	d.worker.Stop()
	d.worker.Stop()
	if err := d.worker.Run(context.Background(), worker.Config{Vault: d.vault}); err == nil {
		d.Error("a worker without brokers ran")
	}
}
