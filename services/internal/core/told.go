package core

import (
	"slices"

	"habeas.dev/pkg/dsar"
)

// toldRetention returns why records stay as the person is told it. What a hold keeps that isn't on their
// own request, or came over to it, stays for somebody else's sake: that there is a lawsuit or an
// inquiry about somebody is theirs to know alone (docs/adr/0053).
func (s State) toldRetention(system, dataset string, r dsar.Retention) dsar.Retention {
	datasets, held := s.HeldIn(system)
	if r.Ground == dsar.LegalHold && (!held || datasets != nil && !slices.Contains(datasets, dataset)) {
		r.Ground = dsar.ConcernsOthers
	}
	return r
}

// toldCounts returns a system's counts as the person is told them.
func (s State) toldCounts(system string, counts []dsar.Counts) []dsar.Counts {
	if !KeepsForHold(counts) {
		return counts
	}
	out := slices.Clone(counts)
	for i := range out {
		c := &out[i]
		c.Retained = slices.Clone(c.Retained)
		for j, r := range c.Retained {
			c.Retained[j] = s.toldRetention(system, c.Dataset, r)
		}
	}
	return out
}

// toldEnds returns how actions on a system ended as the person is told it.
func (s State) toldEnds(system string, ends []ActionEnd) []ActionEnd {
	out := slices.Clone(ends)
	for i := range out {
		out[i].Counts = s.toldCounts(system, out[i].Counts)
	}
	return out
}
