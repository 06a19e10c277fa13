// Package letter words what the person is written: that their request was
// received, that proof is wanted, that the answer comes later, that it is
// refused, that it is there.
//
// The texts are templates, services/internal/words/<language>/letters.tmpl; what one
// law has a letter say besides stands in that law's file ([policy.Paragraph]). A letter
// holds no personal data: it names the request by its number, and greets nobody by
// name, so that it can lie in the open in an outbox.
package letter

import (
	"fmt"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/words"
)

// Letter is one letter, in one language.
type Letter struct {
	Kind     core.Letter
	Language string
	Subject  string
	// Paragraphs are plain text, each one line.
	Paragraphs []string
}

// Text returns the letter as it is sent.
func (l Letter) Text() string { return strings.Join(l.Paragraphs, "\n\n") + "\n" }

// Facts is what a letter is written from.
type Facts struct {
	State core.State
	// At is when the occasion of the letter happened.
	At time.Time
	// Checks is what the person has to prove, in the letter that asks for proof.
	Checks []dsar.Check
	// Reason is the reason of an extension, or the question that is asked, in the
	// words of the person who wrote it.
	Reason string
	// Kept says that some records had to stay, in the letter with the certificate.
	Kept bool
	// Locked says that all of them are flagged, so that nothing else is done with them.
	Locked bool
	// Again is what was found when an answered erasure was proven anew.
	Again *core.AgainAnswer
	// Inside says that the letter stands at the head of the answer itself.
	Inside bool
}

// Writer writes letters from templates. It is safe for many goroutines.
type Writer struct {
	book       *policy.Book
	controller string
}

// NewWriter returns a writer. controller names the company; empty: as the
// jurisdiction has it.
func NewWriter(book *policy.Book, controller string) *Writer {
	return &Writer{book: book, controller: controller}
}

// Write writes a letter in the language of the request.
func (w *Writer) Write(kind core.Letter, f Facts) (Letter, error) {
	a := f.State.Accepted
	j, ok := w.book.Jurisdiction(a.Jurisdiction)
	if !ok {
		return Letter{}, fmt.Errorf("letter: request %s: nothing is known of its jurisdiction", a.RequestID)
	}
	lang := words.For(j.Language(a.Locale))
	l := Letter{Kind: kind, Language: lang.Tag}
	d := w.data(j, lang, f)
	subject, err := w.render(lang, string(kind)+".subject", d)
	if err != nil {
		return l, err
	}
	d.Own = own(j, lang, kind, a.Right)
	text, err := w.render(lang, string(kind), d)
	if err != nil {
		return l, err
	}
	end, err := w.render(lang, "end", d)
	if err != nil {
		return l, err
	}
	l.Subject = strings.Join(strings.Fields(subject), " ")
	for p := range strings.SplitSeq(text+"\n\n"+end, "\n\n") {
		if p = strings.Join(strings.FieldsFunc(p, func(r rune) bool { return r == '\n' }), " "); strings.TrimSpace(p) != "" {
			l.Paragraphs = append(l.Paragraphs, strings.TrimSpace(p))
		}
	}
	return l, nil
}

// own returns the paragraphs that the law has this letter say.
func own(j policy.Jurisdiction, lang *words.Language, kind core.Letter, right dsar.Right) []string {
	var out []string
	for _, p := range j.Paragraphs(kind, right) {
		out = append(out, p.Text.In(lang.Tag))
	}
	return out
}

// render executes a letter's template.
func (w *Writer) render(lang *words.Language, name string, d data) (string, error) {
	t := lang.Letters.Templates.Lookup(name)
	if t == nil {
		return "", fmt.Errorf("letter: no template %s in %s", name, lang.Tag)
	}
	var b strings.Builder
	if err := t.Execute(&b, d); err != nil {
		return "", fmt.Errorf("letter: %s: %w", name, err)
	}
	return b.String(), nil
}

// data is what templates can use.
type data struct {
	Number     string // the request's
	Right      string // what was asked: "a copy of your data"
	Instead    string // what is answered instead, or nothing
	Unproven   string // why; with Instead
	Law        string
	Controller string
	Received   string // a day
	At         string
	Due        string
	Paused     bool
	Starts     bool // the clock begins when the person answers
	Checks     []string
	// What a check has of its own.
	Agent, Organisation, Guardian bool
	Reason                        string
	Ground                        string
	GroundLaw                     string // the article
	Kept, Locked                  bool
	AskedAgain                    string // the day on which an answered erasure was proven anew
	Back                          int64  // how many records had come back then
	Whole                         bool   // nothing of them is left
	Inside                        bool
	Own                           []string // the law's own paragraphs
	Appeal                        string   // in which an appeal is answered: "60 days"; empty: the law knows none
	Complaint                     []string
	MayExtend                     bool
	Erasure                       bool
	Tells                         bool // the answer is data, and not what was done
}

func (w *Writer) data(j policy.Jurisdiction, lang *words.Language, f Facts) data {
	s, a, v := f.State, f.State.Accepted, lang.Letters
	d := data{
		Number: a.RequestID, Right: v.Rights[a.Right], Law: j.Law.Name.In(lang.Tag), Controller: w.controller, Received: lang.PlainDate(j.Local(a.ReceivedAt)),
		Paused: s.Paused, Starts: a.Terms.StartsWithProof, Reason: strings.TrimSuffix(strings.Join(strings.Fields(f.Reason), " "), "."), Kept: f.Kept, Locked: f.Locked, Inside: f.Inside, MayExtend: j.Periods(a.Right).Extension != nil && !s.Extended,
		Erasure: a.Right == dsar.Erasure, Tells: a.Right == dsar.Access || a.Right == dsar.Portability || a.Right == dsar.KnowCategories,
	}
	if d.Controller == "" {
		d.Controller = j.Responsible.Name.In(lang.Tag)
	}
	if f.Again != nil {
		d.AskedAgain, d.Back, d.Whole = lang.PlainDate(j.Local(f.Again.AskedAt)), f.Again.Back(), f.Again.Whole()
	}
	if !f.At.IsZero() {
		d.At = lang.PlainDate(j.Local(f.At))
	}
	if s.Right != a.Right {
		unproven := dsar.CheckIdentity
		if len(s.Disproven) > 0 {
			unproven = s.Disproven[0]
		}
		d.Instead, d.Unproven = v.Lesser, v.NotProven[unproven]
		d.Unproven = strings.ToUpper(d.Unproven[:1]) + d.Unproven[1:] // it begins a sentence, with a letter of ASCII
	}
	if !s.DueAt.IsZero() {
		d.Due = lang.PlainDate(j.Local(s.DueAt))
	}
	for _, c := range f.Checks {
		d.Checks = append(d.Checks, v.Checks[c])
		d.Agent = d.Agent || c == dsar.CheckAgent
		d.Organisation = d.Organisation || c == dsar.CheckOrganisation
		d.Guardian = d.Guardian || c == dsar.CheckGuardian
	}
	for check, text := range v.NotProven {
		if s.Refusal.Ground == core.GroundNotProven(check) {
			d.Ground = text
		}
	}
	if r, ok := j.Refusal(s.Refusal.Ground); ok {
		d.Ground, d.GroundLaw = r.Title.In(lang.Tag), r.Source
	}
	if p := j.Appeal; p != nil {
		d.Appeal = fmt.Sprintf(v.Periods[string(p.Unit)], p.Count)
	}
	for _, c := range j.Complaint {
		to := c.Name.In(lang.Tag)
		if c.URL != "" {
			to += " (" + c.URL + ")"
		}
		d.Complaint = append(d.Complaint, to)
	}
	return d
}
