package sqlsystem

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// driftEvery is how often the database is asked whether it has columns that the
// manifest doesn't declare: a change of a table is seen within that.
const driftEvery = 10 * time.Minute

// driftAgain is how soon it is asked again where it didn't answer.
const driftAgain = 30 * time.Second

// driftTime bounds that question: a report waits for it.
const driftTime = 5 * time.Second

// drift is what the database has and the manifest doesn't say.
type drift struct {
	mu    sync.Mutex
	asked time.Time
	keep  time.Duration // from asked on, the notes are as good as new
	notes []worker.Note
}

// Notes implements [worker.Noter]: the columns of the datasets' tables that the
// manifest doesn't declare. What is in them is neither gathered nor known.
func (s *System) Notes() []worker.Note {
	s.drift.mu.Lock()
	defer s.drift.mu.Unlock()
	if now := s.now(); s.drift.asked.IsZero() || now.Sub(s.drift.asked) >= s.drift.keep || now.Before(s.drift.asked) {
		ctx, cancel := context.WithTimeout(context.Background(), driftTime)
		defer cancel()
		s.drift.asked, s.drift.keep = now, driftAgain
		if undeclared, err := s.Undeclared(ctx); err == nil { // else what was known is said again
			s.drift.keep = driftEvery
			s.drift.notes = s.drift.notes[:0:0]
			for _, u := range undeclared {
				s.drift.notes = append(s.drift.notes, worker.Note{
					Text: u.String(), Cause: dsar.Cause{Code: dsar.CodeUndeclaredColumn, Table: u.Table, Columns: u.Columns}})
			}
		}
	}
	return s.drift.notes
}

// Undeclared is a table's columns that the manifest doesn't declare.
type Undeclared struct {
	Table   string
	Columns []string
}

func (u Undeclared) String() string {
	return fmt.Sprintf("the table %s has columns that the manifest doesn't declare: %s", u.Table, strings.Join(u.Columns, ", "))
}

// Undeclared asks the database for the columns of the datasets' tables that the
// manifest doesn't name anywhere, in its order. A table that isn't there any more
// has none.
func (s *System) Undeclared(ctx context.Context) ([]Undeclared, error) {
	declared := s.declared()
	var out []Undeclared
	for _, name := range s.tables() {
		t, err := s.describe(ctx, name)
		if errors.Is(err, errNoTable) {
			continue
		}
		if err != nil {
			return nil, err
		}
		u := Undeclared{Table: name}
		for _, c := range t.columns {
			if !slices.ContainsFunc(declared[name], func(d string) bool { return s.dialect.same(d, c.name) }) {
				u.Columns = append(u.Columns, c.name)
			}
		}
		if len(u.Columns) > 0 {
			out = append(out, u)
		}
	}
	return out, nil
}

// tables returns those of the datasets, each once.
func (s *System) tables() []string {
	var names []string
	for _, d := range s.datasets {
		if !slices.Contains(names, d.SQL.Table) {
			names = append(names, d.SQL.Table)
		}
	}
	return names
}

// declared returns the columns that the manifest names, by table.
func (s *System) declared() map[string][]string {
	out := map[string][]string{}
	for _, d := range s.datasets {
		own := d.SQL.Table
		for _, c := range d.columns {
			table, column := d.place(d.SQL.Source(c.name))
			out[table] = append(out[table], column)
		}
		out[own] = slices.Concat(out[own], d.SQL.Key, d.SQL.Technical, d.SQL.Overwritten(), slices.Collect(maps.Keys(d.SQL.Where)))
		for _, r := range d.SQL.Restrict {
			out[own] = append(out[own], r.Column)
		}
		declareJoins(out, own, d.SQL.Via)
		for _, w := range d.SQL.AllWays() {
			out[own] = slices.AppendSeq(out[own], maps.Keys(w.Where))
			declareJoins(out, own, w.Via)
		}
		for _, sub := range append(slices.Clip(d.subjects), d.mentions...) {
			out[sub.table] = append(out[sub.table], sub.column)
		}
	}
	for i, r := range s.m.SQL.Resolve {
		out[r.Table] = append(slices.AppendSeq(out[r.Table], maps.Keys(r.Where)), manifest.ParseSource(r.Column).Column)
		declareJoins(out, r.Table, r.Via)
		for _, sub := range s.finders[i].subjects {
			out[sub.table] = append(out[sub.table], sub.column)
		}
	}
	for table := range out {
		out[table] = slices.AppendSeq(out[table], maps.Keys(s.m.SQL.Where))
	}
	return out
}

// declareJoins adds the columns that joins from a table name.
func declareJoins(out map[string][]string, own string, via []manifest.Via) {
	for i, v := range via {
		from := own
		if near := manifest.From(via, i); near != "" {
			from = via[slices.IndexFunc(via, func(o manifest.Via) bool { return o.Name() == near })].Table
		}
		for near, far := range v.On {
			out[from] = append(out[from], near)
			out[v.Table] = append(out[v.Table], far)
		}
		out[v.Table] = slices.AppendSeq(out[v.Table], maps.Keys(v.Where))
	}
}
