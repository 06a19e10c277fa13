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

// action returns one that the system can do and that changes nothing.
func (tr *trial) action() dsar.Action {
	for _, a := range []dsar.Action{dsar.Gather, dsar.Resolve} {
		if tr.system.Manifest.Can(a) {
			return a
		}
	}
	if tr.system.Manifest.Can(dsar.Erase) {
		return dsar.Plan
	}
	tr.Skip("the system can neither gather nor resolve nor erase")
	return ""
}

// cutOff ends the context of a call: nothing is reported, and the task that
// comes again is done as if nothing had been.
func (tr *trial) cutOff() {
	s, action := tr.system.Subjects[0], tr.action()
	ctx, cancel := context.WithCancel(context.Background())
	hangs := tr.system.Break != nil && tr.system.Break(Hanging)
	if !hangs {
		cancel() // at least a call that is over before it begins
	}
	done := make(chan dsar.Report, 1)
	var asked sync.WaitGroup
	asked.Go(func() { done <- tr.ask(ctx, tr.task(request(s.Identifiers), action, s.known(action)))[0] })
	cancel()
	select {
	case r := <-done:
		if hangs && r.Kind != "" {
			tr.Errorf("a call that was cut off was reported as %s %s", r.Kind, r.Outcome)
		}
	case <-time.After(hung):
		tr.Fatal("the call didn't return though its context is over")
	}
	asked.Wait()
	if hangs {
		tr.behave(Working)
	}
	r := tr.do(action, s)
	if action == dsar.Gather {
		tr.same("after the cut", tr.gathered(r), tr.seeded(s))
	}
}

// failsForAWhile has every call fail with something that may pass: the task is
// parked, and done once it has passed.
func (tr *trial) failsForAWhile() {
	tr.behave(Failing)
	s, action := tr.system.Subjects[0], tr.action()
	r := tr.ask(context.Background(), tr.task(request(s.Identifiers), action, s.known(action)))[0]
	if r.Kind != dsar.ReportParked || r.Until.IsZero() {
		tr.Errorf("a failure that may pass was reported as %s until %s: %s %s", r.Kind, r.Until, r.Code, r.Reason)
	}
	if r.Code == "" || r.Reason == "" {
		tr.Error("nothing says why the task waits")
	}
	tr.behave(Working)
	tr.do(action, s)
}

// refused has every call fail with something that a person must mend.
func (tr *trial) refused() {
	tr.behave(Refusing)
	s, action := tr.system.Subjects[0], tr.action()
	r := tr.ask(context.Background(), tr.task(request(s.Identifiers), action, s.known(action)))[0]
	if r.Kind != dsar.ReportFailed || r.Code == "" || r.Reason == "" {
		tr.Errorf("a refusal was reported as %s: %q %q; return worker.Permanent", r.Kind, r.Code, r.Reason)
	}
	tr.behave(Working)
	tr.do(action, s)
}

// rateLimited has the system name a time: the task is parked until then at once,
// without tries in place.
func (tr *trial) rateLimited() {
	tr.behave(RateLimited)
	s, action := tr.system.Subjects[0], tr.action()
	r := tr.ask(context.Background(), tr.task(request(s.Identifiers), action, s.known(action)))[0]
	if r.Kind != dsar.ReportParked || r.Until.IsZero() {
		tr.Errorf("a rate limit was reported as %s until %s: %s; return worker.RetryAt or worker.RetryAfter", r.Kind, r.Until, r.Code)
	}
	tr.behave(Working)
	tr.do(action, s)
}

// stopsTwice stops a worker that isn't running, and again: it returns, and the
// worker doesn't run any more.
func (tr *trial) stopsTwice() {
	tr.worker.Stop()
	tr.worker.Stop()
	if err := tr.worker.Run(context.Background(), worker.Config{Access: tr.vault.Access(tr.worker.System())}); err == nil {
		tr.Error("a worker without brokers ran")
	}
}
