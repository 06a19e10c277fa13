package bundle

import (
	"slices"
	"strings"

	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

// passedTable says to whom data went, by category: what was sold or shared, and apart from
// it what was disclosed for a business purpose (Civ. Code 1798.130(a)(3)(B)(ii), (a)(4)(B)
// and (C)). Where it has no rows, None says so.
type passedTable struct {
	ID, Title, None string
	Rows            []passedRow
}

// passedRow is one category: the data in it, and whom it went to, by role.
type passedRow struct{ Name, Data, To string }

// passed returns both tables, of the datasets of which something is told.
func (p *pager) passed() []passedTable {
	sold, disclosed := &passedRows{w: p.w, of: map[string]*passedTerms{}}, &passedRows{w: p.w, of: map[string]*passedTerms{}}
	unmarked := true // of every dataset it is known what it is used for
	p.each(func(d *statement.Dataset) {
		if d.Marks == nil {
			unmarked = false
		}
		marked := slices.Contains(d.Marks, manifest.MarkSale) || slices.Contains(d.Marks, manifest.MarkSharing)
		given := len(d.Outside) > 0
		for _, r := range d.Receives {
			if outside := r.Role == "third-party" || r.Role == "joint-controller"; marked && outside {
				sold.add(d, r.Role, r.Name)
				given = true
				continue
			}
			disclosed.add(d, r.Role, p.w.Recipient(r.Name, r.Does, ""))
		}
		for _, name := range d.Outside { // of whom nothing more is known
			if marked {
				sold.add(d, "", name)
			} else {
				disclosed.add(d, "", name)
			}
		}
		if marked && !given {
			sold.add(d, "third-party", "")
		}
	})
	b, c := passedTable{ID: "sold", Title: p.w.Sold, Rows: sold.rows()}, passedTable{ID: "disclosed", Title: p.w.Disclosed, Rows: disclosed.rows()}
	if len(b.Rows) == 0 && unmarked {
		b.None = p.w.NoneSold
	}
	if len(c.Rows) == 0 {
		c.None = p.w.NoneDisclosed
	}
	return []passedTable{b, c}
}

// passedRows collects one of the tables.
type passedRows struct {
	w     *words.Answer
	order []string
	of    map[string]*passedTerms
}

// passedTerms are what one category's row says: the data, and the names by role.
type passedTerms struct {
	data  []string
	roles []string
	names map[string][]string
}

// add adds a recipient of a dataset; without a name, only its role.
func (r *passedRows) add(d *statement.Dataset, role, name string) {
	for _, category := range categoriesOf(d) {
		t := r.of[category]
		if t == nil {
			t = &passedTerms{names: map[string][]string{}}
			r.of[category] = t
			r.order = append(r.order, category)
		}
		t.data, t.roles = appendNew(t.data, d.Title), appendNew(t.roles, role)
		if name != "" {
			t.names[role] = appendNew(t.names[role], name)
		}
	}
}

// categoriesOf returns a dataset's category and those of its columns.
func categoriesOf(d *statement.Dataset) []string {
	var out []string
	if !d.AllDiffer {
		out = append(out, d.Category)
	}
	for _, c := range d.Columns {
		out = appendNew(out, c.Category)
	}
	return out
}

func (r *passedRows) rows() (out []passedRow) {
	for _, category := range r.order {
		t := r.of[category]
		var to []string
		for _, role := range t.roles {
			text, names := words.Named(r.w.Roles, role), strings.Join(t.names[role], ", ")
			switch {
			case role == "":
				text = names
			case names != "":
				text += r.w.Colon + " " + names
			}
			to = append(to, text)
		}
		out = append(out, passedRow{words.TitleCase(words.Named(r.w.CategoryName, category)), strings.Join(t.data, ", "), words.TitleCase(strings.Join(to, r.w.Semicolon+" "))})
	}
	return out
}
