package sqlsystem

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
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

// TestWithinMisshapen: what isn't of the form that a way or an erasure asks for stays as it
// is, and a value by itself counts as a list of one.
func TestWithinMisshapen(t *testing.T) {
	t.Parallel()
	const ann = "ann@example.com"
	metas := []struct{ before, after string }{
		{`{"cc":["ann@example.com","bob@example.com",{"x":1.10},true,null]}`, `{"cc":["bob@example.com",{"x":1.10},true,null]}`},
		{`{"cc":"Ann@example.com"}`, `{"cc":[]}`},
		{`{"cc":"bob@example.com"}`, `{"cc":"bob@example.com"}`},
		{`{"cc":{"a":"bob@example.com"},"n":9007199254740993}`, `{"cc":{"a":"bob@example.com"},"n":9007199254740993}`},
		{`{"cc":null,"owner":"x"}`, `{"cc":null,"owner":"x"}`},
		{`{"cc":17,"owner":[1]}`, `{"cc":17,"owner":[1]}`},
		{`{"owner":{"name":"Ann","n":1}}`, `{"owner":{"name":"nobody"}}`},
		{`{"owner":{"n":[1]}}`, `{"owner":{}}`},
		{`[]`, `[]`}, {`["ann@example.com"]`, `["ann@example.com"]`}, {`"s"`, `"s"`}, {`null`, `null`}, {`1`, `1`}, {``, ``},
	}
	texts := []struct{ before, after string }{{"free text", "free text"}, {`{"cc":["ann@example.com"]}`, `{"cc":[]}`}, {"", ""}}
	arrays(t, func(t *testing.T, d database) {
		if _, err := d.Exec("DROP TABLE rooms"); err != nil {
			t.Fatal(err)
		}
		kinds, texts := "meta TEXT", texts
		switch d.dialect {
		case PostgreSQL:
			kinds = "meta JSONB"
		case MariaDB:
			kinds = "meta JSON"
		default:
			texts = append(slices.Clip(texts), struct{ before, after string }{`{"cc": ["ann`, `{"cc": ["ann`})
		}
		if _, err := d.Exec("CREATE TABLE rooms (id INTEGER PRIMARY KEY, owner VARCHAR(99), " + kinds + ", words TEXT)"); err != nil {
			t.Fatal(err)
		}
		words := func(i int) struct{ before, after string } { return texts[i%len(texts)] }
		for i, m := range metas {
			held := any(m.before)
			if m.before == "" {
				held = nil
			}
			d.insert(t, "rooms", i, ann, held, words(i).before)
		}
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
			`rooms | table: rooms, key: [id], ways: [
			{subject: {email: owner}, set: {owner: null, "meta->cc[]": "{remove}", "words->cc[]": "{remove}", meta->owner->name: nobody, meta->owner->n: "{remove}"}},
			{subject: {email: "words->cc[]"}, set: {"words->cc[]": "{remove}"}},
			{subject: {email: "meta->cc[]"}, set: {"meta->cc[]": "{remove}"}}]`))
		jobs := jobsOf(dsar.Erasure, ids("email "+ann))
		if err := cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err); err != nil {
			t.Fatal(err)
		}
		plain := func(text string) string {
			var v any
			decoder := json.NewDecoder(strings.NewReader(strings.ReplaceAll(text, "1.10", "1.1")))
			decoder.UseNumber()
			if decoder.Decode(&v) != nil {
				return text
			}
			return jsonOf(t, v)
		}
		for i, m := range metas {
			where := fmt.Sprintf(" FROM rooms WHERE id = %d", i)
			if got := d.column(t, "SELECT coalesce(CAST(meta AS CHAR(90)), '')"+where); plain(got[0]) != plain(m.after) {
				t.Errorf("%s is %s, want %s", m.before, got, m.after)
			}
			if got := d.column(t, "SELECT words"+where); plain(got[0]) != plain(words(i).after) {
				t.Errorf("%q is %q, want %q", words(i).before, got[0], words(i).after)
			}
		}
	})
}

// TestFoundWithin: identifiers are found in parts of JSON and in arrays, by such, and true
// is nobody's number.
func TestFoundWithin(t *testing.T) {
	t.Parallel()
	arrays(t, func(t *testing.T, d database) {
		d.insert(t, "rooms", 1, d.array(t, "members", []int{7, 8}), d.array(t, "invited", []string{"Ann@example.com"}), `{"ext":{"id":"A-9"},"alt":[true,17,"B",null,{"x":1}]}`)
		d.insert(t, "rooms", 2, d.array(t, "members", []int{9}), d.array(t, "invited", []string{"bob@example.com"}), `{"ext":{"id":true},"alt":"C"}`)
		s := open(t, d, small(t, `abilities: [resolve, gather, erase]
needs: [email, member, ext, alt]
finds: [member, ext, alt]
sql:
  resolve:
    - {find: member, table: rooms, column: "members[]", by: {email: "invited[]"}}
    - {find: ext, table: rooms, column: "meta->ext->id", by: {member: "members[]"}}
    - {find: alt, table: rooms, column: "meta->alt[]", by: {ext: "meta->ext->id"}}`,
			`rooms | table: rooms, key: [id], subject: {alt: "meta->alt[]"}, erase: delete`))
		for mail, want := range map[string]string{"ann": "alt=17 alt=B ext=A-9 member=7 member=8", "bob": "alt=C ext=true member=9"} {
			jobs := []*worker.ResolveJob{{Job: worker.Job{Task: worker.Task{Identifiers: ids("email " + mail + "@example.com")}}}}
			if err := s.Resolve(t.Context(), jobs); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range jobs[0].Found {
				if value := strings.TrimPrefix(string(f.Type), "small.") + "=" + f.Value; !strings.ContainsAny(value, "{") && value != "alt=true" {
					got = append(got, value)
				}
			}
			slices.Sort(got)
			if strings.Join(got, " ") != want {
				t.Errorf("%s: found %q, want %s", mail, got, want)
			}
		}
		jobs := jobsOf(dsar.Erasure, ids("alt 1", "ext 1"))
		if err := cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err); err != nil {
			t.Fatal(err)
		}
		if left := d.column(t, "SELECT id FROM rooms ORDER BY id"); len(left) != 2 {
			t.Errorf("true was taken for 1: left %v", left)
		}
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

// TestWithinUnreadable: a text that only begins as JSON is told as what it is.
func TestWithinUnreadable(t *testing.T) {
	t.Parallel()
	d := postgresDB(t, `CREATE TABLE rooms (id INTEGER PRIMARY KEY, meta TEXT)`)
	d.insert(t, "rooms", 1, `{"cc": ["ann`)
	s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", `rooms | table: rooms, key: [id], subject: {email: meta->mail}, erase: delete`))
	err := s.planAll(t.Context(), jobsOf(dsar.Erasure, ids("email ann@example.com")))
	if err == nil || !strings.Contains(err.Error(), "rows of rooms can't be read: a row holds what can't be read as the manifest says") {
		t.Errorf("%v", err)
	}
}

// TestArraysOfArrays: of PostgreSQL's arrays of several dimensions people are found in each element,
// and told of all; an erasure leaves what is others' where it stands, and refuses what it can't
// change so. A key may be such an array.
func TestArraysOfArrays(t *testing.T) {
	t.Parallel()
	d := postgresDB(t, `CREATE TABLE rooms (id INTEGER PRIMARY KEY, members TEXT[], seats INTEGER[]);
		INSERT INTO rooms VALUES (1, '{{ann,bob},{cleo,ann}}', '{{1,2},{3,NULL}}'), (2, '{ann,eve}', '{3,9}'), (3, '{}', NULL), (4, '{{{zoe},{bob}}}', '{7}')`)
	s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [user, number]\nsql: {}",
		`rooms | table: rooms, key: [id], ways: [{subject: {user: "members[]"}, set: {"members[]": "{remove}"}}, {subject: {number: "seats[]"}, set: {"seats[]": "{remove}"}}] | id members seats`))
	got := gatherAll(t, s, ids("user ann", "number 3"))
	want := []string{`rooms {"id":"1","members":"{{ann,bob},{cleo,ann}}","seats":"{{1,2},{3,NULL}}"}`, `rooms {"id":"2","members":"{ann,eve}","seats":"{3,9}"}`}
	if !slices.Equal(got[0], want) {
		t.Errorf("gathered %v", got[0])
	}
	jobs := jobsOf(dsar.Erasure, ids("user ann", "number 3"))
	if err := cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err); err != nil || jobs[0].Counts[0].Anonymised != 2 {
		t.Errorf("%v, %+v", err, jobs[0].Counts)
	}
	if left := d.column(t, "SELECT id || ' ' || members::text || coalesce(seats::text, '') FROM rooms ORDER BY id"); !slices.Equal(left, []string{"1 {{NULL,bob},{cleo,NULL}}{{1,2},{NULL,NULL}}", "2 {eve}{9}", "3 {}", "4 {{{zoe},{bob}}}{7}"}) {
		t.Errorf("left %v", left)
	}
	jobs = jobsOf(dsar.Erasure, ids("user zoe"))
	refusedBy(t, cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err), "rows of rooms can't be changed", "don't hold what was written")

	keyed := postgresDB(t, `CREATE TABLE places (pos INTEGER[] PRIMARY KEY, email TEXT); INSERT INTO places VALUES ('{{1,2},{3,4}}', 'ann@example.com'), ('{1,2,3,4}', 'bob@example.com')`)
	s = open(t, keyed, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", "places | table: places, key: [pos], subject: {email: email}, erase: delete | pos"))
	jobs = jobsOf(dsar.Erasure, ids("email ann@example.com"))
	if err := cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err); err != nil || jobs[0].Counts[0].Erased != 1 {
		t.Errorf("%v, %+v", err, jobs[0].Counts)
	}
	if left := keyed.column(t, "SELECT pos::text FROM places"); !slices.Equal(left, []string{"{1,2,3,4}"}) {
		t.Errorf("left %v", left)
	}
}
