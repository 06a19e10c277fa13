package intake

import (
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/core"
)

// Receivers returns who outside of the company receives the systems' data. What is done in a
// system that is with its recipient is done there: nobody tells it besides.
func Receivers(manifests []*manifest.Manifest) []Receiver {
	at := map[string]int{}
	var out []Receiver
	ours := map[string]bool{}
	for _, m := range manifests {
		ours[m.System] = true
	}
	for _, m := range manifests {
		for i := range m.Datasets {
			d := &m.Datasets[i]
			ids, all := m.Receives(d)
			for j, id := range ids {
				r := all[j]
				if id == "" || r.Told.By == manifest.TellSystem && ours[r.Told.System] {
					continue
				}
				if _, known := at[id]; !known {
					at[id] = len(out)
					out = append(out, Receiver{Recipient: core.Recipient{ID: id, By: wayOf(r.Told.By)}, Role: r.Role})
				}
				one := &out[at[id]]
				one.Receives, one.Marks = append(one.Receives, core.Reached{System: m.System, Dataset: d.Name}), append(one.Marks, m.Marks(d))
			}
		}
	}
	return out
}

// wayOf returns how a recipient is told: by a person, where the system that is with it isn't
// one of the installation's.
func wayOf(by string) core.Way {
	if by == manifest.TellSystem {
		return core.WayHand
	}
	return core.Way(by)
}
