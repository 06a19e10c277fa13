package main

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/sandbox/people"
)

// count returns how many rows of a table belong to somebody.
func (d *desk) count(system, table, column, who string) int64 {
	d.Helper()
	return d.value(system, "SELECT count(*) FROM "+table+" WHERE "+column+" = ? COLLATE NOCASE", who).(int64)
}

func correcting(c event.Correction) func(*event.Submitted) {
	return func(s *event.Submitted) { s.Details = &event.Details{Corrections: []event.Correction{c}} }
}

// TestN1AnyoneMaySeeUpdateAndDelete: whoever they are and wherever they live, people see, correct
// and delete what is held about them; what no system corrects by itself, somebody does for
// them, and the request isn't over before.
func TestN1AnyoneMaySeeUpdateAndDelete(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	who := d.account(1)
	account := d.people.Person(who).AccountID
	const corrected = people.CanaryPrefix + "corrected"

	seen := d.ask(who, dsar.Access, "elsewhere", "en", nil)
	d.wait(seen)
	d.holds(seen, who)

	updated := d.ask(who, dsar.Rectification, "elsewhere", "en", correcting(event.Correction{Column: "contact.phone", Value: corrected}))
	d.correctedByHandIn(updated, "salesforce")
	if got := d.value("account", "SELECT phone FROM accounts WHERE account_id = ?", account); got != corrected {
		t.Error("the telephone number isn't corrected")
	}
	assisted := d.ask(who, dsar.Rectification, "elsewhere", "en", correcting(event.Correction{System: "billing", Dataset: "invoices", Column: "bill_to", Value: corrected}))
	if by := d.endByHand(assisted, dsar.Rectified); !slices.Equal(by, []string{"billing"}) {
		t.Errorf("a person assisted in %v", by)
	}
	d.letters(assisted, core.LetterConfirmation, core.LetterAnswer)

	deleted := d.ask(who, dsar.Erasure, "elsewhere", "en", nil)
	d.wait(deleted)
	if n := d.count("account", "accounts", "account_id", account); n != 0 {
		t.Errorf("%d accounts are left", n)
	}
	d.letters(deleted, core.LetterConfirmation, core.LetterCertificate)
}

// TestN3Canada: access, correction, restriction, deletion, and a complaint, which somebody
// decides who is another than who refused.
func TestN3Canada(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	who := d.account(1)
	account := d.people.Person(who).AccountID
	const corrected = people.CanaryPrefix + "corrected"

	id := d.ask(who, dsar.Access, "Canada", "fr", nil)
	d.wait(id)
	d.holds(id, who)
	d.says(id, "Loi sur la protection des renseignements personnels", "Commissaire à la protection de la vie privée du Canada")

	id = d.ask(who, dsar.Rectification, "Canada", "en", correcting(event.Correction{Column: "contact.phone", Value: corrected}))
	d.correctedByHandIn(id, "salesforce")
	if got := d.value("account", "SELECT phone FROM accounts WHERE account_id = ?", account); got != corrected {
		t.Error("the telephone number isn't corrected")
	}

	id = d.ask(who, dsar.Restriction, "Canada", "en", nil)
	d.wait(id)
	if got := d.value("account", "SELECT restricted FROM accounts WHERE account_id = ?", account); got != int64(1) {
		t.Errorf("restricted: %v", got)
	}

	first := d.ask(who, dsar.Access, "Canada", "en", func(s *event.Submitted) { s.Subject.OnBehalf = dsar.CheckGuardian })
	d.do(first, core.Refuse{By: "lea", Ground: core.NotProven, Reason: "no guardian", Now: now()})
	complaint := d.ask(who, dsar.Complaint, "Canada", "en", func(s *event.Submitted) { s.About = first })
	decide := func(by string) error {
		_, err := d.n.Installation.Requests.Do(t.Context(), complaint, core.DecideGrievance{By: by, Finding: core.Dismissed, Reason: "nothing was proven", Now: now()})
		return err
	}
	if err := decide("lea"); err == nil {
		t.Error("who refused the request decides about the complaint")
	}
	if err := decide("ana"); err != nil {
		t.Error(err)
	}
	d.letters(complaint, core.LetterAcknowledgement, core.LetterDecision)

	id = d.ask(who, dsar.Erasure, "Canada", "en", nil)
	d.wait(id)
	if n := d.count("account", "accounts", "account_id", account); n != 0 {
		t.Errorf("%d accounts are left", n)
	}
}

// TestN4Europe: whether data is held, a copy, and how it is processed; correction, restriction,
// objection; to take along what was provided and nothing derived, where it rests on consent or
// a contract; a consent withdrawn ends that purpose alone; deletion; whom to complain to.
func TestN4Europe(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	who := d.account(1)
	account, mail := d.people.Person(who).AccountID, d.people.Person(who).Email
	flag := func(column string) any {
		return d.value("account", "SELECT "+column+" FROM accounts WHERE account_id = ?", account)
	}
	const corrected = people.CanaryPrefix + "corrected"

	id := d.ask(who, dsar.Access, "EEA", "en", nil)
	d.wait(id)
	d.holds(id, who)
	d.says(id, "This system holds data about you.", "To bill what you use", "A legal obligation", "tax authorities", "Ten years from the end of the financial year", "You gave it to us",
		"CNPD), Luxembourg, or the authority where you live")
	nobody := d.submitAs(people.NobodyEmail, dsar.Access)
	d.wait(nobody)
	d.says(nobody, "None of them holds any.")

	id = d.ask(who, dsar.Portability, "EEA", "en", nil)
	d.wait(id)
	files := payload(t, d.n, id)
	if files["billing/invoices.json"] != nil || files["account/profile.json"] == nil {
		t.Error("what rests on a legal obligation is taken along, or what was provided isn't")
	}
	d.says(id, "The right to take data with you covers what you gave us")

	id = d.ask(who, dsar.Rectification, "EEA", "en", correcting(event.Correction{Column: "contact.phone", Value: corrected}))
	d.correctedByHandIn(id, "salesforce")
	if flag("phone") != corrected {
		t.Error("the telephone number isn't corrected")
	}

	d.wait(d.ask(who, dsar.ConsentWithdrawal, "EEA", "en", func(s *event.Submitted) { s.Details = &event.Details{Purposes: []string{"newsletter"}} }))
	if letters, shared := d.value("communications", "SELECT newsletter FROM preferences WHERE email = ? COLLATE NOCASE", mail), d.value("communications", "SELECT shared FROM preferences WHERE email = ? COLLATE NOCASE", mail); letters != int64(0) || shared != int64(1) {
		t.Errorf("newsletter %v, sharing %v", letters, shared)
	}
	choice := func(column string) any {
		return d.value("communications", "SELECT "+column+" FROM preferences WHERE email = ? COLLATE NOCASE", mail)
	}
	d.wait(d.ask(who, dsar.OptOut, "EEA", "en", func(s *event.Submitted) { s.Details = &event.Details{Purposes: []string{"mark:notifications"}} }))
	if notices, cookies := choice("in_product"), choice("cookies"); notices != int64(0) || cookies != int64(1) {
		t.Errorf("notices in the product %v, cookies %v", notices, cookies)
	}
	d.wait(d.ask(who, dsar.OptOut, "EEA", "en", func(s *event.Submitted) { s.Details = &event.Details{Purposes: []string{"mark:cookies"}} }))
	if cookies, research := choice("cookies"), choice("paused"); cookies != int64(0) || research != int64(0) {
		t.Errorf("cookies %v, paused %v", cookies, research)
	}
	d.wait(d.ask(who, dsar.Objection, "EEA", "en", func(s *event.Submitted) { s.Details = &event.Details{Purposes: []string{"mark:marketing"}} }))
	if flag("marketing") != int64(0) || flag("restricted") != int64(0) {
		t.Errorf("marketing %v, restricted %v", flag("marketing"), flag("restricted"))
	}
	d.wait(d.ask(who, dsar.Restriction, "EEA", "en", nil))
	if flag("restricted") != int64(1) {
		t.Errorf("restricted: %v", flag("restricted"))
	}
	d.wait(d.ask(who, dsar.Erasure, "EEA", "en", nil))
	if n := d.count("account", "accounts", "account_id", account); n != 0 {
		t.Errorf("%d accounts are left", n)
	}
}

// TestN8NothingIsDisclosedBeforeProof: while proof is awaited no system is asked and no answer
// lies anywhere; once it is accepted the copy is given, once it isn't there is none.
func TestN8NothingIsDisclosedBeforeProof(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	who := d.account(1)
	asked := map[bool]string{}
	for _, proven := range []bool{true, false} {
		id := d.ask(who, dsar.Access, "EEA", "en", func(s *event.Submitted) { s.Subject.OnBehalf = dsar.CheckAgent })
		s, err := d.n.Installation.Requests.State(t.Context(), id)
		if err != nil || s.Status != core.StatusAwaitingProof || len(s.Tasks) > 0 {
			t.Fatalf("%v: %s, %d tasks", err, s.Status, len(s.Tasks))
		}
		d.letters(id, core.LetterConfirmation, core.LetterProof)
		d.bare(id)
		d.do(id, core.JudgeProof{By: "lea", Accepted: proven, Reason: "looked at it", Calendar: d.book, Now: now()})
		asked[proven] = id
	}
	d.wait(asked[true])
	d.holds(asked[true], who)
	d.letters(asked[false], core.LetterConfirmation, core.LetterProof, core.LetterRefusal)
	d.bare(asked[false])
}

// bare fails where a request has an answer, or a letter of it has something that is held.
func (d *desk) bare(id string) {
	d.Helper()
	for _, name := range d.outbox() {
		switch {
		case !strings.Contains(name, id):
		case !strings.HasPrefix(name, "letters/"):
			d.Errorf("%s lies there", name)
		case strings.Contains(string(d.read(name)), people.CanaryPrefix):
			d.Errorf("%s says what is held", name)
		}
	}
}

// TestN11OrganisationsHandleTheirOwn: who acts through an organisation is sent there, or the
// organisation confirms; until then no system is asked.
func TestN11OrganisationsHandleTheirOwn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	who := d.account(1)
	routed := func(s *event.Submitted) { s.Subject.OnBehalf = dsar.CheckOrganisation }
	for locale, words := range map[string]string{"en": "You use our services through an organisation", "fr": "par l’intermédiaire d’une organisation"} {
		id := d.ask(who, dsar.Access, "EEA", locale, routed)
		d.letters(id, core.LetterConfirmation, core.LetterProof)
		if letter := d.letter(id, core.LetterProof); !strings.Contains(letter, words) {
			t.Errorf("the letter doesn't name the organisation: %s", letter)
		}
		s, err := d.n.Installation.Requests.State(t.Context(), id)
		if err != nil || len(s.Tasks) > 0 || !slices.Equal(s.Accepted.Terms.Checks, []dsar.Check{dsar.CheckOrganisation}) {
			t.Fatalf("%v: %+v", err, s)
		}
		d.do(id, core.JudgeProof{By: "lea", Accepted: true, Reason: "the organisation agrees", Calendar: d.book, Now: now()})
		d.wait(id)
		d.holds(id, who)
	}
}

// TestN12Children: a minor asks like anybody; who asks for one proves to be parent or guardian.
func TestN12Children(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	who := d.account(1)
	own := d.ask(who, dsar.Access, "EEA", "en", nil)
	d.wait(own)
	d.holds(own, who)
	guardian := d.ask(who, dsar.Access, "EEA", "en", func(s *event.Submitted) { s.Subject.OnBehalf = dsar.CheckGuardian })
	d.letters(guardian, core.LetterConfirmation, core.LetterProof)
	if letter := d.letter(guardian, core.LetterProof); !strings.Contains(letter, "guardian") {
		t.Errorf("the letter doesn't say what is to be proven: %s", letter)
	}
	d.bare(guardian)
	d.do(guardian, core.JudgeProof{By: "lea", Accepted: true, Reason: "birth certificate", Calendar: d.book, Now: now()})
	d.wait(guardian)
	d.holds(guardian, who)
}

// letter returns a request's letter of a kind, as the person reads it.
func (d *desk) letter(id string, kind core.Letter) string {
	d.Helper()
	for _, name := range d.outbox() {
		if strings.HasPrefix(name, "letters/"+id) && strings.Contains(name, string(kind)) {
			return string(d.read(name))
		}
	}
	d.Fatalf("there is no letter %s of %s in %v", kind, id, d.outbox())
	return ""
}

// outbox returns the names of what waits in the outbox, and read one of them.
func (d *desk) outbox() (names []string) {
	d.Helper()
	list := d.n.Installation.Outbox.List(nil)
	for {
		o, err := list.Next(d.Context())
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			d.Fatal(err)
		}
		names = append(names, o.Key)
	}
}

func (d *desk) read(name string) []byte {
	d.Helper()
	data, err := d.n.Installation.Outbox.ReadAll(d.Context(), name)
	if err != nil {
		d.Fatal(err)
	}
	return data
}

// TestCategoriesSayAPurposeOnce: in the table of categories no cell says the same purpose twice,
// whichever datasets share it.
func TestCategoriesSayAPurposeOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.ask(d.account(1), dsar.KnowCategories, "California", "en", nil)
	d.wait(id)
	page := string(payload(t, d.n, id)["index.html"])
	_, table, found := strings.Cut(page, `id="categories"`)
	table, _, _ = strings.Cut(table, "</table>")
	cells := strings.Split(table, "<td")
	if !found || len(cells) < 8 {
		t.Fatalf("no table of categories: %d cells", len(cells))
	}
	for _, cell := range cells {
		_, text, _ := strings.Cut(cell, ">")
		text, _, _ = strings.Cut(text, "</td>")
		said := map[string]bool{}
		for one := range strings.SplitSeq(text, "; ") {
			if one = strings.ToLower(strings.TrimSpace(one)); said[one] {
				t.Errorf("%q is said twice in %q", one, text)
			}
			said[one] = true
		}
	}
}
