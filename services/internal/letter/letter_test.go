package letter_test

import (
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/letter"
	"habeas.dev/services/internal/policy"
)

var received = time.Date(2026, 8, 31, 10, 0, 0, 0, time.UTC)

func newWriter(t *testing.T) (*letter.Writer, *policy.Book) {
	t.Helper()
	book, err := policy.Load("../policy/testdata/laws")
	if err != nil {
		t.Fatal(err)
	}
	w := letter.NewWriter(book, "Example Cloud SAS")
	return w, book
}

func kinds() []core.Letter {
	return []core.Letter{core.LetterConfirmation, core.LetterProof, core.LetterClarification, core.LetterExtension, core.LetterRefusal, core.LetterAnswer, core.LetterCertificate}
}

func facts(j policy.Jurisdiction, right dsar.Right, locale string) letter.Facts {
	s := core.State{Accepted: core.Accepted{RequestID: "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", Right: right, Jurisdiction: j.ID, Locale: locale, ReceivedAt: received},
		Right: right, DueAt: j.Due(right, received), Refusal: core.Refused{Ground: j.Refusals[0].Ground}}
	return letter.Facts{State: s, At: received.AddDate(0, 0, 9), Checks: []dsar.Check{dsar.CheckIdentity, dsar.CheckGuardian}, Reason: "many records in many systems.", Kept: true}
}

// Every letter is there for every law, right and language, whole, and says what
// it must: the request's number, who writes, and where to complain.
func TestEveryLetter(t *testing.T) {
	t.Parallel()
	w, book := newWriter(t)
	for _, id := range book.IDs() {
		j, _ := book.Jurisdiction(id)
		for _, right := range dsar.Rights() {
			for _, lang := range []string{"en", "fr"} {
				for _, kind := range kinds() {
					f := facts(j, right, lang)
					l, err := w.Write(kind, f)
					if err != nil {
						t.Fatalf("%s, %s, %s, %s: %v", id, right, lang, kind, err)
					}
					text := l.Subject + "\n" + l.Text()
					for _, want := range []string{"9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", "Example Cloud SAS"} {
						if !strings.Contains(text, want) {
							t.Errorf("%s, %s, %s lacks %q:\n%s", id, lang, kind, want, text)
						}
					}
					if kind == core.LetterRefusal || kind == core.LetterExtension || kind == core.LetterAnswer || kind == core.LetterCertificate {
						if name := j.Complaint[0].Name.In(lang); !strings.Contains(text, name) {
							t.Errorf("%s, %s, %s doesn't say where to complain", id, lang, kind)
						}
					}
					if kind == core.LetterRefusal && !strings.Contains(text, j.Refusals[0].Title.In(lang)) {
						t.Errorf("%s, %s: no ground:\n%s", id, lang, text)
					}
					if l.Language != lang || strings.Contains(text, "<no value>") || strings.Contains(text, "{{") || strings.Contains(text, "  ") || strings.ContainsAny(l.Subject, "\r\n") {
						t.Errorf("%s, %s, %s:\n%s", id, lang, kind, text)
					}
				}
			}
		}
	}
}

// What must be said where, and what mustn't.
func TestSentences(t *testing.T) {
	t.Parallel()
	w, book := newWriter(t)
	for _, c := range []struct {
		id, locale string
		right      dsar.Right
		kind       core.Letter
		change     func(*letter.Facts)
		says       []string
		never      []string
	}{
		{"EEA", "fr-LU", dsar.Access, core.LetterConfirmation, nil, []string{"Le 31 août 2026", "une copie des données", "au plus tard le 30 septembre 2026", "gratuite"}, []string{"October"}},
		{"EEA", "en", dsar.Erasure, core.LetterConfirmation, nil, []string{"30 September 2026", "the erasure of the data"}, nil},
		{"South Korea", "en", dsar.Access, core.LetterConfirmation, nil, []string{"10 September 2026"}, []string{"Should we need longer"}},
		{"California", "en", dsar.Access, core.LetterConfirmation, nil, []string{"you need no account", "15 October 2026", "nobody will treat you worse"}, nil},
		{"EEA", "fr", dsar.Access, core.LetterProof, func(f *letter.Facts) { f.State.Paused = true }, []string{"un justificatif de votre identité", "le parent ou le tuteur", "suspendu"}, []string{"continue de courir"}},
		{"California", "en", dsar.Access, core.LetterProof, func(f *letter.Facts) { f.Checks = []dsar.Check{dsar.CheckAgent} }, []string{"written permission", "confirm to us who they are"}, []string{"child", "organisation"}},
		{"EEA", "fr", dsar.Access, core.LetterProof, func(f *letter.Facts) { f.Checks = []dsar.Check{dsar.CheckOrganisation} }, []string{"l’accord de l’organisation", "adressez-vous à elle"}, []string{"enfant", "mandat"}},
		{"EEA", "en", dsar.Access, core.LetterProof, func(f *letter.Facts) { f.Checks = []dsar.Check{dsar.CheckGuardian} }, []string{"parent or guardian", "the child’s name"}, []string{"organisation"}},
		{"EEA", "en", dsar.Access, core.LetterProof, func(f *letter.Facts) { f.Checks = []dsar.Check{dsar.CheckIdentity} }, []string{"proof of who you are"}, []string{"child", "organisation", "somebody else"}},
		{"California", "en", dsar.Access, core.LetterProof, nil, []string{"proof of who you are", "goes on meanwhile: it ends on 15 October 2026"}, []string{"stands still"}},
		{"EEA", "en", dsar.Access, core.LetterExtension, func(f *letter.Facts) { f.State.Extended, f.State.DueAt = true, book2(t, "EEA") }, []string{"for this reason: many records in many systems.", "by 30 November 2026", "CNPD", "court"}, []string{".."}},
		{"EEA", "fr", dsar.Access, core.LetterRefusal, nil, []string{"car elle est manifestement infondée (GDPR art. 12(5)(b))", "réclamation", "CNPD", "tribunal"}, nil},
		{"California", "en", dsar.Erasure, core.LetterRefusal, func(f *letter.Facts) { f.State.Refusal.Ground = core.NotProven }, []string{"could not make sure who asks", "not to sell or share"}, []string{"court"}},
		{"Virginia", "en", dsar.Access, core.LetterRefusal, nil, []string{"You can appeal", "60 days"}, nil},
		{"Colorado", "fr", dsar.Access, core.LetterRefusal, nil, []string{"faire appel", "45 jours"}, []string{"60 jours"}},
		{"Texas", "en", dsar.Access, core.LetterRefusal, nil, []string{"You can appeal", "within 60 days", "Attorney General of Texas"}, []string{"court"}},
		{"Quebec", "en", dsar.Access, core.LetterRefusal, nil, []string{"You have 30 days to ask the Commission"}, []string{"appeal", "court"}},
		{"Quebec", "", dsar.Access, core.LetterConfirmation, nil, []string{"au plus tard le 30 septembre 2026", "loi 25"}, []string{"S’il nous fallait"}},
		{"California", "en", dsar.OptOut, core.LetterConfirmation, nil, []string{"by 22 September 2026"}, []string{"Should we need longer", "We verify"}},
		{"UK", "en", dsar.Access, core.LetterProof, func(f *letter.Facts) { f.State.Paused, f.State.Accepted.Terms.StartsWithProof = true, true }, []string{"begins when we have it"}, []string{"stands still"}},
		{"California", "en", dsar.Access, core.LetterAnswer, func(f *letter.Facts) { f.State.Right = dsar.KnowCategories }, []string{"may not give out a copy", "Instead you receive the categories"}, nil},
		{"EEA", "en", dsar.Access, core.LetterAnswer, nil, []string{"it says what we hold", "answer of 9 September 2026"}, []string{"Instead"}},
		{"EEA", "en", dsar.Rectification, core.LetterAnswer, nil, []string{"it says what was done"}, []string{"what we hold,"}},
		{"EEA", "fr", dsar.Erasure, core.LetterCertificate, nil, []string{"Il ne reste que ce que la loi nous impose de conserver", "interrogé de nouveau"}, nil},
		{"EEA", "en", dsar.Erasure, core.LetterCertificate, func(f *letter.Facts) { f.Kept = false }, []string{"Nothing of what we found is left."}, []string{"has us keep"}},
		{"UK", "de", dsar.Access, core.LetterConfirmation, nil, []string{"We will answer by 30 September 2026"}, nil},
	} {
		j, _ := book.Jurisdiction(c.id)
		f := facts(j, c.right, c.locale)
		if c.change != nil {
			c.change(&f)
		}
		l, err := w.Write(c.kind, f)
		if err != nil {
			t.Fatal(err)
		}
		text := l.Text()
		for _, s := range c.says {
			if !strings.Contains(text, s) {
				t.Errorf("%s, %s, %s doesn't say %q:\n%s", c.id, c.locale, c.kind, s, text)
			}
		}
		for _, s := range c.never {
			if strings.Contains(text, s) {
				t.Errorf("%s, %s, %s says %q:\n%s", c.id, c.locale, c.kind, s, text)
			}
		}
	}
	if _, err := w.Write(core.LetterAnswer, letter.Facts{State: core.State{Accepted: core.Accepted{Jurisdiction: "Mars"}}}); err == nil {
		t.Error("a letter by the law of Mars")
	}
}

// book2 returns the extended due date.
func book2(t *testing.T, id string) time.Time {
	t.Helper()
	_, book := newWriter(t)
	j, _ := book.Jurisdiction(id)
	due, _ := j.Extended(dsar.Access, received)
	return due
}

// TestLate: a letter that is written late tells of the request as it was.
func TestLate(t *testing.T) {
	t.Parallel()
	due := time.Date(2026, 12, 20, 0, 0, 0, 0, time.UTC)
	s := core.Fold([]core.Event{
		core.Accepted{RequestID: "r", Right: dsar.Erasure, DueAt: due},
		core.ProofAsked{Checks: []dsar.Check{dsar.CheckIdentity}, Pauses: true},
		core.ProofJudged{Instead: dsar.Access, Failed: []dsar.Check{dsar.CheckIdentity}, DueAt: due.AddDate(0, 0, 3)},
		core.Extended{ReasonedAct: core.ReasonedAct{Reason: "much"}, DueAt: due.AddDate(0, 2, 0)},
		core.Refused{Ground: "excessive"},
	})
	for i, o := range s.Occasions {
		f := letter.FactsOf(s, o)
		then := core.State{Right: dsar.Erasure, DueAt: due}
		switch o.Letter {
		case core.LetterProof:
			then.Paused = true
		case core.LetterExtension, core.LetterRefusal:
			then.Right, then.DueAt, then.Extended = dsar.Access, due.AddDate(0, 2, 0), true
		}
		if o.Letter == core.LetterRefusal {
			then.Refusal.Ground = "excessive"
		}
		if got := f.State; got.Right != then.Right || !got.DueAt.Equal(then.DueAt) || got.Extended != then.Extended || got.Paused != then.Paused || got.Refusal != then.Refusal {
			t.Errorf("%d, %s: right %s, due %v, extended %v, paused %v, refused on %q", i, o.Letter, got.Right, got.DueAt, got.Extended, got.Paused, got.Refusal.Ground)
		}
	}
	if len(s.Occasions) != 4 {
		t.Errorf("%d occasions", len(s.Occasions))
	}
}
