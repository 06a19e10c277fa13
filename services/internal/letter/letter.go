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
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/statement"
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

// Whole returns the letter with its subject, as it lies in the outbox.
func (l Letter) Whole() string { return strings.TrimSpace(l.Subject) + "\n\n" + l.Text() }

// Writer writes letters from templates. It is safe for many goroutines.
type Writer struct {
	book   *policy.Book
	said   operator.Operator
	portal string
	// receipts tells that answers have a receipt beside them.
	receipts bool
}

// NewWriter returns a writer. said says who answers under which law; where it doesn't, it
// is as the law's file has it.
func NewWriter(book *policy.Book, said operator.Operator) *Writer {
	return &Writer{book: book, said: said}
}

// Language returns the language in which a person is written to: that of their locale, or
// the law's first that there is.
func (w *Writer) Language(jurisdiction, locale string) *words.Language {
	j, _ := w.book.Jurisdiction(jurisdiction)
	return w.said.Languages.Pick(locale, j.Languages).Under(jurisdiction)
}

// WithPortal returns a writer whose letters say where the person follows the request and
// receives the answer: at a portal's address. Empty: there is none.
func (w *Writer) WithPortal(url string) *Writer {
	out := *w
	out.portal = strings.TrimSuffix(url, "/")
	return &out
}

// WithReceipts returns a writer whose letters say that a receipt lies beside the answer,
// where receipts are signed.
func (w *Writer) WithReceipts(signed bool) *Writer {
	out := *w
	out.receipts = signed
	return &out
}

// Book returns the laws by which it writes.
func (w *Writer) Book() *policy.Book { return w.book }

// Write writes a letter from what is stated, in the language of the statements. inside
// tells that it stands at the head of the answer itself.
func (w *Writer) Write(kind core.Letter, stated *statement.Document, inside bool) (Letter, error) {
	j, ok := w.book.Jurisdiction(stated.Request.Jurisdiction)
	if !ok {
		return Letter{}, fmt.Errorf("letter: request %s: nothing is known of its jurisdiction", stated.Request.ID)
	}
	lang := w.said.Languages.For(stated.Language).Under(stated.Request.Jurisdiction)
	l := Letter{Kind: kind, Language: lang.Tag}
	d := w.data(j, lang, stated)
	d.Inside, d.Receipt = inside, !inside && w.receipts
	if !inside && w.portal != "" {
		d.Portal = w.portal + "/r/" + stated.Request.ID
	}
	subject, err := w.render(lang, string(kind)+".subject", d)
	if err != nil {
		return l, err
	}
	d.Own = own(j, lang, kind, cmp.Or(stated.Request.Asked, stated.Request.Right))
	if len(d.Parts) > 0 {
		d.Own = append(d.Own, own(j, lang, core.LetterRefusal, stated.Request.Right)...)
	}
	text, err := w.render(lang, string(kind), d)
	if err != nil {
		return l, err
	}
	end, err := w.render(lang, "end", d)
	if err != nil {
		return l, err
	}
	l.Subject = oneLine(lang.Bound(subject))
	for p := range strings.SplitSeq(text+"\n\n"+end, "\n\n") {
		if p = oneLine(p); p != "" {
			l.Paragraphs = append(l.Paragraphs, lang.Bound(p))
		}
	}
	return l, nil
}

// own returns the paragraphs that the law has this letter say.
func own(j policy.Jurisdiction, lang *words.Language, kind core.Letter, right dsar.Right) []string {
	var out []string
	for _, p := range j.Paragraphs(kind, right) {
		out = append(out, lang.Text(p.Text))
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
	GroundCited                   string   // the article, in brackets
	Parts                         []string // what is refused of a copy or a correction: a sentence for each ground
	AskedAgain                    string   // the day on which an answered erasure was proven anew
	Back                          int64    // how many records had come back then
	Whole                         bool     // nothing of them is left
	Verdict                       string   // what is left after an erasure
	Locked                        bool     // what must stay is used for nothing else
	Again                         string   // who was asked again
	Inside                        bool
	Receipt                       bool     // one lies beside the answer, or soon will
	Portal                        string   // where the person follows the request; empty: nowhere
	Own                           []string // the law's own paragraphs
	Appeal                        string   // in which an appeal is answered: "60 days"; empty: the law knows none
	Complaint                     []string
	MayExtend                     bool
	Erasure                       bool
	Tells                         bool   // the answer is data, and not what was done
	Passed                        string // the day on which the answer was due, where that has passed
	// Of an appeal or a complaint: the request that it is about, who decides, and what was found.
	Appealing, Complaining         bool
	Earlier, EarlierNumber         string
	Another                        bool // who didn't decide then
	Upheld, PartlyUpheld, Reopened bool
}

func (w *Writer) data(j policy.Jurisdiction, lang *words.Language, stated *statement.Document) data {
	r, v := stated.Request, lang.Letters
	asked := cmp.Or(r.Asked, r.Right)
	who := w.said.Under(j, lang)
	d := data{
		Number: r.ID, Right: v.Rights[asked], Law: lang.Text(j.Law.Name), Controller: who.Named(),
		Appealing: asked == dsar.Appeal, Complaining: asked == dsar.Complaint,
		Erasure: asked == dsar.Erasure, Tells: asked == dsar.Access || asked == dsar.Portability || asked == dsar.KnowCategories,
	}
	day := func(t time.Time) string { return lang.PlainDate(j.Local(t)) }
	for _, s := range stated.Statements {
		switch s := s.Said(); s.Kind {
		case statement.Received:
			d.Received = day(s.At)
		case statement.Due:
			d.Due, d.MayExtend = day(s.Until), s.MayExtend
		case statement.DuePassed:
			d.Passed = day(s.Until)
		case statement.Concerns:
			d.Earlier, d.EarlierNumber, d.Another = v.Rights[s.Right], s.Number, s.Another
		case statement.Decided:
			d.Reason, d.Reopened = sentencePart(s.Reason), s.Reopened
			d.Upheld, d.PartlyUpheld = s.Why == statement.Upheld, s.Why == statement.PartlyUpheld
		case statement.ProofWanted:
			d.Paused, d.Starts = s.Paused, s.Starts
			for _, c := range s.Checks {
				d.Checks = append(d.Checks, v.Checks[c])
			}
			d.Agent, d.Organisation, d.Guardian = slices.Contains(s.Checks, dsar.CheckAgent), slices.Contains(s.Checks, dsar.CheckOrganisation), slices.Contains(s.Checks, dsar.CheckGuardian)
		case statement.QuestionAsked:
			d.Paused, d.Reason = s.Paused, sentencePart(s.Reason)
		case statement.TakesLonger:
			d.Reason, d.Due = sentencePart(s.Reason), day(s.Until)
		case statement.Refused:
			d.Ground = s.Title
			if s.Source != "" {
				d.GroundCited = words.Cited(s.Source)
			}
		case statement.RefusedInPart:
			d.Parts = append(d.Parts, s.Text)
		case statement.Answered:
			d.At = day(s.At)
		case statement.AskedOnceMore:
			d.AskedAgain = day(s.At)
		case statement.CameBack:
			d.Back = s.Records
		case statement.ErasedOnceMore, statement.NothingCameBack:
			d.Whole = true
		case statement.ToldInGeneral:
			d.Instead, d.Unproven = v.Lesser, v.NotProven[s.Checks[0]]
			d.Unproven = strings.ToUpper(d.Unproven[:1]) + d.Unproven[1:] // it begins a sentence, with a letter of ASCII
		case statement.EverythingGone, statement.OnlyKeptLeft, statement.OnlyTextsLeft, statement.KeptAndTextsLeft, statement.NotAllGone:
			d.Verdict = s.Text
		case statement.KeptUnused:
			d.Locked = true
		case statement.EveryoneAsked:
			d.Again = s.Text
		}
	}
	if p := j.Appeal(r.ReceivedAt); p != nil {
		d.Appeal = fmt.Sprintf(v.Periods[string(p.Unit)], p.Count)
	}
	for _, a := range who.Authorities {
		if a.Ourselves && (asked == dsar.Complaint || asked == dsar.Appeal) {
			continue // they have complained to us
		}
		to := a.Name
		if a.URL != "" {
			to += " (" + a.URL + ")"
		}
		d.Complaint = append(d.Complaint, to)
	}
	return d
}

// sentencePart returns a person's words as a part of a sentence.
func sentencePart(s string) string { return strings.TrimSuffix(oneLine(s), ".") }

// oneLine returns a text on one line, with its spaces that don't break.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) && r != '\u00a0' && r != '\u202f' }), " ")
}
