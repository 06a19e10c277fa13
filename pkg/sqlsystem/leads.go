package sqlsystem

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// CodeLeadsElsewhere is the code of a correction after which the person's identifiers would lead
// to other rows than before: rows are joined by the column, or a condition is about it. All of
// it is undone: the rows of whoever is joined by the new value would be the person's, and what
// was the person's nobody's.
const CodeLeadsElsewhere = "leads-elsewhere"

// rerouted says of which dataset a correction would have other rows be the person's.
type rerouted struct{ d *dataset }

func (e *rerouted) Error() string {
	return "after the correction the person's identifiers lead to other rows of " + e.d.Name
}

func (e *rerouted) said() error {
	reason := fmt.Sprintf("rows of %s are found by the corrected field, and with its new value other rows would be the person's than now: nothing was corrected; look whose they are, and correct it by hand", e.d.Name)
	return worker.Because(dsar.Cause{Dataset: e.d.Name, Table: e.d.SQL.Table}, worker.Permanent(CodeLeadsElsewhere, reason, e))
}

// led are the rows that a person's identifiers lead to, by their keys in each dataset.
type led map[*dataset]map[string]bool

// leads returns the rows that chunks of a task lead to, but for those of datasets that can't be
// read.
func (b *bound) leads(ctx context.Context, chunks []*chunk, lacking lacks) (led, error) {
	out := led{}
	for _, d := range b.datasets {
		if lacking[d.Name].no[reading] {
			continue
		}
		keys := map[string]bool{}
		for _, c := range chunks {
			err := b.find(ctx, b.tx, d, c, today(b.now()), false, func(r *row) error {
				key, err := d.rowKey(r.key)
				keys[key] = true
				return err
			})
			if err != nil {
				return nil, err
			}
		}
		out[d] = keys
	}
	return out, nil
}

// elsewhere returns a dataset of which other rows are led to than before; nil: there is none.
// Where updates change the keys of rows themselves, as many must be led to.
func (l led) elsewhere(before led, updates []update) *dataset {
	for d, keys := range l {
		changes := slices.ContainsFunc(updates, func(u update) bool {
			return u.d.table == d.table && (d.unstable || slices.ContainsFunc(d.keys, func(k keyColumn) bool { return slices.Contains(u.columns, k.name) }))
		})
		if len(keys) != len(before[d]) || !changes && !maps.Equal(keys, before[d]) {
			return d
		}
	}
	return nil
}

// corrected returns a task that also has the identifiers which its corrections make of the
// person's.
func (s *System) corrected(t *worker.Task, updates []update) *worker.Task {
	out := *t
	out.Identifiers = slices.Clone(t.Identifiers)
	for _, u := range updates {
		for i, name := range u.names {
			for _, of := range s.m.LeadsBy(u.d.Dataset, name) {
				out.Identifiers = append(out.Identifiers, worker.Identifier{Type: of, Value: u.texts[i], Assurance: dsar.AssuranceFound})
			}
		}
	}
	return &out
}
