package truth

import (
	"context"
	"maps"
	"slices"
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
			if kept := a.dataset("chat", "messages").Retained; len(kept) != 1 || kept[0].Ground != dsar.LegalHold {
				s.Errorf("kept is told as %+v", kept)
			}
			s.silentOn(a, "anna@")

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
