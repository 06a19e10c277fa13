// Package workertest tests workers: one call by [Ask], several of one request by
// [Request], and everything that package worker asks of an implementation by [Run],
// the conformance kit. None of it needs Kafka, or a vault of the author's.
//
//	got := workertest.Ask(t, w, "gather", "anna@example.com")
//	if len(got.Records) != 2 { … }
//
// # The kit
//
// Give it a system with some seeded people, and what the system holds of each:
//
//	func TestConformance(t *testing.T) {
//		workertest.Run(t, func(t testing.TB, log *slog.Logger) workertest.System {
//			db := seed(t) // a fresh one each time
//			return workertest.System{
//				Manifest: m,
//				Worker:   NewOrders(db, log),
//				Subjects: []workertest.Subject{anna, bob},
//				Nobody:   []worker.Identifier{{Type: "email", Value: "nobody@example.com"}},
//			}
//		})
//	}
//
// Checks that need the system to fail are skipped, by name, where it can't be
// told to ([System.Break]). The kit's own tests run it on workers that are wrong
// in one thing each, and expect it to say so (TestMutants). It asks more as workers are
// asked for more: a kit of a later version MAY find what an earlier one didn't.
//
// Stability: stable: a name that changes stands in the CHANGELOG.
package workertest

import (
	"log/slog"
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// System is a worker and what it serves, seeded.
type System struct {
	Manifest *manifest.Manifest
	// Worker is the implementation, as [worker.New] takes it.
	Worker any
	// Subjects are people of whom the system holds records: at least two, so
	// that one's can be told from the other's. No two may share a record.
	Subjects []Subject
	// Nobody are identifiers of nobody in the system.
	Nobody []worker.Identifier
	// Break has the system behave in a way from the next call on. It returns
	// false where it can't be made to, and is nil where it can't at all.
	Break func(How) bool
	// Options are those of [worker.New], beside the kit's own.
	Options []worker.Option
}

// Subject is one seeded person.
type Subject struct {
	// Identifiers are those that the worker is asked by first.
	Identifiers []worker.Identifier
	// Finds are those that its resolve finds from them; the other actions are
	// asked by both.
	Finds []worker.Identifier
	// Records is everything that the system holds of the person.
	Records []Record
	// Stay is how many records of a dataset must stay after an erasure.
	Stay map[string]int64
}

// known returns the identifiers that a task for an action comes with.
func (s Subject) known(a dsar.Action) []worker.Identifier {
	if a == dsar.Resolve {
		return s.Identifiers
	}
	return slices.Concat(s.Identifiers, s.Finds)
}

// Record is one record: its values as a bundle's JSON has them.
type Record struct {
	Dataset string
	Values  map[string]any
}

// How says how a system behaves.
type How int

// The ways in which a system can behave.
const (
	Working     How = iota // as it should
	Failing                // every call fails with something that may pass
	Refusing               // every call fails with something that a person must mend
	RateLimited            // every call is told to come again later
	Hanging                // a call doesn't return before its context is over
	Halfway                // an erasure fails after some of the records are gone
)

func (h How) String() string {
	return [...]string{"working", "failing", "refusing", "rate limited", "hanging", "failing halfway"}[h]
}

// Run runs every check on a fresh system each. What the implementation logs MUST
// go to log, which is searched for personal data.
func Run(t *testing.T, open func(t testing.TB, log *slog.Logger) System) {
	t.Helper()
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.on(t, open)
		})
	}
}

// check is one check.
type check struct {
	name string
	// needs is the ability without which the check is skipped.
	needs dsar.Action
	run   func(*trial)
}

func (c check) on(t testing.TB, open func(t testing.TB, log *slog.Logger) System) {
	t.Helper()
	tr := newTrial(t, open)
	if c.needs != "" && !tr.system.Manifest.Can(c.needs) {
		t.Skipf("the system doesn't %s", c.needs)
	}
	c.run(tr)
	tr.leaksNothing()
}

func checks() []check {
	return []check{
		{"the seeds are of the manifest", "", (*trial).seeds},
		{"gathers every record and none of others", dsar.Gather, (*trial).gathersExactly},
		{"gathers nothing of nobody", dsar.Gather, (*trial).gathersNobody},
		{"gathers many together", dsar.Gather, (*trial).gathersTogether},
		{"gathers the same person twice together", dsar.Gather, (*trial).gathersTwins},
		{"gathers the same again", dsar.Gather, (*trial).gathersAgain},
		{"finds identifiers", dsar.Resolve, (*trial).resolves},
		{"plans, erases and proves", dsar.Erase, (*trial).erases},
		{"erases nothing of nobody", dsar.Erase, (*trial).erasesNobody},
		{"erases what is gone already", dsar.Erase, (*trial).erasesAgain},
		{"erases by its plan only", dsar.Erase, (*trial).refusesAnotherPlan},
		{"erases nothing without a plan", dsar.Erase, (*trial).refusesNoPlan},
		{"erases what came after the plan", dsar.Erase, (*trial).tellsWhatIsLate},
		{"keeps to the plan's keys where it is told to", dsar.Erase, (*trial).keepsToKeys},
		{"leaves what is somebody else's by now", dsar.Erase, (*trial).leavesAnothers},
		{"erases what is restricted", dsar.Restrict, (*trial).erasesRestricted},
		{"erases together", dsar.Erase, (*trial).erasesTogether},
		{"erases after failing halfway", dsar.Erase, (*trial).erasesHalfway},
		{"is cut off in a call", "", (*trial).cutOff},
		{"fails for a while", "", (*trial).failsForAWhile},
		{"is refused for good", "", (*trial).refused},
		{"is told to come later", "", (*trial).rateLimited},
		{"stops twice", "", (*trial).stopsTwice},
	}
}
