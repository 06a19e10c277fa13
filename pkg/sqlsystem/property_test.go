package sqlsystem

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// content is what a test puts into the shop's tables.
type content struct {
	people []personRow
	orders []orderRow
	lines  []lineRow
	notes  []noteRow
}

type personRow struct {
	id          int
	mail, phone any
	born, seen  any
	score       any
	active      any
	prefs       any
}

type orderRow struct {
	number           string
	customer         int
	placed, disputed any
}

type lineRow struct {
	order string
	n     int
	text  any
}

type noteRow struct {
	id       int
	customer any
	mail     any
}

var (
	someMails = []string{"a@x.org", "A@X.org", "o'b@x.org", "ÄÖ@x.org", "äö@x.org", "b_@x.org", "b%@x.org", "z@x.org"}
	someTexts = []string{"", "=1+1", "a,b\n\"c\"", "é", "e\u0301", "👍", "' OR 1=1", `\`, "null", " x "}
	somePrefs = []string{`{}`, `[1, 2.50, null]`, `{"z": 1, "a": {"y": "é", "x": false}}`, `"text"`, `12345678901234567890`, `null`}
)

func anyOf[T any](t *rapid.T, label string, from []T) any {
	i := rapid.IntRange(-1, len(from)-1).Draw(t, label)
	if i < 0 {
		return nil
	}
	return from[i]
}

func someDate(t *rapid.T, label string, years int) any {
	if rapid.IntRange(0, 5).Draw(t, label+" missing") == 0 {
		return nil
	}
	// Around the day on which a period ends, or anywhere.
	around := now.AddDate(-years, 0, 0)
	days := rapid.OneOf(rapid.IntRange(-3, 3), rapid.IntRange(-4000, 4000)).Draw(t, label)
	return around.AddDate(0, 0, days).Format(time.DateOnly)
}

func someContent(t *rapid.T) content {
	var c content
	people := rapid.IntRange(0, 6).Draw(t, "people")
	for id := range people {
		p := personRow{id: id, mail: anyOf(t, "mail", someMails), phone: anyOf(t, "phone", []string{"+1", "+2"})}
		p.born = someDate(t, "born", 30)
		if rapid.Bool().Draw(t, "seen") {
			p.seen = now.Add(time.Duration(rapid.Int64Range(-1e9, 1e9).Draw(t, "when")) * time.Millisecond).Format(time.RFC3339Nano)
		}
		if rapid.Bool().Draw(t, "scored") {
			p.score = float64(rapid.IntRange(-9999999, 9999999).Draw(t, "score")) / 10000
		}
		p.active = anyOf(t, "active", []bool{true, false})
		p.prefs = anyOf(t, "prefs", somePrefs)
		c.people = append(c.people, p)
	}
	for i := range rapid.IntRange(0, 12).Draw(t, "orders") {
		placed, disputed := someDate(t, "placed", 10), someDate(t, "disputed", 1)
		number := rapid.SampledFrom([]string{"a", "B", "é", "-", "'"}).Draw(t, "prefix") + strconv.Itoa(i)
		c.orders = append(c.orders, orderRow{number, rapid.IntRange(0, 7).Draw(t, "customer"), placed, disputed})
		for n := range rapid.IntRange(0, 3).Draw(t, "lines") {
			c.lines = append(c.lines, lineRow{number, n, anyOf(t, "text", someTexts)})
		}
	}
	for i := range rapid.IntRange(0, 6).Draw(t, "notes") {
		c.notes = append(c.notes, noteRow{i, anyOf(t, "note of", []int{0, 1, 2, 3}), anyOf(t, "note's mail", someMails)})
	}
	return c
}

// put replaces what the tables hold.
func (d database) put(t tester, c content) {
	t.Helper()
	for _, table := range []string{"order_lines", "orders", "notes", "people"} {
		if _, err := d.Exec("DELETE FROM " + table); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range c.people {
		d.insert(t, "people", p.id, p.mail, p.phone, p.born, p.seen, p.score, p.active, p.prefs, "secret", nil)
	}
	for _, o := range c.orders {
		d.insert(t, "orders", o.number, o.customer, o.placed, o.disputed)
	}
	for _, l := range c.lines {
		d.insert(t, "order_lines", l.order, l.n, l.text)
	}
	for _, n := range c.notes {
		d.insert(t, "notes", n.id, n.customer, n.mail, "words")
	}
}

// who is what the test knows of one person: their number, perhaps their mail.
type who struct {
	customer int
	mail     string
}

func (w who) identifiers() []worker.Identifier {
	out := ids("customer " + strconv.Itoa(w.customer))
	if w.mail != "" {
		out = append(out, ids("email "+w.mail)...)
	}
	return out
}

func (w who) hasMail(mail any) bool {
	s, ok := mail.(string)
	return ok && w.mail != "" && strings.EqualFold(s, w.mail)
}

// expected says, independently of the package, which records are a person's, by
// dataset and key.
func (c content) expected(w who) []string {
	var out []string
	for _, p := range c.people {
		if p.id == w.customer || w.hasMail(p.mail) {
			out = append(out, fmt.Sprintf("people %d", p.id))
		}
	}
	for _, o := range c.orders {
		if o.customer == w.customer {
			out = append(out, "orders "+o.number)
		}
	}
	for _, l := range c.lines {
		for _, o := range c.orders {
			if o.number == l.order && o.customer == w.customer {
				out = append(out, fmt.Sprintf("lines %s/%d", l.order, l.n))
			}
		}
	}
	for _, n := range c.notes {
		if n.customer == w.customer || w.hasMail(n.mail) {
			out = append(out, fmt.Sprintf("notes %d", n.id))
		}
	}
	slices.Sort(out)
	return out
}

// stays says, independently of the package, whether an order must stay.
func (o orderRow) stays() bool {
	day := now.Format(time.DateOnly)
	if o.placed == nil {
		return true
	}
	placed, _ := time.Parse(time.DateOnly, o.placed.(string))
	if clamp(placed, 10, 0) >= day {
		return true
	}
	if o.disputed == nil {
		return false
	}
	disputed, _ := time.Parse(time.DateOnly, o.disputed.(string))
	return clamp(disputed, 1, 6) >= day
}

// clamp adds years and months, to the month's last day where it is shorter.
func clamp(day time.Time, years, months int) string {
	to := day.AddDate(years, months, 0)
	if to.Day() != day.Day() {
		to = to.AddDate(0, 0, -to.Day())
	}
	return to.Format(time.DateOnly)
}

// keyOf cuts a gathered record down to dataset and key.
func keyOf(line string) string {
	dataset, text, _ := strings.Cut(line, " ")
	field := func(name string) string {
		_, rest, _ := strings.Cut(text, `"`+name+`":`)
		rest, _, _ = strings.Cut(rest, ",\"")
		s := strings.TrimSuffix(rest, "}")
		if u, err := strconv.Unquote(s); err == nil {
			s = u
		}
		return s
	}
	switch dataset {
	case "orders":
		return "orders " + field("number")
	case "lines":
		return "lines " + field("order") + "/" + field("n")
	default:
		return dataset + " " + field("id")
	}
}

// propertiesOn runs a property on each database. Rapid's checks of one database
// go one after the other.
func propertiesOn(t *testing.T, test func(*rapid.T, database, *System)) {
	onEach(t, func(t *testing.T, d database) {
		s := open(t, d, shop(t))
		rapid.Check(t, func(r *rapid.T) { test(r, d, s) })
	})
}

func someone(t *rapid.T) who {
	w := who{customer: rapid.IntRange(0, 8).Draw(t, "who")}
	if rapid.Bool().Draw(t, "with mail") {
		// SQLite's lower knows ASCII only: none with other letters is asked for.
		w.mail = rapid.SampledFrom([]string{"a@x.org", "A@x.ORG", "O'B@x.org", "b_@x.org", "b%@x.org", "nobody@x.org"}).Draw(t, "mail asked")
	}
	return w
}

// TestGatherIsExact holds that everyone gets all of their records and none of
// others', however many are asked for at once.
func TestGatherIsExact(t *testing.T) {
	t.Parallel()
	propertiesOn(t, func(t *rapid.T, d database, s *System) {
		c := someContent(t)
		d.put(t, c)
		subjects := make([]who, rapid.IntRange(1, 5).Draw(t, "subjects"))
		asked := make([][]worker.Identifier, len(subjects))
		for i := range subjects {
			subjects[i] = someone(t)
			asked[i] = subjects[i].identifiers()
		}
		for i, records := range gatherAll(t, s, asked...) {
			got := make([]string, len(records))
			for j, r := range records {
				got[j] = keyOf(r)
			}
			slices.Sort(got)
			if want := c.expected(subjects[i]); !slices.Equal(got, want) {
				t.Fatalf("%+v: got %v, want %v", subjects[i], got, want)
			}
		}
	})
}

// TestPartition holds that the records of all who are known, and of nobody else,
// are the table: each order belongs to exactly one customer.
func TestPartition(t *testing.T) {
	t.Parallel()
	propertiesOn(t, func(t *rapid.T, d database, s *System) {
		c := someContent(t)
		d.put(t, c)
		var asked [][]worker.Identifier
		for customer := range 8 {
			asked = append(asked, who{customer: customer}.identifiers())
		}
		times := map[string]int{}
		for _, records := range gatherAll(t, s, asked...) {
			for _, r := range records {
				times[keyOf(r)]++
			}
		}
		for _, o := range c.orders {
			if times["orders "+o.number] != 1 {
				t.Fatalf("order %s was gathered %d times", o.number, times["orders "+o.number])
			}
		}
		for _, l := range c.lines {
			if n := times[fmt.Sprintf("lines %s/%d", l.order, l.n)]; n != 1 {
				t.Fatalf("line %s/%d was gathered %d times", l.order, l.n, n)
			}
		}
	})
}

// TestPlanIsErase holds that erasing takes what the plan announced and leaves
// what must stay, that others lose nothing, that a second time takes nothing, and
// that the proof finds only what must stay.
func TestPlanIsErase(t *testing.T) {
	t.Parallel()
	propertiesOn(t, func(t *rapid.T, d database, s *System) {
		c := someContent(t)
		d.put(t, c)
		one, other := someone(t), someone(t)
		plan := jobsOf(dsar.Erasure, one.identifiers(), other.identifiers())
		done := jobsOf(dsar.Erasure, one.identifiers(), other.identifiers())
		again := jobsOf(dsar.Erasure, one.identifiers(), other.identifiers())
		proof := jobsOf(dsar.Erasure, one.identifiers(), other.identifiers())
		for _, err := range []error{s.countAll(t.Context(), plan), s.eraseAll(t.Context(), done), s.eraseAll(t.Context(), again), s.countAll(t.Context(), proof)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for i := range plan {
			if !slices.Equal(summary(plan[i].Counts), summary(done[i].Counts)) {
				t.Fatalf("the plan was %+v, done was %+v", plan[i].Counts, done[i].Counts)
			}
			for _, counts := range [][]dsar.Counts{again[i].Counts, proof[i].Counts} {
				for _, n := range counts {
					if n.Erased+n.Anonymised > 0 || n.Found != n.Kept() {
						t.Fatalf("after erasing: %+v", n)
					}
				}
			}
		}
		mine := append(c.expected(one), c.expected(other)...)
		var want []string
		for _, o := range c.orders {
			if !slices.Contains(mine, "orders "+o.number) || o.stays() {
				want = append(want, o.number)
			}
		}
		slices.Sort(want)
		got := d.column(t, "SELECT number FROM orders")
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("left %v, want %v", got, want)
		}
		for _, p := range c.people {
			if slices.Contains(mine, fmt.Sprintf("people %d", p.id)) == slices.Contains(d.column(t, "SELECT id FROM people"), strconv.Itoa(p.id)) {
				t.Fatalf("person %d", p.id)
			}
		}
		for _, n := range c.notes {
			bodies := d.column(t, fmt.Sprintf("SELECT body FROM notes WHERE id = %d", n.id))
			if slices.Contains(mine, fmt.Sprintf("notes %d", n.id)) != slices.Equal(bodies, []string{"(removed)"}) {
				t.Fatalf("note %d: %v", n.id, bodies)
			}
		}
	})
}

// summary returns what a plan and its execution have in common.
func summary(counts []dsar.Counts) []string {
	var out []string
	for _, c := range counts {
		slices.SortFunc(c.Retained, func(a, b dsar.Retention) int { return strings.Compare(a.Ground, b.Ground) })
		out = append(out, fmt.Sprintf("%s %d %v", c.Dataset, c.Found, c.Retained))
	}
	slices.Sort(out)
	return out
}

// TestDatabasesAgree holds that the same rows give the same records, in the same
// order, on every database.
func TestDatabasesAgree(t *testing.T) {
	t.Parallel()
	lite := sqliteDB(t, sqliteShop)
	for name, other := range map[string]func(testing.TB) database{
		"PostgreSQL": func(t testing.TB) database { return postgresDB(t, postgresShop) }, "MariaDB": func(t testing.TB) database { return mariaDB(t, mariaShop) }} {
		t.Run(name, func(t *testing.T) { agree(t, lite, other(t)) })
	}
}

func agree(t *testing.T, lite, pg database) {
	onLite, onPG := open(t, lite, shop(t)), open(t, pg, shop(t))
	rapid.Check(t, func(t *rapid.T) {
		c := someContent(t)
		lite.put(t, c)
		pg.put(t, c)
		var asked [][]worker.Identifier
		for range 3 {
			asked = append(asked, someone(t).identifiers())
		}
		a, b := gatherAll(t, onLite, asked...), gatherAll(t, onPG, asked...)
		for i := range a {
			if !slices.Equal(a[i], b[i]) {
				t.Fatalf("SQLite     %s\nthe other  %s", strings.Join(a[i], "\n           "), strings.Join(b[i], "\n           "))
			}
		}
	})
}
