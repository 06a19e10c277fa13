package simulation

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// check checks, at the end of a run, everything that must always hold.
func (w *simulation) check(ctx context.Context) {
	w.look(func() {
		for _, a := range w.asked {
			facts, err := w.journal.Facts(ctx, a.id, 1)
			w.must(err)
			if err := journal.VerifyChain(facts); err != nil {
				w.fail("request %s: %v", a.id, err)
			}
			events := w.decode(a, facts)
			state := core.Fold(events)
			w.checkEnd(a, state, events)
			w.checkRow(ctx, a, state, facts)
			w.checkFacts(a, events)
			w.checkMessages(a, facts, events)
			if state.Status == core.StatusCompleted {
				w.checkBundle(ctx, a)
			}
			w.checkRecords(a, state.Status == core.StatusCompleted)
			w.checkErasures(a, events)
		}
		w.checkCanaries()
	})
}

func (w *simulation) decode(a *asked, facts []journal.Fact) []core.Event {
	var events []core.Event
	for _, f := range facts {
		w.spy.look(w, "the journal of "+a.id, f.Data)
		e, err := core.Decode(f.Type, f.Data)
		w.must(err)
		events = append(events, e)
	}
	return events
}

// checkEnd: every request ended, once, and as nobody else asked, completed.
func (w *simulation) checkEnd(a *asked, state core.State, events []core.Event) {
	ends := 0
	for i, e := range events {
		switch e.(type) {
		case core.Completed, core.Cancelled:
			if ends++; i == len(events)-1 {
				continue
			}
			if _, again := events[i+1].(core.AskedAgain); !again {
				w.fail("request %s goes on after its end: %T", a.id, events[i+1])
			}
		}
	}
	if ends != 1 || !state.Status.Ended() || state.Status == core.StatusCancelled && !a.cancelled {
		w.fail("request %s ended %d times, as %s", a.id, ends, state.Status)
	}
}

// checkRow: what lists show is the fold of the journal, and the request is
// found by the person's address.
func (w *simulation) checkRow(ctx context.Context, a *asked, state core.State, facts []journal.Fact) {
	last := facts[len(facts)-1]
	in := state.Accepted
	want := journal.Row{
		RequestID: a.id, Version: last.Version, Status: state.Status, Right: a.right, Jurisdiction: in.Jurisdiction, Source: in.Source, Digest: in.Digest,
		ReceivedAt: in.ReceivedAt, DueAt: state.DueAt, WakeAt: core.Wake(state), UpdatedAt: last.At, Overdue: state.Overdue, Waiting: core.Waiting(state), Hash: last.Hash,
	}
	got, err := w.journal.Row(ctx, a.id)
	w.must(err)
	if !reflect.DeepEqual(got, want) {
		w.fail("request %s: lists show %+v, the facts say %+v", a.id, got, want)
	}
	w.spy.look(w, "the row of "+a.id, fmt.Appendf(nil, "%+v", got))
	remembered, err := w.newLifecycle(w.openVault(), "habeas_coordinator").State(ctx, a.id)
	w.must(err)
	if !reflect.DeepEqual(state, remembered) {
		w.fail("request %s: the fold of the journal isn't the state", a.id)
	}
	for _, c := range w.all.coordinators {
		if kept, err := c.requests.State(ctx, a.id); err != nil || !reflect.DeepEqual(state, kept) {
			w.fail("request %s: what %s remembers isn't the journal: %v", a.id, c.name, err)
		}
	}
	v := w.openVault()
	defer v.Close()
	list, err := w.journal.List(ctx, journal.Filter{Fingerprint: v.Fingerprint("email", email(a.person))})
	w.must(err)
	var found, named []string
	for _, row := range list {
		found = append(found, row.RequestID)
	}
	for _, other := range w.asked {
		_, err := w.journal.Row(ctx, other.id)
		if err == nil && slices.ContainsFunc(other.data.Subject.Identifiers, func(id event.SubjectIdentifier) bool { return strings.EqualFold(id.Value, email(a.person)) }) {
			named = append(named, other.id)
		}
	}
	slices.Sort(found)
	slices.Sort(named)
	if !slices.Equal(found, named) {
		w.fail("request %s: what is found by its person's address is %v, not %v", a.id, found, named)
	}
}

// checkFacts: nothing is sent without a reason, and nothing ends twice.
func (w *simulation) checkFacts(a *asked, events []core.Event) {
	var state core.State
	var retried time.Time // when a person last did
	var anew []string     // whose erasure they had begun anew
	for _, e := range events {
		switch e := e.(type) {
		case core.TaskSent:
			if state.Again != nil {
				w.checkAgain(a, state, e)
				break
			}
			if why := unreasoned(state, e, retried); why != "" {
				w.fail("request %s: %s of %s was sent (%s, attempt %d): %s", a.id, e.Action, e.System, e.Reason, e.Attempt, why)
			}
			w.checkTurn(a, state, e, anew)
		case core.TaskParked:
			if e.Until.After(e.At.Add(core.MaxPark)) || e.Until.Before(e.At) {
				w.fail("request %s: %s of %s is parked from %s until %s", a.id, e.Action, e.System, e.At, e.Until)
			}
		case core.TaskEnded:
			if t := state.Task(e.System, e.Action); t != nil && t.Status == core.TaskIsEnded {
				w.fail("request %s: %s of %s ended twice", a.id, e.Action, e.System)
			}
			w.checkBrake(a, state, e)
		case core.CorrectionApproved:
			retried = e.At
		case core.Retried:
			retried = e.At
			anew = append(anew, e.Anew...)
		}
		state = core.Evolve(state, e)
	}
}

// checkAgain: when an answered erasure is proven again, systems are asked by the keys of
// their plans, and erase again only what had come back.
func (w *simulation) checkAgain(a *asked, s core.State, e core.TaskSent) {
	back := slices.ContainsFunc(s.Again.Back, func(b core.CameBack) bool { return b.System == e.System })
	switch {
	case e.System == dsar.Aggregator && e.Action == dsar.Assemble:
	case e.Action == dsar.Erase && !back:
		w.fail("request %s: %s is erased again, though nothing had come back", a.id, e.System)
	case e.Action != dsar.Erase && e.Action != dsar.Prove:
		w.fail("request %s: %s of %s was sent after the answer", a.id, e.Action, e.System)
	case !s.NewTask(e).ByKeys:
		w.fail("request %s: %s of %s was sent after the answer, and not by keys", a.id, e.Action, e.System)
	}
}

// checkTurn: nothing is erased before the whole plan is known, and what goes
// before it is gone; nothing is proven before everything is erased; nothing is
// assembled before everybody has ended. What was begun anew had ended, and is
// waited for by nobody but those that are erased after it, which begin anew too.
func (w *simulation) checkTurn(a *asked, s core.State, e core.TaskSent, anew []string) {
	before := func(system string, action dsar.Action) {
		if t := s.Task(system, action); t == nil || t.Status != core.TaskIsEnded {
			w.fail("request %s: %s of %s was sent before %s of %s had ended", a.id, e.Action, e.System, action, system)
		}
	}
	stages := s.Accepted.Right.Stages()
	for i, stage := range stages {
		if i+1 < len(stages) && stages[i+1] == e.Action {
			for _, sys := range s.Accepted.Systems {
				if sys.Name == e.System || !slices.Contains(anew, sys.Name) {
					before(sys.Name, stage)
				}
			}
		}
	}
	if e.Action == dsar.Erase && e.Reason == core.SentFirst {
		for _, sys := range s.Accepted.Systems {
			if sys.Name == e.System {
				for _, other := range sys.EraseAfter {
					before(other, dsar.Erase)
				}
			}
		}
	}
}

// checkBrake: a plan of more than the manifest expects goes on only where a
// person has accepted it.
func (w *simulation) checkBrake(a *asked, s core.State, e core.TaskEnded) {
	left := int64(0)
	for _, c := range e.Counts {
		left += c.Found - c.Kept()
	}
	for _, sys := range s.Accepted.Systems {
		if a.right == dsar.Erasure && e.Action == dsar.Plan && sys.Name == e.System && sys.MaxRecords > 0 && left > sys.MaxRecords && e.Code != "plan-accepted" {
			w.fail("request %s: the plan of %s, of %d records, was not stopped", a.id, e.System, left)
		}
	}
}

// unreasoned returns why a task should not have been sent; empty if it should.
func unreasoned(s core.State, e core.TaskSent, retried time.Time) string {
	t := s.Task(e.System, e.Action)
	switch {
	case t == nil:
		if e.Reason != core.SentFirst || e.Attempt != 1 {
			return "it was never sent before"
		}
		return ""
	case e.Attempt != t.Attempt+1:
		return fmt.Sprintf("the attempt before was %d", t.Attempt)
	}
	switch e.Reason {
	case core.SentUnheard:
		if t.Status != core.TaskIsSent || e.At.Before(t.Deadline) {
			return "its lease was not over"
		}
	case core.SentParked:
		if t.Status != core.TaskIsParked || e.At.Before(t.Until) {
			return "it was parked for longer"
		}
	case core.SentRetried:
		// These follow, once what a person asked for is done.
		follows := e.Action == dsar.Prove || e.Action == dsar.Assemble || t.Status == core.TaskIsDue
		if !e.At.Equal(retried) && !(follows && !retried.IsZero()) {
			return "nobody asked for it"
		}
	case core.SentFurther:
		further := slices.ContainsFunc(s.Usable(), func(id dsar.Identifier) bool { return !slices.Contains(t.Asked, id.Fingerprint) })
		if e.Action != dsar.Resolve || !further {
			return "nothing further was found"
		}
	default:
		return "it had been sent before"
	}
	return ""
}

// checkMessages: what follows from the facts was published, and in their order.
func (w *simulation) checkMessages(a *asked, facts []journal.Fact, events []core.Event) {
	var order []string
	for i, f := range facts {
		id := event.FactID(a.id, f.Version)
		order = append(order, id)
		if published, ok := w.spy.facts[id]; !ok || !bytes.Equal(published, f.Data) {
			w.fail("request %s: fact %d (%s) was not published as it is", a.id, f.Version, f.Type)
		}
		sent, ok := events[i].(core.TaskSent)
		if id := event.TaskID(a.id, sent.System, sent.Action, sent.Attempt); ok && w.spy.sent[id] == 0 && !w.spy.over[id] {
			w.fail("request %s: %s of %s, attempt %d, was never published", a.id, sent.Action, sent.System, sent.Attempt)
		}
	}
	if !slices.Equal(order, w.spy.order[a.id]) {
		w.fail("request %s: its facts were first published in another order", a.id)
	}
}

// checkRecords looks into the systems themselves: what had to go is gone, what
// had to change is changed, everything else is as it was.
func (w *simulation) checkRecords(a *asked, completed bool) {
	for _, s := range w.systems {
		left := map[int]row{}
		for _, r := range s.rows {
			left[r.id] = r
		}
		for id, r := range s.seeded {
			if !owns(a.person, r.owner) {
				continue
			}
			got, there := left[id]
			touched := w.reaches(s.manifest.System, a.person)
			want := r
			switch {
			case touched && a.right == dsar.Rectification:
				want.note = corrected(a.person)
			case touched && a.right == dsar.Restriction:
				want.restricted = true
			}
			gone := touched && a.right == dsar.Erasure && !r.retained
			switch {
			case there && got == r && (!completed || slices.Contains(a.byHand, s.manifest.System) || !gone && want == r):
			case !gone && there && got == want:
			case gone && !there:
			default:
				w.fail("%s: record %d of person %d, who asked for %s: there %v, changed %v", s.manifest.System, id, a.person, a.right, there, got != r)
			}
		}
	}
}

// checkErasures: a system is told to erase once for each attempt, however often its bytes
// come, and once more for each call that failed, and for nothing else.
// Why a further attempt was sent, checkFacts knows.
func (w *simulation) checkErasures(a *asked, events []core.Event) {
	for _, s := range w.systems {
		e := s.erasuresOf(a.id)
		if e.calls > len(e.attempts)+e.broken {
			w.fail("%s was told to erase %d times for request %s, by %d attempts that came %d times, and %d calls failed", s.manifest.System, e.calls, a.id, len(e.attempts), e.handedIn, e.broken)
		}
		for _, f := range events {
			if sent, ok := f.(core.TaskSent); ok && sent.System == s.manifest.System && sent.Action == dsar.Erase {
				delete(e.attempts, sent.Attempt)
			}
		}
		if len(e.attempts) > 0 {
			w.fail("%s was handed erasures that are not in the journal of %s", s.manifest.System, a.id)
		}
	}
}

// checkCanaries: no personal data in the log, in names, or unsealed at rest.
func (w *simulation) checkCanaries() {
	w.spy.look(w, "the log", w.spy.log.Bytes())
	for name, content := range w.vault.Blobs() {
		w.spy.look(w, "a name in the vault", []byte(name))
		w.spy.look(w, "an object in the vault", content)
	}
	for name, content := range w.outbox.Blobs() {
		w.spy.look(w, "a name in the outbox", []byte(name))
		w.spy.look(w, "a bundle in the outbox", content)
	}
}

// checkNothingTwice is for runs in which nothing went wrong.
func (w *simulation) checkNothingTwice(ctx context.Context) {
	for _, a := range w.asked {
		facts, err := w.journal.Facts(ctx, a.id, 1)
		w.must(err)
		rounds, sentIn := 1, map[[2]string]int{}
		for _, e := range w.decode(a, facts) {
			// What was erased is asked for anew, by a person or when its time comes: that is
			// a round of its own.
			if _, again := e.(core.AskedAgain); again {
				rounds++
			}
			// A plan that was stopped takes a person's retry, and a further address a
			// further resolve.
			sent, ok := e.(core.TaskSent)
			if !ok || sent.Reason == core.SentRetried || sent.Reason == core.SentFurther {
				continue
			}
			if of := [2]string{sent.System, string(sent.Action)}; sentIn[of] == rounds {
				w.fail("request %s: %s of %s was sent again, as %s", a.id, sent.Action, sent.System, sent.Reason)
			} else {
				sentIn[of] = rounds
			}
		}
		for _, s := range w.systems {
			if e := s.erasuresOf(a.id); e.calls > rounds {
				w.fail("%s was told to erase %d times for request %s", s.manifest.System, e.calls, a.id)
			}
		}
	}
	for id, n := range w.spy.sent {
		if n > 1 {
			w.fail("the message %s was published %d times", id, n)
		}
	}
}
