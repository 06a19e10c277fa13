package core

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// Four eyes: what one person wants done is done once a second one agrees, where the
// configuration says so of its kind ([Accepted.FourEyes]).

// FourEyes is a kind of act that a second person must agree to.
type FourEyes string

// The kinds of acts that a second person may have to agree to.
const (
	FourEyesRefusals FourEyes = "refusals"    // to refuse a request, a part of it, or a proof
	FourEyesPlans    FourEyes = "large-plans" // to erase more than a manifest expects
	FourEyesReveals  FourEyes = "reveals"     // to look at identifiers, records or plans' keys
)

// FourEyesKinds returns all of them.
func FourEyesKinds() []FourEyes { return []FourEyes{FourEyesRefusals, FourEyesPlans, FourEyesReveals} }

// LookWithin is for how long somebody may look at what a second person agreed that they look at.
const LookWithin = 24 * time.Hour

// What follows from four eyes. The state is as it was.
var (
	// ErrSecond says that a second person must agree before an act is done: [AskSecond] asks
	// for it.
	ErrSecond = errors.New("a second person must agree first")
	// ErrSecondAsked says that a second person was asked already, and hasn't judged it.
	ErrSecondAsked = errors.New("a second person was asked to agree to this already")
	// ErrRefusalWaits says that something is to be refused once a second person agrees: until
	// that is judged, nothing goes on.
	ErrRefusalWaits = errors.New("a second person is to agree to a refusal first: judge that")
)

// Matter is what a second person is asked about: an act, with all that it depends on.
type Matter struct {
	Verb    Verb         `json:"verb"`
	Ground  string       `json:"ground,omitempty"`
	System  string       `json:"system,omitempty"`
	Dataset string       `json:"dataset,omitempty"`
	Column  string       `json:"column,omitempty"`
	Systems []string     `json:"systems,omitempty"`
	Checks  []dsar.Check `json:"checks,omitempty"`
}

func (m Matter) equal(o Matter) bool {
	return m.Verb == o.Verb && m.Ground == o.Ground && m.System == o.System && m.Dataset == o.Dataset && m.Column == o.Column && slices.Equal(m.Systems, o.Systems) && slices.Equal(m.Checks, o.Checks)
}

// kind returns which of the kinds the act is of.
func (m Matter) kind() FourEyes {
	switch m.Verb {
	case VerbRefuse, VerbRefusePart, VerbRefuseField, VerbJudgeProof:
		return FourEyesRefusals
	case VerbAcceptPlan:
		return FourEyesPlans
	default:
		return FourEyesReveals
	}
}

// Looks reports whether the act is that somebody looks: they do so themselves, once a second
// person has agreed.
func (m Matter) Looks() bool { return m.kind() == FourEyesReveals }

// Second is an act that a second person was asked to agree to.
type Second struct {
	Matter
	// Asked is the version of the fact that asks.
	Asked int `json:"asked"`
	// By is who wants it done, and Reason why.
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
	// Agreed is when a second person agreed that who asked looks, as often as they like
	// [LookWithin] that; zero: nobody has.
	Agreed time.Time `json:"agreed,omitzero"`
}

// Mine reports whether somebody asked for it themselves, so that another must agree.
func (s Second) Mine(by string) bool { return sameActor(s.By, by) }

// matterOf returns what a second person is asked about who judges a command, and who gives it;
// false where no command of its kind is ever judged so.
func matterOf(c Command) (m Matter, act Act, ok bool) {
	switch c := c.(type) {
	case IfUnchanged:
		return matterOf(c.Command)
	case Refuse:
		return Matter{Verb: VerbRefuse, Ground: c.Ground}, Act{By: c.By, Reason: c.Reason}, true
	case RefusePart:
		return Matter{Verb: VerbRefusePart, Ground: c.Ground, System: c.System, Dataset: c.Dataset}, Act{By: c.By, Reason: c.Reason}, !c.TakenBack
	case RefuseField:
		return Matter{Verb: VerbRefuseField, Ground: c.Ground, System: c.System, Dataset: c.Dataset, Column: c.Column}, Act{By: c.By, Reason: c.Reason}, true
	case JudgeProof:
		return Matter{Verb: VerbJudgeProof, Checks: c.Failed}, Act{By: c.By, Reason: c.Reason}, !c.Accepted && !c.Without
	case Retry:
		return Matter{Verb: VerbAcceptPlan, Systems: slices.Sorted(slices.Values(c.Systems))}, Act{By: c.By, Reason: c.Reason}, c.AcceptPlan
	case Reveal:
		return Matter{Verb: VerbReveal, System: c.Gathered}, Act{By: c.By, Reason: c.Reason}, true
	case OpenPlan:
		return Matter{Verb: VerbOpenPlan}, Act{By: c.By, Reason: c.Reason}, true
	default:
		return Matter{}, Act{}, false
	}
}

// matterOf returns what a second person is asked about as things stand: to accept what is too
// much is to accept that of the systems where it is now, and of none that comes later.
func (d *decider) matterOf(c Command) (m Matter, act Act, ok bool) {
	m, act, ok = matterOf(c)
	if !ok || m.Verb != VerbAcceptPlan {
		return m, act, ok
	}
	named := m.Systems
	m.Systems = nil
	for _, t := range d.Tasks {
		if t.tooMuch() && (len(named) == 0 || slices.Contains(named, t.System)) && !slices.Contains(m.Systems, t.System) {
			m.Systems = append(m.Systems, t.System)
		}
	}
	slices.Sort(m.Systems)
	return m, act, len(m.Systems) > 0
}

// tooMuch reports whether a person must accept how much a task is to erase, or has erased.
func (t *TaskState) tooMuch() bool {
	return t.Status == TaskIsFailed && (t.End.Code == dsar.CodePlanTooLarge || t.End.Code == CodeLateTooMany)
}

// planChanges takes away what a second person was asked about the plan of a system, or about
// what was erased beside it, since that is another now: who asked asks again, of what is there
// (TestAgreedToThatPlanOnly).
func (s State) planChanges(system string, action dsar.Action) State {
	if action != dsar.Plan && action != dsar.Erase {
		return s
	}
	s.Seconds = slices.DeleteFunc(slices.Clone(s.Seconds), func(one Second) bool {
		return one.Verb == VerbAcceptPlan && (len(one.Systems) == 0 || slices.Contains(one.Systems, system))
	})
	return s
}

// command returns the act that a second person has agreed to, as who asked would do it now;
// nil where they do it themselves.
func (s Second) command(calendar Calendar, now time.Time) Command {
	switch s.Verb {
	case VerbRefuse:
		return Refuse{By: s.By, Ground: s.Ground, Reason: s.Reason, Now: now}
	case VerbRefusePart:
		return RefusePart{By: s.By, Ground: s.Ground, System: s.System, Dataset: s.Dataset, Reason: s.Reason, Now: now}
	case VerbRefuseField:
		return RefuseField{By: s.By, Ground: s.Ground, System: s.System, Dataset: s.Dataset, Column: s.Column, Reason: s.Reason, Now: now}
	case VerbJudgeProof:
		return JudgeProof{By: s.By, Failed: s.Checks, Reason: s.Reason, Calendar: calendar, Now: now}
	case VerbAcceptPlan:
		return Retry{By: s.By, Systems: s.Systems, AcceptPlan: true, Reason: s.Reason, Now: now}
	default:
		return nil
	}
}

// fourEyes refuses an act that a second person must agree to and hasn't
// (TestNobodyActsAlone).
func (d *decider) fourEyes(c Command) error {
	m, act, ok := d.matterOf(c)
	if !ok || act.By == ByPolicy || !slices.Contains(d.Accepted.FourEyes, m.kind()) {
		return nil
	}
	about := func(s Second) bool { return s.equal(m) }
	asked := slices.ContainsFunc(d.Seconds, func(s Second) bool { return about(s) && s.Agreed.IsZero() })
	trial := &decider{State: d.State, now: d.now}
	switch err := c.decide(trial); {
	case errors.Is(err, ErrRefusalWaits) && asked: // it waits for itself
		return ErrSecondAsked
	case err != nil || len(trial.events) == 0:
		return err
	}
	_, local := LocalActor(act.By)
	switch {
	case local:
		return fmt.Errorf("%w: a second person must agree to this, and nobody vouches for a user of this machine: sign in (habeas login)", ErrNotAllowed)
	case slices.ContainsFunc(d.Seconds, func(s Second) bool { return about(s) && s.Mine(act.By) && d.now.Before(s.Agreed.Add(LookWithin)) }):
		return nil
	case asked:
		return ErrSecondAsked
	default:
		return ErrSecond
	}
}

// AskSecond asks a second person to agree to an act that [Decide] refuses without
// ([ErrSecond]).
type AskSecond struct{ Act Command }

func (c AskSecond) now() time.Time { return c.Act.now() }

func (c AskSecond) decide(d *decider) error {
	if err := d.fourEyes(c.Act); !errors.Is(err, ErrSecond) {
		if err == nil {
			err = fmt.Errorf("%w: nobody else must agree to this", ErrNotAllowed)
		}
		return err
	}
	m, act, _ := d.matterOf(c.Act)
	d.record(SecondAsked{Act: Act{By: act.By, Reason: act.Reason, At: d.now}, Matter: m})
	return nil
}

// JudgeSecond agrees to what another person wants done, so that it is done; or declines it.
// Who asked may take it back, where their role lets them judge ([VerbSecond]): what an agent
// has asked by mistake an officer declines. They MUST NOT agree (TestNobodyActsAlone).
type JudgeSecond struct {
	By string
	// Asked is which: the version of the fact that asks.
	Asked  int
	Agreed bool
	// Reason is why, for the trace; it may be left out where they agree.
	Reason   string
	Calendar Calendar
	Now      time.Time
}

func (c JudgeSecond) now() time.Time { return c.Now }

func (c JudgeSecond) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	i := slices.IndexFunc(d.Seconds, func(s Second) bool { return s.Asked == c.Asked && s.Agreed.IsZero() })
	if i < 0 {
		return fmt.Errorf("%w: nobody waits for a second person to agree to that", ErrNotAllowed)
	}
	asked := d.Seconds[i]
	switch _, local := LocalActor(c.By); {
	case c.Agreed && asked.Mine(c.By):
		return fmt.Errorf("%w: who asked doesn't agree to it: another person must", ErrNotAllowed)
	case c.Agreed && local:
		return fmt.Errorf("%w: nobody vouches for a user of this machine: sign in (habeas login)", ErrNotAllowed)
	case !c.Agreed && c.Reason == "":
		return fmt.Errorf("%w: say why", ErrNotAllowed)
	}
	d.record(SecondJudged{Act: Act{By: c.By, Reason: c.Reason, At: d.now}, Asked: c.Asked, Agreed: c.Agreed})
	if do := asked.command(c.Calendar, c.Now); c.Agreed && do != nil {
		return do.decide(d)
	}
	return nil
}

// secondFacts are the facts of four eyes.
var secondFacts = []factType{
	fact[SecondAsked]("second.asked"),
	fact[SecondJudged]("second.judged"),
}

// SecondAsked says that somebody wants something done that a second person must agree to.
type SecondAsked struct {
	Act
	Matter
}

func (e SecondAsked) evolve(s State) State {
	before := slices.DeleteFunc(slices.Clone(s.Seconds), func(one Second) bool { return one.equal(e.Matter) && one.Mine(e.By) })
	s.Seconds = append(before, Second{Matter: e.Matter, Asked: s.Version, By: e.By, Reason: e.Reason, At: e.At})
	return s
}

// SecondJudged says that a second person agrees, or that it isn't to be done.
type SecondJudged struct {
	Act
	// Asked is the version of the fact that asks.
	Asked  int  `json:"asked"`
	Agreed bool `json:"agreed,omitempty"`
}

func (e SecondJudged) evolve(s State) State {
	var left []Second
	for _, one := range s.Seconds {
		switch {
		case one.Asked != e.Asked:
		case e.Agreed && one.Looks():
			one.Agreed = e.At
		case e.Agreed:
			if one.kind() == FourEyesRefusals { // both have refused it
				s = s.refusedBy(e.By)
			}
			continue
		default:
			continue
		}
		left = append(left, one)
	}
	s.Seconds = left
	return s
}

// Unjudged returns the acts that wait for a second person.
func (s State) Unjudged() []Second {
	return slices.DeleteFunc(slices.Clone(s.Seconds), func(one Second) bool { return !one.Agreed.IsZero() })
}

// refusing reports whether a second person is to agree that something is refused: whatever
// went on meanwhile would make that come too late.
func (s State) refusing() bool {
	return slices.ContainsFunc(s.Seconds, func(one Second) bool { return one.kind() == FourEyesRefusals })
}

// stands reports whether nothing more is begun: the person is awaited, or a second person.
func (s State) stands() bool { return s.Awaited != "" || s.refusing() }

// withoutActs takes away what a second person was asked about and can't be done any more,
// since the request has ended or is answered: to look still can.
func (s State) withoutActs() State {
	s.Seconds = slices.DeleteFunc(slices.Clone(s.Seconds), func(one Second) bool { return !one.Looks() })
	return s
}
