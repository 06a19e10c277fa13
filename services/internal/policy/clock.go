package policy

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// Periods are the periods of one right under one law.
type Periods struct {
	// Answer is the period in which the answer is due, from receipt.
	Answer Period
	// Extension is by how much that can be extended; nil where it can't be.
	Extension *Period
	// Confirmation is the period in which receipt must be confirmed; nil where the law
	// fixes none.
	Confirmation *Period
}

// Periods returns the periods of a right: its own, or the law's where it has none.
func (j Jurisdiction) Periods(right dsar.Right) Periods {
	p := Periods{Answer: j.Answer, Extension: j.Extension, Confirmation: j.Confirmation}
	for _, g := range j.Rights {
		if g.Right != right {
			continue
		}
		if g.Answer != nil {
			p.Answer = *g.Answer
		}
		p.Extension, p.Confirmation = g.Extension.instead(p.Extension), g.Confirmation.instead(p.Confirmation)
	}
	return p
}

// Extensions returns how often the answer's period can be extended.
func (p Periods) Extensions() int {
	if p.Extension == nil {
		return 0
	}
	return max(p.Extension.Times, 1)
}

// countsWorkingDays reports whether any period depends on which days are working days.
func (j Jurisdiction) countsWorkingDays() bool {
	var periods []*Period
	for _, g := range j.Rights {
		p := j.Periods(g.Right)
		periods = append(periods, &p.Answer, p.Extension, p.Confirmation)
	}
	return slices.ContainsFunc(periods, func(p *Period) bool {
		return p != nil && (p.Unit == BusinessDay || p.MovesOff == MovesOffNoWorkday)
	})
}

// defaultAccountability is how many months it is known whom a request was about where
// neither law nor operator says.
const defaultAccountability = 24

// AccountableMonths returns how many months after a request ended it is known whom it was
// about, and the law that says so: the law's number, or a longer one that the operator
// wants; where the law fixes none, the operator's, if it isn't 0.
func (j Jurisdiction) AccountableMonths(operator int) (months int, source string) {
	law := j.Accountability
	switch {
	case law == nil:
		return cmp.Or(operator, defaultAccountability), ""
	case law.Choice && operator > 0:
		return operator, ""
	case law.Choice:
		return law.Count, ""
	default:
		cited, _, _ := strings.Cut(law.Source, ": ") // what follows is for who works with the file
		return max(law.Count, operator), cited
	}
}

// Due returns the last second at which an answer is in time, in UTC. It is the last
// second of a day in the jurisdiction's time zone: the day of receipt there is day 0, or the
// first, as the law's start says (TestDue has the table, with sources).
func (j Jurisdiction) Due(right dsar.Right, received time.Time) time.Time {
	due, _ := j.due(core.Clock{Right: right, ReceivedAt: received})
	return due
}

// Extended returns Due with the answer's period extended, counted from receipt as
// well. It is false where the jurisdiction knows no extension of that right's period.
func (j Jurisdiction) Extended(right dsar.Right, received time.Time) (time.Time, bool) {
	return j.due(core.Clock{Right: right, ReceivedAt: received, Extensions: 1})
}

// due returns the last day of a period: counted from the day on which it began, moved
// on by the days for which the clock stood since, and then to a day that can be the
// last one.
func (j Jurisdiction) due(c core.Clock) (time.Time, bool) {
	began := c.ReceivedAt
	if c.StartedAt.After(began) {
		began = c.StartedAt
	}
	p, last := j.Periods(c.Right), j.day(began)
	if j.Start.Rule == StartDayOf && p.Answer.Unit == Day {
		last = last.addDays(-1)
	}
	switch {
	case c.Extensions == 0:
		last = j.days.after(p.Answer, last)
	case c.Extensions > p.Extensions():
		return time.Time{}, false
	case p.Extension.Unit == p.Answer.Unit:
		// One month and two further ones are three: 31 August, 30 November, not
		// 30 September, 30 November by way of a shorter month.
		whole := p.Answer
		whole.Count += p.Extension.Count * c.Extensions
		last = j.days.after(whole, last)
	default:
		more := *p.Extension
		more.Count *= c.Extensions
		last = j.days.after(more, j.days.after(p.Answer, last))
	}
	for _, pause := range c.Pauses {
		from := pause.From
		if from.Before(began) {
			from = began
		}
		last = last.addDays(j.day(from).daysTo(j.day(pause.Until)))
	}
	return j.endOfDay(j.days.next(p.Answer.MovesOff, last)), true
}
