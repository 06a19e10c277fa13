package truth

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// TestMeanwhile: what a request of a person is told while an erasure of theirs is on the
// way is so: one whose task got lost, whose report is late, that has begun in some systems;
// the first one, or years later that of what had to stay.
func TestMeanwhile(t *testing.T) {
	t.Parallel()
	plays(t, kind(*on), *runs/meanwhileShare, meanwhile)
}

// meanwhile is one run: a person has their data erased, and asks for something else before
// that is over, and once more when what had to stay may go.
func meanwhile(t testing.TB, k kit, on kind, seed uint64, m mutant) outcome {
	w := newFixture(t, on, seed)
	p := newPipeline(k, t, seed)
	p.sites, p.deadly = w.sites, true
	if p.start(m); p.refused != nil {
		return outcome{refused: 1}
	}
	out := outcome{on: on}
	person := w.rng.IntN(persons)
	erasure := mine("email " + email(person))
	erasure.Right = dsar.Erasure
	if w.rng.IntN(4) == 0 { // of somebody else, whose records are in part the person's
		other := mine("email " + email((person+1)%persons))
		other.Right = dsar.Erasure
		id := p.submit(other)
		state, err := p.life.Do(p.ctx(), id, core.Hold{By: "lea", Reason: "a lawsuit", Now: p.now})
		p.must(err)
		p.play(id)
		for _, h := range state.Holds {
			w.holds = append(w.holds, held{(person + 1) % persons, h})
		}
		w.erasing[(person+1)%persons] = true
	}
	id := p.submit(erasure)
	w.erasing[person] = true
	for round := range 2 {
		p.sticks(w, id)
		for range p.rng.IntN(12) {
			if !p.deliver() {
				break
			}
		}
		b := w.beside(p, person)
		if out.lies = append(out.lies, b.lies...); len(out.lies) > 0 {
			out.lies = append(out.lies, "the request is "+string(b.state.Status)+ends(b.state))
			break
		}
		if b.state.Status == core.StatusCompleted {
			out.completed += 2
		}
		p.unstick()
		state := p.play(id)
		if state.Status != core.StatusCompleted || round > 0 {
			break
		}
		if wake := core.Wake(state); !wake.IsZero() {
			p.now = wake
			_, err := p.coord.Tick(p.ctx())
			p.must(err)
		}
	}
	if len(out.lies) > 0 {
		out.told = w.described()
	}
	return out
}

// sticks has a request's erasures get stuck in some systems.
func (p *pipeline) sticks(w *fixture, id string) {
	p.stuck, p.stuckIs = map[string]stuck{}, id
	for _, s := range w.systems {
		if how := stuck(p.rng.IntN(4)); how == untaken || how == unheard {
			p.stuck[s.name] = how
		}
	}
}

// beside plays a request of a person of whom an erasure is under way.
func (w *fixture) beside(p *pipeline, person int) *ask {
	rights := []dsar.Right{dsar.Access, dsar.Access, dsar.Portability, dsar.KnowCategories, dsar.Erasure}
	a := &ask{rng: p.rng, oracle: &oracle{pipeline: p, fixture: w, right: rights[w.rng.IntN(len(rights))], person: person, at: p.now, before: w.there()}}
	r := mine("email " + email(person))
	if r.Right = a.right; a.right == dsar.KnowCategories {
		r.Jurisdiction = "California"
	}
	id := p.submit(r)
	a.state = a.attend(id, p.play(id))
	a.at, a.after = p.now, w.there()
	if a.state.Status == core.StatusCompleted && a.state.Right == a.right {
		a.besideIsTrue()
	}
	return a
}

// besideIsTrue: while an erasure is under way records only go. So what is said not to be
// there, or to be gone, isn't there when the answer is given, and what is said to stay is.
func (o *oracle) besideIsTrue() {
	a := o.read(o.state)
	of := func(reading map[record]row, s statement.Said) (out []record) {
		for r := range reading {
			if r.of(o.person) && (s.System == "" || s.System == r.system) && (s.Dataset == "" || s.Dataset == r.dataset) {
				out = append(out, r)
			}
		}
		return out
	}
	shown := func(r record) bool {
		return slices.Contains(a.shown(o, r.system, r.dataset), strconv.Itoa(r.id))
	}
	for _, s := range a.whole.Statements {
		before, after := of(o.before, s), of(o.after, s)
		so := true
		switch s.Kind {
		case statement.Holds:
			so = len(before) > 0
		case statement.NothingLeftOut:
			so = o.right == dsar.KnowCategories || !slices.ContainsFunc(after, func(r record) bool { return !shown(r) })
		case statement.KeptEarlier, statement.Kept:
			so = int64(len(after)) >= s.Records
		case statement.PartlyKept, statement.AllKept, statement.OnlyKeptEarlier:
			so = len(after) > 0 && o.allStay(after)
		case statement.KeptUnused, statement.Stopped, statement.NothingToChange, statement.NothingChanged:
		default:
			if holds := truths[s.Kind]; holds != nil {
				so = holds(o, after, after)
			}
		}
		if !so {
			o.lie("meanwhile it is said of %q, %q: %s (%s) %d; there were %v and there are %v", s.System, s.Dataset, s.Kind, s.Text, s.Records, before, after)
		}
	}
	for name, text := range a.files {
		for other := range persons {
			if mark := fmt.Sprintf("%s%d-", mark, other); other != o.person && !o.sharedWith(other) && strings.Contains(text, mark) {
				o.lie("the file %s holds what is person %d's", name, other)
			}
		}
	}
}
