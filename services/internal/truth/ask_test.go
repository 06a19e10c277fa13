package truth

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/core"
)

// ask is one request of a person, and what happens around it.
type ask struct {
	*oracle
	rng *rand.Rand
	// impostor tells that who asks isn't who they say; claims, that somebody else's
	// address is given too, unverified.
	impostor, claims bool
}

// ask plays one request to its end, and holds what is said and done against what is
// there.
func (w *fixture) ask(p *pipeline, right dsar.Right, person int) *ask {
	w.Helper()
	for p.until(p.now); p.deliver(); { // what other requests may still do by now, they do before
	}
	a := &ask{rng: p.rng, oracle: &oracle{anew: map[record]bool{}, pipeline: p, fixture: w, right: right, person: person, at: p.now, before: w.there(), vanished: map[record]bool{}, late: map[record]bool{}, moved: map[record]bool{}}}
	r := mine("email " + email(person))
	r.Right = right
	switch {
	case right == dsar.KnowCategories:
		r.Jurisdiction = "California"
	case right == dsar.Access && a.rng.IntN(8) == 0:
		a.impostor = true
		r.Jurisdiction, r.Subject.OnBehalf, r.Subject.Proven = "California", dsar.CheckAgent, nil
	case a.rng.IntN(6) == 0:
		a.claims = true
		r.Subject.Identifiers = append(r.Subject.Identifiers, event.SubjectIdentifier{Type: "email", Value: email((person + 1) % persons)})
		r.Subject.Proven = nil
	}
	if right == dsar.Rectification {
		r.Details = &event.Details{Corrections: []event.Correction{{Column: "city", Value: corrected}}}
	}
	id := p.submit(r)
	if right == dsar.Erasure {
		if a.rng.IntN(5) == 0 {
			a.hold(id)
		}
		p.before = a.meddle()
		defer func() { w.erasing[person] = true }()
	}
	a.state = a.attend(id, p.play(id))
	p.before = nil
	for _, h := range a.state.Holds {
		w.holds = append(w.holds, held{person, h})
	}
	a.after = w.there()
	if a.overtaken() {
		return a
	}
	a.judge()
	if right == dsar.Erasure && a.state.Status == core.StatusCompleted && len(a.lies) == 0 {
		if a.again(id); len(a.lies) == 0 && a.state.Status == core.StatusCompleted && a.rng.IntN(3) == 0 {
			a.pass(id)
		}
	}
	return a
}

// overtaken reports whether something of the person's might go, while the request was
// played, that an earlier erasure had to keep until then: what was there before says
// nothing then.
func (a *ask) overtaken() bool {
	for r := range a.before {
		if r.of(a.person) && a.fixture.mayGo(r, a.now) {
			return true
		}
	}
	return false
}

// hold keeps something from being erased, before anything is.
func (a *ask) hold(id string) {
	h := core.Hold{By: "lea", Reason: "a lawsuit", Now: a.now}
	if r := a.fixture.records[a.rng.IntN(len(a.fixture.records))]; !r.bystander && a.rng.IntN(3) > 0 {
		if h.System = r.system; a.rng.IntN(2) == 0 {
			h.Dataset = r.dataset
		}
	}
	_, err := a.life.Do(a.ctx(), id, h)
	a.must(err)
}

// attend does what a careful agent does while the request waits for somebody.
func (a *ask) attend(id string, state core.State) core.State {
	for range 8 {
		var c core.Command
		switch {
		case state.Awaited == core.RemindProof && a.impostor:
			c = core.JudgeProof{By: "lea", Failed: []dsar.Check{dsar.CheckAgent}, Reason: "forged", Calendar: a.kit.book, Now: a.now}
		case state.Awaited == core.RemindProof && a.rng.IntN(2) == 0:
			c = core.JudgeProof{By: "lea", Without: true, Reason: "not theirs", Calendar: a.kit.book, Now: a.now}
		case state.Awaited == core.RemindProof:
			c = core.JudgeProof{By: "lea", Accepted: true, Identifiers: []string{state.Identifiers[0].Fingerprint}, Calendar: a.kit.book, Now: a.now}
		case state.Status == core.StatusNeedsAttention:
			i := slices.IndexFunc(state.Tasks, func(t *core.TaskState) bool {
				return t.Status == core.TaskIsFailed && (t.End.Code == core.CodeWeakLink || t.End.Code == core.CodeSeveral)
			})
			if i < 0 {
				return state
			}
			// The household is several people's: it is not the person's.
			c = core.Attest{By: "lea", Reason: "a household", System: state.Tasks[i].System, Action: dsar.Resolve, Outcome: dsar.NothingFound, Now: a.now}
		default:
			return state
		}
		_, err := a.life.Do(a.ctx(), id, c)
		a.must(err)
		state = a.play(id)
	}
	return state
}

// meddle returns what others do to the databases between plan and erasure, in each
// system once: a row comes, is deleted, or becomes somebody else's.
func (a *ask) meddle() func(string, dsar.Action) {
	done := map[string]bool{}
	return func(name string, action dsar.Action) {
		if action != dsar.Erase || done[name] {
			return
		}
		done[name] = true
		for _, s := range a.fixture.systems {
			if s.name != name {
				continue
			}
			switch a.rng.IntN(6) {
			case 0:
				a.comes(s)
			case 1:
				a.vanishes(s)
			case 2:
				a.moves(s)
			}
		}
	}
}

// comes writes a new row of the person.
func (a *ask) comes(s *system) {
	d := s.datasets[0]
	if d.parent != "" || s.name == "account" {
		return
	}
	w := a.fixture
	r := record{system: s.name, dataset: d.name, id: w.next, owner: a.person, also: nobody}
	w.next++
	if d.shared {
		r.also = (a.person + 1) % persons
		if w.erasing[r.also] { // whose account may be gone: nobody writes to it anew
			r.also = a.person
		}
	}
	issued := day(a.now).AddDate(-20*a.rng.IntN(2), 0, 0)
	if d.keeps {
		r.until = issued.AddDate(10, 0, 1) // through the whole of the same date
	}
	w.insert(s, d, r, email(a.person), issued)
	a.late[r] = true
	a.before[r] = row{ref: email(a.person), body: fmt.Sprintf("%s%d-", mark, a.person), city: "Paris"}
}

// leaf returns a record of the person in a system to which no other row refers.
func (a *ask) leaf(s *system) (record, bool) {
	d := s.datasets[len(s.datasets)-1]
	if len(s.bystanders) > 0 || len(s.after) > 0 || s.name == "account" || d.household {
		return record{}, false
	}
	for _, o := range a.fixture.systems {
		if o.in == s.name {
			return record{}, false // its rows are found by these
		}
	}
	for _, r := range a.fixture.records { // in their order: a seed repeats
		if _, there := a.before[r]; there && r.system == s.name && r.dataset == d.name && r.owner == a.person && !r.kept(a.at) {
			return r, true
		}
	}
	return record{}, false
}

// vanishes deletes a row of the person behind everybody's back.
func (a *ask) vanishes(s *system) {
	if r, ok := a.leaf(s); ok {
		a.fixture.stores[s.name].exec("DELETE FROM "+r.dataset+" WHERE id = ?", r.id)
		a.vanished[r] = true
	}
}

// moves has a row of the person become somebody else's.
func (a *ask) moves(s *system) {
	r, ok := a.leaf(s)
	if !ok || !strings.Contains(a.fixture.dataset(r).at, "{email: ref}") {
		return
	}
	other := (a.person + 1) % persons
	a.fixture.stores[s.name].exec("UPDATE "+r.dataset+" SET ref = ?, body = ? WHERE id = ?", email(other), fmt.Sprintf("%s%d-", mark, other), r.id)
	is := a.before[r]
	delete(a.before, r)
	a.moved[r] = true
	moved := r
	moved.owner = other
	a.before[moved] = row{ref: email(other), body: fmt.Sprintf("%s%d-", mark, other), city: is.city, locked: is.locked}
	a.fixture.records[slices.Index(a.fixture.records, r)] = moved
}

// pass lets years pass, so that what had to stay may go, and judges what is there then.
func (a *ask) pass(id string) {
	until := a.now.AddDate(1+a.rng.IntN(9), 0, 0)
	for {
		wake := core.Wake(a.state)
		if wake.IsZero() || wake.After(until) {
			break
		}
		a.pipeline.until(wake)
		if a.state = a.play(id); a.state.Status != core.StatusCompleted {
			return
		}
	}
	a.now = until
	a.purged, a.before, a.after = true, a.after, a.fixture.there()
	a.anewStays()
	for r := range a.after {
		if r.of(a.person) && !a.stays(r) && !r.bystander && !a.anew[r] {
			a.lie("record %d of %s in %s might go at %s, and is there at %s", r.id, r.dataset, r.system, r.until.Format("2006-01-02"), until.Format("2006-01-02"))
		}
	}
	a.judge()
}
