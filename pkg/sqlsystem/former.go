package sqlsystem

import (
	"slices"

	"habeas.dev/pkg/worker"
)

// former leaves out of a search what an earlier erasure keeps of whom had a number before by which
// a row is found ([worker.Task.IsFormer]). A nil former leaves nothing out.
type former struct {
	d     *dataset
	c     *chunk
	asked []subject
	by    map[int][]worker.Identifier // of the row, by job: by what it is found
}

// newFormer returns what is to be left out of a search; nil where that is nothing.
func newFormer(d *dataset, c *chunk, asked []subject) *former {
	if !slices.ContainsFunc(c.tasks, func(t *worker.Task) bool { return t.HasFormers() }) {
		return nil
	}
	return &former{d: d, c: c, asked: asked, by: map[int][]worker.Identifier{}}
}

// next begins another row.
func (f *former) next() {
	if f != nil {
		clear(f.by)
	}
}

// add notes by what a row is found, as far as one of its ways has it.
func (f *former) add(held []any) {
	if f == nil {
		return
	}
	for i := range f.asked {
		text, ok := textOf(held[i])
		if !ok {
			continue
		}
		for _, h := range f.c.hits(&f.asked[i], text) {
			f.by[h.job] = append(f.by[h.job], *h.id)
		}
	}
}

// without returns visit for those whose a row is, without those to whom it is a former holder's.
func (f *former) without(visit func(held []any, owners []hit) error, dialect Dialect, keys int) func(held []any, owners []hit) error {
	return func(held []any, owners []hit) error {
		key, err := f.d.planKey(dialect, held[keys:])
		if err != nil {
			return err
		}
		left := slices.DeleteFunc(slices.Clone(owners), func(h hit) bool {
			return f.c.tasks[slices.Index(f.c.jobs, h.job)].IsFormer(f.d.Name, key, f.by[h.job]...)
		})
		if len(left) == 0 {
			return nil
		}
		return visit(held, left)
	}
}
