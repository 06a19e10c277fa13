package sqlsystem

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"habeas.dev/pkg/manifest"
)

// constants: what is written into a statement is read as it was.
func (s suite) constants(t *testing.T) {
	d := s.make(t, "CREATE TABLE things (id INTEGER PRIMARY KEY, word VARCHAR(190))")
	sys := s.system(t, d)
	for i, text := range nasty {
		d.insert(t, "things", i, text)
		q := &statement{dialect: sys.dialect}
		q.add("SELECT t.word FROM things AS t WHERE t.id = ", strconv.Itoa(i), " AND t.word = ", s.dialect.literal(text))
		if got := s.ask(t, d, q); got != text {
			t.Errorf("%q as a constant: %q", text, got)
		}
		q = &statement{dialect: sys.dialect}
		q.WriteString("SELECT ")
		q.concat([]manifest.Part{{Text: text}, {Text: "-"}}, func(p manifest.Part) { q.text(p.Text) })
		q.WriteString(" FROM things AS t WHERE t.id = 0")
		if got := s.ask(t, d, q); got != text+"-" {
			t.Errorf("%q and more: %q", text, got)
		}
	}
}

// days: a moment's day is that in UTC, and what is no date is told.
func (s suite) days(t *testing.T) {
	d := s.make(t, "CREATE TABLE things (id INTEGER PRIMARY KEY, day DATE, moment TIMESTAMP NULL, seconds BIGINT)")
	sys := s.system(t, d)
	own, err := sys.describe(t.Context(), "things")
	if err != nil {
		t.Fatal(err)
	}
	d.insert(t, "things", 1, "2020-02-29", "2020-02-29 23:59:59", 1583020799)
	d.insert(t, "things", 2, nil, nil, nil)
	for id, want := range map[string]string{"1": "2020-02-29", "2": ""} {
		for _, name := range []string{"day", "moment", "seconds"} {
			col, _ := own.column(name, sys.dialect)
			expr := "t." + s.dialect.quote(name)
			day, ok := sys.dialect.day(expr, col)
			if name == "seconds" {
				day, ok = sys.dialect.epochDay(expr, 1), true
			}
			if !ok {
				t.Errorf("%s has no day", name)
				continue
			}
			q := &statement{dialect: sys.dialect}
			q.add("SELECT ", sys.dialect.dayText(expr, day), " FROM things AS t WHERE t.id = ", id)
			if got := s.ask(t, d, q); got != want {
				t.Errorf("%s of %s: %q", name, id, got)
			}
			q = &statement{dialect: sys.dialect}
			q.args = append(q.args, "2020-03-01")
			q.add("SELECT COUNT(*) FROM things AS t WHERE ", day, " < ", sys.dialect.dayParameter(1))
			if got := s.ask(t, d, q); got != "1" {
				t.Errorf("%s before a day: %s", name, got)
			}
		}
	}
}

// makes: what is made for rows differs from row to row, and is told again.
func (s suite) makes(t *testing.T) {
	d := s.make(t, "CREATE TABLE things (id INTEGER PRIMARY KEY, word VARCHAR(190), mail VARCHAR(190), seen VARCHAR(40), n INTEGER)")
	sys := s.system(t, d)
	own, err := sys.describe(t.Context(), "things")
	if err != nil {
		t.Fatal(err)
	}
	col := func(name string) column { c, _ := own.column(name, sys.dialect); return c }
	if !sys.dialect.takesText(col("word")) {
		t.Error("a text takes no text")
	}
	for i := range 5 {
		d.insert(t, "things", i, "word", fmt.Sprintf("%d@example.com", i), nil, 7)
	}
	ds := &dataset{Dataset: &manifest.Dataset{Name: "things", SQL: &manifest.DatasetSQL{Table: "things", Key: []string{"id"}}}, own: own, relation: own.relation, table: sys.table("things")}
	ds.keys = []keyColumn{{col("id"), "t." + s.dialect.quote("id")}}
	values := map[string]any{"word": "erased-{id}-é", "mail": "{random}", "seen": "{now}", "n": 0}
	ds.lookups = []*lookup{{sets: values, erasePath: "x"}}
	keys := []string{"0", "1", "2"}
	made := making{now: now, salt: "salt"}
	err = sys.inTransaction(t.Context(), func(_ context.Context, tx *sql.Tx) error {
		n, err := sys.write(t.Context(), tx, ds, changing, keys, func(q *statement) {
			q.making = made
			ds.erasing(q, act{sets: 1})
		})
		if n != 3 {
			t.Errorf("%d rows changed", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := d.column(t, "SELECT word FROM things ORDER BY id"); !slices.Equal(got, []string{"erased-0-é", "erased-1-é", "erased-2-é", "word", "word"}) {
		t.Errorf("words %q", got)
	}
	mails := d.column(t, "SELECT mail FROM things WHERE id < 3")
	slices.Sort(mails)
	if len(slices.Compact(mails)) != 3 || len(mails[0]) != randomLength {
		t.Errorf("random %q", mails)
	}
	done := map[string]bool{}
	err = sys.byKey(t.Context(), d, ds, made, []string{"0", "1", "2", "3", "4"}, now, noLaw, func(key string, _ stay, _ bool, set ways) { done[key] = act{sets: 1}.met(set) })
	if err != nil || !done["0"] || !done["2"] || done["3"] || done["4"] {
		t.Errorf("done %v, %v", done, err)
	}
	// The hash is of the text under the salt: the same for the same, and no one else's.
	ds.lookups = []*lookup{{sets: map[string]any{"mail": "{hash}"}, erasePath: "x"}}
	hashes := map[string]bool{}
	for _, salt := range []string{"salt", "salt", "other"} {
		if _, err := d.Exec("UPDATE things SET mail = 'x' WHERE id = 4"); err != nil {
			t.Fatal(err)
		}
		err = sys.inTransaction(t.Context(), func(_ context.Context, tx *sql.Tx) error {
			e := &erasure{bound: (&examination{System: sys}).bound(tx)}
			m, err := e.making(t.Context(), ds, act{sets: 1}, []string{"4"})
			if err != nil {
				return err
			}
			if sys.dialect.hashes() {
				m.salt = salt
			}
			if _, err := sys.write(t.Context(), tx, ds, changing, []string{"4"}, func(q *statement) {
				q.making = m
				ds.erasing(q, act{sets: 1})
			}); err != nil {
				return err
			}
			return each(t.Context(), tx, "SELECT mail FROM things WHERE id = 4", func(row []string) { hashes[row[0]] = len(row[0]) == hashLength })
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for h, whole := range hashes {
		if !whole {
			t.Errorf("the hash %q", h)
		}
	}
	if sys.dialect.hashes() && len(hashes) != 2 {
		t.Errorf("%d hashes of one text under two salts", len(hashes))
	}
}

// within: parts of JSON are read, changed and taken out.
func (s suite) within(t *testing.T) {
	d := s.make(t, "CREATE TABLE things (id INTEGER PRIMARY KEY, doc TEXT)")
	sys := s.system(t, d)
	own, err := sys.describe(t.Context(), "things")
	if err != nil {
		t.Fatal(err)
	}
	doc, _ := own.column("doc", sys.dialect)
	if !sys.dialect.holdsJSON(doc) {
		t.Fatal("a text holds no JSON")
	}
	d.insert(t, "things", 1, `{"a": {"b c": "x'y", "n": 5, "no": null}, "list": ["p", "q\"", "p", 3, true, null, {"k": "p"}]}`)
	d.insert(t, "things", 2, `no JSON`)
	d.insert(t, "things", 3, nil)
	expr := "t." + s.dialect.quote("doc")
	for path, want := range map[string]string{"a/b c": "x'y", "a/n": "5", "a/no": "", "a/none": ""} {
		for id, want := range map[string]string{"1": want, "2": "", "3": ""} {
			q := &statement{dialect: sys.dialect}
			q.add("SELECT ", sys.dialect.jsonText(expr, doc, strings.Split(path, "/")), " FROM things AS t WHERE t.id = ", id)
			if got := s.ask(t, d, q); got != want {
				t.Errorf("%s of %s: %q, want %q", path, id, got, want)
			}
		}
	}
	q := &statement{dialect: sys.dialect}
	q.add("SELECT COUNT(*) FROM things AS t ", sys.dialect.elements(expr, doc, []string{"list"}, "e"), " WHERE ")
	sys.dialect.isOneOf(q, sys.dialect.compared(asTrimmed, "e.value", element(doc)), asTrimmed, []string{"p", `q"`, "P"})
	if got := s.ask(t, d, q); got != "3" {
		t.Errorf("%s elements", got)
	}
	l := &lookup{}
	sub := &subject{match: match{"customer", asTrimmed}, lookup: l, element: sys.dialect.compared(asTrimmed, "e.value", element(doc)), source: "doc->list[]"}
	ds := &dataset{Dataset: &manifest.Dataset{Name: "things", SQL: &manifest.DatasetSQL{Table: "things", Key: []string{"id"}}}, own: own, table: sys.table("things"), subjects: []subject{*sub}}
	id, _ := own.column("id", sys.dialect)
	ds.keys = []keyColumn{{id, "t." + s.dialect.quote("id")}}
	err = sys.inTransaction(t.Context(), func(_ context.Context, tx *sql.Tx) error {
		_, err := sys.write(t.Context(), tx, ds, changing, []string{"1"}, func(q *statement) {
			q.making = making{removes: map[*lookup][]string{l: {"p"}}}
			q.WriteString(q.dialect.updates(ds.table, own))
			q.add(q.dialect.quote("doc"), " = ")
			q.dialect.change(q, ds, doc, []change{
				{source: manifest.ParseSource("doc->a->b c"), value: "erased"}, {source: manifest.ParseSource("doc->a->n"), value: "{remove}"},
				{source: manifest.ParseSource("doc->list[]"), from: sub}})
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	left := kindObject.text(d.column(t, "SELECT doc FROM things WHERE id = 1")[0])
	if got, want := jsonOf(t, left), `{"a":{"b c":"erased","no":null},"list":["q\"",3,true,null,{"k":"p"}]}`; got != want {
		t.Errorf("left %s, want %s", got, want)
	}
}
