package policy

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
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
	ID string `yaml:"id"`
	// Read is how those sources were had that have no mark of their own.
	Read  Read `yaml:"read"`
	Title Text `yaml:"title"`
	Law   struct {
		Name   Text   `yaml:"name"`
		Source string `yaml:"source"`
		Read   Read   `yaml:"read"`
	} `yaml:"law"`
	// TimeZone is the time zone in which days are counted.
	TimeZone struct {
		Name   string `yaml:"name"`
		Source string `yaml:"source"`
		Read   Read   `yaml:"read"`
	} `yaml:"time_zone"`
	// Languages are those in which an answer is given where the subject names none that
	// the installation speaks: the first of them that it does.
	Languages []string `yaml:"languages"`
	Rights    []Grant  `yaml:"rights"`
	// Answer, Extension and Confirmation are the periods of every right that has none
	// of its own: [Jurisdiction.Periods] returns those of one right.
	Answer       Period  `yaml:"answer"`
	Extension    *Period `yaml:"extension"`
	Confirmation *Period `yaml:"confirmation"`
	// Start says which day the periods are counted from.
	Start struct {
		Rule   StartRule `yaml:"rule"`
		Source string    `yaml:"source"`
		Read   Read      `yaml:"read"`
	} `yaml:"start"`
	// Holidays names the calendar of public holidays; nil where the law counts
	// none.
	Holidays *struct {
		Calendar string `yaml:"calendar"`
		Source   string `yaml:"source"`
		Read     Read   `yaml:"read"`
	} `yaml:"holidays"`
	// IdentityCheck says what a check of identity does to the clock.
	IdentityCheck IdentityCheck `yaml:"identity_check"`
	// Clarification says what a question to the person does to the clock.
	Clarification struct {
		Pauses bool `yaml:"pauses"`
		// Rights are those whose clock it stops; none means every right.
		Rights []dsar.Right `yaml:"rights"`
		Source string       `yaml:"source"`
		Read   Read         `yaml:"read"`
	} `yaml:"clarification"`
	// Refusals are the grounds on which a request can be refused, beside that
	// identity isn't proven.
	Refusals []Refusal `yaml:"refusals"`
	// RecipientsTold says which recipients of data are told of what a request changes.
	RecipientsTold []RecipientsTold `yaml:"recipients_told"`
	// Accountability is how long it must be known, after a request ended, whom it was about
	// and how it was answered; nil where the law's file says nothing of it.
	Accountability *Period `yaml:"accountability"`
	// Recourse, where the law has it, has what a person asked to see kept until they have used
	// up what they can do about a refusal: no erasure of theirs goes before.
	Recourse *struct {
		Source string `yaml:"source"`
		Read   Read   `yaml:"read"`
	} `yaml:"recourse"`
	// Register, where the law is one of the GDPR's articles, is what the record of processing
	// activities cites of it.
	Register *struct {
		Article Text   `yaml:"article"`
		Source  string `yaml:"source"`
		Read    Read   `yaml:"read"`
	} `yaml:"register"`
	// Figures are rights that are counted as one in a year's figures; the others are counted
	// each by itself.
	Figures []Figure `yaml:"figures"`
	// Letters are paragraphs that this law's letters have beside what all letters say.
	Letters []Paragraph `yaml:"letters"`
	// AnswerSays lists what an answer must say beside the data.
	AnswerSays []Content `yaml:"answer_says"`
	// Home lists the countries (ISO 3166-1) to which data isn't transferred: the law's own.
	Home []string `yaml:"home"`
	// Responsible is the company that answers for the data in this jurisdiction.
	Responsible Party `yaml:"responsible"`
	// Complaint lists the authorities that the person can complain to; at least
	// one.
	Complaint []Party `yaml:"complaint"`

	// Examples are due dates by which the file is checked whenever it is read.
	Examples []Example `yaml:"examples"`

	// File is the name of the law's file, and Unread its values whose source's text was
	// not read, in the order of the file.
	File   string   `yaml:"-"`
	Unread []Unread `yaml:"-"`

	zone *time.Location
	days days
}

// StartRule says which day is day 0.
type StartRule string

// The rules. StartDayAfter makes the day of receipt day 0: the first day that counts is the
// one after it. StartDayOf makes it the first of a period of calendar days; business days are
// counted as with the other.
const (
	StartDayAfter StartRule = "day-after"
	StartDayOf    StartRule = "day-of"
)

// Refusal is a ground on which a request can be refused.
type Refusal struct {
	Ground string `yaml:"ground"`
	// Rights are those that can be refused on it; at least one.
	Rights []dsar.Right `yaml:"rights"`
	// Part says whether a dataset of a copy, or a field of a correction, can be refused on it.
	Part Part `yaml:"part"`
	// UnlessMarks are marks of purposes: a request that ends the use of data for one that has
	// one of them isn't refused on it ([Jurisdiction.Ending]).
	UnlessMarks []string `yaml:"unless_marks"`
	// Title is the end of the sentence "we refuse it because …".
	Title Text `yaml:"title"`
	// Article is the article as people are told it, where they are; Source is for who works
	// with the file.
	Article Text   `yaml:"article"`
	Source  string `yaml:"source"`
	Read    Read   `yaml:"read"`
}

// Part says whether a dataset of a copy can be refused on a ground, and the rest is given; or a
// field of a correction, and the rest is corrected.
type Part string

// What a ground covers of a copy.
const (
	PartNever Part = ""     // the whole of it only
	PartToo   Part = "true" // the whole, or a dataset or field
	PartOnly  Part = "only" // a dataset or field, and never the whole
)

// UnmarshalYAML reads a truth value, however YAML writes it, or a word.
func (p *Part) UnmarshalYAML(n *yaml.Node) error {
	*p = Part(n.Value)
	if n.ShortTag() != "!!bool" {
		return nil
	}
	var too bool
	err := n.Decode(&too)
	if *p = PartNever; too {
		*p = PartToo
	}
	return err
}

// Cited returns the article of the ground in words of a language; empty where the ground is
// the operator's own.
func (r Refusal) Cited(say func(map[string]string) string) string {
	switch {
	case len(r.Article) > 0:
		return say(r.Article)
	case strings.HasPrefix(r.Source, "Policy choice"):
		return ""
	default:
		return r.Source
	}
}

// RecipientsTold says which recipients are told of what requests of some rights change.
type RecipientsTold struct {
	Rights []dsar.Right `yaml:"rights"`
	// Roles are those of recipients (manifest.RecipientRoles).
	Roles []string `yaml:"roles"`
	// Marks narrow it to those who receive data that is used for a purpose with one of these
	// marks; none: whatever it is used for.
	Marks  []string `yaml:"marks"`
	Source string   `yaml:"source"`
	Read   Read     `yaml:"read"`
}

// Tells reports whether the law has a recipient of a role told of what a request of a right
// changes in data that is used for purposes with these marks.
func (j Jurisdiction) Tells(right dsar.Right, role string, marks []string) bool {
	return slices.ContainsFunc(j.RecipientsTold, func(t RecipientsTold) bool {
		marked := len(t.Marks) == 0 || slices.ContainsFunc(marks, func(m string) bool { return slices.Contains(t.Marks, m) })
		return slices.Contains(t.Rights, right) && slices.Contains(t.Roles, role) && marked
	})
}

// Figure is what several rights are counted as in a year's figures.
type Figure struct {
	Name   Text         `yaml:"name"`
	Rights []dsar.Right `yaml:"rights"`
	Source string       `yaml:"source"`
	Read   Read         `yaml:"read"`
}

// Paragraph is one that a letter has under one law only.
type Paragraph struct {
	Letters []core.Letter `yaml:"letters"`
	// Rights are those whose letters have it; none means every right.
	Rights []dsar.Right `yaml:"rights"`
	Text   Text         `yaml:"text"`
	Source string       `yaml:"source"`
	Read   Read         `yaml:"read"`
}

// Content is one thing that an answer must say.
type Content struct {
	Item Item `yaml:"item"`
	// Rights are those whose answers say it; none means every right.
	Rights []dsar.Right `yaml:"rights"`
	// Text is the sentence to say, where manifests can't say it.
	Text Text `yaml:"text"`
	// Declared is what the operator must have declared for it to be said; empty: nothing.
	Declared string `yaml:"declared"`
	// UnlessMarks are marks of purposes: it is said only where no data is used for one that
	// has one of them ([Content.Said]).
	UnlessMarks []string `yaml:"unless_marks"`
	Source      string   `yaml:"source"`
	Read        Read     `yaml:"read"`
}

// Said reports whether it may be said where data is used for these purposes. A dataset's
// own purpose can't be marked, so that it doesn't tell, and nor do no purposes at all.
func (c Content) Said(used manifest.Purposes) bool {
	if len(c.UnlessMarks) == 0 {
		return true
	}
	for id, p := range used {
		own := strings.Contains(id, ".") // system.dataset
		if own || slices.ContainsFunc(p.Marks, func(m string) bool { return slices.Contains(c.UnlessMarks, m) }) {
			return false
		}
	}
	return len(used) > 0
}

// Of reports whether answers to a right say it.
func (c Content) Of(right dsar.Right) bool { return reaches(c.Rights, right) }

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
	ItemLegalBases     Item = "legal-bases"
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
	NoProof bool `yaml:"no_proof"`
	// From is the day from which the law grants it; the zero Date: it always did.
	From Date `yaml:"from"`
	// Reaches says which purposes the right ends; nil: it ends all use of the data.
	Reaches *Reach `yaml:"reaches"`
	// Answer, Extension and Confirmation are the right's own periods, where they differ
	// from the law's.
	Answer       *Period    `yaml:"answer"`
	Extension    *OwnPeriod `yaml:"extension"`
	Confirmation *OwnPeriod `yaml:"confirmation"`
	// Decided is what the right is called where this file adds it: a person decides it.
	Decided *Decided `yaml:"decided"`
	// Words are those of the right under this law, where it is another thing than elsewhere.
	Words *RightWords `yaml:"words"`
	// Besides is what the law demands besides, and Habeas doesn't do: who handles such a
	// request is told.
	Besides Text   `yaml:"besides"`
	Source  string `yaml:"source"`
	Read    Read   `yaml:"read"`
}

// Decided is a right that a law's file adds: a person decides it, and no system is asked.
// It has no Title and no Lead: its answer is a letter.
type Decided struct {
	RightWords `yaml:",inline"`
	// AboutEarlier says that it is about the answer to an earlier request.
	AboutEarlier bool `yaml:"about_earlier"`
}

// RightWords are those of [words.Right].
type RightWords struct {
	Name   Text `yaml:"name"`
	Asks   Text `yaml:"asks"`
	Choice Text `yaml:"choice"`
	Says   Text `yaml:"says"`
	Title  Text `yaml:"title"`
	Lead   Text `yaml:"lead"`
}

// words returns what the law's file calls the right; nil: nothing.
func (g Grant) words() *RightWords {
	if g.Decided != nil {
		return &g.Decided.RightWords
	}
	return g.Words
}

// AboutEarlier reports whether the right is about the answer to an earlier request.
func (g Grant) AboutEarlier() bool {
	return g.Right == dsar.Appeal || g.Right == dsar.Complaint || g.Decided != nil && g.Decided.AboutEarlier
}

// IdentityCheck says what a check of identity does to the clock and to the answer.
type IdentityCheck struct {
	// Pauses says that the clock stands while proof of identity is awaited.
	Pauses bool `yaml:"pauses"`
	// Starts says that the whole period begins when the proof is there.
	Starts bool `yaml:"starts"`
	// Instead is the right that is answered where a copy was asked for and identity
	// isn't proven; empty: none.
	Instead dsar.Right `yaml:"instead"`
	Source  string     `yaml:"source"`
	Read    Read       `yaml:"read"`
}

// Party is an authority or a company, with its address.
type Party struct {
	Name Text   `yaml:"name"`
	URL  string `yaml:"url"`
	// Operator says that it is the operator itself: whoever has complained there isn't sent
	// there again.
	Operator bool   `yaml:"operator"`
	Source   string `yaml:"source"`
	Read     Read   `yaml:"read"`
}

// Grant returns what the law says of a right, and whether it grants it to a request
// received at that time.
func (j Jurisdiction) Grant(r dsar.Right, received time.Time) (Grant, bool) {
	for _, g := range j.Rights {
		if g.Right == r {
			return g, !j.day(received).before(g.From.date)
		}
	}
	return Grant{}, false
}

// Granted returns the rights that the law grants to a request received at that time,
// in the order of its file.
func (j Jurisdiction) Granted(received time.Time) []dsar.Right {
	var rights []dsar.Right
	for _, g := range j.Rights {
		if _, ok := j.Grant(g.Right, received); ok {
			rights = append(rights, g.Right)
		}
	}
	return rights
}

// Over returns the rights that the law grants to a request received at that time and that
// aren't about the answer to an earlier one, in the order of its file.
func (j Jurisdiction) Over(received time.Time) []dsar.Right {
	return slices.DeleteFunc(j.Granted(received), func(r dsar.Right) bool {
		g, _ := j.Grant(r, received)
		return g.AboutEarlier()
	})
}

// Appeal returns the period in which an appeal that is received at that time is answered;
// nil where the law knows no appeal to the controller.
func (j Jurisdiction) Appeal(received time.Time) *Period {
	if _, ok := j.Grant(dsar.Appeal, received); !ok {
		return nil
	}
	p := j.Periods(dsar.Appeal).Answer
	return &p
}

// Says reports whether an answer must say something.
func (j Jurisdiction) Says(item Item) bool {
	return slices.ContainsFunc(j.AnswerSays, func(c Content) bool { return c.Item == item })
}

// Abroad reports whether the law has it told that data is received in a country (ISO 3166-1):
// where answers say something of transfers, and the country isn't the law's own.
func (j Jurisdiction) Abroad(country string) bool {
	return j.Says(ItemTransfers) && !slices.Contains(j.Home, country)
}

// Refusal returns a ground of refusal by its name, and whether this law has it.
func (j Jurisdiction) Refusal(ground string) (Refusal, bool) {
	i := slices.IndexFunc(j.Refusals, func(r Refusal) bool { return r.Ground == ground })
	if i < 0 {
		return Refusal{}, false
	}
	return j.Refusals[i], true
}

// Paragraphs returns what the law has a letter about a right say besides.
func (j Jurisdiction) Paragraphs(kind core.Letter, right dsar.Right) []Paragraph {
	var out []Paragraph
	for _, p := range j.Letters {
		if slices.Contains(p.Letters, kind) && reaches(p.Rights, right) {
			out = append(out, p)
		}
	}
	return out
}

// Terms returns the terms of a request under this law: its clock, and what must be
// proven.
func (j Jurisdiction) Terms(right dsar.Right, received time.Time, checks []dsar.Check) core.Terms {
	grant, _ := j.Grant(right, received)
	t := core.Terms{
		Checks: checks, NoProof: grant.NoProof, ByPurpose: grant.Reaches != nil, PausesForProof: j.IdentityCheck.Pauses, StartsWithProof: j.IdentityCheck.Starts,
		PausesForClarification: j.Clarification.Pauses && reaches(j.Clarification.Rights, right), Instead: j.IdentityCheck.Instead,
	}
	if p := j.Periods(right).Confirmation; p != nil {
		t.ConfirmBy = j.endOfDay(j.days.after(*p, j.day(received)))
	}
	copied := right == dsar.Access || right == dsar.Portability
	corrected := right == dsar.Rectification
	for _, r := range j.Refusals {
		if !slices.Contains(r.Rights, right) {
			continue
		}
		if !copied && !corrected || r.Part != PartOnly {
			t.Refusals = append(t.Refusals, r.Ground)
		}
		if (copied || corrected) && (r.Part == PartToo || r.Part == PartOnly) {
			t.PartRefusals = append(t.PartRefusals, r.Ground)
		}
	}
	return t
}

// Ending returns the terms of a request that ends the use of data for these purposes: without
// the grounds that don't stand against ending one of them (GDPR art. 21(2), (3): marketing ends
// whatever the controller needs it for).
func (j Jurisdiction) Ending(t core.Terms, ids []string, purposes manifest.Purposes) core.Terms {
	t.Purposes = ids
	t.Refusals = slices.DeleteFunc(slices.Clone(t.Refusals), func(ground string) bool {
		r, _ := j.Refusal(ground)
		return slices.ContainsFunc(ids, func(id string) bool { return marked(purposes[id], r.UnlessMarks) })
	})
	return t
}

// marked reports whether a purpose has one of some marks.
func marked(p manifest.Purpose, marks []string) bool {
	return slices.ContainsFunc(p.Marks, func(m string) bool { return slices.Contains(marks, m) })
}

// reaches reports whether a rule that names rights is about one of them. A rule that
// names none is about all.
func reaches(rights []dsar.Right, r dsar.Right) bool {
	return len(rights) == 0 || slices.Contains(rights, r)
}

// Local returns an instant in the jurisdiction's time zone.
func (j Jurisdiction) Local(at time.Time) time.Time { return at.In(j.zone) }

// Zone returns the jurisdiction's time zone.
func (j Jurisdiction) Zone() *time.Location { return j.zone }

// day returns the date of an instant in the jurisdiction's time zone.
func (j Jurisdiction) day(at time.Time) date {
	y, m, d := at.In(j.zone).Date()
	return date{y, m, d}
}

func (j Jurisdiction) endOfDay(d date) time.Time {
	return time.Date(d.year, d.month, d.day, 23, 59, 59, 0, j.zone).UTC()
}
