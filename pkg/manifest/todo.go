package manifest

import "fmt"

// Todo is what a draft says instead of what only a person knows, and TodoPurpose the purpose
// of it. A manifest that has one is read, and not served.
const (
	Todo        = "TODO"
	TodoPurpose = "todo"
)

// Undecided returns what a draft leaves to a person and nobody has said yet: an error for
// each line.
func (m *Manifest) Undecided() []*Error {
	var out []*Error
	seen := map[string]bool{}
	add := func(path, what, cure string) {
		e := m.problem(path, what, cure)
		if at := fmt.Sprint(e.File, ":", e.Line, what); e.Line == 0 || !seen[at] {
			seen[at] = true
			out = append(out, e)
		}
	}
	text := func(path, what, cure string, t Text) {
		for _, s := range t {
			if s == Todo {
				add(path, what+" is still to be said", cure)
				return
			}
		}
	}
	text("title", "title", "write what the system is called", m.Title)
	if m.Processing != nil {
		text("processing.subjects", "who the people are", "write the categories of people, as Customers", m.Processing.Subjects)
	}
	for i := range m.Datasets {
		d, path := &m.Datasets[i], index("datasets", i)
		text(path+".title", "title", "write what the person reads above the records", d.Title)
		text(path+".storage", "storage", "write for how long the records are kept, or by what that is decided", d.Storage)
		text(path+".purpose", "purpose", "write what the data is used for", d.Purpose)
		for _, p := range d.Purposes {
			if p == TodoPurpose {
				add(path+".purposes", "what the data is used for, and its legal basis, are still to be said", "name purposes of the catalogue, or write purpose: and legal_basis: instead")
			}
		}
		if d.SQL == nil {
			continue
		}
		text(path+".sql.why", "why the rows are kept", "write what the person is told, or have them erased", d.SQL.Why)
		for j, w := range d.SQL.Ways {
			text(index(path+".sql.ways", j)+".why", "why the rows are kept", "write what the person is told, or have them erased", w.Why)
		}
	}
	return out
}
