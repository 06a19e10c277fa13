package sqlsystem

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

const waysSchema = `CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
CREATE TABLE messages (id INTEGER PRIMARY KEY, tenant INTEGER, kind TEXT, sender_id INTEGER, recipient_id INTEGER, body TEXT);
CREATE TABLE participants (message_id INTEGER, user_id INTEGER, PRIMARY KEY (message_id, user_id));
CREATE INDEX messages_sender ON messages (sender_id); CREATE INDEX messages_recipient ON messages (recipient_id); CREATE INDEX participants_user ON participants (user_id);
CREATE TABLE notes (id INTEGER PRIMARY KEY, owner_type TEXT, owner_id INTEGER, topic_id INTEGER);
CREATE INDEX notes_owner ON notes (owner_id) WHERE owner_type = 'User';
CREATE TABLE topics (id INTEGER PRIMARY KEY, parent_id INTEGER, title TEXT)`

// waysDatasets are messages between people, of one tenant, which its sender deletes and
// its recipient leaves, and which everybody has who took part; and notes of owners of
// several kinds, with labels out of a tree.
var waysDatasets = []string{
	`messages | table: messages, key: [id], where: {kind: [mail, chat]}, erase: delete,
      ways: [{subject: {user: sender_id}}, {subject: {user: recipient_id}, erase: anonymise, anonymise: {recipient_id: null}},
             {via: [{table: participants, on: {id: message_id}}], subject: {user: participants.user_id}, erase: anonymise, anonymise: {body: gone}}] | id body`,
	"participants | table: participants, key: [message_id, user_id], ways: [{via: [{table: messages, on: {message_id: id}}], subject: {user: user_id}}], columns: {id: message_id}, erase: delete | id",
	`notes | table: notes, key: [id], where: {owner_type: User, tenant: {any: true}}, subject: {user: owner_id}, columns: {topic: topics.title, above: parent.title},
      via: [{table: topics, on: {topic_id: id}}, {table: topics, as: parent, on: {parent_id: id}}], erase: delete | id topic above`,
}

func waysSystem(t testing.TB, d database) *System {
	t.Helper()
	return open(t, d, small(t, "abilities: [gather, erase]\nneeds: [user]\nsql: {where: {tenant: 7}}", waysDatasets...))
}

type message struct {
	tenant       int
	kind         string
	sender, to   int // 0: nobody
	participants []int
}

// TestWays holds what is found, and what an erasure leaves, against what each way says
// alone, for any rows.
func TestWays(t *testing.T) {
	t.Parallel()
	everyDatabase(t, waysSchema, func(t *testing.T, d database) {
		s := waysSystem(t, d)
		rapid.Check(t, func(t *rapid.T) {
			for _, table := range []string{"messages", "participants"} {
				if _, err := d.Exec("DELETE FROM " + table); err != nil {
					t.Fatal(err)
				}
			}
			all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) message {
				return message{rapid.SampledFrom([]int{7, 7, 8}).Draw(t, "tenant"), rapid.SampledFrom([]string{"mail", "chat", "log"}).Draw(t, "kind"),
					rapid.IntRange(0, 3).Draw(t, "sender"), rapid.IntRange(0, 3).Draw(t, "to"), rapid.SliceOfNDistinct(rapid.IntRange(1, 3), 0, 2, rapid.ID).Draw(t, "participants")}
			}), 0, 6).Draw(t, "messages")
			for i, m := range all {
				d.insert(t, "messages", i, m.tenant, m.kind, orNull(m.sender), orNull(m.to), "hello")
				for _, p := range m.participants {
					d.insert(t, "participants", i, p)
				}
			}
			ours := func(m message) bool { return m.tenant == 7 && m.kind != "log" }
			has := func(m message, p int) bool {
				return ours(m) && (m.sender == p || m.to == p || slices.Contains(m.participants, p))
			}
			got := gatherAll(t, s, ids("user 1"), ids("user 2"), ids("user 1", "user 3"))
			for j, people := range [][]int{{1}, {2}, {1, 3}} {
				var want, have []string
				for i, m := range all {
					if slices.ContainsFunc(people, func(p int) bool { return has(m, p) }) {
						want = append(want, fmt.Sprintf(`messages {"body":"hello","id":"%d"}`, i))
					}
				}
				for _, line := range got[j] {
					if strings.HasPrefix(line, "messages") {
						have = append(have, line)
					}
				}
				if !slices.Equal(have, want) {
					t.Fatalf("%v has %v, want %v", people, have, want)
				}
			}
			// What is left of each message when 1 and 2 are erased in one batch.
			var want []string
			for i, m := range all {
				body, gone := "hello", false
				for p := 1; p <= 2; p++ {
					if ours(m) && m.sender == p {
						gone = true
					}
				}
				if gone {
					continue
				}
				for p := 1; p <= 2; p++ {
					if ours(m) && slices.Contains(m.participants, p) {
						body = "gone"
					}
				}
				if ours(m) && (m.to == 1 || m.to == 2) {
					m.to = 0
				}
				want = append(want, fmt.Sprintf("%d %d %d %s", i, m.sender, m.to, body))
			}
			jobs := jobsOf(dsar.Erasure, ids("user 1"), ids("user 2"))
			if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil || jobs[1].Err != nil {
				t.Fatal(err, jobs[0].Err, jobs[1].Err)
			}
			left := d.column(t, "SELECT id || ' ' || coalesce(sender_id, 0) || ' ' || coalesce(recipient_id, 0) || ' ' || body FROM messages")
			slices.Sort(want)
			slices.Sort(left)
			if !slices.Equal(left, want) && len(left)+len(want) > 0 {
				t.Fatalf("left %v, want %v", left, want)
			}
			for _, j := range jobs {
				j.Counts = nil
			}
			if err := s.countAll(t.Context(), jobs); err != nil {
				t.Fatal(err)
			}
			for _, j := range jobs {
				for _, n := range j.Counts {
					t.Fatalf("%d of %s are found after the erasure", n.Found, n.Dataset)
				}
			}
		})
	})
}

func orNull(id int) any {
	if id == 0 {
		return nil
	}
	return id
}

// TestLabels: columns come from other tables, also from one twice, and a row without
// them stays a row; an owner of another kind with the same number is another.
func TestLabels(t *testing.T) {
	t.Parallel()
	everyDatabase(t, waysSchema+`; INSERT INTO topics VALUES (1, NULL, 'all'), (2, 1, 'some'); INSERT INTO notes VALUES (1, 'User', 5, 2), (2, 'Post', 5, 2), (3, 'User', 5, NULL), (4, 'User', 6, 1)`, func(t *testing.T, d database) {
		s := waysSystem(t, d)
		got := gatherAll(t, s, ids("user 5"))[0]
		want := []string{`notes {"above":"all","id":"1","topic":"some"}`, `notes {"above":null,"id":"3","topic":null}`}
		if !slices.Equal(got, want) {
			t.Errorf("got %v", got)
		}
	})
}

// TestUnionIsServed: each way has its index, also a partial one that is for its kind of
// owners, and no table is read whole.
func TestUnionIsServed(t *testing.T) {
	t.Parallel()
	everyDatabase(t, waysSchema, func(t *testing.T, d database) {
		s := waysSystem(t, d)
		if advice, err := s.Advice(t.Context()); err != nil || len(advice) > 0 {
			t.Errorf("advice %v, %v", advice, err)
		}
		c := s.chunks([]*worker.Task{{Identifiers: ids("user 1", "user 2")}})[0]
		for _, ds := range s.datasets {
			sr := &search{asked: c.asked(ds.subjects), columns: []string{"1"}, ordered: true}
			q := &statement{dialect: d.dialect}
			if d.dialect == SQLite {
				q.WriteString("EXPLAIN QUERY PLAN ")
			} else {
				q.WriteString("EXPLAIN ")
			}
			sr.write(q, c, ds)
			var plan strings.Builder
			err := s.inTransaction(t.Context(), func(_ context.Context, tx *sql.Tx) error {
				if d.dialect == PostgreSQL {
					if _, err := tx.Exec("SET LOCAL enable_seqscan = off"); err != nil {
						return err
					}
				}
				return each(t.Context(), tx, q.String(), func(row []string) { plan.WriteString(strings.Join(row, " ") + "\n") }, q.args...)
			})
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(plan.String()) {
				if strings.Contains(line, "Seq Scan") || strings.Contains(line, "SCAN ") && !strings.Contains(line, "SCAN u") && !strings.Contains(line, "CONSTANT") {
					t.Errorf("%s: %s\n%s", ds.Name, line, &plan)
				}
			}
			if d.dialect == PostgreSQL && strings.Count(plan.String(), "Index Cond") < len(lookupsOf(sr.asked)) {
				t.Errorf("%s: an index isn't used for each way\n%s", ds.Name, &plan)
			}
		}
	})
}
