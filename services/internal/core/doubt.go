package core

import (
	"fmt"
	"slices"
	"time"
)

// CodePerhapsTheirs is of a request that waits until somebody says whether an earlier one is of
// the same person.
const CodePerhapsTheirs = "perhaps-theirs"

// Doubted is another request of which nobody knows whether it is of the same person
// ([Compare]), and what somebody has said.
type Doubted struct {
	RequestID string
	Why       Doubt
	// Judged tells that somebody has said, and Same what; At is when.
	Judged, Same bool
	At           time.Time
}

// InDoubt returns the other requests of which a person must say whether they are of the same
// person: until then nothing goes on.
func (s State) InDoubt() []Doubted {
	if s.Status.Ended() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.Doubts), func(d Doubted) bool { return d.Judged })
}

// DoubtEarlier says of which other requests nobody knows whether they are of the same person,
// where that makes a difference ([State.Concerns]). It decides nothing where the request waits
// for no look at others, or where that was said before.
type DoubtEarlier struct {
	Doubts []EarlierDoubted
	Now    time.Time
}

func (c DoubtEarlier) now() time.Time { return c.Now }

func (c DoubtEarlier) decide(d *decider) error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case d.Status.Ended() || !d.waitsForLookBack() && !d.waitsForCopies():
		return nil
	}
	for _, e := range c.Doubts {
		if !slices.ContainsFunc(d.Doubts, func(o Doubted) bool { return o.RequestID == e.Request }) {
			e.At = d.now
			d.record(e)
		}
	}
	return nil
}

// JudgeEarlier says whether another request is of the same person. Where it is, what that one
// had to keep, its holds and by what it found are carried over, and an erasure reaches its
// answers; where it isn't, nothing of it is, now or later.
type JudgeEarlier struct {
	By      string
	Request string // the other one
	Same    bool
	Reason  string
	Now     time.Time
}

func (c JudgeEarlier) now() time.Time { return c.Now }

func (c JudgeEarlier) decide(d *decider) error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case d.Status.Ended():
		return ErrEnded
	case d.refusing():
		return ErrRefusalWaits
	case !slices.ContainsFunc(d.InDoubt(), func(o Doubted) bool { return o.RequestID == c.Request }):
		return fmt.Errorf("%w: nobody has to say whether that request is of the same person", ErrNotAllowed)
	case c.Reason == "":
		return fmt.Errorf("%w: say why", ErrNotAllowed)
	}
	d.record(EarlierJudged{ReasonedAct: ReasonedAct{By: c.By, Reason: c.Reason, At: d.now}, Request: c.Request, Same: c.Same})
	return nil
}

// doubtFacts are the facts of other requests of which nobody knew whose they are.
var doubtFacts = []factType{
	fact[EarlierDoubted]("earlier.doubted"),
	fact[EarlierJudged]("earlier.judged"),
}

// EarlierDoubted says that nobody knows whether another request is of the same person.
type EarlierDoubted struct {
	Request string `json:"request"` // the other one
	Why     Doubt  `json:"why"`
	Moment
}

func (e EarlierDoubted) evolve(s State) State {
	s.Doubts = append(slices.Clip(s.Doubts), Doubted{RequestID: e.Request, Why: e.Why})
	return s
}

// EarlierJudged says whether another request is of the same person.
type EarlierJudged struct {
	ReasonedAct
	Request string `json:"request"` // the other one
	Same    bool   `json:"same,omitempty"`
}

func (e EarlierJudged) evolve(s State) State {
	s.Doubts = slices.Clone(s.Doubts)
	for i := range s.Doubts {
		if d := &s.Doubts[i]; d.RequestID == e.Request {
			d.Judged, d.Same, d.At = true, e.Same, e.At
		}
	}
	if !e.Same {
		s = s.withoutEarlier(e.Request)
	}
	if s.Status == StatusNeedsAttention && len(s.InDoubt()) == 0 {
		s = s.attended()
	}
	return s
}

// withoutEarlier returns the state with nothing of another request, which is somebody else's.
func (s State) withoutEarlier(other string) State {
	is := func(id string) bool { return id == other }
	s.After, s.Erasures = slices.DeleteFunc(slices.Clone(s.After), is), slices.DeleteFunc(slices.Clone(s.Erasures), is)
	s.KeptElsewhere = slices.DeleteFunc(slices.Clone(s.KeptElsewhere), func(k KeptEarlier) bool { return k.RequestID == other })
	var came []Held
	s.CameOver = slices.DeleteFunc(slices.Clone(s.CameOver), func(c CameOver) bool {
		if c.Of == other {
			came = append(came, c.Held)
		}
		return c.Of == other
	})
	s.Holds = slices.DeleteFunc(slices.Clone(s.Holds), func(h Held) bool {
		return slices.Contains(came, h) && !slices.Contains(s.Placed, h) && !slices.ContainsFunc(s.CameOver, func(c CameOver) bool { return c.Held == h })
	})
	return s
}

// waitsForJudgement reports whether a person must say first whose another request is.
func (s State) waitsForJudgement() bool { return s.Awaited == "" && len(s.InDoubt()) > 0 }

// callForJudgement records, once, that a person must say whose another request is.
func (d *decider) callForJudgement() {
	doubts := d.InDoubt()
	if len(doubts) == 0 || d.Status == StatusNeedsAttention {
		return
	}
	d.record(AttentionNeeded{Systems: []string{}, Code: CodePerhapsTheirs, Reason: "nobody knows whether request " + doubts[0].RequestID + " is of the same person", Moment: Moment{At: d.now}})
}

// Unsettled reports whether a person must say whether another request is of the same person,
// which is compared with this one, unless they have: nobody knows, and it makes a difference.
func (s State) Unsettled(other State, c Comparison, at time.Time) bool {
	return c.Sameness == PerhapsSame && s.Concerns(other, at)
}
