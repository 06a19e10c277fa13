package sqlsystem

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// fixture makes databases of a dialect, for tests: each of its own, with the tables of a
// schema.
type fixture struct {
	dialect Dialect
	make    func(t testing.TB, schema string) database
}

// fixtures returns every dialect: who adds one adds it here.
func fixtures() []fixture {
	return []fixture{{SQLite, sqliteDB}, {PostgreSQL, postgresDB}, {MariaDB, mariaDB}}
}

// TestDialects runs the suite that each dialect must pass.
func TestDialects(t *testing.T) {
	t.Parallel()
	for _, f := range fixtures() {
		t.Run(f.dialect.String(), func(t *testing.T) {
			t.Parallel()
			suite{f}.run(t)
		})
	}
}

// suite is what a dialect must do, each part on a database of its own.
type suite struct{ fixture }

func (s suite) run(t *testing.T) {
	for name, part := range map[string]func(*testing.T){
		"names": s.names, "constants": s.constants, "comparisons": s.comparisons, "keys": s.keys, "days": s.days, "makes": s.makes,
		"within": s.within, "catalogue": s.catalogue, "errors": s.errors, "transactions": s.transactions, "indexes": s.indexes,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			part(t)
		})
	}
}

// nasty are texts that statements must carry as they are.
var nasty = []string{"", "a", "O'Brien", `back\slash`, `"quoted"`, "`ticked`", "100%_!", "é", "e\u0301", "ß", "ẞ", "😀", "😁", "line\nfeed", "; DROP TABLE things --", "a "}

// ask returns the one value of a query, as a text.
func (s suite) ask(t *testing.T, on executor, q *statement) string {
	t.Helper()
	out := "no row"
	if err := each(t.Context(), on, q.String(), func(row []string) { out = row[0] }, q.args...); err != nil {
		t.Fatalf("%v\n%s", err, q)
	}
	return out
}

func (s suite) system(t *testing.T, d database) *System {
	t.Helper()
	_, rest, there := strings.Cut(d.source, "://")
	if !there {
		rest = d.source
	}
	db, err := d.dialect.connect(t.Context(), d.source, rest)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	learnt, err := d.dialect.learn(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Parse("suite.yaml", []byte("system: suite\ntitle: {en: Suite}\nabilities: [gather]\nneeds: [email]\nsql: {}\ndatasets: [{name: things, title: {en: Things}, category: identifiers, origin: provided, purpose: {en: None}, legal_basis: contract, storage: {en: None}, columns: [id], sql: {key: [id], subject: {email: mail}}}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	return &System{m: m, db: db, dialect: learnt, now: time.Now, timeout: time.Minute, statements: map[string]*sql.Stmt{}}
}

// names: any name of a column is found again, and asked by.
func (s suite) names(t *testing.T) {
	names := []string{"id", "select", "two words", `qu"ote`, "tick`ed", "é", "Upper"}
	var columns []string
	for _, n := range names {
		columns = append(columns, s.dialect.quote(n)+" INTEGER")
	}
	d := s.make(t, "CREATE TABLE "+s.dialect.quote("or der")+" ("+strings.Join(columns, ", ")+", PRIMARY KEY ("+s.dialect.quote("id")+"))")
	sys := s.system(t, d)
	own, err := sys.describe(t.Context(), "or der")
	if err != nil {
		t.Fatal(err)
	}
	if own.names() != strings.Join(names, ", ") || !own.tells([]string{"id"}) || own.tells([]string{"select"}) {
		t.Errorf("columns %s, indexes %v", own.names(), own.indexes)
	}
	if _, err := sys.describe(t.Context(), "nothing"); !errors.Is(err, errNoTable) {
		t.Errorf("a table that isn't there: %v", err)
	}
	if all, err := s.dialect.tables(t.Context(), d, ""); err != nil || !slices.Equal(all, []string{"or der"}) {
		t.Errorf("tables %q, %v", all, err)
	}
	d.insert(t, s.dialect.quote("or der"), 1, 2, 3, 4, 5, 6, 7)
	for i, n := range names {
		q := &statement{dialect: sys.dialect}
		q.add("SELECT t.", s.dialect.quote(n), " FROM ", sys.table("or der"), " AS t WHERE t.", s.dialect.quote(n), " = ")
		q.arg(i + 1)
		if got := s.ask(t, d, q); got != strconv.Itoa(i+1) {
			t.Errorf("%s: %s", n, got)
		}
	}
}

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

// comparisons: a column is compared as identifiers are, and by nothing less.
func (s suite) comparisons(t *testing.T) {
	d := s.make(t, "CREATE TABLE things (id INTEGER PRIMARY KEY, word VARCHAR(190), n INTEGER)")
	sys := s.system(t, d)
	own, err := sys.describe(t.Context(), "things")
	if err != nil {
		t.Fatal(err)
	}
	word, _ := own.column("word", sys.dialect)
	number, _ := own.column("n", sys.dialect)
	if as, must := sys.dialect.compares(word); as != asTrimmed || must != "" {
		t.Errorf("a text is compared as %d: %s", as, must)
	}
	if as, must := sys.dialect.compares(number); as != asInteger || must != "" {
		t.Errorf("a number is compared as %d: %s", as, must)
	}
	stored := append(slices.Clone(nasty), "Ann@Example.com", "\u00a0ann@example.com\t", " a", "a\u200b", "+33 (6)\u00a012-34", "0612345678", "b\n", "A", "E", "  ")
	for i, text := range stored {
		d.insert(t, "things", i, text, i)
	}
	for _, as := range []struct {
		comparison
		of func(string) string
	}{
		{asText, func(s string) string { return s }},
		{asTrimmed, func(s string) string { return identifier.Plain("customer", s) }},
		{asFolded, func(s string) string { return identifier.Plain("email", s) }},
		{asDialled, func(s string) string { return identifier.Plain("phone", s) }},
	} {
		expr := sys.dialect.compared(as.comparison, "t."+s.dialect.quote("word"), word)
		for i, text := range stored {
			q := &statement{dialect: sys.dialect}
			q.add("SELECT ", expr, " FROM things AS t WHERE t.id = ", strconv.Itoa(i))
			want := as.of(text)
			if as.comparison == asFolded && !isASCII(want) {
				continue // what a database makes of other letters is its own; patterns find them
			}
			if got := s.ask(t, d, q); got != want {
				t.Errorf("%q compared as %d: %q, want %q", text, as.comparison, got, want)
			}
			// What is asked for is found, and nothing that is written otherwise.
			if want == "" {
				continue
			}
			sub := &subject{match: match{"customer", as.comparison}, expr: expr}
			q = &statement{dialect: sys.dialect}
			q.WriteString("SELECT t.id FROM things AS t WHERE ")
			sys.dialect.among(q, sub, &wanted{values: []string{want, "nothing", "nothing else"}})
			q.WriteString(" ORDER BY 1")
			var got, all []string
			if err := each(t.Context(), d, q.String(), func(row []string) { got = append(got, row[0]) }, q.args...); err != nil {
				t.Fatalf("%v\n%s", err, q)
			}
			for j, other := range stored {
				if o := as.of(other); o == want {
					all = append(all, strconv.Itoa(j))
				}
			}
			if !slices.Equal(got, all) {
				t.Errorf("%q compared as %d finds rows %v, want %v", want, as.comparison, got, all)
			}
		}
	}
	for pattern, want := range map[string]string{"a!_%": "", "100!%!_!!": "6", "O'%": "2", "%😀%": "11"} {
		q := &statement{dialect: sys.dialect}
		q.WriteString("SELECT t.id FROM things AS t WHERE ")
		sys.dialect.like(q, sys.dialect.compared(asTrimmed, "t."+s.dialect.quote("word"), word), pattern)
		got := strings.Replace(s.ask(t, d, q), "no row", "", 1)
		if got != want {
			t.Errorf("like %q: %q, want %q", pattern, got, want)
		}
	}
	q := &statement{dialect: sys.dialect}
	q.WriteString("SELECT COUNT(*) FROM things AS t WHERE ")
	sys.dialect.mentions(q, "lower("+sys.dialect.text("t.word")+")", []string{"ann@example.com", "o'brien", "it's not there"})
	if got := s.ask(t, d, q); got != "3" {
		t.Errorf("%s rows mention", got)
	}
}

// keys: rows are found by their keys, one column or several, and no others.
func (s suite) keys(t *testing.T) {
	d := s.make(t, "CREATE TABLE things (word VARCHAR(190), n INTEGER, PRIMARY KEY (word, n)); CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
	sys := s.system(t, d)
	for i, text := range []string{"a", "O'Brien", `back\slash`, `"],["`, "ß", "😀", "b"} {
		d.insert(t, "things", text, i)
		d.insert(t, "numbers", i)
	}
	for table, columns := range map[string][]string{"things": {"word", "n"}, "numbers": {"n"}} {
		own, err := sys.describe(t.Context(), table)
		if err != nil {
			t.Fatal(err)
		}
		ds := &dataset{Dataset: &manifest.Dataset{Name: table}, own: own, table: sys.table(table)}
		for _, name := range columns {
			col, _ := own.column(name, sys.dialect)
			ds.keys = append(ds.keys, keyColumn{col, "t." + s.dialect.quote(name)})
		}
		texts := strings.Join(ds.keyTexts(sys.dialect, "t"), ", ")
		var keys []string
		read := func(q *statement) (out []string) {
			if err := each(t.Context(), d, q.String(), func(row []string) { out = append(out, worker.Key(row...)) }, q.args...); err != nil {
				t.Fatalf("%v\n%s", err, q)
			}
			return out
		}
		q := &statement{dialect: sys.dialect}
		q.add("SELECT ", texts, " FROM ", ds.table, " AS t ORDER BY ", sys.dialect.ordered(ds.keys[0].expr, ds.keys[0].column))
		keys = read(q)
		for i := range keys {
			some := keys[i:]
			q := &statement{dialect: sys.dialect}
			q.add("SELECT ", texts, " FROM ", ds.table, " AS t WHERE ")
			if err := ds.keyed(q, some); err != nil {
				t.Fatal(err)
			}
			q.add(" ORDER BY ", sys.dialect.ordered(ds.keys[0].expr, ds.keys[0].column))
			if got := read(q); !slices.Equal(got, some) {
				t.Errorf("%s by %q: %q", table, some, got)
			}
		}
		err = sys.inTransaction(t.Context(), func(tx *sql.Tx) error {
			n, err := sys.write(t.Context(), tx, ds, deleting, keys[1:], func(q *statement) { q.WriteString(q.dialect.deletes(ds.table, own)) })
			if n != int64(len(keys)-1) {
				t.Errorf("%s: %d rows deleted", table, n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if left := d.column(t, "SELECT n FROM "+table); len(left) != 1 {
			t.Errorf("%s: left %v", table, left)
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
	err = sys.inTransaction(t.Context(), func(tx *sql.Tx) error {
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
	err = sys.byKey(t.Context(), d, ds, act{sets: 1}, made, []string{"0", "1", "2", "3", "4"}, now, noLaw, func(key string, _ []any, _ stay, _, is bool) { done[key] = is })
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
		err = sys.inTransaction(t.Context(), func(tx *sql.Tx) error {
			e := &erasure{examination: &examination{System: sys}, tx: tx}
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
	err = sys.inTransaction(t.Context(), func(tx *sql.Tx) error {
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

// catalogue: foreign keys and what they do, triggers, constraints; and that it changed.
func (s suite) catalogue(t *testing.T) {
	d := s.make(t, `CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(190) NOT NULL UNIQUE, age INTEGER CHECK (age >= 0), twice INTEGER GENERATED ALWAYS AS (age * 2) STORED);
		CREATE TABLE orders (id INTEGER PRIMARY KEY, person INTEGER, CONSTRAINT goes FOREIGN KEY (person) REFERENCES people (id) ON DELETE CASCADE);
		CREATE TABLE visits (id INTEGER PRIMARY KEY, person INTEGER, CONSTRAINT detaches FOREIGN KEY (person) REFERENCES people (id) ON DELETE SET NULL);
		CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER, CONSTRAINT blocks FOREIGN KEY (person) REFERENCES people (id))`)
	sys := s.system(t, d)
	if err := sys.refresh(t.Context(), sys.db); err != nil {
		t.Fatal(err)
	}
	own, err := sys.describe(t.Context(), "people")
	if err != nil {
		t.Fatal(err)
	}
	mail, _ := own.column("mail", sys.dialect)
	twice, _ := own.column("twice", sys.dialect)
	age, _ := own.column("age", sys.dialect)
	if !mail.notNull || age.notNull || twice.made == "" || age.made != "" {
		t.Errorf("columns %+v", own.columns)
	}
	if !own.tells([]string{"mail"}) || own.tells([]string{"age"}) {
		t.Errorf("indexes %+v", own.indexes)
	}
	if len(own.checks) != 1 || !slices.Equal(own.checks[0].columns, []string{"age"}) {
		t.Errorf("checks %+v", own.checks)
	}
	want := map[string]onDelete{"orders": goes, "visits": detaches, "notes": blocks}
	for _, r := range sys.catalogue().to(own.relation.id) {
		if is, there := want[r.from.name]; !there || is != r.onDelete || !slices.Equal(r.columns, []string{"person"}) || !slices.Equal(r.targets, []string{"id"}) {
			t.Errorf("reference %+v", r)
		}
		delete(want, r.from.name)
	}
	if len(want) > 0 {
		t.Errorf("not found: %v", want)
	}
	if _, err := d.Exec("CREATE TABLE more (id INTEGER PRIMARY KEY, person INTEGER, FOREIGN KEY (person) REFERENCES people (id))"); err != nil {
		t.Fatal(err)
	}
	if err := sys.freshen(t.Context(), sys.db); err != nil || len(sys.catalogue().to(own.relation.id)) != 4 {
		t.Errorf("a new foreign key isn't seen: %v", err)
	}
}

// errors: what a database says is told apart.
func (s suite) errors(t *testing.T) {
	d := s.make(t, `CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(190) NOT NULL UNIQUE, age INTEGER CHECK (age >= 0));
		CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER, CONSTRAINT blocks FOREIGN KEY (person) REFERENCES people (id))`)
	sys := s.system(t, d)
	if err := sys.refresh(t.Context(), sys.db); err != nil {
		t.Fatal(err)
	}
	d.insert(t, "people", 1, "a", 1)
	d.insert(t, "people", 2, "b", 1)
	d.insert(t, "notes", 1, 1)
	own, err := sys.describe(t.Context(), "people")
	if err != nil {
		t.Fatal(err)
	}
	ds := &dataset{Dataset: &manifest.Dataset{Name: "people", SQL: &manifest.DatasetSQL{Table: "people"}}, own: own, relation: own.relation}
	for statement, want := range map[string]struct {
		is   reason
		says string
	}{
		"UPDATE people SET mail = 'a' WHERE id = 2":  {rowWrong, "another row's already"},
		"UPDATE people SET mail = NULL WHERE id = 2": {rowWrong, "takes no null"},
		"UPDATE people SET age = -1 WHERE id = 2":    {rowWrong, "breaks a constraint"},
		"DELETE FROM people WHERE id = 1":            {rowWrong, "notes"},
		"DELETE FROM nothing":                        {shape, ""},
		"UPDATE people SET nothing = 1":              {shape, ""},
	} {
		_, err := sys.db.ExecContext(t.Context(), statement)
		if reasonOf(err) != want.is {
			t.Errorf("%s: %v is of kind %d", statement, err, reasonOf(err))
		}
		said := sys.refusal(&rejected{ds, deleting, err})
		if want.is == rowWrong && (!strings.Contains(said, want.says) || strings.Contains(said, "'") && strings.Contains(said, "'a'")) {
			t.Errorf("%s: says %q", statement, said)
		}
		var c dsar.Cause
		sys.dialect.cause(sys, rejected{d: ds}, err, &c)
		if strings.Contains(fmt.Sprint(c), "'a'") {
			t.Errorf("%s: the cause quotes a row: %v", statement, c)
		}
	}
	if r := reasonOf(context.DeadlineExceeded); r != passing {
		t.Errorf("a call whose time is over is of kind %d", r)
	}
}

// transactions: what was counted is what is erased, and what is done is counted.
func (s suite) transactions(t *testing.T) {
	d := s.make(t, "CREATE TABLE things (id INTEGER PRIMARY KEY, word VARCHAR(190))")
	sys := s.system(t, d)
	for i := range 5 {
		d.insert(t, "things", i, "word")
	}
	err := sys.inTransaction(t.Context(), func(tx *sql.Tx) error {
		sum := func() (deleted, changed int64) {
			all, err := sys.dialect.tallies(t.Context(), tx, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range all {
				deleted, changed = deleted+one.deleted, changed+one.changed
			}
			return deleted, changed
		}
		d0, c0 := sum()
		if _, err := tx.Exec("DELETE FROM things WHERE id < 2"); err != nil {
			return err
		}
		if _, err := tx.Exec("UPDATE things SET word = 'other' WHERE id = 4"); err != nil {
			return err
		}
		if d1, c1 := sum(); d1+c1-d0-c0 != 3 {
			t.Errorf("counted %d deleted and %d changed", d1-d0, c1-c0)
		}
		if err := sys.dialect.beforeCommit(t.Context(), tx); err != nil {
			return err
		}
		if loose, err := sys.dialect.dangling(t.Context(), tx); err != nil || len(loose) > 0 {
			t.Errorf("dangling %v, %v", loose, err)
		}
		return errRehearsed
	})
	if !errors.Is(err, errRehearsed) {
		t.Fatal(err)
	}
	if left := d.column(t, "SELECT id FROM things"); len(left) != 5 {
		t.Errorf("left %v after it was taken back", left)
	}
	if err := sys.looking(t.Context(), func(tx *sql.Tx) error { return each(t.Context(), tx, "SELECT id FROM things", func([]string) {}) }); err != nil {
		t.Error(err)
	}
}

// indexes: what serves is known, and what is advised serves.
func (s suite) indexes(t *testing.T) {
	d := s.make(t, "CREATE TABLE things (id INTEGER PRIMARY KEY, word VARCHAR(190), n INTEGER)")
	for i := range 100 {
		d.insert(t, "things", i, fmt.Sprintf("%d@example.com", i), i)
	}
	sys := s.system(t, d)
	own, err := sys.describe(t.Context(), "things")
	if err != nil {
		t.Fatal(err)
	}
	n, _ := own.column("n", sys.dialect)
	bare := s.dialect.quote("n")
	serves := func() bool {
		return sys.dialect.serves(t.Context(), sys, "things", n, asInteger, sys.dialect.compared(asInteger, bare, n), "")
	}
	if serves() || sys.dialect.follows(t.Context(), sys, own, "things", []string{"n"}) {
		t.Error("an index that isn't there serves")
	}
	if _, err := sys.db.ExecContext(t.Context(), sys.dialect.index(sys, &subject{match: match{"n", asInteger}, table: "things", column: "n", held: n, bare: bare})); err != nil {
		t.Fatal(err)
	}
	if is, follows := serves(), sys.dialect.follows(t.Context(), sys, own, "things", []string{"n"}); !is || !follows {
		t.Errorf("the index that was advised serves: %t, and joins: %t", is, follows)
	}
}
