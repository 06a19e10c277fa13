package sqlsystem

import (
	"context"
	"fmt"
	"slices"

	"habeas.dev/pkg/manifest"
)

// Renumbered names the datasets of which something stays when its person is erased, and whose
// people's number the database gives anew when their row is gone: other programs take who gets it for
// whom the records are of. It is known of SQLite's INTEGER PRIMARY KEY without AUTOINCREMENT;
// of numbers that programs give, nobody knows. It asks nothing of the database.
func (s *System) Renumbered(context.Context) ([]Advice, error) {
	var out []Advice
	for i, f := range s.finders {
		if f.own == nil || !f.anew {
			continue
		}
		for _, d := range s.datasets {
			stays := len(d.retention) > 0 || len(d.with) > 0 || d.SQL.Erases(manifest.EraseKeep)
			if !stays || !slices.ContainsFunc(d.subjects, func(sub subject) bool { return sub.typ == f.find }) {
				continue
			}
			out = append(out, Advice{s.m.At(fmt.Sprintf("sql.resolve[%d]", i)), fmt.Sprintf("dataset %s: what of it stays when a person is erased stands under the number of whoever is given their %q of %s, which the database gives anew (INTEGER PRIMARY KEY without AUTOINCREMENT): Habeas leaves it out, and nobody else does", d.Name, f.own.column, f.own.table), "declare the column INTEGER PRIMARY KEY AUTOINCREMENT"})
		}
	}
	return out, nil
}
