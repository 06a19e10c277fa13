// Package correction looks up what a correction would change: of each field that it
// concerns, what a system holds now and what it is to be. Nothing of it is kept.
//
// What no answer shows (manifest.Secret) is shown here neither (TestSecretsAreMasked).
package correction

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/core"
)

// Wanted is what a person wants corrected, in the clear, and whom it is about.
type Wanted struct {
	Corrections []event.Correction
	Identifiers []worker.Identifier
}

// ErrNotOne says that a request corrects nothing.
var ErrNotOne = errors.New("the request corrects nothing")

// Open opens what is sealed of a request: the caller MUST have recorded that somebody looks.
func Open(keys *vault.Keys, s core.State) (Wanted, error) {
	var w Wanted
	var err error
	if w.Corrections, err = Of(keys, s); err != nil {
		return w, err
	}
	for _, i := range s.Usable() {
		value, err := keys.Open(i.Sealed, vault.Identifier)
		if err != nil {
			return w, err
		}
		w.Identifiers = append(w.Identifiers, worker.Identifier{Type: i.Type, Value: string(value), Assurance: i.Assurance})
	}
	return w, nil
}

// Of opens what a person wants corrected: the caller MUST have recorded that somebody looks, or
// show it to nobody.
func Of(keys *vault.Keys, s core.State) ([]event.Correction, error) {
	if s.Right != dsar.Rectification || len(s.Accepted.Details) == 0 {
		return nil, ErrNotOne
	}
	plain, err := keys.Open(s.Accepted.Details, vault.RequestDetails)
	if err != nil {
		return nil, err
	}
	var d event.Details
	if json.Unmarshal(plain, &d) != nil {
		return nil, errors.New("its corrections can't be read")
	}
	return d.Corrections, nil
}

// Field is what one field of one record holds, and what it is to be. Secret is the kind of
// what is never shown: then Was and Is are empty.
type Field struct {
	System, Dataset, Column string
	Was, Is                 string
	Secret                  manifest.Secret
	// Stays tells that the manifest doesn't let the field be corrected: it says what was so
	// at the time.
	Stays bool
}

// System is what one system holds in the fields that are to be corrected.
type System struct {
	Name   string
	Fields []Field
	// Unknown tells that nothing is known by which it knows people, and Why that it couldn't
	// be asked; Err is the cause, where it is a fault.
	Unknown bool
	Why     string
	Err     error
}

// Concerns reports whether a system has a field that is to be corrected.
func (w Wanted) Concerns(m *manifest.Manifest) bool {
	return m.Can(dsar.Rectify) && slices.ContainsFunc(m.Datasets, func(d manifest.Dataset) bool {
		return slices.ContainsFunc(d.Columns, func(c manifest.Column) bool { _, is := w.of(m, &d, &c); return is })
	})
}

// of returns what a column is to be, where it is to be corrected. Of two corrections of one
// field the last counts.
func (w Wanted) of(m *manifest.Manifest, d *manifest.Dataset, col *manifest.Column) (string, bool) {
	for _, c := range slices.Backward(w.Corrections) {
		if (c.Column == col.Name || c.Column == col.Concept && col.Concept != "") && (c.System == "" || c.System == m.System) && (c.Dataset == "" || c.Dataset == d.Name) {
			return c.Value, true
		}
	}
	return "", false
}

// maxFields bounds what is shown of one system: more than anybody reads.
const maxFields = 500

// Look asks a system for the fields that are to be corrected, as its worker would.
func (w Wanted) Look(ctx context.Context, m *manifest.Manifest, impl any) System {
	out := System{Name: m.System}
	gatherer, ok := impl.(worker.Gatherer)
	if !ok || !m.Can(dsar.Gather) {
		out.Why = "it can't be read"
		return out
	}
	ids := slices.DeleteFunc(slices.Clone(w.Identifiers), func(id worker.Identifier) bool { return !slices.Contains(m.Needs, id.Type) })
	if len(ids) == 0 {
		out.Unknown = true
		return out
	}
	var records *worker.Records
	records = worker.NewRecords(m, dsar.Access, ids, func(dataset string, r record.Record) error {
		d := m.Dataset(dataset)
		can, said := m.Corrigible(dataset)
		for i := range d.Columns {
			c := &d.Columns[i]
			is, wanted := w.of(m, d, c)
			if !wanted || len(out.Fields) == maxFields {
				continue
			}
			f := Field{System: m.System, Dataset: dataset, Column: c.Name, Was: text(r[c.Name]), Is: is, Stays: said && !slices.Contains(can, c.Name)}
			if records.Stays(c.Name) { // it may be somebody else's
				f.Was, f.Stays = "", true
			}
			if c.Secret.Hides() {
				f.Was, f.Is, f.Secret = "", "", c.Secret
			}
			out.Fields = append(out.Fields, f)
		}
		return nil
	})
	job := &worker.GatherJob{Job: worker.Job{Task: worker.Task{RequestID: "preview", Action: dsar.Gather, Right: dsar.Rectification, Attempt: 1, Identifiers: ids}}, Records: records}
	err := gatherer.Gather(ctx, []*worker.GatherJob{job})
	if err == nil {
		err = job.Err
	}
	if err != nil {
		out.Why = reason(err)
	}
	return out
}

// reason returns why a system couldn't be asked, without what it said of the person.
func reason(err error) string {
	var f *worker.Error
	if errors.As(err, &f) {
		return f.Reason
	}
	return "it couldn't be asked"
}

// text returns a value as a line has it; empty where there is none.
func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
