package workertest

import (
	"context"
	"fmt"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
)

// erases goes the way of an erasure for the first subject, and looks at the
// others.
func (d *desk) erases() {
	s := d.system.Subjects[0]
	d.planned("the plan", s, d.do(dsar.Count, s))
	d.erased(s, d.do(dsar.Erase, s))
	d.proven(s)
}

// planned checks a plan's counts: everything that is held, and of that what must
// stay.
func (d *desk) planned(what string, s Subject, r dsar.Report) {
	d.Helper()
	found, stay := map[string]int64{}, map[string]int64{}
	for _, c := range r.Counts {
		found[c.Dataset] += c.Found
		stay[c.Dataset] += c.Kept()
	}
	held := map[string]int64{}
	for _, rec := range s.Records {
		held[rec.Dataset]++
	}
	for _, ds := range d.system.Manifest.Datasets {
		if ds.GoesWith != "" { // not counted by itself
			continue
		}
		if found[ds.Name] != held[ds.Name] {
			d.Errorf("%s counts %d records in %s, %d are held", what, found[ds.Name], ds.Name, held[ds.Name])
		}
		if stay[ds.Name] != s.Stay[ds.Name] {
			d.Errorf("%s says that %d records in %s must stay, seeded are %d", what, stay[ds.Name], ds.Name, s.Stay[ds.Name])
		}
	}
}

// erased checks what an erasure says of itself.
func (d *desk) erased(s Subject, r dsar.Report) {
	d.Helper()
	want := map[dsar.Outcome]bool{dsar.Erased: true, dsar.Anonymised: true}
	if len(s.Stay) > 0 {
		want = map[dsar.Outcome]bool{dsar.Retained: true}
	}
	if !want[r.Outcome] {
		d.Errorf("the erasure's outcome is %s", r.Outcome)
	}
}

// proven asks again: of the subject only what must stay may be there, and of the
// others everything.
func (d *desk) proven(s Subject) {
	d.Helper()
	if r := d.do(dsar.Prove, s); r.Outcome != dsar.Proven {
		d.Errorf("the proof's outcome is %s", r.Outcome)
	}
	if !d.system.Manifest.Can(dsar.Gather) {
		return
	}
	left := map[string]int64{}
	for _, line := range d.gathered(d.do(dsar.Gather, s)) {
		for _, ds := range d.system.Manifest.Datasets {
			if len(line) > len(ds.Name) && line[:len(ds.Name)+1] == ds.Name+" " {
				left[ds.Name]++
			}
		}
	}
	for _, ds := range d.system.Manifest.Datasets {
		if left[ds.Name] != s.Stay[ds.Name] {
			d.Errorf("after the erasure %d records are left in %s, %d must stay", left[ds.Name], ds.Name, s.Stay[ds.Name])
		}
	}
	for i, other := range d.system.Subjects[1:] {
		d.same(fmt.Sprint("subject ", i+1), d.gathered(d.do(dsar.Gather, other)), d.seeded(other))
	}
}

func (d *desk) erasesNobody() {
	if len(d.system.Nobody) == 0 {
		d.Skip("no identifiers of nobody (System.Nobody)")
	}
	nobody := Subject{Identifiers: d.system.Nobody}
	for _, action := range []dsar.Action{dsar.Count, dsar.Erase} {
		if r := d.do(action, nobody); r.Outcome != dsar.NothingFound {
			d.Errorf("%s of nobody: the outcome is %s", action, r.Outcome)
		}
	}
	for i, s := range d.system.Subjects {
		if d.system.Manifest.Can(dsar.Gather) {
			d.same(fmt.Sprint("subject ", i), d.gathered(d.do(dsar.Gather, s)), d.seeded(s))
		}
	}
}

// erasesAgain delivers an erasure twice, and then comes with a further attempt:
// what is gone is a success.
func (d *desk) erasesAgain() {
	s := d.system.Subjects[0]
	task := d.task(request(s.Identifiers), dsar.Erase, s.known(dsar.Erase))
	d.erased(s, d.ended(d.ask(context.Background(), task)[0]))
	for _, again := range []event.Event{task, d.task(request(s.Identifiers), dsar.Erase, s.known(dsar.Erase))} {
		r := d.ended(d.ask(context.Background(), again)[0])
		for _, c := range r.Counts {
			if c.Erased+c.Anonymised > 0 {
				d.Errorf("an erasure that comes again says that it erased %d records in %s", c.Erased+c.Anonymised, c.Dataset)
			}
		}
	}
	d.proven(s)
}

// erasesTogether erases the first two subjects in one batch.
func (d *desk) erasesTogether() {
	a, b := d.system.Subjects[0], d.system.Subjects[1]
	for _, action := range []dsar.Action{dsar.Count, dsar.Erase, dsar.Prove} {
		for _, r := range d.ask(context.Background(), d.task(request(a.Identifiers), action, a.known(action)), d.task(request(b.Identifiers), action, b.known(action))) {
			d.ended(r)
		}
	}
}

// erasesHalfway has an erasure fail after some records are gone: it must not
// say that it is done, and the next attempt finishes it.
func (d *desk) erasesHalfway() {
	d.behave(Halfway)
	s := d.system.Subjects[0]
	r := d.ask(context.Background(), d.task(request(s.Identifiers), dsar.Erase, s.known(dsar.Erase)))[0]
	if r.Kind == dsar.ReportEnded {
		d.Errorf("an erasure that failed halfway ended as %s", r.Outcome)
	}
	d.behave(Working)
	d.do(dsar.Erase, s)
	d.proven(s)
}
