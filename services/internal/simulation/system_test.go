//go:build unfinished

package simulation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

// row is one record of a simulated system.
type row struct {
	id       int
	owner    string // the identifier's value
	retained bool
}

// system is a store of rows behind the worker's interfaces, which fails in all
// the ways that the SDK promises to cope with.
type system struct {
	manifest *manifest.Manifest
	rows     []row
	finds    map[string]string // identifier value: what it resolves to
	rng      *rand.Rand
	clock    *clock
	calm     bool
	lag      int // proofs that still see what was erased
	ghosts   []row
	erased   map[int]int // how often a row was destroyed
}

var errBroken = errors.New("the line broke")

// trouble is what befalls a call: nothing, mostly.
func (s *system) trouble() error {
	if s.calm {
		return nil
	}
	switch s.rng.IntN(12) {
	case 0:
		return errBroken
	case 1:
		return worker.RetryAt(s.clock.now().Add(time.Duration(s.rng.IntN(7200))*time.Second), "rate-limited", "the vendor asks to wait", nil)
	case 2:
		if s.rng.IntN(4) == 0 {
			return worker.Permanent("no-permission", "the login may not do that", errBroken)
		}
	case 3:
		if s.rng.IntN(4) == 0 {
			panic("a worker's bug")
		}
	}
	return nil
}

func (s *system) Resolve(_ context.Context, t worker.Task) ([]worker.Found, error) {
	if err := s.trouble(); err != nil {
		return nil, err
	}
	var found []worker.Found
	for _, id := range t.Identifiers {
		if v, ok := s.finds[id.Value]; ok {
			found = append(found, worker.Found{Type: s.manifest.Finds[0], Value: v, From: id})
		}
	}
	return found, nil
}

func (s *system) of(t worker.Task) []row {
	var out []row
	for _, r := range s.rows {
		if slices.ContainsFunc(t.Identifiers, func(id worker.Identifier) bool { return id.Value == r.owner }) {
			out = append(out, r)
		}
	}
	return out
}

func (s *system) Gather(_ context.Context, t worker.Task, out *worker.Records) error {
	for i, r := range s.of(t) {
		if i > 0 {
			if err := s.trouble(); err != nil {
				return err
			}
		}
		if err := out.Write("things", record.Record{"id": r.id, "owner": r.owner}); err != nil {
			return err
		}
	}
	return s.trouble()
}

func (s *system) Count(_ context.Context, t worker.Task) ([]dsar.Counts, error) {
	if err := s.trouble(); err != nil {
		return nil, err
	}
	c := dsar.Counts{Dataset: "things"}
	rows := s.of(t)
	if t.Action == dsar.Prove && s.lag > 0 && !s.calm {
		s.lag--
		for _, g := range s.ghosts { // a deletion that is seen late
			if slices.ContainsFunc(t.Identifiers, func(id worker.Identifier) bool { return id.Value == g.owner }) {
				rows = append(rows, g)
			}
		}
	}
	kept := dsar.Retention{Ground: "tax-records", Until: start.AddDate(10, 0, 0)}
	for _, r := range rows {
		c.Found++
		if r.retained {
			kept.Records++
		}
	}
	if kept.Records > 0 {
		c.Retained = []dsar.Retention{kept}
	}
	return []dsar.Counts{c}, nil
}

func (s *system) Erase(_ context.Context, t worker.Task) ([]dsar.Counts, error) {
	c := dsar.Counts{Dataset: "things"}
	kept := dsar.Retention{Ground: "tax-records", Until: start.AddDate(10, 0, 0)}
	for _, r := range s.of(t) {
		if r.retained {
			kept.Records++
			continue
		}
		if err := s.trouble(); err != nil {
			return nil, err // by halves: what is gone is gone
		}
		s.rows = slices.DeleteFunc(s.rows, func(x row) bool { return x.id == r.id })
		s.ghosts = append(s.ghosts, r)
		s.erased[r.id]++
		c.Found++
		c.Erased++
	}
	if kept.Records > 0 {
		c.Found += kept.Records
		c.Retained = []dsar.Retention{kept}
	}
	return []dsar.Counts{c}, s.trouble()
}

// newManifest declares a system of one dataset.
func newManifest(name string, needs, finds []dsar.IdentifierType, after ...string) *manifest.Manifest {
	text := manifest.Text{"en": name, "fr": name}
	m := &manifest.Manifest{
		System: name, Title: text, Abilities: []dsar.Action{dsar.Gather, dsar.Erase}, Needs: needs, Finds: finds, EraseAfter: after,
		Datasets: []manifest.Dataset{{
			Name: "things", Title: text, Category: "identifiers", Origin: manifest.Provided, Purpose: text, LegalBasis: "contract", Storage: text,
			Columns:   []manifest.Column{{Name: "id", Type: "integer"}, {Name: "owner"}},
			Retention: []manifest.Retention{{Ground: "tax-records", Source: "a law", Title: text, Column: "id", Period: "P10Y"}},
		}},
	}
	if len(finds) > 0 {
		m.Abilities = append(m.Abilities, dsar.Resolve)
	}
	return m
}

// populate gives every person some rows.
func (s *system) populate(people int, owner func(person int) string, next *int) {
	for p := range people {
		for range s.rng.IntN(4) {
			*next++
			s.rows = append(s.rows, row{id: *next, owner: owner(p), retained: s.rng.IntN(4) == 0})
		}
	}
}

func email(p int) string   { return fmt.Sprintf("person%d@example.com", p) }
func account(p int) string { return fmt.Sprintf("acc-%d", p) }
