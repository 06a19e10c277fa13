// Package operator is what only the operator of an installation can say: who answers for
// the data in which region, and what no law and no manifest knows, such as that nothing is
// sold. A declaration has a day on which somebody looked, and a day on which it lapses:
// from then on answers say less ([Operator.Declares]).
package operator

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/words"
)

// Controller is who answers for the data under some laws, as answers, letters and the
// record of processing activities name them. All of it is told to people.
type Controller struct {
	// Laws are the ids of those laws; none: every law that no other controller names.
	Laws []string `yaml:"laws,omitempty"`
	Name string   `yaml:"name"`
	// Address is the postal address, in one line.
	Address string `yaml:"address,omitempty"`
	// Contact is how to reach them: an address, a telephone number.
	Contact string `yaml:"contact,omitempty"`
	// Officer is the data protection officer, and Representative the one in the region
	// (GDPR art. 27, 37), each with how to reach them.
	Officer        string `yaml:"officer,omitempty"`
	Representative string `yaml:"representative,omitempty"`
	// Authorities are where to complain, instead of those that the law's file names. Where
	// the law has people complain to the operator, they still can.
	Authorities []Authority `yaml:"authorities,omitempty"`
}

// Authority is where people can complain.
type Authority struct {
	Name string `yaml:"name"`
	URL  string `yaml:"url,omitempty"`
	// Ourselves says that it is the operator: whoever has complained there isn't sent there
	// again. Only a law's file says so.
	Ourselves bool `yaml:"-"`
}

// Declaration is something that only the operator can say, by the name that laws' files
// have for it (declared:).
type Declaration struct {
	Says string `yaml:"says"`
	// By is whose word it is: a role, such as "data protection officer".
	By string `yaml:"by"`
	// On is the day on which it was looked at; it holds until the end of the day Until.
	On    Day `yaml:"on"`
	Until Day `yaml:"until"`
}

// Day is a day of the calendar: 2026-09-01.
type Day string

// DayOf returns the day of a time, in UTC.
func DayOf(at time.Time) Day { return Day(at.UTC().Format(time.DateOnly)) }

// begins returns when the day begins, in UTC; the zero time where it is no day.
func (d Day) begins() time.Time {
	at, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return time.Time{}
	}
	return at
}

// Longest is how long a declaration may hold: who says for longer that nothing changes
// doesn't know it.
const Longest = 2 * 366 * 24 * time.Hour

// Operator is what the operator of an installation has said. The zero Operator has said
// nothing.
type Operator struct {
	// Name is who answers where no controller is named; empty: as the law's file has it.
	Name         string
	Controllers  []Controller
	Declarations []Declaration
	// Languages are those that the installation speaks; nil: those that are built in.
	Languages *words.Languages
}

// For returns who answers under a law: the controller that names it, else the one that
// names none, else one of the operator's name alone.
func (o Operator) For(law string) Controller {
	for _, c := range o.Controllers {
		if slices.Contains(c.Laws, law) {
			return c
		}
	}
	for _, c := range o.Controllers {
		if len(c.Laws) == 0 {
			return c
		}
	}
	return Controller{Name: o.Name}
}

// Under returns who answers under a law, and where people can complain: what the
// configuration says, and the law's file where that says nothing. Answers, letters and the
// record of processing activities all have it from here.
func (o Operator) Under(j policy.Jurisdiction, lang *words.Language) Controller {
	c := o.For(j.ID)
	c.Name = cmp.Or(c.Name, lang.Text(j.Responsible.Name))
	var ourselves, others []Authority
	for _, p := range j.Complaint {
		a := Authority{Name: lang.Text(p.Name), URL: p.URL, Ourselves: p.Operator}
		if p.Operator {
			ourselves = append(ourselves, a)
		} else {
			others = append(others, a)
		}
	}
	if len(c.Authorities) > 0 {
		others = c.Authorities
	}
	c.Authorities = slices.Concat(ourselves, others)
	return c
}

// Named returns the controller's name with the postal address and the contact, in one
// line: what stands under a letter.
func (c Controller) Named() string {
	parts := slices.DeleteFunc([]string{c.Name, c.Address, c.Contact}, func(s string) bool { return s == "" })
	return strings.Join(parts, ", ")
}

// Declares reports whether something is declared, and the declaration holds at that time.
// What needs no declaration is always declared.
func (o Operator) Declares(what string, at time.Time) bool {
	return what == "" || slices.ContainsFunc(o.Declarations, func(d Declaration) bool {
		return d.Says == what && d.check() == nil && !at.Before(d.On.begins()) && at.Before(d.Until.begins().AddDate(0, 0, 1))
	})
}

// Lapse says of something that an answer would say only by a declaration, whether that is
// missing at a time, and when it lapses, or has lapsed. What needs no declaration never does.
func (o Operator) Lapse(what string, now time.Time) (missing bool, until Day) {
	for _, d := range o.Declarations {
		if d.Says == what {
			until = d.Until
		}
	}
	return what != "" && !o.Declares(what, now), until
}

// Check returns the first mistake in what was configured.
func (o Operator) Check() error {
	named := map[string]bool{}
	for i, c := range o.Controllers {
		if c.Name == "" {
			return fmt.Errorf("controllers[%d]: name is missing: who answers", i)
		}
		for _, law := range append([]string{}, c.Laws...) {
			if named[law] {
				return fmt.Errorf("controllers[%d]: another controller answers under the law %s", i, law)
			}
			named[law] = true
		}
		if len(c.Laws) == 0 {
			if named[""] {
				return fmt.Errorf("controllers[%d]: two controllers name no law: one of them answers under every other law", i)
			}
			named[""] = true
		}
		for _, text := range []string{c.Name, c.Address, c.Contact, c.Officer, c.Representative} {
			if strings.ContainsAny(text, "\r\n") || len(text) > 300 {
				return fmt.Errorf("controllers[%d]: each text is one line of 300 bytes at most", i)
			}
		}
	}
	said := map[string]bool{}
	for i, d := range o.Declarations {
		switch err := d.check(); {
		case err != nil:
			return fmt.Errorf("declarations[%d]: %w", i, err)
		case said[d.Says]:
			return fmt.Errorf("declarations[%d]: %s is declared twice", i, d.Says)
		}
		said[d.Says] = true
	}
	return nil
}

func (d Declaration) check() error {
	switch {
	case d.Says == "":
		return errors.New("says is missing: what is declared, by the name that laws' files have for it")
	case d.By == "":
		return errors.New("by is missing: whose word it is")
	case d.On.begins().IsZero() || d.Until.begins().IsZero():
		return errors.New("on and until are days, as 2026-09-01: when it was looked at, and when it lapses")
	case !d.Until.begins().After(d.On.begins()):
		return errors.New("until must come after on")
	case d.Until.begins().Sub(d.On.begins()) > Longest:
		return errors.New("it must lapse within two years: what nobody looks at again can't be told as so")
	}
	return nil
}
