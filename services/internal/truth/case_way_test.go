package truth

import (
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
)

// TestCase08TheRowThatLeadsGoesFirst: what is found by way of another system's rows is
// erased by the plan's keys though those are gone by then.
func TestCase08TheRowThatLeadsGoesFirst(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		db := s.system(`
system: account
technical: [notes, tags]
datasets:
- {name: users, columns: [id, email], subject: {email: email}}
`, "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT)", "CREATE TABLE notes(id INTEGER PRIMARY KEY, user_id INTEGER, body TEXT)", "CREATE TABLE tags(id INTEGER PRIMARY KEY, note_id INTEGER)")
		s.in(db, ordinary(s, `
system: crm
erase_after: [account]
technical: [users]
datasets:
- {name: notes, columns: [id, body], via: [{table: users, on: {user_id: id}}], subject: {email: users.email}}
- {name: tags, columns: [id], via: [{table: notes, on: {note_id: id}}, {table: users, on: {user_id: id}}], subject: {email: users.email}, technical: [note_id]}
`))
		for p, person := range []string{"anna", "sam"} {
			db.row("users", 1+p, person+"@example.com")
			db.row("notes", 11+p, 1+p, person)
			db.row("tags", 21+p, 11+p)
		}
		s.begin()
		a := s.completes(dsar.Erasure, "email anna@example.com")
		s.numbers(a, "crm", "notes", 1, 1, 0)
		s.holds("crm", "SELECT body FROM notes", "sam")
		s.holds("crm", "SELECT id FROM tags", "22")
		s.holds("account", "SELECT id FROM users", "2")
	})
}

// TestCase08TheLeadIsAnonymised: the row that leads stays, without what leads; and a row
// that somebody else deleted in between is told as gone, never as erased.
func TestCase08TheLeadIsAnonymised(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		db := s.system(`
system: account
technical: [notes]
datasets:
- {name: users, columns: [id, email], subject: {email: email}, anonymise: {email: null}}
`, "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT)", "CREATE TABLE notes(id INTEGER PRIMARY KEY, user_id INTEGER)")
		s.in(db, ordinary(s, `
system: crm
erase_after: [account]
technical: [users]
datasets:
- {name: notes, columns: [id], via: [{table: users, on: {user_id: id}}], subject: {email: users.email}}
`))
		db.row("users", 1, "anna@example.com")
		for id := 11; id <= 13; id++ {
			db.row("notes", id, 1)
		}
		s.before = func(system string, action dsar.Action) {
			if system == "crm" && action == dsar.Erase {
				db.exec("DELETE FROM notes WHERE id = 12")
			}
		}
		s.quiet = true
		s.begin()
		a := s.completes(dsar.Erasure, "email anna@example.com")
		s.holds("crm", "SELECT id FROM notes")
		if d := a.dataset("crm", "notes"); d.Erased != 2 || d.Gone != 1 || d.Found != 3 {
			s.Errorf("%+v", d)
		}
	})
}

// TestCase09TheSameInsideOneSystem: posts and their meta rows, both found by a view over
// the meta rows, go both, in whichever order they stand in the manifest.
func TestCase09TheSameInsideOneSystem(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"meta", "posts"} {
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(s *scene) {
				datasets := []string{
					"- {name: meta, table: wp_postmeta, key: [meta_id], columns: [meta_id, meta_key, meta_value], via: [{table: billed, on: {post_id: post_id}}], subject: {email: billed.email}, technical: [post_id]}",
					"- {name: posts, table: wp_posts, columns: [id], via: [{table: billed, on: {id: post_id}}], subject: {email: billed.email}, technical: [kind]}",
				}
				if first == "posts" {
					slices.Reverse(datasets)
				}
				db := s.system("system: wp\ntechnical: [billed]\ndatasets:\n"+strings.Join(datasets, "\n")+"\n",
					"CREATE TABLE wp_posts(id INTEGER PRIMARY KEY, kind TEXT)", "CREATE TABLE wp_postmeta(meta_id INTEGER PRIMARY KEY, post_id INTEGER, meta_key TEXT, meta_value TEXT)",
					"CREATE VIEW billed AS SELECT DISTINCT post_id, meta_value AS email FROM wp_postmeta WHERE meta_key = '_billing_email'")
				for p, person := range []string{"anna", "sam"} {
					for n := range 2 {
						post := 1 + 10*p + n
						db.row("wp_posts", post, "shop_order")
						db.row("wp_postmeta", 100*post, post, "_billing_email", person+"@example.com")
						db.row("wp_postmeta", 100*post+1, post, "_billing_city", "Lyon")
					}
				}
				s.begin()
				a := s.completes(dsar.Erasure, "email anna@example.com")
				s.numbers(a, "wp", "meta", 4, 4, 0)
				s.numbers(a, "wp", "posts", 2, 2, 0)
				s.holds("wp", "SELECT id FROM wp_posts", "11", "12")
				s.holds("wp", "SELECT meta_id FROM wp_postmeta", "1100", "1101", "1200", "1201")
			})
		})
	}
}

// TestCase09ViewsAsDatasets: each dataset is a view that finds its rows by the other's.
func TestCase09ViewsAsDatasets(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		if s.kind == sqLite {
			s.Skip("SQLite deletes from no view without a trigger")
		}
		db := s.system(`
system: wp
technical: [wp_posts, wp_postmeta]
datasets:
- {name: orders, columns: [id, email], subject: {email: email}}
- {name: metas, key: [meta_id], columns: [meta_id, meta_key, email], subject: {email: email}}
`, "CREATE TABLE wp_posts(id INTEGER PRIMARY KEY, kind TEXT)", "CREATE TABLE wp_postmeta(meta_id INTEGER PRIMARY KEY, post_id INTEGER, meta_key TEXT, meta_value TEXT)",
			"CREATE VIEW orders AS SELECT id, (SELECT m.meta_value FROM wp_postmeta m WHERE m.post_id = p.id AND m.meta_key = '_billing_email' LIMIT 1) AS email FROM wp_posts p",
			"CREATE VIEW metas AS SELECT meta_id, meta_key, (SELECT m.meta_value FROM wp_postmeta m WHERE m.post_id = p.post_id AND m.meta_key = '_billing_email' LIMIT 1) AS email FROM wp_postmeta p")
		for p, person := range []string{"anna", "sam"} {
			post := 1 + p
			db.row("wp_posts", post, "shop_order")
			db.row("wp_postmeta", 100*post, post, "_billing_email", person+"@example.com")
			db.row("wp_postmeta", 100*post+1, post, "_billing_city", "Lyon")
		}
		s.begin()
		s.completes(dsar.Erasure, "email anna@example.com")
		s.holds("wp", "SELECT id FROM wp_posts", "2")
		s.holds("wp", "SELECT meta_id FROM wp_postmeta", "200", "201")
	})
}

// TestCase12EachWayIsItsOwn: a message is the person's by what it holds itself, whatever
// became of the conversation; and by the conversation, whoever sent it.
func TestCase12EachWayIsItsOwn(t *testing.T) {
	t.Parallel()
	onBoth(t, func(s *scene) {
		db := s.system(`
system: chat
needs: [email, contact, user]
finds: [contact, user]
technical: [people]
resolve: [{find: contact, table: people, column: contact_id, by: {email: email}}, {find: user, table: people, column: id, by: {email: email}}]
datasets:
- {name: messages, columns: [id, body], via: [{table: conversations, on: {conversation_id: id}}], subject: {contact: conversations.contact_id, user: sender_id}, technical: [conversation_id]}
- {name: conversations, columns: [id], subject: {contact: contact_id}}
`, "CREATE TABLE people(id INTEGER PRIMARY KEY, email TEXT, contact_id INTEGER)", "CREATE TABLE conversations(id INTEGER PRIMARY KEY, contact_id INTEGER)", "CREATE TABLE messages(id INTEGER PRIMARY KEY, conversation_id INTEGER, sender_id INTEGER, body TEXT)")
		db.row("people", 1, "anna@example.com", 2) // her numbers are the other way round than Sam's
		db.row("people", 2, "sam@example.com", 1)
		db.row("conversations", 1, 2)
		db.row("conversations", 2, 1)
		db.row("messages", 1, 1, 1, "hers, in hers")
		db.row("messages", 2, 1, 2, "his, in hers")
		db.row("messages", 3, 2, 1, "hers, in his")
		db.row("messages", 4, 9, 1, "hers, conversation gone")
		db.row("messages", 5, nil, 1, "hers, no conversation")
		db.row("messages", 6, 2, 2, "his, in his")
		db.row("messages", 7, 9, 2, "his, conversation gone")
		db.row("messages", 8, nil, nil, "nobody's")
		s.begin()
		s.shows(s.completes(dsar.Access, "email anna@example.com"), "chat", "messages", "1", "2", "3", "4", "5")
		s.shows(s.completes(dsar.Access, "email sam@example.com"), "chat", "messages", "2", "3", "6", "7")
		s.numbers(s.completes(dsar.Erasure, "email anna@example.com"), "chat", "messages", 5, 5, 0)
		s.holds("chat", "SELECT id FROM messages", "6", "7", "8")
		s.shows(s.completes(dsar.Access, "email sam@example.com"), "chat", "messages", "6", "7")
	})
}
