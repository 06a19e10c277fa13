package main

import (
	"database/sql"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/sandbox/people"
)

// desk is somebody at the controls of a pipeline.
type desk struct {
	*pipeline
	book *policy.Book
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	book, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	return &desk{newPipeline(t), book}
}

// ask submits a request of a person and returns its id.
func (d *desk) ask(person int, right dsar.Right, jurisdiction, locale string, change func(*event.Submitted)) string {
	d.Helper()
	s := event.Submitted{RequestID: uuid.NewString(), Right: right, Jurisdiction: jurisdiction, ReceivedAt: now(), Source: "test",
		Subject: event.Subject{Locale: locale, Identifiers: []event.SubjectIdentifier{{Type: "email", Value: d.people.Person(person).Email, Verified: true}}}}
	if change != nil {
		change(&s)
	}
	data, err := json.Marshal(s)
	if err != nil {
		d.Fatal(err)
	}
	if _, err := upstream.Post(d.Context(), d.n.URL(), "", data); err != nil {
		d.Fatal(err)
	}
	return s.RequestID
}

func (d *desk) do(id string, c core.Command) core.State {
	d.Helper()
	s, err := d.n.Installation.Requests.Do(d.Context(), id, c)
	if err != nil {
		d.Fatalf("%T: %v", c, err)
	}
	return s
}

// endByHand waits for a request, and has a person do what no machine can until it
// has ended. It returns the systems in which that was so, sorted.
func (d *desk) endByHand(id string, outcome dsar.Outcome) []string {
	d.Helper()
	var systems []string
	for range 20 {
		if row := waitFor(d.T, d.n.Installation.Journal, id); row.Status.Ended() {
			if row.Status != core.StatusCompleted {
				d.Fatalf("request %s is %s", id, row.Status)
			}
			slices.Sort(systems)
			return systems
		}
		s, err := d.n.Installation.Requests.State(d.Context(), id)
		if err != nil {
			d.Fatal(err)
		}
		for _, t := range s.Tasks {
			if t.Status == core.TaskIsFailed {
				systems = append(systems, t.System)
				d.do(id, core.Attest{By: "lea", System: t.System, Action: t.Action, Outcome: outcome, Reason: "done in its own administration", Now: now()})
			}
		}
	}
	d.Fatalf("request %s doesn't end", id)
	return nil
}

// letGo waits for a correction that stops since registrations for events name different values, as each canary
// differs, and has a person let it go on.
func (d *desk) letGo(id string) {
	d.Helper()
	waitFor(d.T, d.n.Installation.Journal, id)
	s, err := d.n.Installation.Requests.State(d.Context(), id)
	if err != nil {
		d.Fatal(err)
	}
	if !slices.ContainsFunc(s.Tasks, func(t *core.TaskState) bool {
		return t.System == "events" && t.Status == core.TaskIsFailed && t.End.Code == dsar.CodeOthersValue
	}) {
		d.Errorf("the correction %s doesn't stop in events", id)
	}
	d.do(id, core.ApproveCorrection{By: "lea", Systems: []string{"events"}, Reason: "all are theirs", Now: now()})
}

// correctedByHandIn waits for a correction as letGo does, and has a person correct what no machine can; it checks in
// which systems that was so.
func (d *desk) correctedByHandIn(id string, systems ...string) {
	d.Helper()
	d.letGo(id)
	if by := d.endByHand(id, dsar.Rectified); !slices.Equal(by, systems) {
		d.Errorf("a person corrected in %v, not in %v", by, systems)
	}
}

// value returns what a system's database holds.
func (d *desk) value(system, query string, args ...any) (v any) {
	d.Helper()
	db, err := sql.Open("sqlite", filepath.Join(d.n.Config.Room(config.RoomSandbox), system+".db"))
	if err != nil {
		d.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(d.Context(), query, args...).Scan(&v); err != nil {
		d.Fatalf("%s: %v", query, err)
	}
	return v
}

// says looks for sentences in a request's page.
func (d *desk) says(id string, sentences ...string) {
	d.Helper()
	page := string(payload(d.T, d.n, id)["index.html"])
	for _, s := range sentences {
		if !strings.Contains(page, s) {
			d.Errorf("the answer to %s doesn't say %q", id, s)
		}
	}
}

// letters waits for a request's letters, and tells them.
func (d *desk) letters(id string, want ...core.Letter) {
	d.Helper()
	beat := time.NewTicker(20 * time.Millisecond)
	defer beat.Stop()
	deadline := time.After(patience)
	var got []core.Letter
	for {
		s, err := d.n.Installation.Requests.State(d.Context(), id)
		if err != nil {
			d.Fatal(err)
		}
		got = nil
		for _, l := range s.Letters {
			got = append(got, l.Letter)
		}
		if slices.Equal(got, want) {
			return
		}
		select {
		case <-deadline:
			d.Fatalf("letters of %s: %v, want %v", id, got, want)
		case <-beat.C:
		}
	}
}

// account returns a person who has an account, and a registration for an event.
func (d *desk) account(from int) int {
	d.Helper()
	for n := from; n <= len(d.people.People); n++ {
		if d.people.Person(n).AccountID != "" && len(d.people.RowsIn(n, people.Account)) > 0 && slices.ContainsFunc(d.people.RowsIn(n, people.Events), func(r people.Row) bool { return r.Dataset == "registrations" }) {
			return n
		}
	}
	d.Fatal("nobody has an account and a registration")
	return 0
}

// TestEveryRight goes every right of the notice through every system that the
// demo has. What a system can't do is done by a person, and named.
func TestEveryRight(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var ids []string
	const corrected = people.CanaryPrefix + "corrected"

	// Rectification: each system says which fields it changed, and which it left.
	who := d.account(1)
	id := d.ask(who, dsar.Rectification, "EEA", "en", func(s *event.Submitted) {
		s.Details = &event.Details{Corrections: []event.Correction{{Column: "phone", Value: corrected}}}
	})
	d.letGo(id)
	if manual := d.endByHand(id, dsar.Rectified); len(manual) > 0 {
		t.Errorf("rectified by hand in %v", manual)
	}
	account := d.people.Person(who).AccountID
	if got := d.value("account", "SELECT phone FROM accounts WHERE account_id = ?", account); got != corrected {
		t.Error("the account has another number")
	}
	d.says(id, "Your corrections were made.", "(changed: Telephone)", "It says what was recorded at the time")
	d.letters(id, core.LetterConfirmation, core.LetterAnswer)
	ids = append(ids, id)

	// What nobody can correct by machine is corrected by a person.
	id = d.ask(who, dsar.Rectification, "EEA", "fr", func(s *event.Submitted) {
		s.Details = &event.Details{Corrections: []event.Correction{{System: "billing", Dataset: "invoices", Column: "bill_to", Value: corrected}}}
	})
	if manual := d.endByHand(id, dsar.Rectified); !slices.Equal(manual, []string{"billing"}) {
		t.Errorf("an invoice was rectified by hand in %v", manual)
	}
	ids = append(ids, id)

	// Restriction, and its lifting.
	restricted := func() any {
		return d.value("account", "SELECT restricted FROM accounts WHERE account_id = ?", account)
	}
	id = d.ask(who, dsar.Restriction, "EEA", "fr", nil)
	if manual := d.endByHand(id, dsar.Restricted); len(manual) > 0 {
		t.Errorf("restricted by hand in %v", manual)
	}
	if got := restricted(); got != int64(1) {
		t.Errorf("restricted: %v", got)
	}
	d.says(id, "Vos données, limitées", "Les données sont conservées")
	ids = append(ids, id)
	id = d.ask(who, dsar.Restriction, "EEA", "en", func(s *event.Submitted) { s.Details = &event.Details{Lift: true} })
	// PaymentTech can take a card out of use, and no more than that.
	if manual := d.endByHand(id, dsar.Restricted); !slices.Equal(manual, []string{"paymentech"}) {
		t.Errorf("lifted by hand in %v", manual)
	}
	if got := restricted(); got != int64(0) {
		t.Errorf("lifted: %v", got)
	}
	d.says(id, "Your data, in use again", "The data is used again as before.")
	ids = append(ids, id)

	// Objection, withdrawal of consent by purpose, opt-out.
	marketing := func(n int) any {
		return d.value("account", "SELECT marketing FROM accounts WHERE account_id = ?", d.people.Person(n).AccountID)
	}
	for _, c := range []struct {
		right        dsar.Right
		jurisdiction string
		purposes     []string
		says         string
		stops        bool     // marketing, by the account's flag
		byHand       []string // where something ends that no flag stops
	}{
		{dsar.Objection, "UK", []string{"mark:marketing"}, "Sending news, invitations and offers", true, nil},
		{dsar.Objection, "EEA", []string{"marketing"}, "Sending news, invitations and offers", true, nil}, // measuring who reads them ends with it
		{dsar.Objection, "UK", nil, "You objected", true, []string{"salesforce"}},
		{dsar.ConsentWithdrawal, "EEA", []string{"mark:marketing"}, "Sending news, invitations and offers", true, nil},
		{dsar.OptOut, "Japan", []string{"mark:marketing"}, "Sending news, invitations and offers", true, nil},
		{dsar.OptOut, "California", nil, "You opted out of uses of your data", false, nil},
	} {
		who = d.account(who + 1)
		before := marketing(who)
		id = d.ask(who, c.right, c.jurisdiction, "en", func(s *event.Submitted) {
			if c.purposes != nil {
				s.Details = &event.Details{Purposes: c.purposes}
			}
		})
		if manual := d.endByHand(id, dsar.Restricted); !slices.Equal(manual, c.byHand) {
			t.Errorf("%s: by hand in %v", c.right, manual)
		}
		if got := marketing(who); (got == int64(0)) != (c.stops || before == int64(0)) {
			t.Errorf("%s: marketing is %v, and was %v", c.right, got, before)
		}
		if got := d.value("account", "SELECT restricted FROM accounts WHERE account_id = ?", d.people.Person(who).AccountID); got != int64(0) {
			t.Errorf("%s: the account is frozen: %v", c.right, got)
		}
		d.says(id, c.says)
		ids = append(ids, id)
	}

	// To know the categories, and to take the data elsewhere.
	who = d.account(who + 1)
	id = d.ask(who, dsar.KnowCategories, "California", "en", nil)
	d.wait(id)
	d.says(id, "Categories of data", "12 months before we received your request", "We will not treat you worse")
	ids = append(ids, id)
	id = d.ask(who, dsar.Portability, "EEA", "en", nil)
	d.wait(id)
	d.says(id, "The right to take data with you covers")
	ids = append(ids, id)

	for _, id := range ids {
		tr, err := loadTrace(t.Context(), d.n.Installation, id)
		if err != nil || tr.Chain != "verified" {
			t.Errorf("%s: %v, %s", id, err, tr.Chain)
		}
	}
}

// TestTheWayOfARequest: proof that is asked for and judged, an extension, a
// refusal, a hold and its lifting, a person who asks twice, with the letters that
// tell of it.
func TestTheWayOfARequest(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	unproven := func(s *event.Submitted) { s.Subject.OnBehalf = dsar.CheckGuardian }

	// A guardian asks: nothing is asked of anybody until the proof is there.
	who := d.account(1)
	id := d.ask(who, dsar.Access, "EEA", "fr", unproven)
	s, err := d.n.Installation.Requests.State(t.Context(), id)
	if err != nil || s.Status != core.StatusAwaitingProof || !s.Paused || len(s.Tasks) > 0 {
		t.Fatalf("%v, %+v", err, s)
	}
	d.letters(id, core.LetterConfirmation, core.LetterProof)
	d.do(id, core.JudgeProof{By: "lea", Accepted: true, Calendar: d.book, Now: now()})
	d.wait(id)
	d.letters(id, core.LetterConfirmation, core.LetterProof, core.LetterAnswer)

	// California: who isn't proven gets no copy, but the categories.
	id = d.ask(who, dsar.Access, "California", "en", unproven)
	d.do(id, core.JudgeProof{By: "lea", Reason: "no reply", Calendar: d.book, Now: now()})
	d.wait(id)
	d.says(id, "may not give out a copy", "Categories of data", "says nothing of what we may hold about you")
	for name := range payload(t, d.n, id) {
		if strings.Contains(name, "/") {
			t.Errorf("a copy of %s was given", name)
		}
	}

	// A refusal, with its ground; an extension comes first.
	id = d.ask(who, dsar.Erasure, "EEA", "fr", unproven)
	d.letters(id, core.LetterConfirmation, core.LetterProof)
	extended := d.do(id, core.Extend{By: "lea", Reason: "dossier complexe", Calendar: d.book, Now: now()})
	if j, _ := d.book.Jurisdiction("EEA"); !extended.DueAt.After(j.Due(extended.Accepted.Right, extended.Accepted.ReceivedAt)) {
		t.Errorf("due %s", extended.DueAt)
	}
	d.do(id, core.Refuse{By: "lea", Ground: "excessive", Reason: "the third this week", Now: now()})
	d.letters(id, core.LetterConfirmation, core.LetterProof, core.LetterExtension, core.LetterRefusal)

	// Twice the same: the second says so.
	first := d.ask(who, dsar.Access, "UK", "en", unproven)
	second := d.ask(who, dsar.Access, "UK", "en", unproven)
	s, err = d.n.Installation.Requests.State(t.Context(), second)
	if err != nil || s.Accepted.DuplicateOf != first || s.Accepted.EarlierRequests != 4 {
		t.Errorf("%v: same as %q, %d earlier", err, s.Accepted.DuplicateOf, s.Accepted.EarlierRequests)
	}
	d.do(second, core.Merge{By: "lea", Into: first, Now: now()})

	// A hold keeps one dataset, and passes on to the next erasure; when it is
	// lifted, what it kept goes, by the same pipeline.
	who = d.account(who + 1)
	mails := func() any {
		return d.value("events", "SELECT count(*) FROM registrations WHERE email = ? COLLATE NOCASE", d.people.Person(who).Email)
	}
	before := mails()
	held := d.ask(who, dsar.Erasure, "EEA", "en", unproven)
	d.do(held, core.Hold{By: "lea", Reason: "case 17", System: "events", Dataset: "registrations", Now: now()})
	d.do(held, core.JudgeProof{By: "lea", Accepted: true, Calendar: d.book, Now: now()})
	d.wait(held)
	if mails() != before {
		t.Errorf("%v registrations are left of %v", mails(), before)
	}
	d.says(held, "Needed for a lawsuit or an inquiry")
	next := d.ask(who, dsar.Erasure, "EEA", "en", unproven)
	s, err = d.n.Installation.Requests.State(t.Context(), next)
	if err != nil || !slices.Equal(s.Holds, []core.Held{{System: "events", Dataset: "registrations"}}) {
		t.Errorf("%v: holds %v", err, s.Holds)
	}
	d.do(next, core.Cancel{By: "lea", Now: now()})
	d.do(held, core.Lift{By: "lea", Reason: "settled", System: "events", Dataset: "registrations", Now: now()})
	d.wait(held)
	d.letters(held, core.LetterConfirmation, core.LetterProof, core.LetterCertificate, core.LetterCertificate)
	if mails() != int64(0) {
		t.Errorf("%v registrations are left after the hold", mails())
	}
}

// TestACorrectedAddressIsSoughtWhereverItStands: no system that shows a person's own address
// says that it has no such field when it is corrected. Where people are found by it, and nobody
// has shown that the new one is the person's, a person looks first; where that is shown, systems
// correct it themselves, but for those that can't.
func TestACorrectedAddressIsSoughtWhereverItStands(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	who := d.account(2)
	account := d.people.Person(who).AccountID
	const corrected = people.CanaryPrefix + "corrected@example.net"
	change := correcting(event.Correction{Column: "contact.email", Value: corrected})
	addresses := func() (got []any) {
		for system, query := range map[string]string{"partner": "SELECT email FROM partners WHERE account_id = ?", "community": "SELECT email FROM members WHERE account_id = ?"} {
			got = append(got, d.value(system, query, account))
		}
		return got
	}
	id := d.ask(who, dsar.Rectification, "EEA", "en", change)
	if byHand := d.endByHand(id, dsar.Rectified); !slices.Equal(byHand, []string{"account", "communications", "community", "events", "marketo", "partner", "salesforce", "support"}) {
		t.Errorf("it was corrected by hand in %v", byHand)
	}
	if slices.Contains(addresses(), any(corrected)) {
		t.Error("an address that nobody has shown to be the person's was written")
	}
	shown := d.ask(who, dsar.Rectification, "EEA", "en", func(s *event.Submitted) {
		change(s)
		s.Subject.Identifiers = append(s.Subject.Identifiers, event.SubjectIdentifier{Type: "email", Value: corrected, Verified: true})
	})
	if byHand := d.endByHand(shown, dsar.Rectified); !slices.Equal(byHand, []string{"communications", "events", "support"}) {
		t.Errorf("with the new address shown it was corrected by hand in %v", byHand)
	}
	if got := addresses(); !slices.Equal(got, []any{corrected, corrected}) {
		t.Error("a system has another address")
	}
}
