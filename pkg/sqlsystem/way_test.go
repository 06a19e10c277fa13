package sqlsystem

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// small makes a manifest of a system's own words and datasets in short: each line of
// datasets is "name | what stands under sql", with its columns' names behind a
// second bar where there are others than id.
func small(t testing.TB, head string, datasets ...string) *manifest.Manifest {
	t.Helper()
	text := smallText(head, datasets...)
	m, err := manifest.Parse("small.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return m
}

func smallText(head string, datasets ...string) string {
	var b strings.Builder
	b.WriteString("system: small\ntitle: {en: Small}\n" + head + "\ndatasets:\n")
	for _, d := range datasets {
		part := strings.Split(d, "|")
		columns := "id"
		if len(part) > 2 {
			columns = strings.TrimSpace(part[2])
		}
		fmt.Fprintf(&b, "  - name: %s\n    title: {en: T}\n    category: identifiers\n    origin: provided\n    purpose: {en: P}\n    legal_basis: contract\n    storage: {en: S}\n    columns: [", strings.TrimSpace(part[0]))
		for c := range strings.SplitSeq(columns, " ") {
			name, typ, _ := strings.Cut(c, ":")
			fmt.Fprintf(&b, "{name: %s, type: %s},", name, strings.ReplaceAll(cmp.Or(typ, "string"), "_", " "))
		}
		b.WriteString("]\n")
		if len(part) > 3 {
			b.WriteString("    " + strings.TrimSpace(part[3]) + "\n")
		}
		b.WriteString("    sql: {" + strings.TrimSpace(part[1]) + "}\n")
	}
	return b.String()
}

// everyDatabase runs a test on each, with a schema that all understand.
func everyDatabase(t *testing.T, schema string, test func(*testing.T, database)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, sqliteDB(t, schema))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, postgresDB(t, schema))
	})
	t.Run("MariaDB", func(t *testing.T) {
		t.Parallel()
		test(t, mariaExactDB(t, bounded.Replace(schema)))
	})
}

// bounded makes of a schema what MariaDB takes: texts have an end in an index, which is of
// all rows, and nothing is deferred.
var bounded = strings.NewReplacer("TEXT PRIMARY KEY", "VARCHAR(190) PRIMARY KEY", "TEXT UNIQUE", "VARCHAR(190) UNIQUE", "TEXT NOT NULL UNIQUE", "VARCHAR(190) NOT NULL UNIQUE", "TIMESTAMPTZ", "DATETIME(6)",
	" WHERE owner_type = 'User'", "", " DEFERRABLE INITIALLY DEFERRED", "")

// TestOwnFinds: what a system found, it looks up more by, and says by what.
func TestOwnFinds(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE carts (id INTEGER PRIMARY KEY, user_id INTEGER); CREATE TABLE cart_events (id INTEGER PRIMARY KEY, cart_id INTEGER);
		INSERT INTO users VALUES (1, 'ann@example.com'), (2, 'bob@example.com'); INSERT INTO carts VALUES (10, 1), (11, 1), (12, 2); INSERT INTO cart_events VALUES (100, 10), (101, 12)`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		m := small(t, `abilities: [resolve, gather, erase]
needs: [email, cart_no]
finds: [user_no, cart_no]
scope: {user_no: shared, cart_no: shared}
sql: {resolve: [{find: cart_no, table: carts, column: id, by: {user_no: user_id}}, {find: user_no, table: users, column: id, by: {email: email}}]}`,
			"cart_events | table: cart_events, key: [id], subject: {cart_no: cart_id}, erase: delete")
		s := open(t, d, m)
		jobs := []*worker.ResolveJob{{Job: worker.Job{Task: worker.Task{Identifiers: ids("email ann@example.com")}}}, {Job: worker.Job{Task: worker.Task{Identifiers: ids("email nobody@example.com")}}}}
		if err := s.Resolve(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range jobs[0].Found {
			got = append(got, fmt.Sprintf("%s %s by %s %s", f.Type, f.Value, f.From.Type, f.From.Value))
		}
		if want := []string{"user_no 1 by email ann@example.com", "cart_no 10 by user_no 1", "cart_no 11 by user_no 1"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if len(jobs[1].Found) > 0 {
			t.Errorf("nobody has %v", jobs[1].Found)
		}
	})
}

// TestEachWayIsItsOwn: a record that one way leads to is found, whatever became of
// what another way leads through; and nobody else's.
func TestEachWayIsItsOwn(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE conversations (id INTEGER PRIMARY KEY, contact_id INTEGER); CREATE TABLE messages (id INTEGER PRIMARY KEY, conversation_id INTEGER, sender_id INTEGER)`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		m := small(t, "abilities: [gather, erase]\nneeds: [contact, user]\nsql: {}",
			"messages | table: messages, key: [id], via: [{table: conversations, on: {conversation_id: id}}], subject: {contact: conversations.contact_id, user: sender_id}, erase: delete")
		s := open(t, d, m)
		rapid.Check(t, func(t *rapid.T) {
			for _, table := range []string{"messages", "conversations"} {
				if _, err := d.Exec("DELETE FROM " + table); err != nil {
					t.Fatal(err)
				}
			}
			contactOf := map[int]int{}
			for id := range rapid.IntRange(0, 3).Draw(t, "conversations") {
				contactOf[id] = rapid.IntRange(0, 2).Draw(t, "contact")
				d.insert(t, "conversations", id, contactOf[id])
			}
			contact, user := rapid.IntRange(0, 3).Draw(t, "asked contact"), rapid.IntRange(0, 3).Draw(t, "asked user")
			asked := [][]worker.Identifier{ids(fmt.Sprintf("contact %d", contact)), ids(fmt.Sprintf("user %d", user)), ids(fmt.Sprintf("contact %d", contact), fmt.Sprintf("user %d", user))}
			want := make([][]string, len(asked))
			for id := range rapid.IntRange(0, 8).Draw(t, "messages") {
				conversation, sender := rapid.IntRange(0, 4).Draw(t, "conversation"), rapid.IntRange(0, 2).Draw(t, "sender")
				d.insert(t, "messages", id, conversation, sender)
				c, there := contactOf[conversation]
				byContact, byUser := there && c == contact, sender == user
				for i, is := range []bool{byContact, byUser, byContact || byUser} {
					if is {
						want[i] = append(want[i], fmt.Sprintf("messages %d", id))
					}
				}
			}
			// Together, and each alone, which asks by one way only.
			check := func(subjects, want [][]string, got [][]string) {
				for i := range got {
					var keys []string
					for _, r := range got[i] {
						keys = append(keys, keyOf(r))
					}
					slices.Sort(keys)
					if !slices.Equal(keys, want[i]) {
						t.Fatalf("asked by %v: got %v, want %v", subjects[i], keys, want[i])
					}
				}
			}
			names := [][]string{{"contact"}, {"user"}, {"both"}}
			check(names, want, gatherAll(t, s, asked...))
			for i := range asked {
				check(names[i:], want[i:i+1], gatherAll(t, s, asked[i]))
			}
			jobs := jobsOf(dsar.Erasure, asked[2])
			if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
				t.Fatal(err, jobs[0].Err)
			}
			if left := gatherAll(t, s, asked...); len(left[0])+len(left[1])+len(left[2]) > 0 {
				t.Fatalf("left are %v", left)
			}
		})
	})
}

// writings are ways to write one identifier, as a clerk, a form or an import did.
var writings = map[string][]string{
	"email anna@example.com":                       {"anna@example.com ", " Anna@Example.com", "\tANNA@EXAMPLE.COM\n", "anna@example.com\u00a0", "\u200banna@example.com", "anna@example.com\u3000 ", "Anna@example.com.", "mailto:anna@example.com"},
	"email İpek@example.com":                       {"İpek@example.com", "i\u0307pek@EXAMPLE.com", "I\u0307PEK@example.com"},
	"email ipek@example.com":                       {"ipek@example.com", "IPEK@example.com"},
	"email ıpek@example.com":                       {"ıpek@example.com "},
	"email sam@example.com":                        {"SAM@example.com"},
	"email ſam@example.com":                        {"ſam@Example.com"},
	"email émile@exämple.org":                      {"émile@exämple.org", "e\u0301mile@exa\u0308mple.org", "ÉMILE@EXÄMPLE.ORG", "Émile@xn--exmple-cua.org", " ÉMILE@xn--exmple-cua.org "},
	"phone +33612345678":                           {"+33 6 12 34 56 78", "0033 6 12 34 56 78", "+33 (0)6 12 34 56 78", "06 12 34 56 78", "06.12.34.56.78", "+33-6-12-34-56-78", "tel:+33-6-12-34-56-78", "+33\u00a06\u202f12 34 56 78 "},
	"account A-17":                                 {"A-17", "A-17 ", "\u00a0A-17"},
	"account 5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e5f": {"5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e5f", "5F2B3C4D-1A2B-4C3D-8E9F-0A1B2C3D4E5F", "5f2b3c4d1a2b4c3d8e9f0a1b2c3d4e5f", "5F2B3C4D1A2B4C3D8E9F0A1B2C3D4E5F ", "{5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e5f}", "{5F2B3C4D-1A2B-4C3D-8E9F-0A1B2C3D4E5F}"},
	"email straße@example.com":                     {"STRAßE@example.com", "straße@example.com "},
	"email under_score%@example.com":               {"Under_Score%@EXAMPLE.com"},
	"email ol\u00b4mak\\@example.org":              {"OL\u00b4MAK\\@example.org "},
}

// strangers are no writings of those.
var strangers = []string{"anna+x@example.com", "an na@example.com", "ann@example.com", "emile@example.org", "+33612345679", "612345678", "A-1 7", "a-17", "A-170", "5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e50", "5f2b3c4d1a2b4c3d8e9f0a1b2c3d4e5", "{5f2b3c4d-1a2b-4c3d-8e9f-0a1b2c3d4e5f", "underXscore%@example.com", "under_scoreX@example.com", "mile@exmple.org", "xémile@exämple.org"}

// TestWritings: one writing of an identifier finds every other, on both databases,
// asked alone or together, and nothing else.
func TestWritings(t *testing.T) {
	t.Parallel()
	rules, err := identifier.New("FR")
	if err != nil {
		t.Fatal(err)
	}
	everyDatabase(t, "CREATE TABLE people (id INTEGER PRIMARY KEY, email VARCHAR(100), phone TEXT, account TEXT)", func(t *testing.T, d database) {
		m := small(t, "abilities: [gather, erase]\nneeds: [email, phone, account]\nsql: {}",
			"people | table: people, key: [id], subject: {email: email, phone: phone, account: account}, erase: delete")
		s, err := Open(t.Context(), m, d.source, WithIdentifiers(rules))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		id := 0
		want := map[string][]string{}
		put := func(column, value string) string {
			id++
			d.insert(t, "people (id, "+column+")", id, value)
			return fmt.Sprintf("people %d", id)
		}
		for asked, stored := range writings {
			typ, _, _ := strings.Cut(asked, " ")
			for _, w := range stored {
				key := put(typ, w)
				want[asked] = append(want[asked], key)
			}
		}
		for _, column := range []string{"email", "phone", "account"} {
			for _, value := range strangers {
				put(column, value)
			}
		}
		var all [][]worker.Identifier
		var names []string
		for asked, stored := range writings {
			typ, _, _ := strings.Cut(asked, " ")
			for _, w := range append(stored, strings.TrimPrefix(asked, typ+" ")) {
				all = append(all, []worker.Identifier{{Type: dsar.IdentifierType(typ), Value: w}})
				names = append(names, asked)
			}
		}
		check := func(i int, got []string) {
			t.Helper()
			var keys []string
			for _, r := range got {
				keys = append(keys, keyOf(r))
			}
			slices.Sort(keys)
			expected := slices.Sorted(slices.Values(want[names[i]]))
			if !slices.Equal(keys, expected) {
				t.Errorf("%q, one of %q: got %v, want %v", all[i][0].Value, names[i], keys, expected)
			}
		}
		for i, got := range gatherAll(t, s, all...) {
			check(i, got)
		}
		for i := range all {
			check(i, gatherAll(t, s, all[i])[0])
		}
	})
}
