package worker

import (
	"slices"

	"habeas.dev/pkg/dsar"
)

// What a person has decided of a correction comes with its task: fields that stay as they are,
// and doubts in spite of which others are corrected.

// Lets reports whether a person has decided that a field is corrected in spite of a doubt, by
// the doubt's code.
func (t *Task) Lets(code, dataset, column string) bool {
	return slices.ContainsFunc(t.let, func(l dsar.LetGo) bool {
		return l.Code == code && (l.Dataset == "" || l.Dataset == dataset) && (l.Column == "" || l.Column == column)
	})
}

// withoutRefused parts changes into those that are made, and the fields that are refused.
func withoutRefused(changes []Change, refused []dsar.Field) (made []Change, left []dsar.Field) {
	for _, c := range changes {
		field := dsar.Field{Dataset: c.Dataset, Column: c.Column}
		switch {
		case !slices.Contains(refused, field):
			made = append(made, c)
		case !slices.Contains(left, field):
			left = append(left, field)
		}
	}
	return made, left
}

// addRefused says in counts which fields of a correction are refused.
func addRefused(counts []dsar.Counts, refused []dsar.Field) []dsar.Counts {
	for _, f := range refused {
		i := slices.IndexFunc(counts, func(c dsar.Counts) bool { return c.Dataset == f.Dataset })
		if i < 0 {
			i, counts = len(counts), append(counts, dsar.Counts{Dataset: f.Dataset})
		}
		counts[i].Refused = append(counts[i].Refused, f.Column)
	}
	return counts
}
