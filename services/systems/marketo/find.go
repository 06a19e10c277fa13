package marketo

import (
	"context"
	"errors"
	"slices"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// maxHeld is how many leads of a group are held until its answer is whole, at some
// 500 bytes each. A group with more is asked in halves; one subject alone isn't
// held.
const maxHeld = 2_000

// What an answer can be that is about one of many: the others are asked for
// without it.
const (
	codeBadValue = "bad-value"
	codeStranger = "stranger"
	codeBadID    = "bad-id"
	codeTooMany  = "too-many"
	codeRefused  = "refused"
)

// What came of one record.
const (
	codeGone  = "gone"
	codeInUse = "in-use"
)

// What an answer can be that is about everyone.
const (
	codeSchema    = "schema"
	codeForbidden = "no-permission"
)

// match is a lead with the subjects that it is of, held until the answer is
// whole.
type match struct {
	id     string
	of     []*subject
	values [][]byte
}

// leadRow gets a lead, or another record, with the subjects that it is of, at
// least one. It MUST NOT keep the fields.
type leadRow func(id string, f *fields, of []*subject) error

// search asks for records of a group's subjects.
type search struct {
	fields func() *fields
	run    func(ctx context.Context, g *group, row leadRow) error
}

// find runs over the leads of a group's subjects. Where something stands in the
// way of the whole group that is about one of it, only that one gets the error:
// nothing is handed out before it is clear that nothing does.
func (w *Worker) find(ctx context.Context, g *group, columns []string, row leadRow) error {
	err := search{
		func() *fields { return newLeadFields(columns) },
		func(ctx context.Context, g *group, row leadRow) error { return w.matches(ctx, g, columns, row) },
	}.each(ctx, g, row)
	return w.nameMissing(ctx, columns, err)
}

func (q search) each(ctx context.Context, g *group, row leadRow) error {
	return vendorapi.Halve(g.subjects, func(some []*subject) error { return q.in(ctx, groupOf(some), row) }, isOfOne, fail)
}

// in asks for some subjects' records, and hands them out once the answer is whole.
func (q search) in(ctx context.Context, g *group, row leadRow) error {
	if len(g.subjects) == 1 {
		return q.run(ctx, g, row)
	}
	var held []match
	err := q.run(ctx, g, func(id string, f *fields, of []*subject) error {
		if len(held) == maxHeld {
			return worker.Transient(codeTooMany, "many records share few addresses; they are asked for in smaller parts", nil)
		}
		held = append(held, match{id, of, slices.Clone(f.values)})
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	f := q.fields()
	for _, m := range held {
		f.values = m.values
		if err := row(m.id, f, m.of); err != nil {
			return err
		}
	}
	return nil
}

// isOfOne reports whether an error may be about one of many.
func isOfOne(err error) bool {
	return vendorapi.MayBeOne(err, codeBadValue, codeStranger, codeBadID, codeTooMany)
}

func isPermanent(err error) bool {
	var e *worker.Error
	return errors.As(err, &e) && e.Permanent()
}

func hasCode(err error, code string) bool {
	var e *worker.Error
	return errors.As(err, &e) && e.Code == code
}

// matches asks for a group's leads, as they come. One that is answered twice, as
// may happen when leads come and go between two pages, is handed out once.
func (w *Worker) matches(ctx context.Context, g *group, columns []string, row leadRow) error {
	seen := map[string]bool{}
	for emails := range slices.Chunk(g.emails, maxAddresses) {
		err := w.leadsBy(ctx, "email", emails, columns, func(f *fields) error {
			id, err := f.id("id")
			if err != nil || seen[id] {
				return err
			}
			seen[id] = true
			of := g.byEmail[fold(vendorapi.Text(f.get("email")))]
			if len(of) == 0 {
				return errStranger("a lead")
			}
			return row(id, f, of)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// errStranger returns the error which says that Marketo compares more loosely than this worker. Guessing
// whose record it is could show one person another's.
func errStranger(what string) error {
	return worker.Permanent(codeStranger, "Marketo answered with "+what+" that matches nobody who was asked for", nil)
}
