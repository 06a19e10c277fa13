package console

import (
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/timeline"
)

// why says why something stands as it does.
type why struct {
	// Told is the sentence of the code, or all that was said where it has none.
	Told string
	// Said is what was said of the case, where that says more.
	Said string
	// Worker tells that a worker said it: in English.
	Worker bool
	Code   string
}

// byPeople are the codes of what a person did, in words of their own.
var byPeople = []string{"by-hand", dsar.CodeOthersReleased, dsar.CodeOthersRedacted}

func (l tongue) why(code, reason string) why {
	w := why{Told: say(l.tag, timeline.Cause(code)), Code: code, Worker: !slices.Contains(byPeople, code)}
	switch {
	case w.Told == "":
		w.Told = reason
	case timeline.SaysMore(code, reason):
		w.Said = reason
	}
	return w
}

// wanted is a step that a person is wanted for.
type wanted struct {
	timeline.Step
	Title string // of its system
}

// Wanted returns the steps that have failed.
func (b requestBody) Wanted(lang string) []wanted {
	var out []wanted
	for _, sys := range b.Systems {
		for _, s := range sys.Steps {
			if s.Status == core.TaskIsFailed {
				out = append(out, wanted{s, b.title(lang, sys.System)})
			}
		}
	}
	return out
}
