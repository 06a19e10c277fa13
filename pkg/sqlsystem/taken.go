package sqlsystem

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// taken is a kind of rows that go, or change, with a dataset's as the manifest lets them.
type taken struct {
	from    string // the dataset
	table   string
	way     string
	changes bool // they stay, and lose their reference to what goes
}

// noteTaken tells a job what goes, or went, with its rows that the manifest lets go, and
// by which way.
func noteTaken(j *worker.Job, all map[taken]int, goes, changes string) {
	for _, t := range sortedTaken(all) {
		switch n := all[t]; {
		case n > 0 && t.changes:
			j.Note(worker.Note{Text: fmt.Sprintf("%d rows of %s (%s) %s, as the manifest lets them (unlinks, cascades)", n, t.table, t.way, changes)})
		case n > 0:
			j.Note(worker.Note{Text: fmt.Sprintf("%d rows of %s (%s) %s, as the manifest lets them (cascades)", n, t.table, t.way, goes)})
		}
	}
}

func sortedTaken(all map[taken]int) []taken {
	return slices.SortedFunc(maps.Keys(all), func(a, b taken) int { return cmp.Or(cmp.Compare(a.table, b.table), cmp.Compare(a.way, b.way)) })
}

// withTaken adds what went with a job's rows to the counts of the dataset that took it, by
// table.
func (s *System) withTaken(counts []dsar.Counts, all map[taken]int) []dsar.Counts {
	counts = slices.Clone(counts)
	for _, t := range sortedTaken(all) {
		if all[t] == 0 {
			continue
		}
		i := slices.IndexFunc(counts, func(c dsar.Counts) bool { return c.Dataset == t.from })
		if i < 0 {
			i, counts = len(counts), append(counts, dsar.Counts{Dataset: t.from})
		}
		counts[i].Taken = append(slices.Clip(counts[i].Taken), dsar.Taken{Table: t.table, Records: int64(all[t]), Changed: t.changes})
	}
	return counts
}

// takenFrom returns how many rows of a table were to go, or to lose their reference, by
// foreign keys that the manifest lets.
func (b *bound) takenFrom(table string, changes bool) (rows int64) {
	for _, j := range b.jobs {
		for t, n := range j.taken {
			if t.table == table && t.changes == changes {
				rows += int64(n)
			}
		}
	}
	return rows
}

// letGo counts rows that a trigger or rule deleted from a table as the manifest lets it. Of
// several people's nobody knows whose row took them: each gets a transaction of their own
// (TestCase07ATriggerThatIsLet). Rows that may lose their reference may not go.
func (b *bound) letGo(w *tree, rows int64) error {
	for _, h := range b.holdings {
		if len(h.erase) == 0 || !w.any(h.d.lets) {
			continue
		}
		if len(b.jobs) > 1 {
			break
		}
		j := b.jobs[0]
		if j.taken == nil {
			j.taken = map[taken]int{}
		}
		j.taken[taken{from: h.d.Name, table: w.name, way: h.d.Name + " → " + w.name}] += int(rows)
		return nil
	}
	return &overreach{fmt.Sprintf("the database deleted %d rows more of %s than foreign keys take; a trigger or rule did, and all of it was undone: name %s in the cascades of the dataset that takes them, where they may go", rows, w.name, w.name), dsar.Cause{}}
}
