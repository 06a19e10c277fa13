package workertest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// erases goes the way of an erasure for the first subject, and looks at the
// others.
func (tr *trial) erases() {
	s := tr.system.Subjects[0]
	r := tr.do(dsar.Plan, s)
	tr.planned("the plan", s, r)
	tr.keys(s, plan(tr, tr.vault, r))
	tr.erased(s, tr.do(dsar.Erase, s))
	tr.proven(s)
}

// keys checks that a plan names every record that is held, once, by its key.
func (tr *trial) keys(s Subject, entries []worker.Entry) {
	tr.Helper()
	held, named := map[string]int64{}, map[string]int64{}
	for _, rec := range s.Records {
		held[rec.Dataset]++
	}
	seen := map[[2]string]bool{}
	for _, e := range entries {
		named[e.Dataset]++
		if at := [2]string{e.Dataset, e.Key}; seen[at] {
			tr.Errorf("the plan names a record of %s twice by one key: a key must be unique in its dataset", e.Dataset)
		} else {
			seen[at] = true
		}
	}
	for _, ds := range tr.system.Manifest.Datasets {
		if ds.GoesWith == "" && named[ds.Name] != held[ds.Name] {
			tr.Errorf("the plan names %d records of %s, %d are held", named[ds.Name], ds.Name, held[ds.Name])
		}
	}
}

// planned checks a plan's counts: everything that is held, and of that what must
// stay.
func (tr *trial) planned(what string, s Subject, r dsar.Report) {
	tr.Helper()
	found, stay := map[string]int64{}, map[string]int64{}
	for _, c := range r.Counts {
		found[c.Dataset] += c.Found
		stay[c.Dataset] += c.Kept()
	}
	held := map[string]int64{}
	for _, rec := range s.Records {
		held[rec.Dataset]++
	}
	for _, ds := range tr.system.Manifest.Datasets {
		if ds.GoesWith != "" { // not counted by itself
			continue
		}
		if found[ds.Name] != held[ds.Name] {
			tr.Errorf("%s counts %d records in %s, %d are held", what, found[ds.Name], ds.Name, held[ds.Name])
		}
		if stay[ds.Name] != s.Stay[ds.Name] {
			tr.Errorf("%s says that %d records in %s must stay, seeded are %d", what, stay[ds.Name], ds.Name, s.Stay[ds.Name])
		}
	}
}

// erased checks what an erasure says of itself.
func (tr *trial) erased(s Subject, r dsar.Report) {
	tr.Helper()
	want := map[dsar.Outcome]bool{dsar.Erased: true, dsar.Anonymised: true}
	if len(s.Stay) > 0 {
		want = map[dsar.Outcome]bool{dsar.Retained: true}
	}
	if !want[r.Outcome] {
		tr.Errorf("the erasure's outcome is %s: %s %s", r.Outcome, r.Code, r.Reason)
	}
}

// proven asks again: of the subject only what must stay may be there, and of the
// others everything.
func (tr *trial) proven(s Subject) {
	tr.Helper()
	if r := tr.do(dsar.Prove, s); r.Outcome != dsar.Proven {
		tr.Errorf("the proof's outcome is %s", r.Outcome)
	}
	if !tr.system.Manifest.Can(dsar.Gather) {
		return
	}
	left := map[string]int64{}
	for _, line := range tr.gathered(tr.do(dsar.Gather, s)) {
		for _, ds := range tr.system.Manifest.Datasets {
			if len(line) > len(ds.Name) && line[:len(ds.Name)+1] == ds.Name+" " {
				left[ds.Name]++
			}
		}
	}
	for _, ds := range tr.system.Manifest.Datasets {
		if left[ds.Name] != s.Stay[ds.Name] {
			tr.Errorf("after the erasure %d records are left in %s, %d must stay", left[ds.Name], ds.Name, s.Stay[ds.Name])
		}
	}
	for i, other := range tr.system.Subjects[1:] {
		tr.same(fmt.Sprint("subject ", i+1), tr.gathered(tr.do(dsar.Gather, other)), tr.seeded(other))
	}
}

// erasesRestricted restricts what is held of a subject, as what is kept for a legal hold is,
// and erases it afterwards, as when the hold is over: every record is still there, found and
// erased. A system that can't stop every use says so, and the rest holds all the same.
func (tr *trial) erasesRestricted() {
	if !tr.system.Manifest.Can(dsar.Erase) {
		tr.Skip("the system doesn't erase")
	}
	s := tr.system.Subjects[0]
	r := tr.ask(context.Background(), tr.task(request(s.Identifiers), dsar.Restrict, s.known(dsar.Restrict)))[0]
	if r.Kind != dsar.ReportFailed || r.Code != "not-restrictable" {
		tr.ended(r)
	}
	tr.planned("the plan of what is restricted", s, tr.do(dsar.Plan, s))
	tr.erased(s, tr.do(dsar.Erase, s))
	if r := tr.do(dsar.Prove, s); r.Outcome != dsar.Proven {
		tr.Errorf("the proof's outcome is %s", r.Outcome)
	}
}

func (tr *trial) erasesNobody() {
	if len(tr.system.Nobody) == 0 {
		tr.Skip("no identifiers of nobody (System.Nobody)")
	}
	nobody := Subject{Identifiers: tr.system.Nobody}
	for _, action := range []dsar.Action{dsar.Plan, dsar.Erase} {
		if r := tr.do(action, nobody); r.Outcome != dsar.NothingFound {
			tr.Errorf("%s of nobody: the outcome is %s", action, r.Outcome)
		}
	}
	for i, s := range tr.system.Subjects {
		if tr.system.Manifest.Can(dsar.Gather) {
			tr.same(fmt.Sprint("subject ", i), tr.gathered(tr.do(dsar.Gather, s)), tr.seeded(s))
		}
	}
}

// erasesAgain delivers an erasure twice, and then comes with further attempts: the same
// bytes do nothing, and what is gone is a success, told as gone, and never as erased.
func (tr *trial) erasesAgain() {
	s := tr.system.Subjects[0]
	tr.do(dsar.Plan, s)
	task := tr.task(request(s.Identifiers), dsar.Erase, s.known(dsar.Erase))
	tr.erased(s, tr.ended(tr.ask(context.Background(), task)[0]))
	if r := tr.ask(context.Background(), task)[0]; r.Code != worker.CodeBegunBefore {
		tr.Errorf("the same bytes of an erasure came again, and it was %q, %q", r.Kind, r.Code)
	}
	for range 2 {
		again := tr.task(request(s.Identifiers), dsar.Erase, s.known(dsar.Erase))
		r := tr.ended(tr.ask(context.Background(), again)[0])
		var gone int64
		for _, c := range r.Counts {
			if c.Erased+c.Anonymised > 0 {
				tr.Errorf("an erasure that comes again says that it erased %d records in %s", c.Erased+c.Anonymised, c.Dataset)
			}
			gone += c.Gone
		}
		if r.Code == dsar.CodePlanUnmet || gone == 0 {
			tr.Errorf("an erasure that comes again doesn't say that what it erased is gone: %s", r.Reason)
		}
	}
	tr.proven(s)
}

// refusesAnotherPlan erases by a plan of another hash: nothing may happen.
func (tr *trial) refusesAnotherPlan() {
	s := tr.system.Subjects[0]
	tr.do(dsar.Plan, s)
	other := *tr.plans[request(s.Identifiers)]
	other.SHA256 = strings.Repeat("0", len(other.SHA256))
	tr.plans[request(s.Identifiers)] = &other
	r := tr.ask(context.Background(), tr.task(request(s.Identifiers), dsar.Erase, s.known(dsar.Erase)))[0]
	if r.Kind != dsar.ReportFailed || r.Code != dsar.CodePlanMismatch {
		tr.Errorf("an erasure by another plan was reported as %s %s: %s", r.Kind, r.Outcome, r.Code)
	}
	if tr.system.Manifest.Can(dsar.Gather) {
		tr.same("after an erasure by another plan", tr.gathered(tr.do(dsar.Gather, s)), tr.seeded(s))
	}
}

// tellsWhatIsLate erases by a plan that lacks a record, as if it had come since: it is
// erased all the same, and told apart.
func (tr *trial) tellsWhatIsLate() {
	s := tr.system.Subjects[0]
	all := plan(tr, tr.vault, tr.do(dsar.Plan, s))
	i := slices.IndexFunc(all, func(e worker.Entry) bool { return !e.Keep })
	if i < 0 {
		tr.Skip("nothing of the first subject is erased")
	}
	left := all[i].Dataset
	tr.plans[request(s.Identifiers)] = tr.leavePlan(request(s.Identifiers), slices.Delete(all, i, i+1))
	r := tr.ended(tr.ask(context.Background(), tr.task(request(s.Identifiers), dsar.Erase, s.known(dsar.Erase)))[0])
	tr.erased(s, r)
	var late int64
	for _, c := range r.Counts {
		if c.Dataset == left {
			late = c.Late
		}
	}
	if late == 0 || r.Code == dsar.CodePlanUnmet {
		tr.Errorf("a record of %s that came after the plan isn't told apart as late: %s", left, r.Reason)
	}
	tr.proven(s)
}

// keepsToKeys proves and erases by the keys of a plan that lacks a record, as if the
// person had become a customer anew: that record is neither found nor counted.
func (tr *trial) keepsToKeys() {
	s := tr.system.Subjects[0]
	all := plan(tr, tr.vault, tr.do(dsar.Plan, s))
	anew := slices.IndexFunc(all, func(e worker.Entry) bool { return !e.Keep })
	if anew < 0 {
		tr.Skip("nothing of the first subject is erased")
	}
	all = slices.Delete(all, anew, anew+1)
	tr.plans[request(s.Identifiers)], tr.byKeys = tr.leavePlan(request(s.Identifiers), all), true
	planned := map[string]int64{}
	for _, e := range all {
		planned[e.Dataset]++
	}
	r := tr.ask(context.Background(), tr.task(request(s.Identifiers), dsar.Prove, s.known(dsar.Prove)))[0]
	for _, c := range r.Counts {
		if c.Found != planned[c.Dataset] {
			tr.Errorf("a proof by keys finds %d records of %s, %d stand in the plan", c.Found, c.Dataset, planned[c.Dataset])
		}
		delete(planned, c.Dataset)
	}
	for name, n := range planned {
		tr.Errorf("a proof by keys finds none of the %d records of %s that stand in the plan: %s %s", n, name, r.Code, r.Reason)
	}
	r = tr.do(dsar.Erase, s)
	for _, c := range r.Counts {
		if c.Late > 0 {
			tr.Errorf("an erasure by keys took %d records of %s that aren't in the plan", c.Late, c.Dataset)
		}
	}
	if r.Code == dsar.CodePlanUnmet {
		tr.Errorf("an erasure by keys doesn't account for its plan: %s", r.Reason)
	}
	if r := tr.do(dsar.Prove, s); r.Outcome != dsar.Proven {
		tr.Errorf("the proof by keys of what is erased ends as %s: %s", r.Outcome, r.Reason)
	}
}

// leavesAnothers proves and erases by a plan that has another person's records, too, as if these
// had been the first person's when it was made, and had been given to the other since: they
// are neither found nor erased, nor said to be; once by the plan and by asking anew, and once by
// its keys only.
func (tr *trial) leavesAnothers() {
	s, other := tr.system.Subjects[0], tr.system.Subjects[1]
	own, theirs := plan(tr, tr.vault, tr.do(dsar.Plan, s)), plan(tr, tr.vault, tr.do(dsar.Plan, other))
	planned := map[string]int64{}
	for _, e := range own {
		planned[e.Dataset]++
	}
	given := slices.DeleteFunc(slices.Clone(theirs), func(e worker.Entry) bool { return e.Keep || planned[e.Dataset] == 0 })
	if len(given) == 0 {
		tr.Skip("nothing of the second subject is erased in a dataset that holds something of the first")
	}
	tr.plans[request(s.Identifiers)] = tr.leavePlan(request(s.Identifiers), slices.Concat(own, given))
	for _, tr.byKeys = range []bool{true, false} {
		r := tr.ask(context.Background(), tr.task(request(s.Identifiers), dsar.Prove, s.known(dsar.Prove)))[0]
		for _, c := range r.Counts {
			if c.Found != planned[c.Dataset] {
				tr.Errorf("a proof (by keys only: %t) finds %d records of %s, %d are the person's: somebody else's by now don't count", tr.byKeys, c.Found, c.Dataset, planned[c.Dataset])
			}
		}
	}
	for _, tr.byKeys = range []bool{false, true} {
		r := tr.ask(context.Background(), tr.task(request(s.Identifiers), dsar.Erase, s.known(dsar.Erase)))[0]
		if r.Kind != dsar.ReportEnded {
			tr.Errorf("an erasure (by keys only: %t) of what is somebody else's by now ended as %q: %s %s %s", tr.byKeys, r.Kind, r.Code, r.Reason, Detail(tr.vault, r))
		}
		for _, c := range r.Counts {
			if n := c.Erased + c.Anonymised + c.Kept(); n > planned[c.Dataset] {
				tr.Errorf("an erasure (by keys only: %t) accounts for %d records of %s, %d are the person's: somebody else's by now are left, and said to be, or gone", tr.byKeys, n, c.Dataset, planned[c.Dataset])
			}
		}
	}
	tr.byKeys = false
	if left := plan(tr, tr.vault, tr.do(dsar.Plan, other)); len(left) != len(theirs) {
		tr.Errorf("of the other person's %d records %d are left", len(theirs), len(left))
	}
	if tr.system.Manifest.Can(dsar.Gather) {
		tr.same("the other person", tr.gathered(tr.do(dsar.Gather, other)), tr.seeded(other))
	}
}

// refusesNoPlan erases, and proves by keys, without any plan: nothing may happen.
func (tr *trial) refusesNoPlan() {
	s := tr.system.Subjects[0]
	tr.byKeys = true // of a proof, and of one of the erasures
	for _, action := range []dsar.Action{dsar.Erase, dsar.Prove, dsar.Erase} {
		r := tr.ask(context.Background(), tr.task(request(s.Identifiers), action, s.known(action)))[0]
		if r.Kind != dsar.ReportFailed || r.Code != dsar.CodeNoPlan {
			tr.Errorf("%s without a plan was reported as %s %s: %s", action, r.Kind, r.Outcome, r.Code)
		}
		tr.byKeys = action == dsar.Erase
	}
	if tr.system.Manifest.Can(dsar.Gather) {
		tr.same("after an erasure without a plan", tr.gathered(tr.do(dsar.Gather, s)), tr.seeded(s))
	}
}

// leavePlan leaves a plan in the vault.
func (tr *trial) leavePlan(id string, entries []worker.Entry) *dsar.Object {
	tr.Helper()
	return LeavePlan(tr, tr.vault, tr.system.Manifest.System, id, entries...)
}

// erasesTogether erases the first two subjects in one batch.
func (tr *trial) erasesTogether() {
	a, b := tr.system.Subjects[0], tr.system.Subjects[1]
	for _, action := range []dsar.Action{dsar.Plan, dsar.Erase, dsar.Prove} {
		for _, r := range tr.ask(context.Background(), tr.task(request(a.Identifiers), action, a.known(action)), tr.task(request(b.Identifiers), action, b.known(action))) {
			tr.ended(r)
		}
	}
}

// erasesHalfway has an erasure fail after some records are gone: it must not
// say that it is done, and the next attempt finishes it.
func (tr *trial) erasesHalfway() {
	s := tr.system.Subjects[0]
	tr.do(dsar.Plan, s)
	tr.behave(Halfway)
	r := tr.ask(context.Background(), tr.task(request(s.Identifiers), dsar.Erase, s.known(dsar.Erase)))[0]
	if r.Kind == dsar.ReportEnded {
		tr.Errorf("an erasure that failed halfway ended as %s", r.Outcome)
	}
	tr.behave(Working)
	tr.do(dsar.Erase, s)
	tr.proven(s)
}
