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
)

// today is the day of every run.
var today = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

const (
	// persons is how many have records. Their numbers collide between systems.
	persons = 4
	// mark begins every text of a record; the owner's number follows.
	mark = "mark-of-person-"
)

// record is a row that was seeded, and whose it is.
type record struct {
	system, dataset, table string
	id                     int
	owner                  int
	keep                   bool // the manifest says that it must stay
}

// fixture is one run's databases and what was seeded into them.
type fixture struct {
	testing.TB
	seed    uint64
	rng     *rand.Rand
	kind    kind
	systems []*system
	sites   []site
	stores  map[string]*store // by system
	records []record
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
	default:
		return a
	}
}

// newFixture makes the systems of a seed, and fills them.
func newFixture(t testing.TB, k kind, seed uint64) *fixture {
	w := &fixture{TB: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), kind: k, stores: map[string]*store{}}
	w.systems = []*system{account()}
	for i := range 1 + w.rng.IntN(3) {
		w.systems = append(w.systems, shapes[w.rng.IntN(len(shapes))](w.rng, fmt.Sprintf("s%d", i))...)
	}
	rows := map[string]map[string][][]int{} // database → table → person → ids
	for _, s := range w.systems {
		m, err := manifest.Parse(s.name+".yaml", []byte(s.yaml()))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, s.yaml())
		}
		home := cmp.Or(s.in, s.name)
		if s.in == "" {
			rows[home] = map[string][][]int{}
			w.stores[home] = newStore(t, k)
		}
		w.stores[s.name] = w.stores[home]
		w.sites = append(w.sites, site{manifest: m, source: w.stores[home].source})
		for _, statement := range s.ddl {
			w.stores[home].exec(statement)
		}
		w.fill(s, rows[home])
	}
	return w
}

// fill gives people records in a system; rows are the ids that its database has, by
// table and person. Numbers are dealt anew in each table, so that one person's number
// here is another's there.
func (w *fixture) fill(s *system, rows map[string][][]int) {
	db := w.stores[s.name]
	since := map[string]map[int]time.Time{} // table → id → from when its retention runs
	for _, d := range s.datasets {
		ids := w.rng.Perm(4 * persons)
		rows[d.table], since[d.table] = make([][]int, persons), map[int]time.Time{}
		for person := range persons {
			n := w.rng.IntN(4)
			if s.name == "account" {
				n = 1
			}
			for range n {
				var ref any
				switch parents := rows[d.parent]; {
				case d.parent == "":
					ref = w.writing(person)
				case d.parent == "account":
					ref = fmt.Sprintf("A-%d", w.accountOf(person))
				case len(parents[person]) == 0:
					continue
				default:
					ref = parents[person][w.rng.IntN(len(parents[person]))]
				}
				id := ids[0] + 1
				ids = ids[1:]
				issued := today.AddDate(-w.rng.IntN(15), 0, -w.rng.IntN(300))
				since[d.table][id] = issued
				if d.keptWith != "" {
					since[d.table][id] = since[d.parent][ref.(int)]
				}
				values := []any{id, ref, issued.Format(time.DateOnly), fmt.Sprintf("%s%d-", mark, person)}
				if s.name == "account" {
					values = append([]any{id, fmt.Sprintf("A-%d", id)}, values[1:]...)
				}
				db.row(d.table, values...)
				rows[d.table][person] = append(rows[d.table][person], id)
				w.records = append(w.records, record{s.name, d.name, d.table, id, person, d.keeps && since[d.table][id].AddDate(10, 0, 0).After(today)})
			}
		}
	}
}

func (w *fixture) accountOf(person int) int {
	for _, r := range w.records {
		if r.system == "account" && r.owner == person {
			return r.id
		}
	}
	w.Fatalf("seed %d: person %d has no account", w.seed, person)
	return 0
}

// there is what the databases hold now, by the oracle's own reading.
func (w *fixture) there() map[record]string {
	held := map[string]map[int]string{} // by system and table
	now := map[record]string{}
	for _, r := range w.records {
		where := r.system + " " + r.table
		if held[where] == nil {
			held[where] = w.stores[r.system].bodies(r.table)
		}
		if is, there := held[where][r.id]; there {
			now[r] = is
		}
	}
	return now
}

// bodies returns what the rows of a table hold, by id.
func (s *store) bodies(table string) map[int]string {
	s.Helper()
	rows, err := s.QueryContext(context.Background(), "SELECT id, CAST(ref AS TEXT), body FROM "+table)
	if err != nil {
		s.Fatal(err)
	}
	defer rows.Close()
	out := map[int]string{}
	for rows.Next() {
		var id int
		var ref, body sql.NullString
		if err := rows.Scan(&id, &ref, &body); err != nil {
			s.Fatal(err)
		}
		out[id] = ref.String + "|" + body.String
	}
	if err := rows.Err(); err != nil {
		s.Fatal(err)
	}
	return out
}
