package core_test

import (
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// TestWhatIsOutIsAskedAgainAfterARestore holds that a request which a restored journal takes up
// waits for no lease: the reports of what is out may be lost with the journal that heard them.
func TestWhatIsOutIsAskedAgainAfterARestore(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Access, account, events)
	d.report(ended("events", dsar.Gather, dsar.NothingFound))
	d.now = d.now.Add(time.Second)
	takeUp := core.TakeUp{By: "ops", From: core.TakenFromEvents, Facts: 2, Now: d.now}
	d.do(takeUp)
	for _, task := range d.state.Tasks {
		want := 2
		if task.System == "events" { // it had reported
			want = 1
		}
		if task.Attempt != want {
			t.Errorf("%s %s: attempt %d, want %d", task.System, task.Action, task.Attempt, want)
		}
	}
	before := len(d.state.Tasks)
	takeUp.Facts = 0
	d.do(takeUp)
	if len(d.state.Tasks) != before || d.state.Task("account", dsar.Gather).Attempt != 2 {
		t.Error("reconciling once more asks once more")
	}
}

// TestARestoreAsksNobodyOfWhatStands holds that nothing is sent of a request that waits for a
// person, or has ended.
func TestARestoreAsksNobodyOfWhatStands(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dsar.Access, events)
	d.do(core.TakeUp{By: "ops", From: core.TakenFromOutbox, Answer: &dsar.Object{Name: "answer"}, Now: d.now})
	if got := d.state.Task("events", dsar.Gather).Attempt; got != 1 || d.state.Status != core.StatusCompleted {
		t.Errorf("attempt %d of a request that is %s", got, d.state.Status)
	}
}
