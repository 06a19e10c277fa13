package core_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/core/coretest"
)

// delivering returns a request whose answer is there, and whose person is to be told by a
// channel.
func delivering(t *testing.T, by core.Channel) *desk {
	t.Helper()
	d := underLaw(t, dsar.Access, core.Terms{}, events)
	d.state.Accepted.ToldBy = by
	d.report(ended("events", dsar.Gather, dsar.Gathered))
	assembled := ended(dsar.Aggregator, dsar.Assemble, dsar.Assembled)
	assembled.Objects = []dsar.Object{{Name: "bundle"}}
	d.report(assembled)
	if d.state.Status != core.StatusDelivering || d.state.Bundle.Name != "bundle" || !d.state.AnsweredAt.IsZero() {
		t.Fatalf("%s, %+v, answered %s", d.state.Status, d.state.Bundle, d.state.AnsweredAt)
	}
	return d
}

// written notes a letter of what is to be told.
func (d *desk) written(t *testing.T, channel core.Channel) {
	t.Helper()
	due := d.state.Unwritten()
	o := due[len(due)-1]
	if o.Letter != core.LetterAnswer {
		t.Fatalf("%+v is to be written", due)
	}
	d.do(core.NoteLetter{LetterSent: core.LetterSent{Letter: o.Letter, Language: "en", Cause: o.Cause, Channel: channel, Moment: core.Moment{At: d.now}}})
}

// TestCompletedIsTold: an answer that the person wasn't told of has answered nobody. Its clock
// runs, it is given out already, nothing else can be done to it, and a letter that couldn't be
// mailed is somebody's to see to.
func TestCompletedIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		by, went core.Channel
		told     bool
	}{
		"mailed":                {core.ChannelMail, core.ChannelMail, true},
		"left as it was to be":  {core.ChannelOutbox, core.ChannelOutbox, true},
		"mail was set up since": {core.ChannelOutbox, core.ChannelMail, true},
		"it couldn't be mailed": {core.ChannelMail, core.ChannelOutbox, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := delivering(t, c.by)
			if err := d.state.GivesOut(); err != nil {
				t.Error("the answer isn't given out:", err)
			}
			for _, command := range []core.Command{core.Cancel{By: "lea", Now: d.now}, core.Extend{By: "lea", Reason: "much", Calendar: coretest.Calendar{}, Now: d.now}, core.Refuse{By: "lea", Ground: core.NotProven, Now: d.now}} {
				if _, err := core.Decide(d.state, command); !errors.Is(err, core.ErrAnswered) {
					t.Errorf("%T: %v", command, err)
				}
			}
			d.written(t, c.went)
			if told := d.state.Status == core.StatusCompleted; told != c.told {
				t.Fatalf("told by %s, it went by %s: %s", c.by, c.went, d.state.Status)
			}
			if c.told {
				if !d.state.AnsweredAt.Equal(d.now) || len(d.state.Needs()) > 0 || len(d.state.Unwritten()) != 1 {
					t.Errorf("answered %s, needs %v, to be written %+v", d.state.AnsweredAt, d.state.Needs(), d.state.Unwritten())
				}
				return
			}
			if needs := d.state.Needs(); len(needs) != 1 || needs[0].Kind != core.NeedTell {
				t.Errorf("needs %v", needs)
			}
			d.do(core.DeliverAgain{By: "lea", Reason: "by post", ByHand: true, Now: d.now})
			if d.state.Status != core.StatusCompleted || len(d.state.Needs()) > 0 {
				t.Errorf("told by hand: %s, needs %v", d.state.Status, d.state.Needs())
			}
		})
	}
}

// TestToldTooLate: what counts for the due date is that the person was told.
func TestToldTooLate(t *testing.T) {
	t.Parallel()
	d := delivering(t, core.ChannelMail)
	if wake := core.Wake(d.state); wake.After(d.state.DueAt) || wake.IsZero() {
		t.Fatalf("due %s, wakes %s", d.state.DueAt, wake)
	}
	d.now = d.state.DueAt.Add(time.Hour)
	d.do(core.Tick{Now: d.now})
	if !d.state.Overdue {
		t.Error("nobody was told by the due date, and no fact says so")
	}
	d.written(t, core.ChannelMail)
	if d.state.Status != core.StatusCompleted || !d.state.AnsweredAt.Equal(d.now) {
		t.Errorf("%s, answered %s", d.state.Status, d.state.AnsweredAt)
	}
}

// TestToldByHandIsSaid: how somebody told the person must be said.
func TestToldByHandIsSaid(t *testing.T) {
	t.Parallel()
	d := delivering(t, core.ChannelMail)
	if _, err := core.Decide(d.state, core.DeliverAgain{By: "lea", ByHand: true, Now: d.now}); !errors.Is(err, core.ErrNotAllowed) {
		t.Error(err)
	}
}

// TestCallerTells: where a caller tells its people itself, the request is completed once it has
// heard that the answer is there, or has fetched it; that no letter could go is nobody's to
// see to; and what it heard before tells nobody.
func TestCallerTells(t *testing.T) {
	t.Parallel()
	for name, tells := range map[string]func(d *desk){
		"it has heard":   func(d *desk) { d.do(core.TellCaller{Through: d.state.ToTell, Now: d.now}) },
		"it has fetched": func(d *desk) { d.do(core.FetchAnswer{By: "crm", Now: d.now}) },
		"a mail went":    func(d *desk) { d.written(t, core.ChannelMail) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := underLaw(t, dsar.Access, core.Terms{}, events)
			d.state.Accepted.ToldBy, d.state.Accepted.CallsBack = core.ChannelCaller, true
			d.report(ended("events", dsar.Gather, dsar.Gathered))
			d.do(core.TellCaller{Through: d.state.Changes[0].Fact, Now: d.now})
			d.report(ended(dsar.Aggregator, dsar.Assemble, dsar.Assembled))
			if name != "a mail went" {
				d.written(t, core.ChannelOutbox)
			}
			if d.state.Status != core.StatusDelivering || len(d.state.Needs()) > 0 {
				t.Fatalf("%s, needs %v", d.state.Status, d.state.Needs())
			}
			if tells(d); d.state.Status != core.StatusCompleted {
				t.Errorf("%s", d.state.Status)
			}
		})
	}
}

// seen wants the request to stand under what needs a person for nobody having told the person,
// and to be reminded of without end.
func (d *desk) seen(why core.Unreached) {
	d.t.Helper()
	needs := d.state.Needs()
	if got, since := d.state.Unreached(); got != why || since.IsZero() || !slices.Contains(needs, core.Need{Kind: core.NeedTell}) {
		d.t.Fatalf("%s since %s, needs %v", got, since, needs)
	}
	before := len(d.facts)
	for wake := core.Wake(d.state); len(d.facts) == before; wake = core.Wake(d.state) {
		if wake.IsZero() {
			d.t.Fatal("nobody is reminded")
		}
		d.now = wake
		d.do(core.Tick{Now: d.now})
		if d.state.Overdue && before == len(d.facts)-1 { // that came first
			before++
		}
	}
}

// TestWhoeverHearsNothing: whatever became of a request, and by whichever channel the person
// was to be told, it needs a person as long as nobody was told, until somebody notes that
// they did.
func TestWhoeverHearsNothing(t *testing.T) {
	t.Parallel()
	refused := func(by core.Channel) *desk {
		d := underLaw(t, dsar.Access, core.Terms{Refusals: []string{"excessive"}}, events)
		d.state.Accepted.ToldBy, d.state.Accepted.CallsBack = by, by == core.ChannelCaller
		d.do(core.Refuse{By: "lea", Ground: "excessive", Reason: "again", Now: d.now})
		return d
	}
	givenUp := func(d *desk) *desk {
		changes := d.state.Changes
		d.do(core.TellCaller{Through: changes[len(changes)-1].Fact, Code: "caller-refuses", Now: d.now})
		return d
	}
	unmailed := func(d *desk, channel core.Channel) *desk {
		o := d.state.Unwritten()[len(d.state.Unwritten())-1]
		d.do(core.NoteLetter{LetterSent: core.LetterSent{Letter: o.Letter, Language: "en", Cause: o.Cause, Channel: channel, Moment: core.Moment{At: d.now}}})
		return d
	}
	late := func(d *desk) *desk {
		if needs := d.state.Needs(); slices.Contains(needs, core.Need{Kind: core.NeedTell}) {
			t.Fatalf("there is time yet: %v", needs)
		}
		d.now = d.state.ToTellAt.Add(core.TellWithin)
		d.do(core.Tick{Now: d.now})
		return d
	}
	called := func() *desk {
		d := delivering(t, core.ChannelCaller)
		d.state.Accepted.CallsBack = true
		d.state.Changes = []core.Change{{Fact: d.state.ToTell, Status: d.state.Status, At: d.now}}
		return d
	}
	for name, c := range map[string]struct {
		desk func() *desk
		why  core.Unreached
	}{
		"a caller is given up":                {func() *desk { return givenUp(called()) }, core.UnreachedCaller},
		"a caller never fetches":              {func() *desk { return late(delivering(t, core.ChannelCaller)) }, core.UnreachedLate},
		"nobody writes letters":               {func() *desk { return late(delivering(t, core.ChannelMail)) }, core.UnreachedLate},
		"a refusal can't be mailed":           {func() *desk { return unmailed(refused(core.ChannelMail), core.ChannelOutbox) }, core.UnreachedMail},
		"a caller isn't told of a refusal":    {func() *desk { return givenUp(refused(core.ChannelCaller)) }, core.UnreachedCaller},
		"nobody writes of a refusal":          {func() *desk { return late(refused(core.ChannelOutbox)) }, core.UnreachedLate},
		"a letter is found after a restore":   {func() *desk { return unmailed(delivering(t, core.ChannelMail), core.ChannelUnknown) }, core.UnreachedFound},
		"a later certificate can't be mailed": {func() *desk { return unmailed(laterCertificate(t), core.ChannelOutbox) }, core.UnreachedMail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := c.desk()
			d.t = t
			d.seen(c.why)
			d.seen(c.why)
			again := *d
			again.do(core.DeliverAgain{By: "lea", Reason: "they have another address", Now: again.now})
			unmailed(&again, core.ChannelMail)
			d.do(core.DeliverAgain{By: "lea", Reason: "by telephone", ByHand: true, Now: d.now})
			for how, d := range map[string]*desk{"by hand": d, "by a letter more": &again} {
				if why, _ := d.state.Unreached(); why != "" || !d.state.Status.Ended() || len(d.state.Needs()) > 0 {
					t.Errorf("told %s: %s, %s, needs %v", how, d.state.Status, why, d.state.Needs())
				}
			}
		})
	}
}

// TestFoundIsLeft: where letters go no further than the outbox, one that is found there after a
// restore is where it was to be.
func TestFoundIsLeft(t *testing.T) {
	t.Parallel()
	d := delivering(t, core.ChannelOutbox)
	d.written(t, core.ChannelUnknown)
	if d.state.Status != core.StatusCompleted || len(d.state.Needs()) > 0 {
		t.Errorf("%s, needs %v", d.state.Status, d.state.Needs())
	}
}

// laterCertificate returns an erasure of which what had to stay was erased later.
func laterCertificate(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t, dsar.Erasure, crm)
	d.state.Accepted.ToldBy = core.ChannelMail
	round := func(erased int64) {
		kept := []dsar.Retention{{Records: 1, Ground: "tax", Until: d.now.AddDate(1, 0, 0)}}
		d.says(dsar.Plan, dsar.Found, dsar.Counts{Found: erased + 1, Retained: kept})
		d.says(dsar.Erase, dsar.Retained, dsar.Counts{Found: erased + 1, Erased: erased, Retained: kept})
		d.says(dsar.Prove, dsar.Proven, dsar.Counts{Found: 1, Retained: kept})
		r := ended(dsar.Aggregator, dsar.Assemble, dsar.Assembled)
		r.Objects = []dsar.Object{{Name: "certificate"}}
		d.report(r)
	}
	round(2)
	o := d.state.Unwritten()[len(d.state.Unwritten())-1]
	d.do(core.NoteLetter{LetterSent: core.LetterSent{Letter: o.Letter, Language: "en", Cause: o.Cause, Channel: core.ChannelMail, Moment: core.Moment{At: d.now}}})
	if d.state.Status != core.StatusCompleted {
		t.Fatal(d.state.Status)
	}
	d.later()
	round(0)
	return d
}

// TestUnmailedHoldsNothingUp: a later certificate that can't be mailed is somebody's to see to,
// and what may go next goes when its time has come.
func TestUnmailedHoldsNothingUp(t *testing.T) {
	t.Parallel()
	d := laterCertificate(t)
	if d.state.Status != core.StatusCompleted {
		t.Fatalf("%s: it waits for a letter", d.state.Status)
	}
	o := d.state.Unwritten()[len(d.state.Unwritten())-1]
	d.do(core.NoteLetter{LetterSent: core.LetterSent{Letter: o.Letter, Language: "en", Cause: o.Cause, Channel: core.ChannelOutbox, Moment: core.Moment{At: d.now}}})
	for d.state.Status == core.StatusCompleted {
		d.later()
	}
	if d.state.Status != core.StatusPlanning || d.now.After(d.state.ToTellAt.AddDate(1, 0, 7)) {
		t.Errorf("%s at %s", d.state.Status, d.now)
	}
	if !slices.Contains(d.state.Needs(), core.Need{Kind: core.NeedTell}) {
		t.Errorf("nobody is to see to it any more: %v", d.state.Needs())
	}
}
