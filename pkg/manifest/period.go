package manifest

import (
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"time"
)

// Period is a length of time in calendar years, months and days.
type Period struct{ Years, Months, Days int }

// maxPeriod bounds each part of a period: no law has records kept for longer,
// and dates stay within four digits.
const maxPeriod = 999

var periodForm = regexp.MustCompile(`^P(?:(\d{1,3})Y)?(?:(\d{1,3})M)?(?:(\d{1,3})D)?$`)

// ParsePeriod reads an ISO 8601 duration of years, months and days (P10Y, P6M,
// P1Y6M, P30D), each part at most 999, not all of them nothing.
func ParsePeriod(s string) (Period, error) {
	parts := periodForm.FindStringSubmatch(s)
	if parts == nil {
		return Period{}, fmt.Errorf("%q is not a period such as P10Y, P6M or P30D, of at most %d each", s, maxPeriod)
	}
	var p Period
	for i, to := range []*int{&p.Years, &p.Months, &p.Days} {
		if parts[i+1] != "" {
			*to, _ = strconv.Atoi(parts[i+1]) // digits, by the expression
		}
	}
	if p == (Period{}) {
		return Period{}, fmt.Errorf("%q is no time at all: write a period such as P10Y", s)
	}
	return p, nil
}

// After returns the day on which a period that runs from a day is over: what had
// to stay may go on that day, and not before. The day from which it runs doesn't count, and
// it ends with the last hour of the same date (Regulation 1182/71 art. 3(1) and (2)(c), and
// as much §§ 187 and 188 BGB), or of the month's last where the month has no such: ten years
// from 1 December 2016 are over on 2 December 2026. A later day never ends earlier
// (TestPeriodIsMonotone). The result is midnight UTC.
func (p Period) After(day time.Time) time.Time { return p.Date(day).AddDate(0, 0, 1) }

// Date returns the same date after a period: that with whose end it ends, where it runs from a
// day. The result is midnight UTC.
func (p Period) Date(day time.Time) time.Time {
	y, m, d := day.Date()
	first := time.Date(y+p.Years, m+time.Month(p.Months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(d, last)-1+p.Days)
}

// FirstKept returns the earliest day from which the period isn't over on the day
// of now (UTC): records of that day or later must stay.
func (p Period) FirstKept(now time.Time) time.Time {
	y, m, d := now.UTC().Date()
	today := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	// No day later than this one is too early: subtracting months without the
	// clamp overshoots by at most three days.
	day := today.AddDate(-p.Years, -p.Months, -p.Days).AddDate(0, 0, -5)
	for !p.After(day).After(today) {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// What a period can run from the end of ([Retention.ToEndOf]).
const (
	Month         = "month"
	Year          = "year"
	FinancialYear = "financial-year"
)

// roundings lists them.
func roundings() []string { return []string{Month, Year, FinancialYear} }

// Span is a period that runs from a date, or from the end of what the date is in.
type Span struct {
	Period
	toEndOf string
	ends    time.Time // the last day of a financial year, in whichever year
}

// Span returns for how long a rule has records stay.
func (m *Manifest) Span(r *Retention) (Span, error) {
	p, err := ParsePeriod(r.Period)
	if err != nil {
		return Span{}, err
	}
	ends, err := lastDay(m.FinancialYearEnds)
	return Span{p, r.ToEndOf, ends}, err
}

// NoPeriod says in Retention.Periods that a law has no such duty.
const NoPeriod = "none"

// SpanUnder returns for how long a rule has records stay where a person asks under a law; false
// where it has them stay for none.
func (m *Manifest) SpanUnder(r *Retention, law string) (span Span, applies bool, err error) {
	own := *r
	if p, differs := r.Periods[law]; differs {
		own.Period = p
	}
	if own.Period == NoPeriod {
		return Span{}, false, nil
	}
	span, err = m.Span(&own)
	return span, err == nil, err
}

// lastDay reads the last day of a financial year: a month and a day, 12-31 where nothing is
// said. 02-29 is the last of February in every year.
func lastDay(text string) (time.Time, error) {
	if text == "" {
		text = "12-31"
	}
	t, err := time.Parse("2006-01-02", "2000-"+text)
	if err != nil {
		return t, fmt.Errorf("%q isn't the day on which a year ends: write it as 12-31", text)
	}
	return t, nil
}

// After returns the day on which the span of a day is over, as [Period.After]: what runs
// from the end of a year or month ends with the end of one.
func (s Span) After(day time.Time) time.Time {
	if s.toEndOf == "" {
		return s.Period.After(day)
	}
	return s.Date(s.begins(day))
}

// FirstKept returns the earliest day whose span isn't over on the day of now (UTC).
func (s Span) FirstKept(now time.Time) time.Time {
	y, m, d := now.UTC().Date()
	today := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	// No rounding moves a day by more than a year, and a later day never ends earlier.
	first := s.Period.FirstKept(now).AddDate(-1, 0, -2)
	return first.AddDate(0, 0, sort.Search(800, func(i int) bool { return s.After(first.AddDate(0, 0, i)).After(today) }))
}

// begins returns the first day of a period that runs from the end of what a day is in.
func (s Span) begins(day time.Time) time.Time {
	y, m, d := day.Date()
	date := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	switch s.toEndOf {
	case Month:
		return date(y, m+1, 1)
	case FinancialYear:
		after := func(y int) time.Time {
			last := min(s.ends.Day(), date(y, s.ends.Month()+1, 0).Day())
			return date(y, s.ends.Month(), last+1)
		}
		if begin := after(y); date(y, m, d).Before(begin) {
			return begin
		}
		return after(y + 1)
	default: // year
		return date(y+1, 1, 1)
	}
}
