package core

import (
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
)

// A hold keeps what is also other people's, whoever's erasure comes by, and its end lets
// that go: the requests in which it was kept are told, and erase it.

// ReleaseAfter is how long after a hold is lifted other requests are told: by then every
// task that was sent with the hold has been heard of, or was sent again without it.
const ReleaseAfter = 2 * dsar.MaxLease

// DutyRelease is owed to a request of which a hold was lifted, until those in which it
// kept something were told ([Released]).
const DutyRelease Duty = "release"

// LiftedHold is a hold that was lifted, and of which other requests are to be told.
type LiftedHold struct {
	Held
	At time.Time
}

// HoldEndedElsewhere tells an erasure that a hold of another request is over: what only
// that kept may go. It decides nothing where the request kept nothing for a hold.
type HoldEndedElsewhere struct {
	Of  string // the other request
	Now time.Time
}

func (c HoldEndedElsewhere) now() time.Time { return c.Now }

func (c HoldEndedElsewhere) decide(d *decider) error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case d.Right != dsar.Erasure || d.Lifted || !d.keepsForHold():
		return nil
	}
	d.record(HoldReleased{Of: c.Of, Moment: Moment{At: d.now}})
	d.endRetention()
	return nil
}

// keepsForHold reports whether something is kept, or planned to be, for a hold.
func (s State) keepsForHold() bool {
	return slices.ContainsFunc(s.Tasks, func(t *TaskState) bool { return KeepsForHold(t.End.Counts) })
}

// KeepsForHold reports whether counts say that records stay for a legal hold.
func KeepsForHold(counts []dsar.Counts) bool {
	return slices.ContainsFunc(counts, func(c dsar.Counts) bool {
		return slices.ContainsFunc(c.Retained, func(r dsar.Retention) bool { return r.Ground == dsar.LegalHold })
	})
}

// Released records that the requests in which lifted holds kept something were told. It
// decides nothing where that was recorded.
type Released struct {
	Requests []string
	Now      time.Time
}

func (c Released) now() time.Time { return c.Now }

func (c Released) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	if slices.Contains(d.Duties(c.Now), DutyRelease) {
		d.record(HoldReleased{Requests: c.Requests, Moment: Moment{At: d.now}})
	}
	return nil
}

// HoldReleased says that what a hold kept of other people's records may go: of a request
// whose hold it was, which others were told so; of one that was told, by whose.
type HoldReleased struct {
	Of       string   `json:"of,omitempty"`
	Requests []string `json:"requests,omitempty"`
	Moment
}

func (e HoldReleased) evolve(s State) State {
	if e.Of != "" {
		s.Lifted = true
	} else {
		s.Untold = nil
	}
	return s
}

// releaseDue returns when other requests are told of the holds that were lifted; zero
// where there are none.
func (s State) releaseDue() time.Time {
	if len(s.Untold) == 0 {
		return time.Time{}
	}
	return s.Untold[len(s.Untold)-1].At.Add(ReleaseAfter)
}

// HeldIn returns the datasets of a system that a hold on the request keeps, and whether it
// keeps any; none means all.
func (s State) HeldIn(system string) (datasets []string, held bool) {
	for _, h := range s.Holds {
		switch {
		case h.System != "" && h.System != system:
		case h.Dataset == "":
			return nil, true
		default:
			datasets, held = append(datasets, h.Dataset), true
		}
	}
	return datasets, held
}
