package truth

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/core"
)

// today is the day on which every run begins.
var today = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

const (
	// persons is how many have records. Their numbers collide between systems.
	persons = 4
	// nobody owns what no person's request may touch.
	nobody = -1
	// mark begins every text of a record; the owner's number follows.
	mark = "mark-of-person-"
)

// record is a row that was seeded, and whose it is.
type record struct {
	system, dataset string // the dataset is the table, too
	id              int
	owner, also     int       // also is a second person, or nobody
	until           time.Time // until when it must stay; zero: it needn't
	bystander       bool      // it is in a table that no dataset is of
}

// of reports whether a record is a person's.
func (r record) of(person int) bool { return r.owner == person || r.also == person }

// kept reports whether a record must stay at a time.
func (r record) kept(at time.Time) bool { return r.until.After(at) }

// row is what a record holds.
type row struct {
	ref, body, city string
	locked          bool
}

// fixture is one run's databases and what was seeded into them.
type fixture struct {
	testing.TB
	seed    uint64
	rng     *rand.Rand
	kind    kind
	has     traits
	systems []*system
	sites   []site
	stores  map[string]*store // by system
	records []record
	holds   []held
	erasing map[int]bool // whose erasure was asked for: what had to stay goes by itself later
	next    int          // the id of the next row that comes later
}

// held is a hold that was put on a person's records.
type held struct {
	person int
	core.Held
}

// email is a person's address as they write it themselves.
func email(person int) string { return fmt.Sprintf("person-%d@example.com", person) }

// writing is an address as some system has stored it.
func (w *fixture) writing(person int) string {
	a := email(person)
	switch w.rng.IntN(6) {
	case 0:
		return strings.ToUpper(a)
	case 1:
		return a + " "
	case 2:
		return " " + strings.Replace(a, "example", "Example", 1) + "\t"
	case 3:
		return "\u00a0" + a + "\u200b"
	default:
		return a
	}
}

// newFixture makes the systems of a seed, and fills them.
func newFixture(t testing.TB, k kind, seed uint64) *fixture {
	w := &fixture{TB: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), kind: k, stores: map[string]*store{}, erasing: map[int]bool{}, next: 1000}
	w.has = traits{flags: w.rng.IntN(2) == 0, corrects: w.rng.IntN(3) == 0}
	w.systems = []*system{account()}
	for i := range 1 + w.rng.IntN(3) {
		w.systems = append(w.systems, shapes[w.rng.IntN(len(shapes))](w.rng, fmt.Sprintf("s%d", i))...)
	}
	rows := map[string]map[string][][]int{} // database → table → person → ids
	for _, s := range w.systems {
		m, err := manifest.Parse(s.name+".yaml", []byte(s.yaml(w.has)))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, s.yaml(w.has))
		}
		home := cmp.Or(s.in, s.name)
		if s.in == "" {
			rows[home] = map[string][][]int{}
			w.stores[home] = newStore(t, k)
		}
		db := w.stores[home]
		w.stores[s.name] = db
		w.sites = append(w.sites, site{manifest: m, source: db.source})
		for _, statement := range s.ddl {
			db.exec(statement)
		}
		w.fill(s, rows[home])
		for _, statement := range s.after {
			if of, what, _ := strings.Cut(statement, ":"); (of == "postgres") == (k == postgreSQL) {
				db.exec(what)
			}
		}
	}
	return w
}

// fill gives people records in a system; rows are the ids that its database has, by
// table and person. Numbers are dealt anew in each table, so that one person's number
// here is another's there.
func (w *fixture) fill(s *system, rows map[string][][]int) {
	since := map[string]map[int]time.Time{} // table → id → from when its retention runs
	for _, d := range s.datasets {
		ids := w.rng.Perm(4 * persons)
		rows[d.name], since[d.name] = make([][]int, persons), map[int]time.Time{}
		for person := range persons {
			n := w.rng.IntN(4)
			if s.name == "account" {
				n = 1
			}
			for range n {
				r := record{system: s.name, dataset: d.name, id: ids[0] + 1, owner: person, also: nobody}
				var ref any
				switch parents := rows[d.parent]; {
				case d.household:
					r.owner, ref = nobody, w.rng.IntN(persons)
				case d.parent == "":
					ref = w.writing(person)
				case d.parent == "account":
					ref = w.number(person)
				case len(parents[person]) == 0:
					continue
				default:
					ref = parents[person][w.rng.IntN(len(parents[person]))]
				}
				ids = ids[1:]
				issued := today.AddDate(-w.rng.IntN(15), 0, -w.rng.IntN(300))
				since[d.name][r.id] = issued
				if d.keptWith != "" {
					since[d.name][r.id] = since[d.parent][ref.(int)]
				}
				if d.keeps {
					r.until = day(since[d.name][r.id]).AddDate(10, 0, 1)
				}
				if d.shared {
					r.also = w.rng.IntN(persons)
				}
				w.insert(s, d, r, ref, issued)
				rows[d.name][person] = append(rows[d.name][person], r.id)
			}
		}
	}
	for _, b := range s.bystanders {
		for i, r := range w.records {
			if r.system == s.name && r.dataset == b.to && w.rng.IntN(2) == 0 {
				w.stores[s.name].row(b.name, i+1, r.id)
				if !b.declared {
					w.records = append(w.records, record{system: s.name, dataset: b.name, id: i + 1, owner: nobody, also: nobody, bystander: true})
				}
			}
		}
	}
}

// insert writes a row, and remembers whose it is.
func (w *fixture) insert(s *system, d dataset, r record, ref any, issued time.Time) {
	values := []any{r.id}
	if d.more != "" {
		values = append(values, r.owner/2) // two people share a household
	}
	values = append(values, ref, issued.Format(time.DateOnly), fmt.Sprintf("%s%d-", mark, r.owner))
	switch {
	case s.name == "account":
		values = append(values, fmt.Sprintf("A-%d", r.id))
	case d.shared:
		values = append(values, w.number(r.also))
	}
	w.stores[s.name].row(d.name, append(values, "Paris", 0)...)
	w.records = append(w.records, r)
}

// day is the beginning of a day.
func day(at time.Time) time.Time {
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
}

// number is the number of a person's account.
func (w *fixture) number(person int) string {
	for _, r := range w.records {
		if r.system == "account" && r.owner == person {
			return fmt.Sprintf("A-%d", r.id)
		}
	}
	w.Fatalf("seed %d: person %d has no account", w.seed, person)
	return ""
}

// mayGo reports whether an erasure that was asked for before may erase a record by now,
// since it need not stay any more.
func (w *fixture) mayGo(r record, now time.Time) bool {
	return !r.until.IsZero() && !r.kept(now) && (w.erasing[r.owner] || w.erasing[r.also])
}

// dataset returns what a seed made of a dataset.
func (w *fixture) dataset(r record) dataset {
	for _, s := range w.systems {
		for _, d := range s.datasets {
			if s.name == r.system && d.name == r.dataset {
				return d
			}
		}
	}
	return dataset{}
}

// there is what the databases hold now, by the oracle's own reading. A row that was
// made anonymous is nobody's any more, and isn't there.
func (w *fixture) there() map[record]row {
	held := map[string]map[int]row{} // by system and table
	now := map[record]row{}
	for _, r := range w.records {
		where := r.system + " " + r.dataset
		if held[where] == nil {
			held[where] = w.stores[r.system].rows(r.dataset, r.bystander)
		}
		if is, there := held[where][r.id]; there && is.body != anonymous {
			now[r] = is
		}
	}
	return now
}

// rows returns what the rows of a table hold, by id.
func (s *store) rows(table string, bystander bool) map[int]row {
	s.Helper()
	columns := "body, city, locked"
	if bystander {
		columns = "NULL, NULL, NULL"
	}
	rows, err := s.QueryContext(context.Background(), "SELECT id, CAST(ref AS TEXT), "+columns+" FROM "+table)
	if err != nil {
		s.Fatal(err)
	}
	defer rows.Close()
	out := map[int]row{}
	for rows.Next() {
		var id int
		var ref, body, city sql.NullString
		var locked sql.NullInt64
		if err := rows.Scan(&id, &ref, &body, &city, &locked); err != nil {
			s.Fatal(err)
		}
		out[id] = row{ref.String, body.String, city.String, locked.Int64 == 1}
	}
	if err := rows.Err(); err != nil {
		s.Fatal(err)
	}
	return out
}
