package simulation

import (
	"maps"
	"slices"
	"strings"
)

// loseAnObject removes or damages an object: records, a plan or a grant, each of which has
// to be made again. A mark isn't lost: it survives a power cut, and that an erasure has
// begun is known by nothing else.
func (w *simulation) loseAnObject() {
	blobs := w.vault.Blobs()
	var objects []string
	for _, key := range slices.Sorted(maps.Keys(blobs)) {
		if strings.HasPrefix(key, "objects/") && !strings.Contains(key, "/begun~") {
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
