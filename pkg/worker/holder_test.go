package worker_test

import (
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// TestHolder: a record is another's if something leads from it to somebody, and nothing to the
// person, in whatever order it is seen, and through whatever other records.
func TestHolder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var h worker.Holder
		theirs, others := false, false
		for _, toThem := range rapid.SliceOf(rapid.Bool()).Draw(t, "leads") {
			theirs, others = theirs || toThem, others || !toThem
			if rapid.Bool().Draw(t, "through") {
				var far worker.Holder
				far.Leads(toThem)
				h.Through(far)
			} else {
				h.Leads(toThem)
			}
			h.Through(worker.Holder{}) // a record from which nothing leads
		}
		if h.IsAnothers() != (others && !theirs) {
			t.Fatalf("something leads to the person: %t, to somebody else: %t; it is another's: %t", theirs, others, h.IsAnothers())
		}
	})
}

// TestKnown: where a task goes by keys only, its person is known by the plan's owner.
func TestKnown(t *testing.T) {
	t.Parallel()
	ids, owner := []worker.Identifier{{Type: "email", Value: "a@example.com"}}, []worker.Identifier{{Type: "email", Value: "b@example.com"}}
	for byKeys, want := range map[bool]string{false: "a@example.com", true: "b@example.com"} {
		task := worker.Task{Identifiers: ids, Owner: owner, ByKeys: byKeys}
		if got := task.Known(); len(got) != 1 || got[0].Value != want {
			t.Errorf("by keys only: %t: known by %v", byKeys, got)
		}
	}
}

// TestKnows: a record has the person's identifier however it is written, and no other person's,
// nor one of another type.
func TestKnows(t *testing.T) {
	t.Parallel()
	ids := []worker.Identifier{{Type: "email", Value: "Anna@Müller.example"}, {Type: "phone", Value: "+33 6 12 34 56 78"}, {Type: "customer_ref", Value: "C-1"}}
	for _, byKeys := range []bool{false, true} {
		task := worker.Task{Identifiers: ids, ByKeys: byKeys}
		if byKeys {
			task.Identifiers, task.Owner = nil, ids
		}
		for _, c := range []struct {
			typ   dsar.IdentifierType
			value string
			knows bool
		}{
			{"email", "anna@xn--mller-kva.example", true}, {"email", "\u00a0ANNA@MÜLLER.EXAMPLE ", true}, {"email", "bob@müller.example", false}, {"email", "", false},
			{"phone", "0033612345678", true}, {"phone", "+33 (0)6 12 34 56 78", true}, {"phone", "+33 6 12 34 56 79", false},
			{"customer_ref", " C-1", true}, {"customer_ref", "c-1", false}, {"customer_ref", "Anna@Müller.example", false},
		} {
			if task.Knows(c.typ, c.value) != c.knows {
				t.Errorf("by keys only: %t: %s %q is known: %t", byKeys, c.typ, c.value, !c.knows)
			}
		}
	}
}
