package truth

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/sandbox/internaldb"
	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/systems"
)

// builtIn is the systems of the sandbox that have a database, all in one scene, with the
// databases as the oracle reads them.
type builtIn struct {
	people *people.Population
	dbs    map[string]*sql.DB
}

// builtIn adds every system of the sandbox that has a database.
func (s *scene) builtIn(p *people.Population) *builtIn {
	s.Helper()
	files, err := internaldb.Create(s.ctx(), s.TempDir(), p)
	s.must(err)
	b := &builtIn{people: p, dbs: map[string]*sql.DB{}}
	for _, name := range internaldb.Systems() {
		m, err := systems.Manifest(name)
		s.must(err)
		w, err := sqlsystem.Open(s.ctx(), m, files[name], sqlsystem.WithClock(func() time.Time { return s.now }))
		s.must(err)
		s.Cleanup(func() { w.Close() })
		s.served(m, w)
		db, err := sql.Open("sqlite", files[name])
		s.must(err)
		s.Cleanup(func() { db.Close() })
		b.dbs[name] = db
	}
	return b
}

// rows returns the rows of a dataset's table, each as its values.
func (b *builtIn) rows(s *scene, system, dataset string) (all [][]string) {
	s.Helper()
	rows, err := b.dbs[system].QueryContext(s.ctx(), "SELECT * FROM "+internaldb.Table(system, dataset))
	s.must(err)
	defer rows.Close()
	columns, err := rows.Columns()
	s.must(err)
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		s.must(rows.Scan(into...))
		row := make([]string, len(values))
		for i, v := range values {
			row[i] = fmt.Sprint(v)
		}
		all = append(all, row)
	}
	s.must(rows.Err())
	return all
}

// names reports whether values hold something by which a person is known.
func (b *builtIn) names(n int, values []string) bool {
	who := b.people.Person(n)
	known := []string{who.AccountID, b.people.CustomerRef(n), b.people.TaxID(n), b.people.CookieID(n, 1), b.people.CookieID(n, 2)}
	for _, v := range values {
		if strings.EqualFold(v, who.Email) {
			return true
		}
		for _, k := range known {
			if k != "" && v == k {
				return true
			}
		}
	}
	return false
}

// there returns how many of the records that were seeded of a person a dataset still holds as
// theirs: under their keys, and, where they were known by a number or an address of the
// person, with such a one in them.
func (b *builtIn) there(s *scene, n int, system, dataset string) (count int64) {
	s.Helper()
	rows := b.rows(s, system, dataset)
	for _, r := range b.people.RowsIn(n, system) {
		if r.Dataset != dataset {
			continue
		}
		var seeded []string
		for _, v := range r.Values {
			seeded = append(seeded, fmt.Sprint(v))
		}
		named := b.names(n, seeded)
		for _, row := range rows {
			if key := fmt.Sprint(r.Key); holds(row, key) && (!named || b.names(n, row)) {
				count++
				break
			}
		}
	}
	return count
}

func holds(row []string, key string) bool {
	for _, v := range row {
		if v == key {
			return true
		}
	}
	return false
}

// judge holds what was said of a person against what the databases held before it and hold
// now.
func (b *builtIn) judge(s *scene, right dsar.Right, n int, state core.State, before map[string]int64) (lies []string) {
	s.Helper()
	lie := func(format string, args ...any) { lies = append(lies, fmt.Sprintf(format, args...)) }
	a := s.read(state)
	for _, system := range internaldb.Systems() {
		said := map[string]saidDataset{}
		for _, d := range a.of(system).Datasets {
			said[d.Dataset] = d
		}
		for _, dataset := range internaldb.Datasets(system) {
			was, is, d := before[system+" "+dataset], b.there(s, n, system, dataset), said[dataset]
			switch {
			case right == dsar.Access && d.Records != was:
				lie("access: %s %s: %d records are said, %d are there", system, dataset, d.Records, was)
			case right == dsar.Erasure && d.Found != was:
				lie("erasure: %s %s: %d records are said to have been found, %d were there", system, dataset, d.Found, was)
			case right == dsar.Erasure && d.kept() != is:
				lie("erasure: %s %s: %d records are said to stay, %d do", system, dataset, d.kept(), is)
			}
		}
	}
	for name, text := range a.files {
		for _, other := range b.people.People {
			if other.Number != n && other.AccountID != "" && strings.HasSuffix(name, ".json") && strings.Contains(text, `"`+other.AccountID+`"`) {
				lie("%s names somebody else's account", name)
			}
		}
	}
	return lies
}

// count returns how many records of a person each dataset holds.
func (b *builtIn) count(s *scene, n int) map[string]int64 {
	out := map[string]int64{}
	for _, system := range internaldb.Systems() {
		for _, dataset := range internaldb.Datasets(system) {
			out[system+" "+dataset] = b.there(s, n, system, dataset)
		}
	}
	return out
}

// TestBuiltInTruth has people ask all systems of the sandbox that have a database, by a bus that
// loses and doubles, and holds every answer against the databases.
func TestBuiltInTruth(t *testing.T) {
	t.Parallel()
	for run := range uint64(max(2, *runs/120)) {
		t.Run(fmt.Sprint(run), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(run, 6))
			p := people.Generate(people.Config{Seed: rng.Int64N(1000), People: 20})
			s := newScene(t, sqLite)
			s.seed, s.rng = run, rand.New(rand.NewPCG(run, 7))
			b := s.builtIn(p)
			s.begin()
			n := 1 + rng.IntN(len(p.People))
			for _, right := range []dsar.Right{dsar.Access, dsar.Erasure, dsar.Access} {
				before := b.count(s, n)
				state := s.asks(right, "email "+p.Person(n).Email)
				if state.Status == core.StatusNeedsAttention {
					t.Errorf("seed %d: %s of person %d needs attention", run, right, n)
					return
				}
				for _, lie := range b.judge(s, right, n, state, before) {
					t.Errorf("seed %d: person %d: %s", run, n, lie)
				}
			}
		})
	}
}
