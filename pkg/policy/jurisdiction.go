package policy

import (
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
)

// Text is a text by language (en, fr). English and French are always there.
type Text map[string]string

// In returns the text in the language of a locale (BCP 47), or in English.
func (t Text) In(locale string) string {
	lang, _, _ := strings.Cut(strings.ToLower(locale), "-")
	if s := t[lang]; s != "" {
		return s
	}
	return t["en"]
}

// Jurisdiction is one file of jurisdictions/. Its fields are data to show and
// decide by; they MUST NOT be changed.
type Jurisdiction struct {
	// ID is the word in requests: EEA, UK, California, …
	ID    string `yaml:"id"`
	Title Text   `yaml:"title"`
	Law   struct {
		Name   Text   `yaml:"name"`
		Source string `yaml:"source"`
	} `yaml:"law"`
	// TimeZone is whose days are counted.
	TimeZone struct {
		Name   string `yaml:"name"`
		Source string `yaml:"source"`
	} `yaml:"time_zone"`
	// Languages are those of an answer; the first one where the subject names
	// none.
	Languages []string `yaml:"languages"`
	Rights    []Grant  `yaml:"rights"`
	// Answer is when the answer is due, from receipt.
	Answer Period `yaml:"answer"`
	// Extension is by how much that can be extended; nil where it can't.
	Extension *Period `yaml:"extension"`
	// Confirmation is when receipt must be confirmed; nil where nothing is fixed.
	Confirmation *Period `yaml:"confirmation"`
	// IdentityCheck is nil where nothing is fixed.
	IdentityCheck *IdentityCheck `yaml:"identity_check"`
	// Responsible answers for the data in this jurisdiction.
	Responsible Party `yaml:"responsible"`
	// Complaint is to whom the person can complain; at least one.
	Complaint []Party `yaml:"complaint"`

	zone *time.Location
}

// Grant is a right that a jurisdiction grants, and by which law.
type Grant struct {
	Right  dsar.Right `yaml:"right"`
	Source string     `yaml:"source"`
}

// IdentityCheck says what a check of identity does to the clock.
type IdentityCheck struct {
	// Pauses tells that the clock stands while proof of identity is awaited.
	Pauses bool   `yaml:"pauses"`
	Source string `yaml:"source"`
}

// Party is an authority or a company.
type Party struct {
	Name   Text   `yaml:"name"`
	URL    string `yaml:"url"`
	Source string `yaml:"source"`
}

// Grants tells whether the jurisdiction grants a right.
func (j Jurisdiction) Grants(r dsar.Right) bool {
	for _, g := range j.Rights {
		if g.Right == r {
			return true
		}
	}
	return false
}

// Language is the language of an answer for a subject's locale: that of the
// locale where an answer can be given in it, else the jurisdiction's first.
func (j Jurisdiction) Language(locale string) string {
	lang, _, _ := strings.Cut(strings.ToLower(locale), "-")
	for _, l := range j.Languages {
		if l == lang {
			return l
		}
	}
	return j.Languages[0]
}

// Due is the last second at which an answer is in time, in UTC. It is the last
// second of a day in the jurisdiction's time zone: the day of receipt there is
// day 0 (TestDue has the table, with sources).
func (j Jurisdiction) Due(received time.Time) time.Time {
	return j.endOfDay(j.Answer.MovesOff.next(j.Answer.after(j.day(received))))
}

// Extended is Due where the answer's period has been extended, counted from
// receipt as well. It is false where the jurisdiction knows no extension.
func (j Jurisdiction) Extended(received time.Time) (time.Time, bool) {
	if j.Extension == nil {
		return time.Time{}, false
	}
	last := j.day(received)
	if j.Extension.Unit == j.Answer.Unit {
		// One month and two further ones are three: 31 August, 30 November, not
		// 30 September, 30 November by way of a shorter month.
		whole := j.Answer
		whole.Count += j.Extension.Count
		last = whole.after(last)
	} else {
		last = j.Extension.after(j.Answer.after(last))
	}
	return j.endOfDay(j.Answer.MovesOff.next(last)), true
}

// day is the date of an instant in the jurisdiction's time zone.
func (j Jurisdiction) day(at time.Time) date {
	y, m, d := at.In(j.zone).Date()
	return date{y, m, d}
}

func (j Jurisdiction) endOfDay(d date) time.Time {
	return time.Date(d.year, d.month, d.day, 23, 59, 59, 0, j.zone).UTC()
}
