package policy

import (
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"
)

// Unit is the unit that a period is counted in.
type Unit string

// The units.
const (
	Day         Unit = "day"          // calendar days
	BusinessDay Unit = "business-day" // Monday to Friday, but for holidays
	Month       Unit = "month"        // to the same day of a later month, or its last
)

// Period is the length of time in which something is due, and the law that says so.
type Period struct {
	Count int  `yaml:"count" json:"count"`
	Unit  Unit `yaml:"unit" json:"unit"`
	// MovesOff says which days can't be the last one; the last day then moves to
	// the next working day.
	MovesOff MovesOff `yaml:"moves_off" json:"moves_off,omitempty"`
	// CountsReceipt says that the day of receipt is the first that counts, and not day 0;
	// in days.
	CountsReceipt bool `yaml:"counts_receipt" json:"counts_receipt,omitempty"`
	// Times is how often the period can be added, in an extension; 0 is once.
	Times int `yaml:"times" json:"times,omitempty"`
	// Choice says that the number is the operator's own, not the law's.
	Choice bool   `yaml:"choice" json:"choice,omitempty"`
	Source string `yaml:"source" json:"source"`
	Read   Read   `yaml:"read" json:"read,omitempty"`
}

// OwnPeriod is a period that a right has instead of its law's: another one, or none.
type OwnPeriod struct{ period *Period }

// UnmarshalYAML reads a period, or the word none.
func (o *OwnPeriod) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode && n.Value == "none" {
		return nil
	}
	o.period = new(Period)
	return n.Decode(o.period)
}

// instead returns the right's own period, or the law's where it has none of its own.
func (o *OwnPeriod) instead(law *Period) *Period {
	if o == nil {
		return law
	}
	return o.period
}

// Date is a day of the calendar, as a law's file writes it: 2027-01-01.
type Date struct{ date }

// UnmarshalYAML reads a day.
func (d *Date) UnmarshalYAML(n *yaml.Node) error {
	at, err := time.Parse(time.DateOnly, n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %q is no day: write it as 2027-01-01", n.Line, n.Value)
	}
	d.year, d.month, d.day = at.Date()
	return nil
}

// MovesOff names the days that can't be a period's last one.
type MovesOff string

// The kinds of MovesOff; empty: every day can be the last.
const (
	MovesOffWeekend   MovesOff = "weekend"            // Saturday and Sunday
	MovesOffNoWorkday MovesOff = "weekend-or-holiday" // those of the jurisdiction's calendar, too
)

// date is a calendar day, without time and zone.
type date struct {
	year  int
	month time.Month
	day   int
}

// utc returns the day's midnight in UTC, for the calendar's arithmetic only: there,
// every day has 24 hours.
func (d date) utc() time.Time { return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC) }

// String returns the day as 2027-01-01.
func (d date) String() string { return d.utc().Format(time.DateOnly) }

func (d date) addDays(n int) date {
	y, m, dd := d.utc().AddDate(0, 0, n).Date()
	return date{y, m, dd}
}

func (d date) before(other date) bool { return d.utc().Before(other.utc()) }

// daysTo returns how many days later another day is; 0 where it is none.
func (d date) daysTo(later date) int {
	return max(0, int(later.utc().Sub(d.utc())/(24*time.Hour)))
}

func (d date) weekend() bool {
	switch d.utc().Weekday() {
	case time.Saturday, time.Sunday:
		return true
	default:
		return false
	}
}

// days says which days are working days; without a calendar, all but weekends are.
type days struct{ calendar *Calendar }

func (c days) working(d date) bool {
	return !d.weekend() && (c.calendar == nil || !c.calendar.holiday(d))
}

// after returns the last day of the period where day 0 is d.
func (c days) after(p Period, d date) date {
	switch p.Unit {
	case Month:
		// Regulation 1182/71, art. 3(2)(c): the same date in the last month,
		// or that month's last day where it has no such date.
		first := date{d.year, d.month, 1}.utc().AddDate(0, p.Count, 0)
		last := first.AddDate(0, 1, -1).Day()
		return date{first.Year(), first.Month(), min(d.day, last)}
	case BusinessDay:
		for n := p.Count; n > 0; {
			d = d.addDays(1)
			if c.working(d) {
				n--
			}
		}
		return d
	default:
		if p.CountsReceipt {
			return d.addDays(p.Count - 1)
		}
		return d.addDays(p.Count)
	}
}

// next returns d, or the next working day where d can't be the last one (Regulation
// 1182/71, art. 3(4)).
func (c days) next(m MovesOff, d date) date {
	for m == MovesOffWeekend && d.weekend() || m == MovesOffNoWorkday && !c.working(d) {
		d = d.addDays(1)
	}
	return d
}
