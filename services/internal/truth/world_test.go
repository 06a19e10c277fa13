package truth

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"habeas.dev/pkg/manifest"
)

// today is the day of every run.
var today = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

const (
	// people is how many have records. Their numbers collide between systems.
	people = 4
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

// world is one run's databases and what was seeded into them.
type world struct {
	testing.TB
	seed      uint64
	rng       *rand.Rand
	systems   []*system
	manifests []*manifest.Manifest
	databases map[string]*sql.DB
	files     map[string]string
	records   []record
}

// email is a person's address as they write it themselves.
func email(person int) string { return fmt.Sprintf("person-%d@example.com", person) }

// writing is an address as some system has stored it.
func (w *world) writing(person int) string {
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

// newWorld makes the systems of a seed, and fills them.
func newWorld(t testing.TB, seed uint64) *world {
	w := &world{TB: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), databases: map[string]*sql.DB{}, files: map[string]string{}}
	w.systems = []*system{account()}
	for i := range 1 + w.rng.IntN(3) {
		w.systems = append(w.systems, shapes[w.rng.IntN(len(shapes))](w.rng, fmt.Sprintf("s%d", i))...)
	}
	dir := t.TempDir()
	rows := map[string]map[string][][]int{} // database → table → person → ids
	for _, s := range w.systems {
		m, err := manifest.Parse(s.name+".yaml", []byte(s.yaml()))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, s.yaml())
		}
		w.manifests = append(w.manifests, m)
		home := cmp.Or(s.in, s.name)
		if s.in == "" {
			rows[home] = map[string][][]int{}
			w.databases[home] = w.open(filepath.Join(dir, home+".db"))
		}
		w.files[s.name], w.databases[s.name] = filepath.Join(dir, home+".db"), w.databases[home]
		for _, statement := range s.ddl {
			w.exec(w.databases[home], statement)
		}
		w.fill(s, rows[home])
	}
	return w
}

func (w *world) open(path string) *sql.DB {
	db, err := sql.Open("sqlite", path+"?_pragma=foreign_keys(1)&_pragma=synchronous(0)&_pragma=journal_mode(memory)")
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { db.Close() })
	return db
}

func (w *world) exec(db *sql.DB, statement string, args ...any) {
	w.Helper()
	if _, err := db.ExecContext(context.Background(), statement, args...); err != nil {
		w.Fatalf("seed %d: %s: %v", w.seed, statement, err)
	}
}

// fill gives people records in a system; rows are the ids that its database has, by
// table and person. Numbers are dealt anew in each table, so that one person's number
// here is another's there.
func (w *world) fill(s *system, rows map[string][][]int) {
	db := w.databases[s.name]
	since := map[string]map[int]time.Time{} // table → id → from when its retention runs
	for _, d := range s.datasets {
		ids := w.rng.Perm(4 * people)
		rows[d.table], since[d.table] = make([][]int, people), map[int]time.Time{}
		for person := range people {
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
				w.exec(db, d.insert, id, ref, issued.Format(time.DateOnly), fmt.Sprintf("%s%d-", mark, person))
				rows[d.table][person] = append(rows[d.table][person], id)
				w.records = append(w.records, record{s.name, d.name, d.table, id, person, d.keeps && since[d.table][id].AddDate(10, 0, 0).After(today)})
			}
		}
	}
}

func (w *world) accountOf(person int) int {
	for _, r := range w.records {
		if r.system == "account" && r.owner == person {
			return r.id
		}
	}
	w.Fatalf("seed %d: person %d has no account", w.seed, person)
	return 0
}

// there is what the databases hold now, by the oracle's own reading.
func (w *world) there() map[record]string {
	now := map[record]string{}
	for _, r := range w.records {
		var ref sql.NullString
		var body string
		err := w.databases[r.system].QueryRowContext(context.Background(), "SELECT ref, body FROM "+r.table+" WHERE id = ?", r.id).Scan(&ref, &body)
		switch {
		case err == sql.ErrNoRows:
		case err != nil:
			w.Fatalf("seed %d: %v", w.seed, err)
		default:
			now[r] = ref.String + "|" + body
		}
	}
	return now
}
