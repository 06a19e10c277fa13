package core

import (
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// Codes of a request that waits until somebody says whether an earlier one is of the same
// person.
const (
	CodePerhapsTheirs = "perhaps-theirs"
	// CodeEarlierNoKeys is of one to which an earlier one makes a difference whose keys are
	// lost: by what it found what is left, nobody knows any more.
	CodeEarlierNoKeys = "earlier-no-keys"
)

// Judges reports whether a code is of a request that waits for that.
func Judges(code string) bool { return code == CodePerhapsTheirs || code == CodeEarlierNoKeys }

// keysLost reports whether somebody must say it of one whose keys are lost.
func (s State) keysLost() bool {
	return slices.ContainsFunc(s.InDoubt(), func(d Doubted) bool { return d.Why == DoubtNoKeys })
}

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

// doubtCarried says whose an earlier request is that nobody knows any more, by what systems
// have found since: its identifiers were carried over by an address that both have, and by now
// the person's own account is known, and it is another one. Somebody may have the address of
// whom that one was (TestAnAddressThatChangedHands).
func (d *decider) doubtCarried() {
	if len(d.Carried) == 0 || !d.AnsweredAt.IsZero() {
		return
	}
	awaited := d.awaited()
	own := slices.DeleteFunc(d.Usable(), func(id dsar.Identifier) bool { return !isOwn(d.Identifiers, id) })
	for _, request := range d.carriedFrom() {
		theirs := d.carried(request)
		judged := slices.ContainsFunc(d.Doubts, func(o Doubted) bool { return o.RequestID == request })
		mayBeFound := slices.ContainsFunc(theirs, func(id dsar.Identifier) bool { return slices.Contains(awaited, id.Type) })
		if c := Compare(own, theirs, d.Household()); !judged && !mayBeFound && c.Doubt == DoubtAccounts {
			d.record(EarlierDoubted{Request: request, Why: c.Doubt, Moment: Moment{At: d.now}})
		}
	}
}

// carriedFrom returns the requests of which identifiers were carried over, in their order.
func (s State) carriedFrom() (requests []string) {
	for _, c := range s.Carried {
		if !slices.Contains(requests, c.Request) {
			requests = append(requests, c.Request)
		}
	}
	return requests
}

// carried returns the identifiers that an earlier request has, too.
func (s State) carried(request string) []dsar.Identifier {
	return slices.DeleteFunc(slices.Clone(s.Identifiers), func(id dsar.Identifier) bool {
		return !slices.Contains(s.Carried, Carried{Fingerprint: id.Fingerprint, Request: request})
	})
}

// isOwn reports whether an identifier is the person's by what came with the request: neither
// was it carried over from an earlier one, nor was it found by what was.
func isOwn(all []dsar.Identifier, id dsar.Identifier) bool {
	for range len(all) + 1 {
		if id.FoundBy == dsar.EarlierRequest {
			return false
		}
		i := slices.IndexFunc(all, func(o dsar.Identifier) bool { return id.From != "" && o.Fingerprint == id.From })
		if i < 0 {
			return id.From == "" && id.Assurance != dsar.AssuranceFound
		}
		id = all[i]
	}
	return false
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
	s = s.withoutCarried(other)
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

// withoutCarried returns the state without the identifiers that were carried over from another
// request alone, and without what was found by those.
func (s State) withoutCarried(other string) State {
	s.Carried = slices.DeleteFunc(slices.Clone(s.Carried), func(c Carried) bool { return c.Request == other })
	gone := func(id dsar.Identifier) bool {
		if id.FoundBy == dsar.EarlierRequest {
			return !slices.ContainsFunc(s.Carried, func(c Carried) bool { return c.Fingerprint == id.Fingerprint })
		}
		return id.From != "" && !slices.ContainsFunc(s.Identifiers, func(o dsar.Identifier) bool { return o.Fingerprint == id.From })
	}
	for slices.ContainsFunc(s.Identifiers, gone) {
		s.Identifiers = slices.DeleteFunc(slices.Clone(s.Identifiers), gone)
	}
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
	e := AttentionNeeded{Systems: []string{}, Code: CodePerhapsTheirs, Reason: "nobody knows whether request " + doubts[0].RequestID + " is of the same person", Moment: Moment{At: d.now}}
	if d.keysLost() {
		e.Code = CodeEarlierNoKeys
	}
	d.record(e)
}

// Unsettled reports whether a person must say whether another request is of the same person,
// which is compared with this one, unless they have: nobody knows, and it makes a difference.
func (s State) Unsettled(other State, c Comparison, at time.Time) bool {
	return c.Sameness == PerhapsSame && s.Concerns(other, at)
}
