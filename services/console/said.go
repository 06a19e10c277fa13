package console

import (
	"maps"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/words"
)

// said is what a worker said of a task in words of its own, line by line. They are sealed,
// since they may quote the person, and are shown to whoever reveals whom it is about.
type said struct {
	System string
	Action dsar.Action
	Lines  []string
}

// Said returns what workers said, where somebody just asked to see it.
func (b requestBody) Said(lang *words.Language) []said {
	all := slices.Clone(b.words)
	for i := range all {
		all[i].System = b.title(lang, all[i].System)
	}
	return all
}

// saidOf opens the words of each task's last report. What doesn't open is left out: the
// identifiers beside it, which have the same key, say that the key is gone.
func saidOf(keys *vault.Keys, s core.State) []said {
	var all []said
	for _, t := range s.Tasks {
		if len(t.Words) == 0 {
			continue
		}
		w, err := link.OpenWords(keys, t.Words)
		if err != nil {
			continue
		}
		lines := append([]string{w.Reason}, w.Notes...)
		for _, dataset := range slices.Sorted(maps.Keys(w.Uncovered)) {
			lines = append(lines, dataset+": "+w.Uncovered[dataset])
		}
		lines = slices.DeleteFunc(append(lines, w.Error), func(l string) bool { return l == "" })
		slices.Sort(lines)
		all = append(all, said{t.System, t.Action, slices.Compact(lines)})
	}
	return all
}
