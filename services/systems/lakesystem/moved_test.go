package lakesystem

import (
	"testing"

	"habeas.dev/pkg/worker"
)

// moved erases anna by a plan that was made while she had some records, in a table whose rows
// are others since.
func moved(t *testing.T, planned []string, now ...string) (*lake, *worker.EraseJob) {
	t.Helper()
	make := func(rows ...string) (*lake, *System) {
		l := newLake(t)
		l.create("clicks", clicks())
		l.create("letters", letters())
		l.append("clicks", rows...)
		return l, l.serve(webManifest(t))
	}
	var then []string
	for _, key := range planned {
		then = append(then, click(key, "anna", ""))
	}
	before, planner := make(then...)
	l, s := make(now...)
	j := &worker.EraseJob{Job: account("anna"), Plan: before.plan(planner, account("anna"))}
	if err := s.Erase(t.Context(), []*worker.EraseJob{j}); err != nil || j.Err != nil {
		t.Fatal(err, j.Err)
	}
	return l, j
}

// TestFileIsVisitedTwice: a file that holds a record of the person, and one that was planned and
// is another's by now, loses the first and is said to have lost that alone.
func TestFileIsVisitedTwice(t *testing.T) {
	t.Parallel()
	l, j := moved(t, []string{"1", "2"}, click("1", "anna", ""), click("2", "bob", ""))
	same(t, "what is left", l.ids("clicks", "click_id"), "2")
	if c := j.Counts[0]; c.Erased != 1 || c.Found != 1 || c.Uncovered == "" {
		t.Errorf("%+v", c)
	}
}

// TestOneKeyOfTwo: another's row stays, though it has the key of a record that goes, whatever
// else of the batch goes by its key.
func TestOneKeyOfTwo(t *testing.T) {
	t.Parallel()
	l, _ := moved(t, []string{"k"}, click("k", "anna", ""), click("k", "bob", ""), click("z", "", ""))
	same(t, "what is left", l.ids("clicks", "account_id"), "", "bob")
	l, _ = moved(t, []string{"k", "z"}, click("k", "anna", ""), click("k", "bob", ""), click("z", "", ""))
	same(t, "what is left", l.ids("clicks", "account_id"), "bob")
}
