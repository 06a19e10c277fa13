package policy

import (
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// Reach says which purposes a right ends: those that rest on one of the bases, those
// with one of the marks, and, where the person names them, those with one of Named.
type Reach struct {
	Bases []string `yaml:"legal_bases"`
	Marks []string `yaml:"marks"`
	Named []string `yaml:"named"`
}

// Reached returns the ids of the purposes that a right ends, sorted: all that it reaches,
// and those that the person can name besides. Where it ends all use of the data, it is all
// of them. A use that goes on for a compelling reason isn't ended by an objection, but for
// marketing (GDPR art. 21(1), (3)).
func (j Jurisdiction) Reached(right dsar.Right, purposes manifest.Purposes) (all, named []string) {
	i := slices.IndexFunc(j.Rights, func(g Grant) bool { return g.Right == right })
	if i < 0 {
		return nil, nil
	}
	reach := j.Rights[i].Reaches
	if reach == nil {
		return purposes.IDs(), nil
	}
	for _, id := range purposes.IDs() {
		p := purposes[id]
		goesOn := right == dsar.Objection && len(p.Compelling) > 0
		switch {
		case marked(p, reach.Marks), slices.Contains(reach.Bases, p.Basis) && !goesOn:
			all = append(all, id)
		case marked(p, reach.Named):
			named = append(named, id)
		}
	}
	return all, named
}
