package truth

import (
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// TestPartOfACopyIsRefused: of the dataset that a person refused nothing is in any file, and
// answer and letter say that, on which ground and article, and how to contest it; the rest is
// there; where the dataset holds nothing, nothing is refused; and what is taken back is given.
func TestPartOfACopyIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name             string
		law, locale      string
		ground           string
		rows             bool
		takenBack        bool
		page, letter     []string
		neverOnEitherOne []string
	}{
		{"others' rights", "EEA", "en", "rights-of-others", true, false,
			[]string{"We refuse your request for this part, because it would harm the rights of other people (GDPR art. 15(4), 20(4))."},
			[]string{"We refuse a part of it, because it would harm the rights of other people (GDPR art. 15(4), 20(4)).", "somebody else will look again", "You can also go to court."}, nil},
		{"in French", "EEA", "fr", "trade-secret", true, false,
			[]string{"Nous refusons votre demande pour cette partie, car elle révélerait un secret d’affaires"}, []string{"Nous refusons une partie de votre demande, car elle révélerait un secret d’affaires", "saisir un tribunal"}, nil},
		{"Canada", "Canada", "en", "investigation", true, false,
			[]string{"because it is about information that was collected for an investigation (PIPEDA s. 9(3)(c.1), 7(1)(b))"}, []string{"Privacy Commissioner of Canada"}, nil},
		{"with an appeal", "Colorado", "en", "exempt", true, false, nil, []string{"You can appeal", "45 days"}, nil},
		{"nothing is there", "EEA", "en", "rights-of-others", false, false, nil, nil, []string{"We refuse your request for this part"}},
		{"taken back", "EEA", "en", "rights-of-others", true, true, nil, nil, []string{"We refuse"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(s *scene) {
				s.proof = "always"
				desk := s.system(`
system: desk
datasets:
- {name: tickets, columns: [id, email, body], subject: {email: email}}
- {name: letters, columns: [id, email, body], subject: {email: email}}
`, "CREATE TABLE tickets(id INTEGER PRIMARY KEY, email TEXT, body TEXT)", "CREATE TABLE letters(id INTEGER PRIMARY KEY, email TEXT, body TEXT)")
				desk.row("tickets", 1, "anna@example.com", "my own ticket")
				if c.rows {
					desk.row("letters", 7, "anna@example.com", "what the other party wrote")
				}
				desk.row("letters", 8, "sam@example.com", "of somebody else")
				s.begin()
				r := asking(dsar.Access, c.law)
				r.Subject.Proven, r.Subject.Locale = nil, c.locale
				id := s.submit(r)
				s.play(id)
				refuse := core.RefusePart{By: "lea", System: "desk", Dataset: "letters", Ground: c.ground, Reason: "looked at them", Now: s.now}
				s.do(id, refuse)
				if c.takenBack {
					refuse.Ground, refuse.TakenBack = "", true
					s.do(id, refuse)
				}
				a := s.completed(s.do(id, core.JudgeProof{By: "lea", Accepted: true, Calendar: s.kit.book, Now: s.now}))
				s.shows(a, "desk", "tickets", "1")
				if given := !c.rows || c.takenBack; !given {
					s.shows(a, "desk", "letters")
					s.silentOn(a, "what the other party wrote")
				} else if c.rows {
					s.shows(a, "desk", "letters", "7")
				}
				page, letter := a.files["index.html"], strings.Join(s.written(id), "\n")
				if c.rows && !c.takenBack { // an appeal is upheld: the part is given
					s.do(id, core.Reopen{By: "sam", Grievance: "5b0e2a5c-2f6e-4b0b-8a51-7a5c5a1b9f02", Now: s.now})
					s.shows(s.completed(s.play(id)), "desk", "letters", "7")
				}
				for _, want := range c.page {
					if !strings.Contains(page, want) {
						s.Errorf("the page doesn't say %q", want)
					}
				}
				for _, want := range c.letter {
					if !strings.Contains(letter, want) {
						s.Errorf("the letters don't say %q", want)
					}
				}
				for _, never := range c.neverOnEitherOne {
					if strings.Contains(page, never) {
						s.Errorf("the page says %q", never)
					}
				}
			})
		})
	}
}

// TestN17CreditBureaus: what credit bureaus sent and what was worked out of it is named as
// that, with the fraud that it is used against, in a copy and to who objects; and isn't taken
// along.
func TestN17CreditBureaus(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		db := s.system(`
system: credit
datasets:
- {name: history, columns: [id, email, arrears], subject: {email: email}, origin: received, purposes: [against-fraud], title: {en: Data from credit bureaus, fr: Données d’agences d’évaluation du crédit}}
- {name: scores, columns: [id, email, score], subject: {email: email}, origin: derived, purposes: [against-fraud], title: {en: Credit score, fr: Score de crédit}}
`, "CREATE TABLE history(id INTEGER PRIMARY KEY, email TEXT, arrears TEXT)", "CREATE TABLE scores(id INTEGER PRIMARY KEY, email TEXT, score TEXT)")
		db.row("history", 1, "anna@example.com", "none")
		db.row("scores", 1, "anna@example.com", "702 of 850")
		s.begin()
		a := s.completed(s.play(s.submit(asking(dsar.Access, "EEA"))))
		for _, want := range []string{"Data from credit bureaus", "Received from others", "Credit score", "Worked out from other data", "To prevent fraud", "This data is used for profiling: to prevent fraud.", "702 of 850"} {
			if !strings.Contains(a.files["index.html"], want) {
				s.Errorf("the copy doesn't say %q", want)
			}
		}
		taken := s.completed(s.play(s.submit(asking(dsar.Portability, "EEA"))))
		s.silentOn(taken, "702 of 850")
		objected := s.completed(s.play(s.submit(asking(dsar.Objection, "EEA"))))
		if page := objected.files["index.html"]; !strings.Contains(page, "uses data for nothing that you asked to end") {
			s.Error("it is said that the fight against fraud ends")
		}
	})
}
