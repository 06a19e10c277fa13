package simulation

import (
	"maps"
	"slices"
	"strings"
)

// loseAnObject removes or damages an object that was gathered: the answer lacks it,
// and it has to be gathered again. Marks are durable, and plans are read by the simulation
// itself: those stay.
func (w *simulation) loseAnObject() {
	blobs := w.vault.Blobs()
	var objects []string
	for _, key := range slices.Sorted(maps.Keys(blobs)) {
		if strings.HasPrefix(key, "objects/") && !strings.Contains(key, "/begun~") && !strings.Contains(key, "/plan~") {
			objects = append(objects, key)
		}
	}
	if len(objects) == 0 {
		return
	}
	key := objects[w.rng.IntN(len(objects))]
	if w.rng.IntN(2) == 0 {
		w.note("the disk loses %s", key)
		w.vault.Set(key, nil)
		return
	}
	w.note("the disk damages %s", key)
	damaged := slices.Clone(blobs[key])
	damaged[len(damaged)/2] ^= 1
	w.vault.Set(key, damaged)
}
