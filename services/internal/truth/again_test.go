package truth

import (
	"encoding/json"
	"io"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// proveAgain is how long after the answer to an erasure its systems are asked again, in
// those runs that do.
const proveAgain = 30 * 24 * time.Hour

// again has some of what was erased come back, as by a backup, and the person become a
// customer anew; then it lets the time come at which the erasure is proven anew, and holds
// what its addendum says against what is there.
func (a *ask) again(id string) {
	if a.state.AgainAt.IsZero() {
		return
	}
	back := a.comeBack(2)
	a.comeAnew()
	a.before = a.fixture.there()
	a.pipeline.until(a.state.AgainAt)
	for range 3 {
		if a.state = a.play(id); a.state.Status != core.StatusNeedsAttention {
			break
		}
		_, err := a.life.Do(a.ctx(), id, core.Retry{By: "lea", Now: a.now})
		a.must(err)
	}
	a.after = a.fixture.there()
	if a.overtaken() {
		return
	}
	a.othersAreUntouched()
	if a.state.Status != core.StatusCompleted || len(a.state.Addenda) != 1 {
		a.lie("proven anew, the request is %s with %d addenda", a.state.Status, len(a.state.Addenda))
		return
	}
	said := a.addendum()
	var came int64
	for _, s := range said.About("", "", statement.CameBack) {
		came += s.Records
	}
	if came != int64(len(back)) {
		a.lie("%d records are said to have come back, and %v did", came, back)
	}
	for kind, so := range map[statement.Kind]bool{statement.NothingCameBack: len(back) == 0, statement.ErasedOnceMore: len(back) > 0, statement.AskedOnceMore: true, statement.StillThere: false, statement.NotAllOnceMore: false} {
		if is := len(said.About("", "", kind)) > 0; is != so {
			a.lie("the addendum says %q: %t; %v had come back", kind, is, back)
		}
	}
	for _, r := range back {
		if _, there := a.after[r]; there {
			a.lie("record %d of %s in %s came back, and is there", r.id, r.dataset, r.system)
		}
	}
	a.anewStays()
}

// anewStays: what the person has anew, since the answer, is there as it came.
func (a *ask) anewStays() {
	for r := range a.anew {
		if _, there := a.after[r]; !there {
			a.lie("record %d of %s in %s is the person's anew, and was erased by an old plan", r.id, r.dataset, r.system)
		}
	}
}

// comeBack writes again at most so many rows that were erased.
func (a *ask) comeBack(most int) (back []record) {
	for _, r := range a.fixture.records {
		d := a.fixture.dataset(r)
		_, was := a.before[r]
		_, there := a.after[r]
		if !was || there || len(back) == most || r.owner != a.person || r.system == "account" || d.parent != "" || d.keeps || d.anonymises || d.shared || r.bystander || a.vanished[r] || a.late[r] || a.moved[r] {
			continue
		}
		if len(a.fixture.stores[r.system].list("SELECT id FROM "+r.dataset+" WHERE id = ?", r.id)) > 0 {
			continue
		}
		a.write(r)
		back = append(back, r)
	}
	return back
}

// comeAnew writes a row that the person has anew.
func (a *ask) comeAnew() {
	for _, s := range a.fixture.systems {
		d := s.datasets[0]
		if s.name == "account" || d.parent != "" || d.shared || d.household || a.rng.IntN(2) == 0 {
			continue
		}
		r := record{system: s.name, dataset: d.name, id: a.fixture.next, owner: a.person, also: nobody}
		a.fixture.next++
		if d.keeps {
			r.until = day(a.now).AddDate(10, 0, 1)
		}
		a.write(r)
		a.fixture.records = append(a.fixture.records, r)
		a.anew[r] = true
		return
	}
}

// write writes a row of the person, issued now.
func (a *ask) write(r record) {
	for _, s := range a.fixture.systems {
		for _, d := range s.datasets {
			if s.name == r.system && d.name == r.dataset {
				known := a.fixture.records
				a.fixture.insert(s, d, r, email(a.person), a.now)
				a.fixture.records = known
			}
		}
	}
}

// addendum reads what was said to the person when the erasure was proven anew.
func (a *ask) addendum() statement.Answer {
	r, err := aggregator.OpenAddendum(a.ctx(), a.vault, a.outbox, a.state.Accepted.RequestID, a.state.Addenda[0].Object)
	a.must(err)
	defer r.Close()
	whole, err := io.ReadAll(r)
	a.must(err)
	text, _ := bundle.SplitAddendum(whole)
	var said struct {
		Statements []statement.Said `json:"statements"`
	}
	a.must(json.Unmarshal(text, &said))
	return statement.Answer{Request: statement.Request{Right: dsar.Erasure}, Statements: said.Statements}
}
