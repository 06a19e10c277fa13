package statement

import (
	"cmp"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// receivedIn returns who receives what the answer shows, by the country in which they do
// and the safeguard, in order of country.
func (e *evidence) receivedIn() []claim {
	var out []claim
	for _, s := range e.systems {
		for _, d := range s.datasets {
			if d.read.Records == 0 {
				continue
			}
			for _, r := range d.Receives {
				if r.Country == "" || e.Abroad == nil || !e.Abroad(r.Country) {
					continue
				}
				at := slices.IndexFunc(out, func(c claim) bool { return c.Country == r.Country && c.Safeguard == r.Safeguard })
				if at < 0 {
					out, at = append(out, claim{Values: Values{Country: r.Country, Safeguard: r.Safeguard}}), len(out)
				}
				if !slices.Contains(out[at].Recipients, r) {
					out[at].Recipients = append(out[at].Recipients, r)
				}
				out[at].facts = append(out[at].facts, s.fact(dsar.Gather))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b claim) int {
		return cmp.Or(cmp.Compare(a.Country, b.Country), cmp.Compare(a.Safeguard, b.Safeguard))
	})
	return out
}

// notices returns one claim for the recipients of some notices; with each, one for each of
// them, with the reason why it isn't told.
func (e *evidence) notices(which func(core.NoticeAnswer) bool, each bool) []claim {
	var all claim
	var out []claim
	for _, n := range e.Told.Notices {
		r := e.recipient(n.Recipient)
		if !which(n) {
			continue
		}
		if each {
			out = append(out, claim{Values: Values{Recipients: []Recipient{r}, Reason: r.Why}, facts: []int{n.Fact}})
		}
		all.Recipients, all.facts = append(all.Recipients, r), append(all.facts, n.Fact)
	}
	if each || len(all.Recipients) == 0 {
		return out
	}
	return []claim{all}
}

// recipient returns a recipient as a dataset describes it.
func (e *evidence) recipient(id string) Recipient {
	for _, s := range e.Systems {
		for _, d := range s.Datasets {
			for _, r := range d.Receives {
				if r.Recipient == id {
					return r
				}
			}
		}
	}
	return Recipient{Recipient: id, Name: id, Role: "third-party"}
}
