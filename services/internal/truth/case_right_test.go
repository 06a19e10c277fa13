package truth

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
)

// asking is one person's request for a right, of some purposes, under some law.
func asking(right dsar.Right, law string, purposes ...string) event.Submitted {
	r := mine("email anna@example.com")
	r.Right, r.Jurisdiction = right, law
	if purposes != nil {
		r.Details = &event.Details{Purposes: purposes}
	}
	return r
}

func (s *scene) stateOf(id string) core.State {
	s.Helper()
	state, err := s.life.State(s.ctx(), id)
	s.must(err)
	return state
}

// threeSystems is three systems of one person: one that runs the account and sends news, one
// that only sends, one that does neither.
func threeSystems(s *scene) {
	account := s.system(`
system: account
abilities: [gather, erase, restrict]
datasets:
- {name: users, columns: [id, email], subject: {email: email}, purposes: [run-account, marketing], technical: [frozen, news],
   restrict: [{column: frozen, value: 1, lifted: 0}, {column: news, value: 0, lifted: 1, stops: [marketing]}]}
`, "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT, frozen INTEGER, news INTEGER)")
	mailing := s.system(`
system: mailing
abilities: [gather, erase, restrict]
datasets:
- {name: leads, columns: [id, email], subject: {email: email}, purposes: [prospecting], technical: [off], restrict: [{column: off, value: 1, lifted: 0, stops: [prospecting]}]}
- {name: surveys, columns: [id, email], subject: {email: email}, purposes: [research], technical: [off], restrict: [{column: off, value: 1, lifted: 0, stops: [research]}]}
`, "CREATE TABLE leads(id INTEGER PRIMARY KEY, email TEXT, off INTEGER)", "CREATE TABLE surveys(id INTEGER PRIMARY KEY, email TEXT, off INTEGER)")
	books := s.system(`
system: ledger
datasets:
- {name: entries, columns: [id, email], subject: {email: email}, purposes: [books, security]}
`, "CREATE TABLE entries(id INTEGER PRIMARY KEY, email TEXT)")
	for i, who := range []string{"anna@example.com", "sam@example.com"} {
		account.row("users", i+1, who, 0, 1)
		mailing.row("leads", i+1, who, 0)
		mailing.row("surveys", i+1, who, 0)
		books.row("entries", i+1, who)
	}
	s.begin()
}

// TestCase18ObjectionToMarketing: marketing stops, in every system and under whichever name
// it has there, and nothing else does: the account isn't frozen, what rests on consent for
// something else goes on, and the ledger isn't asked.
func TestCase18ObjectionToMarketing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		threeSystems(s)
		id := s.submit(asking(dsar.Objection, "EEA", "mark:marketing"))
		page := s.completed(s.play(id)).files["index.html"]
		for _, want := range []string{"What you asked for has ended here: to send you news.", "What goes on: to run your account (a contract with you).", "uses data for nothing that you asked to end"} {
			if !strings.Contains(page, want) {
				s.Errorf("the page doesn't say %q", want)
			}
		}
		if strings.Contains(page, "no longer used") {
			s.Error("the page says of an account that it is no longer used")
		}
		s.holds("account", "SELECT frozen FROM users", "0", "0")
		s.holds("account", "SELECT news FROM users WHERE id = 1", "0")
		s.holds("mailing", "SELECT off FROM leads WHERE id = 1", "1")
		s.holds("mailing", "SELECT off FROM surveys", "0", "0")
		s.holds("account", "SELECT news FROM users WHERE id = 2", "1")
		if t := s.stateOf(id).Task("ledger", dsar.Restrict); t == nil || t.End.Outcome != dsar.NotApplicable || t.End.Code != core.CodeNoPurpose || t.Attempt != 0 {
			s.Errorf("the ledger: %+v", t)
		}
	})
}

// TestCase18EachRightItsOwn: what each right ends, of all, and what goes on.
func TestCase18EachRightItsOwn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                        string
		ask                         event.Submitted
		frozen, news, leads, survey string
	}{
		{"consent, all of it", asking(dsar.ConsentWithdrawal, "EEA"), "0", "0", "0", "1"},
		{"consent, of one purpose", asking(dsar.ConsentWithdrawal, "EEA", "research"), "0", "1", "0", "1"},
		{"consent, in Canada", asking(dsar.ConsentWithdrawal, "Canada", "marketing"), "0", "0", "0", "0"},
		{"an id that is written like a mark", asking(dsar.Objection, "EEA", "marketing"), "0", "0", "0", "0"},
		{"objection to all", asking(dsar.Objection, "EEA"), "0", "0", "1", "0"},
		{"the notice's promise", asking(dsar.OptOut, "Japan", "mark:marketing"), "0", "0", "1", "0"},
		{"the notice's promise, all of it", asking(dsar.OptOut, "EEA"), "0", "0", "1", "0"},
		{"a sale, where there is none", asking(dsar.OptOut, "California"), "0", "1", "0", "0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(s *scene) {
				threeSystems(s)
				s.completed(s.play(s.submit(c.ask)))
				s.holds("account", "SELECT frozen FROM users WHERE id = 1", c.frozen)
				s.holds("account", "SELECT news FROM users WHERE id = 1", c.news)
				s.holds("mailing", "SELECT off FROM leads WHERE id = 1", c.leads)
				s.holds("mailing", "SELECT off FROM surveys WHERE id = 1", c.survey)
				s.holds("mailing", "SELECT off FROM surveys WHERE id = 2", "0")
			})
		})
	}
}

// TestCase19UnknownPurpose: a purpose that there isn't, or that the right doesn't end, is
// refused with those that it does.
func TestCase19UnknownPurpose(t *testing.T) {
	t.Parallel()
	s := newScene(t, sqLite)
	threeSystems(s)
	for _, c := range []struct {
		ask  event.Submitted
		want string
	}{
		{asking(dsar.Objection, "EEA", "advertising"), "/details/purposes/0: must be a purpose that objection ends under the law of EEA: mark:marketing, marketing, prospecting"},
		{asking(dsar.Objection, "EEA", "marketing", "run-account"), "/details/purposes/1: must be"},
		{asking(dsar.Objection, "EEA", "security"), "must be a purpose that objection ends"},
		{asking(dsar.ConsentWithdrawal, "EEA", "books"), "must be a purpose that consent-withdrawal ends under the law of EEA: mark:marketing, marketing, research"},
		{asking(dsar.Restriction, "EEA", "marketing"), "/details/purposes: must not be there: restriction doesn't go by purpose under the law of EEA"},
		{asking(dsar.Access, "EEA", "marketing"), "/details/purposes: must not be there"},
		{asking(dsar.OptOut, "California", "research"), "must be a purpose that opt-out ends under the law of California: mark:marketing, marketing, prospecting"},
	} {
		c.ask.RequestID, c.ask.ReceivedAt = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", s.now
		body, err := json.Marshal(c.ask)
		s.must(err)
		if code, says := s.post("/v1/requests", body); code != 400 || !strings.Contains(says, c.want) {
			t.Errorf("%d: %s; want %q", code, says, c.want)
		}
	}
	s.holds("account", "SELECT frozen FROM users", "0", "0")
}

// TestCase21Secrets: no answer has a secret in any file, under any law that grants a copy.
func TestCase21Secrets(t *testing.T) {
	t.Parallel()
	for _, law := range []string{"EEA", "UK", "California", "Japan", "elsewhere"} {
		t.Run(law, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(s *scene) {
				db := s.system(`
system: account
datasets:
- {name: users, columns: [id, email, hash, card, iban, face, motto], subject: {email: email}, secret: {hash: password, card: payment-card, iban: financial-account, face: biometric}}
`, "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT, hash TEXT, card TEXT, iban TEXT, face TEXT, motto TEXT)")
				db.row("users", 1, "anna@example.com", "$argon2id$v=19$hidden", "4000 0012 3456 7899", "LU280019400644750000", "c2VjcmV0LXRlbXBsYXRl", "carpe diem")
				s.begin()
				a := s.completed(s.play(s.submit(asking(dsar.Access, law))))
				s.shows(a, "account", "users", "1")
				s.silentOn(a, "argon2", "4000 0012", "LU28", "c2VjcmV0")
				if all := a.files["account/users.json"]; !strings.Contains(all, "ends in 7899") || !strings.Contains(all, "carpe diem") {
					s.Errorf("%s", all)
				}
			})
		})
	}
}

// TestCase22OptOutInCalifornia: fifteen business days, without proof of anything, and
// without an identifier that anybody vouches for.
func TestCase22OptOutInCalifornia(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		db := s.system(`
system: ads
abilities: [gather, erase, restrict]
datasets:
- {name: people, columns: [id, email], subject: {email: email}, purposes: [selling], technical: [sold], restrict: [{column: sold, value: 0, lifted: 1, stops: [selling]}]}
`, "CREATE TABLE people(id INTEGER PRIMARY KEY, email TEXT, sold INTEGER)")
		db.row("people", 1, "anna@example.com", 1)
		db.row("people", 2, "sam@example.com", 1)
		s.begin()
		r := asking(dsar.OptOut, "California")
		r.Subject.Proven, r.Subject.Identifiers[0].Verified = nil, false
		id := s.submit(r)
		a := s.stateOf(id).Accepted
		if days := a.DueAt.Sub(a.ReceivedAt); days > 26*24*time.Hour || days < 20*24*time.Hour || len(a.Terms.Checks) > 0 {
			s.Errorf("due after %s, with checks %v", days, a.Terms.Checks)
		}
		s.completed(s.play(id))
		s.holds("ads", "SELECT sold FROM people", "0", "1")
	})
}

// TestCase20RectifyByMeaning: a correction of what a field means reaches each system in
// that system's own column; a system without it says so; a field that nobody has is
// refused with what there is.
func TestCase20RectifyByMeaning(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		account := s.system(`
system: account
abilities: [gather, erase, rectify]
datasets:
- {name: users, columns: [id, email, postal_address], concept: {postal_address: contact.postal_address}, subject: {email: email}, rectify: [postal_address]}
`, "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT, postal_address TEXT)")
		shop := s.system(`
system: shop
abilities: [gather, erase, rectify]
datasets:
- {name: buyers, columns: [id, email, ship_to], concept: {ship_to: contact.postal_address}, subject: {email: email}, rectify: [ship_to]}
`, "CREATE TABLE buyers(id INTEGER PRIMARY KEY, email TEXT, ship_to TEXT)")
		s.system(`
system: news
abilities: [gather, erase, rectify]
datasets:
- {name: readers, columns: [id, email], subject: {email: email}, rectify: [email]}
`, "CREATE TABLE readers(id INTEGER PRIMARY KEY, email TEXT)").row("readers", 1, "anna@example.com")
		for i, who := range []string{"anna@example.com", "sam@example.com"} {
			account.row("users", i+1, who, "old street")
			shop.row("buyers", i+1, who, "old street")
		}
		s.begin()
		r := asking(dsar.Rectification, "EEA")
		r.Details = &event.Details{Corrections: []event.Correction{{Column: "contact.postal_address", Value: "1 new street"}}}
		a := s.completed(s.play(s.submit(r)))
		page := a.files["index.html"]
		for system, dataset := range map[string]string{"account": "users", "shop": "buyers"} {
			told := a.whole.About(system, dataset, statement.Corrected)
			if len(told) != 1 || len(told[0].Corrections) != 1 || !slices.Equal(told[0].Corrections[0].Was, []string{"old street"}) || told[0].Corrections[0].Is != "1 new street" {
				s.Errorf("%s doesn't say old and new: %d statements", system, len(told))
			}
		}
		if !strings.Contains(page, "“old street” before, now “1 new street”") {
			s.Error("the page doesn't say old and new")
		}
		s.holds("account", "SELECT postal_address FROM users", "1 new street", "old street")
		s.holds("shop", "SELECT ship_to FROM buyers", "1 new street", "old street")
		if !strings.Contains(page, "has none of the fields that you asked to correct") || strings.Contains(page, "knows people only by") {
			s.Error("the page says of the news that it knows nobody")
		}
		r.RequestID, r.ReceivedAt = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", s.now
		r.Details.Corrections[0].Column = "contact.shoe_size"
		body, err := json.Marshal(r)
		s.must(err)
		if code, says := s.post("/v1/requests", body); code != 400 || !strings.Contains(says, "or a concept: contact.postal_address") {
			s.Errorf("%d: %s", code, says)
		}
	})
}

// TestCase13HeldAndRestricted: what is held is flagged where the system has a flag, and
// only then is it said that nothing else is done with it.
func TestCase13HeldAndRestricted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, restrict string
		hold           core.Hold
		said           bool
	}{
		{"with a flag", ", restrict: [{column: locked, value: 1, lifted: 0}]", core.Hold{System: "crm", Dataset: "people"}, true},
		{"without a flag", "", core.Hold{System: "crm", Dataset: "people"}, false},
		{"the whole system", ", restrict: [{column: locked, value: 1, lifted: 0}]", core.Hold{System: "crm"}, true},
		{"everything", ", restrict: [{column: locked, value: 1, lifted: 0}]", core.Hold{}, true},
		{"everything, without a flag", "", core.Hold{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(s *scene) {
				s.proof = "always"
				db := s.system(`
system: crm
abilities: [gather, erase`+map[bool]string{true: ", restrict"}[c.restrict != ""]+`]
holds: true
datasets:
- {name: people, columns: [id, email], subject: {email: email}, technical: [locked]`+c.restrict+`}
`, "CREATE TABLE people(id INTEGER PRIMARY KEY, email TEXT, locked INTEGER)")
				db.row("people", 1, "anna@example.com", 0)
				db.row("people", 2, "sam@example.com", 0)
				s.begin()
				r := mine("email anna@example.com")
				r.Right, r.Subject.Proven = dsar.Erasure, nil
				id := s.submit(r)
				s.play(id)
				c.hold.By, c.hold.Reason, c.hold.Now = "lea", "a lawsuit", s.now
				if _, err := s.life.Do(s.ctx(), id, c.hold); err != nil {
					s.Fatal(err)
				}
				a := s.completed(s.do(id, core.JudgeProof{By: "lea", Accepted: true, Calendar: s.kit.book, Now: s.now}))
				s.holds("crm", "SELECT id FROM people", "1", "2")
				flagged := s.stores["crm"].list("SELECT locked FROM people WHERE id = 1")[0] == "1"
				says := false
				for _, text := range append(s.written(id), a.files["index.html"], a.files["certificate.json"]) {
					says = says || strings.Contains(text, "used for nothing else")
				}
				if flagged != c.said || says != c.said {
					s.Errorf("flagged: %t, and it is said that nothing else is done: %t", flagged, says)
				}
				s.holds("crm", "SELECT locked FROM people WHERE id = 2", "0")
			})
		})
	}
}
