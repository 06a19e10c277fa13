package statement

import (
	"slices"

	"habeas.dev/pkg/dsar"
)

// erased is what became of the records of one dataset that an erasure had found, each
// number with the facts that say it.
type erased struct {
	found, erased, anonymised, gone, reassigned, late int64
	kept                                              []dsar.Retention
	// begun is how often the erasure was begun since the last answer: from the second time
	// on, an attempt whose report never came may have done what a later one finds done.
	begun int

	foundFacts, doneFacts, keptFacts, goneFacts, reassignedFacts []int
}

// erasure works out what became of the dataset's records, by the plan, what erasures
// reported, and what was found when the system was asked again. What was planned and not
// there any more when its turn came is gone, and what was somebody else's by then was left;
// neither is ever told as erased, though an
// attempt that was broken off may have been who erased it. Nor is what no erasure reports
// and a proof no longer finds.
func (d *dataset) erasure() erased {
	s := d.sys
	plan, done, proof := d.counts(dsar.Plan), d.counts(dsar.Erase), d.counts(dsar.Prove)
	out := erased{erased: done.Erased, anonymised: done.Anonymised, gone: done.Gone, reassigned: done.Reassigned, late: done.Late, kept: done.Retained}
	out.foundFacts, out.doneFacts, out.keptFacts = []int{s.fact(dsar.Plan)}, []int{s.fact(dsar.Erase)}, []int{s.fact(dsar.Erase)}
	out.goneFacts = []int{s.fact(dsar.Erase)}
	if done.Reassigned > 0 {
		out.reassignedFacts = []int{s.fact(dsar.Erase)}
	}
	if end := s.end(dsar.Erase); end != nil {
		out.begun = end.Tries
	}
	proven := d.proven()
	if proven {
		out.kept, out.keptFacts = proof.Retained, []int{s.fact(dsar.Prove)}
	}
	// What went before the erasure was begun anew counts with it: what was erased then was
	// found then, and of plans the first that could look at the dataset.
	var before, first int64
	var firstFact int
	for _, e := range s.ends {
		c := countsOf(&e, d.Dataset.Dataset)
		if e.Earlier && e.Action == dsar.Erase && c.Reassigned > 0 {
			out.reassigned, out.reassignedFacts = out.reassigned+c.Reassigned, append(out.reassignedFacts, e.Fact)
		}
		switch {
		case !e.Earlier || c.Dataset == "":
		case e.Action == dsar.Erase && c.Erased+c.Anonymised > 0:
			out.erased, out.anonymised, before = out.erased+c.Erased, out.anonymised+c.Anonymised, before+c.Erased+c.Anonymised
			out.doneFacts, out.foundFacts = append(out.doneFacts, e.Fact), append(out.foundFacts, e.Fact)
		case e.Action == dsar.Plan && c.Uncovered == "" && firstFact == 0:
			first, firstFact = c.Found, e.Fact
		}
	}
	planned := plan.Found + before
	if first > planned {
		planned = first
		out.foundFacts = []int{firstFact}
	}
	told := out.erased + out.anonymised + out.gone + out.reassigned + sum(out.kept)
	out.found = planned + done.Late
	if done.Late > 0 {
		out.foundFacts = append(out.foundFacts, s.fact(dsar.Erase))
	}
	if byErase := out.erased + out.anonymised + out.gone + out.reassigned + sum(done.Retained); byErase > out.found {
		out.found, out.foundFacts = byErase, append(out.foundFacts, out.doneFacts...)
	}
	if told > out.found {
		out.found, out.foundFacts = told, slices.Concat(out.foundFacts, out.doneFacts, out.keptFacts, out.reassignedFacts)
	}
	if proven && out.found > told {
		out.gone += out.found - told
		out.goneFacts = append(append(append(out.goneFacts, out.foundFacts...), out.doneFacts...), s.fact(dsar.Prove))
	}
	return out
}

// proven reports whether the system was asked again for the dataset, and only what must
// stay was found. A person who attests a proof hasn't said that what had to stay is gone.
func (d *dataset) proven() bool {
	end, proof := d.sys.end(dsar.Prove), d.counts(dsar.Prove)
	if end == nil || end.By != "" && proof.Kept() < d.counts(dsar.Erase).Kept() {
		return false
	}
	if end.Outcome == dsar.Proven {
		return true
	}
	_, uncovered := d.uncovered()
	return end.Outcome == dsar.Incomplete && !uncovered && proof.Found == proof.Kept()
}

// sum returns how many records must stay.
func sum(kept []dsar.Retention) (n int64) {
	for _, r := range kept {
		n += r.Records
	}
	return n
}
