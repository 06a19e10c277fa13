package sqlsystem

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

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
	if all, err := sys.ownTables(t.Context()); err != nil || !slices.Equal(all, []string{"or der"}) {
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
		err = sys.inTransaction(t.Context(), func(_ context.Context, tx *sql.Tx) error {
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
