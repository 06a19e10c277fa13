package sqlsystem

import (
	"regexp"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
)

// TestSet: what an erasure makes for each row is such as its words say, is as it was
// after the same erasure a second time, and is known as done.
func TestSet(t *testing.T) {
	t.Parallel()
	everyDatabase(t, `CREATE TABLE people (id INTEGER PRIMARY KEY, email VARCHAR(200) UNIQUE, login TEXT NOT NULL UNIQUE, zip TEXT, device TEXT, erased_at TIMESTAMP, note TEXT);
		INSERT INTO people VALUES (1, 'ann@example.com', 'ann', '75011', 'x', NULL, 'a'), (2, 'ANN@example.com', 'ann2', NULL, 'x', NULL, 'b'), (3, 'bob@example.com', 'bob', '69002', 'x', NULL, 'c')`, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
			`people | table: people, key: [id], subject: {email: email}, set: {email: "{random}@example.invalid", login: "gone-{id}", zip: "{first 2}", device: "{hash}", erased_at: "{now}", note: null}`))
		jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
		if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		if n := jobs[0].Counts[0]; n.Anonymised != 2 || n.Found != 2 {
			t.Errorf("counted %+v", n)
		}
		left := d.column(t, `SELECT email || ' ' || login || ' ' || coalesce(zip, '-') || ' ' || device || ' ' || `+d.dialect.text("erased_at")+` || ' ' || coalesce(note, '-') FROM people WHERE id < 3 ORDER BY id`)
		form := regexp.MustCompile(`^[0-9a-f]{32}@example\.invalid gone-[12] (75|-) ([0-9a-f]{64}) 2026-11-20[ T]23:59:00Z? -$`)
		var hashes []string
		for _, row := range left {
			m := form.FindStringSubmatch(row)
			if m == nil {
				t.Fatalf("left %s", row)
			}
			hashes = append(hashes, m[2])
		}
		if len(hashes) != 2 || hashes[0] != hashes[1] {
			t.Errorf("two rows of one device have the hashes %v", hashes)
		}
		if other := d.column(t, `SELECT email || ' ' || zip || ' ' || device FROM people WHERE id = 3`); other[0] != "bob@example.com 69002 x" {
			t.Errorf("somebody else's row is %s", other)
		}
		sub := &s.datasets[0].subjects[0]
		for _, email := range d.column(t, "SELECT email FROM people") {
			if made := sub.couldMake(email); made != (email != "bob@example.com") {
				t.Errorf("that %s is made is %v", email, made)
			}
		}
		jobs[0].Counts = nil
		if err := s.eraseByPlan(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		if again := d.column(t, `SELECT device FROM people WHERE id < 3`); again[0] != hashes[0] {
			t.Error("a second erasure by the same plan changed what the first had made")
		}
		if n := jobs[0].Counts[0]; n.Gone != 2 {
			t.Errorf("the second time counted %+v", n)
		}
		jobs[0].Counts = nil
		if err := s.countAll(t.Context(), jobs); err != nil || len(jobs[0].Counts) > 0 {
			t.Errorf("found after the erasure: %+v, %v", jobs[0].Counts, err)
		}
	})
}

// TestSetFits: lint says what no row could be given.
func TestSetFits(t *testing.T) {
	t.Parallel()
	everyDatabase(t, `CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, code VARCHAR(8), day DATE, n INTEGER, one TEXT UNIQUE, kind TEXT CHECK (kind IN ('a', 'b')))`, func(t *testing.T, d database) {
		for set, want := range map[string]string{
			`code: "{random}"`:        `the column "code" takes 8 characters`,
			`one: "{first 3}"`:        `the column "one" is unique`,
			`one: "{now}"`:            `the column "one" is unique`,
			`kind: "{hash}"`:          `breaks the constraint`,
			`day: "{random}"`:         `the column "day" of type date doesn't take the value`,
			`n: "{hash}"`:             `the column "n" is of type integer, and the value is a text`,
			`one: "{random}"`:         "",
			`one: "x{hash}"`:          "",
			`day: "{now}", code: "-"`: "",
		} {
			m := small(t, "abilities: [erase]\nneeds: [email]\nsql: {}", `people | table: people, key: [id], subject: {email: email}, set: {email: null, `+set+`}`)
			s, err := New(t.Context(), m, d.DB, d.dialect)
			if err == nil {
				s.Close()
			}
			strict := d.dialect == PostgreSQL || !strings.Contains(want, "doesn't take") && !strings.Contains(want, "characters") && !strings.Contains(want, "integer")
			switch {
			case want == "" && err != nil, want != "" && strict && (err == nil || !strings.Contains(err.Error(), want)):
				t.Errorf("%s: got %v, want %q", set, err, want)
			}
		}
	})
}
