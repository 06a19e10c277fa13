package truth

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/core"
)

// chat has messages that are two people's: who sent them, and who got them. Anna is 1, Sam
// 2, Eve 3.
func chat(s *scene) *store {
	db := s.system(`
system: chat
needs: [email, sender, recipient]
finds: [sender, recipient]
technical: [people]
resolve: [{find: sender, table: people, column: id, by: {email: email}}, {find: recipient, table: people, column: id, by: {email: email}}]
datasets:
- {name: messages, columns: [id, body], subject: {sender: sender_id, recipient: recipient_id}}
- {name: drafts, columns: [id, body], subject: {sender: author_id}}
`, "CREATE TABLE people(id INTEGER PRIMARY KEY, email TEXT)", "CREATE TABLE messages(id INTEGER PRIMARY KEY, sender_id INTEGER, recipient_id INTEGER, body TEXT)", "CREATE TABLE drafts(id INTEGER PRIMARY KEY, author_id INTEGER, body TEXT)")
	for i, name := range []string{"anna", "sam", "eve"} {
		db.row("people", 1+i, name+"@example.com")
	}
	db.row("messages", 1, 1, 2, "hers, to Sam")
	db.row("messages", 2, 2, 1, "Sam's, to her")
	db.row("messages", 3, 2, 3, "Sam's, to Eve")
	db.row("drafts", 1, 2, "Sam's")
	db.row("drafts", 2, 1, "hers")
	return db
}

// TestHoldKeepsFromAnothersErasure: what is held of a person stays though it is also the
// record of somebody else who asks for erasure, the certificate says on which ground, and
// once the hold is lifted it goes.
func TestHoldKeepsFromAnothersErasure(t *testing.T) {
	t.Parallel()
	for _, hold := range []core.Hold{{}, {System: "chat"}, {Dataset: "messages"}, {System: "chat", Dataset: "messages"}} {
		onBoth(t, func(s *scene) {
			s.quiet = true
			chat(s)
			s.begin()
			hold.By, hold.Reason, hold.Now = "lea", "a lawsuit", s.now
			anna := s.asks(dsar.Access, "email anna@example.com")
			s.do(anna.Accepted.RequestID, hold)
			sam := s.asks(dsar.Erasure, "email sam@example.com")
			a := s.completed(sam)
			s.holds("chat", "SELECT id FROM messages", "1", "2")
			s.holds("chat", "SELECT id FROM drafts", "2")
			s.numbers(a, "chat", "messages", 3, 1, 2)
			if kept := a.dataset("chat", "messages").Retained; len(kept) != 1 || kept[0].Ground != dsar.ConcernsOthers {
				s.Errorf("kept is told as %+v", kept)
			}
			s.silentOn(a, "anna@", dsar.LegalHold, "lawsuit")

			// Somebody who shares nothing that is held is erased as ever.
			s.completes(dsar.Erasure, "email eve@example.com")
			hold := core.Lift{By: "lea", Reason: "settled", System: hold.System, Dataset: hold.Dataset, Now: s.now}
			s.do(anna.Accepted.RequestID, hold)
			s.until(s.now.Add(core.ReleaseAfter))
			for s.deliver() {
			}
			s.holds("chat", "SELECT id FROM messages")
			s.holds("chat", "SELECT id FROM drafts", "2")
		})
	}
}

// TestHoldOnOneOfAHousehold: a hold on somebody keeps nothing that what only another of their
// household has leads to, and that leads to the held person by their telephone alone; it keeps
// what leads to that person by what they alone have, and what leads to both by the telephone
// alone (attack 11, 24). Who asked isn't told of a lawsuit, and the trace says whose hold it is.
func TestHoldOnOneOfAHousehold(t *testing.T) {
	t.Parallel()
	const phone = "+33612345678"
	for _, c := range []struct {
		bob        []string // by what he asks
		acc        []string // what is left
		club       bool     // whether his table is
		doubt, own bool
	}{
		{bob: []string{"phone " + phone, "account_id 6"}, acc: []string{"5"}, doubt: true},
		{bob: []string{"phone " + phone}, acc: []string{"5", "6"}, club: true, doubt: true},
		{bob: []string{"account_id 6"}, acc: []string{"5", "6"}, club: true},
		{bob: []string{"phone " + phone, "account_id 5"}, acc: []string{"5", "6"}, club: true, own: true},
	} {
		t.Run(strings.Join(c.bob, " "), func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(s *scene) {
				s.quiet = true
				db := s.system(`
system: shop
needs: [account_id, phone]
scope: {account_id: given}
datasets:
- {name: acc, columns: [id, name], subject: {account_id: id, phone: phone}}
- {name: sms, columns: [id, body], subject: {phone: phone}}
`, "CREATE TABLE acc(id INTEGER PRIMARY KEY, name TEXT, phone TEXT)", "CREATE TABLE sms(id INTEGER PRIMARY KEY, phone TEXT, body TEXT)")
				db.row("acc", 5, "Ann", phone)
				db.row("acc", 6, "Bob", phone)
				db.row("sms", 1, phone, "whose?")
				// Of a person these leave all or nothing.
				vendors := map[string]*club{"club": {members: map[string][]string{"table 1": {"6", phone}}}, "pub": {members: map[string][]string{"table 1": {"6", phone}, "table 2": {phone}}}}
				for name, v := range vendors {
					m := ordinary(s, "system: "+name+"\nneeds: [account_id, phone]\nscope: {account_id: given}\nabilities: [erase]\ndatasets: [{name: tables, columns: [id], subject: {phone: phone}}]\n")
					m.SQL, m.Datasets[0].SQL = nil, nil
					s.served(m, v)
				}
				s.begin()
				ann := s.asks(dsar.Access, "phone "+phone, "account_id 5")
				s.do(ann.Accepted.RequestID, core.Hold{By: "lea", Reason: "a lawsuit", Now: s.now})
				bob := s.asks(dsar.Erasure, c.bob...)
				if c.doubt {
					bob = s.doubts(bob, false, ann)
				}
				a := s.completed(bob)
				s.holds("shop", "SELECT id FROM acc", c.acc...)
				s.holds("shop", "SELECT id FROM sms", "1")
				if left := len(vendors["club"].members) == 1; left != c.club || len(vendors["pub"].members) != 2 {
					s.Errorf("left are %v and %v", vendors["club"].members, vendors["pub"].members)
				}
				if c.own {
					return
				}
				s.silentOn(a, dsar.LegalHold, "lawsuit")
				if !strings.Contains(a.files["index.html"], "may concern other people") {
					s.Error("it isn't said why something stays")
				}
				for _, system := range []string{"shop", "pub"} {
					if words := s.said(bob, bob.Task(system, dsar.Erase)); !strings.Contains(words, ann.Accepted.RequestID) {
						s.Errorf("it isn't said to support whose hold keeps something in %s: %q", system, words)
					}
				}
			})
		})
	}
}

// TestHoldOutlivesWhatLedToIt: what is held of a person stays though their own erasure took
// the record by which it was found, whoever else's record it is, and whichever of the
// person's requests the hold is on; once it is lifted it goes, for both.
func TestHoldOutlivesWhatLedToIt(t *testing.T) {
	t.Parallel()
	for _, on := range []string{"an earlier request", "the erasure"} {
		onBoth(t, func(s *scene) {
			s.quiet = true
			db := s.system(`
system: mail
datasets:
- {name: users, columns: [id, email], subject: {email: email}}
- {name: messages, columns: [id, body], technical: [sender_id, recipient], ways: [{via: [{table: users, on: {sender_id: id}}], subject: {email: users.email}}, {subject: {email: recipient}}]}
`, "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT)", "CREATE TABLE messages(id INTEGER PRIMARY KEY, sender_id INTEGER, recipient TEXT, body TEXT)")
			db.row("users", 1, "anna@example.com")
			db.row("users", 2, "sam@example.com")
			db.row("messages", 1, 2, "anna@example.com", "Sam's, to her")
			db.row("messages", 2, 1, "eve@example.com", "hers, to Eve")
			s.begin()
			hold := core.Hold{By: "lea", Reason: "a lawsuit", System: "mail", Dataset: "messages"}
			var held string
			put := func(id string) {
				hold.Now, held = s.now, id
				s.do(id, hold)
			}
			if on == "an earlier request" {
				put(s.asks(dsar.Access, "email sam@example.com").Accepted.RequestID)
			}
			erased := s.submits(dsar.Erasure, "email sam@example.com")
			if on == "the erasure" {
				put(erased)
			}
			s.numbers(s.completed(s.play(erased)), "mail", "messages", 1, 0, 1)
			s.holds("mail", "SELECT id FROM users", "1")
			s.numbers(s.completes(dsar.Erasure, "email anna@example.com"), "mail", "messages", 2, 1, 1)
			s.holds("mail", "SELECT id FROM users")
			s.holds("mail", "SELECT id FROM messages", "1")
			for id := range map[string]bool{held: true, erased: true} {
				s.do(id, core.Lift{By: "lea", Reason: "settled", System: "mail", Dataset: "messages", Now: s.now})
			}
			s.until(s.now.Add(core.ReleaseAfter))
			for s.deliver() {
			}
			s.holds("mail", "SELECT id FROM messages")
		})
	}
}

// TestHoldKeepsNobodyElse: a hold that is put on an erasure when it is done keeps nothing of
// who was given a number of it since.
func TestHoldKeepsNobodyElse(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		s.quiet = true
		db := s.system(`
system: mail
datasets:
- {name: users, columns: [id, email], subject: {email: email}}
`, "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT)")
		db.row("users", 2, "sam@example.com")
		s.begin()
		sam := s.asks(dsar.Erasure, "email sam@example.com")
		s.completed(sam)
		s.do(sam.Accepted.RequestID, core.Hold{By: "lea", Reason: "a lawsuit", Now: s.now})
		db.row("users", 2, "carl@example.com")
		s.numbers(s.completes(dsar.Erasure, "email carl@example.com"), "mail", "users", 1, 1, 0)
	})
}

// TestHoldKeepsWhatComesLater: what becomes the held person's after the other one's erasure
// was planned stays too, and so does what comes after the hold.
func TestHoldKeepsWhatComesLater(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		s.quiet = true
		db := chat(s)
		s.begin()
		anna := s.asks(dsar.Access, "email anna@example.com")
		s.do(anna.Accepted.RequestID, core.Hold{By: "lea", Reason: "a lawsuit", Now: s.now})
		came := false
		s.before = func(_ string, action dsar.Action) {
			if action == dsar.Erase && !came {
				came = true
				db.row("messages", 4, 2, 1, "Sam's, late")
				db.exec("UPDATE messages SET recipient_id = 1 WHERE id = 3")
			}
		}
		a := s.completed(s.asks(dsar.Erasure, "email sam@example.com"))
		s.holds("chat", "SELECT id FROM messages", "1", "2", "3", "4")
		s.numbers(a, "chat", "messages", 4, 0, 4)
	})
}

// TestHoldAndWhatWouldGoWithIt: a held record that the database would delete with another
// keeps that one as well.
func TestHoldAndWhatWouldGoWithIt(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		s.quiet = true
		db := s.system(`
system: forum
needs: [email, user]
finds: [user]
technical: [users]
resolve: [{find: user, table: users, column: id, by: {email: email}}]
datasets:
- {name: threads, columns: [id], subject: {email: author}}
- {name: posts, columns: [id], subject: {email: author, user: about}, technical: [thread_id]}
`, "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT)", "CREATE TABLE threads(id INTEGER PRIMARY KEY, author TEXT)", "CREATE TABLE posts(id INTEGER PRIMARY KEY, thread_id INTEGER REFERENCES threads ON DELETE CASCADE, author TEXT, about INTEGER)")
		db.row("users", 1, "anna@example.com")
		db.row("threads", 1, "sam@example.com")
		db.row("posts", 1, 1, "sam@example.com", 1)
		db.row("posts", 2, 1, "sam@example.com", nil)
		s.begin()
		anna := s.asks(dsar.Access, "email anna@example.com")
		s.do(anna.Accepted.RequestID, core.Hold{By: "lea", Reason: "a lawsuit", Now: s.now})
		s.stops(s.asks(dsar.Erasure, "email sam@example.com"), "forum", "not covered", "threads")
		s.holds("forum", "SELECT id FROM threads", "1")
		s.holds("forum", "SELECT id FROM posts", "1")
	})
}

// TestHoldWithoutTheSystemsHelp: a worker that can't keep single records keeps all that it
// has of a person one of whose records is held of somebody else.
func TestHoldWithoutTheSystemsHelp(t *testing.T) {
	t.Parallel()
	s := newScene(t, sqLite)
	s.quiet = true
	c := &club{members: map[string][]string{"table 1": {"anna@example.com", "sam@example.com"}, "table 2": {"sam@example.com"}, "table 3": {"eve@example.com"}}}
	m := ordinary(s, `
system: club
abilities: [erase]
datasets: [{name: tables, columns: [id], subject: {email: email}}]
`)
	m.SQL, m.Datasets[0].SQL = nil, nil
	s.served(m, c)
	chat(s)
	s.begin()
	anna := s.submits(dsar.Erasure, "email anna@example.com")
	s.do(anna, core.Hold{By: "lea", Reason: "a lawsuit", System: "club", Now: s.now})
	sam := s.completed(s.asks(dsar.Erasure, "email sam@example.com"))
	s.numbers(sam, "club", "tables", 2, 0, 2)
	s.completes(dsar.Erasure, "email eve@example.com")
	if left := slices.Sorted(maps.Keys(c.members)); !slices.Equal(left, []string{"table 1", "table 2"}) {
		s.Errorf("%v are left", left)
	}
	s.do(anna, core.Lift{By: "lea", Reason: "settled", System: "club", Now: s.now})
	s.until(s.now.Add(core.ReleaseAfter))
	for s.deliver() {
	}
	if len(c.members) > 0 {
		s.Errorf("%v are left, and nothing is held", c.members)
	}
}

// TestCase13HeldByAVendor: such a worker is asked to stop the use of what it keeps for a hold,
// the person's own or somebody else's; it is said to be used for nothing else only where all
// use of it has ended. What can't be stopped a person sees.
func TestCase13HeldByAVendor(t *testing.T) {
	t.Parallel()
	locks := []dsar.Action{dsar.Erase, dsar.Restrict}
	for _, c := range []struct {
		name        string
		abilities   []dsar.Action
		own         bool // the hold is on the person who is erased
		cant        bool
		asked, said bool
	}{
		{"their own", locks, true, false, true, true},
		{"another's", locks, false, false, true, true},
		{"no flag", []dsar.Action{dsar.Erase}, true, false, false, false},
		{"another's, no flag", []dsar.Action{dsar.Erase}, false, false, false, false},
		{"can't", locks, true, true, true, false},
		{"another's, can't", locks, false, true, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, sqLite)
			s.proof = "always"
			held := &lockable{club: club{members: map[string][]string{"table 1": {"anna@example.com", "sam@example.com"}, "table 2": {"sam@example.com"}, "table 3": {"eve@example.com"}}}, cant: c.cant}
			m := ordinary(s, `
system: club
abilities: [erase]
datasets: [{name: tables, columns: [id], subject: {email: email}}]
`)
			m.SQL, m.Datasets[0].SQL, m.Abilities = nil, nil, c.abilities
			s.served(m, held)
			s.begin()
			submits := func(who string) string {
				r := mine("email " + who)
				r.Right, r.Subject.Proven = dsar.Erasure, nil
				id := s.submit(r)
				s.play(id)
				return id
			}
			anna, sam := submits("anna@example.com"), submits("sam@example.com")
			of := anna
			if c.own {
				of = sam
			}
			s.do(of, core.Hold{By: "lea", Reason: "a lawsuit", System: "club", Now: s.now})
			state := s.do(sam, core.JudgeProof{By: "lea", Accepted: true, Calendar: s.kit.book, Now: s.now})
			if c.cant {
				s.stops(state, "club", "nothing stops it")
				state = s.do(sam, core.Attest{By: "lea", Reason: "leave it at that", System: "club", Action: dsar.Restrict, Outcome: dsar.Incomplete, Now: s.now})
			}
			a := s.completed(state)
			s.numbers(a, "club", "tables", 2, 0, 2)
			says := false
			for _, text := range append(s.written(sam), a.files["index.html"], a.files["certificate.json"]) {
				says = says || strings.Contains(text, "used for nothing else")
			}
			if says != c.said || (held.asked > 0) != c.asked {
				s.Errorf("asked to stop: %d times, said to be used for nothing else: %t", held.asked, says)
			}
			if want := map[bool][]string{true: {"table 1", "table 2"}}[c.said]; !slices.Equal(slices.Sorted(maps.Keys(held.locked)), want) {
				s.Errorf("out of use are %v", held.locked)
			}
			s.do(of, core.Lift{By: "lea", Reason: "settled", System: "club", Now: s.now})
			s.until(s.now.Add(core.ReleaseAfter))
			for s.deliver() {
			}
			if left := slices.Sorted(maps.Keys(held.members)); !slices.Equal(left, []string{"table 3"}) {
				s.Errorf("%v are left, and nothing is held", left)
			}
		})
	}
}

// lockable is a club whose tables can be put out of use, unless nothing does that.
type lockable struct {
	club
	cant   bool
	asked  int
	locked map[string]bool
}

func (l *lockable) Restrict(_ context.Context, jobs []*worker.RestrictJob) error {
	for _, j := range jobs {
		if l.asked++; l.cant {
			j.Err = worker.Permanent("not-restrictable", "nothing stops it", nil)
			continue
		}
		n := dsar.Counts{Dataset: "tables"}
		for _, name := range l.of(j.Task, nil) {
			if l.locked == nil {
				l.locked = map[string]bool{}
			}
			l.locked[name] = true
			n.Found, n.Restricted = n.Found+1, n.Restricted+1
		}
		j.Counts = []dsar.Counts{n}
	}
	return nil
}

// club is a vendor's worker: its records are tables, each of some members.
type club struct{ members map[string][]string }

// of returns the tables that are a task's: by its identifiers, and by a plan's keys.
func (c *club) of(t worker.Task, p *worker.Plan) (tables []string) {
	planned := map[string]bool{}
	for e := range p.Entries(context.Background()) {
		planned[e.Key] = true
	}
	for name, members := range c.members {
		if planned[name] || slices.ContainsFunc(t.Identifiers, func(id worker.Identifier) bool { return slices.Contains(members, id.Value) }) {
			tables = append(tables, name)
		}
	}
	slices.Sort(tables)
	return tables
}

func (c *club) Plan(_ context.Context, jobs []*worker.PlanJob) error {
	for _, j := range jobs {
		for _, name := range c.of(j.Task, nil) {
			if j.Err == nil {
				j.Err = j.Plan.Erase("tables", name)
			}
		}
	}
	return nil
}

func (c *club) Erase(_ context.Context, jobs []*worker.EraseJob) error {
	for _, j := range jobs {
		n := dsar.Counts{Dataset: "tables"}
		for _, name := range c.of(j.Task, j.Plan) {
			delete(c.members, name)
			n.Erased++
		}
		j.Counts = []dsar.Counts{n}
	}
	return nil
}

func (c *club) Prove(_ context.Context, jobs []*worker.EraseJob) error {
	for _, j := range jobs {
		if n := int64(len(c.of(j.Task, j.Plan))); n > 0 {
			j.Counts = []dsar.Counts{{Dataset: "tables", Found: n}}
		}
	}
	return nil
}
