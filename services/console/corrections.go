package console

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/correction"
	"habeas.dev/services/internal/words"
)

// showCorrections shows what a correction would change, field by field, before somebody lets
// it go on, and records that they looked. The values are in this answer only.
func (c *Console) showCorrections(w http.ResponseWriter, r *http.Request, u User) {
	id, form, ok := c.form(w, r, u)
	if !ok {
		return
	}
	s, err := c.state(r.Context(), id)
	if err == nil && !c.previews(s) {
		err = core.ErrNotAllowed
	}
	if err == nil {
		s, err = c.do(r.Context(), id, core.Reveal{By: u.By(), Reason: form.Get("reason"), Now: c.now()})
	}
	if err != nil {
		c.again(w, r, u, id, form, err)
		return
	}
	all, err := c.Corrections(r.Context(), s)
	if err != nil {
		c.again(w, r, u, id, form, err)
		return
	}
	for _, one := range all {
		if one.Err != nil { // the page says that it couldn't be asked, and not why
			c.trouble(r.Context(), fmt.Errorf("what a correction changes in %s: %w", one.Name, one.Err))
		}
	}
	c.show(w, r, u, id, func(b *requestBody) { b.Corrections, b.Looked = all, true })
}

// previews reports whether it can be shown what a request would change: a correction that
// hasn't corrected anything.
func (c *Console) previews(s core.State) bool {
	if c.Corrections == nil || s.Right != dsar.Rectification || s.Status.Ended() {
		return false
	}
	for _, t := range s.Tasks {
		if t.Action == dsar.Rectify && t.End.Outcome == dsar.Rectified {
			return false
		}
	}
	return true
}

// refusable are the fields of a system of which a correction can be refused; Stopped tells that
// it has stopped for one.
type refusable struct {
	System  string
	Stopped bool
	Fields  []correction.Field
}

// refusable returns the fields that a correction may be of, in some systems: those of which it
// is known what they mean, or that may be corrected. First come those for which it has stopped.
func (c *Console) refusable(s core.State, systems []string) (out []refusable) {
	var stopped []refusable
	for _, name := range systems {
		m := c.manifest(name)
		if m == nil {
			continue
		}
		all := refusable{System: name}
		first := refusable{System: name, Stopped: true}
		var cause *dsar.Cause
		if t := s.Task(name, dsar.Rectify); t != nil {
			cause = t.End.Cause
		}
		for _, d := range m.Datasets {
			can, _ := m.Corrigible(d.Name)
			for _, col := range d.Columns {
				f := correction.Field{System: name, Dataset: d.Name, Column: col.Name}
				switch {
				case s.RefusedField(name, d.Name, col.Name) != nil:
				case cause != nil && cause.Dataset == d.Name && slices.Contains(cause.Columns, col.Name):
					first.Fields = append(first.Fields, f)
				case col.Concept != "" || slices.Contains(can, col.Name):
					all.Fields = append(all.Fields, f)
				}
			}
		}
		if len(first.Fields) > 0 {
			stopped = append(stopped, first)
		}
		if len(all.Fields) > 0 {
			out = append(out, all)
		}
	}
	return append(stopped, out...)
}

// Field returns a column's title in words.
func (b requestBody) Field(lang *words.Language, f correction.Field) string {
	if m := b.manifest(f.System); m != nil {
		if d := m.Dataset(f.Dataset); d != nil {
			if c := d.Column(f.Column); c != nil {
				return cmp.Or(lang.Text(c.Title), f.Column)
			}
		}
	}
	return f.Column
}
