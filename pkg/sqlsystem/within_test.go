package sqlsystem

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
)

// arrays makes tables with identifiers in arrays and in JSON, of the types that each
// database has for them.
func arrays(t *testing.T, test func(*testing.T, database)) {
	for _, types := range [][3]string{{"INTEGER[]", "TEXT[]", "JSONB"}, {"BIGINT[]", "JSON", "TEXT"}} {
		const schema = `CREATE TABLE rooms (id INTEGER PRIMARY KEY, members %s, invited %s, meta %s)`
		t.Run("PostgreSQL "+types[0], func(t *testing.T) {
			t.Parallel()
			test(t, postgresDB(t, fmt.Sprintf(schema, types[0], types[1], types[2])+"; CREATE INDEX rooms_members ON rooms USING gin (members)"))
		})
	}
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, sqliteDB(t, `CREATE TABLE rooms (id INTEGER PRIMARY KEY, members TEXT, invited TEXT, meta TEXT)`))
	})
	t.Run("MariaDB", func(t *testing.T) {
		t.Parallel()
		test(t, mariaDB(t, `CREATE TABLE rooms (id INTEGER PRIMARY KEY, members JSON, invited TEXT, meta JSON)`))
	})
}

// TestWithin holds what is found in arrays and JSON, and what an erasure takes out of
// them, against rows that are kept in memory.
func TestWithin(t *testing.T) {
	t.Parallel()
	arrays(t, func(t *testing.T, d database) {
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [user, email]\nsql: {}",
			`rooms | table: rooms, key: [id], columns: {owner: meta->owner->email}, ways: [
			{subject: {user: "members[]"}, set: {"members[]": "{remove}"}},
			{subject: {email: "invited[]"}, set: {"invited[]": "{remove}"}},
			{subject: {email: meta->owner->email}, set: {meta->owner->email: "{remove}", meta->owner->name: nobody, meta->note: null}},
			{subject: {email: "meta->cc[]"}, set: {"meta->cc[]": "{remove}"}}] | id owner`))
		mails := []string{"ann@example.com", "Ann@Example.com ", "bob@example.com", "eve@example.com"}
		is := func(mail string) bool { return strings.EqualFold(strings.TrimSpace(mail), "ann@example.com") }
		rapid.Check(t, func(t *rapid.T) {
			if _, err := d.Exec("DELETE FROM rooms"); err != nil {
				t.Fatal(err)
			}
			type meta struct {
				Owner map[string]any `json:"owner"`
				CC    []string       `json:"cc"`
				Note  *string        `json:"note"`
			}
			type room struct {
				members []int
				invited []string
				meta    meta
			}
			var rooms []room
			list := rapid.SliceOfN(rapid.SampledFrom(mails), 0, 3)
			for id := range rapid.IntRange(0, 4).Draw(t, "rooms") {
				note := "n"
				r := room{rapid.SliceOfN(rapid.IntRange(1, 3), 0, 3).Draw(t, "members"), list.Draw(t, "invited"), meta{map[string]any{"email": rapid.SampledFrom(mails).Draw(t, "owner"), "name": "N"}, list.Draw(t, "cc"), &note}}
				rooms = append(rooms, r)
				d.insert(t, "rooms", id, d.array(t, "members", r.members), d.array(t, "invited", r.invited), jsonOf(t, r.meta))
			}
			var want, left []string
			for id, r := range rooms {
				owner := r.meta.Owner["email"].(string)
				if slices.Contains(r.members, 1) || slices.ContainsFunc(r.invited, is) || is(owner) || slices.ContainsFunc(r.meta.CC, is) {
					want = append(want, fmt.Sprintf(`rooms {"id":"%d","owner":%s}`, id, jsonOf(t, owner)))
				}
				r.members = slices.DeleteFunc(slices.Clone(r.members), func(m int) bool { return m == 1 })
				r.invited = slices.DeleteFunc(slices.Clone(r.invited), is)
				r.meta.CC = slices.DeleteFunc(slices.Clone(r.meta.CC), is)
				if is(owner) {
					r.meta.Owner, r.meta.Note = map[string]any{"name": "nobody"}, nil
				}
				left = append(left, jsonOf(t, []any{id, r.members, r.invited, r.meta}))
			}
			one := ids("user 1", "email ann@example.com")
			if got := gatherAll(t, s, one)[0]; !slices.Equal(got, want) {
				t.Fatalf("got %v, want %v", got, want)
			}
			jobs := jobsOf(dsar.Erasure, one)
			if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
				t.Fatal(err, jobs[0].Err)
			}
			var have []string
			query := "SELECT id || '|' || members || '|' || invited || '|' || meta FROM rooms ORDER BY id"
			if d.dialect == PostgreSQL {
				query = "SELECT id || '|' || to_json(members) || '|' || to_json(invited) || '|' || meta::text FROM rooms ORDER BY id"
			}
			for _, row := range d.column(t, query) {
				parts := strings.SplitN(row, "|", 4)
				var m meta
				if err := json.Unmarshal([]byte(parts[3]), &m); err != nil {
					t.Fatal(err)
				}
				var values []any
				for _, p := range parts[:3] {
					var v any
					if err := json.Unmarshal([]byte(p), &v); err != nil {
						t.Fatal(err)
					}
					values = append(values, v)
				}
				have = append(have, jsonOf(t, append(values, m)))
			}
			if !slices.Equal(have, left) {
				t.Fatalf("left %v\nwant %v", have, left)
			}
			for _, again := range []func() error{func() error { return s.eraseByPlan(t.Context(), jobs) }, func() error { return s.countAll(t.Context(), jobs) }} {
				jobs[0].Counts = nil
				if err := again(); err != nil || jobs[0].Err != nil {
					t.Fatal(err, jobs[0].Err)
				}
				for _, c := range jobs[0].Counts {
					if c.Found > 0 {
						t.Fatalf("after the erasure: %s", outcomes(jobs[0].Counts))
					}
				}
			}
		})
	})
}

func jsonOf(t tester, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// array returns a list as its column of rooms takes it.
func (d database) array(t tester, column string, list any) any {
	t.Helper()
	if d.dialect != PostgreSQL {
		return jsonOf(t, list)
	}
	if kind := d.column(t, "SELECT data_type FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = 'rooms' AND column_name = '"+column+"'"); kind[0] != "ARRAY" {
		return jsonOf(t, list)
	}
	return list
}

// TestWithinIsServed: the index of an array of numbers serves its way.
func TestWithinIsServed(t *testing.T) {
	t.Parallel()
	d := postgresDB(t, `CREATE TABLE rooms (id INTEGER PRIMARY KEY, members INTEGER[]); CREATE INDEX rooms_members ON rooms USING gin (members)`)
	s := open(t, d, small(t, "abilities: [gather]\nneeds: [user]\nsql: {}", `rooms | table: rooms, key: [id], subject: {user: "members[]"}`))
	ds := s.datasets[0]
	c := s.chunks(tasksOf(jobsOf(dsar.Access, ids("user 1"))))[0]
	q := &statement{dialect: PostgreSQL}
	(&search{asked: c.asked(ds.subjects), columns: []string{"1"}}).write(q, c, ds)
	if !postgresSearches(t.Context(), s, q.String(), q.args...) {
		t.Error("the table is read whole")
	}
}
