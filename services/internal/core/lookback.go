package core

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// DutyLookBack is owed to a request that waits until somebody has looked at what else
// there is of its person ([LookBack]), or what that has left by now ([TakeKept]).
const DutyLookBack Duty = "look-back"

// LookBack says what the person's other requests make of one that waits for that
// ([Accepted.LooksBack]): by what they were found there, and the holds that are on. It
// decides nothing where the request doesn't wait.
type LookBack struct {
	// LookedUp are the fingerprints that were looked up: those of [State.Unlooked].
	LookedUp []string
	// Identifiers are those by which earlier erasures found what they had to keep.
	Identifiers []dsar.Identifier
	// Carried says of which of them each is, and of the identifiers that both have.
	Carried []Carried
	Holds   []HoldPlaced
	// After are those of which facts are lost ([State.FactsLost]): an erasure waits for them.
	After []string
	// Of are the erasures of the same person of which it didn't know, and Kept what they have
	// left.
	Of   []string
	Kept []KeptEarlier
	Now  time.Time
}

func (c LookBack) now() time.Time { return c.Now }

func (c LookBack) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	if !d.waitsForLookBack() {
		return nil
	}
	d.comesOver(c.Holds)
	if open := append(slices.Clone(d.After), c.After...); len(c.After) > 0 {
		slices.Sort(open)
		d.record(EarlierAwaited{Open: slices.Compact(open), Moment: Moment{At: d.now}})
	}
	if len(c.Of) > 0 {
		d.record(KeptLookedUp{Of: c.Of, Kept: c.Kept, Moment: Moment{At: d.now}})
	}
	d.record(EarlierLookedUp{LookedUp: c.LookedUp, Identifiers: c.Identifiers, Carried: c.Carried, Moment: Moment{At: d.now}})
	return nil
}

// Unlooked returns the identifiers that may be used and by which nobody has looked yet for
// other requests of the person.
func (s State) Unlooked() []dsar.Identifier {
	return slices.DeleteFunc(s.Usable(), func(id dsar.Identifier) bool {
		return id.FoundBy == dsar.EarlierRequest || slices.Contains(s.LookedUp, id.Fingerprint)
	})
}

// LooksForKept reports whether what it waits for is what erasures of the person have left.
func (s State) LooksForKept() bool { return s.waitsForKept() }

// waitsForLookBack reports whether the request goes on only when it was looked for other
// requests of the person: before anybody is asked where an earlier erasure had to keep
// something, since the identifiers that are given may lead there no more, or where another
// request may be somebody else's; and before
// anything is erased, since a hold may be on in a request that only a found identifier
// leads to (TestHoldsOfFoundIdentifiers).
func (s State) waitsForLookBack() bool {
	if !s.Accepted.LooksBack || s.Status.Ended() || s.Awaited != "" || !s.AnsweredAt.IsZero() || len(s.Unlooked()) == 0 {
		return false
	}
	if s.Stage == "" {
		return len(s.Accepted.Kept) > 0 || s.Accepted.LooksFirst
	}
	return s.Right == dsar.Erasure && s.Stage == dsar.Plan && (&decider{State: s}).stageIsOver()
}
