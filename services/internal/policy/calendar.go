package policy

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"habeas.dev/pkg/telemetry"
)

// Calendar is the public holidays of one place, as a file of
// jurisdictions/calendars lists them.
type Calendar struct {
	ID       string    `yaml:"id"`
	Read     Read      `yaml:"read"`
	Title    Text      `yaml:"title"`
	Holidays []Holiday `yaml:"holidays"`
	// Days are single days that follow no rule.
	Days []struct {
		Name   string `yaml:"name"`
		Date   string `yaml:"date"`
		Source string `yaml:"source"`
		Read   Read   `yaml:"read"`
	} `yaml:"days"`
	// Unread are its values whose source's text was not read.
	Unread []Unread `yaml:"-"`

	mu    sync.Mutex
	years map[int]map[date]bool // what was worked out
}

// Holiday is a day of every year: of a date, of a distance from Easter, or a
// weekday of a month.
type Holiday struct {
	Name    string `yaml:"name"`
	Date    string `yaml:"date"`   // month and day
	Easter  *int   `yaml:"easter"` // days after Easter Sunday
	Month   int    `yaml:"month"`
	Weekday string `yaml:"weekday"`
	Nth     int    `yaml:"nth"`  // the first, second, … in the month; -1: the last
	Plus    int    `yaml:"plus"` // days after that
	// Instead says which day is a holiday as well, where the holiday falls on a
	// weekend.
	Instead string `yaml:"instead"`
	From    int    `yaml:"from"` // the first year
	Source  string `yaml:"source"`
	Read    Read   `yaml:"read"`
}

// The kinds of [Holiday.Instead].
const (
	insteadWorkday = "next-working-day"
	insteadMonday  = "monday-after-sunday"
)

// loadCalendars adds the calendars of a folder to those that are known.
func loadCalendars(fsys fs.FS, known map[string]*Calendar) error {
	schema, err := compile("calendar.schema.json")
	if err != nil {
		return err
	}
	names, err := fs.Glob(fsys, "calendars/*.yaml")
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return fmt.Errorf("policy: %w", err)
		}
		c, notRead, err := decode[*Calendar](schema, text)
		if err != nil {
			return fmt.Errorf("policy: %s: %w", name, err)
		}
		c.Unread = notRead
		if c.ID != strings.TrimSuffix(path.Base(name), ".yaml") {
			return fmt.Errorf("policy: %s: its id is %s", name, c.ID)
		}
		for _, h := range c.Holidays {
			if _, err := h.in(2024); err != nil { // a leap year: every date is in it
				return fmt.Errorf("policy: %s: %s: %w", name, h.Name, err)
			}
		}
		c.years = map[int]map[date]bool{}
		known[c.ID] = c
	}
	return nil
}

// holiday reports whether a day is a public holiday.
func (c *Calendar) holiday(d date) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	days, ok := c.years[d.year]
	if !ok {
		days = c.year(d.year)
		c.years[d.year] = days
	}
	return days[d]
}

// year works out the holidays of a year, and then what is kept instead of those
// on weekends. A New Year's Day's is in January, so that no day is of another
// year's.
func (c *Calendar) year(year int) map[date]bool {
	days := map[date]bool{}
	var all []date
	for _, h := range c.Holidays {
		d, _ := h.in(year) // checked when it was loaded
		all = append(all, d)
		if year >= h.From {
			days[d] = true
		}
	}
	for _, d := range c.Days {
		if t, err := time.Parse(time.DateOnly, d.Date); err == nil && t.Year() == year {
			days[date{t.Year(), t.Month(), t.Day()}] = true
		}
	}
	for i, h := range c.Holidays {
		d := all[i]
		switch {
		case year < h.From || !d.weekend():
		case h.Instead == insteadWorkday:
			for d.weekend() || days[d] {
				d = d.addDays(1)
			}
			days[d] = true
		case h.Instead == insteadMonday && d.utc().Weekday() == time.Sunday:
			days[d.addDays(1)] = true
		}
	}
	return days
}

var errNoDay = telemetry.Constant("no such day")

// in returns the holiday's date in a year.
func (h Holiday) in(year int) (date, error) {
	switch {
	case h.Easter != nil:
		return easter(year).addDays(*h.Easter), nil
	case h.Weekday != "":
		return h.weekdayIn(year)
	default:
		t, err := time.Parse(time.DateOnly, fmt.Sprintf("%04d-%s", year, h.Date))
		if err != nil {
			return date{}, errNoDay
		}
		return date{t.Year(), t.Month(), t.Day()}, nil
	}
}

func (h Holiday) weekdayIn(year int) (date, error) {
	first := date{year, time.Month(h.Month), 1}
	d := first
	for !strings.EqualFold(d.utc().Weekday().String(), h.Weekday) {
		d = d.addDays(1)
	}
	if h.Nth > 0 {
		return d.addDays(7*(h.Nth-1) + h.Plus), nil
	}
	for d.addDays(7).month == first.month {
		d = d.addDays(7)
	}
	return d.addDays(h.Plus), nil
}

// easter returns Easter Sunday of the western churches, by the Gregorian calendar's
// rule in the form of Meeus, Jones and Butcher.
func easter(year int) date {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	month := (h + l - 7*m + 114) / 31
	day := (h+l-7*m+114)%31 + 1
	return date{year, time.Month(month), day}
}
