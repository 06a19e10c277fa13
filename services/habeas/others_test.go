package main

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/sandbox/people"
)

// change changes a system's database.
func (d *desk) change(system, statement string, args ...any) {
	d.Helper()
	db, err := sql.Open("sqlite", filepath.Join(d.n.Config.Room(config.RoomSandbox), system+".db"))
	if err != nil {
		d.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(d.Context(), statement, args...); err != nil {
		d.Fatalf("%s: %v", statement, err)
	}
}

// TestWhatOthersSaid: of a ticket that several people write to, the person is
// answered with their own words and our staff's, and with none of another
// customer's; of a call in which others are heard, only what a person has
// released. An erasure takes all of it.
func TestWhatOthersSaid(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	who := d.account(1)
	for _, locale := range []string{"en", "fr"} {
		id := d.ask(who, dsar.Access, "EEA", locale, nil)
		d.wait(id)
		files := payload(t, d.n, id)
		for name, content := range files {
			for _, theirs := range []string{people.ParticipantText, people.ParticipantName, people.ParticipantEmail, "lea@support.example.com"} {
				if strings.Contains(string(content), theirs) {
					t.Errorf("%s says %q", name, theirs)
				}
			}
		}
		if !strings.Contains(string(files["support/messages.json"]), "Lea, Support") {
			t.Error("our own answers are left out")
		}
		d.says(id, map[string]string{"en": "Part of this is about other people", "fr": "Une partie concerne d’autres personnes"}[locale])
	}

	const heard = "the other customer said that"
	d.change("support", "UPDATE calls SET conference = 1, transcript = ? WHERE email = ? COLLATE NOCASE", heard, d.people.Person(who).Email)
	for _, release := range []bool{false, true} {
		id := d.ask(who, dsar.Access, "EEA", "en", nil)
		row := waitFor(t, d.n.Installation.Journal, id)
		if row.Status != core.StatusNeedsAttention {
			t.Fatalf("answered before anybody has looked: %s", row.Status)
		}
		d.do(id, core.Attest{By: "lea", System: "support", Outcome: dsar.Gathered, Release: release, Reason: "listened to it", Now: now()})
		d.wait(id)
		if got := strings.Contains(string(payload(t, d.n, id)["support/calls.json"]), heard); got != release {
			t.Errorf("released %v, and shown %v", release, got)
		}
	}

	id := d.ask(who, dsar.Erasure, "EEA", "en", nil)
	d.wait(id)
	if n := d.value("support", "SELECT count(*) FROM calls WHERE email = ? COLLATE NOCASE", d.people.Person(who).Email); n != int64(0) {
		t.Errorf("%v calls are left", n)
	}
	// What billing has to keep is kept for the tax office, and for nothing else.
	ref := d.people.CustomerRef(who)
	kept, locked := d.value("billing", "SELECT count(*) FROM invoices WHERE customer_ref = ?", ref), d.value("billing", "SELECT count(*) FROM invoices WHERE customer_ref = ? AND restricted", ref)
	if kept == int64(0) || kept != locked {
		t.Errorf("%v of %v invoices that have to stay are restricted", locked, kept)
	}
}

// TestConsentByPurpose: a consent is withdrawn for the purpose that was named, in
// every system, and for no other; without a name, for all of them.
func TestConsentByPurpose(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	who := d.account(1)
	flag := func(column string) any {
		return d.value("communications", "SELECT "+column+" FROM preferences WHERE email = ? COLLATE NOCASE", d.people.Person(who).Email)
	}
	marketing := func() any {
		return d.value("account", "SELECT marketing FROM accounts WHERE account_id = ?", d.people.Person(who).AccountID)
	}
	before := marketing()
	withdraw := func(purposes ...string) string {
		id := d.ask(who, dsar.ConsentWithdrawal, "EEA", "en", func(s *event.Submitted) {
			if purposes != nil {
				s.Details = &event.Details{Purposes: purposes}
			}
		})
		d.endByHand(id, dsar.Restricted)
		return id
	}
	id := withdraw("newsletter")
	if flag("newsletter") != int64(0) || flag("marketing") != int64(1) || flag("shared") != int64(1) || marketing() != before {
		t.Errorf("newsletter %v, marketing %v, shared %v, in the account %v", flag("newsletter"), flag("marketing"), flag("shared"), marketing())
	}
	d.says(id, "You withdrew your consent", "newsletter", "Communication preferences")
	withdraw()
	if flag("marketing") != int64(0) || flag("shared") != int64(0) || marketing() != int64(0) {
		t.Errorf("marketing %v, shared %v, in the account %v", flag("marketing"), flag("shared"), marketing())
	}

	// Opted out: no sale, no sharing; what else was agreed to stays.
	who = d.account(who + 1)
	id = d.ask(who, dsar.OptOut, "California", "en", nil)
	d.endByHand(id, dsar.Restricted)
	if flag("shared") != int64(0) || flag("newsletter") != int64(1) {
		t.Errorf("shared %v, newsletter %v", flag("shared"), flag("newsletter"))
	}
}
