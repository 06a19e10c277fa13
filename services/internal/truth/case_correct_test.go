package truth

import (
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// correcting has an account with Anna and Sam in it, and a request of Anna's for some
// corrections.
func (s *scene) correcting(law, locale string, corrections ...event.Correction) string {
	s.Helper()
	db := s.system(`
system: account
abilities: [gather, erase, rectify]
datasets:
- {name: users, columns: [id, email, name, age], concept: {email: contact.email, name: person.name}, subject: {email: email}, rectify: [email, name, age]}
`, "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT, name TEXT, age NUMERIC(4,1))")
	db.row("users", 1, "anna@example.com", "Ana", 31)
	db.row("users", 2, "sam@example.com", "Sam", 40)
	s.begin()
	r := asking(dsar.Rectification, law)
	r.Subject.Locale = locale
	r.Details = &event.Details{Corrections: corrections}
	return s.submit(r)
}

// TestAFieldIsRefused: who wants an address that is somebody else's has it refused by a person,
// who can't let it go on; the other field is corrected, the address stays, and answer and letter
// say which, on which ground and article of each law, and how to contest it.
func TestAFieldIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		law, locale, ground string
		page, letter        []string
	}{
		{"EEA", "en", "not-correct", []string{"We don’t correct this, because the data is correct as it is (GDPR art. 16)."}, []string{"We refuse a part of it, because the data is correct as it is (GDPR art. 16).", "You can also go to court."}},
		{"EEA", "fr", "not-correct", []string{"Nous refusons cette rectification, car les données sont exactes en l’état (RGPD, art. 16)."}, []string{"Nous refusons une partie de votre demande", "saisir un tribunal"}},
		{"UK", "en", "not-correct", []string{"(UK GDPR art. 16)"}, []string{"complain"}},
		{"California", "en", "not-correct", []string{"more likely than not correct as it is (11 CCR 7023(b))"}, []string{"We refuse a part of it"}},
		{"California", "fr", "impossible", []string{"car elle est impossible ou exigerait des efforts disproportionnés"}, []string{"Nous refusons une partie de votre demande"}},
		{"Canada", "en", "not-correct", []string{"(PIPEDA, Schedule 1, 4.9.5)"}, []string{"Privacy Commissioner of Canada"}},
		{"Japan", "fr", "other-procedure", []string{"car une autre loi prévoit pour cela une procédure particulière"}, nil},
		{"South Korea", "en", "not-correct", []string{"(PIPA art. 36(2))"}, nil},
		{"Switzerland", "fr", "unchangeable", []string{"car une loi interdit la modification"}, []string{"saisir un tribunal"}},
		{"Brazil", "en", "not-correct", []string{"the data is correct as it is"}, nil},
	} {
		t.Run(c.law+" "+c.locale, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(s *scene) {
				id := s.correcting(c.law, c.locale, event.Correction{Column: "contact.email", Value: "sam@example.com"}, event.Correction{Column: "person.name", Value: "Anna"})
				state := s.play(id)
				if got := state.Task("account", dsar.Rectify).End.Code; got != dsar.CodeIdentifierTaken {
					s.Fatalf("it stops with %q", got)
				}
				if _, err := s.life.Do(s.ctx(), id, core.ApproveCorrection{By: "lea", Reason: "she says so", Now: s.now}); err == nil {
					s.Error("a person lets it go on, onto somebody else's address")
				}
				s.holds("account", "SELECT name FROM users ORDER BY id", "Ana", "Sam")
				a := s.completed(s.do(id, core.RefuseField{By: "lea", System: "account", Dataset: "users", Column: "email", Ground: c.ground, Reason: "it is Sam's", Now: s.now}))
				s.holds("account", "SELECT name FROM users ORDER BY id", "Anna", "Sam")
				s.holds("account", "SELECT email FROM users ORDER BY id", "anna@example.com", "sam@example.com")
				told := a.whole.About("account", "users", statement.FieldRefused)
				if len(told) != 1 || told[0].Ground != c.ground || len(told[0].Columns) != 1 || told[0].Columns[0].Column != "email" || len(told[0].Facts) != 2 {
					s.Errorf("the answer says %+v", told)
				}
				page, letter := a.files["index.html"], strings.Join(s.written(id), "\n")
				for _, want := range c.page {
					if !strings.Contains(page, want) {
						s.Errorf("the page doesn't say %q", want)
					}
				}
				for _, want := range c.letter {
					if !strings.Contains(letter, want) {
						s.Errorf("the letters don't say %q:\n%s", want, letter)
					}
				}
				if strings.Contains(page, "it is Sam's") || strings.Contains(letter, "it is Sam's") {
					s.Error("the person reads what was noted for colleagues")
				}
			})
		})
	}
}

// TestEveryFieldIsRefused: where all is refused that was asked for, nothing is changed, and the
// answer says that it was refused, not that nothing is held.
func TestEveryFieldIsRefused(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		id := s.correcting("EEA", "en", event.Correction{Column: "contact.email", Value: "sam@example.com"})
		s.play(id)
		a := s.completed(s.do(id, core.RefuseField{By: "lea", System: "account", Dataset: "users", Column: "email", Ground: "not-correct", Reason: "it is Sam's", Now: s.now}))
		s.holds("account", "SELECT email FROM users ORDER BY id", "anna@example.com", "sam@example.com")
		s.says(a, "account", []statement.Kind{statement.FieldsRefused}, []statement.Kind{statement.NoSuchField, statement.Changed, statement.NothingToChange})
		if page := a.files["index.html"]; !strings.Contains(page, "We refuse to correct what you asked for in this system.") || strings.Contains(page, "concerns nothing that any of them holds") {
			s.Error("the page doesn't say that it was refused")
		}
	})
}

// TestACorrectionIsApproved: nothing is corrected before a person has looked, where it is so
// configured; and what has stopped since nobody had shown whose an address is goes on by a
// person's decision, where it is nobody else's.
func TestACorrectionIsApproved(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		s.review = core.ReviewAlways
		id := s.correcting("EEA", "fr", event.Correction{Column: "contact.email", Value: "anna@example.org"}, event.Correction{Column: "person.name", Value: "Anna"})
		if state := s.play(id); !slices.Contains(state.Needs(), core.Need{Kind: core.NeedApproval}) {
			s.Fatalf("it needs %v", state.Needs())
		}
		s.holds("account", "SELECT name FROM users ORDER BY id", "Ana", "Sam")
		approve := core.ApproveCorrection{By: "lea", Reason: "called her back", Now: s.now}
		state := s.do(id, approve)
		if got := state.Task("account", dsar.Rectify).End.Code; got != dsar.CodeIdentifierUnproven {
			s.Fatalf("it stops with %q", got)
		}
		s.holds("account", "SELECT name FROM users ORDER BY id", "Ana", "Sam")
		a := s.completed(s.do(id, approve))
		s.holds("account", "SELECT email FROM users ORDER BY id", "anna@example.org", "sam@example.com")
		s.holds("account", "SELECT name FROM users ORDER BY id", "Anna", "Sam")
		s.says(a, "account", []statement.Kind{statement.Changed}, []statement.Kind{statement.FieldsRefused})
	})
}

// TestWrittenOtherwise: what the database rounds goes on by a person's decision, or where nobody
// is to be asked, and the answer says what stands there.
func TestWrittenOtherwise(t *testing.T) {
	t.Parallel()
	for _, review := range []core.CorrectionReview{core.ReviewDoubt, core.ReviewNever} {
		t.Run(string(review), func(t *testing.T) {
			t.Parallel()
			s := newScene(t, postgreSQL)
			s.review = review
			id := s.correcting("EEA", "en", event.Correction{Column: "age", Value: "32.25"})
			state := s.play(id)
			if review == core.ReviewDoubt {
				if got := state.Task("account", dsar.Rectify).End.Code; got != dsar.CodeWrittenOtherwise {
					s.Fatalf("it stops with %q", got)
				}
				s.holds("account", "SELECT age FROM users ORDER BY id", "31.0", "40.0")
				state = s.do(id, core.ApproveCorrection{By: "lea", Reason: "one digit will do", Now: s.now})
			}
			a := s.completed(state)
			told := a.whole.About("account", "users", statement.Corrected)
			if len(told) != 1 || len(told[0].Corrections) != 1 || told[0].Corrections[0].Is != "32.3" {
				s.Errorf("the answer says %+v", told)
			}
		})
	}
}
