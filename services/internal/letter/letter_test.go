package letter_test

import (
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/letter"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

var received = time.Date(2026, 8, 31, 10, 0, 0, 0, time.UTC)

func newWriter(t *testing.T) (*letter.Writer, *policy.Book) {
	t.Helper()
	book, err := policy.Load("../policy/testdata/laws")
	if err != nil {
		t.Fatal(err)
	}
	w := letter.NewWriter(book, operator.Operator{Name: "Example Cloud SAS", Languages: (*words.Languages)(nil).Naming(book.Named())})
	return w, book
}

func kinds() []core.Letter {
	return []core.Letter{core.LetterConfirmation, core.LetterProof, core.LetterClarification, core.LetterExtension, core.LetterRefusal, core.LetterAnswer, core.LetterCertificate}
}

// occasion is what a letter is written about, and what else is known then.
type occasion struct {
	core.Occasion
	locale       string
	right        dsar.Right
	about        *core.About
	kept, starts bool // an erasure kept something; the clock begins with the proof
}

func about(kind core.Letter, j policy.Jurisdiction, right dsar.Right, locale string) occasion {
	o := occasion{Occasion: core.Occasion{Letter: kind, Cause: 2, At: received.AddDate(0, 0, 9), Right: right, DueAt: j.Due(right, received)}, right: right, locale: locale, kept: true}
	switch kind {
	case core.LetterProof:
		o.Checks = []dsar.Check{dsar.CheckIdentity, dsar.CheckGuardian}
	case core.LetterClarification, core.LetterExtension:
		o.Reason = "many records in many systems."
	case core.LetterRefusal:
		o.Ground = j.Refusals[0].Ground
	}
	return o
}

// stated returns what is stated on an occasion.
func stated(j policy.Jurisdiction, o occasion) *statement.Document {
	lang := (*words.Languages)(nil).Pick(o.locale, j.Languages)
	request := statement.Request{ID: "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", Right: o.Right, Jurisdiction: j.ID, ReceivedAt: received, About: o.about}
	told := core.Answer{Systems: []core.SystemAnswer{{System: "shop"}}}
	if o.Right != o.right {
		request.Asked, told.Unproven, told.Judged = o.right, []dsar.Check{dsar.CheckIdentity}, 2
	}
	if o.Right == dsar.Erasure {
		counts := []dsar.Counts{{Dataset: "orders", Found: 1, Erased: 1}}
		if o.kept {
			counts = []dsar.Counts{{Dataset: "orders", Found: 1, Retained: []dsar.Retention{{Records: 1, Ground: "tax"}}}}
		}
		proof := []dsar.Counts{{Dataset: "orders", Found: counts[0].Kept(), Retained: counts[0].Retained}}
		told.Systems[0].Ends = []core.ActionEnd{{Action: dsar.Plan, Outcome: dsar.Found, Counts: counts, Fact: 3}, {Action: dsar.Erase, Outcome: dsar.Erased, Counts: counts, Fact: 4}, {Action: dsar.Prove, Outcome: dsar.Proven, Counts: proof, Fact: 5}}
	}
	for seq := range 6 {
		told.Facts = append(told.Facts, core.Cited{Seq: seq + 1, Hash: "h"})
	}
	e := statement.Evidence{Request: request, Told: told, Occasion: &o.Occasion, MayExtend: o.Extensions < j.Periods(o.right).Extensions(), StartsWithProof: o.starts, Systems: []statement.System{{System: "shop", Datasets: []statement.Dataset{{Dataset: "orders"}}}},
		Refusal: func(ground string) (string, string) {
			if r, ok := j.Refusal(ground); ok {
				return r.Title.In(lang.Tag), r.Cited(lang.Text)
			}
			return lang.Letters.NotProven[dsar.CheckIdentity], ""
		}}
	d := &statement.Document{Request: request, Language: lang.Tag}
	d.Statements = statement.Worded(statement.Make(e), func(s statement.Said) string { return lang.Answer.Say(d, s) })
	return d
}

// asTyped returns a text with spaces as a keyboard has them.
func asTyped(text string) string { return strings.ReplaceAll(text, "\u00a0", " ") }

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
					l, err := w.Write(kind, stated(j, about(kind, j, right, lang)), false)
					if err != nil {
						t.Fatalf("%s, %s, %s, %s: %v", id, right, lang, kind, err)
					}
					text := l.Subject + "\n" + l.Text()
					if at := words.For(lang).Unbound(text); at != "" {
						t.Errorf("%s, %s, %s: a line may break at %q", id, lang, kind, at)
					}
					text = asTyped(text)
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
					if l.Language != lang || strings.Contains(text, "<no value>") || strings.Contains(text, " the the ") || strings.Contains(text, "{{") || strings.Contains(text, "  ") || strings.ContainsAny(l.Subject, "\r\n") {
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
		change     func(*occasion)
		says       []string
		never      []string
	}{
		{"EEA", "fr-LU", dsar.Access, core.LetterConfirmation, nil, []string{"Le 31 août 2026", "une copie des données", "au plus tard le 30 septembre 2026", "gratuite"}, []string{"October"}},
		{"EEA", "en", dsar.Erasure, core.LetterConfirmation, nil, []string{"30 September 2026", "the erasure of the data"}, nil},
		{"South Korea", "en", dsar.Erasure, core.LetterConfirmation, nil, []string{"10 September 2026"}, []string{"Should we need longer"}},
		{"California", "en", dsar.Access, core.LetterConfirmation, nil, []string{"you need no account", "14 October 2026", "nobody will treat you worse"}, nil},
		{"EEA", "fr", dsar.Access, core.LetterProof, func(o *occasion) { o.Paused = true }, []string{"un justificatif de votre identité", "le parent ou le tuteur", "suspendu"}, []string{"continue de courir"}},
		{"California", "en", dsar.Access, core.LetterProof, func(o *occasion) { o.Checks = []dsar.Check{dsar.CheckAgent} }, []string{"written permission", "confirm to us who they are"}, []string{"child", "organisation"}},
		{"EEA", "fr", dsar.Access, core.LetterProof, func(o *occasion) { o.Checks = []dsar.Check{dsar.CheckOrganisation} }, []string{"l’accord de l’organisation", "adressez-vous à elle"}, []string{"enfant", "mandat"}},
		{"EEA", "en", dsar.Access, core.LetterProof, func(o *occasion) { o.Checks = []dsar.Check{dsar.CheckGuardian} }, []string{"parent or guardian", "the child’s name"}, []string{"organisation"}},
		{"EEA", "en", dsar.Access, core.LetterProof, func(o *occasion) { o.Checks = []dsar.Check{dsar.CheckIdentity} }, []string{"proof of who you are"}, []string{"child", "organisation", "somebody else"}},
		{"EEA", "fr", dsar.Access, core.LetterProof, func(o *occasion) { o.Checks = []dsar.Check{dsar.CheckHeir} }, []string{"la preuve du décès de la personne et de votre qualité d’héritier"}, []string{"enfant", "organisation"}},
		{"California", "en", dsar.Access, core.LetterProof, nil, []string{"proof of who you are", "goes on meanwhile: it ends on 14 October 2026"}, []string{"stands still"}},
		{"EEA", "en", dsar.Access, core.LetterExtension, func(o *occasion) { o.Extensions, o.DueAt = 1, book2(t, "EEA") }, []string{"for this reason: many records in many systems.", "by 30 November 2026", "CNPD", "court"}, []string{".."}},
		{"EEA", "fr", dsar.Access, core.LetterRefusal, nil, []string{"car elle est manifestement infondée [RGPD, art. 12, par. 5, point b)]", "réclamation", "CNPD", "tribunal"}, nil},
		{"California", "en", dsar.Erasure, core.LetterRefusal, func(o *occasion) { o.Ground = core.NotProven }, []string{"could not make sure who asks", "not to sell or share"}, []string{"court"}},
		{"Virginia", "en", dsar.Access, core.LetterRefusal, nil, []string{"You can appeal", "60 days"}, nil},
		{"Colorado", "fr", dsar.Access, core.LetterRefusal, nil, []string{"introduire un recours", "45 jours"}, []string{"60 jours"}},
		{"Texas", "en", dsar.Access, core.LetterRefusal, nil, []string{"You can appeal", "within 60 days", "Attorney General of Texas"}, []string{"court"}},
		{"Quebec", "en", dsar.Access, core.LetterRefusal, nil, []string{"You have 30 days to ask the Commission"}, []string{"appeal", "court"}},
		{"Quebec", "", dsar.Access, core.LetterConfirmation, nil, []string{"au plus tard le 30 septembre 2026", "loi 25"}, []string{"S’il nous fallait"}},
		{"California", "en", dsar.OptOut, core.LetterConfirmation, nil, []string{"by 22 September 2026"}, []string{"Should we need longer", "We verify"}},
		{"UK", "en", dsar.Access, core.LetterProof, func(o *occasion) { o.Paused, o.starts = true, true }, []string{"begins when we have it"}, []string{"stands still"}},
		{"California", "en", dsar.Access, core.LetterAnswer, func(o *occasion) { o.Right = dsar.KnowCategories }, []string{"may not give out a copy", "Instead you receive the categories"}, nil},
		{"EEA", "en", dsar.Access, core.LetterAnswer, nil, []string{"it says what we hold", "answer of 9 September 2026"}, []string{"Instead"}},
		{"EEA", "en", dsar.Rectification, core.LetterAnswer, nil, []string{"it says what was done"}, []string{"what we hold,"}},
		{"EEA", "fr", dsar.Erasure, core.LetterCertificate, nil, []string{"Il ne reste que ce qui doit être conservé pour le moment", "interrogé de nouveau"}, nil},
		{"EEA", "en", dsar.Erasure, core.LetterCertificate, func(o *occasion) { o.kept = false }, []string{"Nothing of what we found is left."}, []string{"must be kept"}},
		{"EEA", "en", dsar.Access, core.LetterConfirmation, func(o *occasion) { o.At = o.DueAt.AddDate(0, 0, 2) }, []string{"had ended on 30 September 2026, before your request reached us"}, []string{"We will answer by"}},
		{"EEA", "fr", dsar.Access, core.LetterConfirmation, func(o *occasion) { o.At = o.DueAt.AddDate(0, 0, 2) }, []string{"avait pris fin le 30 septembre 2026, avant que votre demande ne nous parvienne"}, []string{"Nous vous répondrons au plus tard"}},
		{"UK", "de", dsar.Access, core.LetterConfirmation, nil, []string{"We will answer by 30 September 2026"}, nil},
	} {
		j, _ := book.Jurisdiction(c.id)
		o := about(c.kind, j, c.right, c.locale)
		if c.change != nil {
			c.change(&o)
		}
		l, err := w.Write(c.kind, stated(j, o), false)
		if err != nil {
			t.Fatal(err)
		}
		text := asTyped(l.Text())
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
	if _, err := w.Write(core.LetterAnswer, &statement.Document{Request: statement.Request{Jurisdiction: "Mars"}}, false); err == nil {
		t.Error("a letter by the law of Mars")
	}
}

// TestLettersSayWhereTheReceiptIs: answers and certificates say where it lies, by the portal
// and without one, where receipts are signed; the letter inside of the answer doesn't, since
// the receipt is made after it.
func TestLettersSayWhereTheReceiptIs(t *testing.T) {
	t.Parallel()
	plain, book := newWriter(t)
	j, _ := book.Jurisdiction("EEA")
	for _, c := range []struct {
		w      *letter.Writer
		locale string
		inside bool
		says   string
	}{
		{plain, "en", false, ""},
		{plain.WithReceipts(true), "en", true, ""},
		{plain.WithReceipts(true), "en", false, "that ends in receipt.html is your receipt"},
		{plain.WithReceipts(true), "fr", false, "se termine par receipt.html est votre reçu"},
		{plain.WithReceipts(true).WithPortal("https://p.example.com"), "en", false, "will lie there a few minutes later"},
		{plain.WithReceipts(true).WithPortal("https://p.example.com"), "fr", false, "Votre reçu s’y trouvera"},
	} {
		for kind, right := range map[core.Letter]dsar.Right{core.LetterAnswer: dsar.Access, core.LetterCertificate: dsar.Erasure} {
			l, err := c.w.Write(kind, stated(j, about(kind, j, right, c.locale)), c.inside)
			if err != nil {
				t.Fatal(err)
			}
			if text := l.Text(); !strings.Contains(text, c.says) || c.says == "" && (strings.Contains(text, "receipt") || strings.Contains(text, "reçu ")) {
				t.Errorf("%s, %s, inside %v: not %q:\n%s", kind, c.locale, c.inside, c.says, text)
			}
		}
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

// TestGrievances: the receipt of an appeal or a complaint, and the decision, in each
// language, and of what else a person decides: which request it is about, who decides, by when, what was found and why; whoever
// has complained to us isn't sent to us again.
func TestGrievances(t *testing.T) {
	t.Parallel()
	w, book := newWriter(t)
	about := &core.About{RequestID: "0d1f5c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", Right: dsar.Access, DecidedBy: []string{"lea"}}
	decided := func(f core.Finding, reopened bool) func(*occasion) {
		return func(o *occasion) {
			o.Reason, o.Decision = "the permission was complete.", core.GrievanceDecided{Finding: f, Reopened: reopened, ReasonedAct: core.ReasonedAct{At: o.At}}
		}
	}
	for _, c := range []struct {
		id, locale  string
		right       dsar.Right
		kind        core.Letter
		change      func(*occasion)
		says, never []string
	}{
		{"Colorado", "en", dsar.Appeal, core.LetterAcknowledgement, nil, []string{"we received your appeal", "a copy of the data", about.RequestID, "Somebody who had no part in that answer", "by 15 October 2026", "Should we need longer", "Your appeal has the number"}, []string{"complaint"}},
		{"Virginia", "fr", dsar.Appeal, core.LetterAcknowledgement, nil, []string{"votre recours", "une copie des données", "au plus tard le 30 octobre 2026", "Votre recours porte le numéro"}, []string{"S’il nous fallait", "votre appel"}},
		{"UK", "en", dsar.Complaint, core.LetterAcknowledgement, nil, []string{"we received your complaint", "by 30 September 2026"}, []string{"Should we need longer", "appeal"}},
		{"UK", "fr", dsar.Complaint, core.LetterDecision, decided(core.Dismissed, false), []string{"Nous maintenons notre réponse, pour le motif suivant : the permission was complete.", "Information Commissioner"}, []string{"nous-mêmes", "repris", ".."}},
		{"Colorado", "en", dsar.Appeal, core.LetterDecision, decided(core.Upheld, true), []string{"You are right. The reason: the permission was complete.", "taken your request up again", "Attorney General"}, []string{"in part", "stay with"}},
		{"Colorado", "fr", dsar.Appeal, core.LetterDecision, decided(core.PartlyUpheld, true), []string{"Nous vous donnons raison en partie", "Nous avons repris le traitement"}, []string{"maintenons"}},
		{"South Korea", "en", "automated-explanation", core.LetterConfirmation, nil, []string{"your request for an explanation of a decision", "by 30 September 2026", "Should we need longer", "Your request has the number"}, []string{"about our answer", "appeal", "complaint"}},
		{"South Korea", "fr", "automated-refusal", core.LetterDecision, decided(core.Upheld, false), []string{"votre demande : la fin des décisions prises", "Nous faisons droit à votre demande. Notre réponse : the permission", "Votre demande porte le numéro"}, []string{"au sujet de notre réponse", "raison", ".."}},
		{"UK", "en", "automated-review", core.LetterDecision, decided(core.Dismissed, false), []string{"your request for a person’s review", "We don’t do what you asked. Our answer: the permission", "us (we confirm a complaint"}, []string{"about our answer", "stay with"}},
		{"EEA", "en", dsar.Complaint, core.LetterAcknowledgement, func(o *occasion) { o.At = o.DueAt.AddDate(0, 0, 3) }, []string{"was due by 30 September 2026, before it reached us"}, []string{"We will tell you by"}},
	} {
		j, _ := book.Jurisdiction(c.id)
		o := occasion{Occasion: core.Occasion{Letter: c.kind, Cause: 2, At: received.AddDate(0, 0, 9), Right: c.right, DueAt: j.Due(c.right, received)}, right: c.right, locale: c.locale}
		if c.right == dsar.Appeal || c.right == dsar.Complaint {
			o.about = about
		}
		if c.change != nil {
			c.change(&o)
		}
		l, err := w.Write(c.kind, stated(j, o), false)
		if err != nil {
			t.Fatal(err)
		}
		text := asTyped(l.Subject + "\n" + l.Text())
		t.Logf("%s, %s:\n%s", c.id, c.kind, text)
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
}

// TestAuthoritiesOfTheOperator: where the configuration names authorities, each letter that says
// where to complain names those, under every law, and none of the law's file; but a law that has
// people complain to the operator first still does.
func TestAuthoritiesOfTheOperator(t *testing.T) {
	t.Parallel()
	book, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	own := operator.Authority{Name: "Landesbeauftragte", URL: "https://authority.example"}
	plain := letter.NewWriter(book, operator.Operator{Name: "Example"})
	w := letter.NewWriter(book, operator.Operator{Controllers: []operator.Controller{{Name: "Example", Authorities: []operator.Authority{own}}}})
	for _, id := range book.IDs() {
		j, _ := book.Jurisdiction(id)
		for _, kind := range kinds() {
			said := stated(j, about(kind, j, dsar.Access, "en"))
			before, err := plain.Write(kind, said, false)
			if err != nil {
				t.Fatal(err)
			}
			now, err := w.Write(kind, said, false)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range j.Complaint {
				name := p.Name.In("en")
				was, is := strings.Contains(before.Text(), name), strings.Contains(now.Text(), name)
				if p.Operator && was != is || !p.Operator && (is || was != strings.Contains(now.Text(), own.Name+" ("+own.URL+")")) {
					t.Errorf("%s, %s: of %q:\n%s", id, kind, name, now.Text())
				}
			}
		}
	}
}
