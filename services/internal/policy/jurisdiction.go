package policy

import (
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
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

// Jurisdiction is one law, as a file of jurisdictions/ describes it. Its fields are
// data to show and decide by; they MUST NOT be changed.
type Jurisdiction struct {
	// ID is the jurisdiction's name in requests: EEA, UK, California, …
	ID    string `yaml:"id"`
	Title Text   `yaml:"title"`
	Law   struct {
		Name   Text   `yaml:"name"`
		Source string `yaml:"source"`
	} `yaml:"law"`
	// TimeZone is the time zone in which days are counted.
	TimeZone struct {
		Name   string `yaml:"name"`
		Source string `yaml:"source"`
	} `yaml:"time_zone"`
	// Languages are the languages of an answer; the first is used where the subject
	// names none.
	Languages []string `yaml:"languages"`
	Rights    []Grant  `yaml:"rights"`
	// Answer is the period in which the answer is due, from receipt.
	Answer Period `yaml:"answer"`
	// Extension is by how much the answer's period can be extended; nil where it
	// can't be.
	Extension *Period `yaml:"extension"`
	// Confirmation is the period in which receipt must be confirmed; nil where the
	// law fixes none.
	Confirmation *Period `yaml:"confirmation"`
	// Start says which day the periods are counted from.
	Start struct {
		Rule   StartRule `yaml:"rule"`
		Source string    `yaml:"source"`
	} `yaml:"start"`
	// Holidays names the calendar of public holidays; nil where the law counts
	// none.
	Holidays *struct {
		Calendar string `yaml:"calendar"`
		Source   string `yaml:"source"`
	} `yaml:"holidays"`
	// IdentityCheck says what a check of identity does to the clock.
	IdentityCheck IdentityCheck `yaml:"identity_check"`
	// Clarification says what a question to the person does to the clock.
	Clarification struct {
		Pauses bool   `yaml:"pauses"`
		Source string `yaml:"source"`
	} `yaml:"clarification"`
	// Refusals are the grounds on which a request can be refused, beside that
	// identity isn't proven.
	Refusals []Refusal `yaml:"refusals"`
	// NeverShown are the kinds of data that no answer may disclose.
	NeverShown struct {
		Kinds  []string `yaml:"kinds"`
		Source string   `yaml:"source"`
	} `yaml:"never_shown"`
	// AnswerSays lists what an answer must say beside the data.
	AnswerSays []Content `yaml:"answer_says"`
	// Responsible is the company that answers for the data in this jurisdiction.
	Responsible Party `yaml:"responsible"`
	// Complaint lists the authorities that the person can complain to; at least
	// one.
	Complaint []Party `yaml:"complaint"`

	zone *time.Location
	days days
}

// StartRule says which day is day 0.
type StartRule string

// StartDayAfter makes the day of receipt day 0: the first day that counts is the
// one after it.
const StartDayAfter StartRule = "day-after"

// Refusal is a ground on which a request can be refused.
type Refusal struct {
	Ground string `yaml:"ground"`
	// Title is the end of the sentence "we refuse it because …".
	Title  Text   `yaml:"title"`
	Source string `yaml:"source"`
}

// Content is one thing that an answer must say.
type Content struct {
	Item Item `yaml:"item"`
	// Text is the sentence to say, where manifests can't say it.
	Text   Text   `yaml:"text"`
	Source string `yaml:"source"`
}

// Item names what an answer must say.
type Item string

// The items. Those without a text are said from the systems' manifests.
const (
	ItemPurposes       Item = "purposes"
	ItemCategories     Item = "categories"
	ItemRecipients     Item = "recipients"
	ItemStorage        Item = "storage"
	ItemRights         Item = "rights"
	ItemComplaint      Item = "complaint"
	ItemOrigin         Item = "origin"
	ItemCategoryTables Item = "category-tables" // Civ. Code 1798.110
	ItemAutomated      Item = "automated"       // with a text
	ItemTransfers      Item = "transfers"       // with a text
	ItemStatement      Item = "statement"       // with a text
)

// Grant is a right that a jurisdiction grants, and the law that grants it.
type Grant struct {
	Right dsar.Right `yaml:"right"`
	// NoProof says that nobody has to prove who they are to exercise it: it stops
	// processing and discloses nothing.
	NoProof bool   `yaml:"no_proof"`
	Source  string `yaml:"source"`
}

// IdentityCheck says what a check of identity does to the clock and to the answer.
type IdentityCheck struct {
	// Pauses says that the clock stands while proof of identity is awaited.
	Pauses bool `yaml:"pauses"`
	// Instead is the right that is answered where a copy was asked for and identity
	// isn't proven; empty: none.
	Instead dsar.Right `yaml:"instead"`
	Source  string     `yaml:"source"`
}

// Party is an authority or a company, with its address.
type Party struct {
	Name   Text   `yaml:"name"`
	URL    string `yaml:"url"`
	Source string `yaml:"source"`
}

// Grants reports whether the jurisdiction grants a right.
func (j Jurisdiction) Grants(r dsar.Right) bool {
	for _, g := range j.Rights {
		if g.Right == r {
			return true
		}
	}
	return false
}

// Language returns the language of an answer for a subject's locale: that of the
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

// Says reports whether an answer must say something.
func (j Jurisdiction) Says(item Item) bool {
	return slices.ContainsFunc(j.AnswerSays, func(c Content) bool { return c.Item == item })
}

// Refusal returns a ground of refusal by its name, and whether this law has it.
func (j Jurisdiction) Refusal(ground string) (Refusal, bool) {
	i := slices.IndexFunc(j.Refusals, func(r Refusal) bool { return r.Ground == ground })
	if i < 0 {
		return Refusal{}, false
	}
	return j.Refusals[i], true
}

// Terms returns the terms of a request under this law: its clock, and what must be
// proven.
func (j Jurisdiction) Terms(right dsar.Right, received time.Time, checks []dsar.Check) core.Terms {
	t := core.Terms{Checks: checks, PausesForProof: j.IdentityCheck.Pauses, PausesForClarification: j.Clarification.Pauses, Instead: j.IdentityCheck.Instead}
	for _, g := range j.Rights {
		t.NoProof = t.NoProof || g.Right == right && g.NoProof
	}
	if j.Confirmation != nil {
		t.ConfirmBy = j.endOfDay(j.days.after(*j.Confirmation, j.day(received)))
	}
	for _, r := range j.Refusals {
		t.Refusals = append(t.Refusals, r.Ground)
	}
	return t
}

// Due returns the last second at which an answer is in time, in UTC. It is the last
// second of a day in the jurisdiction's time zone: the day of receipt there is day
// 0 (TestDue has the table, with sources).
func (j Jurisdiction) Due(received time.Time) time.Time {
	due, _ := j.due(core.Clock{ReceivedAt: received})
	return due
}

// Extended returns Due with the answer's period extended, counted from receipt as
// well. It is false where the jurisdiction knows no extension.
func (j Jurisdiction) Extended(received time.Time) (time.Time, bool) {
	return j.due(core.Clock{ReceivedAt: received, Extended: true})
}

// due returns the last day of a period: counted from the day of receipt, moved on
// by the days for which the clock stood, and then to a day that can be the last
// one.
func (j Jurisdiction) due(c core.Clock) (time.Time, bool) {
	last := j.day(c.ReceivedAt)
	switch {
	case !c.Extended:
		last = j.days.after(j.Answer, last)
	case j.Extension == nil:
		return time.Time{}, false
	case j.Extension.Unit == j.Answer.Unit:
		// One month and two further ones are three: 31 August, 30 November, not
		// 30 September, 30 November by way of a shorter month.
		whole := j.Answer
		whole.Count += j.Extension.Count
		last = j.days.after(whole, last)
	default:
		last = j.days.after(*j.Extension, j.days.after(j.Answer, last))
	}
	for _, p := range c.Pauses {
		last = last.addDays(j.day(p.From).daysTo(j.day(p.Until)))
	}
	return j.endOfDay(j.days.next(j.Answer.MovesOff, last)), true
}

// Local returns an instant in the jurisdiction's time zone.
func (j Jurisdiction) Local(at time.Time) time.Time { return at.In(j.zone) }

// day returns the date of an instant in the jurisdiction's time zone.
func (j Jurisdiction) day(at time.Time) date {
	y, m, d := at.In(j.zone).Date()
	return date{y, m, d}
}

func (j Jurisdiction) endOfDay(d date) time.Time {
	return time.Date(d.year, d.month, d.day, 23, 59, 59, 0, j.zone).UTC()
}
